//! The adjust dialog: choose a level, a role or a value, see who dies next with that value, write it.

mod choice;
mod later;
mod own_screen;
mod preview;
mod view;

use super::cgroup::steps::result_lines;
use super::{Dialog, DialogContext, DialogView, Outcome, Pinned, by, step};
use crate::app::input::id::ActionId as Id;
use crate::app::input::key::Key;
use crate::app::input::line::LineInput;
use crate::app::input::scope::KeyScope;
use crate::app::msg::WriteId;
use crate::model::plan::receipt::{PlanReceipt, Reading, StepReceipt};
use crate::model::plan::step::{Step, UnitStep};
use crate::model::plan::{Plan, build};
use crate::model::process::ProcessId;
use crate::model::process::protection::Protection;
use crate::model::process::score::OomScoreAdj;
use crate::model::snapshot::Snapshot;
use crate::model::systemd::drop_in::Found;
use crate::model::systemd::{Lasting, UnitName};
use crate::text::tone::{Line, Tone};

pub use choice::Lean;
use choice::{CHOICES, ScopeChoice, parse_value};
use later::Later;

/// Name of the set of tagged processes.
const TAGGED: &str = "tagged";

/// Writes `oom_score_adj` of one or more pinned processes.
#[derive(Debug)]
pub struct AdjustDialog {
    /// The process that the dialog was opened for.
    main: Pinned,
    /// The sets of processes that the value can apply to, fixed when the dialog opened.
    scopes: Vec<ScopeChoice>,
    scope: usize,
    /// Row of [`CHOICES`]; `None` while a typed value is in force.
    chosen: Option<usize>,
    value: LineInput,
    /// The typed value is a legacy `oom_adj`.
    legacy: bool,
    /// The value is the proposed one: the first character typed replaces it.
    fresh: bool,
    /// Why the value is not further in the direction of the key.
    end: Option<&'static str>,
    /// What a service starts with.
    later: Later,
    /// A first Enter confirmed a risky value.
    armed: bool,
    /// The write whose receipt is pending.
    waiting: Option<WriteId>,
    result: Vec<Line>,
}

