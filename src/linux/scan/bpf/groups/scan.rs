//! [`GroupScan`]: runs the walk over the cgroups on a thread of its own, once in each sample.
//!
//! Where the kernel calls the program, the walk takes `cgroup_mutex`, and who makes a group while memory is short holds
//! that lock while the kernel reclaims. A walk that is late is for nothing: that sample reads files.

use std::fs::File;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

use super::super::btf::BtfError;
use super::super::calls::Program;
use super::super::calls::{Rejection, SharedArray, TaskLink, Verified};
use super::super::layout::Way;
use super::super::loading::{is_nearly_full, with_room_to_grow};
use super::super::refusal::Refusal;
use super::super::usable::usable;
use super::super::walk::TYPES;
use super::layout::{GroupLayout, Visit};
use super::program::group_walk;
use crate::linux::SysRoot;
use crate::linux::cgroup::counted::Counted;
use crate::linux::cgroup::hierarchy::Hierarchy;
use crate::linux::helper::helper;
use crate::linux::kernel_file::{FileBuffer, lines, number};

/// Fewer groups than this cost less by their files than the walk.
pub(crate) const MANY: usize = 256;

/// How long a sample waits for the walk. Ten thousand groups take some milliseconds.
const PATIENCE: Duration = Duration::from_millis(50);

/// The same for a user who has asked for the walk, with the time that loading takes.
const ASKED_FOR: Duration = Duration::from_secs(2);

/// What [`GroupScan::name`] says of the files.
const FILES: &str = "files";

/// One request to the thread, with a buffer to fill.
type Ask = Vec<Counted>;

/// What the thread says after it has loaded the program, and after each walk.
struct Answer {
    records: Result<Vec<Counted>, Refusal>,
    /// False if there are more groups than records.
    is_whole: bool,
    /// Processor time, in microseconds.
    spent: u64,
    name: &'static str,
}

/// The walk as its user sees it.
#[derive(Debug)]
pub(crate) struct GroupScan {
    root: SysRoot,
    way: Way,
    /// The first sample with enough groups waits until the program is loaded.
    waits: bool,
    state: State,
    name: &'static str,
    note: Option<Arc<str>>,
    records: Vec<Counted>,
    is_whole: bool,
    spent: u64,
}

#[derive(Debug)]
enum State {
    /// Too few groups until now.
    Idle,
    /// Loaded, or being loaded.
    Running {
        ask: Sender<Ask>,
        answers: Receiver<Answer>,
        /// The thread has something to do.
        is_busy: bool,
    },
    /// It is not to be had.
    Refused,
}

impl std::fmt::Debug for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Answer").finish_non_exhaustive()
    }
}

impl GroupScan {
    /// The kind of walk, and whether to wait until it is loaded; `None` if groups shall be read by files alone.
    pub(crate) fn new(root: &SysRoot, wanted: Option<(Way, bool)>) -> Self {
        Self {
            root: root.clone(),
            way: wanted.map_or(Way::Cheapest, |(way, _)| way),
            waits: wanted.is_some_and(|(_, waits)| waits),
            state: match wanted {
                Some(_) => State::Idle,
                None => State::Refused,
            },
            name: FILES,
            note: None,
            records: Vec::new(),
            is_whole: false,
            spent: 0,
        }
    }

    /// Lets the walk begin, if there are groups enough for it. Waits for nothing.
    pub(crate) fn begin(&mut self, groups: usize) {
        self.spent = 0;
        if matches!(self.state, State::Idle) && groups >= MANY {
            match start(&self.root, groups, self.way) {
                Ok((ask, answers)) => {
                    self.state = State::Running {
                        ask,
                        answers,
                        is_busy: true,
                    }
                }
                Err(refusal) => self.refuse(&refusal),
            }
        }
        // The answer to an earlier sample is of no use any more.
        let is_first = self.name == FILES && self.waits;
        self.receive(if is_first { ASKED_FOR } else { Duration::ZERO });
        let State::Running { ask, is_busy, .. } = &mut self.state else {
            return;
        };
        if !*is_busy {
            *is_busy = ask.send(std::mem::take(&mut self.records)).is_ok();
        }
    }

