//! The settings panel: who acts first when memory runs out, and how the kernel's settings affect that.
//! Read-only.

mod killers;
mod swap;
mod values;
mod wakes;

use super::scroll::Scroll;
use super::{Dialog, DialogContext, DialogView, Outcome};
use crate::app::input::id::ActionId as Id;
use crate::app::input::scope::KeyScope;
use crate::text::tone::{Line, Tone};

pub use killers::short_rule;

/// Shows what decides how the next OOM goes.
#[derive(Debug, Default)]
pub struct SettingsDialog {
    scroll: Scroll,
}

impl Dialog for SettingsDialog {
    fn scope(&self) -> KeyScope {
        KeyScope::Settings
    }

    fn on_action(&mut self, action: Id, context: &DialogContext<'_>) -> Outcome {
        match action {
            Id::Back | Id::Commit | Id::Settings => return Outcome::Close,
            _ => {
                self.scroll.on_action(action, &self.view(context), context);
            }
        }
        Outcome::Stay
    }

    fn view(&self, context: &DialogContext<'_>) -> DialogView {
        DialogView {
            title: "What decides the next OOM".to_owned(),
            hints: context
                .hints(self.scope())
                .on(&[Id::Up, Id::Down, Id::PageUp, Id::PageDown], "scroll")
                .leave(),
            scroll: self.scroll.first(),
            ..DialogView::default()
        }
        .text(lines(context))
    }
}

fn lines(context: &DialogContext<'_>) -> Vec<Line> {
    let snapshot = context.cells.snapshot;
    if snapshot.seq == 0 {
        return vec![Line::of(Tone::Dim, "reading …")];
    }
    let mut lines = vec![Line::of(Tone::Accent, "Who acts first")];
    lines.extend(killers::lines(context));
    lines.push(Line::new());
    lines.push(Line::of(Tone::Accent, "What the kernel does then"));
    let mut settings = values::kernel(context);
    settings.extend(swap::settings(context));
    for setting in settings {
        lines.push(
            Line::of(Tone::Strong, format!("  {:<26}", setting.name))
                .add(setting.tone, setting.value),
        );
        lines.push(Line::of(
            if setting.tone == Tone::Normal {
                Tone::Dim
            } else {
                setting.tone
            },
            format!("    {}", setting.means),
        ));
    }
    lines.push(Line::new());
    lines.extend(wakes::lines(context));
    lines
}

/// One setting: its name, its value, and its effect on the next OOM.
struct Setting {
    name: &'static str,
    value: String,
    /// [`Tone::Normal`] for a value that surprises nobody.
    tone: Tone,
    means: String,
}

impl Setting {
    fn new(name: &'static str, value: impl Into<String>, means: impl Into<String>) -> Self {
        Self {
            name,
            value: value.into(),
            tone: Tone::Normal,
            means: means.into(),
        }
    }

    /// Highlights a number that surprises or could not be read.
    fn odd(self, odd: bool) -> Self {
        Self {
            tone: if odd { Tone::Watch } else { self.tone },
            ..self
        }
    }

    /// The sentence for a value, or a sentence that the value could not be read.
    fn of(
        name: &'static str,
        value: Option<u64>,
        means: impl FnOnce(u64) -> (bool, String),
    ) -> Self {
        match value {
            Some(value) => {
                let (odd, means) = means(value);
                Self::new(name, value.to_string(), means).odd(odd)
            }
            None => Self::new(
                name,
                "n/a",
                "its file cannot be read (not on this kernel, or no permission)",
            ),
        }
    }
}
