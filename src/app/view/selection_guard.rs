//! [`Drift`]: the selection went to another row by itself, because what was selected is gone.
//!
//! Who presses a key in that moment means the one that was there before: the first key that would write
//! only says whom it would hit.

use std::time::Duration;

use crate::app::State;
use crate::app::input::action::{Aim, Place};
use crate::app::input::id::ActionId;
use crate::app::view::processes::table::has_ended;
use crate::model::cgroup::CgroupPath;
use crate::model::oom_domain::victim::Scope;
use crate::model::process::ProcessId;
use crate::model::time::Monotonic;
use crate::text::tone::Tone;
use crate::text::wording;

/// How long after such a move a key may have been meant for what was selected before.
const SURPRISE: Duration = Duration::from_secs(2);

/// What the selection did without a key.
#[derive(Debug, Default)]
pub struct Drift {
    moved: Option<Moved>,
    /// A key was pressed since it last moved by itself: where it goes is of interest.
    minded: bool,
}

/// Where the selection was, and since when it is elsewhere.
#[derive(Debug)]
struct Moved {
    /// What became of what was selected, a sentence: `1892 java has ended`.
    why: String,
    at: Monotonic,
}

/// What is selected, in whichever view is open.
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
        self.table.selected.map(Selected::Process)
    }

    /// Arranges a new sample. If that moves the selection, it is said, unless worse is being said.
    pub(in crate::app) fn arrange_sample(&mut self) {
        let before = self.selected();
        self.arrange();
        let Some(before) = before.filter(|before| self.selected().as_ref() != Some(before)) else {
            return;
        };
        let why = self.fate(&before);
        let minded = std::mem::take(&mut self.drift.minded);
        let worse = self
            .notice
            .as_ref()
            .is_some_and(|n| n.tone == Tone::Critical);
        if minded && !worse {
            self.say(Tone::Watch, why.clone());
        }
        let at = self.now.monotonic;
        self.drift.moved = Some(Moved { why, at });
    }

    /// The user has done something with what is selected now.
    pub(in crate::app) fn touch_selection(&mut self) {
        self.drift = Drift {
            moved: None,
            minded: true,
        };
    }

    fn fate(&self, before: &Selected) -> String {
        match before {
            Selected::Process(id) => {
                // It may be in the sample before this one only.
                let here = self.snapshot.process(*id);
                let process = here.or_else(|| self.previous.process(*id));
                let name = process.map_or_else(
                    || id.pid.to_string(),
                    |p| format!("{} {}", p.id.pid, p.comm),
                );
                match here.filter(|process| !has_ended(process)) {
                    Some(_) => format!("{name} is not among these rows any more"),
                    None => format!("{name} has ended"),
                }
            }
            Selected::Domain(_, Some(path)) => format!("{path} is gone, or has no limit any more"),
            Selected::Domain(..) => "the selected domain is gone".to_owned(),
        }
    }

    /// True if the selection has just moved and this action would hit what is selected now: it is said
    /// whom, and the next key does it.
    pub(in crate::app) fn must_be_told(&mut self, action: ActionId, place: &Place) -> bool {
        let by_selection = match place.aim {
            Aim::Nobody => false,
            Aim::Selected | Aim::Victim => true,
            Aim::Tagged => self.table.tagged.is_empty(),
        };
        if !by_selection {
            return false;
        }
        let now = self.now.monotonic;
        let fresh = |moved: &Moved| now.since(moved.at) < SURPRISE;
        let Some(moved) = self.drift.moved.take().filter(fresh) else {
            return false;
        };
        let chosen = match place.aim {
            Aim::Victim => self.next_victim(),
            Aim::Nobody | Aim::Selected | Aim::Tagged => {
                self.table.selected_process(&self.snapshot)
            }
        };
        let Some(id) = chosen.map(|process| process.id) else {
            return false;
        };
        let name = wording::process(id, &self.snapshot);
        let key = self.key(action);
        let text = format!("{}; {key} again acts on {name}", moved.why);
        self.say(Tone::Danger, text);
        true
    }
}
