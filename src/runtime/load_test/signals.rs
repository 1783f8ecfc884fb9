//! Passes the signals of oomtop on to the command.
//!
//! The command of a terminal shares oomtop's process group, so that Ctrl-C, Ctrl-Z and a pipeline work as without oomtop:
//! the terminal has sent those signals to both, and only who sent one says that (`si_code`, sigaction(2)).

use std::fs::File;
use std::io::{self, Read as _};
use std::os::fd::{AsFd as _, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::{Signal, getpid, getppid, getsid, kill_process};

use super::job::Job;
use crate::linux::helper::helper;
use crate::linux::host::own_signals;
use crate::runtime::screen::Companion as _;

/// The signals that are passed on.
const PASSED: [Signal; 8] = [
    Signal::HUP,
    Signal::INT,
    Signal::QUIT,
    Signal::TERM,
    Signal::USR1,
    Signal::USR2,
    Signal::TSTP,
    Signal::CONT,
];

/// `si_code` of what the kernel itself sent (include/uapi/asm-generic/siginfo.h `SI_KERNEL`).
const BY_KERNEL: i32 = 0x80;

/// The signals that have come, two bytes each.
#[derive(Debug)]
pub(super) struct Caught(OwnedFd);

/// From here on none of these signals ends oomtop. Those that were ignored at the start stay so, here and in the command.
pub(super) fn catch() -> io::Result<Caught> {
    let (read, write) = pipe_with(PipeFlags::CLOEXEC)?;
    let write = Arc::new(write);
    let ignored = own_signals::ignored();
    for signal in PASSED {
        let number = signal.as_raw();
        if ignored & (1 << (number - 1)) != 0 {
            continue;
        }
        let write = Arc::clone(&write);
        let byte = u8::try_from(number).unwrap_or(0);
        let note = move |info: &libc::siginfo_t| {
            let from = u8::from(info.si_code == BY_KERNEL);
            let _ = rustix::io::write(write.as_fd(), &[byte, from]);
        };
        // SAFETY: the handler makes one system call, on a descriptor that stays open as long as the handler.
        #[expect(unsafe_code, reason = "the caller vouches for a signal handler")]
        unsafe {
            signal_hook_registry::register_sigaction(number, note)?;
        }
    }
    Ok(Caught(read))
}

/// Passes them on for as long as oomtop runs. While `on_screen` the terminal's stops are the screen's business.
pub(super) fn pass_on(caught: Caught, job: Arc<Job>, on_screen: Arc<AtomicBool>) -> io::Result<()> {
    helper("signals", move || {
        let mut pipe = File::from(caught.0);
        let mut bytes = [0_u8; 2];
        while pipe.read_exact(&mut bytes).is_ok() {
            let [number, from] = bytes;
            let by_kernel = from != 0;
            let signal = PASSED
                .iter()
                .find(|signal| signal.as_raw() == i32::from(number));
            match signal.copied() {
                Some(Signal::TSTP | Signal::CONT) if on_screen.load(Ordering::SeqCst) => {}
                Some(Signal::TSTP) => {
                    job.pass_on(Signal::TSTP, by_kernel);
                    stop();
                }
                Some(Signal::CONT) => job.signal(Signal::CONT),
                Some(signal) => job.pass_on(signal, by_kernel),
                None => {}
            }
        }
    })
    .map(drop)
}

/// Stops oomtop as the default action of SIGTSTP does: not where no shell could continue it.
fn stop() {
    let own = getsid(None);
    let above = getppid().map(|parent| getsid(Some(parent)));
    if own != Ok(getpid()) && above == Some(own) {
        let _ = kill_process(getpid(), Signal::STOP);
    }
}
