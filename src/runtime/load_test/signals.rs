//! Passes the signals of oomtop on to the command.
//!
//! The command of a terminal shares oomtop's process group, so that Ctrl-C, Ctrl-Z and a pipeline work as without oomtop. What
//! the terminal sends, or anybody else to the whole group, both have got: who sent a signal of the terminal says that
//! (`si_code`, sigaction(2)), and of all others the [`Echo`] tells.

use std::collections::VecDeque;
use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::{Signal, getpid, getppid, getsid, kill_process};

use super::job::Job;
use crate::linux::helper::helper;
use crate::linux::host::own_signals;
use crate::linux::runs::echo::{Echo, HEARD};
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

/// How long the echo of a signal may take, and how long one that came first is kept for its signal.
const ECHO: Duration = Duration::from_millis(50);
const KEPT: Duration = Duration::from_secs(1);

/// The signals that have come, two bytes each.
#[derive(Debug)]
pub(super) struct Caught {
    read: OwnedFd,
    write: Arc<OwnedFd>,
}

/// From here on none of these signals ends oomtop. Those that were ignored at the start stay so, here and in the command.
pub(super) fn catch() -> io::Result<Caught> {
    catch_these(&PASSED)
}

fn catch_these(signals: &[Signal]) -> io::Result<Caught> {
    let (read, write) = pipe_with(PipeFlags::CLOEXEC)?;
    let write = Arc::new(write);
    let ignored = own_signals::ignored();
    let own = getpid();
    for signal in signals.iter().copied() {
        let number = signal.as_raw();
        if ignored & (1 << (number - 1)) != 0 {
            continue;
        }
        let write = Arc::clone(&write);
        let byte = u8::try_from(number).unwrap_or(0);
        let note = move |info: &libc::siginfo_t| {
            // A child has this handler until it executes its program, and the group's signals reach the child, too. A stop
            // would stop oomtop, too, which waits for the program: see `pass_on`.
            if getpid() != own {
                if signal != Signal::TSTP {
                    own_signals::as_by_default(signal);
                }
                return;
            }
            let from = u8::from(info.si_code == BY_KERNEL);
            let _ = rustix::io::write(write.as_fd(), &[byte, from]);
        };
        // SAFETY: the handler only makes system calls, on a descriptor that stays open as long as the handler.
        #[expect(unsafe_code, reason = "the caller vouches for a signal handler")]
        unsafe {
            signal_hook_registry::register_sigaction(number, note)?;
        }
    }
    Ok(Caught { read, write })
}

impl Caught {
    /// Listens to what is sent to the whole process group. `None` if no process can be made: a signal to all then reaches the
    /// command twice.
    pub(super) fn echo(&self) -> Option<Echo> {
        Echo::start(&PASSED, self.write.as_fd()).ok()
    }
}

/// Passes them on for as long as oomtop runs. While `on_screen` the terminal's stops are the screen's business.
pub(super) fn pass_on(
    caught: Caught,
    job: Arc<Job>,
    on_screen: Arc<AtomicBool>,
    has_echo: bool,
) -> io::Result<()> {
    helper("signals", move || {
        let mut inbox = Inbox {
            pipe: caught.read,
            waiting: VecDeque::new(),
            echoes: VecDeque::new(),
            owed: Vec::new(),
        };
        // Before the command was executed, it took no stop of its group. A second one is forgotten when it continues.
        if inbox.drain().any(|number| number == Signal::TSTP.as_raw()) && !job.is_apart() {
            job.signal(Signal::TSTP);
        }
        while let Some([number, from]) = inbox.next(None) {
            if from == HEARD {
                inbox.heard(number);
                continue;
            }
            // A terminal's signal has its echo, too: it must not be taken for that of the next.
            let was_heard = has_echo && inbox.was_heard(number);
            let has_got_it = from != 0 || was_heard;
            let signal = PASSED
                .iter()
                .find(|signal| signal.as_raw() == i32::from(number));
            match signal.copied() {
                Some(Signal::TSTP | Signal::CONT) if on_screen.load(Ordering::SeqCst) => {}
                Some(Signal::TSTP) => {
                    job.pass_on(Signal::TSTP, has_got_it);
                    stop();
                }
                Some(Signal::CONT) => job.signal(Signal::CONT),
                Some(signal) => job.pass_on(signal, has_got_it),
                None => {}
            }
        }
    })
    .map(drop)
}

/// What has come out of the pipe.
struct Inbox {
    pipe: OwnedFd,
    /// Came while an echo was waited for.
    waiting: VecDeque<[u8; 2]>,
    /// Echoes whose signals are still to come, and when they came.
    echoes: VecDeque<(u8, Instant)>,
    /// Signals whose echo has not come in time, and when they came. If it comes after all, it must not be taken for that of the
    /// next signal, which would then be lost.
    owed: Vec<(u8, Instant)>,
}

impl Inbox {
    /// The next record; `None` at the end, or if none comes in time.
    fn next(&mut self, within: Option<Duration>) -> Option<[u8; 2]> {
        if within.is_none()
            && let Some(record) = self.waiting.pop_front()
        {
            return Some(record);
        }
        loop {
            if let Some(within) = within {
                let mut ready = [PollFd::new(&self.pipe, PollFlags::IN)];
                let within = Timespec::try_from(within).ok();
                match poll(&mut ready, within.as_ref()) {
                    Ok(1..) => {}
                    Err(Errno::INTR) => continue,
                    Ok(_) | Err(_) => return None,
                }
            }
            let mut record = [0; 2];
            // Both are written by one call and read by one (pipe(7), PIPE_BUF).
            match rustix::io::read(&self.pipe, &mut record) {
                Ok(2) => return Some(record),
                Err(Errno::INTR) => {}
                Ok(_) | Err(_) => return None,
            }
        }
    }

