//! The function bar: which keys it names and where each stands. Pure arithmetic, used by update (clicks) and by the screen
//! alike: a click does what the label under it says.

use crate::app::State;
use crate::app::input::action::{Action, Group, Label};
use crate::app::input::id::ActionId;
use crate::text::cells::cells;

/// Blanks between two of them: one where the room is better used for one more key.
fn gap(width: u16) -> u16 {
    if width < 100 { 1 } else { 2 }
}

/// A key and what it does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyLabel {
    /// The action.
    pub action: ActionId,
    /// The name of its key.
    pub key: String,
    /// A word or two, with the blank before them.
    pub label: String,
    /// The first cell.
    pub x: u16,
    /// Cells of key and label.
    pub width: u16,
}

impl State {
    /// The keys that fit into so many cells, from the action table; the key to quit always fits.
    pub fn keybar(&self, width: u16) -> Vec<KeyLabel> {
        let mut actions: Vec<_> = self.keymap.actions().collect();
        if self.replay.is_some() {
            // What a replay is for comes before what every screen has, but for the help.
            actions
                .sort_by_key(|action| action.id != ActionId::Help && action.group != Group::Time);
        }
        let all: Vec<_> = actions
            .into_iter()
            .filter_map(|action| self.key_label(action))
            .collect();
        let gap = gap(width);
        let last = all.last().map_or(0, |label| label.width + gap);
        let mut x: u16 = 0;
        let mut shown = Vec::new();
        for (at, mut label) in all.iter().cloned().enumerate() {
            let kept = if at + 1 == all.len() { 0 } else { last };
            if x.saturating_add(label.width + gap).saturating_add(kept) > width {
                continue;
            }
            label.x = x;
            x += label.width + gap;
            shown.push(label);
        }
        shown
    }

    /// Key and words of an action that the bar shows now.
    fn key_label(&self, action: &Action) -> Option<KeyLabel> {
        if action.writes() && self.settings.read_only {
            return None;
        }
        let scope = self.pane_scope();
        let label = match action.place(scope)?.label {
            Label::Hidden => return None,
            Label::Words(words) => words.to_owned(),
            Label::Of(words) => words(self)?,
        };
        let label = format!(" {label}");
        let key = self.keymap.key_in(scope, action.id)?.to_string();
        let ascii = self.settings.ascii;
        let width = cells(&key, ascii) + cells(&label, ascii);
        Some(KeyLabel {
            action: action.id,
            key,
            label,
            x: 0,
            width: u16::try_from(width).unwrap_or(u16::MAX / 2),
        })
    }
}
