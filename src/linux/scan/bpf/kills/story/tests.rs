//! The order in which kernels call the two tracepoints (mm/oom_kill.c), and what it means.

use super::{FROM_KERNEL, Story, Units};
use crate::linux::scan::bpf::kills::record::{MARK, Record, SIGNAL};
use crate::model::traced::{FactSource, HowTaken, Sender, Sigkill, Traced, TracedKill};

const MS: u64 = 1_000_000;

/// The thread that asks for memory in most of these.
const ASKER: u32 = 900;

fn story() -> Story {
    Story::new(Units {
        page_size: 4096,
        tick_nanos: 10_000_000,
    })
}

fn record(kind: u32, at: u64, pid: u32, mm: u64) -> Record {
    Record {
        kind,
        pid,
        tgid: pid,
        uid: 1000,
        adj: 300,
        at: at * MS,
        start: u64::from(pid) * 10_000_000,
        mm,
        by_pid: ASKER,
        by_tgid: ASKER,
        comm: *b"java\0\0\0\0\0\0\0\0\0\0\0\0",
        by_comm: *b"asker\0\0\0\0\0\0\0\0\0\0\0",
        rss: [1, 256, 2, -3],
        ..Record::default()
    }
}

fn mark(at: u64, pid: u32, mm: u64) -> Record {
    record(MARK, at, pid, mm)
}

/// A signal of the kernel's own.
fn signal(at: u64, pid: u32, mm: u64) -> Record {
    Record {
        info: FROM_KERNEL,
        ..record(SIGNAL, at, pid, mm)
    }
}

/// A mark as kernels before 6.9 tell it: only the number of a thread.
fn bare(at: u64, pid: u32) -> Record {
    Record {
        kind: MARK,
        pid,
        at: at * MS,
        by_pid: ASKER,
        by_tgid: ASKER,
        ..Record::default()
    }
}

/// The last state of each kill, and the SIGKILLs.
fn told(records: &[Record]) -> (Vec<TracedKill>, Vec<Sigkill>) {
    let (mut story, mut out) = (story(), Vec::new());
    for record in records {
        story.take(record, &mut out);
    }
    story.settle(u64::MAX, &mut out);
    assert!(!story.is_waiting());
    let (mut kills, mut sigkills) = (Vec::<TracedKill>::new(), Vec::new());
    for traced in out {
        match traced {
            Traced::Kill(kill) => match kills.iter_mut().find(|old| old.number == kill.number) {
                Some(old) => *old = *kill,
                None => kills.push(*kill),
            },
            Traced::Sigkill(sigkill) => sigkills.push(*sigkill),
            Traced::Lost(_) => {}
        }
    }
    (kills, sigkills)
}

fn short(kills: &[TracedKill]) -> Vec<(u32, HowTaken, u64)> {
    kills
        .iter()
        .map(|kill| (kill.pid, kill.how, kill.counted))
        .collect()
}

#[test]
fn a_signal_and_its_mark_are_a_kill_with_its_facts() {
    let (kills, sigkills) = told(&[signal(5, 10, 77), mark(5, 10, 77)]);
    assert_eq!(short(&kills), [(10, HowTaken::Killed, 1)]);
    assert!(sigkills.is_empty());
    let kill = &kills[0];
    assert_eq!((kill.start_ticks, kill.uid), (Some(10), Some(1000)));
    assert_eq!(
        kill.memory.map(|memory| (memory.anon, memory.rss)),
        Some((256, 257))
    );
    assert_eq!(kill.at.0, 5_000);
    let asked = kill.asked_by.expect("an asker");
    assert_eq!((asked.0, asked.1.text().as_ref()), (ASKER, "asker"));
    // Before 6.9 the facts are those of the signal.
    let (kills, _) = told(&[signal(5, 10, 77), bare(5, 10)]);
    assert_eq!(short(&kills), [(10, HowTaken::Killed, 1)]);
    assert_eq!(kills[0].facts, FactSource::Tracepoint);
    assert_eq!(kills[0].start_ticks, Some(10));
}

#[test]
fn the_thread_of_a_dead_leader_is_told_as_its_process() {
    let of_thread = |kind| Record {
        pid: 12,
        info: FROM_KERNEL,
        ..record(kind, 5, 10, 77)
    };
    for mark in [of_thread(MARK), bare(5, 12)] {
        let (kills, _) = told(&[of_thread(SIGNAL), mark]);
        assert_eq!(short(&kills), [(10, HowTaken::Killed, 1)]);
        assert_eq!(kills[0].thread, Some(12));
    }
}

#[test]
fn who_shares_the_memory_dies_along_and_is_not_counted() {
    let (kills, sigkills) = told(&[
        signal(5, 10, 77),
        mark(5, 10, 77),
        signal(6, 11, 77),
        signal(6, 12, 77),
    ]);
    assert_eq!(
        short(&kills),
        [
            (10, HowTaken::Killed, 1),
            (11, HowTaken::SharesMemory(10), 0),
            (12, HowTaken::SharesMemory(10), 0),
        ]
    );
    assert!(sigkills.is_empty(), "{sigkills:?}");
}

