//! The cgroup dialog: move the pinned process into a group, make a group with limits around the process, or
//! change the limits of an existing group.

mod change;
mod company;
mod halves;
mod leaving;
mod mode;
mod once;
mod oomd;
pub(in crate::app::dialog) mod outlook;
mod plan;
mod prospects;
mod risk;
pub(in crate::app) mod steps;
mod typed;
mod view;
mod whom;

use std::sync::Arc;

use super::by::{self, By};
use super::{Dialog, DialogContext, DialogView, Outcome, Pinned, step};
use crate::app::input::id::ActionId as Id;
use crate::app::input::key::Key;
use crate::app::input::line::LineInput;
use crate::app::input::scope::KeyScope;
use crate::app::msg::{GroupChoice, WriteId};
use crate::model::cgroup::{CgroupKey, CgroupPath, CgroupVersion};
use crate::model::filter::contains;
use crate::model::oom_domain::whatif::present_around;
use crate::model::plan::build;
use crate::model::plan::receipt::PlanReceipt;
use crate::model::process::ProcessId;
use crate::model::snapshot::Snapshot;
use crate::model::systemd::UnitName;
use crate::model::systemd::oomd::OomdSettings;
use crate::model::systemd::scope::ScopeHome;

use mode::Mode;
use oomd::OomdPart;
use plan::Memo;
use typed::{Fields, fields_of};
use whom::Whom;
pub(in crate::app) use whom::{MoveSet, TAGGED, may_move};

/// Moves a process into a cgroup, or changes a cgroup's limits.
#[derive(Debug)]
pub struct CgroupDialog {
    /// `None` for a domain without a killable process: only its limits can change.
    target: Option<Pinned>,
    /// Whom a move is for.
    whom: Whom,
    /// Its group when the dialog opened.
    from: Option<CgroupPath>,
    version: CgroupVersion,
    /// Where systemd can start a scope for the process, if it is in systemd's tree.
    home: Option<ScopeHome>,
    mode: Mode,
    /// Existing groups, once listed.
    groups: Option<Result<Vec<GroupChoice>, String>>,
    search: LineInput,
    chosen: usize,
    /// Path of the group to create, then one field for each limit of this version.
    path: LineInput,
    limits: Fields,
    /// Focused field of the create half: 0 is the path.
    focus: usize,
    /// The group whose limits can change, one field for each limit, and the focused field.
    group: Option<CgroupPath>,
    changes: Fields,
    change_focus: usize,
    /// What systemd-oomd does with the unit of that group.
    oomd: OomdPart,
    /// Who writes the limits, if the group is a unit's.
    by: By,
    /// Enter was pressed on limits that kill at once: the next Enter writes them.
    insisted: bool,
    /// Lines scrolled away on a screen too low for the whole plan.
    scroll: usize,
    /// The write whose receipt is pending.
    waiting: Option<WriteId>,
    result: Vec<PlanReceipt>,
    done: bool,
    /// Counts the changes of the dialog: what follows from them is found anew.
    revision: usize,
    memo: Memo,
}

impl CgroupDialog {
    /// Opens for a process that is in `from`. The caller must send
    /// [`Effect::ListGroups`](crate::app::msg::Effect::ListGroups) too.
    pub fn new(target: Pinned, from: Option<CgroupPath>, version: CgroupVersion) -> Self {
        let group = from.clone();
        Self::open(Some(target), from, group, version, Mode::Create)
    }

    /// Opens on the limits of `group`, with the process that would die in it, if any, and its group.
    pub fn of_domain(
        target: Option<(Pinned, Option<CgroupPath>)>,
        group: CgroupPath,
        version: CgroupVersion,
    ) -> Self {
        let (target, from) = target.unzip();
        Self::open(target, from.flatten(), Some(group), version, Mode::Limits)
    }

    /// Opens for the tagged processes, at least one, and for nobody else. `from` is the group of the first.
    pub(in crate::app) fn of_tagged(
        tagged: MoveSet,
        from: Option<CgroupPath>,
        version: CgroupVersion,
    ) -> Self {
        let main = tagged.members.first().cloned().unwrap_or_default();
        let whom = Whom::of_tagged(tagged);
        Self {
            whom,
            ..Self::new(main, from, version)
        }
    }

