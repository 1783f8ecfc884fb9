//! [`KillTrace`]: kills from two tracepoints, at once and without the kernel's log.
//!
//! `oom:mark_victim` names every victim of the OOM killer, also those that the log does not: it has no rate limit.
//! `signal:signal_generate` tells who sent SIGKILL, and whom the kernel takes along with a victim. The programs
//! ([`program`]) are assembled for the running kernel from its type information ([`layout`]), write into a ring, and
//! [`story`] makes kills of the records. Needs `CAP_BPF` and `CAP_PERFMON` (or `CAP_SYS_ADMIN`), kernel 5.8 or later,
//! and the initial pid namespace.
//!
//! Nothing runs while nobody is killed: the kernel wakes the reader, and the program at `signal_generate` ends after
//! four instructions for any other signal.

mod files;
mod layout;
mod program;
mod record;
mod story;

use std::fs::File;
use std::os::fd::BorrowedFd;
use std::time::Duration;

use rustix::event::Timespec;
use rustix::time::{ClockId, clock_gettime};

use super::btf::BtfError;
use super::calls::{CounterMap, RawTracepoint, Rejection, Ring, Verified, Woken};
use super::refusal::Refusal;
use super::usable::usable;
use super::walk::TYPES;
use crate::linux::SysRoot;
use crate::linux::cgroup::hierarchy::Hierarchy;
use crate::model::traced::Traced;
use files::VictimFiles;
use layout::TraceLayout;
use program::{LOST_MARKS, LOST_SIGNALS, Maps};
use record::Record;
use story::{Story, Units};

/// Bytes of the ring: 1638 records. An OOM writes two for each victim.
const RING: u32 = 256 * 1024;

/// How long a signal waits for its mark before it is told as nobody's but the kernel's.
const SETTLE: Duration = Duration::from_millis(250);

/// Records taken in one go. Whoever sends SIGKILL in a loop does not keep the reader busy.
const BATCH: usize = 512;
const PAUSE: Duration = Duration::from_millis(5);

/// Programs at the tracepoints, and what they told so far.
#[derive(Debug)]
pub(crate) struct KillTrace {
    ring: Ring,
    lost: CounterMap,
    /// Marks that were lost and told.
    told: u64,
    _links: Vec<RawTracepoint>,
    story: Story,
    files: VictimFiles,
    instructions: u32,
    lacking: String,
}

impl KillTrace {
    /// Assembles, loads and attaches the programs. This can take long: call it on a thread that nobody waits for.
    ///
    /// # Errors
    /// Why the tracepoints cannot be used here. Without the one for signals the other is still used.
    pub(crate) fn open(root: &SysRoot) -> Result<Self, Refusal> {
        Self::open_with(root, RING)
    }

    /// With a ring of so many bytes, a power of two of pages.
    fn open_with(root: &SysRoot, ring: u32) -> Result<Self, Refusal> {
        const SECOND: u64 = 1_000_000_000;
        let proc = usable(root)?;
        let ticks = rustix::param::clock_ticks_per_second();
        if ticks == 0 || !SECOND.is_multiple_of(ticks) {
            return Err(Refusal::NotHere("start times cannot be converted"));
        }
        let hierarchy = Hierarchy::detect(root);
        let types = File::open(TYPES).map_err(BtfError::from)?;
        let layout = TraceLayout::read(types, hierarchy.version)?;
        let ring = Ring::create(ring).map_err(Refusal::of("ring buffer"))?;
        let lost = CounterMap::create(2).map_err(Refusal::of("counters"))?;
        let maps = Maps {
            ring: ring.descriptor(),
            lost: lost.descriptor(),
        };
        let too_long = || Refusal::NotHere("the program does not fit");
        let mark = program::on_mark(&layout, maps).ok_or_else(too_long)?;
        let mark = Verified::load(&mark).map_err(rejected("program for mark_victim"))?;
        let link = RawTracepoint::attach(&mark, c"mark_victim")
            .map_err(Refusal::of("tracepoint mark_victim"))?;
        let (mut links, mut instructions) = (vec![link], mark.instructions);
        let mut lacking = layout.lacking.clone();
        match signals(&layout, maps) {
            Ok(None) => {}
            Ok(Some((link, more))) => {
                links.push(link);
                instructions += more;
            }
            Err(refusal) => lacking.push(refusal.to_string()),
        }
        let page_size = rustix::param::page_size() as u64;
        Ok(Self {
            ring,
            lost,
            told: 0,
            _links: links,
            story: Story::new(Units {
                page_size,
                tick_nanos: SECOND / ticks,
            }),
            files: VictimFiles::new(proc, hierarchy, page_size),
            instructions,
            lacking: lacking.join("; "),
        })
    }

