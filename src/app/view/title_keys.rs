//! Keys in the titles of panes: what can be done there. Pure arithmetic for clicks and the screen alike.

use ratatui::layout::Rect;

use crate::app::State;
use crate::app::input::id::ActionId;
use crate::app::view::keybar::KeyLabel;
use crate::app::view::layout::Pane;
use crate::text::cells::cells;

/// A title with room for keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Title {
    /// The processes, or the domains in their place.
    Table,
    /// The OOM events.
    Events,
    /// Memory used, as a graph.
    History,
    /// The most urgent domains.
    Domains,
    /// The selected row in words.
    Selected,
}

/// Blanks between two keys.
const GAP: u16 = 2;
/// Cells around the keys: a dash and a blank before them, a blank and a dash behind.
const AROUND: u16 = 4;

impl Title {
    /// A narrower title has no keys: they must not cut what it says.
    fn least_width(self) -> u16 {
        match self {
            Self::Table => 100,
            Self::Events => 118,
            Self::History | Self::Domains => 56,
            Self::Selected => 48,
        }
    }

    /// The actions and their words: what the key does now, not what it does at other times.
    fn actions(self, state: &State) -> &'static [(ActionId, &'static str)] {
        use ActionId as Id;
        let has_keyboard = |pane| state.focus == pane;
        match self {
            Self::Table if !has_keyboard(Pane::Processes) => &[(Id::NextPane, "select")],
            Self::Table if state.domains.open => match state.domains.selected_fold() {
                Some(true) => &[(Id::Details, "hide")],
                Some(false) => &[(Id::Details, "show")],
                None => &[(Id::Zoom, "its processes"), (Id::Details, "details")],
            },
            Self::Table => match (state.table.tree, state.table.zoom) {
                (false, None) => &[(Id::Tree, "tree"), (Id::Zoom, "its domain")],
                (false, Some(_)) => &[(Id::Tree, "tree"), (Id::Zoom, "all")],
                (true, None) => &[(Id::Tree, "list"), (Id::Zoom, "its domain")],
                (true, Some(_)) => &[(Id::Tree, "list"), (Id::Zoom, "all")],
            },
            Self::Events if has_keyboard(Pane::Events) => {
                &[(Id::Details, "explain"), (Id::Filter, "filter")]
            }
            Self::Events => &[(Id::Events, "select")],
            Self::History => &[(Id::Ledger, "what holds it")],
            Self::Domains if state.domains.open => &[(Id::Domains, "processes")],
            Self::Domains => &[(Id::Domains, "all")],
            Self::Selected => &[(Id::Details, "more")],
        }
    }
}

impl State {
    /// The keys that a title of this area offers, if there is room, each in its cells of the screen, the last one at the
    /// right end. None while a prompt is open: there keys type text.
    pub(super) fn offered_keys(&self, title: Title, area: Rect) -> Vec<KeyLabel> {
        let is_small = area.height == 0 || area.width < title.least_width();
        if self.prompt.is_some() || is_small {
            return Vec::new();
        }
        let scope = self.pane_scope();
        let label = |(action, words): &(ActionId, &str)| {
            let key = self.keymap.key_in(scope, *action)?.to_string();
            let label = format!(" {words}");
            let width = cells(&key, self.settings.ascii) + cells(&label, self.settings.ascii);
            Some(KeyLabel {
                action: *action,
                key,
                label,
                x: 0,
                width: u16::try_from(width).ok()?,
            })
        };
        let mut keys: Vec<_> = title.actions(self).iter().filter_map(label).collect();
        let mut end = area.right() - AROUND / 2;
        for key in keys.iter_mut().rev() {
            key.x = end.saturating_sub(key.width);
            end = key.x.saturating_sub(GAP);
        }
        keys
    }
}

/// Cells of a title that its keys take.
pub(super) fn taken(keys: &[KeyLabel], area: Rect) -> u16 {
    let first = keys.first();
    first.map_or(0, |key| (area.right() - key.x).saturating_add(AROUND / 2))
}
