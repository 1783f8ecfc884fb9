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

/// Where the dialog starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Start {
    /// Row of [`CHOICES`]; `None` if no level writes this value.
    pub(super) chosen: Option<usize>,
    /// The proposed value.
    pub(super) value: OomScoreAdj,
    /// Why the key cannot go further in its direction.
    pub(super) end: Option<&'static str>,
}

/// Values above the last level: the end of its range, and the end of the scale.
const BEYOND: [i64; 2] = [500, 1000];

impl Lean {
    /// Where to start from a present value. A level stands for a range, so its own value can lie on the other side of
    /// the present one; such a value is never proposed.
    pub(super) fn start(self, before: Option<OomScoreAdj>) -> Start {
        let present = before.unwrap_or(OomScoreAdj::ZERO);
        let levels = || Protection::ALL.iter().map(|level| level.level().value);
        let mut steps: Vec<_> = levels().collect();
        steps.extend(BEYOND.map(OomScoreAdj::clamped));
        let steps = steps.into_iter();
        let (value, end) = match self {
            Self::Present => (Some(present), ""),
            Self::Protect => (
                steps.filter(|value| *value < present).max(),
                "This is the end of the scale: nothing is more protected than -1000.",
            ),
            Self::Expend => (
                steps.filter(|value| *value > present).min(),
                "This is the end of the scale: nothing is more expendable than 1000.",
            ),
        };
        let end = value.is_none().then_some(end);
        let value = value.unwrap_or(present);
        Start {
            chosen: levels().position(|level| level == value),
            value,
            end,
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
    use super::{Lean, parse_value};
    use crate::model::process::score::OomScoreAdj;

    #[test]
    fn starts_at_the_present_value_and_leans_one() {
        let at = |lean: Lean, adj| {
            let start = lean.start(OomScoreAdj::new(adj));
            (start.value.get(), start.chosen, start.end.is_some())
        };
        assert_eq!(at(Lean::Present, 0), (0, Some(3), false));
        assert_eq!(at(Lean::Present, 500), (500, None, false));
        assert_eq!(at(Lean::Protect, 0), (-200, Some(2), false));
        assert_eq!(at(Lean::Protect, 500), (300, Some(4), false));
        assert_eq!(at(Lean::Expend, 0), (300, Some(4), false));
        assert_eq!(at(Lean::Expend, 500), (1000, None, false));
        assert_eq!(at(Lean::Expend, 1000), (1000, None, true));
        assert_eq!(at(Lean::Protect, -1000), (-1000, Some(0), true));
    }

    #[test]
    fn no_value_is_proposed_against_the_direction() {
        for adj in -1000..=1000 {
            let before = OomScoreAdj::clamped(adj);
            let value = |lean: Lean| lean.start(Some(before)).value;
            assert!(value(Lean::Protect) < before || adj == -1000, "{adj}");
            assert!(value(Lean::Expend) > before || adj == 1000, "{adj}");
            assert_eq!(value(Lean::Present), before);
        }
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
