//! The guardian: a child process that restores the terminal when oomtop is killed by what no program can catch,
//! SIGKILL and the OOM killer.
//!
//! A child, not the parent: the process that the shell started, stops and waits for stays the one that runs, so that job
//! control, the exit status and the pid in ps(1) are as of any program. The kernel closes the files of a process before
//! it tells the parent (kernel/exit.c `do_exit`: `exit_files`, then `exit_notify`), so the guardian wakes before the
//! shell does; if the shell was faster, its modes are left alone.
//!
//! The guardian has a process group of its own: `kill -9 %1` is sent to the group of the job. It only waits, in memory
//! that it shares with oomtop, and is the smaller one of the two wherever the kernel chooses. Where a whole cgroup is
//! killed (`memory.oom.group`, `cgroup.kill`) it dies too.
//!
//! It also knows what oomtop has frozen, and says how to thaw it.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, OwnedFd, RawFd};
use std::sync::OnceLock;

use rustix::io::Errno;
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::{Pid, Signal, WaitOptions, kill_process, waitpid};

/// The terminal is taken; its modes before that follow.
const TAKEN: u8 = b'T';
/// The terminal has been restored.
const RESTORED: u8 = b'R';
/// What to say about that which oomtop has frozen; the length in two bytes and the text follow.
const FROZEN: u8 = b'F';

/// Longest such text. The message is less than `PIPE_BUF` (4096), so that it arrives whole.
const MOST_WORDS: usize = 2048;

/// How long a terminal may take no output before the guardian gives it up, seconds.
const PATIENCE: u32 = 2;

/// Ends whatever escape sequence a frame was cut in, and takes back its colours.
const CUT: &[u8] = b"\x18\x1b[m";

const WORD: &[u8] = b"oomtop: killed (SIGKILL, or the kernel for lack of memory); the terminal has been restored.\n";

/// Bytes of the modes.
const MODES: usize = size_of::<libc::termios>();

/// What the guardian listens to.
static PIPE: OnceLock<OwnedFd> = OnceLock::new();

/// The guardian; it ends with this value, and with oomtop.
#[derive(Debug)]
pub(super) struct Guardian(Option<Pid>);

impl Guardian {
    /// Starts it, with the escape codes that leave the full screen. Call this before any thread is made. Where no
    /// process can be made oomtop works without.
    pub(super) fn start(codes: &[u8]) -> Self {
        let Ok((listen, speak)) = pipe_with(PipeFlags::CLOEXEC) else {
            return Self(None);
        };
        // SAFETY: the child only makes system calls (signal-safety(7)), takes no lock, allocates nothing and never
        // returns.
        #[expect(unsafe_code, reason = "std has no fork without exec")]
        let pid = unsafe {
            match libc::fork() {
                0 => watch(listen.as_raw_fd(), codes),
                pid => pid,
            }
        };
        let guardian = Self(Some(pid).filter(|pid| *pid > 0).and_then(Pid::from_raw));
        if guardian.0.is_some() {
            let _ = PIPE.set(speak);
        }
        guardian
    }
}

impl Drop for Guardian {
    /// Nothing of oomtop stays behind, and whoever drops this says what is frozen. Call this with the terminal restored.
    fn drop(&mut self) {
        if let Some(pid) = self.0.take() {
            // It heeds no other signal, and may have been stopped.
            let _ = kill_process(pid, Signal::KILL);
            while matches!(waitpid(Some(pid), WaitOptions::empty()), Err(Errno::INTR)) {}
        }
    }
}

/// Tells the guardian that the terminal is about to be taken: from here on it restores the modes of now.
///
/// # Errors
/// If standard output is no terminal.
pub(super) fn taken() -> io::Result<()> {
    let mut message = [0; 1 + MODES];
    message[0] = TAKEN;
    let mut before = MaybeUninit::<libc::termios>::zeroed();
    // SAFETY: the call fills the structure or fails; the bytes between its fields were zeroed, and there is room for all.
    #[expect(
        unsafe_code,
        reason = "the guardian takes the modes as the C library has them"
    )]
    unsafe {
        if libc::tcgetattr(libc::STDOUT_FILENO, before.as_mut_ptr()) != 0 {
            return Err(io::Error::last_os_error());
        }
        let bytes = before.as_ptr().cast::<u8>();
        std::ptr::copy_nonoverlapping(bytes, message.as_mut_ptr().add(1), MODES);
    }
    say(&message);
    Ok(())
}

/// Tells the guardian that the terminal has been restored. A signal handler may call this.
pub(super) fn restored() {
    say(&[RESTORED]);
}

