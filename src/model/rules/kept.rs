//! Whether the group of a rule is as the rule says: who is not in it, and which limits it does not have.

use std::fmt;

use super::rule_group::{Bytes, RuleGroup};
use crate::model::cgroup::limits::{LimitFile, LimitValue};
use crate::model::cgroup::{CgroupPath, CgroupVersion};
use crate::model::process::ProcessId;

/// A process that its rule holds and that is not in the group of the rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stray {
    /// Who.
    pub id: ProcessId,
    /// Where it is.
    pub at: CgroupPath,
}

/// A limit of a rule that the group of the rule does not have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LimitDrift {
    /// The group.
    pub group: CgroupPath,
    /// Which file.
    pub file: LimitFile,
    /// What the rule says, in bytes.
    pub wanted: u64,
    /// What the file says.
    pub has: LimitValue,
}

impl LimitDrift {
    /// True if the group may use more than the rule says. `oomtop protect` lowers no limit of a group that is there.
    #[must_use]
    pub fn is_higher(&self) -> bool {
        self.has.amount().is_none_or(|has| has > self.wanted)
    }
}

impl fmt::Display for LimitDrift {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (file, group, wanted) = (self.file.name(), &self.group, Bytes(self.wanted));
        match self.has.amount() {
            Some(has) => write!(f, "{file} of {group} is {}, not {wanted}", Bytes(has)),
            None => write!(f, "{file} of {group} is no limit, not {wanted}"),
        }
    }
}

/// The limits of the rule that its group does not have. `read` tells what a file of the group says, and nothing where it is
/// not there or cannot be read; the kernel rounds to pages of `page_size` bytes.
#[must_use]
pub fn limit_drift(
    group: &RuleGroup,
    version: CgroupVersion,
    page_size: u64,
    mut read: impl FnMut(LimitFile) -> Option<LimitValue>,
) -> Vec<LimitDrift> {
    // A limit that this version does not have is told by `oomtop protect`.
    let limits = group.limits(version).unwrap_or_default();
    let drift = |(file, wanted): (LimitFile, LimitValue)| {
        let has = read(file)?;
        (!file.is_kept(wanted, has, page_size)).then(|| LimitDrift {
            group: group.group.clone(),
            file,
            wanted: wanted.amount().unwrap_or(u64::MAX),
            has,
        })
    };
    limits.iter().filter_map(drift).collect()
}

#[cfg(test)]
mod tests {
    use super::limit_drift;
    use crate::model::cgroup::limits::{LimitFile, LimitValue};
    use crate::model::cgroup::{CgroupPath, CgroupVersion};
    use crate::model::rules::rule_group::RuleGroup;

    #[test]
    fn limits_are_compared_as_the_kernel_keeps_them() {
        let group = RuleGroup {
            group: CgroupPath::new("/batch"),
            max: Some((2 << 30) + 5),
            high: Some(1 << 30),
        };
        let told = |version, max, high| {
            let read = |file| match file {
                LimitFile::High => high,
                _ => max,
            };
            let all = limit_drift(&group, version, 4096, read);
            let told = all.iter().map(|one| (one.to_string(), one.is_higher()));
            told.collect::<Vec<_>>()
        };
        let bytes = |bytes| Some(LimitValue::Amount(bytes));
        let v2 = CgroupVersion::V2;
        assert_eq!(told(v2, bytes(2 << 30), bytes(1 << 30)), []);
        assert_eq!(told(v2, None, None), [], "the group is not there");
        let [max, high] = ["memory.max", "memory.high"];
        assert_eq!(
            told(v2, Some(LimitValue::Unlimited), bytes(1 << 20)),
            [
                (format!("{max} of /batch is no limit, not 2147483653"), true),
                (format!("{high} of /batch is 1M, not 1G"), false),
            ]
        );
        // v1 has no such limit, which `oomtop protect` tells.
        assert_eq!(told(CgroupVersion::V1, bytes(1), None), []);
    }
}
