//! The cgroup dialog: move the pinned process into a group, or make one with limits around it.

mod outlook;
mod plan;
mod view;

use crossterm::event::KeyCode;

use super::{Dialog, DialogContext, DialogView, Outcome, Pinned, step};
use crate::app::filter::contains;
use crate::app::input::LineInput;
use crate::app::keys::Key;
use crate::app::msg::{Effect, GroupChoice, Receipt};
use crate::domain::cgroup::{CgroupKey, CgroupPath, CgroupVersion};
use crate::domain::snapshot::Snapshot;
use crate::domain::whatif::present_around;
use crate::domain::write::{CgroupStep, StepResult};

use plan::{LimitField, fields_of};

/// Which half of the dialog is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// Choose an existing group.
    Move,
    /// Make a group with limits.
    Create,
}

/// Moves a process into a cgroup.
#[derive(Debug)]
pub struct CgroupDialog {
    target: Pinned,
    /// Its group when the dialog opened.
    from: Option<CgroupPath>,
    version: CgroupVersion,
    mode: Mode,
    /// Existing groups, once listed.
    groups: Option<Result<Vec<GroupChoice>, String>>,
    search: LineInput,
    chosen: usize,
    /// Path of the group to create, then one field for each limit of this version.
    path: LineInput,
    limits: Vec<(&'static LimitField, LineInput)>,
    /// Focused field of the create half: 0 is the path.
    focus: usize,
    /// Lines scrolled away, where the screen is too low for the whole plan.
    scroll: usize,
    waiting: bool,
    result: Vec<StepResult>,
    done: bool,
}

impl CgroupDialog {
    /// Opens for a process that is in `from`. Ask for [`Effect::ListGroups`] beside it.
    pub fn new(target: Pinned, from: Option<CgroupPath>, version: CgroupVersion) -> Self {
        let path = LineInput::new(plan::suggested_path(&target));
        Self {
            target,
            from,
            version,
            mode: Mode::Create,
            groups: None,
            search: LineInput::default(),
            chosen: 0,
            path,
            limits: fields_of(version)
                .iter()
                .map(|field| (field, LineInput::default()))
                .collect(),
            // The first limit: the name is already a good one.
            focus: 1,
            scroll: 0,
            waiting: false,
            result: Vec::new(),
            done: false,
        }
    }

    /// The groups that match what was typed.
    fn matching(&self) -> Vec<&GroupChoice> {
        let Some(Ok(groups)) = &self.groups else {
            return Vec::new();
        };
        let wanted = self.search.text().trim().to_lowercase();
        groups
            .iter()
            .filter(|g| contains(g.path.as_str(), &wanted))
            .collect()
    }

    /// The steps that Enter would carry out, or what is still missing.
    fn steps(&self) -> Result<Vec<CgroupStep>, String> {
        match self.mode {
            Mode::Move => {
                let group = self.matching().get(self.chosen).map(|g| g.path.clone());
                let group = group.ok_or_else(|| "no group matches".to_owned())?;
                if Some(&group) == self.from.as_ref() {
                    return Err("the process is in this group already".to_owned());
                }
                Ok(vec![CgroupStep::Move(self.target.id, group)])
            }
            Mode::Create => {
                // Which parents are there decides on the steps: what is shown must be what is done.
                let Some(groups) = &self.groups else {
                    return Err("reading the groups …".to_owned());
                };
                let taken = |path: &CgroupPath| match groups {
                    Ok(groups) => groups.iter().any(|g| g.path == *path),
                    Err(_) => false,
                };
                plan::create_steps(
                    self.target.id,
                    self.path.text(),
                    &self.limits,
                    self.version,
                    taken,
                )
            }
        }
    }

    /// Where Enter would move the process.
    fn destination(&self) -> Option<CgroupPath> {
        self.steps().ok()?.into_iter().find_map(|step| match step {
            CgroupStep::Move(_, path) => Some(path),
            _ => None,
        })
    }

    fn input(&mut self) -> &mut LineInput {
        match self.mode {
            Mode::Move => &mut self.search,
            Mode::Create => match self
                .focus
                .checked_sub(1)
                .and_then(|at| self.limits.get_mut(at))
            {
                Some((_, input)) => input,
                None => &mut self.path,
            },
        }
    }

    fn commit(&mut self, context: &DialogContext<'_>) -> Outcome {
        if context.process(self.target.id).is_none() {
            return Outcome::Stay;
        }
        match self.steps() {
            Ok(steps) => {
                self.waiting = true;
                self.result.clear();
                Outcome::Perform(vec![Effect::RunPlan {
                    target: Some(self.target.id),
                    steps,
                    undo: false,
                }])
            }
            Err(_) => Outcome::Stay,
        }
    }
}

impl Dialog for CgroupDialog {
    fn wants_groups(&self, snapshot: &Snapshot) -> Vec<CgroupKey> {
        let process = snapshot.process(self.target.id);
        let mut wanted = snapshot.limited_around(process.and_then(|process| process.cgroup));
        // Their room decides when a limit strikes after the move.
        let to = self.destination();
        let to = to.and_then(|to| present_around(&to, &snapshot.cgroups));
        wanted.extend(snapshot.limited_around(to));
        wanted
    }

    fn on_key(&mut self, key: Key, context: &DialogContext<'_>) -> Outcome {
        if key.code == KeyCode::Esc || (self.done && key.code == KeyCode::Enter) {
            return Outcome::Close;
        }
        if self.waiting || self.done || self.version == CgroupVersion::None {
            return Outcome::Stay;
        }
        match (self.mode, key.code) {
            (_, KeyCode::Enter) => return self.commit(context),
            (Mode::Create, KeyCode::PageDown) => {
                self.scroll = (self.scroll + 5).min(100);
                return Outcome::Stay;
            }
            (Mode::Create, KeyCode::PageUp) => {
                self.scroll = self.scroll.saturating_sub(5);
                return Outcome::Stay;
            }
            (Mode::Create, KeyCode::Tab) => self.mode = Mode::Move,
            (Mode::Move, KeyCode::Tab) => self.mode = Mode::Create,
            (Mode::Move, _) => {
                let matching = self.matching().len();
                if let Some(at) = step(self.chosen, matching, key) {
                    self.chosen = at;
                } else if self.search.on_key(key) {
                    self.chosen = 0;
                }
            }
            (Mode::Create, _) => {
                if let Some(at) = step(self.focus, self.limits.len() + 1, key) {
                    self.focus = at;
                } else {
                    self.input().on_key(key);
                }
            }
        }
        self.scroll = 0;
        Outcome::Stay
    }

    fn on_paste(&mut self, text: &str) {
        self.input().paste(text);
        self.chosen = 0;
    }

    fn on_receipt(&mut self, receipt: &Receipt) -> Outcome {
        if let Receipt::Plan {
            receipt,
            undo: false,
        } = receipt
            && self.waiting
            && receipt.target == Some(self.target.id)
        {
            self.waiting = false;
            self.done = receipt.failure().is_none();
            self.result.clone_from(&receipt.steps);
        }
        Outcome::Stay
    }

    fn on_groups(&mut self, groups: &Result<Vec<GroupChoice>, String>) {
        self.groups = Some(groups.clone());
    }

    fn view(&self, context: &DialogContext<'_>) -> DialogView {
        view::view(self, context)
    }
}
