//! [`GroupScan`]: runs the walk over the cgroups on a thread of its own, once in each sample.
//!
//! Where the kernel calls the program, the walk takes `cgroup_mutex`, and who makes a group while memory is short holds
//! that lock while the kernel reclaims. A walk that is late is for nothing: that sample reads files.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

use super::super::layout::Way;
use super::super::loading::{is_nearly_full, with_room_to_grow};
use super::super::refusal::Refusal;
use super::walk::{GroupWalk, Place};
use crate::linux::SysRoot;
use crate::linux::cgroup::counted::Counted;
use crate::linux::helper::{helper, thread_time};

/// Fewer groups than this cost less by their files than the walk.
pub(crate) const MANY: usize = 256;

/// How long a sample waits for the walk. Ten thousand groups take some milliseconds.
const PATIENCE: Duration = Duration::from_millis(50);

/// The same for a user who has asked for the walk, with the time that loading takes.
const ASKED_FOR: Duration = Duration::from_secs(2);

/// Samples before a walk that could not be had for want of memory is tried again.
const ASK_AGAIN: u32 = 60;

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
    /// The first sample with enough groups waits until the program is loaded, and for its first walk.
    waits: bool,
    /// Samples before it is tried again.
    pause: u32,
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
            pause: 0,
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
        self.pause = self.pause.saturating_sub(1);
        if matches!(self.state, State::Idle) && groups >= MANY && self.pause == 0 {
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
        let has_walked = self.receive(patience) && !is_loading;
        self.waits &= !has_walked;
        has_walked.then_some((self.records.as_slice(), self.is_whole))
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
                self.note = None;
                true
            }
            Err(refusal) => {
                self.refuse(&refusal);
                false
            }
        }
    }

    fn refuse(&mut self, refusal: &Refusal) {
        let what = "the BPF walk over cgroups is not used";
        let note = if refusal.may_pass() {
            (self.state, self.pause) = (State::Idle, ASK_AGAIN);
            format!("{what} for now: {refusal}")
        } else {
            self.state = State::Refused;
            format!("{what}: {refusal}")
        };
        self.name = FILES;
        self.records = Vec::new();
        self.note = Some(note.into());
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
    let place = Place::find(root, way)?;
    let (ask, asked) = channel::<Ask>();
    let (answer, answers) = channel();
    helper("bpf-groups", move || serve(&place, groups, &asked, &answer))
        .map_err(Refusal::Thread)?;
    Ok((ask, answers))
}

/// The work of the thread.
fn serve(place: &Place, groups: usize, asked: &Receiver<Ask>, answer: &Sender<Answer>) {
    let mut before = thread_time();
    let mut tell = |records, is_whole, name| {
        let now = thread_time();
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
            Ok(count) => (count <= walk.capacity(), count),
            Err(refusal) => {
                tell(Err(refusal), false, FILES);
                return;
            }
        };
        if !tell(Ok(records), is_whole, walk.name()) {
            return;
        }
        // Without a larger array the groups beyond it are read by files.
        if is_nearly_full(walk.capacity(), count)
            && let Ok(larger) = GroupWalk::load(place, with_room_to_grow(count))
        {
            walk = larger;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{GroupScan, MANY};
    use crate::linux::SysRoot;
    use crate::linux::scan::bpf::Way;

    #[test]
    fn few_groups_need_no_walk_and_another_tree_gets_none() {
        let dir = tempfile::tempdir().expect("a directory");
        let root = SysRoot::under(dir.path());
        let mut scan = GroupScan::new(&root, Some((Way::Cheapest, false)));
        scan.begin(MANY - 1);
        assert!(scan.finish().is_none() && scan.note().is_none());
        scan.begin(MANY);
        assert!(scan.finish().is_none());
        assert_eq!(scan.name(), "files");
        let note = scan.note().expect("why").to_string();
        assert!(
            note.starts_with("the BPF walk over cgroups is not used: "),
            "{note}"
        );
        let mut files = GroupScan::new(&SysRoot::default(), None);
        files.begin(MANY);
        assert!(files.finish().is_none() && files.note().is_none());
    }
}