    /// Instructions that the verifier looked at; 0 if it did not say.
    pub(crate) fn instructions(&self) -> u32 {
        self.instructions
    }

    /// What this kernel does not let the programs tell, in words; empty if nothing.
    pub(crate) fn lacking(&self) -> &str {
        &self.lacking
    }

    /// Waits until there is something to take; false once `stop` is ready.
    pub(crate) fn wait(&self, stop: BorrowedFd<'_>) -> bool {
        // A signal without a mark is told even if nothing else happens.
        let soon = Timespec::try_from(SETTLE).ok();
        let timeout = soon.filter(|_| self.story.is_waiting());
        self.ring.wait(stop, timeout.as_ref()) == Woken::Look
    }

    /// Takes what was told since. A pause follows a large number, so that a flood of signals costs little.
    pub(crate) fn take(&mut self, out: &mut Vec<Traced>) {
        let mut taken = 0;
        while let Some(record) = (taken < BATCH)
            .then(|| self.ring.take::<Record>())
            .flatten()
        {
            self.story.take(&record, out);
            taken += 1;
        }
        let now = clock_gettime(ClockId::Monotonic);
        let nanos = now.tv_sec.saturating_mul(1_000_000_000) + now.tv_nsec;
        self.story.settle(u64::try_from(nanos).unwrap_or(0), out);
        for traced in out.iter_mut() {
            if let Traced::Kill(kill) = traced {
                self.files.recall(kill);
            }
        }
        let lost = self.lost.get(LOST_MARKS);
        if lost > self.told {
            out.push(Traced::Lost(lost - self.told));
            self.told = lost;
        }
        if taken == 0 || taken == BATCH {
            std::thread::sleep(PAUSE);
        }
    }

    /// SIGKILLs that the ring had no room for: who sent those is not known.
    pub(crate) fn lost_signals(&self) -> u64 {
        self.lost.get(LOST_SIGNALS)
    }

    /// Reads what the records lack of the victims, from the files of `/proc`. Those are told again. This may wait for
    /// locks of the kernel: tell what [`Self::take`] found before.
    pub(crate) fn complete(&mut self, told: &[Traced], out: &mut Vec<Traced>) {
        for traced in told {
            if let Traced::Kill(kill) = traced
                && let Some(whole) = self.files.complete(kill)
            {
                self.story.learn(&whole);
                out.push(Traced::Kill(Box::new(whole)));
            }
        }
    }
}

/// The program for signals, attached, and the number of its instructions; `None` if this kernel lacks the tracepoint.
fn signals(layout: &TraceLayout, maps: Maps) -> Result<Option<(RawTracepoint, u32)>, Refusal> {
    let Some(arguments) = layout.signal else {
        return Ok(None);
    };
    let code = program::on_signal(layout, arguments, maps);
    let code = code.ok_or(Refusal::NotHere("the program does not fit"))?;
    let program = Verified::load(&code).map_err(rejected("program for signal_generate"))?;
    let link = RawTracepoint::attach(&program, c"signal_generate")
        .map_err(Refusal::of("tracepoint signal_generate"))?;
    Ok(Some((link, program.instructions)))
}

fn rejected(what: &'static str) -> impl FnOnce(Rejection) -> Refusal {
    move |Rejection { errno, said }| {
        if said.is_empty() {
            Refusal::Refused { what, errno }
        } else {
            Refusal::Rejected { what, errno, said }
        }
    }
}

#[cfg(test)]
mod tests;
