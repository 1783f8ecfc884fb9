//! The process or group that an action of a pane acts on: always the selected row of the pane that has the keyboard,
//! and only while the screen shows that row.

use crate::app::State;
use crate::app::input::action::Aim;
use crate::app::input::scope::KeyScope;
use crate::app::view::events::{Entry, EventRow};
use crate::app::view::list::{List, ListRow};
use crate::app::view::processes::table::has_ended;
use crate::model::cgroup::CgroupPath;
use crate::model::oom_domain::victim::Scope;
use crate::model::process::{Pid, Process};
use crate::model::time::{BootTime, Monotonic};

/// Where the selected row is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::app) enum InView {
    /// On the screen.
    Yes,
    /// Scrolled out of the window.
    ScrolledAway,
    /// The pane has no room for any row.
    NoRoom,
}

impl InView {
    fn of<R: ListRow>(list: &List<R>, height: usize) -> Self {
        if height == 0 {
            Self::NoRoom
        } else if list.is_selection_hidden() {
            Self::ScrolledAway
        } else {
            Self::Yes
        }
    }
}

impl State {
    /// The process that an action with this aim acts on, or a sentence that says why there is none.
    pub(in crate::app) fn target(&self, aim: Aim) -> Result<&Process, String> {
        match aim {
            Aim::Event => self.event_victim(),
            Aim::Victim => self.next_victim().ok_or_else(|| self.why_no_victim()),
            Aim::Nobody | Aim::Selected | Aim::Tagged => self
                .table
                .selected_process(&self.snapshot)
                .ok_or_else(|| "no process is selected".to_owned()),
        }
    }

    /// The process that the keys of the pane with the keyboard act on, or why there is none.
    ///
    /// # Errors
    /// A sentence.
    pub fn pane_target(&self) -> Result<&Process, String> {
        self.target(match self.pane_scope() {
            KeyScope::Events => Aim::Event,
            KeyScope::Domains => Aim::Victim,
            _ => Aim::Selected,
        })
    }

    /// Whether the screen shows the row that an action with this aim acts on.
    pub(in crate::app) fn in_view(&self, aim: Aim) -> InView {
        let panes = self.panes();
        match aim {
            Aim::Nobody => InView::Yes,
            Aim::Event => InView::of(self.events.list(), panes.events_height()),
            Aim::Victim => InView::of(self.domains.list(), panes.table_height()),
            Aim::Selected | Aim::Tagged => InView::of(self.table.list(), panes.table_height()),
        }
    }

    /// Scrolls to the row that an action with this aim acts on.
    pub(in crate::app) fn scroll_to_target(&mut self, aim: Aim) {
        match aim {
            Aim::Nobody => {}
            Aim::Event => self.events.move_by(0),
            Aim::Victim => self.domains.move_by(0),
            Aim::Selected | Aim::Tagged => self.table.move_by(0, &self.snapshot),
        }
    }

    /// The victim of the selected event, if it still lives.
    fn event_victim(&self) -> Result<&Process, String> {
        let row = self.events.selected_row();
        let row = row.ok_or_else(|| "no event is selected".to_owned())?;
        let Some(dead) = Dead::of(row) else {
            return Err("this event names no process".to_owned());
        };
        let found = self
            .snapshot
            .processes
            .iter()
            .find(|p| p.id.pid == dead.pid);
        let found = found.filter(|process| !has_ended(process) && self.is_same(&dead, process));
        found.ok_or_else(|| format!("{} {} has ended", dead.pid, dead.comm))
    }

    /// The process is the one that the event names. Pids are reused: a process of that pid which started after the
    /// event is another one.
    fn is_same(&self, dead: &Dead<'_>, process: &Process) -> bool {
        if let Some(start) = dead.start_ticks {
            return process.id.start_ticks == start;
        }
        // The start counts time in suspend, the event does not.
        let started = BootTime::from_ticks(process.id.start_ticks, self.host.ticks_per_second);
        let started = self.now.wall_of_boot(started).unix_micros;
        let is_before = |at| started <= self.now.wall_of(at).unix_micros;
        process.comm.text() == dead.comm && dead.at.is_some_and(is_before)
    }

    /// The OOM domain of the selected event, if the sample has it.
    pub(in crate::app) fn event_domain(&self) -> Option<Scope> {
        let row = self.events.selected_row()?;
        let path = match row.entry {
            Entry::Report {
                report, boot: 0, ..
            } => match &report.oom_memcg {
                Some(path) => path.as_str(),
                None => return Some(Scope::Host),
            },
            Entry::Userspace(kill) => kill.cgroup.as_deref()?,
            Entry::Unlogged { groups, .. } => groups.first()?.as_str(),
            // A tracepoint does not tell what ran out.
            Entry::Traced { .. } | Entry::Sigkill(_) | Entry::Report { .. } | Entry::Gap { .. } => {
                return None;
            }
        };
        let domains = self.snapshot.domains.iter().map(|domain| domain.scope);
        let mut scopes = domains.filter(|scope| {
            let group = scope.memcg().and_then(|key| self.snapshot.cgroup(key));
            group.is_some_and(|group| group.path.as_str() == path)
        });
        scopes.next()
    }

    /// The group whose limit the selected event is about, if it still exists.
    pub(in crate::app) fn event_group(&self) -> Option<CgroupPath> {
        let key = self.event_domain()?.memcg()?;
        Some(self.snapshot.cgroup(key)?.path.clone())
    }
}

/// The process that an event names.
struct Dead<'a> {
    pid: Pid,
    comm: &'a str,
    /// `None` if no sample had it.
    start_ticks: Option<u64>,
    at: Option<Monotonic>,
}

impl<'a> Dead<'a> {
    fn of(row: EventRow<'a>) -> Option<Self> {
        match (row.entry, row.kill) {
            // A pid of an older boot means nothing now.
            (
                Entry::Report {
                    remembered,
                    boot: 0,
                    ..
                },
                Some(kill),
            ) => {
                let known = remembered.iter().find(|(pid, _)| *pid == kill.pid);
                Some(Self {
                    pid: kill.pid,
                    comm: &kill.comm,
                    start_ticks: known.map(|(_, known)| known.id.start_ticks),
                    at: kill.at,
                })
            }
            (Entry::Traced { kill, traced, .. }, _) => Some(Self {
                pid: kill.pid,
                comm: &kill.comm,
                start_ticks: traced.start_ticks,
                at: kill.at,
            }),
            (Entry::Userspace(kill), _) => Some(Self {
                pid: kill.pid?,
                comm: kill.comm.as_deref()?,
                start_ticks: None,
                at: kill.at,
            }),
            _ => None,
        }
    }
}