    /// The wider sets that a move may be for.
    #[must_use]
    pub(in crate::app) fn with_others(mut self, others: Vec<MoveSet>) -> Self {
        if let Some(main) = &self.target {
            self.whom = Whom::new(main, others);
        }
        self
    }

    /// The process that the dialog was opened for.
    pub fn main(&self) -> Option<ProcessId> {
        self.target.as_ref().map(|target| target.id)
    }

    fn open(
        target: Option<Pinned>,
        from: Option<CgroupPath>,
        group: Option<CgroupPath>,
        version: CgroupVersion,
        mode: Mode,
    ) -> Self {
        let path = LineInput::new(
            target
                .as_ref()
                .map_or_else(String::new, typed::suggested_path),
        );
        let whom = target.as_ref().map(|main| Whom::new(main, Vec::new()));
        Self {
            target,
            whom: whom.unwrap_or_default(),
            from,
            version,
            home: None,
            mode,
            groups: None,
            search: LineInput::default(),
            chosen: 0,
            path,
            limits: fields_of(version),
            // The first limit: the suggested path needs no edit.
            focus: 1,
            group,
            changes: fields_of(version),
            change_focus: 0,
            oomd: OomdPart::default(),
            by: By::default(),
            insisted: false,
            scroll: 0,
            waiting: None,
            result: Vec::new(),
            done: false,
            revision: 0,
            memo: Memo::default(),
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

    fn input(&mut self) -> &mut LineInput {
        match self.mode {
            Mode::Limits => match self.changes.get_mut(self.change_focus) {
                Some((_, input)) => input,
                // This cgroup version has no limits: nothing is drawn or written.
                None => &mut self.path,
            },
            Mode::Oomd => self.oomd.input(),
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
        if self.living(context).is_empty() && self.mode.moves() {
            return Outcome::Stay;
        }
        match self.whole_plan(context) {
            Ok(_) if !self.insisted && risk::needs_insisting(self, context) => {
                self.insisted = true;
                // The question is at the top of the dialog.
                self.scroll = 0;
                Outcome::Stay
            }
            Ok(plan) => {
                self.insisted = false;
                self.result.clear();
                Outcome::Write(build::each_move(Arc::unwrap_or_clone(plan)))
            }
            Err(_) => Outcome::Stay,
        }
    }

    /// True if nothing can be edited: the write is running or done, or no write is possible.
    fn is_inert(&self) -> bool {
        self.waiting.is_some() || self.done || self.version == CgroupVersion::None
    }

    /// Any key but Enter withdraws the confirmation.
    fn think_again(&mut self) {
        self.insisted = false;
        self.scroll = 0;
    }
}

impl Dialog for CgroupDialog {
    fn wants_groups(&self, snapshot: &Snapshot) -> Vec<CgroupKey> {
        let process = self.target.as_ref();
        let process = process.and_then(|target| snapshot.process(target.id));
        let mut wanted = snapshot.limited_around(process.and_then(|process| process.cgroup));
        // The room in these groups decides when a limit strikes after the move.
        let to = self.subject(snapshot);
        let to = to.and_then(|to| present_around(&to, &snapshot.cgroups));
        wanted.extend(snapshot.limited_around(to));
        // The dialog shows all limits of this group, even if none of them kills.
        wanted.extend(to.filter(|_| self.mode == Mode::Limits));
        wanted
    }

    fn scope(&self) -> KeyScope {
        KeyScope::Cgroup
    }

    fn on_action(&mut self, action: Id, context: &DialogContext<'_>) -> Outcome {
        self.revision += 1;
        if action == Id::Back || (self.done && action == Id::Commit) {
            return Outcome::Close;
        }
        // The list of groups has pages of its own.
        let pages = self.done || self.mode != Mode::Move;
        match action {
            Id::PageDown if pages => {
                self.scroll = (self.scroll + 5).min(100);
                return Outcome::Stay;
            }
            Id::PageUp if pages => {
                self.scroll = self.scroll.saturating_sub(5);
                return Outcome::Stay;
            }
            _ => {}
        }
        if self.is_inert() {
            return Outcome::Stay;
        }
        match (self.mode, action) {
            (_, Id::Commit) => return self.commit(context),
            (mode, Id::Whom) if mode.moves() => self.whom.next(),
            (_, Id::Whom) => {}
            (_, Id::Switch) => {
                self.mode = self.next_mode(context);
                self.think_again();
                return self.ask_oomd(context);
            }
            (_, Id::Lasting) if self.unit(context).is_none() => {
                let moves = self.mode.moves();
                let group = if moves { &self.from } else { &self.group };
                return Outcome::Say(by::why_no_unit(group.as_ref(), true, context));
            }
            (_, Id::Lasting) => self.by = self.next_by(context),
            (mode, _) => {
                let matching = self.matching().len();
                let (at, len) = match mode {
                    Mode::Move => (&mut self.chosen, matching),
                    Mode::Create => (&mut self.focus, self.limits.len() + 1),
                    Mode::Limits => (&mut self.change_focus, self.changes.len()),
                    Mode::Oomd => self.oomd.places(),
                };
                *at = step(*at, len, action).unwrap_or(*at);
            }
        }
        self.think_again();
        Outcome::Stay
    }

    fn on_text(&mut self, key: Key, _: &DialogContext<'_>) -> Outcome {
        self.revision += 1;
        if self.is_inert() {
            return Outcome::Stay;
        }
        if self.input().on_key(key) && self.mode == Mode::Move {
            self.chosen = 0;
        }
        self.think_again();
        Outcome::Stay
    }

    fn has_cursor(&self) -> bool {
        !self.is_inert()
    }

    fn question(&self) -> usize {
        let (mode, modes) = (self.mode as usize, Mode::COUNT);
        let asked = (mode * 2 + usize::from(self.insisted)) * By::ALL.len() + self.by as usize;
        asked + self.whom.at() * 2 * modes * By::ALL.len()
    }

    fn on_paste(&mut self, text: &str) {
        self.revision += 1;
        self.input().paste(text);
        self.chosen = 0;
        self.insisted = false;
    }

    fn asked(&mut self, id: WriteId) {
        self.waiting = Some(id);
    }

    fn waiting(&self) -> Option<WriteId> {
        self.waiting
    }

    fn targets(&self) -> Vec<ProcessId> {
        self.whom.everybody()
    }

    fn group(&self) -> Option<&CgroupPath> {
        self.group.as_ref()
    }

    fn destination(&self) -> Option<CgroupPath> {
        self.named()
    }

    fn on_written(&mut self, plans: &[PlanReceipt]) -> Outcome {
        self.revision += 1;
        self.waiting = None;
        self.done = plans.iter().all(|plan| plan.failure().is_none());
        self.result = plans.to_vec();
        Outcome::Stay
    }

    fn on_groups(&mut self, groups: &Result<Vec<GroupChoice>, String>) {
        self.revision += 1;
        self.groups = Some(groups.clone());
        // Enter must not move the process out of every limit because the root is the first of the list.
        let own = self.matching().into_iter();
        let own = own.map(|group| Some(&group.path));
        let own = own.clone().position(|path| path == self.from.as_ref());
        if self.search.text().is_empty() {
            self.chosen = own.unwrap_or(0);
        }
        let suggested = self.target.as_ref().map(typed::suggested_path);
        // A name that the user typed stays.
        if let (Ok(groups), Some(name)) = (groups, suggested)
            && self.path.text() == name
            && let Some(place) = typed::place_for(self.from.as_ref(), groups)
        {
            self.path = LineInput::new(place.join(name).to_string());
        }
    }

    fn on_oomd(&mut self, unit: &UnitName, found: &Result<OomdSettings, String>) {
        self.oomd.found(unit, found);
    }

    fn view(&self, context: &DialogContext<'_>) -> DialogView {
        view::view(self, context)
    }
}
