//! The history dialog: every write of this session, the newest first, and the undo of each.

use super::cgroup::steps::result_lines;
use super::{Dialog, DialogContext, DialogView, Outcome, Section, instead, step};
use crate::app::input::id::ActionId as Id;
use crate::app::input::scope::KeyScope;
use crate::app::msg::WriteId;
use crate::app::undo::Past;
use crate::app::view::events::row::stamp;
use crate::text::format::number_of;
use crate::text::tone::{Line, Tone};

/// Rows of the list.
const ROWS: usize = 10;

/// Most lines on the steps of the chosen write.
const STEPS: usize = 6;

/// Shows what oomtop has written.
#[derive(Debug)]
pub struct HistoryDialog {
    /// The chosen write: writes that arrive do not move the choice. `None`: there was none yet.
    chosen: Option<WriteId>,
}

impl HistoryDialog {
    /// Opens at the newest write.
    pub fn new(newest: Option<WriteId>) -> Self {
        Self { chosen: newest }
    }

    /// The place of the chosen write; the newest one if it was forgotten.
    fn at(&self, context: &DialogContext<'_>) -> usize {
        let mut past = context.undo.history().newest_first();
        past.position(|past| Some(past.id) == self.chosen)
            .unwrap_or(0)
    }

    fn past<'c>(&self, context: &DialogContext<'c>) -> Option<&'c Past> {
        let mut past = context.undo.history().newest_first();
        past.nth(self.at(context))
    }
}

impl Dialog for HistoryDialog {
    fn scope(&self) -> KeyScope {
        KeyScope::History
    }

    fn on_action(&mut self, action: Id, context: &DialogContext<'_>) -> Outcome {
        let mut past = context.undo.history().newest_first();
        let len = past.len();
        let to = match action {
            Id::Home => Some(0),
            Id::End => Some(len.saturating_sub(1)),
            Id::ReadOn => step(self.at(context), len, Id::PageDown),
            action => step(self.at(context), len, action),
        };
        if let Some(to) = to {
            self.chosen = past.nth(to).map(|past| past.id);
            return Outcome::Stay;
        }
        match action {
            Id::Back | Id::History => Outcome::Close,
            Id::Undo | Id::Commit => match self.past(context) {
                Some(past) => Outcome::AskUndo(past.id),
                None => Outcome::Close,
            },
            _ => Outcome::Stay,
        }
    }

    fn view(&self, context: &DialogContext<'_>) -> DialogView {
        let history = context.undo.history();
        let can_undo = self
            .past(context)
            .is_some_and(|past| is_open(past, context));
        let hints = context.hints(self.scope());
        let hints = if can_undo {
            hints.on(&[Id::Undo], "take this one back")
        } else {
            hints
        };
        let view = DialogView {
            title: "Writes of this session".to_owned(),
            hints: hints.on(&[Id::Up, Id::Down], "choose").leave(),
            steady: true,
            ..DialogView::default()
        };
        let Some(chosen) = self.past(context) else {
            return view.text(vec![Line::of(
                Tone::Dim,
                "oomtop has written nothing in this session.",
            )]);
        };
        let items = history.newest_first().map(|past| item(past, context));
        let forgotten = (history.forgotten() > 0).then(|| {
            let many = number_of(history.forgotten() as u64, "older write", "older writes");
            Line::of(Tone::Dim, format!("{many} forgotten"))
        });
        view.with(Section::Choices {
            items: items.collect(),
            selected: Some(self.at(context)),
            height: ROWS,
        })
        .text(forgotten.into_iter().collect())
        .gap()
        .text(steps(chosen))
        .text(vec![fate(chosen, context)])
        .text(instead::after(&chosen.plans, context).into_iter().collect())
    }
}

/// It can be taken back.
fn is_open(past: &Past, context: &DialogContext<'_>) -> bool {
    past.undone_by.is_none() && context.undo.find(past.id).is_some()
}

fn item(past: &Past, context: &DialogContext<'_>) -> Line {
    let what = match past {
        Past {
            undone_by: Some(_), ..
        } => ("undone  ", Tone::Dim),
        Past { failed: true, .. } => ("failed  ", Tone::Critical),
        Past {
            undo_of: Some(_), ..
        } => ("undo    ", Tone::Dim),
        _ => ("done    ", Tone::Good),
    };
    stamp(Some(past.at), context.aftermath.now)
        .add(what.1, what.0)
        .add(Tone::Normal, past.said.as_str())
}

fn steps(past: &Past) -> Vec<Line> {
    // What failed comes first.
    let all = past.plans.iter();
    let failed = all.clone().filter(|plan| plan.failure().is_some());
    let done = all.filter(|plan| plan.failure().is_none());
    let mut lines: Vec<_> = failed
        .chain(done)
        .flat_map(result_lines)
        .take(STEPS)
        .collect();
    let steps: usize = past.plans.iter().map(|plan| plan.steps.len()).sum();
    if steps > STEPS {
        lines.truncate(STEPS - 1);
        let more = steps + 1 - STEPS;
        lines.push(Line::of(Tone::Dim, format!("… and {more} more")));
    }
    lines
}

/// Whether the write still stands, and whether it can be taken back.
fn fate(past: &Past, context: &DialogContext<'_>) -> Line {
    let mut all = context.undo.history().newest_first();
    let mut when = |id: WriteId| {
        let found = all.find(|past| past.id == id);
        found.map_or_else(String::new, |past| format!(" at {}", past.at))
    };
    let text = match past {
        Past {
            undone_by: Some(by),
            ..
        } => format!("Taken back{}.", when(*by)),
        Past {
            undo_of: Some(of),
            failed: true,
            ..
        } => format!("Tried to take back the write{}.", when(*of)),
        Past {
            undo_of: Some(of), ..
        } => format!("Takes back the write{}.", when(*of)),
        past if is_open(past, context) => {
            let key = context.keymap.name_in(KeyScope::History, Id::Undo);
            format!("{key} takes it back.")
        }
        _ => "It cannot be taken back.".to_owned(),
    };
    Line::of(Tone::Dim, text)
}
