//! [`Screen`]: the terminal, entered once and always left as it was found: at quit, on a signal, on a
//! panic in any thread, and while suspended.

use std::io::{self, Stdout, Write, stdout};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crossterm::event::{DisableBracketedPaste, DisableMouseCapture, EnableBracketedPaste};
use crossterm::style::Print;
use crossterm::terminal::{
    EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};
use crossterm::{cursor, execute};
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use rustix::termios::{OptionalActions, QueueSelector, tcflush, tcgetattr, tcsetattr};

use super::event_loop::TerminalControl;

/// How long a loop that can go on again has to leave by itself.
const PARTING: Duration = Duration::from_secs(1);

/// How long the terminal is asked again to take the last words, where the loop did not leave.
const FAREWELL: Duration = Duration::from_millis(500);

/// Reports of buttons and the wheel in the form without limits (xterm's modes 1000 and 1006). Not of motion: nobody
/// needs it here, and a hand on the mouse would fill the input while oomtop is busy.
const MOUSE: &str = "\x1b[?1000h\x1b[?1006h";

/// Pause between two looks.
const MOMENT: Duration = Duration::from_millis(10);

/// Set while the terminal is ours: whoever clears it restores it, so it is restored once.
static ENTERED: AtomicBool = AtomicBool::new(false);

/// Set once it has been restored.
static LEFT: AtomicBool = AtomicBool::new(false);

/// Set when the last words to the terminal are about to be written.
static LEAVING: AtomicBool = AtomicBool::new(false);

/// What ratatui draws on: one write for each frame, however many cells it changes.
pub type ScreenBackend = CrosstermBackend<io::BufWriter<Stdout>>;

/// The terminal in full-screen mode. Dropping it gives the terminal back.
#[derive(Debug)]
pub struct Screen {
    /// What is drawn on.
    pub terminal: Terminal<ScreenBackend>,
    /// Gives the terminal to the shell and takes it again.
    pub control: JobControl,
}

impl Screen {
    /// Takes the terminal over. From here on a panic in any thread restores it first, then says what
    /// happened on the restored screen and ends the process with status 101.
    ///
    /// # Errors
    /// If standard output is no terminal, or it refuses raw mode.
    pub fn enter(mouse: bool) -> io::Result<Self> {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            // Held until the exit: the loop must not draw on a restored screen while another thread panics.
            let _quiet = stdout().lock();
            restore();
            before(panic);
            let _ = writeln!(
                io::stderr(),
                "oomtop: this is a bug; the terminal has been restored. A write that was being carried out may be half done."
            );
            std::process::exit(101);
        }));
        take(mouse)?;
        let out = io::BufWriter::with_capacity(1 << 16, stdout());
        let terminal = Terminal::new(CrosstermBackend::new(out)).inspect_err(|_| restore())?;
        Ok(Self {
            terminal,
            control: JobControl {
                mouse,
                expects_cont: false,
            },
        })
    }
}

/// The shell's job control: stops oomtop as Ctrl-Z does, and takes the terminal again afterwards.
#[derive(Debug)]
pub struct JobControl {
    mouse: bool,
    /// A SIGCONT is on its way that ends our own suspension: the terminal is taken already.
    expects_cont: bool,
}

impl TerminalControl for JobControl {
    fn suspend(&mut self) -> io::Result<()> {
        use rustix::process::{Signal, getpid, getsid, kill_current_process_group};
        // The first process of a session (a terminal or container that was opened for oomtop) has
        // no shell above it that could continue it.
        if getsid(None) == Ok(getpid()) {
            return Ok(());
        }
        restore();
        // The whole job, as the terminal does it: started by `cargo run` or a script, oomtop alone
        // would stop and the shell would wait for the rest. SIGSTOP cannot be caught, so the shell
        // sees the job stop whatever our handlers are.
        self.expects_cont = true;
        kill_current_process_group(Signal::STOP)?;
        take(self.mouse)
    }

