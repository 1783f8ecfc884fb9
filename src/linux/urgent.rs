//! [`Urgent`]: gives the threads between the kernel and the screen the processor before all others, while memory is
//! short.
//!
//! When hundreds of processes fork without memory, the run queue is longer than a second. A thread of the lowest
//! real-time priority does not stand in that queue (sched(7)), and the kernel lets it allocate below the watermark at
//! which others must reclaim first (mm/page_alloc.c `gfp_to_alloc_flags`, `rt_task`).
//!
//! No bug may take the machine with that: a thread that runs for [`FUSE`] without waiting gets SIGXCPU
//! (`RLIMIT_RTTIME`, setrlimit(2)), whose handler takes the priority from all of them for [`PAUSE`]. What they start
//! does not inherit it (`SCHED_RESET_ON_FORK`).

use std::io;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustix::io::Errno;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use rustix::thread::gettid;
use rustix::time::{ClockId, clock_gettime};

use crate::model::wake::Turn;

/// Processor time without a wait after which the priority is lost.
pub const FUSE: Duration = Duration::from_millis(500);

/// Microseconds of the shortest fuse: no frame blows it.
const LEAST_FUSE: u64 = 50_000;

/// How long it is lost then.
pub const PAUSE: Duration = Duration::from_secs(15);

/// Memory is short for so long after the last sign of it.
pub const HOLD: Duration = Duration::from_secs(10);

/// Memory is short if tasks have waited for more microseconds than this between two samples.
const STALLS: u64 = 100_000;

/// The lowest priority before all ordinary threads.
const PRIORITY: libc::c_int = 1;

/// Most threads that are urgent together.
const MOST: usize = 16;

/// The threads of this process.
pub static OWN: Urgent = Urgent::new();

/// The threads that shall run in time, and whether they are urgent now.
#[derive(Debug)]
pub struct Urgent {
    /// Thread ids; 0: none.
    threads: [AtomicI32; MOST],
    is_armed: AtomicBool,
    /// When memory is no longer short, in milliseconds of the monotonic clock; 0: the threads are as others.
    until: AtomicU64,
    /// The fuse has blown: not before this time, in milliseconds.
    pause_until: AtomicU64,
    /// The error that refused it; 0: none.
    refusal: AtomicI32,
    /// Held while threads come, go or change; never by the signal handler.
    changes: Mutex<()>,
}

/// The calling thread among the urgent ones, until this value is dropped.
#[derive(Debug)]
#[must_use]
pub struct Member {
    of: &'static Urgent,
    place: usize,
    /// Only the thread itself leaves.
    stays: std::marker::PhantomData<*const ()>,
}

impl Default for Urgent {
    fn default() -> Self {
        Self::new()
    }
}

impl Urgent {
    /// No threads. Nothing happens before [`Self::arm`].
    #[must_use]
    pub const fn new() -> Self {
        Self {
            threads: [const { AtomicI32::new(0) }; MOST],
            is_armed: AtomicBool::new(false),
            until: AtomicU64::new(0),
            pause_until: AtomicU64::new(0),
            refusal: AtomicI32::new(0),
            changes: Mutex::new(()),
        }
    }

    /// Prepares the fuse, and finds out whether the kernel allows the priority.
    ///
    /// # Errors
    /// If it does not: it takes `CAP_SYS_NICE` or `RLIMIT_RTPRIO`, and a v1 cpu group without real-time budget refuses
    /// it to all (`CONFIG_RT_GROUP_SCHED`). If somebody chose another policy than the usual one. If there can be no
    /// fuse.
    pub fn arm(&'static self) -> io::Result<()> {
        let armed = self.try_arm();
        if let Err(error) = &armed {
            let errno = error.raw_os_error().unwrap_or(libc::EINVAL);
            self.refusal.store(errno, Ordering::SeqCst);
        }
        armed
    }

    fn try_arm(&'static self) -> io::Result<()> {
        if self.is_armed.load(Ordering::SeqCst) {
            return Ok(());
        }
        if policy(0)? != libc::SCHED_OTHER {
            return Err(Errno::INVAL.into());
        }
        set_fuse()?;
        // SAFETY: the handler only loads and stores atomics and makes system calls (signal-safety(7)): it takes no lock
        // and does not allocate.
        #[expect(unsafe_code, reason = "a signal handler may do little")]
        let caught = unsafe { signal_hook::low_level::register(libc::SIGXCPU, || self.on_fuse()) };
        caught?;
        raise(0)?;
        lower(0);
        self.is_armed.store(true, Ordering::SeqCst);
        Ok(())
    }

