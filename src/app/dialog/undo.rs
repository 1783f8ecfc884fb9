//! The undo dialog: what the key takes back, before it does.

use super::{Dialog, DialogContext, DialogView, Outcome};
use crate::app::input::id::ActionId as Id;
use crate::app::input::scope::KeyScope;
use crate::app::msg::WriteId;
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
    /// What has changed since the write, or the harm that the undo does.
    warning: Option<String>,
}

/// Most steps shown one by one.
const NAMED: usize = 8;

impl UndoDialog {
    /// Opens for a write.
    pub fn new(of: WriteId, what: String, steps: Vec<String>, warning: Option<String>) -> Self {
        Self {
            of,
            what,
            steps,
            warning,
        }
    }
}

impl Dialog for UndoDialog {
    fn scope(&self) -> KeyScope {
        KeyScope::Undo
    }

    fn on_action(&mut self, action: Id, _: &DialogContext<'_>) -> Outcome {
        match action {
            Id::Back => Outcome::Close,
            Id::Commit => Outcome::TakeBack(self.of, self.warning.clone()),
            _ => Outcome::Stay,
        }
    }

    fn question(&self) -> usize {
        usize::from(self.warning.is_some())
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
        let warning = self.warning.as_ref();
        let warning = warning.map(|text| Line::of(Tone::Watch, text.as_str()));
        DialogView {
            title: format!("Undo {}", self.what),
            hints: context
                .hints(self.scope())
                .on(&[Id::Commit], "take it back")
                .leave(),
            ..DialogView::default()
        }
        .text(warning.into_iter().collect())
        .text(lines)
    }
}
