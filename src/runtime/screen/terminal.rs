//! [`Screen`]: the terminal. It is restored at quit, on a signal, on a panic in any thread, and while oomtop is
//! suspended.

use std::io::{self, Write, stdout};
use std::mem::ManuallyDrop;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crossterm::event::{DisableBracketedPaste, DisableMouseCapture, EnableBracketedPaste};
use crossterm::style::Print;
use crossterm::terminal::{
    EndSynchronizedUpdate, EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode,
    enable_raw_mode,
};
use crossterm::{cursor, execute};
use ratatui::Terminal;
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use rustix::termios::{LocalModes, OptionalActions, QueueSelector, tcflush, tcgetattr, tcsetattr};

use super::Companion;
use super::backend::ScreenBackend;
use super::event_loop::TerminalControl;

/// How long [`abandon`] waits for an unblocked loop to end by itself.
const PARTING: Duration = Duration::from_secs(1);

/// How long [`abandon`] retries the closing escape codes if the loop did not end.
const FAREWELL: Duration = Duration::from_millis(500);

/// Button and wheel reports in SGR form (xterm's modes 1000 and 1006). Motion reports would fill the input queue while
/// oomtop is busy, and no action needs them.
const MOUSE: &str = "\x1b[?1000h\x1b[?1006h";

/// Pause between two attempts.
const MOMENT: Duration = Duration::from_millis(10);

/// Set while oomtop has the terminal. The thread that clears it restores the terminal, so that happens once.
static ENTERED: AtomicBool = AtomicBool::new(false);

/// Set once the terminal has been restored.
static LEFT: AtomicBool = AtomicBool::new(false);

/// Set when the closing escape codes are about to be written.
static LEAVING: AtomicBool = AtomicBool::new(false);

/// The terminal in full-screen mode. Dropping this value restores the terminal.
#[derive(Debug)]
pub struct Screen {
    /// ratatui's terminal. Never dropped: its drop prints to standard error, and that print panics once the terminal
    /// is gone.
    pub terminal: ManuallyDrop<Terminal<ScreenBackend>>,
    /// Hands the terminal to the shell and takes it back.
    pub control: JobControl,
}

impl Screen {
    /// Takes the terminal over. From here on a panic in any thread restores the terminal, prints the panic message
    /// on the restored screen and ends the process with status 101.
    ///
    /// # Errors
    /// If standard output is not a terminal, or the terminal refuses raw mode.
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
        // The configuration has decided about NO_COLOR, also against it: --color is stronger.
        crossterm::style::force_color_output(true);
        take(mouse)?;
        let terminal = Terminal::new(ScreenBackend::new()).inspect_err(|_| restore())?;
        Ok(Self {
            terminal: ManuallyDrop::new(terminal),
            control: JobControl {
                mouse,
                expects_cont: false,
                word: String::new(),
                companion: None,
            },
        })
    }
}

/// Job control: stops oomtop as Ctrl-Z does, and takes the terminal back afterwards.
#[derive(Debug)]
pub struct JobControl {
    mouse: bool,
    /// The next SIGCONT ends our own suspension, which takes the terminal back by itself.
    expects_cont: bool,
    /// What to say of that which stays frozen.
    word: String,
    /// The command that is stopped and continued with oomtop, though it is in another process group.
    pub(super) companion: Option<Arc<dyn Companion>>,
}

impl JobControl {
    /// Restores the terminal for as long as `use_it` runs, and takes it over again.
    ///
    /// # Errors
    /// If it cannot be taken over again.
    pub(super) fn lend<T>(&mut self, use_it: impl FnOnce() -> T) -> io::Result<T> {
        restore();
        let outcome = use_it();
        take(self.mouse)?;
        Ok(outcome)
    }

    /// What to say of that which stays frozen, for the restored terminal.
    pub(super) fn take_word(&mut self) -> String {
        std::mem::take(&mut self.word)
    }
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
        // Stop the whole job, as the terminal does for Ctrl-Z. Under `cargo run` or a script the parent
        // would run on and the shell would wait for it. SIGSTOP cannot be caught, so the job stops
        // whatever our handlers are.
        self.expects_cont = true;
        let tell = |signal| {
            if let Some(companion) = &self.companion {
                companion.signal(signal);
            }
        };
        tell(Signal::TSTP);
        kill_current_process_group(Signal::STOP)?;
        tell(Signal::CONT);
        take(self.mouse)
    }

    fn listen(&mut self, mouse: bool) -> io::Result<()> {
        self.mouse = mouse;
        if mouse {
            execute!(stdout(), Print(MOUSE))
        } else {
            execute!(stdout(), DisableMouseCapture)
        }
    }

    fn interrupt(&mut self) {
        if let Some(companion) = &self.companion {
            companion.signal(rustix::process::Signal::INT);
        }
    }

    fn retake(&mut self) -> io::Result<bool> {
        if std::mem::take(&mut self.expects_cont) {
            return Ok(false);
        }
        if is_raw() {
            // Nobody has changed the modes. Ctrl-C must not meet the shell's for a moment: it would end oomtop.
            leave(&mut stdout())?;
            show(self.mouse)?;
            return Ok(true);
        }
        restore();
        take(self.mouse)?;
        Ok(true)
    }

    fn keep_word(&mut self, word: &str) {
        super::guardian::frozen(word);
        word.clone_into(&mut self.word);
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        restore();
    }
}

