//! What of a title there is room for: the same for clicks and the screen.

use ratatui::layout::Rect;

use crate::app::State;
use crate::app::input::id::ActionId;
use crate::app::view::keybar::KeyLabel;
use crate::app::view::layout::Panes;
use crate::app::view::said::Said;
use crate::app::view::title_keys::{Title, taken};
use crate::text::tone::Line;

/// Cells around words or a remark: a dash and a blank on either side.
const AROUND: usize = 4;

/// A title as it is drawn.
#[derive(Debug, Clone, Default)]
pub struct Fitted {
    /// On the left.
    pub words: Line,
    /// On the right, before the keys.
    pub remark: Line,
    /// At the right end.
    pub keys: Vec<KeyLabel>,
    /// Cells at the right end that the keys take.
    pub taken: u16,
}

impl State {
    /// What there is room for. Keys give way first, from the left, then the remark and words; what is in force and what is
    /// a count never does.
    pub fn fitted(&self, title: Title, area: Rect, mut said: Said) -> Fitted {
        let mut keys = self.offered_keys(title, area);
        let is_wide = |said: &Said, keys: &[KeyLabel]| {
            let remark = match said.remark().width() {
                0 => 0,
                width => width + AROUND - 1,
            };
            let room = usize::from(area.width.saturating_sub(taken(keys, area)));
            said.words().width() + AROUND + remark > room
        };
        while !keys.is_empty() && is_wide(&said, &keys) {
            keys.remove(0);
        }
        while is_wide(&said, &keys) && said.shorten() {}
        Fitted {
            words: said.words(),
            remark: said.remark(),
            taken: taken(&keys, area),
            keys,
        }
    }

    /// The keys in a title of this area, as they are drawn.
    pub fn title_keys(&self, title: Title, area: Rect) -> Vec<KeyLabel> {
        self.fitted(title, area, self.title_said(title, area)).keys
    }

    /// The titles on the screen.
    fn titles(&self, panes: &Panes) -> [(Title, Rect); 6] {
        // Before the first sample nothing is drawn there.
        let most = u16::from(self.snapshot.seq > 0);
        let first = |area: Rect| Rect {
            height: area.height.min(most),
            ..area
        };
        let below = if self.attention.nearest.is_empty() {
            Title::History
        } else {
            Title::Domains
        };
        [
            (Title::Table, panes.table_title),
            (Title::Events, panes.events_title),
            (below, first(panes.below)),
            (Title::History, first(panes.side.history)),
            (Title::Domains, first(panes.side.domains)),
            (Title::Selected, first(panes.side.details)),
        ]
    }

    /// The action of the key in a title in this cell.
    pub(in crate::app) fn title_key_at(
        &self,
        panes: &Panes,
        (x, y): (u16, u16),
    ) -> Option<ActionId> {
        let titles = self.titles(panes).into_iter();
        let mut here = titles.filter(|(_, area)| area.height > 0 && area.y == y);
        here.find_map(|(title, area)| {
            let keys = self.title_keys(title, area).into_iter();
            let mut under = keys.filter(|key| (key.x..key.x + key.width).contains(&x));
            Some(under.next()?.action)
        })
    }
}
