//! The full screen: a terminal and its keys around a [`Dashboard`].
//!
//! Each part can be exchanged: [`Dashboard`] is everything but the terminal, [`run_loop`] draws on any ratatui
//! back end, [`TerminalControl`] suspends and retakes a terminal, and [`Screen`] is the real terminal, which a
//! panic restores.

mod abort;
mod backend;
mod dashboard;
mod ending;
mod event_loop;
mod guardian;
pub(in crate::runtime) mod guest;
mod input;
mod keyboard;
mod terminal;
pub(in crate::runtime) mod waking;
mod whole_frames;

use std::io;
use std::path::Path;
use std::sync::Arc;

use ratatui::Terminal;
use ratatui::backend::Backend;
use rustix::process::Signal;
use tokio::sync::mpsc::Sender;

use crate::app::msg::Msg;
use crate::app::settings::Settings;
use crate::linux::SysRoot;
use crate::linux::helper::require_threads;
use crate::linux::host::allocator;
use crate::linux::host::descriptors::require;
use crate::linux::own_room;
use crate::linux::scan::backend::BackendChoice;
use crate::linux::urgent;
use crate::linux::wake::MOST_GROUPS;
use crate::runtime::RunError;
use crate::runtime::rules::RuleSource;
use crate::runtime::settings_file::SettingsFile;
use crate::ui::theme::Themes;

use ending::{give_back, hung_up, leave};
use guardian::Guardian;
use keyboard::Keyboard;

pub use backend::ScreenBackend;
pub use dashboard::Dashboard;
pub use event_loop::{TerminalControl, run_loop};
pub(in crate::runtime) use event_loop::{draw, redraw, terminal_error};
pub use terminal::{JobControl, Screen};
pub use whole_frames::WholeFrames;

/// Files that the full screen has open at the same time: 32 while it waits, one for each v1 group whose events it
/// follows, and those of a sample, of a write, of a kill meanwhile and of a child that reads the journal.
const FILES: usize = 53 + MOST_GROUPS;

/// Bytes of memory that the full screen takes once it runs, with 1500 processes to look at (measured on 6.18: it lives
/// in a group of 6 MiB, and is killed in one of 5).
const MEMORY: u64 = 5 << 20;

/// Threads have a reserve where so many bytes are free: twenty times the reserves of all threads.
const ROOM_FOR_RESERVES: u64 = 128 << 20;

/// Bytes in reserve for frames.
const SCREEN_RESERVE: usize = 512 << 10;

/// Threads of the loop, of the key reader, of the sampler, of the log, of the tracepoints and of the waker, and three for
/// effects.
const THREADS: usize = 9;

/// Where the dashboard reads rules.
pub type Rules = Arc<dyn RuleSource + Send + Sync>;

/// Files of oomtop's own that the dashboard reads and writes.
#[derive(Default)]
pub struct OwnFiles {
    /// Where the rules are.
    pub rules: Option<Rules>,
    /// Where settings are saved.
    pub settings: Option<Arc<dyn SettingsFile>>,
}

/// A command that runs beside the full screen (`oomtop run`).
pub(in crate::runtime) trait Companion: Send + Sync + std::fmt::Debug {
    /// The full screen runs: [`Msg::Stop`] ends it.
    fn shown(&self, screen: Sender<Msg>);

    /// Sends a signal to the command.
    fn signal(&self, signal: Signal);
}

/// Runs the full screen until the user quits; logs writes to `audit`, and reads rules anew and saves settings by `files`. Returns the exit status: 0, or 128 + the signal that ended the
/// program.
///
/// # Errors
/// See [`RunError`]; the terminal is restored before this returns.
pub fn run(
    settings: Settings,
    theme: &Themes,
    root: SysRoot,
    backend: BackendChoice,
    mouse: bool,
    audit: Option<&Path>,
    files: OwnFiles,
) -> Result<u8, RunError> {
    beside(
        settings,
        theme,
        root,
        backend,
        (mouse, None),
        (audit, files),
    )
}

/// As [`run`], with a command beside it.
pub(in crate::runtime) fn beside(
    settings: Settings,
    theme: &Themes,
    root: SysRoot,
    backend: BackendChoice,
    (mouse, companion): (bool, Option<Arc<dyn Companion>>),
    (audit, files): (Option<&Path>, OwnFiles),
) -> Result<u8, RunError> {
    hung_up(show(
        settings,
        theme,
        root,
        backend,
        (mouse, companion),
        (audit, files),
    ))
}