/// Tells the guardian what stays frozen if oomtop ends without a word; an empty text: nothing.
pub(super) fn frozen(word: &str) {
    let text = word.as_bytes().get(..MOST_WORDS).unwrap_or(word.as_bytes());
    let length = u16::try_from(text.len()).unwrap_or(0);
    let mut message = vec![FROZEN];
    message.extend(length.to_ne_bytes());
    message.extend(text);
    say(&message);
}

/// Less than `PIPE_BUF` bytes arrive whole. A guardian that is gone is no error.
fn say(message: &[u8]) {
    if let Some(pipe) = PIPE.get() {
        let _ = rustix::io::write(pipe.as_fd(), message);
    }
}

/// What the guardian does: waits for the end of the pipe, and restores the terminal if oomtop had it then.
///
/// # Safety
/// Only in a child that was just forked.
#[expect(
    unsafe_code,
    reason = "between fork and exec only system calls are allowed"
)]
unsafe fn watch(pipe: RawFd, codes: &[u8]) -> ! {
    const NAME: &[u8] = b"oomtop-guard\0";
    const ROOT: &[u8] = b"/\0";
    const LISTEN: RawFd = 3;
    // SAFETY: system calls on numbers and on memory of this function.
    unsafe {
        libc::setpgid(0, 0);
        for signal in 1..32 {
            libc::signal(signal, libc::SIG_IGN);
        }
        libc::signal(libc::SIGALRM, libc::SIG_DFL);
        libc::prctl(libc::PR_SET_NAME, NAME.as_ptr());
        // It keeps no file system busy, and no file or pipe open but the terminal.
        libc::chdir(ROOT.as_ptr().cast());
        libc::dup2(pipe, LISTEN);
        libc::syscall(libc::SYS_close_range, LISTEN + 1, u32::MAX, 0);
        let mut before = MaybeUninit::<libc::termios>::zeroed();
        let mut has_terminal = false;
        let mut words = [0_u8; MOST_WORDS];
        let mut length = 0;
        loop {
            let mut tag = 0_u8;
            if !heard(LISTEN, &raw mut tag, 1) {
                break;
            }
            if tag == FROZEN {
                let mut bytes = [0_u8; 2];
                if !heard(LISTEN, bytes.as_mut_ptr(), 2) {
                    break;
                }
                length = usize::from(u16::from_ne_bytes(bytes)).min(MOST_WORDS);
                if !heard(LISTEN, words.as_mut_ptr(), length) {
                    length = 0;
                    break;
                }
                continue;
            }
            has_terminal = tag == TAKEN;
            if has_terminal && !heard(LISTEN, before.as_mut_ptr().cast(), MODES) {
                has_terminal = false;
                break;
            }
        }
        if has_terminal {
            libc::alarm(PATIENCE);
            let mut now = MaybeUninit::<libc::termios>::zeroed();
            libc::tcgetattr(libc::STDOUT_FILENO, now.as_mut_ptr());
            if is_raw(now.assume_init_ref()) {
                libc::tcsetattr(libc::STDOUT_FILENO, libc::TCSANOW, before.as_ptr());
            }
            for text in [CUT, codes, WORD] {
                libc::write(libc::STDOUT_FILENO, text.as_ptr().cast(), text.len());
            }
        }
        if length > 0 {
            // Also where the terminal was restored before: by a panic, or by a signal while it took no output.
            libc::alarm(PATIENCE);
            libc::write(libc::STDOUT_FILENO, words.as_ptr().cast(), length);
        }
        libc::_exit(0)
    }
}

/// Reads so many bytes; false at the end of the pipe.
///
/// # Safety
/// `to` has room for them.
#[expect(
    unsafe_code,
    reason = "between fork and exec only system calls are allowed"
)]
unsafe fn heard(pipe: RawFd, to: *mut u8, count: usize) -> bool {
    let mut done = 0;
    while done < count {
        // SAFETY: the rest of the caller's room.
        let read = unsafe { libc::read(pipe, to.add(done).cast(), count - done) };
        match usize::try_from(read) {
            Ok(0) => return false,
            Ok(size) => done += size,
            // SAFETY: the C library's own place for this thread.
            Err(_) if unsafe { *libc::__errno_location() } == libc::EINTR => {}
            Err(_) => return false,
        }
    }
    true
}

/// True for the modes that oomtop sets (cfmakeraw(3)). A shell that edits a line leaves signals or output processing on.
fn is_raw(modes: &libc::termios) -> bool {
    modes.c_lflag & (libc::ISIG | libc::ICANON | libc::ECHO) == 0
        && modes.c_oflag & libc::OPOST == 0
}
