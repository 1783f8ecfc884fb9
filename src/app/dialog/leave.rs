//! The question before oomtop ends while something that it has frozen still stands still.

use super::{Dialog, DialogContext, DialogView, Outcome};
use crate::app::dialog::cgroup::steps::{result_lines, step_text};
use crate::app::input::id::ActionId as Id;
use crate::app::input::scope::KeyScope;
use crate::app::msg::WriteId;
use crate::model::plan::Plan;
use crate::model::plan::receipt::PlanReceipt;
use crate::text::tone::{Line, Tone};

/// Most steps shown one by one.
const NAMED: usize = 6;

/// Asks whether to thaw before oomtop ends.
#[derive(Debug)]
pub struct LeaveDialog {
    /// What lets everything run on.
    thaw: Vec<Plan>,
    waiting: Option<WriteId>,
    failed: Vec<Line>,
}

impl LeaveDialog {
    /// Opens with the plans that thaw everything.
    pub fn new(thaw: Vec<Plan>) -> Self {
        Self {
            thaw,
            waiting: None,
            failed: Vec::new(),
        }
    }
}

impl Dialog for LeaveDialog {
    fn scope(&self) -> KeyScope {
        KeyScope::Leave
    }

    fn on_action(&mut self, action: Id, _: &DialogContext<'_>) -> Outcome {
        match action {
            Id::Back => Outcome::Close,
            Id::Quit => Outcome::Quit,
            Id::Commit if self.waiting.is_none() => {
                self.failed.clear();
                Outcome::Write(self.thaw.clone())
            }
            _ => Outcome::Stay,
        }
    }

    fn asked(&mut self, id: WriteId) {
        self.waiting = Some(id);
    }

    fn waiting(&self) -> Option<WriteId> {
        self.waiting
    }

    fn on_written(&mut self, plans: &[PlanReceipt]) -> Outcome {
        self.waiting = None;
        // What is gone needs no thawing.
        let failed = plans.iter().filter(|plan| {
            let failure = plan.failure();
            failure.is_some_and(|failure| !failure.kind.is_final())
        });
        self.failed = failed.flat_map(result_lines).collect();
        if self.failed.is_empty() {
            Outcome::Quit
        } else {
            Outcome::Stay
        }
    }

    fn view(&self, context: &DialogContext<'_>) -> DialogView {
        let steps: Vec<_> = self.thaw.iter().flat_map(|plan| &plan.steps).collect();
        let mut lines: Vec<_> = steps
            .iter()
            .take(NAMED)
            .map(|step| Line::of(Tone::Strong, step_text(step)))
            .collect();
        if steps.len() > NAMED {
            let more = steps.len() - NAMED;
            lines.push(Line::of(Tone::Dim, format!("… and {more} more")));
        }
        DialogView {
            title: "Quit while something is frozen".to_owned(),
            hints: context
                .hints(self.scope())
                .on(&[Id::Commit], "thaw and quit")
                .on(&[Id::Quit], "quit, leave it frozen")
                .on(&[Id::Back], "stay")
                .list(),
            ..DialogView::default()
        }
        .text(vec![Line::of(
            Tone::Watch,
            "oomtop has frozen this, and it stands still until somebody thaws it:",
        )])
        .text(lines)
        .text(self.failed.clone())
    }
}
