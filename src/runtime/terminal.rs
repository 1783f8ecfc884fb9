//! [`Screen`]: the terminal, entered once and always left as it was found: at quit, on a signal, on a
//! panic in any thread, and while suspended.

use std::io::{self, Stdout, Write, stdout};
use std::sync::atomic::{AtomicBool, Ordering};

use crossterm::event::{
    DisableBracketedPaste, DisableMouseCapture, EnableBracketedPaste, EnableMouseCapture,
};
use crossterm::terminal::{
    EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};
use crossterm::{cursor, execute};
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;

/// Set while the terminal is ours: whoever clears it restores it, so it is restored once.
static ENTERED: AtomicBool = AtomicBool::new(false);

/// The terminal in full-screen mode.
pub(super) struct Screen {
    /// What is drawn on.
    pub(super) terminal: Terminal<CrosstermBackend<io::BufWriter<Stdout>>>,
    mouse: bool,
}

impl Screen {
    /// Takes the terminal over. From here on a panic anywhere restores it first.
    pub(super) fn enter(mouse: bool) -> io::Result<Self> {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            // Another thread's panic would otherwise leave the program drawing on a restored screen.
            restore();
            before(panic);
            let _ = writeln!(
                io::stderr(),
                "oomtop: this is a bug; the terminal has been restored, nothing was half written."
            );
            std::process::exit(101);
        }));
        take(mouse)?;
        // One write for each frame, however many cells it changes.
        let out = io::BufWriter::with_capacity(1 << 16, stdout());
        Ok(Self {
            terminal: Terminal::new(CrosstermBackend::new(out))?,
            mouse,
        })
    }

    /// Gives the terminal back, stops this process as Ctrl-Z does, and takes the terminal again when
    /// it is continued.
    pub(super) fn suspend(&mut self) -> io::Result<()> {
        restore();
        // SIGSTOP cannot be caught: the shell sees the job stop whatever our handlers are.
        rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::STOP)?;
        take(self.mouse)?;
        self.terminal.clear()
    }

    /// Forgets what is on the terminal: the next frame is drawn whole.
    pub(super) fn redraw(&mut self) -> io::Result<()> {
        self.terminal.clear()
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        restore();
    }
}

fn take(mouse: bool) -> io::Result<()> {
    enable_raw_mode()?;
    ENTERED.store(true, Ordering::SeqCst);
    let entered = execute!(
        stdout(),
        EnterAlternateScreen,
        EnableBracketedPaste,
        cursor::Hide
    );
    let entered = if mouse {
        entered.and_then(|()| execute!(stdout(), EnableMouseCapture))
    } else {
        entered
    };
    if entered.is_err() {
        restore();
    }
    entered
}

/// Leaves the full screen. Errors are ignored: the terminal may be gone, and there is nobody to tell.
fn restore() {
    if ENTERED.swap(false, Ordering::SeqCst) {
        let _ = execute!(
            stdout(),
            DisableMouseCapture,
            DisableBracketedPaste,
            LeaveAlternateScreen,
            cursor::Show
        );
        let _ = disable_raw_mode();
    }
}
