//! The limit files of a memory cgroup: [`LimitFile`] is the table, one row a file.
//!
//! Reader, dialogs, plans, undo and their sentences ask the table. A new file is a row here, and a field of
//! [`Limits`] where it holds something new. Sources: Documentation/admin-guide/cgroup-v2.rst,
//! cgroup-v1/memory.rst.

mod patch;
mod value;

use crate::model::cgroup::CgroupVersion;

pub use patch::LimitPatch;
pub use value::{LimitValue, ValueError};

/// A group's limits in bytes; `None` is unlimited or not offered by this version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
pub struct Limits {
    /// v2 `memory.max`, v1 `memory.limit_in_bytes`: hitting it is an OOM.
    pub max: Option<u64>,
    /// v2 `memory.high`: throttles, never kills.
    pub high: Option<u64>,
    /// v1 `memory.soft_limit_in_bytes`: throttles nothing and kills nobody; when the host is short, what is
    /// above it is reclaimed first (Documentation/admin-guide/cgroup-v1/memory.rst "Soft limits").
    pub soft: Option<u64>,
    /// v2 `memory.low`.
    pub low: Option<u64>,
    /// v2 `memory.min`.
    pub min: Option<u64>,
    /// v2 `memory.swap.max`.
    pub swap_max: Option<u64>,
    /// v1 `memory.memsw.limit_in_bytes`: memory + swap.
    pub memsw_max: Option<u64>,
    /// v1 `memory.swappiness`, 0 ..= 100 (0 ..= 200 since 5.8): 0 keeps the group out of swap. v2 has none
    /// per group.
    pub swappiness: Option<u64>,
    /// v2 `memory.oom.group`: the whole group dies.
    pub oom_group: bool,
    /// v1 `memory.oom_control`: `oom_kill_disable` is set, tasks hang instead of dying.
    pub kill_disabled: bool,
}

impl Limits {
    /// The limit that its usage is measured by: the hard one, else `memory.high`.
    #[must_use]
    pub fn nearest(&self) -> Option<u64> {
        self.max.or(self.high)
    }

    /// The limit that is reached first: the lower one of the hard limit and `memory.high`.
    #[must_use]
    pub fn lowest(&self) -> Option<u64> {
        self.max.into_iter().chain(self.high).min()
    }
}

/// What a limit file holds, and in which field of [`Limits`] it is kept.
#[derive(Debug, Clone, Copy)]
pub enum Unit {
    /// Bytes that may be used; without a limit the field is `None`.
    Size(fn(&mut Limits) -> &mut Option<u64>),
    /// Bytes kept from reclaim; 0, the default, is `None`.
    Protection(fn(&mut Limits) -> &mut Option<u64>),
    /// A number from 0 to 200; `None` where it was not read.
    Swappiness(fn(&mut Limits) -> &mut Option<u64>),
    /// 0 or 1.
    Switch(fn(&mut Limits) -> &mut bool),
}

/// When a limit is written beside others of its group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum WriteOrder {
    /// In the order of the table.
    AsListed,
    /// Before the hard limit when it is raised, after it when it is lowered: it may never be below it
    /// (mm/memcontrol-v1.c `mem_cgroup_resize_max`, EINVAL).
    AroundHardLimit,
    /// After all others: it kills at once, so what decides whom and how much may be swapped is set by then
    /// (mm/memcontrol.c `memory_max_write`).
    Last,
}

/// A row of the table.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    /// File name in the group's directory.
    pub name: &'static str,
    /// [`CgroupVersion::V1`] or [`CgroupVersion::V2`]: the version that has the file.
    pub version: CgroupVersion,
    /// What it holds, and where.
    pub unit: Unit,
    /// The text that lifts the limit; `None` where the file knows no such thing.
    pub lift: Option<&'static str>,
    /// The key of its line, where the file shows several (but takes the value alone).
    pub line: Option<&'static str>,
    /// When it is written.
    pub order: WriteOrder,
    /// Read in every sample of a group that matters, not only when all its files are.
    pub hot: bool,
    /// The dialogs offer to set it.
    pub offered: bool,
    /// The property of a systemd unit that sets it (systemd.resource-control(5)).
    pub systemd: Option<&'static str>,
    /// What it does, for people.
    pub doc: &'static str,
}