    /// The records of the walk that [`Self::begin`] began, and whether they are of all groups; `None` if the files
    /// have to do in this sample.
    pub(crate) fn finish(&mut self) -> Option<(&[Counted], bool)> {
        let is_loading = self.name == FILES;
        let patience = match (is_loading, self.waits) {
            (true, _) => Duration::ZERO,
            (false, true) => ASKED_FOR,
            (false, false) => PATIENCE,
        };
        // The first answer only says that the program is loaded.
        (self.receive(patience) && !is_loading).then_some((self.records.as_slice(), self.is_whole))
    }

    /// Takes an answer; false if there is none.
    fn receive(&mut self, patience: Duration) -> bool {
        let State::Running {
            answers, is_busy, ..
        } = &mut self.state
        else {
            return false;
        };
        if !*is_busy {
            return false;
        }
        let answer = match answers.recv_timeout(patience) {
            Ok(answer) => answer,
            Err(RecvTimeoutError::Timeout) => return false,
            Err(RecvTimeoutError::Disconnected) => {
                self.refuse(&Refusal::NotHere("the thread that walks has ended"));
                return false;
            }
        };
        *is_busy = false;
        self.spent += answer.spent;
        match answer.records {
            Ok(records) => {
                (self.records, self.is_whole, self.name) = (records, answer.is_whole, answer.name);
                true
            }
            Err(refusal) => {
                self.refuse(&refusal);
                false
            }
        }
    }

    fn refuse(&mut self, refusal: &Refusal) {
        self.state = State::Refused;
        self.name = FILES;
        self.records = Vec::new();
        self.note = Some(format!("the BPF walk over cgroups is not used: {refusal}").into());
    }

    /// Processor time that the thread has taken in this sample, in microseconds.
    pub(crate) fn spent(&self) -> u64 {
        self.spent
    }

    /// How groups are read.
    pub(crate) fn name(&self) -> &'static str {
        self.name
    }

    /// Why many groups are read by files, as a sentence without a full stop.
    pub(crate) fn note(&self) -> Option<&Arc<str>> {
        self.note.as_ref()
    }
}

fn start(
    root: &SysRoot,
    groups: usize,
    way: Way,
) -> Result<(Sender<Ask>, Receiver<Answer>), Refusal> {
    let proc = usable(root)?;
    let hierarchy = Hierarchy::detect(root);
    let top = hierarchy
        .dir()
        .and_then(|dir| Ok(rustix::io::dup(dir)?))
        .map_err(Refusal::of("directory of the cgroups"))?;
    if !is_cgroup_fs(&top) {
        return Err(Refusal::NotHere(
            "it sees this machine, not another tree of cgroups",
        ));
    }
    let place = Place {
        way,
        number: hierarchy_number(&proc),
        top,
        hierarchy,
    };
    let (ask, asked) = channel::<Ask>();
    let (answer, answers) = channel();
    helper("bpf-groups", move || serve(&place, groups, &asked, &answer))
        .map_err(Refusal::Thread)?;
    Ok((ask, answers))
}

/// Where the groups are.
#[derive(Debug)]
struct Place {
    way: Way,
    hierarchy: Hierarchy,
    top: OwnedFd,
    /// v1: the number of the hierarchy in `/proc/PID/cgroup`.
    number: u32,
}

fn is_cgroup_fs(dir: &OwnedFd) -> bool {
    /// `CGROUP_SUPER_MAGIC`, `CGROUP2_SUPER_MAGIC` (include/uapi/linux/magic.h).
    const MAGIC: [i64; 2] = [0x0027_e0eb, 0x6367_7270];
    #[allow(clippy::unnecessary_cast, clippy::useless_conversion)]
    rustix::fs::fstatfs(dir).is_ok_and(|fs| MAGIC.contains(&(fs.f_type as i64)))
}

fn hierarchy_number(proc: &OwnedFd) -> u32 {
    let mut buffer = FileBuffer::default();
    let text = buffer.read_whole(proc, "self/cgroup").unwrap_or_default();
    let found = lines(text).find_map(|line| {
        let mut fields = line.splitn(3, |b| *b == b':');
        let (number_text, controllers) = (fields.next()?, fields.next()?);
        let is_it = controllers.split(|b| *b == b',').any(|c| c == b"memory");
        is_it.then(|| number(number_text)).flatten()
    });
    found.and_then(|n| u32::try_from(n).ok()).unwrap_or(0)
}

