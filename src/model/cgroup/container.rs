//! Derives the owner of a cgroup from its path: container, pod, machine or systemd unit.
//!
//! Each runtime names its groups in two ways: the *cgroupfs* driver uses a directory per container, the
//! *systemd* driver a scope whose name starts with the name of the runtime. Kubernetes puts its pods below
//! `kubepods`, with a directory for the class of service in between.

mod words;

use crate::oomlog::witness::host_units;

pub use words::{LONGEST, description, label, short_id, unescaped};

/// The owner that the path of a group names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Owner<'p> {
    /// The kind of owner.
    pub kind: Kind,
    /// The id or name as it is in the path, including systemd's escapes; the id of a pod with `_` or `-`.
    pub id: &'p str,
    /// The enclosing Kubernetes pod, if there is one.
    pub pod: Option<&'p str>,
    /// The pod's class of service.
    pub class: Option<Class>,
}

/// What a group belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Docker.
    Docker,
    /// BuildKit: one step of an image build.
    BuildKit,
    /// Podman (libpod).
    Podman,
    /// containerd, through CRI or its own tools.
    Containerd,
    /// nerdctl.
    Nerdctl,
    /// CRI-O.
    CriO,
    /// conmon, the monitor of a container of CRI-O or Podman. It lives beside the container, not in it.
    Monitor,
    /// A container of a pod whose runtime the path does not tell.
    PodContainer,
    /// A Kubernetes pod.
    Pod,
    /// All pods, or all pods of one class.
    Pods,
    /// LXC, Incus, Proxmox.
    Lxc,
    /// A machine of systemd: nspawn, libvirt.
    Machine,
    /// A task of Amazon ECS.
    Ecs,
    /// A systemd service, scope, slice, socket, mount or swap.
    Unit,
    /// A unit of a user's systemd instance.
    UserUnit,
}

/// Quality of service class of a pod, from which Kubernetes derives the adj.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// Requests equal limits: adj -997. This class has no directory of its own.
    Guaranteed,
    /// Requests below limits: adj 3..=999.
    Burstable,
    /// No requests: adj 1000.
    BestEffort,
}

impl Class {
    /// The name as Kubernetes writes it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Guaranteed => "guaranteed",
            Self::Burstable => "burstable",
            Self::BestEffort => "besteffort",
        }
    }
}

impl Kind {
    /// The word in front of the id.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Docker => "docker",
            Self::BuildKit => "buildkit",
            Self::Podman => "podman",
            Self::Containerd => "containerd",
            Self::Nerdctl => "nerdctl",
            Self::CriO => "cri-o",
            Self::Monitor => "conmon",
            Self::PodContainer => "container",
            Self::Pod => "pod",
            Self::Pods => "pods",
            Self::Lxc => "lxc",
            Self::Machine => "machine",
            Self::Ecs => "ecs",
            Self::Unit | Self::UserUnit => "",
        }
    }

    /// The sort of owner, in one word: `container`, `pod`, `pods`, `machine` or `unit`.
    #[must_use]
    pub fn noun(self) -> &'static str {
        match self {
            Self::Docker
            | Self::BuildKit
            | Self::Podman
            | Self::Containerd
            | Self::Nerdctl
            | Self::CriO
            | Self::PodContainer
            | Self::Lxc
            | Self::Ecs => "container",
            Self::Pod => "pod",
            Self::Pods => "pods",
            Self::Machine => "machine",
            Self::Monitor | Self::Unit | Self::UserUnit => "unit",
        }
    }
}

/// Scopes of the systemd driver: `PREFIX-ID.scope`. If two prefixes match, the longer one comes first.
const SCOPES: &[(&str, Kind)] = &[
    ("cri-containerd-", Kind::Containerd),
    ("crio-conmon-", Kind::Monitor),
    ("libpod-conmon-", Kind::Monitor),
    ("docker-", Kind::Docker),
    ("libpod-", Kind::Podman),
    ("crio-", Kind::CriO),
    ("nerdctl-", Kind::Nerdctl),
    ("containerd-", Kind::Containerd),
    ("buildkit-", Kind::BuildKit),
    ("machine-", Kind::Machine),
];

const UNITS: &[&str] = &[".service", ".scope", ".slice", ".socket", ".mount", ".swap"];

/// What a group lies in: its own owner, else the owner of the nearest group around it that has one. A program
/// may make groups inside its unit or container.
#[must_use]
pub fn nearest_owner(path: &str) -> Option<Owner<'_>> {
    around(path).find_map(owner)
}

/// The systemd unit of the host that manages a group, or the slice where no other unit is around it. It is also the unit
/// of a container's scope. What a unit makes inside itself is no unit of the host: a container has its own
/// `/system.slice`.
#[must_use]
pub fn unit_of(path: &str) -> Option<&str> {
    host_units(path).last().map(|unit| unit.name)
}

/// The user whose own systemd (`systemd --user`, in `user@UID.service`) manages the unit of a group, as the path
/// has it: the uid. `None` for a unit of the system's manager, and outside of units.
#[must_use]
pub fn user_manager_of(path: &str) -> Option<u32> {
    host_units(path).last()?.user
}

/// `1000` of `user@1000.service`.
fn user_of(part: &str) -> Option<&str> {
    part.strip_prefix("user@")?.strip_suffix(".service")
}

/// The path itself and those of the groups around it, the nearest first.
fn around(path: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(path), |path| {
        path.rsplit_once('/').map(|(above, _)| above)
    })
}

fn is_unit(name: &str) -> bool {
    UNITS.iter().any(|end| name.ends_with(end))
}

