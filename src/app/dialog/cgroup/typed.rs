//! Parses the limits and the path of a plan from the typed text.

use crate::app::dialog::Pinned;
use crate::app::input::line::LineInput;
use crate::app::msg::GroupChoice;
use crate::model::cgroup::limits::{LimitFile, LimitPatch};
use crate::model::cgroup::{CgroupPath, CgroupVersion};
use crate::model::plan::build::PlanError;
use crate::text::wording;

/// The name that a group of this path has.
pub(super) fn last_part(path: &str) -> &str {
    path.trim().rsplit('/').next().unwrap_or_default()
}

/// The limits a dialog offers, with what was typed for each.
pub(super) type Fields = Vec<(LimitFile, LineInput)>;

/// An empty field for each limit of this version.
pub(super) fn fields_of(version: CgroupVersion) -> Fields {
    let offered = LimitFile::of(version).filter(|file| file.row().offered);
    offered.map(|file| (file, LineInput::default())).collect()
}

/// The values that were typed, or what is wrong with one. An empty field leaves its limit alone.
pub(super) fn patch(fields: &Fields) -> Result<LimitPatch, String> {
    let typed = fields.iter().filter_map(|(file, input)| {
        let value = file.parse(input.text()).transpose()?;
        Some(match value {
            Ok(value) => Ok((*file, value)),
            Err(error) => Err(format!("{}: {error}", file.name())),
        })
    });
    typed.collect()
}

/// Why there is no plan, in a sentence beside the fields.
pub(super) fn why_not(error: PlanError) -> String {
    match error {
        PlanError::Exists(path) => {
            format!("{path} exists already: choose it with Tab, or type another name")
        }
        PlanError::Missing(path) => format!("{path} is not there (any more)"),
        PlanError::Root => "the root group has no limits of its own".to_owned(),
        PlanError::NoLimits => "type a new limit; the present one is beside the field".to_owned(),
        PlanError::BelowHardLimit(file, value) => format!(
            "{} ({}) must be at least the limit: change it too",
            file.name(),
            wording::limit(file, value)
        ),
    }
}

/// Most processes that come into one scope: each is a descriptor of the message to systemd (`SCM_MAX_FD` is 253), and two
/// of oomtop.
pub(super) const MOST_IN_SCOPE: usize = 200;

/// Why one scope cannot take them all.
pub(super) fn too_many(count: usize) -> String {
    format!(
        "{count} processes are more than one order to systemd can name ({MOST_IN_SCOPE}): choose fewer, or make a group past \
         systemd"
    )
}

/// An unused name for the new group: `/oomtop-mysqld-2456`.
pub(super) fn suggested_path(target: &Pinned) -> String {
    let kept = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    let name: String = target.name.chars().filter(|c| kept(*c)).collect();
    if name.is_empty() {
        format!("/oomtop-{}", target.id.pid)
    } else {
        format!("/oomtop-{name}-{}", target.id.pid)
    }
}

/// Where oomtop may make a group for a process in `from`: at the top of the tree, else in the innermost group around
/// `from` that it may write, as in the part of the tree that systemd hands to a user. `from` itself holds processes,
/// so it may not hold groups (cgroup v2 rule). `None` if there is no such group.
pub(super) fn place_for(from: Option<&CgroupPath>, groups: &[GroupChoice]) -> Option<CgroupPath> {
    let top = groups
        .iter()
        .min_by_key(|group| group.path.as_str().len())?;
    if top.writable {
        return Some(top.path.clone());
    }
    let around = std::iter::successors(from?.parent(), CgroupPath::parent);
    let is_writable = |path: &CgroupPath| {
        let mut groups = groups.iter();
        groups.any(|group| group.path == *path && group.writable)
    };
    around.into_iter().find(is_writable)
}

/// Refuses a group where the kernel would.
pub(super) fn may_make(path: &CgroupPath, groups: &[GroupChoice]) -> Result<(), String> {
    let around = std::iter::successors(path.parent(), CgroupPath::parent);
    let mut around = around.into_iter();
    let nearest = around.find_map(|path| groups.iter().find(|group| group.path == path));
    match nearest {
        Some(group) if !group.writable => Err(format!(
            "no right to make a group in {}: type a place that is yours, or run oomtop as root: sudo oomtop. Without root \
             you can limit what you start: ulimit -v 1048576, before it starts; i stops and a exposes what is yours",
            group.path
        )),
        _ => Ok(()),
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

#[cfg(test)]
mod tests {
    use super::{checked_path, suggested_path};
    use crate::app::dialog::Pinned;
    use crate::model::process::ProcessId;

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
}
