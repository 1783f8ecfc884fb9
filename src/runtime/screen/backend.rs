//! [`ScreenBackend`]: crossterm's back end, which asks the terminal on standard output for its size.

use std::io::{self, Stdout, stdout};

use ratatui::backend::{Backend, ClearType, CrosstermBackend, WindowSize};
use ratatui::buffer::Cell;
use ratatui::layout::{Position, Size};

use super::whole_frames::WholeFrames;

/// What ratatui draws on. crossterm opens `/dev/tty` for the size of each frame; standard output is the terminal already
/// (ioctl_tty(2), `TIOCGWINSZ`).
#[derive(Debug)]
pub struct ScreenBackend(CrosstermBackend<WholeFrames<Stdout>>);

impl ScreenBackend {
    /// Draws on standard output.
    pub(super) fn new() -> Self {
        Self(CrosstermBackend::new(WholeFrames::new(stdout())))
    }
}

impl Backend for ScreenBackend {
    type Error = io::Error;

    fn size(&self) -> io::Result<Size> {
        match rustix::termios::tcgetwinsize(stdout()) {
            Ok(size) if size.ws_col > 0 && size.ws_row > 0 => {
                Ok(Size::new(size.ws_col, size.ws_row))
            }
            _ => self.0.size(),
        }
    }

    fn draw<'a, I>(&mut self, content: I) -> io::Result<()>
    where
        I: Iterator<Item = (u16, u16, &'a Cell)>,
    {
        self.0.draw(content)
    }

    fn append_lines(&mut self, lines: u16) -> io::Result<()> {
        self.0.append_lines(lines)
    }

    fn hide_cursor(&mut self) -> io::Result<()> {
        self.0.hide_cursor()
    }

    fn show_cursor(&mut self) -> io::Result<()> {
        self.0.show_cursor()
    }

    fn get_cursor_position(&mut self) -> io::Result<Position> {
        self.0.get_cursor_position()
    }

    fn set_cursor_position<P: Into<Position>>(&mut self, position: P) -> io::Result<()> {
        self.0.set_cursor_position(position)
    }

    fn clear(&mut self) -> io::Result<()> {
        self.0.clear()
    }

    fn clear_region(&mut self, clear: ClearType) -> io::Result<()> {
        self.0.clear_region(clear)
    }

    fn window_size(&mut self) -> io::Result<WindowSize> {
        self.0.window_size()
    }

    fn flush(&mut self) -> io::Result<()> {
        Backend::flush(&mut self.0)
    }
}
