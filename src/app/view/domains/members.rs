//! The members of the selected domain, the first to die on top. They are found once for a sample and a selection: a frame
//! only draws them.

use crate::app::State;
use crate::app::view::processes::columns::CellContext;
use crate::app::view::processes::marks::Marks;
use crate::app::view::processes::row::Row;
use crate::model::oom_domain::enclosing::is_member;
use crate::model::oom_domain::victim::{DomainState, Scope};
use crate::model::process::badness::{Badness, badness};
use crate::model::process::{Process, ProcessId};
use crate::model::snapshot::Snapshot;

/// The members that the screen has room for.
#[derive(Debug, Default)]
pub struct MemberRows {
    /// `None` while no members are shown.
    of: Option<Sought>,
    /// The first, as many as there is room for.
    rows: Vec<Row>,
    /// How many there are.
    all: usize,
    marks: Marks,
}

/// Whose members were found, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Sought {
    scope: Scope,
    /// In which sample.
    seq: u64,
    /// Rows for them.
    room: usize,
}

/// Processes of a domain.
#[derive(Debug)]
pub struct Members<'a> {
    /// The domain.
    pub domain: &'a DomainState,
    /// Those that compete in it, the highest badness first, and behind them who is never killed: as many as there is room
    /// for.
    pub processes: Vec<&'a Process>,
    /// How many there are.
    pub all: usize,
    marks: &'a Marks,
}

impl MemberRows {
    fn find(sought: Sought, snapshot: &Snapshot) -> Self {
        let Some(domain) = snapshot.domain(sought.scope) else {
            return Self::default();
        };
        let inside = |process: &Process| {
            let counts = domain.scope != Scope::Host || !process.kernel_thread;
            counts && is_member(process, domain.scope, snapshot)
        };
        let place = |process: &Process| match badness(process, domain.total_pages) {
            Badness::Points(points) => (0, -points),
            Badness::Unknown => (1, 0),
            Badness::Immune(_) => (2, 0),
        };
        let processes = snapshot.processes.iter().enumerate();
        let mut found: Vec<_> = processes
            .filter(|(_, process)| inside(process))
            .map(|(at, process)| (place(process), process.id, at))
            .collect();
        let all = found.len();
        if all > sought.room {
            found.select_nth_unstable(sought.room);
            found.truncate(sought.room);
        }
        found.sort_unstable();
        let rows = found.into_iter().filter_map(|(_, _, at)| {
            let process = snapshot.processes.get(at)?;
            Some(Row::new(at, process))
        });
        Self {
            of: Some(sought),
            rows: rows.collect(),
            all,
            marks: Marks::ranked(snapshot, domain.scope),
        }
    }
}

impl State {
    /// The members of the selected domain, while they are shown.
    pub fn members(&self) -> Option<Members<'_>> {
        let MemberRows { of, rows, .. } = &self.members;
        let rows = rows.iter();
        Some(Members {
            domain: self.snapshot.domain((*of)?.scope)?,
            processes: rows.filter_map(|row| row.process(&self.snapshot)).collect(),
            all: self.members.all,
            marks: &self.members.marks,
        })
    }

    /// Finds the members again, for a new sample.
    pub(in crate::app) fn find_members(&mut self) {
        self.members = MemberRows::default();
        self.follow_members();
    }

    /// Finds the members again if another domain is selected, or if there is another room for them.
    pub(in crate::app) fn follow_members(&mut self) {
        let room = usize::from(self.panes().members.height.saturating_sub(2));
        let scope = self.domains.selected();
        let scope = scope.filter(|_| self.domains.open && room > 0);
        let sought = scope.map(|scope| Sought {
            scope,
            seq: self.snapshot.seq,
            room,
        });
        if self.members.of != sought {
            let found = sought.map(|sought| MemberRows::find(sought, &self.snapshot));
            self.members = found.unwrap_or_default();
        }
    }

    /// Who is in the rows of the pane above: processes of the table, or members of the selected domain.
    pub(in crate::app) fn processes_on_screen(&self) -> Vec<ProcessId> {
        if self.domains.open {
            self.members.rows.iter().map(|row| row.id).collect()
        } else {
            let rows = self.table.list().visible();
            rows.map(|(_, row)| row.id).collect()
        }
    }

    /// True if the processor time of a process is on the screen, or decides which are.
    pub(in crate::app) fn shows_cpu(&self) -> bool {
        let panes = self.panes();
        if self.domains.open {
            self.members.of.is_some() && self.table.shows_cpu(panes.members.width)
        } else {
            self.table.shows_cpu(panes.table_head.width)
        }
    }
}

impl Members<'_> {
    /// What the cells of their rows read: numbers are those of the domain.
    pub fn cells<'a>(&'a self, state: &'a State) -> CellContext<'a> {
        CellContext {
            total: self.domain.total_pages,
            marks: self.marks,
            ..state.cells()
        }
    }
}