#[test]
fn a_group_kill_counts_its_first_victim_twice() {
    // The chosen one, then each member of the group: itself again, a sharer of its memory, another.
    let (kills, sigkills) = told(&[
        signal(5, 10, 77),
        mark(5, 10, 77),
        signal(6, 10, 77),
        signal(7, 20, 88),
        mark(7, 20, 88),
    ]);
    assert_eq!(
        short(&kills),
        [(10, HowTaken::Killed, 2), (20, HowTaken::Killed, 1)]
    );
    assert!(sigkills.is_empty());
    let (kills, _) = told(&[
        signal(5, 10, 77),
        mark(5, 10, 77),
        signal(5, 11, 77),
        signal(6, 11, 77),
        mark(6, 11, 77),
    ]);
    let how = short(&kills);
    assert_eq!(
        how[1],
        (11, HowTaken::Killed, 1),
        "a sharer is a member too"
    );
}

#[test]
fn a_mark_without_a_signal_was_ending_already() {
    let (kills, _) = told(&[mark(5, 10, 77)]);
    assert_eq!(short(&kills), [(10, HowTaken::Ending, 0)]);
    // More of its threads, and threads of one that was killed, are no more deaths.
    let again = Record {
        pid: 13,
        ..mark(6, 10, 77)
    };
    let (kills, _) = told(&[signal(4, 10, 77), mark(5, 10, 77), again]);
    assert_eq!(short(&kills), [(10, HowTaken::Killed, 1)]);
    // The number alone: nobody knows more yet.
    let (kills, _) = told(&[bare(5, 10), bare(6, 10)]);
    assert_eq!(short(&kills), [(10, HowTaken::Ending, 0)]);
    assert_eq!((kills[0].facts, kills[0].uid), (FactSource::Nobody, None));
}

#[test]
fn two_threads_in_the_killer_do_not_mix() {
    let other = |record: Record| Record {
        by_pid: 901,
        by_tgid: 901,
        ..record
    };
    let (kills, sigkills) = told(&[
        signal(5, 10, 77),
        other(signal(5, 20, 88)),
        mark(5, 10, 77),
        other(mark(5, 20, 88)),
        signal(6, 11, 88),
    ]);
    assert_eq!(
        short(&kills),
        [(10, HowTaken::Killed, 1), (20, HowTaken::Killed, 1)]
    );
    assert_eq!(sigkills.len(), 1, "the memory of the other one's victim");
}

#[test]
fn others_signals_are_told_with_their_sender() {
    let by_user = |info, code| Record {
        info,
        code,
        by_uid: 1000,
        ..record(SIGNAL, 5, 10, 77)
    };
    let by = |record: Record| {
        let (kills, sigkills) = told(&[record]);
        assert!(kills.is_empty());
        sigkills.first().map(|sigkill| sigkill.by)
    };
    // kill(2), and a write to cgroup.kill.
    for (info, code) in [(0xffff_8880_0000_0000, 0), (0, 0)] {
        let Some(Sender::Process { pid, uid, comm }) = by(by_user(info, code)) else {
            panic!("a process has sent it");
        };
        assert_eq!((pid, uid, comm.text().as_ref()), (ASKER, 1000, "asker"));
    }
    // SI_KERNEL, and the kernel's own without a mark: the end of a pid namespace.
    assert_eq!(
        by(by_user(0xffff_8880_0000_0000, 0x80)),
        Some(Sender::Kernel)
    );
    assert_eq!(by(signal(5, 10, 77)), Some(Sender::Kernel));
    // Not delivered: it was dying already.
    let again = Record {
        result: 2,
        ..by_user(0, 0)
    };
    assert_eq!(by(again), None);
}

#[test]
fn what_is_remembered_is_bounded() {
    let (mut story, mut out) = (story(), Vec::new());
    for pid in 1..5000 {
        story.take(&signal(u64::from(pid), pid, 0), &mut out);
        story.take(
            &Record {
                by_pid: pid,
                ..signal(u64::from(pid), pid, 0)
            },
            &mut out,
        );
        story.take(&mark(u64::from(pid), pid, 0), &mut out);
    }
    assert!(
        story.known.len() <= super::KEPT + 1,
        "{}",
        story.known.len()
    );
    assert!(story.held.len() <= super::HELD + 1, "{}", story.held.len());
}

proptest::proptest! {
    #[test]
    fn any_records_make_a_story(words in proptest::collection::vec(proptest::array::uniform8(0_u32..12), 0..60)) {
        let mut out = Vec::new();
        let mut story = story();
        for [kind, pid, tgid, info, by, at, mm, result] in words {
            let record = Record {
                kind: kind % 4, pid, tgid, info: u64::from(info % 3), by_pid: by, at: u64::from(at) * MS,
                mm: u64::from(mm % 3), result: result % 2, start: u64::MAX, rss: [i64::MAX; 4], page_tables: i64::MIN,
                ..Record::default()
            };
            story.take(&record, &mut out);
        }
        story.settle(u64::MAX, &mut out);
        proptest::prop_assert!(!story.is_waiting());
    }
}
