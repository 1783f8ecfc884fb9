//! Restores the terminal when oomtop is aborted. Rust aborts, and does not panic, when memory cannot be had
//! (`ulimit -v`, strict overcommit) and when a panic panics.

use std::io;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::process::Signal;
use rustix::stdio::{stderr, stdout};
use rustix::termios::{OptionalActions, Termios, tcgetattr, tcsetattr};
use signal_hook::low_level::{emulate_default_handler, register};

const WORD: &[u8] =
    b"oomtop: aborted by an error that it cannot survive, most often memory that it could not get \
(ulimit -v, vm.overcommit_memory)\n";
const SANE: &[u8] = b"oomtop: the terminal has been restored\n";

/// What the handler needs. All of it is made before, because a handler must not allocate.
struct Farewell {
    /// The modes of the terminal before oomtop took it.
    modes: Termios,
    /// The escape codes that leave the full screen.
    codes: Vec<u8>,
    /// True while oomtop has the terminal.
    entered: &'static AtomicBool,
}

static FAREWELL: OnceLock<Farewell> = OnceLock::new();

/// Catches SIGABRT. Call this as soon as memory can be short, at the latest before the terminal is in raw mode;
/// later calls do nothing.
///
/// # Errors
/// If standard output is no terminal or the signal cannot be caught.
pub(super) fn arm(codes: Vec<u8>, entered: &'static AtomicBool) -> io::Result<()> {
    if FAREWELL.get().is_some() {
        return Ok(());
    }
    let modes = tcgetattr(stdout())?;
    let farewell = Farewell {
        modes,
        codes,
        entered,
    };
    if FAREWELL.set(farewell).is_ok() {
        let number = Signal::ABORT.as_raw();
        // SAFETY: the handler only loads atomics and makes system calls (signal-safety(7)): it takes no lock and
        // does not allocate.
        #[expect(unsafe_code, reason = "a signal handler may do little")]
        let caught = unsafe { register(number, leave) };
        caught?;
    }
    Ok(())
}

fn leave() {
    if let Some(farewell) = FAREWELL.get() {
        let entered = farewell.entered.swap(false, Ordering::SeqCst);
        if entered {
            let _ = tcsetattr(stdout(), OptionalActions::Now, &farewell.modes);
            let _ = rustix::io::write(stdout(), &farewell.codes);
            super::guardian::restored();
        }
        // The libraries' own words may have been cut, and do not say what can be done.
        let _ = rustix::io::write(stderr(), WORD);
        if entered {
            let _ = rustix::io::write(stderr(), SANE);
        }
    }
    let _ = emulate_default_handler(Signal::ABORT.as_raw());
}