    fn retake(&mut self) -> io::Result<bool> {
        if std::mem::take(&mut self.expects_cont) {
            return Ok(false);
        }
        restore();
        take(self.mouse)?;
        Ok(true)
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        restore();
    }
}

fn take(mouse: bool) -> io::Result<()> {
    enable_raw_mode()?;
    LEAVING.store(false, Ordering::SeqCst);
    LEFT.store(false, Ordering::SeqCst);
    ENTERED.store(true, Ordering::SeqCst);
    let entered = execute!(
        stdout(),
        EnterAlternateScreen,
        EnableBracketedPaste,
        cursor::Hide
    );
    let entered = if mouse {
        entered.and_then(|()| execute!(stdout(), Print(MOUSE)))
    } else {
        entered
    };
    if entered.is_err() {
        restore();
    }
    entered
}

/// Leaves the full screen. Errors are ignored: the terminal may be gone, and there is nobody to tell.
pub(super) fn restore() {
    if ENTERED.swap(false, Ordering::SeqCst) {
        // The line discipline first: it does not wait for a terminal that takes no output, and whoever
        // types as soon as the screen is left is heard by the shell as typed.
        let _ = disable_raw_mode();
        LEAVING.store(true, Ordering::SeqCst);
        let _ = leave(&mut stdout());
        LEFT.store(true, Ordering::SeqCst);
    }
}

/// Gives back a terminal that takes no output (a dead connection, a program that does not read), from
/// another thread than the one that hangs in a write to it and holds the lock of standard output.
///
/// What is on its way and never arrives is thrown away. That lets the other thread go on: usually it
/// leaves by itself then, and this does not return. Nothing here waits for the terminal.
pub(super) fn abandon() {
    let _ = disable_raw_mode();
    discard();
    let begun = Instant::now();
    let mut rounds = 0_u32;
    while begun.elapsed() < PARTING {
        if LEFT.load(Ordering::SeqCst) {
            return;
        }
        std::thread::sleep(MOMENT);
        rounds += 1;
        // The rest of its frame may fill the terminal again. Its last words are not thrown away unless they
        // hang too.
        if !LEAVING.load(Ordering::SeqCst) || rounds.is_multiple_of(8) {
            discard();
        }
    }
    let mut farewell = Vec::new();
    // Writing to a Vec cannot fail.
    let _ = leave(&mut farewell);
    // Another descriptor, so that the shell's does not become one that does not wait.
    let flags = OFlags::WRONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let Ok(terminal) = rustix::fs::open("/dev/tty", flags, Mode::empty()) else {
        return;
    };
    let begun = Instant::now();
    let mut rest = farewell.as_slice();
    while !rest.is_empty() && begun.elapsed() < FAREWELL {
        let said = rustix::io::write(&terminal, rest);
        if said == Err(Errno::AGAIN) && rest.len() == farewell.len() {
            // Full again, or the thread that hangs holds the lock of its write.
            discard();
        }
        match said {
            Ok(taken) => rest = rest.get(taken..).unwrap_or_default(),
            Err(Errno::AGAIN | Errno::INTR) => std::thread::sleep(MOMENT),
            Err(_) => return,
        }
    }
}

/// Throws away what the terminal has not taken, and lets those go on who wait to write.
fn discard() {
    let terminal = rustix::stdio::stdout();
    let _ = tcflush(terminal, QueueSelector::OFlush);
    // The flush wakes nobody, setting modes does (drivers/tty/n_tty.c `n_tty_set_termios`).
    if let Ok(modes) = tcgetattr(terminal) {
        let _ = tcsetattr(terminal, OptionalActions::Now, &modes);
    }
}

fn leave(out: &mut impl Write) -> io::Result<()> {
    execute!(
        out,
        DisableMouseCapture,
        DisableBracketedPaste,
        LeaveAlternateScreen,
        cursor::Show
    )
}
