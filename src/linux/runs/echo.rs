//! [`Echo`]: a process that hears what is sent to the whole process group.
//!
//! The command of a terminal is in the process group of oomtop. Who sends a signal to that group (`kill -- -PGID`, timeout(1))
//! reaches both, and `si_code` does not tell such a signal from one to oomtop alone. A third process in the group tells: what it
//! hears, the command has got, too.

use std::io;
use std::os::fd::{AsRawFd as _, BorrowedFd};

use rustix::process::{Pid, Signal, WaitOptions, kill_process, waitpid};

/// The second byte of what it writes; the first is the signal.
pub const HEARD: u8 = 2;

/// The process. It ends with this value, and with oomtop.
#[derive(Debug)]
pub struct Echo(Pid);

impl Echo {
    /// Starts it. For each of these signals it writes two bytes: the signal and [`HEARD`].
    ///
    /// # Errors
    /// If no process can be made.
    pub fn start(signals: &[Signal], say: BorrowedFd<'_>) -> io::Result<Self> {
        let heard = set(signals.iter().map(|signal| signal.as_raw()));
        let all = set(1..=libc::SIGRTMAX());
        let parent = rustix::process::getpid().as_raw_nonzero().get();
        let say = say.as_raw_fd();
        // Nothing reaches handlers of oomtop in the child: all is blocked before it is there.
        let before = block(&all)?;
        // SAFETY: the child makes only system calls, takes no lock, allocates nothing and never returns (signal-safety(7)).
        #[expect(unsafe_code, reason = "std forks only to execute")]
        let forked = unsafe { libc::fork() };
        if forked == 0 {
            listen(&heard, say, parent);
        }
        let forked = (forked > 0)
            .then_some(forked)
            .ok_or_else(io::Error::last_os_error);
        block_only(&before)?;
        let pid = Pid::from_raw(forked?);
        pid.map(Self)
            .ok_or_else(|| io::Error::other("a process without a pid"))
    }
}

impl Drop for Echo {
    fn drop(&mut self) {
        let _ = kill_process(self.0, Signal::KILL);
        let _ = waitpid(Some(self.0), WaitOptions::empty());
    }
}

fn set(signals: impl Iterator<Item = i32>) -> libc::sigset_t {
    // SAFETY: a set is plain bits, and sigemptyset(3) makes it one.
    #[expect(unsafe_code, reason = "rustix has no portable set of signals")]
    unsafe {
        let mut set = std::mem::zeroed();
        libc::sigemptyset(&raw mut set);
        for signal in signals {
            // Numbers that libc keeps for itself are refused.
            libc::sigaddset(&raw mut set, signal);
        }
        set
    }
}

/// Blocks these for this thread; returns what was blocked before.
fn block(signals: &libc::sigset_t) -> io::Result<libc::sigset_t> {
    let mut before = set(std::iter::empty());
    // SAFETY: both point to sets.
    #[expect(unsafe_code, reason = "no crate in use changes the mask")]
    let failed = unsafe { libc::pthread_sigmask(libc::SIG_BLOCK, signals, &raw mut before) };
    match failed {
        0 => Ok(before),
        errno => Err(io::Error::from_raw_os_error(errno)),
    }
}

fn block_only(signals: &libc::sigset_t) -> io::Result<()> {
    // SAFETY: it points to a set, and nothing is asked back.
    #[expect(unsafe_code, reason = "no crate in use changes the mask")]
    let failed = unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, signals, std::ptr::null_mut()) };
    match failed {
        0 => Ok(()),
        errno => Err(io::Error::from_raw_os_error(errno)),
    }
}

/// The child: it keeps one descriptor, and ends with its parent.
fn listen(heard: &libc::sigset_t, say: i32, parent: i32) -> ! {
    // SAFETY: system calls on numbers and on memory that is there.
    #[expect(unsafe_code, reason = "after fork(2) only system calls are allowed")]
    unsafe {
        libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
        libc::prctl(libc::PR_SET_NAME, c"oomtop-echo".as_ptr());
        // Pipes that oomtop holds must end when oomtop closes them. Before 5.9 a few stay open until it ends.
        if libc::getppid() != parent || libc::dup2(say, 0) != 0 {
            libc::_exit(1);
        }
        libc::syscall(libc::SYS_close_range, 1_u32, u32::MAX, 0_u32);
        loop {
            let signal = libc::sigwaitinfo(heard, std::ptr::null_mut());
            let Ok(byte @ 1..) = u8::try_from(signal) else {
                continue;
            };
            let record = [byte, HEARD];
            if libc::write(0, record.as_ptr().cast(), record.len()) < 0 {
                libc::_exit(0);
            }
        }
    }
}
