//! The loop: take every message there is, then draw at most one frame.

use std::ffi::OsString;
use std::io;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU8, Ordering};

use tokio::sync::mpsc;
use tokio::time::timeout;

use super::clock::now;
use super::effects::Performer;
use super::terminal::Screen;
use crate::app::State;
use crate::app::msg::{Control, Msg, Reaction};
use crate::app::update::update;
use crate::ui::theme::Theme;

/// Messages taken before a frame is drawn, however many more are waiting: a flood of log records must
/// not stop the screen.
const BATCH: usize = 256;

/// Runs until the state asks to leave. Returns the exit status.
pub(super) async fn run(
    screen: &mut Screen,
    mut state: State,
    theme: &Theme,
    mut inbox: mpsc::Receiver<Msg>,
    performer: Performer,
    ended_by: &AtomicU8,
) -> io::Result<u8> {
    draw(screen, &state, theme)?;
    let mut batch = Vec::with_capacity(BATCH);
    loop {
        // Only as often as something is due: a wakeup ten times a second would cost more than a frame.
        let waited = timeout(state.quiet_for(), inbox.recv_many(&mut batch, BATCH)).await;
        if waited == Ok(0) {
            return Ok(0);
        }
        // The state learns the time first.
        for msg in std::iter::once(Msg::Tick(now())).chain(batch.drain(..)) {
            test_panic("update");
            let Reaction { effects, control } = update(&mut state, msg);
            for effect in effects {
                performer.perform(effect);
            }
            match control {
                None => {}
                Some(Control::Quit) => return Ok(exit_status(ended_by)),
                Some(Control::Suspend) => {
                    screen.suspend()?;
                    if let Ok((width, height)) = crossterm::terminal::size() {
                        update(&mut state, Msg::Resized(width, height));
                    }
                }
                Some(Control::Redraw) => screen.redraw()?,
                Some(Control::Retake) => screen.retake()?,
            }
        }
        if std::mem::take(&mut state.changed) {
            draw(screen, &state, theme)?;
        }
    }
}

/// 0 for the user's own wish, 128 + n for signal n, as shells count.
fn exit_status(ended_by: &AtomicU8) -> u8 {
    match ended_by.load(Ordering::SeqCst) {
        0 => 0,
        signal => 128 + signal,
    }
}

fn draw(screen: &mut Screen, state: &State, theme: &Theme) -> io::Result<()> {
    screen.terminal.draw(|frame| {
        test_panic("draw");
        let area = frame.area();
        let cursor = crate::ui::Screen { state, theme }.draw(area, frame.buffer_mut());
        if let Some(position) = cursor {
            frame.set_cursor_position(position);
        }
    })?;
    Ok(())
}

/// Panics where `OOMTOP_TEST_PANIC` says: the tests of the terminal's restoration need a real one.
fn test_panic(place: &str) {
    static WANTED: OnceLock<Option<OsString>> = OnceLock::new();
    let wanted = WANTED.get_or_init(|| std::env::var_os("OOMTOP_TEST_PANIC"));
    assert!(
        wanted.as_ref().is_none_or(|wanted| wanted != place),
        "OOMTOP_TEST_PANIC={place}"
    );
}