fn show(
    settings: Settings,
    theme: &Themes,
    root: SysRoot,
    backend: BackendChoice,
    (mouse, companion): (bool, Option<Arc<dyn Companion>>),
    (audit, files): (Option<&Path>, OwnFiles),
) -> Result<u8, RunError> {
    require(FILES)?;
    let free = own_room::require(&root, MEMORY)?;
    if free.has(ROOM_FOR_RESERVES) {
        allocator::allow_reserves();
    }
    allocator::reserve(SCREEN_RESERVE);
    // The first of all, and the last to go: whatever is dropped below it may still hold the terminal.
    let _guardian = Guardian::start(&terminal::farewell());
    // Where there is no terminal, to take it is refused below.
    let _ = terminal::arm();
    require_threads(THREADS).map_err(RunError::Thread)?;
    // Before the threads that it starts join: what this one starts while memory is short would lose its nice value.
    let _in_time = urgent::OWN.join();
    // Right behind the look at threads: a worker that cannot start is a panic in there.
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .max_blocking_threads(4)
        .on_thread_start(keep_time)
        .build()
        .map_err(RunError::Thread)?;
    // Before the terminal changes modes: an error about /proc is then an ordinary line.
    let mut dashboard = Dashboard::start(settings, root, backend, audit)?;
    if let Some(rules) = files.rules {
        dashboard.rules_from(rules);
    }
    if let Some(file) = files.settings {
        dashboard.settings_to(file);
    }
    if let Some(free) = free.in_groups {
        dashboard.bound_history(free.saturating_sub(MEMORY));
    }
    let tasks = runtime
        .block_on(async { input::signals(&dashboard.sender()) })
        .map_err(RunError::Signals)?;
    let mut screen = Screen::enter(mouse).map_err(RunError::Terminal)?;
    if let Some(companion) = companion {
        companion.shown(dashboard.sender());
        screen.control.companion = Some(companion);
    }
    let outcome = runtime.block_on(async {
        let keyboard = Keyboard::start(dashboard.sender())?;
        let Screen { terminal, control } = &mut screen;
        let ended = dashboard.run(terminal, control, theme).await;
        leave(keyboard, tasks, ended).await
    });
    give_back(runtime, screen, outcome)
}

/// What can be shown in place of the running machine.
pub(in crate::runtime) trait Show {
    /// The inbox for keys, mouse and signals.
    fn sender(&self) -> Sender<Msg>;

    /// Runs until the user quits.
    async fn run<B, C>(
        self,
        terminal: &mut Terminal<B>,
        control: &mut C,
        theme: &Themes,
    ) -> io::Result<()>
    where
        B: Backend,
        B::Error: Send + Sync + 'static,
        C: TerminalControl;
}

/// Shows something else than the running machine until the user quits. Returns the exit status: 0, or 128 + the signal that ended the program.
///
/// # Errors
/// See [`RunError`]; the terminal is restored before this returns.
pub(in crate::runtime) fn show_other(
    other: impl Show,
    theme: &Themes,
    mouse: bool,
) -> Result<u8, RunError> {
    hung_up(on_terminal(other, theme, mouse))
}

fn on_terminal(other: impl Show, theme: &Themes, mouse: bool) -> Result<u8, RunError> {
    let _guardian = Guardian::start(&terminal::farewell());
    let _ = terminal::arm();
    require_threads(THREADS).map_err(RunError::Thread)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .max_blocking_threads(1)
        .build()
        .map_err(RunError::Thread)?;
    let send = other.sender();
    let tasks = runtime
        .block_on(async { input::signals(&send) })
        .map_err(RunError::Signals)?;
    let mut screen = Screen::enter(mouse).map_err(RunError::Terminal)?;
    let outcome = runtime.block_on(async {
        let keyboard = Keyboard::start(send)?;
        let Screen { terminal, control } = &mut screen;
        let ended = other.run(terminal, control, theme).await;
        leave(keyboard, tasks, ended).await
    });
    give_back(runtime, screen, outcome)
}

/// The runtime's own thread wakes the loop when something is due.
fn keep_time() {
    thread_local! {
        static IN_TIME: urgent::Member = urgent::OWN.join();
    }
    IN_TIME.with(|_| ());
}