/// The work of the thread.
fn serve(place: &Place, groups: usize, asked: &Receiver<Ask>, answer: &Sender<Answer>) {
    let mut before = spent();
    let mut tell = |records, is_whole, name| {
        let now = spent();
        let taken = now.saturating_sub(std::mem::replace(&mut before, now));
        let told = Answer {
            records,
            is_whole,
            spent: taken,
            name,
        };
        answer.send(told).is_ok()
    };
    let groups = u32::try_from(groups).unwrap_or(u32::MAX);
    let mut walk = match GroupWalk::load(place, with_room_to_grow(groups)) {
        Ok(walk) => walk,
        Err(refusal) => {
            tell(Err(refusal), false, FILES);
            return;
        }
    };
    if !tell(Ok(Vec::new()), false, walk.name()) {
        return;
    }
    for mut records in asked {
        let walked = walk.run(place, &mut records);
        let (is_whole, count) = match walked {
            Ok(count) => (count <= walk.array.capacity(), count),
            Err(refusal) => {
                tell(Err(refusal), false, FILES);
                return;
            }
        };
        if !tell(Ok(records), is_whole, walk.name()) {
            return;
        }
        // Without a larger array the groups beyond it are read by files.
        if is_nearly_full(walk.array.capacity(), count)
            && let Ok(larger) = GroupWalk::load(place, with_room_to_grow(count))
        {
            walk = larger;
        }
    }
}

/// Processor time of this thread, in microseconds.
fn spent() -> u64 {
    let time = Duration::try_from(clock_gettime(ClockId::ThreadCPUTime)).unwrap_or_default();
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

/// A program that the kernel has checked, and the array that it fills.
#[derive(Debug)]
struct GroupWalk {
    walker: Walker,
    array: SharedArray<Counted>,
}

/// By what loops over the groups.
#[derive(Debug)]
enum Walker {
    /// The program.
    Loops(Program),
    /// The kernel; the first record holds the count.
    Called(TaskLink),
}

impl GroupWalk {
    /// Prefers the program that loops by itself; a kernel that refuses it may take the other one.
    fn load(place: &Place, capacity: u32) -> Result<Self, Refusal> {
        Self::load_as(place, capacity, place.way).or_else(|refusal| {
            let older = Self::load_as(place, capacity, Way::IsCalled);
            older.map_err(|second| match refusal {
                Refusal::Types(_) => second,
                refusal => refusal,
            })
        })
    }

    fn load_as(place: &Place, capacity: u32, way: Way) -> Result<Self, Refusal> {
        let types = File::open(TYPES).map_err(BtfError::from)?;
        let layout = GroupLayout::read(types, place.hierarchy.version, way)?;
        let array = SharedArray::create(capacity).map_err(Refusal::of("shared array"))?;
        let code = group_walk(&layout, array.descriptor()).ok_or(Refusal::NotHere(
            "the walk over cgroups does not fit into a program",
        ))?;
        let called_by = match layout.visit {
            Visit::Walks(_) => None,
            Visit::IsCalled { by, .. } => Some(by),
        };
        let verified = Verified::walk(&code, called_by).map_err(|Rejection { errno, said }| {
            Refusal::Rejected {
                what: "walk over cgroups",
                errno,
                said,
            }
        })?;
        let program = verified.program();
        let walker = if called_by.is_none() {
            Walker::Loops(program)
        } else {
            let link = TaskLink::of_groups(&program, place.top.as_fd());
            Walker::Called(link.map_err(Refusal::of("link to its cgroups"))?)
        };
        Ok(Self { walker, array })
    }

    fn name(&self) -> &'static str {
        match self.walker {
            Walker::Loops(_) => "bpf cgroup walk",
            Walker::Called(_) => "bpf cgroup iterator",
        }
    }

    /// Runs the program once and copies its records; returns how many groups there are.
    fn run(&self, place: &Place, records: &mut Vec<Counted>) -> Result<u32, Refusal> {
        records.clear();
        let (first, count) = match &self.walker {
            Walker::Loops(program) => {
                let mut input = [0, place.number];
                let walked = program.run(&mut input);
                (0, walked.map_err(Refusal::of("walk over cgroups"))?)
            }
            Walker::Called(link) => {
                link.run().map_err(Refusal::of("walk over cgroups"))?;
                let count = self.array.get(0).map_or(0, |counter| counter.id);
                (1, u32::try_from(count).unwrap_or(u32::MAX))
            }
        };
        let written = count.min(self.array.capacity().saturating_sub(first));
        records.extend((first..first + written).filter_map(|at| self.array.get(at)));
        Ok(count.saturating_add(first))
    }
}