impl AdjustDialog {
    /// Opens the dialog for `main`. `scopes` are the sets of processes it may apply to, `main` alone
    /// first.
    pub fn new(
        main: Pinned,
        before: Option<OomScoreAdj>,
        others: Vec<(&'static str, Vec<Pinned>)>,
        lean: Lean,
    ) -> Self {
        let mut scopes = vec![ScopeChoice {
            name: "this process",
            targets: vec![main.clone()],
        }];
        scopes.extend(
            others
                .into_iter()
                .map(|(name, targets)| ScopeChoice { name, targets }),
        );
        let start = lean.start(before);
        Self {
            main,
            scopes,
            scope: 0,
            chosen: start.chosen,
            value: LineInput::new(start.value.to_string()),
            fresh: true,
            end: start.end,
            legacy: false,
            later: Later::default(),
            armed: false,
            waiting: None,
            result: Vec::new(),
        }
    }

    /// Opens the dialog for the tagged processes, at least one, and for nobody else. The start value is on the side of
    /// the key for each of them.
    pub fn of_tagged(tagged: Vec<Pinned>, snapshot: &Snapshot, lean: Lean) -> Self {
        let adj = |target: &Pinned| snapshot.process(target.id).and_then(|process| process.adj);
        let adjs = tagged.iter().filter_map(adj);
        let before = match lean {
            Lean::Protect => adjs.min(),
            Lean::Present | Lean::Expend => adjs.max(),
        };
        let main = tagged.first().cloned().unwrap_or_default();
        let mut dialog = Self::new(main, before, Vec::new(), lean);
        dialog.scopes = vec![ScopeChoice {
            name: TAGGED,
            targets: tagged,
        }];
        dialog
    }

    /// Whom the value applies to, for the title.
    fn whom(&self) -> String {
        let name = self.scopes.get(self.scope).map_or("", |scope| scope.name);
        match self.targets() {
            [one] if name == TAGGED => format!("{one} (tagged)"),
            [one] => one.to_string(),
            many if name == TAGGED => format!("{} tagged processes", many.len()),
            many => format!("{} processes: {}, {name}", many.len(), self.main),
        }
    }

    fn targets(&self) -> &[Pinned] {
        self.scopes
            .get(self.scope)
            .map_or(std::slice::from_ref(&self.main), |s| &s.targets)
    }

    /// The value that Enter would write.
    fn parsed(&self) -> Result<OomScoreAdj, String> {
        parse_value(self.value.text(), self.legacy)
    }

    /// The row that the arrows start from: of the value's level, where the value is that of no row.
    fn row(&self) -> usize {
        self.chosen.unwrap_or_else(|| {
            let level = Protection::from_adj(self.parsed().unwrap_or_default());
            let mut levels = Protection::ALL.iter();
            levels.position(|other| *other == level).unwrap_or(0)
        })
    }

    fn show_choice(&mut self) {
        self.end = None;
        self.fresh = true;
        if let Some(choice) = self.chosen.and_then(|at| CHOICES.get(at)) {
            self.legacy = false;
            self.value.set(choice.value().to_string());
        }
    }

    fn commit(&mut self, context: &DialogContext<'_>) -> Outcome {
        let Ok(value) = self.parsed() else {
            return Outcome::Stay;
        };
        let living = context.living(self.targets());
        let alive: Vec<_> = living.iter().map(|(target, _)| target.id).collect();
        let group = later::unit_group_of(living.iter().map(|(_, process)| *process), context);
        let unit = self.service(context);
        let later = self.later.write(unit.as_ref(), value, context).transpose();
        let (false, Ok(later)) = (alive.is_empty(), later) else {
            return Outcome::Stay;
        };
        let is_risky = self.is_risky(value) || own_screen::is_risked(self, value, context);
        if is_risky && !self.armed {
            self.armed = true;
            return Outcome::Stay;
        }
        self.result.clear();
        let mut plans = build::adj(alive, value);
        let later = later.map(|write| UnitStep::DropIn(write.seen_in(group)));
        plans.extend(later.map(|step| Plan::from_iter([step])));
        Outcome::Write(plans)
    }

    /// The service whose later starts the dialog can set, too.
    fn service(&self, context: &DialogContext<'_>) -> Option<UnitName> {
        let living = context.living(self.targets());
        let processes: Vec<_> = living.iter().map(|(_, process)| *process).collect();
        later::service_of(&processes, context)
    }

    /// Why nothing can be kept for later starts.
    fn why_not_later(&self, context: &DialogContext<'_>) -> String {
        let living = context.living(self.targets());
        let groups = living.iter().map(|(_, process)| process.cgroup);
        let mut groups: Vec<_> = groups
            .map(|key| context.cells.snapshot.cgroup(key?))
            .collect();
        groups.dedup_by_key(|group| group.map(|group| &group.path));
        let only = groups.pop().filter(|_| groups.is_empty()).flatten();
        by::why_no_unit(only.map(|group| &group.path), false, context)
    }

    /// True if the value needs a second Enter: it makes a leak unkillable, and children inherit the value.
    fn is_risky(&self, value: OomScoreAdj) -> bool {
        value == OomScoreAdj::IMMUNE || self.targets().len() > 1
    }
}

impl Dialog for AdjustDialog {
    fn scope(&self) -> KeyScope {
        KeyScope::Adjust
    }

    fn on_action(&mut self, action: Id, context: &DialogContext<'_>) -> Outcome {
        if self.waiting.is_some() {
            return if action == Id::Back {
                Outcome::Close
            } else {
                Outcome::Stay
            };
        }
        if let Some(at) = step(self.row(), CHOICES.len(), action) {
            self.chosen = Some(at);
            self.armed = false;
            self.show_choice();
            return Outcome::Stay;
        }
        match action {
            Id::Back => return Outcome::Close,
            Id::Commit => return self.commit(context),
            Id::Switch => {
                self.scope = (self.scope + 1) % self.scopes.len().max(1);
                self.armed = false;
                let unit = self.service(context);
                return Outcome::Perform(self.later.ask(unit.as_ref()));
            }
            Id::Lasting => {
                self.armed = false;
                let Some(unit) = self.service(context) else {
                    self.later.ask(None);
                    return Outcome::Say(self.why_not_later(context));
                };
                return Outcome::Perform(self.later.turn(Some(&unit)));
            }
            Id::Rule => {
                self.armed = false;
                let value = self.parsed().ok();
                return value.map_or(Outcome::Stay, |value| {
                    Outcome::MakeRule(self.main.clone(), value)
                });
            }
            Id::Protect => self.lean(Lean::Protect),
            Id::Expend => self.lean(Lean::Expend),
            Id::Legacy => {
                self.legacy = !self.legacy;
                self.chosen = None;
                self.end = None;
                self.value.set("");
            }
            _ => {}
        }
        self.armed = false;
        Outcome::Stay
    }

