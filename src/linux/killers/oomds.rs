//! Reads the settings of systemd-oomd: its own file, what units of the system and of users ask for, and which groups
//! they spare.

use std::collections::HashMap;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::Question;
use crate::linux::killers::unit_files::ConfigRoot;
use crate::model::cgroup::{CgroupPath, CgroupVersion};
use crate::model::killers::oom_policy::{Manager, unit_with_group};
use crate::model::killers::systemd::{add_rulesets, systemd_oomd};
use crate::model::killers::units::{Managed, UnitFile, managed};
use crate::model::killers::{Killer, Preference, RunningKiller};
use crate::model::process::ProcessId;

/// Most groups of users whose units are read.
const MOST_OF_USERS: usize = 256;

pub(super) fn read(
    asked: &Question,
    id: ProcessId,
    base: Option<&ConfigRoot<'_>>,
) -> RunningKiller {
    if asked.version != CgroupVersion::V2 {
        let note = "it needs cgroup v2 with the memory controller: here it kills nobody";
        return RunningKiller::idle(Killer::SystemdOomd, id, note);
    }
    let Some(base) = base else {
        let note = "its files could not be read: its thresholds are unknown";
        return RunningKiller::unread(Killer::SystemdOomd, id, note);
    };
    let files = base.managed_units();
    let mut users = Users::default();
    let watched: Vec<_> = asked
        .groups
        .iter()
        .filter_map(|path| {
            let (unit, of) = unit_with_group(path)?;
            let managed = match of {
                Manager::System => managed(unit, &files),
                Manager::User(uid) => users.managed(unit, uid, base)?,
            };
            managed.is_watched().then(|| (path.clone(), managed))
        })
        .collect();
    let mut killer = systemd_oomd(id, &base.oomd_conf(), &watched);
    let is_dry = super::arguments(&asked.root, id).unwrap_or_default();
    killer.dry_run = is_dry.iter().any(|word| word == "--dry-run");
    let tops: Vec<&CgroupPath> = watched.iter().map(|(path, _)| path).collect();
    (killer.spared, killer.not_for_swap) = spared(&asked.root.cgroup, &asked.groups, &tops);
    let (rules, release) = (base.oomd_rules(), base.systemd_release());
    add_rulesets(&mut killer, &watched, &rules, release);
    killer
}

/// Units of users that were read for one answer.
#[derive(Default)]
struct Users {
    dirs: HashMap<u32, (Vec<String>, u32)>,
    read: usize,
}

impl Users {
    /// What a unit of a user asks for; `None` if too many were read.
    fn managed(&mut self, unit: &str, uid: u32, base: &ConfigRoot<'_>) -> Option<Managed> {
        self.read += 1;
        if self.read > MOST_OF_USERS {
            return None;
        }
        let place = || base.unit_dirs(Manager::User(uid));
        let (dirs, owner) = self.dirs.entry(uid).or_insert_with(place);
        let files: Vec<UnitFile> = base.files_of(unit, dirs, *owner);
        Some(managed(unit, &files))
    }
}

/// The groups below `tops` that are spared, and those of them whom rules about swap do not spare. The attribute of a group
/// counts if the group belongs to root, or, but not for swap, to the owner of a watched group above it
/// (src/oom/oomd-util.c `oomd_fetch_cgroup_oom_preference`).
fn spared(
    mount: &Path,
    groups: &[CgroupPath],
    tops: &[&CgroupPath],
) -> (Vec<(CgroupPath, Preference)>, Vec<CgroupPath>) {
    let place =
        |path: &CgroupPath| -> PathBuf { mount.join(path.as_str().trim_start_matches('/')) };
    let owner = |path: &CgroupPath| std::fs::metadata(place(path)).ok().map(|facts| facts.uid());
    let (mut found, mut not_for_swap) = (Vec::new(), Vec::new());
    for group in groups {
        let mut above = tops.iter().filter(|top| group.is_within(top)).peekable();
        if above.peek().is_none() {
            continue;
        }
        let Some(preference) = preference(&place(group)) else {
            continue;
        };
        match owner(group) {
            Some(0) => found.push((group.clone(), preference)),
            Some(own) if above.any(|top| owner(top) == Some(own)) => {
                found.push((group.clone(), preference));
                not_for_swap.push(group.clone());
            }
            _ => {}
        }
    }
    (found, not_for_swap)
}

/// Whom systemd-oomd spares, as the attributes of a group's directory say; a group without them is like any other.
pub(crate) fn preference(group: &Path) -> Option<Preference> {
    let is_set = |name: &str| {
        let mut value = [0_u8; 8];
        let read = rustix::fs::getxattr(group, name, &mut value);
        read.is_ok_and(|length| matches!(value.get(..length), Some(b"1" | b"yes" | b"true")))
    };
    if is_set("user.oomd_omit") {
        Some(Preference::Omit)
    } else {
        is_set("user.oomd_avoid").then_some(Preference::Avoid)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::os::unix::fs::chown;

    use super::spared;
    use crate::model::cgroup::CgroupPath;
    use crate::model::killers::Preference;

    #[test]
    fn a_users_word_counts_below_his_own_group_and_not_for_swap() {
        let Ok(root) = tempfile::tempdir() else {
            panic!("a directory");
        };
        let (manager, app, alien) = ("user", "user/app.scope", "user/alien.scope");
        for path in [manager, app, alien] {
            let dir = root.path().join(path);
            assert!(std::fs::create_dir(&dir).is_ok());
            let flags = rustix::fs::XattrFlags::empty();
            let set = rustix::fs::setxattr(&dir, "user.oomd_avoid", b"1", flags);
            let owner = if path == alien { 1001 } else { 1000 };
            if set.is_err() || chown(&dir, Some(owner), None).is_err() {
                let because = "SKIPPED: whom systemd-oomd spares because it takes root and attributes of files";
                writeln!(std::io::stderr(), "{because}").ok();
                return;
            }
        }
        let path = |path: &str| CgroupPath::new(path);
        let groups = [manager, app, alien].map(path);
        // Both watch: the root for swap, the user's manager for pressure.
        let tops = [CgroupPath::root(), path(manager)];
        let tops: Vec<&CgroupPath> = tops.iter().collect();
        let (found, not_for_swap) = spared(root.path(), &groups, &tops);
        let avoided = |paths: &[&str]| -> Vec<_> {
            paths.iter().map(|p| (path(p), Preference::Avoid)).collect()
        };
        assert_eq!(found, avoided(&[manager, app]));
        assert_eq!(not_for_swap, [path(manager), path(app)]);
        // Below the root alone nobody but root is heard.
        assert!(spared(root.path(), &groups, &tops[..1]).0.is_empty());
    }
}
