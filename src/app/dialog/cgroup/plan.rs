//! From what was typed to the steps of a cgroup plan, for v1 and v2.

use crate::app::dialog::Pinned;
use crate::app::input::line::LineInput;
use crate::model::cgroup::{CgroupPath, CgroupVersion, Limits};
use crate::model::plan::step::{CgroupStep, LimitWrite};
use crate::model::process::ProcessId;
use crate::model::size::parse_size;

/// What a limit field takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A size; `max` lifts it where the version has a word for that.
    Size,
    /// `0` or `1`.
    Switch,
}

/// One limit the dialog offers.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct LimitField {
    /// File in the group's directory.
    pub(super) file: &'static str,
    pub(super) kind: Kind,
    /// What it does, beside the field.
    pub(super) doc: &'static str,
}

/// Limits of cgroup v2 (Documentation/admin-guide/cgroup-v2.rst), in the order they are written.
const V2: &[LimitField] = &[
    LimitField {
        file: "memory.max",
        kind: Kind::Size,
        doc: "hard limit: reaching it is an OOM inside the group",
    },
    LimitField {
        file: "memory.high",
        kind: Kind::Size,
        doc: "above it the group is slowed down, never killed",
    },
    LimitField {
        file: "memory.low",
        kind: Kind::Size,
        doc: "kept from reclaim while others have some",
    },
    LimitField {
        file: "memory.min",
        kind: Kind::Size,
        doc: "kept from reclaim always",
    },
    LimitField {
        file: "memory.swap.max",
        kind: Kind::Size,
        doc: "swap it may use; 0 is none",
    },
    LimitField {
        file: "memory.oom.group",
        kind: Kind::Switch,
        doc: "1: an OOM kills the whole group",
    },
];

/// Limits of cgroup v1. The order matters: memory + swap must not be below memory.
const V1: &[LimitField] = &[
    LimitField {
        file: "memory.limit_in_bytes",
        kind: Kind::Size,
        doc: "hard limit: reaching it is an OOM inside the group",
    },
    LimitField {
        file: "memory.memsw.limit_in_bytes",
        kind: Kind::Size,
        doc: "memory + swap; at least the limit above",
    },
    LimitField {
        file: "memory.soft_limit_in_bytes",
        kind: Kind::Size,
        doc: "reclaimed first above it",
    },
    LimitField {
        file: "memory.oom_control",
        kind: Kind::Switch,
        doc: "1: tasks hang instead of being killed",
    },
];

/// The limits this version has.
pub(super) fn fields_of(version: CgroupVersion) -> &'static [LimitField] {
    match version {
        CgroupVersion::V2 => V2,
        CgroupVersion::V1 | CgroupVersion::Hybrid => V1,
        CgroupVersion::None => &[],
    }
}

/// A name for the new group that nobody else uses: `/oomtop-mysqld-2456`.
pub(super) fn suggested_path(target: &Pinned) -> String {
    let kept = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    let name: String = target.name.chars().filter(|c| kept(*c)).collect();
    if name.is_empty() {
        format!("/oomtop-{}", target.id.pid)
    } else {
        format!("/oomtop-{name}-{}", target.id.pid)
    }
}

/// The value as it is written, or what is wrong with it. Empty means: leave it alone.
pub(super) fn limit_value(field: &LimitField, text: &str) -> Result<Option<String>, String> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    match field.kind {
        Kind::Switch if text == "0" || text == "1" => Ok(Some(text.to_owned())),
        Kind::Switch => Err("0 or 1".to_owned()),
        Kind::Size if text == "max" && field.file.ends_with("in_bytes") => {
            Ok(Some("-1".to_owned()))
        }
        Kind::Size if text == "max" => Ok(Some(text.to_owned())),
        Kind::Size => match parse_size(text) {
            // The kernel rounds down to pages: less than one is 0, which kills whatever is inside.
            Ok(bytes) if bytes > 0 && bytes < 4096 => {
                Err("less than one page is rounded down to 0".to_owned())
            }
            Ok(bytes) => Ok(Some(bytes.to_string())),
            Err(error) => Err(error.to_string()),
        },
    }
}

