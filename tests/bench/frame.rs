//! A frame of 200x50 cells, drawn and compared with the previous frame, as the dashboard does.

use std::io::{self, Write};
use std::sync::Arc;

use oomtop::app::State;
use oomtop::app::msg::Msg;
use oomtop::app::settings::Settings;
use oomtop::app::update::update;
use oomtop::ui::Screen;
use oomtop::ui::theme::Theme;
use ratatui::Terminal;
use ratatui::TerminalOptions;
use ratatui::Viewport;
use ratatui::backend::CrosstermBackend;
use ratatui::layout::Rect;

use crate::rank::samples;
use crate::scene;
use crate::timer::Timer;

const CELLS: usize = 200 * 50;

/// Takes the bytes and forgets them.
struct Nowhere;

impl Write for Nowhere {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

pub(crate) fn run(timer: &mut Timer) {
    let theme = Theme::mono();
    let area = Rect::new(0, 0, 200, 50);
    let options = TerminalOptions {
        viewport: Viewport::Fixed(area),
    };
    let mut terminal = Terminal::with_options(CrosstermBackend::new(Nowhere), options)
        .expect("no terminal is asked for its size");
    let size = (area.width, area.height);
    let mut state = State::new(Settings::default(), scene::host(), size, scene::moment(0));
    let samples = samples(10_000);
    update(&mut state, Msg::Sampled(Arc::clone(&samples[0])));
    let mut draw = |state: &State| {
        let frame = terminal.draw(|frame| {
            let area = frame.area();
            Screen {
                state,
                theme: &theme,
            }
            .draw(area, frame.buffer_mut());
        });
        frame.expect("drawn").area.area()
    };
    timer.time("frame: 200x50, nothing has changed", || {
        assert_eq!(draw(&state), 10_000);
        CELLS
    });
    let mut at = 0;
    timer.time(
        "frame: 200x50, after a sample (the sample included)",
        || {
            at += 1;
            let sample = &samples[at % samples.len()];
            update(&mut state, Msg::Sampled(Arc::clone(sample)));
            draw(&state);
            CELLS
        },
    );
}
