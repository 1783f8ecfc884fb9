//! What the adjust dialog offers: levels and roles, sets of targets, and the value parser.

use crate::app::dialog::Pinned;
use crate::model::process::protection::{Protection, Role, roles};
use crate::model::process::score::OomScoreAdj;

/// A row of the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Choice {
    Level(Protection),
    Role(usize),
}

/// The five levels, then the roles.
pub(super) const CHOICES: &[Choice] = &[
    Choice::Level(Protection::Immune),
    Choice::Level(Protection::High),
    Choice::Level(Protection::Moderate),
    Choice::Level(Protection::Default),
    Choice::Level(Protection::Sacrifice),
    Choice::Role(0),
    Choice::Role(1),
    Choice::Role(2),
    Choice::Role(3),
];

impl Choice {
    /// The value that this choice writes.
    pub(super) fn value(self) -> OomScoreAdj {
        match self {
            Self::Level(protection) => protection.level().value,
            Self::Role(at) => Self::role(at).map_or(OomScoreAdj::ZERO, |r| r.value),
        }
    }

    /// The role of this number.
    pub(super) fn role(at: usize) -> Option<Role> {
        roles().get(at).copied()
    }
}

/// A set of processes the value can be written to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ScopeChoice {
    pub(super) name: &'static str,
    pub(super) targets: Vec<Pinned>,
}

/// The key that opened the dialog: it decides where the list starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lean {
    /// At the present level.
    Present,
    /// One level more protected.
    Protect,
    /// One level more expendable.
    Expend,
}

impl Lean {
    /// The row to start at.
    pub(super) fn start(self, before: Option<OomScoreAdj>) -> usize {
        let present = Protection::from_adj(before.unwrap_or(OomScoreAdj::ZERO));
        let at = Protection::ALL
            .iter()
            .position(|p| *p == present)
            .unwrap_or(3);
        match self {
            Self::Present => at,
            Self::Protect => at.saturating_sub(1),
            Self::Expend => (at + 1).min(Protection::ALL.len() - 1),
        }
    }
}

/// Parses a typed value: an adj, or a legacy `oom_adj` (-17 ..= 15).
pub(super) fn parse_value(text: &str, legacy: bool) -> Result<OomScoreAdj, String> {
    if !legacy {
        return text
            .parse()
            .map_err(|e: crate::model::process::score::AdjError| e.to_string());
    }
    let text = text.trim();
    let wanted = || "oom_adj is a whole number from -17 to 15".to_owned();
    text.parse()
        .ok()
        .and_then(OomScoreAdj::from_legacy)
        .ok_or_else(wanted)
}

#[cfg(test)]
mod tests {
    use super::{CHOICES, Lean, parse_value};
    use crate::model::process::score::OomScoreAdj;

    #[test]
    fn starts_at_the_present_level_and_leans_one() {
        let at = |lean: Lean, adj| CHOICES[lean.start(OomScoreAdj::new(adj))].value().get();
        assert_eq!(at(Lean::Present, 0), 0);
        assert_eq!(at(Lean::Protect, 0), -200);
        assert_eq!(at(Lean::Expend, 0), 300);
        assert_eq!(at(Lean::Expend, 500), 300);
        assert_eq!(at(Lean::Protect, -1000), -1000);
    }

    #[test]
    fn values_of_both_kinds() {
        assert_eq!(parse_value("-17", true).map(OomScoreAdj::get), Ok(-1000));
        assert!(parse_value("16", true).is_err());
        assert!(parse_value("", true).is_err());
        assert_eq!(parse_value("-17", false).map(OomScoreAdj::get), Ok(-17));
        assert!(parse_value("1001", false).is_err());
    }
}