/// The limits that would be written, as the rules of the kernel take them.
pub(super) fn planned(limits: &[(&'static LimitField, LineInput)]) -> Limits {
    let value = |file: &str| {
        let (field, input) = limits.iter().find(|(field, _)| field.file == file)?;
        let text = limit_value(field, input.text()).ok().flatten()?;
        // `max` and -1 are no limit.
        text.parse::<u64>().ok()
    };
    Limits {
        max: value("memory.max").or_else(|| value("memory.limit_in_bytes")),
        high: value("memory.high"),
        soft: value("memory.soft_limit_in_bytes"),
        low: value("memory.low"),
        min: value("memory.min"),
        swap_max: value("memory.swap.max"),
        memsw_max: value("memory.memsw.limit_in_bytes"),
        // What a new group inherits is not known before it is there.
        swappiness: None,
        oom_group: value("memory.oom.group") == Some(1),
        kill_disabled: value("memory.oom_control") == Some(1),
    }
}

/// Checks a path a user typed: absolute, no `..`, no odd characters.
pub(super) fn checked_path(text: &str) -> Result<CgroupPath, String> {
    let text = text.trim();
    if text.is_empty() || text == "/" {
        return Err("type a path such as /web".to_owned());
    }
    let bad = |part: &str| part == "." || part == ".." || part.len() > 255;
    if text.split('/').any(bad) || text.chars().any(char::is_control) || text.contains("//") {
        return Err(
            "the path must be plain: no '.', '..', empty parts or control characters".to_owned(),
        );
    }
    Ok(CgroupPath::new(text))
}

/// Steps to make a group with these limits and move the target into it.
pub(super) fn create_steps(
    target: ProcessId,
    path: &str,
    limits: &[(&'static LimitField, LineInput)],
    version: CgroupVersion,
    taken: impl Fn(&CgroupPath) -> bool,
) -> Result<Vec<CgroupStep>, String> {
    let path = checked_path(path)?;
    if taken(&path) {
        return Err(format!(
            "{path} exists already: choose it among the existing groups, or type another name"
        ));
    }
    let mut steps = Vec::new();
    // Outermost first: the parents that are not there yet, and on v2 the controller in each.
    let mut above: Vec<CgroupPath> =
        std::iter::successors(path.parent(), CgroupPath::parent).collect();
    above.reverse();
    for parent in above {
        if !parent.is_root() && !taken(&parent) {
            steps.push(CgroupStep::Create(parent.clone()));
        }
        if version == CgroupVersion::V2 {
            steps.push(CgroupStep::EnableMemory(parent));
        }
    }
    steps.push(CgroupStep::Create(path.clone()));
    for (field, input) in limits {
        if let Some(value) =
            limit_value(field, input.text()).map_err(|e| format!("{}: {e}", field.file))?
        {
            steps.push(CgroupStep::Limit(
                path.clone(),
                LimitWrite {
                    file: field.file,
                    value,
                },
            ));
        }
    }
    steps.push(CgroupStep::Move(target, path));
    Ok(steps)
}

#[cfg(test)]
mod tests {
    use super::{V1, V2, checked_path, create_steps, limit_value, suggested_path};
    use crate::app::dialog::Pinned;
    use crate::app::input::line::LineInput;
    use crate::model::cgroup::{CgroupPath, CgroupVersion};
    use crate::model::plan::step::CgroupStep;
    use crate::model::process::ProcessId;

    #[test]
    fn values_are_checked_before_the_kernel_sees_them() {
        assert_eq!(
            limit_value(&V2[0], "512M"),
            Ok(Some((512_u64 << 20).to_string()))
        );
        assert_eq!(limit_value(&V2[0], "max"), Ok(Some("max".to_owned())));
        assert_eq!(limit_value(&V1[0], "max"), Ok(Some("-1".to_owned())));
        assert_eq!(limit_value(&V2[0], "  "), Ok(None));
        for bad in ["100", "-1", "1.5", "99999999999999999999", "lots"] {
            assert!(limit_value(&V2[0], bad).is_err(), "{bad}");
        }
        assert!(limit_value(&V2[5], "2").is_err());
    }

    #[test]
    fn paths_stay_inside() {
        for bad in ["", "/", "..", "/a/../b", "/a//b", "/a/.", "/a\nb"] {
            assert!(checked_path(bad).is_err(), "{bad:?}");
        }
        assert_eq!(
            checked_path("web").map(|p| p.to_string()),
            Ok("/web".to_owned())
        );
        let target = |name: &str| Pinned {
            id: ProcessId {
                pid: 7,
                start_ticks: 1,
            },
            name: name.to_owned(),
        };
        assert_eq!(suggested_path(&target("a/../b\u{1b}[2J")), "/oomtop-ab2J-7");
        assert_eq!(suggested_path(&target("日本")), "/oomtop-7");
    }

    #[test]
    fn v2_enables_the_controller_from_the_root_down() {
        let limits = vec![(&V2[0], LineInput::new("1G"))];
        let id = ProcessId {
            pid: 7,
            start_ticks: 1,
        };
        let taken = |p: &CgroupPath| p.as_str() == "/app";
        let steps =
            create_steps(id, "/app/web/x", &limits, CgroupVersion::V2, taken).expect("steps");
        let text: Vec<_> = steps
            .iter()
            .map(|s| match s {
                CgroupStep::EnableMemory(p) => format!("enable {p}"),
                CgroupStep::Create(p) => format!("create {p}"),
                CgroupStep::Limit(p, w) => format!("limit {p} {}={}", w.file, w.value),
                CgroupStep::Move(_, p) => format!("move {p}"),
                CgroupStep::Remove(p) => format!("remove {p}"),
            })
            .collect();
        assert_eq!(
            text,
            [
                "enable /",
                "enable /app",
                "create /app/web",
                "enable /app/web",
                "create /app/web/x",
                "limit /app/web/x memory.max=1073741824",
                "move /app/web/x"
            ]
        );
        assert!(create_steps(id, "/app", &limits, CgroupVersion::V2, taken).is_err());
    }
}