    /// Adds the calling thread.
    pub fn join(&'static self) -> Member {
        let _changes = self.lock();
        let own = gettid().as_raw_nonzero().get();
        let free = |thread: &AtomicI32| {
            let (taken, seen) = (Ordering::SeqCst, Ordering::SeqCst);
            thread.compare_exchange(0, own, taken, seen).is_ok()
        };
        // One thread more than there are places is as others.
        let place = self.threads.iter().position(free).unwrap_or(MOST);
        if place < MOST && self.until.load(Ordering::SeqCst) > 0 {
            self.raise_all();
        }
        Member {
            of: self,
            place,
            stays: std::marker::PhantomData,
        }
    }

    /// Memory is short now: tasks wait for it, or the kernel kills for it. The threads are urgent from now on.
    pub fn memory_is_short(&self) {
        let now = now();
        if !self.is_armed.load(Ordering::SeqCst) || now < self.pause_until.load(Ordering::SeqCst) {
            return;
        }
        // Said again it only lasts longer: no lock, which a thread may hold that does not get to run.
        let before = self.until.load(Ordering::SeqCst);
        if before > now {
            let (done, seen) = (Ordering::SeqCst, Ordering::SeqCst);
            let longer = now + millis(HOLD);
            if (self.until)
                .compare_exchange(before, longer, done, seen)
                .is_ok()
            {
                return;
            }
        }
        let _changes = self.lock();
        if self.until.swap(now + millis(HOLD), Ordering::SeqCst) == 0 {
            self.raise_all();
        }
    }

    /// A sample tells whether memory is short: by kills since the one before, or by the microseconds that tasks had
    /// waited for memory, then and now (PSI `some`).
    pub fn sampled(&self, killed: bool, before: Option<u64>, stalled: Option<u64>) {
        if killed || before.is_some_and(|before| stalled > Some(before + STALLS)) {
            self.memory_is_short();
        } else {
            self.look();
        }
    }

    /// Makes the threads as others once memory is no longer short; otherwise the time after which to look again.
    pub fn look(&self) -> Option<Duration> {
        let left = |until: u64| Duration::from_millis(until.saturating_sub(now()));
        match self.until.load(Ordering::SeqCst) {
            0 => return None,
            until if !left(until).is_zero() => return Some(left(until)),
            _ => {}
        }
        let _changes = self.lock();
        // It may have become short again.
        let until = self.until.load(Ordering::SeqCst);
        if until > 0 && left(until).is_zero() {
            self.until.store(0, Ordering::SeqCst);
            self.lower_all();
        }
        Some(left(self.until.load(Ordering::SeqCst))).filter(|left| !left.is_zero())
    }

    /// What the threads get, for the screen.
    #[must_use]
    pub fn turn(&self) -> Turn {
        match self.refusal.load(Ordering::SeqCst) {
            0 if !self.is_armed.load(Ordering::SeqCst) => Turn::NotAsked,
            0 if now() < self.pause_until.load(Ordering::SeqCst) => Turn::AsOthers(format!(
                "for {} s: a thread ran for {} ms without a pause",
                PAUSE.as_secs(),
                FUSE.as_millis()
            )),
            0 => Turn::First,
            libc::EPERM => Turn::AsOthers("real-time priority needs CAP_SYS_NICE".to_owned()),
            libc::ERANGE => Turn::AsOthers("RLIMIT_RTTIME is too short".to_owned()),
            libc::EINVAL => Turn::AsOthers("with the policy it was started with".to_owned()),
            other => Turn::AsOthers(Errno::from_raw_os_error(other).to_string()),
        }
    }

    /// Under the lock.
    fn raise_all(&self) {
        // After each SIGXCPU the kernel has moved the limit (kernel/time/posix-cpu-timers.c `check_thread_timers`).
        if let Err(error) = set_fuse().and_then(|()| self.threads().try_for_each(raise)) {
            // oomtop may have been moved to a group without real-time budget.
            let errno = error.raw_os_error().unwrap_or(libc::EINVAL);
            self.refusal.store(errno, Ordering::SeqCst);
            self.is_armed.store(false, Ordering::SeqCst);
            self.until.store(0, Ordering::SeqCst);
            self.lower_all();
        }
        // The signal may have come meanwhile.
        if now() < self.pause_until.load(Ordering::SeqCst) {
            self.blow();
        }
    }

