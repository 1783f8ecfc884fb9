//! The members of the selected domain, the first to die on top.

use crate::app::State;
use crate::app::view::processes::columns::CellContext;
use crate::app::view::processes::marks::Marks;
use crate::app::view::processes::table::is_member;
use crate::model::oom_domain::victim::{DomainState, Scope};
use crate::model::process::Process;
use crate::model::process::badness::{Badness, badness};

/// Processes of a domain.
#[derive(Debug)]
pub struct Members<'a> {
    /// The domain.
    pub domain: &'a DomainState,
    /// All that compete in it, the highest badness first, and behind them who is never killed.
    pub processes: Vec<&'a Process>,
    marks: Marks,
}

impl State {
    /// The members of the selected domain.
    pub fn members(&self) -> Option<Members<'_>> {
        let snapshot = &*self.snapshot;
        let domain = snapshot.domain(self.domains.selected()?)?;
        let points = |process: &Process| match badness(process, domain.total_pages) {
            Badness::Points(points) => (0, -points),
            Badness::Unknown => (1, 0),
            Badness::Immune(_) => (2, 0),
        };
        let inside = |process: &&Process| {
            let counts = domain.scope != Scope::Host || !process.kernel_thread;
            counts && is_member(process, domain.scope, snapshot)
        };
        let mut processes: Vec<_> = snapshot.processes.iter().filter(inside).collect();
        processes.sort_by_key(|process| (points(process), process.id));
        Some(Members {
            domain,
            processes,
            marks: Marks::ranked(snapshot, domain.scope),
        })
    }
}

impl Members<'_> {
    /// What the cells of their rows read: numbers are those of the domain.
    pub fn cells<'a>(&'a self, state: &'a State) -> CellContext<'a> {
        CellContext {
            total: self.domain.total_pages,
            marks: &self.marks,
            ..state.cells()
        }
    }
}
