//! [`Saving`]: how far the settings dialog has come with the user's file, and the change as lines.

use crate::app::dialog::{DialogContext, DialogView};
use crate::app::input::id::ActionId as Id;
use crate::app::input::scope::KeyScope;
use crate::app::msg::FileId;
use crate::app::settings::draft::{Changed, Draft};
use crate::text::tone::{Line, Tone};

/// How far saving has come.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Saving {
    /// Nobody asked.
    No,
    /// Waits for the draft of this id.
    Asked(FileId),
    /// Shows the draft.
    Shown(Draft),
    /// Waits for the end of the write of this id.
    Writing(FileId),
}

/// Most lines of a change that are shown.
const SHOWN: usize = 16;

impl Saving {
    /// True while the file is read or written.
    pub(super) fn waits(&self) -> bool {
        matches!(self, Self::Asked(_) | Self::Writing(_))
    }
}

/// Asks whether the file shall be changed so.
pub(super) fn question(draft: &Draft, context: &DialogContext<'_>) -> DialogView {
    let what = if draft.before.is_some() {
        "Change"
    } else {
        "Create"
    };
    DialogView {
        title: format!("{what} {}", draft.path.display()),
        hints: context
            .hints(KeyScope::Setup)
            .on(&[Id::Commit], "write it")
            .back("back")
            .list(),
        ..DialogView::default()
    }
    .text(change(draft))
}

/// The lines that a draft changes, and what to know of it.
fn change(draft: &Draft) -> Vec<Line> {
    let mut lines: Vec<_> = draft
        .diff()
        .into_iter()
        .map(|line| match line {
            Changed::Kept(text) => Line::of(Tone::Dim, format!("  {text}")),
            Changed::Gone(text) => Line::of(Tone::Danger, format!("- {text}")),
            Changed::New(text) => Line::of(Tone::Good, format!("+ {text}")),
        })
        .collect();
    if lines.len() > SHOWN {
        let more = lines.len() - SHOWN;
        lines.truncate(SHOWN);
        lines.push(Line::of(Tone::Dim, format!("… and {more} more lines")));
    }
    let notes = draft.notes.iter();
    lines.extend(notes.map(|note| Line::of(Tone::Watch, note.as_str())));
    lines
}
