//! The five protection levels and the role presets: names for ranges of `oom_score_adj`.

use crate::model::process::score::OomScoreAdj;

/// How much a process is protected, in five levels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Protection {
    /// -1000: the kernel never chooses it.
    Immune,
    /// -999 ..= -300.
    High,
    /// -299 ..= -1.
    Moderate,
    /// 0 ..= 99.
    Default,
    /// 100 ..= 1000.
    Sacrifice,
}

/// A level that the adjust dialog offers, with the value it writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Level {
    /// The level.
    pub protection: Protection,
    /// The value that this level writes.
    pub value: OomScoreAdj,
    /// The range as text for the screen.
    pub range: &'static str,
    /// The kind of process the level is meant for.
    pub meant_for: &'static str,
}

/// A role preset of the adjust dialog.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Role {
    /// `database`, `web server`, …
    pub name: &'static str,
    /// The value that this role writes.
    pub value: OomScoreAdj,
}

impl Protection {
    /// All five, most protected first.
    pub const ALL: [Self; 5] = [
        Self::Immune,
        Self::High,
        Self::Moderate,
        Self::Default,
        Self::Sacrifice,
    ];

    /// The level that contains a value.
    #[must_use]
    pub fn from_adj(adj: OomScoreAdj) -> Self {
        match adj.get() {
            ..=-1000 => Self::Immune,
            -999..=-300 => Self::High,
            -299..=-1 => Self::Moderate,
            0..=99 => Self::Default,
            100.. => Self::Sacrifice,
        }
    }

    /// The level's word.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Immune => "immune",
            Self::High => "high",
            Self::Moderate => "moderate",
            Self::Default => "default",
            Self::Sacrifice => "sacrifice",
        }
    }

    /// The entry of the adjust dialog for this level.
    #[must_use]
    pub fn level(self) -> Level {
        let (value, range, meant_for) = match self {
            Self::Immune => (-1000, "-1000", "core system services"),
            Self::High => (-500, "-500 to -300", "databases, business critical"),
            Self::Moderate => (-200, "-200 to -100", "web and application services"),
            Self::Default => (0, "0", "ordinary processes, one-off jobs"),
            Self::Sacrifice => (300, "+100 to +500", "tests, batch, temporary jobs"),
        };
        Level {
            protection: self,
            value: OomScoreAdj::clamped(value),
            range,
            meant_for,
        }
    }
}

/// The role presets, in the order of the dialog.
#[must_use]
pub fn roles() -> [Role; 4] {
    let role = |name, value| Role {
        name,
        value: OomScoreAdj::clamped(value),
    };
    [
        role("database", -400),
        role("web server", -150),
        role("test program", 300),
        role("one-off task", 0),
    ]
}

#[cfg(test)]
mod tests {
    use super::{Protection, roles};
    use crate::model::process::score::OomScoreAdj;

    #[test]
    fn every_value_has_a_level_and_every_level_writes_a_value_of_its_own() {
        for value in -1000..=1000 {
            let adj = OomScoreAdj::clamped(value);
            assert!(Protection::ALL.contains(&Protection::from_adj(adj)));
        }
        for level in Protection::ALL {
            assert_eq!(Protection::from_adj(level.level().value), level);
        }
        let names: Vec<_> = roles()
            .iter()
            .map(|r| Protection::from_adj(r.value).name())
            .collect();
        assert_eq!(names, ["high", "moderate", "sacrifice", "default"]);
    }
}
