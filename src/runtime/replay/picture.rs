//! [`Picture`]: the last frame, while the state is on its way to another sample.

use std::io;

use ratatui::Terminal;
use ratatui::backend::Backend;
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use crate::app::State;
use crate::runtime::screen::terminal_error;
use crate::ui::Screen;
use crate::ui::theme::Theme;

/// What was on the screen when the way began. A state on its way is that of another time at each moment: only the time line
/// tells of it, unless a dialog or a prompt is open.
#[derive(Debug, Default)]
pub(super) struct Picture(Buffer);

impl Picture {
    /// Keeps what this state shows.
    pub(super) fn take(&mut self, state: &State, theme: &Theme) {
        let area = Rect::new(0, 0, state.size.0, state.size.1);
        self.0 = Buffer::empty(area);
        Screen { state, theme }.draw(area, &mut self.0);
    }

    /// Draws the picture with the time line of this state.
    ///
    /// # Errors
    /// If the terminal fails.
    pub(super) fn show<B>(
        &self,
        terminal: &mut Terminal<B>,
        state: &State,
        theme: &Theme,
    ) -> io::Result<()>
    where
        B: Backend,
        B::Error: Send + Sync + 'static,
    {
        let drawn = terminal.draw(|frame| {
            let area = frame.area();
            let cursor = Screen { state, theme }.draw(area, frame.buffer_mut());
            let types = !state.dialogs.is_empty() || state.prompt.is_some();
            if types || self.0.area != area {
                if let Some(position) = cursor {
                    frame.set_cursor_position(position);
                }
                return;
            }
            self.lay(frame.buffer_mut(), state.panes().timeline);
        });
        drawn.map(drop).map_err(terminal_error)
    }

    /// Lays the picture over all but these rows.
    fn lay(&self, buffer: &mut Buffer, kept: Rect) {
        for position in self.0.area.positions() {
            let Position { y, .. } = position;
            if (kept.y..kept.bottom()).contains(&y) {
                continue;
            }
            if let (Some(here), Some(old)) = (buffer.cell_mut(position), self.0.cell(position)) {
                here.clone_from(old);
            }
        }
    }
}
