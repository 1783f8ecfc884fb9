//! [`entertain`]: another full screen than the dashboard, on the same terminal with the same care.

use std::io;
use std::process::Command;
use std::time::Duration;

use ratatui::buffer::Buffer;
use tokio::sync::mpsc::{Receiver, channel};
use tokio::time::{sleep, timeout};

use super::ending::{give_back, hung_up, leave};
use super::event_loop::{redraw, terminal_error};
use super::guardian::Guardian;
use super::keyboard::Keyboard;
use super::{JobControl, Screen, TerminalControl as _, input, terminal};
use crate::app::msg::Msg;
use crate::linux::foreground::{self, Returned, Stopped};
use crate::runtime::RunError;

/// How often the guest is asked without any key.
const LOOK: Duration = Duration::from_millis(200);

/// How far a task may be behind a signal.
const BEHIND: Duration = Duration::from_millis(100);

/// Most keys that wait.
const INBOX: usize = 1024;

/// What a guest wants.
#[derive(Debug)]
pub(in crate::runtime) enum Wish {
    /// Go on.
    Nothing,
    /// Draw a frame.
    Draw,
    /// Draw all of it anew.
    Redraw,
    /// Stop as Ctrl-Z does.
    Suspend,
    /// Lend the terminal to this program until it ends or stops.
    Lend(Job),
    /// End.
    Quit,
}

/// A program for the terminal.
#[derive(Debug)]
pub(in crate::runtime) enum Job {
    /// A new one.
    Start(Command),
    /// One that has stopped.
    GoOn(Stopped),
}

/// Somebody who has the terminal.
pub(in crate::runtime) trait Guest {
    /// Draws a whole frame, of the size of the buffer.
    fn draw(&mut self, buffer: &mut Buffer);

    /// Takes a key or a new size.
    fn take(&mut self, msg: Msg) -> Wish;

    /// Looks what has happened besides.
    fn look(&mut self) -> Wish;

    /// The program that the terminal was lent to has ended or stopped.
    fn returned(&mut self, ended: io::Result<Returned>);
}

/// Gives the guest the terminal until it quits. Returns the exit status: 0, or 128 + the signal that ended the program.
///
/// # Errors
/// If the terminal fails; it is restored before this returns.
pub(in crate::runtime) fn entertain(guest: &mut impl Guest) -> Result<u8, RunError> {
    hung_up(show(guest))
}

fn show(guest: &mut impl Guest) -> Result<u8, RunError> {
    let _guardian = Guardian::start(&terminal::farewell());
    // Where there is no terminal, to take it is refused below.
    let _ = terminal::arm();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .map_err(RunError::Thread)?;
    let (send, mut inbox) = channel(INBOX);
    let tasks = runtime
        .block_on(async { input::signals(&send) })
        .map_err(RunError::Signals)?;
    let mut screen = Screen::enter(false).map_err(RunError::Terminal)?;
    let outcome = runtime.block_on(async {
        let mut keyboard = Keyboard::start(send.clone())?;
        let ended = loop {
            match turns(guest, &mut screen, &mut inbox).await {
                Err(error) => break Err(error),
                Ok(None) => break Ok(()),
                Ok(Some(job)) => {
                    // From here on Ctrl-C is the program's: the terminal sends it to both.
                    tasks.lend(true);
                    keyboard.end().map_err(RunError::Terminal)?;
                    let ended = lend(job, &mut screen.control);
                    // The signal that has ended the program has come here before its end, but the task may be behind.
                    sleep(BEHIND).await;
                    tasks.lend(false);
                    keyboard = Keyboard::start(send.clone())?;
                    guest.returned(ended);
                    redraw(&mut screen.terminal).map_err(RunError::Terminal)?;
                }
            }
        };
        leave(keyboard, tasks, ended).await
    });
    give_back(runtime, screen, outcome)
}

/// Runs a program on the restored terminal.
fn lend(job: Job, control: &mut JobControl) -> io::Result<Returned> {
    control.lend(|| match job {
        Job::Start(command) => foreground::start(command),
        Job::GoOn(stopped) => foreground::go_on(stopped),
    })?
}

/// Takes messages and draws until the guest quits, or wants the terminal for a program.
async fn turns(
    guest: &mut impl Guest,
    screen: &mut Screen,
    inbox: &mut Receiver<Msg>,
) -> io::Result<Option<Job>> {
    draw(guest, screen)?;
    loop {
        let mut wishes = match timeout(LOOK, inbox.recv()).await {
            Ok(None | Some(Msg::Stop)) => return Ok(None),
            Ok(Some(Msg::Resumed)) => {
                let is_lost = screen.control.retake()?;
                Vec::from_iter(is_lost.then_some(Wish::Redraw))
            }
            Ok(Some(msg)) => vec![guest.take(msg)],
            Err(_) => Vec::new(),
        };
        wishes.push(guest.look());
        let mut draws = false;
        for wish in wishes {
            match wish {
                Wish::Nothing => {}
                Wish::Draw => draws = true,
                Wish::Redraw => {
                    redraw(&mut screen.terminal)?;
                    draws = true;
                }
                Wish::Suspend => {
                    screen.control.suspend()?;
                    redraw(&mut screen.terminal)?;
                    draws = true;
                }
                Wish::Lend(job) => return Ok(Some(job)),
                Wish::Quit => return Ok(None),
            }
        }
        if draws {
            draw(guest, screen)?;
        }
    }
}

fn draw(guest: &mut impl Guest, screen: &mut Screen) -> io::Result<()> {
    let drawn = screen.terminal.draw(|frame| guest.draw(frame.buffer_mut()));
    drawn.map(drop).map_err(terminal_error)
}
