//! The drop-in that oomtop leaves for the next start of a service (systemd.unit(5)): `UNIT.d/50-oomtop.conf`.

use super::{Lasting, Place, Store, UnitName};
use crate::model::cgroup::CgroupPath;
use crate::model::killers::oom_policy::OomPolicy;
use crate::model::process::score::OomScoreAdj;

/// Name of the file. No other program has it, so an undo can remove it.
pub const FILE: &str = "50-oomtop.conf";

/// First line of a new file.
const HEAD: &str =
    "# Written by oomtop. To drop it: delete the file, then systemctl daemon-reload.";

const SECTION: &str = "[Service]";

/// What cannot be set on a running service over D-Bus (`PROPERTY_READ_ONLY`), only in its files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Setting {
    /// `OOMScoreAdjust=` (systemd.exec(5)).
    ScoreAdjust(OomScoreAdj),
    /// `OOMPolicy=` (systemd.service(5)).
    Policy(OomPolicy),
}

impl Setting {
    /// Its key, which is the name of the property on the bus, too.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::ScoreAdjust(_) => "OOMScoreAdjust",
            Self::Policy(_) => "OOMPolicy",
        }
    }

    /// It counts as soon as the manager has loaded it. What else is set in the file counts from the next start.
    #[must_use]
    pub fn counts_at_once(self) -> bool {
        match self {
            Self::ScoreAdjust(_) => false,
            // Looked up when a process was killed (systemd src/core/service.c `service_notify_cgroup_oom_event`).
            Self::Policy(_) => true,
        }
    }

    /// Its value as systemd writes it.
    #[must_use]
    pub fn value(self) -> String {
        match self {
            Self::ScoreAdjust(adj) => adj.to_string(),
            Self::Policy(policy) => policy.name().to_owned(),
        }
    }
}

/// A change of the file. The undo of it is the same with both texts exchanged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DropInWrite {
    /// Whose file.
    pub unit: UnitName,
    /// The group from whose path the unit was told: anybody who may make groups could have given it that name. `None` if the
    /// unit was not told so.
    pub seen_in: Option<CgroupPath>,
    /// Which of the two directories it is in.
    pub lasting: Lasting,
    /// What is set, to be compared with what systemd has loaded.
    pub setting: Setting,
    /// What the file must hold now; `None`: it must not be there.
    pub was: Option<String>,
    /// What it is to hold; `None`: it is removed.
    pub text: Option<String>,
    /// The directory goes too once it is empty: oomtop has made it.
    pub and_directory: bool,
}

/// What there is of the file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Found {
    /// Its contents; `None` if it is not there.
    pub text: Option<String>,
    /// Its directory is there.
    pub directory: bool,
}

impl DropInWrite {
    /// Adds a setting to what was found.
    #[must_use]
    pub fn setting(unit: UnitName, lasting: Lasting, found: &Found, setting: Setting) -> Self {
        Self {
            unit,
            seen_in: None,
            lasting,
            setting,
            was: found.text.clone(),
            text: Some(merged(found.text.as_deref(), setting)),
            and_directory: false,
        }
    }

    /// The same for the unit whose processes were seen in this group.
    #[must_use]
    pub fn seen_in(self, group: Option<CgroupPath>) -> Self {
        Self {
            seen_in: group,
            ..self
        }
    }

    /// What takes it back. `directory`: the directory was there before.
    #[must_use]
    pub fn back(&self, directory: bool) -> Self {
        Self {
            was: self.text.clone(),
            text: self.was.clone(),
            and_directory: !directory,
            ..self.clone()
        }
    }

    /// The file says of the setting what is wanted: one that is put back need not.
    #[must_use]
    pub fn sets(&self) -> bool {
        let own = format!("{}={}", self.setting.key(), self.setting.value());
        let mut lines = self.text.as_deref().unwrap_or_default().lines();
        lines.any(|line| line == own)
    }

    /// Where the file is, for people.
    #[must_use]
    pub fn path(&self) -> String {
        let store = Store::Own(self.lasting);
        Place::of(self.unit.manager, store).file(&self.unit, FILE)
    }

    /// The change, line by line.
    #[must_use]
    pub fn diff(&self) -> Vec<(Mark, String)> {
        diff(self.was.as_deref(), self.text.as_deref())
    }
}

/// The contents with a setting in it; everything else in the file stays.
#[must_use]
pub fn merged(was: Option<&str>, setting: Setting) -> String {
    let own = format!("{}={}", setting.key(), setting.value());
    let Some(was) = was else {
        return format!("{HEAD}\n{SECTION}\n{own}\n");
    };
    let mut section = String::new();
    let mut is_continued = false;
    let mut lines: Vec<&str> = Vec::new();
    // The new line takes the place of the last line of this key.
    let mut place = None;
    for line in was.lines() {
        let bare = line.trim();
        // A comment does not end a line that is continued, and is none inside it (systemd.syntax(7)).
        let begins = !is_continued && !bare.starts_with(['#', ';']);
        if begins && bare.starts_with('[') {
            bare.clone_into(&mut section);
        }
        let key = bare.split_once('=').map(|(key, _)| key.trim());
        let is_old = begins && section == SECTION && key == Some(setting.key());
        is_continued = bare.ends_with('\\') && (begins || is_continued);
        // One that is continued would leave its rest behind. The line at the end overrides it anyhow.
        if is_old && !is_continued {
            place = Some(lines.len());
            continue;
        }
        if is_old {
            place = None;
        }
        lines.push(line);
    }
    if let Some(at) = place {
        lines.insert(at, &own);
        return lines.join("\n") + "\n";
    }
    if is_continued {
        lines.push("");
    }
    if section != SECTION {
        lines.push(SECTION);
    }
    lines.push(&own);
    lines.join("\n") + "\n"
}

/// What becomes of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// It stays.
    Same,
    /// It goes.
    Out,
    /// It is new.
    In,
}

/// The lines between the first and the last that differ go out and come in; all others stay.
#[must_use]
pub fn diff(was: Option<&str>, text: Option<&str>) -> Vec<(Mark, String)> {
    let old: Vec<&str> = was.unwrap_or_default().lines().collect();
    let new: Vec<&str> = text.unwrap_or_default().lines().collect();
    let same =
        |pairs: &mut dyn Iterator<Item = (&&str, &&str)>| pairs.take_while(|(a, b)| a == b).count();
    let head = same(&mut old.iter().zip(&new));
    let most = old.len().min(new.len()) - head;
    let tail = same(&mut old.iter().rev().zip(new.iter().rev())).min(most);
    let part = |lines: &[&str], from: usize, to: usize, mark: Mark| -> Vec<(Mark, String)> {
        let part = lines.get(from..to).unwrap_or_default().iter();
        part.map(|line| (mark, (*line).to_owned())).collect()
    };
    let mut diff = part(&new, 0, head, Mark::Same);
    diff.extend(part(&old, head, old.len() - tail, Mark::Out));
    diff.extend(part(&new, head, new.len() - tail, Mark::In));
    diff.extend(part(&new, new.len() - tail, new.len(), Mark::Same));
    diff
}

#[cfg(test)]
mod tests;