/// Reads a path. `None` where it follows no known pattern.
#[must_use]
pub fn owner(path: &str) -> Option<Owner<'_>> {
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    let (last, above) = parts.split_last()?;
    let parent = above.last().copied().unwrap_or("");
    let (pod, class) = pod_of(above);
    let found = |kind, id| {
        Some(Owner {
            kind,
            id,
            pod,
            class,
        })
    };
    // A container can have child groups, such as podman's "container".
    if *last == "container" && parent.starts_with("libpod-") {
        return owner(path.strip_suffix("/container")?);
    }
    if let Some((uid, own_class)) = pod_name(last) {
        return Some(Owner {
            kind: Kind::Pod,
            id: uid,
            pod: None,
            class: Some(own_class.or(class).unwrap_or(Class::Guaranteed)),
        });
    }
    // The kubelet uses the systemd driver but containerd the cgroupfs driver:
    // kubepods-burstable-podUID.slice:cri-containerd:ID
    if let Some((pod_slice, rest)) = last.split_once(':')
        && let Some((uid, own_class)) = pod_name(pod_slice)
    {
        let (runtime, id) = rest.split_once(':').unwrap_or(("", rest));
        return Some(Owner {
            kind: scope_kind(runtime).unwrap_or(Kind::PodContainer),
            id,
            pod: Some(uid),
            class: Some(own_class.unwrap_or(Class::Guaranteed)),
        });
    }
    if last.starts_with("kubepods") || (parent == "kubepods" && class_of(last).is_some()) {
        return found(Kind::Pods, last);
    }
    if let Some(name) = last.strip_suffix(".scope")
        && let Some((kind, id)) = SCOPES
            .iter()
            .find_map(|(prefix, kind)| Some((*kind, name.strip_prefix(prefix)?)))
        // The scope docker-compose.scope is not a container.
        && (kind == Kind::Machine || is_id(id))
    {
        return found(kind, id);
    }
    if let Some(id) = last.strip_prefix("libpod-").filter(|id| is_id(id)) {
        return found(Kind::Podman, id);
    }
    if let Some(name) = last.strip_prefix("lxc.payload.") {
        return found(Kind::Lxc, name);
    }
    if parent == "lxc" && above.len() == 1 {
        return found(Kind::Lxc, last);
    }
    if above.first() == Some(&"ecs") {
        return found(Kind::Ecs, last);
    }
    if is_id(last) {
        return match parent {
            "buildkit" => found(Kind::BuildKit, last),
            "docker" | "docker.slice" => found(Kind::Docker, last),
            "podman" | "libpod_parent" => found(Kind::Podman, last),
            "nerdctl" => found(Kind::Nerdctl, last),
            "crio" => found(Kind::CriO, last),
            "containerd" | "default" | "moby" | "k8s.io" => found(Kind::Containerd, last),
            _ if pod.is_some() => found(Kind::PodContainer, last),
            _ => None,
        };
    }
    if is_unit(last) {
        let of_user = above.iter().any(|part| user_of(part).is_some());
        return found(if of_user { Kind::UserUnit } else { Kind::Unit }, last);
    }
    None
}

fn scope_kind(runtime: &str) -> Option<Kind> {
    SCOPES
        .iter()
        .find(|(prefix, _)| prefix.trim_end_matches('-') == runtime)
        .map(|(_, kind)| *kind)
}

/// True for the id of a container, whole or shortened by its tools, wherever it stands in a path.
fn is_id(text: &str) -> bool {
    // A number, such as a date, is no id.
    let is_word = text.bytes().any(|b| b.is_ascii_alphabetic());
    // Static pods of Kubernetes and old runtimes have short ids.
    let is_hex = (12..=128).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_hexdigit());
    is_word && is_hex || is_buildkit_id(text)
}

/// BuildKit numbers its containers in base 36, at full length (moby/buildkit identity/randomid.go).
fn is_buildkit_id(text: &str) -> bool {
    let is_digit = |b: u8| b.is_ascii_digit();
    text.len() == 25
        && text.bytes().all(|b| is_digit(b) || b.is_ascii_lowercase())
        && text.bytes().any(is_digit)
        && text.bytes().any(|b| b.is_ascii_lowercase())
}

/// The pod and the class of service among the ancestors of a group.
fn pod_of<'p>(above: &[&'p str]) -> (Option<&'p str>, Option<Class>) {
    let (mut pod, mut class, mut inside) = (None, None, false);
    for part in above {
        inside |= part.starts_with("kubepods");
        if !inside {
            continue;
        }
        if let Some((uid, own)) = pod_name(part) {
            pod = Some(uid);
            class = own.or(class).or(Some(Class::Guaranteed));
        } else {
            class = class_of(part.strip_suffix(".slice").unwrap_or(part)).or(class);
        }
    }
    (pod, class)
}

fn class_of(name: &str) -> Option<Class> {
    let end = name.strip_prefix("kubepods-").unwrap_or(name);
    match end {
        "burstable" => Some(Class::Burstable),
        "besteffort" => Some(Class::BestEffort),
        _ => None,
    }
}

/// `podUID`, `kubepods-podUID.slice`, `kubepods-burstable-podUID.slice`.
fn pod_name(part: &str) -> Option<(&str, Option<Class>)> {
    let name = part.strip_suffix(".slice").unwrap_or(part);
    let (class, uid) = if let Some(rest) = name.strip_prefix("kubepods-") {
        match rest.split_once('-') {
            Some((class, uid)) if class_of(class).is_some() => (class_of(class), uid),
            _ => (None, rest),
        }
    } else {
        (None, name)
    };
    let uid = uid.strip_prefix("pod")?;
    let is_uid = (32..=36).contains(&uid.len())
        && uid
            .bytes()
            .all(|b| b.is_ascii_hexdigit() || b == b'-' || b == b'_');
    is_uid.then_some((uid, class))
}

#[cfg(test)]
mod tests;
