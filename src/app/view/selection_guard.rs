//! [`SelectionGuard`]: keeps a key from acting on a row that the user did not select.
//!
//! When the selected row disappears, the list selects a neighbour. A key pressed at that moment was meant for
//! the old row: the first key that would write only names its new target.

use std::time::Duration;

use crate::app::State;
use crate::app::input::action::{Aim, Place};
use crate::app::input::id::ActionId;
use crate::app::view::processes::table::has_ended;
use crate::app::view::target::InView;
use crate::model::cgroup::CgroupPath;
use crate::model::oom_domain::victim::Scope;
use crate::model::process::ProcessId;
use crate::model::time::Monotonic;
use crate::text::tone::Tone;
use crate::text::wording;

/// How long after such a move a key may still be meant for the old row.
const SURPRISE: Duration = Duration::from_secs(2);

/// Whether the selection moved without a key, and whether the user has used it.
#[derive(Debug, Default)]
pub struct SelectionGuard {
    moved: Option<Moved>,
    /// The user did something since the selection last moved by itself: announce the next such move.
    touched: bool,
}

/// A move of the selection that no key made.
#[derive(Debug)]
struct Moved {
    /// What became of the old row, a sentence: `1892 java has ended`.
    why: String,
    at: Monotonic,
}

/// The selection in the open view. Events are left out: no key writes to one.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Selected {
    Process(ProcessId),
    Domain(Scope, Option<CgroupPath>),
}

impl State {
    fn selected(&self) -> Option<Selected> {
        if self.domains.open {
            let path = self.domains.selected_path().cloned();
            return Some(Selected::Domain(self.domains.selected()?, path));
        }
        self.table.selected().map(Selected::Process)
    }

    /// Arranges a new sample. Announces a move of the selection, unless a more important notice is shown.
    pub(in crate::app) fn arrange_sample(&mut self) {
        let before = self.selected();
        self.arrange();
        let Some(before) = before.filter(|before| self.selected().as_ref() != Some(before)) else {
            return;
        };
        let why = self.fate(&before);
        let at = self.now.monotonic;
        if self.is_other_at_the_top(&before) {
            // The user is at the top, whoever is there. The key that would act on somebody else says so.
            self.selection_guard.moved = Some(Moved { why, at });
            return;
        }
        let touched = std::mem::take(&mut self.selection_guard.touched);
        let worse = self
            .notice
            .as_ref()
            .is_some_and(|n| n.tone == Tone::Critical);
        if touched && !worse && self.dialogs.is_empty() {
            self.say(Tone::Watch, why.clone());
        }
        self.selection_guard.moved = Some(Moved { why, at });
    }

    /// True if the selection is whichever process is first, and this one is not any more.
    fn is_other_at_the_top(&self, before: &Selected) -> bool {
        let Selected::Process(id) = before else {
            return false;
        };
        let here = self.snapshot.process(*id).filter(|p| !has_ended(p));
        self.table.is_on_top()
            && here.is_some()
            && self.table.rows().iter().any(|row| row.id == *id)
    }

    /// Records that the user has done something with the present selection.
    pub(in crate::app) fn touch_selection(&mut self) {
        self.selection_guard = SelectionGuard {
            moved: None,
            touched: true,
        };
    }

    fn fate(&self, before: &Selected) -> String {
        match before {
            Selected::Process(id) => {
                // Only the previous sample still has an ended process.
                let here = self.snapshot.process(*id);
                let process = here.or_else(|| self.previous.process(*id));
                let name = process.map_or_else(
                    || id.pid.to_string(),
                    |p| format!("{} {}", p.id.pid, p.comm),
                );
                match here.filter(|process| !has_ended(process)) {
                    Some(_) if self.table.rows().iter().any(|row| row.id == *id) => {
                        format!("{name} is not the first any more")
                    }
                    Some(_) => format!("{name} is not among these rows any more"),
                    None => format!("{name} has ended"),
                }
            }
            Selected::Domain(_, Some(path)) => format!("{path} is gone, or has no limit any more"),
            Selected::Domain(..) => "the selected domain is gone".to_owned(),
        }
    }

    /// True if this action acts on a row that the screen does not show. Then the row is brought into view, and the next
    /// press of the key acts on it.
    pub(in crate::app) fn is_target_hidden(&mut self, action: ActionId, aim: Aim) -> bool {
        if aim == Aim::Nobody || (aim == Aim::Tagged && !self.table.tagged.is_empty()) {
            return false;
        }
        let text = match self.in_view(aim) {
            InView::Yes => return false,
            InView::NoRoom => "the terminal is too low to show the selected row".to_owned(),
            InView::ScrolledAway => {
                let Ok(process) = self.target(aim) else {
                    return false;
                };
                let name = wording::process(process.id, &self.snapshot);
                self.scroll_to_target(aim);
                format!(
                    "{name} was scrolled away; {} again acts on it",
                    self.key(action)
                )
            }
        };
        self.say(Tone::Watch, text);
        true
    }

    /// True if the selection has just moved by itself and this action would act on the new row. Then a notice
    /// names the new process, and the next press of the key acts on it.
    pub(in crate::app) fn must_be_told(&mut self, action: ActionId, place: &Place) -> bool {
        let by_selection = match place.aim {
            // An event stays what it is, and its target is a living process or none.
            Aim::Nobody | Aim::Event => false,
            Aim::Selected | Aim::Victim => true,
            Aim::Tagged => self.table.tagged.is_empty(),
        };
        if !by_selection {
            return false;
        }
        let now = self.now.monotonic;
        let fresh = |moved: &Moved| now.since(moved.at) < SURPRISE;
        let Some(moved) = self.selection_guard.moved.take().filter(fresh) else {
            return false;
        };
        let Ok(id) = self.target(place.aim).map(|process| process.id) else {
            return false;
        };
        let name = wording::process(id, &self.snapshot);
        let key = self.key(action);
        let text = format!("{}; {key} again acts on {name}", moved.why);
        self.say(Tone::Danger, text);
        true
    }
}
