//! An adversary that ends each target at a random moment of the write and gives its pid to a stranger, and a judge that looks
//! at the stranger alone and knows nothing of how oomtop checks.

use std::fmt;
use std::fs;
use std::ops::AddAssign;
use std::os::unix::process::ExitStatusExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::channel;
use std::time::Duration;

use super::Ends;
use crate::common::hands::Dice;
use crate::common::hog::adj_of;
use crate::common::memcg::{self, Memcg};
use crate::common::own_child::id_of;
use crate::whole::version;
use oomtop::linux::SysRoot;
use oomtop::linux::write::executor::KernelWriter;
use oomtop::model::cgroup::CgroupVersion;
use oomtop::model::plan::execute::Executor as _;
use oomtop::model::plan::receipt::{FailureKind, StepReceipt};
use oomtop::model::plan::step::{CgroupStep, Step};
use oomtop::model::process::ProcessId;

/// What came of some tries.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Tally {
    pub(super) tries: usize,
    /// A stranger had the pid before the judge looked.
    pub(super) reused: usize,
    /// The write did not reach the target any more.
    pub(super) late: usize,
    /// The write had moved a stranger and said that it moved the stranger back.
    pub(super) back: usize,
    /// A stranger was not as it had been.
    pub(super) hit: usize,
}

/// The word before the numbers in the output of a worker.
const COUNTS: &str = "COUNTS";

impl Tally {
    /// The sum of what workers have printed.
    pub(super) fn read(text: &str) -> Option<Self> {
        let line = text.lines().find_map(|line| line.strip_prefix(COUNTS))?;
        let mut numbers = line.split_whitespace().map(str::parse);
        let mut next = || numbers.next()?.ok();
        Some(Self {
            tries: next()?,
            reused: next()?,
            late: next()?,
            back: next()?,
            hit: next()?,
        })
    }

    pub(super) fn print(&self) {
        let Self {
            tries,
            reused,
            late,
            back,
            hit,
        } = self;
        println!("\n{COUNTS} {tries} {reused} {late} {back} {hit}");
    }
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.tries += other.tries;
        self.reused += other.reused;
        self.late += other.late;
        self.back += other.back;
        self.hit += other.hit;
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} writes, {} with the pid reused meanwhile ({} came too late, {} strangers were moved back): {} hit a stranger",
            self.tries, self.reused, self.late, self.back, self.hit
        )
    }
}

/// Who writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Writer {
    /// oomtop.
    Oomtop,
    /// One that trusts the number: it shows that the adversary is in time.
    Trusting,
}

/// How a write is attacked.
pub(super) struct Siege {
    pub(super) root: SysRoot,
    pub(super) version: CgroupVersion,
    pub(super) writer: Writer,
    /// The path and the directory of the group in which no stranger may be.
    pub(super) group: Option<(String, PathBuf)>,
    /// Longest pause before the write begins, in microseconds.
    pub(super) pause: usize,
    /// Longest life of a target from then on, in microseconds.
    pub(super) life: usize,
    pub(super) seed: u64,
}

impl Siege {
    /// Adj, signal and move, of processes below the real root.
    pub(super) fn plain(group: Option<&Memcg>, seed: u64) -> Self {
        Self {
            root: SysRoot::default(),
            version: group.map_or(CgroupVersion::None, version),
            writer: Writer::Oomtop,
            group: group.map(|group| (group.path().to_owned(), group.dir().to_owned())),
            pause: 1500,
            life: 700,
            seed,
        }
    }