    fn lower_all(&self) {
        self.threads().for_each(lower);
    }

    fn threads(&self) -> impl Iterator<Item = libc::pid_t> {
        let all = self.threads.iter();
        all.map(|thread| thread.load(Ordering::SeqCst))
            .filter(|thread| *thread > 0)
    }

    /// The signal handler. The code that it interrupts finds its `errno` as it was.
    fn on_fuse(&self) {
        // SAFETY: the pointer to this thread's errno is always valid.
        #[expect(unsafe_code, reason = "std can read errno, but not set it")]
        let errno = unsafe { &mut *libc::__errno_location() };
        let before = *errno;
        self.blow();
        *errno = before;
    }

    /// Whichever thread takes the signal: all are as others again.
    fn blow(&self) {
        self.pause_until
            .store(now() + millis(PAUSE), Ordering::SeqCst);
        self.until.store(0, Ordering::SeqCst);
        self.lower_all();
    }

    fn lock(&self) -> MutexGuard<'_, ()> {
        self.changes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        let _changes = self.of.lock();
        if let Some(thread) = self.of.threads.get(self.place) {
            thread.store(0, Ordering::SeqCst);
            if self.of.is_armed.load(Ordering::SeqCst) {
                lower(0);
            }
        }
    }
}

/// Sets the soft limit. A hard limit, at which the kernel kills, stays what it is and must not be reached.
fn set_fuse() -> io::Result<()> {
    let micros = u64::try_from(FUSE.as_micros()).unwrap_or(u64::MAX);
    let hard = getrlimit(Resource::Rttime).maximum;
    let soft = hard.map_or(micros, |hard| micros.min(hard / 2));
    if soft < LEAST_FUSE {
        return Err(Errno::RANGE.into());
    }
    let limit = Rlimit {
        current: Some(soft),
        maximum: hard,
    };
    Ok(setrlimit(Resource::Rttime, limit)?)
}

fn raise(thread: libc::pid_t) -> io::Result<()> {
    // A policy that somebody else has set meanwhile stays.
    if policy(thread)? != libc::SCHED_OTHER {
        return Ok(());
    }
    set(thread, libc::SCHED_RR | libc::SCHED_RESET_ON_FORK, PRIORITY)
}

/// Only a thread that is urgent. Keeps its nice value (kernel/sched/syscalls.c `_sched_setscheduler`).
fn lower(thread: libc::pid_t) {
    if policy(thread).is_ok_and(|policy| policy != libc::SCHED_RR) {
        return;
    }
    // The flag goes only with CAP_SYS_NICE; it does no harm.
    if set(thread, libc::SCHED_OTHER, 0).is_err() {
        let _ = set(thread, libc::SCHED_OTHER | libc::SCHED_RESET_ON_FORK, 0);
    }
}

/// The policy of a thread, without the flag; 0 is the calling one.
fn policy(thread: libc::pid_t) -> io::Result<libc::c_int> {
    // SAFETY: sched_getscheduler(2) takes no pointer.
    #[expect(unsafe_code, reason = "rustix does not have it, and musl refuses it")]
    let policy = unsafe { libc::syscall(libc::SYS_sched_getscheduler, thread) };
    match libc::c_int::try_from(policy) {
        Ok(policy) if policy >= 0 => Ok(policy & !libc::SCHED_RESET_ON_FORK),
        _ => Err(io::Error::last_os_error()),
    }
}

fn set(thread: libc::pid_t, policy: libc::c_int, priority: libc::c_int) -> io::Result<()> {
    // SAFETY: the kernel's `struct sched_param` is one int, which outlives the call.
    #[expect(unsafe_code, reason = "rustix does not have it, and musl refuses it")]
    let done = unsafe {
        libc::syscall(
            libc::SYS_sched_setscheduler,
            thread,
            policy,
            &raw const priority,
        )
    };
    match done {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Milliseconds of the monotonic clock; a handler may ask for them.
fn now() -> u64 {
    let time = Duration::try_from(clock_gettime(ClockId::Monotonic));
    millis(time.unwrap_or_default())
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
