//! [`run_loop`]: take the waiting messages, then draw at most one frame.

use std::error::Error;
use std::io;
use std::time::Duration;

use ratatui::Terminal;
use ratatui::backend::Backend;
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::app::State;
use crate::app::msg::{Control, Msg, Reaction};
use crate::app::update::update;
use crate::runtime::clock::now;
use crate::runtime::effects::Performer;
use crate::ui::theme::Themes;

/// Most messages taken before a frame is drawn: a flood of log records must not stop the screen.
const BATCH: usize = 256;

/// A terminal that takes longer for a frame is behind: nobody has seen the frame before its end.
const HELD_UP: Duration = Duration::from_millis(30);

/// How often one frame is drawn again because the terminal changed its size meanwhile.
const RESIZES: usize = 8;

/// What the loop does with a terminal besides drawing on it.
pub trait TerminalControl {
    /// Restores the terminal, stops this process as Ctrl-Z does, and takes the terminal over again when the
    /// process is continued.
    ///
    /// # Errors
    /// If the terminal cannot be taken over again.
    fn suspend(&mut self) -> io::Result<()>;

    /// Takes the terminal over again after SIGSTOP, which oomtop cannot see coming: the shell has set its own
    /// modes and written over the screen. Returns false if the terminal was ours all the time.
    ///
    /// # Errors
    /// If the terminal cannot be taken over again.
    fn retake(&mut self) -> io::Result<bool>;

    /// Keeps what is to be said of things that stay frozen once oomtop is gone, however it ends; an empty text:
    /// nothing. Called before anything is frozen.
    fn keep_word(&mut self, _word: &str) {}

    /// Listens to the mouse, or leaves it to the terminal.
    ///
    /// # Errors
    /// If the terminal takes no output.
    fn listen(&mut self, _mouse: bool) -> io::Result<()> {
        Ok(())
    }

    /// Sends SIGINT to the command that runs beside the screen, if there is one.
    fn interrupt(&mut self) {}
}

/// Runs until the state asks to quit, or until all senders are gone.
///
/// # Errors
/// If the terminal fails.
pub async fn run_loop<B>(
    terminal: &mut Terminal<B>,
    control: &mut impl TerminalControl,
    mut state: State,
    theme: &Themes,
    inbox: &mut mpsc::Receiver<Msg>,
    performer: &Performer,
) -> io::Result<()>
where
    B: Backend,
    B::Error: Send + Sync + 'static,
{
    draw(terminal, &mut state, theme)?;
    let mut batch = Vec::with_capacity(BATCH);
    let mut word = String::new();
    loop {
        // Wakes only when something is due: ten wakeups a second would cost more than a frame.
        let waited = timeout(state.quiet_for(), inbox.recv_many(&mut batch, BATCH)).await;
        if waited == Ok(0) {
            return Ok(());
        }
        for msg in std::iter::once(Msg::Tick(now())).chain(batch.drain(..)) {
            let Reaction {
                effects,
                control: asked,
            } = update(&mut state, msg);
            let now = state.frozen.word();
            if now != word {
                control.keep_word(&now);
                word = now;
            }
            for effect in effects {
                performer.perform(effect);
            }
            match asked {
                // Nothing is replayed here.
                None | Some(Control::Show(_)) => {}
                Some(Control::Quit) => return Ok(()),
                Some(Control::Suspend) => {
                    control.suspend()?;
                    redraw(terminal)?;
                    let size = terminal.size().map_err(terminal_error)?;
                    update(&mut state, Msg::Resized(size.width, size.height));
                }
                Some(Control::Redraw) => redraw(terminal)?,
                Some(Control::Mouse(on)) => control.listen(on)?,
                Some(Control::Interrupt) => control.interrupt(),
                Some(Control::Retake) => {
                    let lost = control.retake()?;
                    if lost {
                        redraw(terminal)?;
                    }
                }
            }
        }
        if std::mem::take(&mut state.changed) {
            draw(terminal, &mut state, theme)?;
        }
    }
}

/// Draws a frame as large as the terminal is now. What the state knows of the size may be older: the message
/// about it can be lost or late, and a frame of another size would be blank until the next.
pub(in crate::runtime) fn draw<B>(
    terminal: &mut Terminal<B>,
    state: &mut State,
    theme: &Themes,
) -> io::Result<()>
where
    B: Backend,
    B::Error: Send + Sync + 'static,
{
    for _ in 0..RESIZES {
        let mut written_from = now().monotonic;
        let drawn = terminal.draw(|frame| {
            let area = frame.area();
            let theme = theme.of(&state.settings.theme);
            let cursor = crate::ui::Screen { state, theme }.draw(area, frame.buffer_mut());
            if let Some(position) = cursor {
                frame.set_cursor_position(position);
            }
            written_from = now().monotonic;
        });
        let area = drawn.map_err(terminal_error)?.area;
        if state.size == (area.width, area.height) {
            let written = now().monotonic;
            // A reader that the write wakes may answer before this thread runs again.
            let is_held_up = written.since(written_from) > HELD_UP;
            state.drawn(if is_held_up { written } else { written_from });
            break;
        }
        // It makes no other effect than a new arrangement.
        update(state, Msg::Resized(area.width, area.height));
        state.changed = false;
    }
    Ok(())
}

/// Makes the next frame draw every cell.
pub(in crate::runtime) fn redraw<B>(terminal: &mut Terminal<B>) -> io::Result<()>
where
    B: Backend,
    B::Error: Send + Sync + 'static,
{
    // Not `Terminal::clear`: it asks the terminal for the cursor's place, and the key reader takes the
    // answer. Two blank buffers force a whole frame too.
    terminal.backend_mut().clear().map_err(terminal_error)?;
    terminal.swap_buffers();
    Ok(())
}

/// A back end's error as an I/O error; most back ends return one already.
pub(in crate::runtime) fn terminal_error<E: Error + Send + Sync + 'static>(error: E) -> io::Error {
    let error: Box<dyn Error + Send + Sync> = Box::new(error);
    match error.downcast::<io::Error>() {
        Ok(error) => *error,
        Err(error) => io::Error::other(error),
    }
}
