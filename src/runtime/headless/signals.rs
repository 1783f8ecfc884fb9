//! [`Signals`]: SIGTERM and SIGINT as a value that a session polls, without tokio.

use std::io;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Weak};

use rustix::process::Signal;
use signal_hook::iterator::Signals as Caught;
use signal_hook::low_level::emulate_default_handler;

use crate::linux::host::own_signals;

/// The signals that ask a program without a terminal to end.
const STOPPING: [Signal; 2] = [Signal::TERM, Signal::INT];

/// Catches the two signals until dropped. A second signal before the program has obeyed the first has its
/// default effect and ends the process: a program that hangs in a write stays interruptible.
#[derive(Debug)]
pub(super) struct Signals(Arc<AtomicU8>);

impl Signals {
    /// Starts the thread that waits for the signals and calls `wake` when one comes.
    ///
    /// A signal that was ignored at start stays ignored: a shell without job control makes its background
    /// commands ignore SIGINT.
    pub(super) fn catch(wake: impl Fn() + Send + 'static) -> io::Result<Self> {
        let caught = Arc::new(AtomicU8::new(0));
        let ignored = own_signals::ignored();
        let wanted = STOPPING
            .iter()
            .map(|signal| signal.as_raw())
            .filter(|number| ignored & (1 << (number - 1)) == 0);
        let signals = Caught::new(wanted)?;
        let shared = Arc::downgrade(&caught);
        std::thread::Builder::new()
            .name("signals".to_owned())
            .spawn(move || wait(signals, &shared, wake))?;
        Ok(Self(caught))
    }

    /// The signal that came, if any.
    pub(super) fn caught(&self) -> Option<u8> {
        match self.0.load(Ordering::SeqCst) {
            0 => None,
            signal => Some(signal),
        }
    }
}

fn wait(mut signals: Caught, caught: &Weak<AtomicU8>, wake: impl Fn()) {
    for signal in &mut signals {
        let first = caught.upgrade().is_some_and(|caught| {
            let number = u8::try_from(signal).unwrap_or(u8::MAX);
            caught.swap(number, Ordering::SeqCst) == 0
        });
        if first {
            wake();
        } else {
            let _ = emulate_default_handler(signal);
        }
    }
}