    /// So many tries; `step` makes what is written, for the try of this number.
    pub(super) fn tries(
        self,
        count: usize,
        mut step: impl FnMut(usize, &mut Dice, ProcessId) -> Step,
    ) -> Tally {
        let own = adj_of(std::process::id());
        let mut dice = Dice(self.seed);
        let mut tally = Tally::default();
        let (orders, inbox) = channel::<(Step, Duration)>();
        let (answer, outcomes) = channel::<Option<StepReceipt>>();
        let (ready, is_held) = channel();
        let (root, version, writer) = (self.root.clone(), self.version, self.writer);
        let writer = std::thread::spawn(move || {
            for (step, pause) in inbox {
                let mut kernel = KernelWriter::new(root.clone(), version);
                // As a dialog does while it is open: a start time counts in ticks of 10 ms.
                kernel.hold(step.processes());
                ready.send(()).expect("the test waits");
                std::thread::sleep(pause);
                let receipt = match writer {
                    Writer::Oomtop => Some(kernel.step(&step)),
                    Writer::Trusting => {
                        by_number(&step);
                        None
                    }
                };
                answer.send(receipt).expect("the test waits");
            }
        });
        for number in 0..count {
            let mut target = Ends(waiting());
            let id = id_of(target.0.id()).expect("its start time");
            let step = step(number, &mut dice, id);
            let pause = Duration::from_micros(dice.roll(self.pause.max(1)) as u64);
            orders.send((step, pause)).expect("the writer waits");
            is_held.recv().expect("held");
            std::thread::sleep(Duration::from_micros(dice.roll(self.life) as u64));
            target.0.kill().ok();
            target.0.wait().ok();
            let stranger = with_pid(id.pid).map(Ends);
            let receipt = outcomes.recv().expect("an answer");
            let failure = receipt.as_ref().and_then(StepReceipt::failure);
            tally.tries += 1;
            tally.late += usize::from(failure.is_some());
            let is_back = failure.is_some_and(|why| why.kind == FailureKind::Reused);
            tally.back += usize::from(is_back);
            tally.reused += usize::from(stranger.is_some());
            if let Some(fault) = self.judge(stranger, own) {
                tally.hit += 1;
                if self.writer == Writer::Oomtop {
                    println!("{fault}: {receipt:?}");
                }
            }
        }
        drop(orders);
        writer.join().expect("it ends");
        tally
    }

    /// What is wrong after a try. The target is gone by now, so whoever is in the group is a stranger.
    fn judge(&self, stranger: Option<Ends>, own: Option<i32>) -> Option<String> {
        let inside = self.group.as_ref().map(|(_, dir)| {
            let procs = fs::read_to_string(dir.join("cgroup.procs"));
            procs.unwrap_or_default()
        });
        let inside = inside.unwrap_or_default();
        let mut fault = (!inside.is_empty()).then(|| format!("{inside:?} in the group"));
        let Some(mut stranger) = stranger else {
            return fault;
        };
        let pid = stranger.0.id();
        let adj = adj_of(pid);
        if adj != own {
            fault = Some(format!("an adj of {adj:?}"));
        }
        let now = memcg::of(pid);
        if let Some((path, _)) = &self.group
            && now.as_ref() == Some(path)
        {
            fault = Some("moved".to_owned());
        }
        // The first deadly signal decides with what a process ends (kernel/signal.c `complete_signal`).
        stranger.0.kill().expect("it is our own");
        let end = stranger.0.wait().expect("reaped").signal();
        if end != Some(9) {
            fault = Some(format!("ended by {end:?}"));
        }
        fault
    }
}

/// As a shell script does it.
fn by_number(step: &Step) {
    let number = |target: &ProcessId| i32::try_from(target.pid).expect("a pid");
    match step {
        Step::Adj { target, value } => {
            let path = format!("/proc/{}/oom_score_adj", target.pid);
            fs::write(path, value.get().to_string()).ok();
        }
        Step::Signal { target, .. } => {
            let pid = rustix::process::Pid::from_raw(number(target)).expect("a pid");
            rustix::process::kill_process(pid, rustix::process::Signal::TERM).ok();
        }
        Step::Cgroup(CgroupStep::Move(target, group)) => {
            let (mount, _) = memcg::mount().expect("a hierarchy");
            let procs = mount.join(&group.as_str()[1..]).join("cgroup.procs");
            fs::write(procs, target.pid.to_string()).ok();
        }
        other => panic!("{other:?}"),
    }
}

/// A process that waits, cheaper than a shell.
pub(super) fn waiting() -> Child {
    let mut command = Command::new("cat");
    command.stdin(Stdio::piped()).stdout(Stdio::null());
    command.spawn().expect("cat")
}

/// How often the pid is tried for: a thread of this test may have it for a moment.
const ROUNDS: usize = 200;

/// Another process with the same pid.
pub(super) fn with_pid(pid: u32) -> Option<Child> {
    for _ in 0..ROUNDS {
        if fs::exists(format!("/proc/{pid}")).ok()? {
            std::thread::sleep(Duration::from_micros(100));
            continue;
        }
        fs::write("/proc/sys/kernel/ns_last_pid", (pid - 1).to_string()).ok()?;
        let mut child = waiting();
        if child.id() == pid {
            return Some(child);
        }
        child.kill().ok();
        child.wait().ok();
    }
    None
}
