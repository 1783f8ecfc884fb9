//! Columns of the domains view. [`COLUMNS`] is the list: adding a column is adding a row there.

mod cells;
mod list;

use super::pace::Recent;
use super::watch::Watch;
use crate::app::view::columns::{Cell, Column, Placed};
use crate::model::cgroup::Cgroup;
use crate::model::memory::band::Band;
use crate::model::oom_domain::urgency::Urgency;
use crate::model::oom_domain::victim::{DomainState, Scope};
use crate::model::snapshot::{Host, Snapshot};
use crate::text::format;
use crate::text::tone::Tone;

pub use list::COLUMNS;

/// What a cell may read.
#[derive(Debug, Clone, Copy)]
pub struct DomainCell<'a> {
    /// The domain.
    pub domain: &'a DomainState,
    /// Its group; `None` for the host.
    pub group: Option<&'a Cgroup>,
    /// What is remembered about it.
    pub watch: &'a Watch,
    /// The domain around it.
    pub parent: Option<Scope>,
    /// Depth in the tree.
    pub depth: u16,
    /// The sample.
    pub snapshot: &'a Snapshot,
    /// The machine.
    pub host: &'a Host,
}

/// How a column sorts, if the user chooses one instead of the tree ([`super::Order`]).
#[derive(Debug, Clone, Copy)]
pub enum DomainSort {
    /// By the text of the cell.
    Text,
    /// The largest number first; what has none comes last.
    Number(fn(&DomainCell<'_>) -> Option<f64>),
}

/// A column of the view.
pub type DomainColumn = Column<CellOf, DomainSort>;

/// A column of the view on the screen.
pub type PlacedDomainColumn = Placed<CellOf, DomainSort>;

/// Makes the cell of a domain.
type CellOf = fn(&DomainCell<'_>) -> Cell;

/// The tone of a band, as in the gauge.
pub fn tone(band: Band) -> Tone {
    match band {
        Band::Normal => Tone::Good,
        Band::Warning => Tone::Watch,
        Band::Danger => Tone::Danger,
        Band::Critical => Tone::Critical,
    }
}

/// The tone of an urgency.
pub fn urgency_tone(urgency: Urgency) -> Tone {
    match urgency {
        Urgency::Calm => Tone::Normal,
        Urgency::Watch => Tone::Watch,
        Urgency::Close => Tone::Danger,
        Urgency::Imminent | Urgency::Killing => Tone::Critical,
    }
}

/// A counter and its rise: `12`, `12 +3/m` of a minute, `12 +3` of the time so far where less than a minute was seen.
pub fn counted(value: Option<u64>, recent: Option<Recent>) -> String {
    let Some(value) = value else {
        return "n/a".to_owned();
    };
    let total = format::count(value);
    let Some(recent) = recent.filter(|recent| recent.by > 0) else {
        return total;
    };
    match recent.per_minute() {
        None => format!("{total} +{}", format::count(recent.by)),
        Some(rate) if rate < 0.5 => total,
        Some(rate) => {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "not negative; `as` saturates"
            )]
            let whole = rate.round() as u64;
            format!("{total} +{}/m", format::count(whole))
        }
    }
}

/// The indentation of a row of this depth; the host and the groups right below it have none.
pub fn branch(depth: u16) -> String {
    match depth {
        0 | 1 => String::new(),
        deep => format!("{}└ ", "  ".repeat(usize::from(deep.min(12)) - 2)),
    }
}

#[cfg(test)]
mod tests {
    use super::{COLUMNS, Recent, counted};
    use crate::app::view::columns::fit;

    #[test]
    fn what_matters_most_stays_when_it_gets_narrow() {
        let ids = |width| {
            fit(COLUMNS, width, &|_| None)
                .iter()
                .map(|p| p.column.id)
                .collect::<Vec<_>>()
        };
        assert_eq!(ids(30), ["domain", "kept"]);
        assert_eq!(ids(40), ["domain", "state", "kept"]);
        for id in ["limit", "full-in", "kills", "victim", "left", "growth"] {
            assert!(ids(90).contains(&id), "{id}");
        }
        assert!(ids(110).contains(&"usage") && ids(98).contains(&"bar"));
        // Short names leave room: on 80 cells there is all that tells of the end.
        let short = fit(COLUMNS, 80, &|id| (id == "domain").then_some(8));
        let short: Vec<_> = short.iter().map(|p| p.column.id).collect();
        let whole = [
            "domain", "state", "kept", "limit", "left", "growth", "full-in", "kills", "victim",
        ];
        assert_eq!(short, whole);
        assert_eq!(ids(200).len(), COLUMNS.len());
        for width in 27..300 {
            let used: u16 = fit(COLUMNS, width, &|_| None)
                .iter()
                .map(|p| p.width + 1)
                .sum::<u16>()
                - 1;
            assert_eq!(used, width, "the view fills its width");
        }
    }

    #[test]
    fn counters_have_a_rate_when_they_rise_and_were_seen_for_a_minute() {
        let recent = |by, seconds| Some(Recent { by, seconds });
        assert_eq!(counted(Some(12), recent(4, 80.0)), "12 +3/m");
        assert_eq!(counted(Some(12), recent(4, 20.0)), "12 +4");
        assert_eq!(counted(Some(12), None), "12");
        assert_eq!(counted(Some(1_234_567), recent(0, 80.0)), "1.2M");
        assert_eq!(counted(None, recent(5, 9.0)), "n/a");
    }
}