/// A row with the values most files have.
const fn size(
    name: &'static str,
    version: CgroupVersion,
    field: fn(&mut Limits) -> &mut Option<u64>,
    doc: &'static str,
) -> Row {
    Row {
        name,
        version,
        unit: Unit::Size(field),
        lift: Some(if matches!(version, CgroupVersion::V2) {
            "max"
        } else {
            "-1"
        }),
        line: None,
        order: WriteOrder::AsListed,
        hot: false,
        offered: true,
        systemd: None,
        doc,
    }
}

/// Makes the type and its table of one list, so that no file can lack its row.
macro_rules! limit_files {
    ($($(#[$meta:meta])* $file:ident: $row:expr,)*) => {
        /// A limit file of either cgroup version, in the order dialogs list them.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum LimitFile {
            $($(#[$meta])* $file,)*
        }

        impl LimitFile {
            /// Every file of both versions.
            pub const ALL: &[Self] = &[$(Self::$file,)*];

            /// Its row.
            #[must_use]
            pub const fn row(self) -> &'static Row {
                match self {
                    $(Self::$file => const { &$row },)*
                }
            }
        }
    };
}

use CgroupVersion::{V1, V2};

limit_files! {
    /// v2 `memory.max`.
    Max: Row {
        order: WriteOrder::Last,
        hot: true,
        systemd: Some("MemoryMax"),
        ..size("memory.max", V2, |l| &mut l.max, "hard limit: reaching it is an OOM inside the group")
    },
    /// v2 `memory.high`.
    High: Row {
        systemd: Some("MemoryHigh"),
        ..size("memory.high", V2, |l| &mut l.high, "above it the group is slowed down, never killed")
    },
    /// v2 `memory.low`.
    Low: Row {
        unit: Unit::Protection(|l| &mut l.low),
        systemd: Some("MemoryLow"),
        ..size("memory.low", V2, |l| &mut l.low, "kept from reclaim while others have some")
    },
    /// v2 `memory.min`.
    Min: Row {
        unit: Unit::Protection(|l| &mut l.min),
        systemd: Some("MemoryMin"),
        ..size("memory.min", V2, |l| &mut l.min, "kept from reclaim always")
    },
    /// v2 `memory.swap.max`.
    SwapMax: Row {
        systemd: Some("MemorySwapMax"),
        ..size("memory.swap.max", V2, |l| &mut l.swap_max, "swap it may use; 0 is none")
    },
    /// v2 `memory.oom.group` (4.19).
    OomGroup: Row {
        unit: Unit::Switch(|l| &mut l.oom_group),
        lift: None,
        ..size("memory.oom.group", V2, |l| &mut l.max, "1: an OOM kills the whole group")
    },
    /// v1 `memory.limit_in_bytes`.
    V1Limit: Row {
        hot: true,
        systemd: Some("MemoryLimit"),
        ..size("memory.limit_in_bytes", V1, |l| &mut l.max, "hard limit: reaching it is an OOM inside the group")
    },
    /// v1 `memory.memsw.limit_in_bytes`; only with swap accounting.
    V1Memsw: Row {
        order: WriteOrder::AroundHardLimit,
        ..size("memory.memsw.limit_in_bytes", V1, |l| &mut l.memsw_max, "memory + swap; at least the limit above")
    },
    /// v1 `memory.soft_limit_in_bytes`.
    V1Soft: size("memory.soft_limit_in_bytes", V1, |l| &mut l.soft, "reclaimed first above it"),
    /// v1 `memory.oom_control`.
    V1OomControl: Row {
        unit: Unit::Switch(|l| &mut l.kill_disabled),
        lift: None,
        line: Some("oom_kill_disable"),
        ..size("memory.oom_control", V1, |l| &mut l.max, "1: tasks hang instead of being killed")
    },
    /// v1 `memory.swappiness`.
    V1Swappiness: Row {
        unit: Unit::Swappiness(|l| &mut l.swappiness),
        lift: None,
        offered: false,
        ..size("memory.swappiness", V1, |l| &mut l.swappiness, "0: nothing of the group is swapped")
    },
}

impl LimitFile {
    /// The files of this version, in the order of the table; none without a memory controller.
    pub fn of(version: CgroupVersion) -> impl Iterator<Item = Self> {
        let files = match version {
            CgroupVersion::None => &[],
            V1 | V2 | CgroupVersion::Hybrid => Self::ALL,
        };
        let is_there = move |file: &Self| file.row().version.is_v1() == version.is_v1();
        files.iter().copied().filter(is_there)
    }

    /// File name in the group's directory.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.row().name
    }

    /// Reaching it is an OOM inside the group: v2 `memory.max`, v1 `memory.limit_in_bytes`.
    #[must_use]
    pub fn is_hard_limit(self) -> bool {
        matches!(self, Self::Max | Self::V1Limit)
    }

    /// The hard limit of this version.
    #[must_use]
    pub fn hard_limit(version: CgroupVersion) -> Self {
        if version.is_v1() {
            Self::V1Limit
        } else {
            Self::Max
        }
    }

    /// What these limits say of this file; `None` where it was not read.
    #[must_use]
    pub fn get(self, limits: &Limits) -> Option<LimitValue> {
        let mut limits = *limits;
        match self.row().unit {
            Unit::Size(field) => {
                Some(field(&mut limits).map_or(LimitValue::Unlimited, LimitValue::Amount))
            }
            Unit::Protection(field) => Some(LimitValue::Amount(field(&mut limits).unwrap_or(0))),
            Unit::Swappiness(field) => field(&mut limits).map(LimitValue::Amount),
            Unit::Switch(field) => Some(LimitValue::Switch(*field(&mut limits))),
        }
    }

    /// Puts what this file says into the limits; `None` where it could not be read.
    pub fn set(self, limits: &mut Limits, value: Option<LimitValue>) {
        let amount = value.and_then(LimitValue::amount);
        match self.row().unit {
            Unit::Size(field) | Unit::Swappiness(field) => *field(limits) = amount,
            Unit::Protection(field) => *field(limits) = amount.filter(|bytes| *bytes > 0),
            Unit::Switch(field) => *field(limits) = value == Some(LimitValue::Switch(true)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{LimitFile, LimitValue, Limits, Unit};
    use crate::model::cgroup::CgroupVersion;
    use std::collections::HashSet;

    #[test]
    fn every_file_keeps_its_value_in_a_field_of_its_own() {
        for version in [CgroupVersion::V1, CgroupVersion::V2] {
            let mut found = HashSet::new();
            for file in LimitFile::of(version) {
                let value = match file.row().unit {
                    Unit::Switch(_) => LimitValue::Switch(true),
                    _ => LimitValue::Amount(100),
                };
                let mut limits = Limits::default();
                file.set(&mut limits, Some(value));
                assert_eq!(file.get(&limits), Some(value), "{file:?}");
                assert_ne!(limits, Limits::default(), "{file:?}");
                assert!(
                    found.insert(format!("{limits:?}")),
                    "{file:?} shares a field"
                );
            }
        }
    }

    #[test]
    fn names_and_words_follow_the_version() {
        let mut names = HashSet::new();
        for file in LimitFile::ALL {
            let row = file.row();
            assert!(row.name.starts_with("memory.") && names.insert(row.name));
            let lift = if row.version.is_v1() { "-1" } else { "max" };
            assert!(row.lift.is_none_or(|word| word == lift), "{file:?}");
        }
        assert_eq!(LimitFile::of(CgroupVersion::None).count(), 0);
        assert!(LimitFile::of(CgroupVersion::Hybrid).eq(LimitFile::of(CgroupVersion::V1)));
        for version in [CgroupVersion::V1, CgroupVersion::V2] {
            let hard: Vec<_> = LimitFile::of(version)
                .filter(|file| file.is_hard_limit())
                .collect();
            assert_eq!(hard, [LimitFile::hard_limit(version)]);
        }
    }

    /// Readers of the JSON document learn from these comments which version has which field.
    #[test]
    fn the_fields_of_limits_name_their_files() {
        let source = include_str!("limits.rs");
        let (_, fields) = source.split_once("pub struct Limits {").expect("it");
        let (fields, _) = fields.split_once("\n}").expect("its end");
        for file in LimitFile::ALL {
            let version = if file.row().version.is_v1() {
                "v1"
            } else {
                "v2"
            };
            let name = format!("{version} `{}`", file.name());
            assert!(
                fields.contains(&name),
                "no field of Limits speaks of {name}"
            );
        }
    }

    #[test]
    fn what_could_not_be_read_leaves_the_default() {
        let mut limits = Limits {
            max: Some(1),
            low: Some(1),
            oom_group: true,
            ..Limits::default()
        };
        for file in LimitFile::of(CgroupVersion::V2) {
            file.set(&mut limits, None);
        }
        assert_eq!(limits, Limits::default());
    }
}
