//! The undo dialog: what the key takes back, before it does, and what kept it from being done. Closing it ends the wait for an
//! undo.

use super::cgroup::steps::{result_lines, step_text};
use super::{Dialog, DialogContext, DialogView, Outcome};
use crate::app::input::id::ActionId as Id;
use crate::app::input::scope::KeyScope;
use crate::app::msg::WriteId;
use crate::model::plan::Plan;
use crate::model::plan::receipt::{FailureKind, PlanReceipt};
use crate::model::plan::step::Step;
use crate::model::process::ProcessId;
use crate::text::tone::{Line, Tone};

/// Asks before a write is taken back.
#[derive(Debug)]
pub struct UndoDialog {
    /// The write that is taken back.
    of: WriteId,
    /// The change in a few words: `mysqld -200 → 0`.
    what: String,
    /// The steps that take it back.
    steps: Vec<String>,
    /// Whom they are about.
    targets: Vec<ProcessId>,
    /// What has changed since the write, or the harm that the undo does.
    warning: Option<String>,
    /// The undo that was asked for.
    waiting: Option<WriteId>,
    /// What came of the steps, if one of them failed.
    result: Vec<Line>,
}

/// Most steps shown one by one.
const NAMED: usize = 8;

impl UndoDialog {
    /// Opens for a write.
    pub fn new(of: WriteId, what: String, plans: &[Plan], warning: Option<String>) -> Self {
        let steps = || plans.iter().flat_map(|plan| &plan.steps);
        let targets = steps().flat_map(Step::processes).copied();
        Self {
            of,
            what,
            steps: steps().map(step_text).collect(),
            targets: targets.collect(),
            warning,
            waiting: None,
            result: Vec::new(),
        }
    }
}

impl Dialog for UndoDialog {
    fn scope(&self) -> KeyScope {
        KeyScope::Undo
    }

    fn on_action(&mut self, action: Id, context: &DialogContext<'_>) -> Outcome {
        match action {
            Id::Back => Outcome::Close,
            Id::Commit if self.waiting.is_some() => Outcome::Stay,
            // It failed for good.
            Id::Commit if context.undo.find(self.of).is_none() => Outcome::Close,
            Id::Commit => Outcome::TakeBack(self.of, self.warning.clone()),
            _ => Outcome::Stay,
        }
    }

    fn question(&self) -> usize {
        usize::from(self.warning.is_some()) * 2 + usize::from(!self.result.is_empty())
    }

    fn asked(&mut self, id: WriteId) {
        self.waiting = Some(id);
        self.result.clear();
    }

    fn waiting(&self) -> Option<WriteId> {
        self.waiting
    }

    fn targets(&self) -> Vec<ProcessId> {
        self.targets.clone()
    }

    fn on_written(&mut self, plans: &[PlanReceipt]) -> Outcome {
        self.waiting = None;
        let mut failures = plans.iter().filter_map(PlanReceipt::failure).peekable();
        // The key asks anew about what has changed.
        let is_changed = |failure: &FailureKind| *failure == FailureKind::Changed;
        let is_done = failures.peek().is_none();
        if is_done || failures.any(|failure| is_changed(&failure.kind)) {
            return Outcome::Close;
        }
        self.result = plans.iter().flat_map(result_lines).take(NAMED).collect();
        Outcome::Stay
    }

    fn view(&self, context: &DialogContext<'_>) -> DialogView {
        let mut lines: Vec<_> = self
            .steps
            .iter()
            .take(NAMED)
            .map(|step| Line::of(Tone::Strong, step.as_str()))
            .collect();
        if self.steps.len() > NAMED {
            let more = self.steps.len() - NAMED;
            lines.push(Line::of(Tone::Dim, format!("… and {more} more")));
        }
        if !self.result.is_empty() {
            lines.clone_from(&self.result);
        } else if self.waiting.is_some() {
            lines.push(Line::of(Tone::Dim, "taking it back …"));
        }
        let warning = self.warning.as_ref();
        let warning = warning.map(|text| Line::of(Tone::Watch, text.as_str()));
        let can_try = self.waiting.is_none() && context.undo.find(self.of).is_some();
        let what = if self.result.is_empty() {
            "take it back"
        } else {
            "try again"
        };
        DialogView {
            title: format!("Undo {}", self.what),
            hints: context
                .hints(self.scope())
                .on_if(can_try, &[Id::Commit], what)
                .leave(),
            ..DialogView::default()
        }
        .text(warning.into_iter().collect())
        .text(lines)
    }
}
