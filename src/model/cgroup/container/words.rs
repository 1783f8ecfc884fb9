//! The owner of a group in words: a short name for columns, a sentence for details.

use std::borrow::Cow;

use super::{Kind, class_of, is_id, owner};

/// Longest name that [`label`] makes, in bytes.
pub const LONGEST: usize = 160;

/// A short name for columns: `docker 4f5e6d7c8b9a`, `pod 1a2b3c4d`, `lxc web`, `mysql.service`. `None` where
/// the path follows no known pattern. The text is from outside: it may hold anything a path may.
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

/// The same in words, with whole ids: for details. `None` where the path follows no known pattern.
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
                Kind::Monitor => format!("conmon, monitor of container {}{pod}", owner.id),
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

/// A container's id as its tools shorten it: the first twelve of its many digits. Any other name stays whole.
#[must_use]
pub fn short_id(name: &str) -> &str {
    name.get(..12).filter(|_| is_id(name)).unwrap_or(name)
}

/// The first eight digits of a pod's id: what tells pods apart at a glance.
fn short_uid(uid: &str) -> &str {
    uid.get(..8).unwrap_or(uid)
}

fn dashed(uid: &str) -> String {
    uid.replace('_', "-")
}

/// Undoes the escapes of systemd's unit names: `\x2d` is `-` (systemd.unit(5), "String escaping"). What is
/// no character of ASCII stays as it is written.
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
            // A control character stays escaped: the escape was there for a reason.
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
