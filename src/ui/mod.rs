//! State to buffer. Nothing here sorts, filters, measures time or remembers: [`Screen`] reads the
//! state and the theme and fills cells.
//!
//! ```text
//!  title ───────────────────────────────────────────────
//!  Mem / PSI / trend / next victim           header/, gauge.rs, history.rs
//!  alarms, the most urgent domains           header/, from app/view/attention.rs
//!  what oomtop has frozen
//!  ─ Processes ─────────────────── │ ─ Memory used ─      side.rs, from 160 columns on
//!  columns, rows                   │ graph                table.rs, domains.rs, both with pane.rs
//!  the domains below a short table │                      below.rs
//!  ─ OOM events ────────────────── │ ─ OOM domains ─
//!  rows                            │ ─ Selected ─         events.rs
//!  time line of a recording                  timeline.rs
//!  notice, or what the keys act on           footer.rs
//!  keys or prompt                            footer.rs
//!            ┌ dialog ┐  on top              dialog.rs
//! ```

mod below;
pub mod canvas;
pub mod dialog;
pub mod domains;
pub mod events;
pub mod fleet;
pub mod footer;
pub mod gauge;
pub mod header;
mod history;
mod pane;
mod past;
mod side;
pub mod table;
pub mod theme;
mod timeline;

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::widgets::Widget;

use crate::app::State;
use canvas::Canvas;
use theme::Theme;

/// The whole screen.
#[derive(Debug, Clone, Copy)]
pub struct Screen<'a> {
    /// What to show.
    pub state: &'a State,
    /// How it looks.
    pub theme: &'a Theme,
}

impl Screen<'_> {
    /// Draws everything; returns where the text cursor belongs, if something is being typed.
    pub fn draw(&self, area: Rect, buffer: &mut Buffer) -> Option<Position> {
        let mut canvas = Canvas::new(buffer, self.theme, self.state.settings.ascii);
        let panes = self.state.panes();
        let ground = self.theme.ground();
        canvas.shade(area, ground);
        // The size the state knows may be a resize behind the buffer: never draw outside.
        if panes.screen.intersection(area) != panes.screen {
            return None;
        }
        header::draw(self.state, &panes, &mut canvas);
        if let Some(banner) = self.state.frozen_banner() {
            canvas.line(panes.banner, &banner);
        }
        if self.state.domains.open {
            domains::draw(self.state, &panes, &mut canvas);
        } else {
            table::draw(self.state, &panes, &mut canvas);
            below::draw(self.state, &panes, &mut canvas);
        }
        events::draw(self.state, &panes, &mut canvas);
        side::draw(self.state, &panes, &mut canvas);
        timeline::draw(self.state, panes.timeline, &mut canvas);
        let cursor = footer::draw(self.state, &panes, &mut canvas);
        let mut in_dialog = None;
        for depth in 0..self.state.dialogs.len() {
            let Some(view) = self.state.dialog_view(depth) else {
                break;
            };
            in_dialog = dialog::draw(&view, panes.screen, &mut canvas);
        }
        if self.state.dialogs.is_empty() {
            cursor
        } else {
            in_dialog
        }
    }
}

impl Widget for &Screen<'_> {
    fn render(self, area: Rect, buffer: &mut Buffer) {
        self.draw(area, buffer);
    }
}