/// Prepares for an abort, see [`super::abort`].
///
/// # Errors
/// If standard output is no terminal or the signal cannot be caught.
pub(super) fn arm() -> io::Result<()> {
    super::abort::arm(farewell(), &ENTERED)
}

fn take(mouse: bool) -> io::Result<()> {
    arm()?;
    super::guardian::taken()?;
    enable_raw_mode().inspect_err(|_| super::guardian::restored())?;
    LEAVING.store(false, Ordering::SeqCst);
    LEFT.store(false, Ordering::SeqCst);
    ENTERED.store(true, Ordering::SeqCst);
    show(mouse).inspect_err(|_| restore())
}

/// Enters the full screen, with the modes as they are.
fn show(mouse: bool) -> io::Result<()> {
    execute!(
        stdout(),
        EnterAlternateScreen,
        EnableBracketedPaste,
        cursor::Hide
    )?;
    if mouse {
        execute!(stdout(), Print(MOUSE))?;
    }
    Ok(())
}

/// True if keys come as they are typed, none of them as a signal.
fn is_raw() -> bool {
    let cooked = LocalModes::ISIG | LocalModes::ICANON | LocalModes::ECHO;
    tcgetattr(rustix::stdio::stdout()).is_ok_and(|modes| !modes.local_modes.intersects(cooked))
}

/// Leaves the full screen. Ignores errors: if the terminal is gone, no place is left to report them.
pub(super) fn restore() {
    if ENTERED.swap(false, Ordering::SeqCst) {
        // The line discipline first: setting it does not wait for a terminal that takes no output, and keys
        // typed as soon as the screen is restored reach the shell unchanged.
        let _ = disable_raw_mode();
        LEAVING.store(true, Ordering::SeqCst);
        let _ = leave(&mut stdout());
        super::guardian::restored();
        LEFT.store(true, Ordering::SeqCst);
    }
}

/// Restores a terminal that takes no output (a dead connection, a program that does not read). Call this from
/// another thread: the loop's thread hangs in a write to the terminal and holds the lock of standard output.
///
/// Discards the output that the terminal has not taken, which unblocks the loop's thread. Usually that thread
/// then ends the process, and this function does not return. Nothing here waits for the terminal.
pub(super) fn abandon() {
    let _ = disable_raw_mode();
    super::guardian::restored();
    discard();
    let begun = Instant::now();
    let mut rounds = 0_u32;
    while begun.elapsed() < PARTING {
        if LEFT.load(Ordering::SeqCst) {
            return;
        }
        std::thread::sleep(MOMENT);
        rounds += 1;
        // The rest of the loop's frame may fill the terminal again. Keep its closing escape codes, unless
        // they hang too.
        if !LEAVING.load(Ordering::SeqCst) || rounds.is_multiple_of(8) {
            discard();
        }
    }
    let farewell = farewell();
    // A descriptor of our own: O_NONBLOCK on the shared one would also change the shell's.
    let flags = OFlags::WRONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let Ok(terminal) = rustix::fs::open("/dev/tty", flags, Mode::empty()) else {
        return;
    };
    let begun = Instant::now();
    let mut rest = farewell.as_slice();
    while !rest.is_empty() && begun.elapsed() < FAREWELL {
        let said = rustix::io::write(&terminal, rest);
        if said == Err(Errno::AGAIN) && rest.len() == farewell.len() {
            // The terminal is full again, or the hanging thread holds the lock of its write.
            discard();
        }
        match said {
            Ok(taken) => rest = rest.get(taken..).unwrap_or_default(),
            Err(Errno::AGAIN | Errno::INTR) => std::thread::sleep(MOMENT),
            Err(_) => return,
        }
    }
}

/// Ends the process with this status if the terminal has not been restored after so long.
pub(super) fn give_up_after(time: Duration, status: u8) {
    let watch = move || {
        std::thread::sleep(time);
        if !LEFT.load(Ordering::SeqCst) {
            abandon();
            std::process::exit(i32::from(status));
        }
    };
    // Without a thread for it the terminal is waited for.
    let _ = std::thread::Builder::new().spawn(watch);
}

/// Discards output that the terminal has not taken, and wakes the threads that wait to write.
fn discard() {
    let terminal = rustix::stdio::stdout();
    let _ = tcflush(terminal, QueueSelector::OFlush);
    // Flushing wakes no writer; setting modes does (drivers/tty/n_tty.c `n_tty_set_termios`).
    if let Ok(modes) = tcgetattr(terminal) {
        let _ = tcsetattr(terminal, OptionalActions::Now, &modes);
    }
}

/// True if the other side of the terminal is gone: a closed window, a lost connection (drivers/tty/tty_io.c
/// `hung_up_tty_write`). Libraries hide the error of the system call, so this asks the terminal too.
pub(super) fn is_hang_up(error: &io::Error) -> bool {
    error.raw_os_error() == Some(Errno::IO.raw_os_error())
        || tcgetattr(rustix::stdio::stdout()).err() == Some(Errno::IO)
}

/// The escape codes that leave the full screen.
pub(super) fn farewell() -> Vec<u8> {
    let mut codes = Vec::new();
    // Writing to a Vec cannot fail.
    let _ = leave(&mut codes);
    codes
}

fn leave(out: &mut impl Write) -> io::Result<()> {
    execute!(
        out,
        // A frame may have been cut.
        EndSynchronizedUpdate,
        DisableMouseCapture,
        DisableBracketedPaste,
        LeaveAlternateScreen,
        cursor::Show
    )
}
