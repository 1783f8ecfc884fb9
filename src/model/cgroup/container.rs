//! Derives the owner of a cgroup from its path: container, pod, machine or systemd unit.
//!
//! Each runtime names its groups in two ways: the *cgroupfs* driver uses a directory per container, the
//! *systemd* driver a scope whose name starts with the name of the runtime. Kubernetes puts its pods below
//! `kubepods`, with a directory for the class of service in between.

use std::borrow::Cow;

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
    /// CRI-O's monitor process of a container.
    CriOMonitor,
    /// A container of a pod; the path does not name the runtime.
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
            Self::CriOMonitor => "conmon",
            Self::PodContainer => "container",
            Self::Pod => "pod",
            Self::Pods => "pods",
            Self::Lxc => "lxc",
            Self::Machine => "machine",
            Self::Ecs => "ecs",
            Self::Unit | Self::UserUnit => "",
        }
    }
}

/// Scopes of the systemd driver: `PREFIX-ID.scope`. If two prefixes match, the longer one comes first.
const SCOPES: &[(&str, Kind)] = &[
    ("cri-containerd-", Kind::Containerd),
    ("crio-conmon-", Kind::CriOMonitor),
    ("libpod-conmon-", Kind::CriOMonitor),
    ("docker-", Kind::Docker),
    ("libpod-", Kind::Podman),
    ("crio-", Kind::CriO),
    ("nerdctl-", Kind::Nerdctl),
    ("containerd-", Kind::Containerd),
    ("buildkit-", Kind::BuildKit),
    ("machine-", Kind::Machine),
];

const UNITS: &[&str] = &[".service", ".scope", ".slice", ".socket", ".mount", ".swap"];

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
    if UNITS.iter().any(|end| last.ends_with(end)) {
        let of_user = above.iter().any(|part| part.starts_with("user@"));
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

/// True for a hexadecimal number as long as a container id or its short form.
fn is_id(text: &str) -> bool {
    // BuildKit ids have letters and digits; static pods of Kubernetes and old runtimes have short ids.
    (12..=128).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_hexdigit())
        || text.len() == 25 && text.bytes().all(|b| b.is_ascii_alphanumeric())
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

/// Longest result of [`label`], in bytes.
pub const LONGEST: usize = 160;

/// A short name for columns: `docker 4f5e6d7c8b9a`, `pod 1a2b3c4d`, `lxc web`, `mysql.service`. `None` where
/// the path follows no known pattern. The text is untrusted: it can contain any character that a path can.
#[must_use]
pub fn label(path: &str) -> Option<String> {
    let owner = owner(path)?;
    let name = match owner.kind {
        Kind::Pod => format!("pod {}", short_uid(owner.id)),
        Kind::Pods => owner.class.map_or_else(
            || match class_of(owner.id.strip_suffix(".slice").unwrap_or(owner.id)) {
                Some(class) => format!("{} pods", class.name()),
                None => "all pods".to_owned(),
            },
            |class| format!("{} pods", class.name()),
        ),
        Kind::Unit | Kind::UserUnit => unescaped(owner.id).into_owned(),
        Kind::Machine | Kind::Lxc => format!("{} {}", owner.kind.word(), unescaped(owner.id)),
        kind => {
            let own = format!("{} {}", kind.word(), short_id(owner.id));
            match owner.pod {
                Some(pod) => format!("{own} in pod {}", short_uid(pod)),
                None => own,
            }
        }
    };
    Some(cut(name))
}

/// As [`label`], in words and with full ids, for the details pane. `None` where the path follows no known
/// pattern.
#[must_use]
pub fn description(path: &str) -> Option<String> {
    let owner = owner(path)?;
    let class = owner
        .class
        .map_or_else(String::new, |class| format!(", {}", class.name()));
    let text = match owner.kind {
        Kind::Pod => format!("Kubernetes pod {}{class}", dashed(owner.id)),
        Kind::Pods => "Kubernetes pods".to_owned(),
        Kind::Unit => format!("systemd unit {}", unescaped(owner.id)),
        Kind::UserUnit => format!("systemd unit {} of a user", unescaped(owner.id)),
        Kind::Machine => format!("machine {} (systemd-machined)", unescaped(owner.id)),
        Kind::Lxc => format!("LXC container {}", unescaped(owner.id)),
        kind => {
            let pod = owner.pod.map_or_else(String::new, |pod| {
                format!(" of Kubernetes pod {}{class}", dashed(pod))
            });
            match kind {
                Kind::PodContainer => format!("container {}{pod}", owner.id),
                kind => format!("{} container {}{pod}", kind.word(), owner.id),
            }
        }
    };
    Some(cut(text))
}

fn cut(mut text: String) -> String {
    if text.len() > LONGEST {
        let mut end = LONGEST - '…'.len_utf8();
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        text.truncate(end);
        text.push('…');
    }
    text
}

/// The first twelve digits of a container id, as the runtimes' tools print it.
fn short_id(id: &str) -> &str {
    id.get(..12).filter(|_| is_id(id)).unwrap_or(id)
}

/// The first eight digits of a pod id.
fn short_uid(uid: &str) -> &str {
    uid.get(..8).unwrap_or(uid)
}

fn dashed(uid: &str) -> String {
    uid.replace('_', "-")
}

/// Undoes the escapes of systemd's unit names: `\x2d` is `-` (systemd.unit(5), "String escaping"). Escapes of
/// bytes that are not printable ASCII stay as they are.
#[must_use]
pub fn unescaped(name: &str) -> Cow<'_, str> {
    if !name.contains("\\x") {
        return Cow::Borrowed(name);
    }
    let mut out = String::with_capacity(name.len());
    let mut rest = name;
    while let Some(at) = rest.find("\\x") {
        out.push_str(rest.get(..at).unwrap_or(""));
        let code = rest
            .get(at + 2..at + 4)
            .and_then(|hex| u8::from_str_radix(hex, 16).ok())
            // A control character must not reach the screen: it stays escaped.
            .filter(|byte| (0x20..0x7f).contains(byte));
        let taken = if let Some(byte) = code {
            out.push(char::from(byte));
            4
        } else {
            out.push_str("\\x");
            2
        };
        rest = rest.get(at + taken..).unwrap_or("");
    }
    out.push_str(rest);
    Cow::Owned(out)
}

#[cfg(test)]
mod tests;