    fn on_text(&mut self, key: Key, _: &DialogContext<'_>) -> Outcome {
        if self.waiting.is_none() {
            self.edit(key);
            self.armed = false;
        }
        Outcome::Stay
    }

    fn question(&self) -> usize {
        (self.scope * 2 + usize::from(self.armed)) * Later::QUESTIONS + self.later.question()
    }

    fn on_paste(&mut self, text: &str) {
        self.armed = false;
        if std::mem::take(&mut self.fresh) {
            self.value.set("");
        }
        self.chosen = None;
        self.end = None;
        self.value.paste(text);
    }

    fn asked(&mut self, id: WriteId) {
        self.waiting = Some(id);
    }

    fn waiting(&self) -> Option<WriteId> {
        self.waiting
    }

    fn targets(&self) -> Vec<ProcessId> {
        let targets = self.scopes.iter().flat_map(|scope| &scope.targets);
        let mut targets: Vec<_> = targets.map(|target| target.id).collect();
        // The scopes overlap.
        targets.sort_unstable();
        targets.dedup();
        targets
    }

    fn on_written(&mut self, plans: &[PlanReceipt]) -> Outcome {
        self.waiting = None;
        self.armed = false;
        let steps = || plans.iter().flat_map(|plan| &plan.steps);
        if steps().all(|receipt| receipt.failure().is_none()) {
            return Outcome::Close;
        }
        let targets = self.targets();
        let lines = plans.iter().flat_map(|plan| match plan.steps.as_slice() {
            [only] if matches!(only.step, Step::Adj { .. }) => vec![result_line(only, targets)],
            _ => result_lines(plan),
        });
        self.result = lines.collect();
        Outcome::Stay
    }

    fn on_drop_in(&mut self, unit: &UnitName, lasting: Lasting, found: &Result<Found, String>) {
        self.later.arrived(unit, lasting, found);
        self.armed = false;
    }

    fn view(&self, context: &DialogContext<'_>) -> DialogView {
        view::view(self, context)
    }
}

impl AdjustDialog {
    /// Goes to the next value in this direction from the value in the field.
    fn lean(&mut self, lean: Lean) {
        let start = lean.start(self.parsed().ok());
        self.chosen = start.chosen;
        self.fresh = true;
        self.legacy = false;
        self.value.set(start.value.to_string());
        self.end = start.end;
    }

    /// A key that types: the first one replaces the value of the chosen level.
    fn edit(&mut self, key: Key) {
        let typed = key.typed();
        if typed.is_some_and(|c| !(c.is_ascii_digit() || c == '-' || c == '+')) {
            return;
        }
        if typed.is_some() && self.fresh {
            self.value.set("");
        }
        if self.value.on_key(key) {
            self.chosen = None;
            self.fresh = false;
            self.end = None;
        }
    }
}

/// One target of many can fail: then each is named with its result.
fn result_line(receipt: &StepReceipt, targets: &[Pinned]) -> Line {
    let target = receipt.step.processes().first().copied();
    let target = targets.iter().find(|pinned| Some(pinned.id) == target);
    let name = target.map_or_else(String::new, ToString::to_string);
    match (
        receipt.failure(),
        receipt.outcome.as_ref().ok().and_then(Reading::adj),
    ) {
        (Some(failure), _) => Line::of(Tone::Critical, format!("{name}: {}", failure.sentence)),
        (None, now) => {
            let now = now.map_or_else(String::new, |value| format!(" → {value}"));
            Line::of(Tone::Good, "done  ").add(Tone::Normal, format!("{name}{now}"))
        }
    }
}