    /// Takes all that has come; returns the numbers.
    fn drain(&mut self) -> impl Iterator<Item = i32> {
        while let Some(record) = self.next(Some(Duration::ZERO)) {
            self.waiting.push_back(record);
        }
        self.waiting.iter().map(|[number, _]| i32::from(*number))
    }

    /// An echo has come. One that a signal has waited for in vain is dropped.
    fn heard(&mut self, number: u8) {
        if !self.was_owed(number) {
            self.echoes.push_back((number, Instant::now()));
        }
    }

    fn was_owed(&mut self, number: u8) -> bool {
        self.owed.retain(|(_, at)| at.elapsed() < KEPT);
        let at = self.owed.iter().position(|(owed, _)| *owed == number);
        at.map(|at| self.owed.remove(at)).is_some()
    }

    /// True if the whole process group has got this signal.
    fn was_heard(&mut self, number: u8) -> bool {
        let was_heard = self.is_heard_in_time(number);
        // A signal to oomtop alone has no echo, and owes none after a while.
        if !was_heard {
            self.owed.retain(|(owed, _)| *owed != number);
            self.owed.push((number, Instant::now()));
        }
        was_heard
    }

    fn is_heard_in_time(&mut self, number: u8) -> bool {
        self.echoes.retain(|(_, at)| at.elapsed() < KEPT);
        if let Some(at) = self.echoes.iter().position(|(heard, _)| *heard == number) {
            self.echoes.remove(at);
            return true;
        }
        let until = Instant::now() + ECHO;
        let waited = self
            .waiting
            .iter()
            .position(|record| *record == [number, HEARD]);
        if let Some(at) = waited {
            self.waiting.remove(at);
            if !self.was_owed(number) {
                return true;
            }
        }
        loop {
            let left = until.saturating_duration_since(Instant::now());
            match self.next(Some(left)) {
                Some(record) if record == [number, HEARD] => {
                    if !self.was_owed(number) {
                        return true;
                    }
                }
                Some(record) => self.waiting.push_back(record),
                None => return false,
            }
        }
    }
}

/// Stops oomtop as the default action of SIGTSTP does: not where no shell could continue it.
fn stop() {
    let own = getsid(None);
    let above = getppid().map(|parent| getsid(Some(parent)));
    if own != Ok(getpid()) && above == Some(own) {
        let _ = kill_process(getpid(), Signal::STOP);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
    use std::process::Command;
    use std::time::Duration;

    use rustix::pipe::pipe;
    use rustix::process::{Signal, getpid, kill_process};

    use super::{HEARD, Inbox, catch_these};

    #[test]
    fn a_signal_to_a_child_before_its_program_is_the_childs_and_not_oomtops() {
        let mut inbox = Inbox {
            pipe: catch_these(&[Signal::USR2]).expect("caught").read,
            waiting: VecDeque::new(),
            echoes: VecDeque::new(),
            owed: Vec::new(),
        };
        let mut command = Command::new("true");
        // SAFETY: the closure makes two system calls.
        #[expect(unsafe_code, reason = "a test between fork and exec")]
        unsafe {
            command.pre_exec(|| Ok(kill_process(getpid(), Signal::USR2)?));
        }
        let status = command.status().expect("started");
        assert_eq!(status.signal(), Some(Signal::USR2.as_raw()));
        assert_eq!(inbox.next(Some(Duration::ZERO)), None);
        kill_process(getpid(), Signal::USR2).expect("sent");
        assert_eq!(inbox.next(None), Some([12, 0]));
    }

    #[test]
    fn an_echo_before_or_after_its_signal_is_found_and_the_rest_keeps_its_order() {
        let (pipe, write) = pipe().expect("a pipe");
        let mut inbox = Inbox {
            pipe,
            waiting: VecDeque::new(),
            echoes: VecDeque::new(),
            owed: Vec::new(),
        };
        let say = |record: [u8; 2]| rustix::io::write(&write, &record).expect("room");
        say([2, 0]);
        say([15, 0]);
        say([2, HEARD]);
        assert_eq!(inbox.next(None), Some([2, 0]));
        assert!(inbox.was_heard(2));
        assert_eq!(inbox.next(None), Some([15, 0]));
        assert!(!inbox.was_heard(15));
        inbox.echoes.push_back((10, std::time::Instant::now()));
        assert!(inbox.was_heard(10) && !inbox.was_heard(10));
    }

    #[test]
    fn an_echo_that_comes_too_late_is_not_taken_for_that_of_the_next_signal() {
        let (pipe, _write) = pipe().expect("a pipe");
        let mut inbox = Inbox {
            pipe,
            waiting: VecDeque::new(),
            echoes: VecDeque::new(),
            owed: Vec::new(),
        };
        assert!(!inbox.was_heard(2));
        // Late: the signal has been passed on already. The next one, to oomtop alone, must reach the command.
        inbox.heard(2);
        assert!(!inbox.was_heard(2));
        // Late, while the signal after it waits for its own, which comes, too.
        inbox.waiting.extend([[2, HEARD], [15, 0]]);
        assert!(!inbox.was_heard(2));
        inbox.heard(2);
        inbox.heard(2);
        assert!(inbox.was_heard(2));
    }
}
