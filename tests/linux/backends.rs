//! On the running kernel: the BPF task walk and plain `/proc` make the same table.
#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on fails"
)]

use std::collections::{HashMap, HashSet};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::common::own_child::{OwnChild, id_of};
use crate::common::patience::{alone, until};
use crate::common::skipped;
use oomtop::linux::SysRoot;
use oomtop::linux::sampler::Sampler;
use oomtop::linux::scan::backend::BackendChoice;
use oomtop::model::kernel::{KernelRules, RssSource};
use oomtop::model::process::{Process, ProcessId};
use oomtop::model::snapshot::{Needs, Snapshot};
use oomtop::model::time::{Monotonic, Now};

/// A sampler on the BPF back end; `None`, with the reason printed, if there is none.
fn bpf(test: &str) -> Option<Sampler> {
    by(test, BackendChoice::Bpf)
}

fn by(test: &str, choice: BackendChoice) -> Option<Sampler> {
    alone();
    match Sampler::with_backend(SysRoot::default(), choice) {
        Ok(sampler) => Some(sampler),
        Err(error) => {
            skipped(
                test,
                &format!("there is no {choice:?} back end here: {error}"),
            );
            None
        }
    }
}

fn sample(sampler: &mut Sampler) -> Arc<Snapshot> {
    static BEGUN: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
    let since = BEGUN.get_or_init(Instant::now).elapsed() + Duration::from_secs(1);
    let now = Now {
        monotonic: Monotonic(u64::try_from(since.as_micros()).unwrap_or(u64::MAX)),
        ..Now::default()
    };
    sampler.sample(&Needs::default(), now).expect("a sample")
}

/// All rows as a fresh sampler on plain `/proc` reads them, without remembered values.
fn all_of_proc() -> Arc<Snapshot> {
    let sampler = Sampler::with_backend(SysRoot::default(), BackendChoice::ProcAll);
    sample(&mut sampler.expect("plain /proc"))
}

fn by_id(snapshot: &Snapshot) -> HashMap<ProcessId, &Process> {
    snapshot.processes.iter().map(|p| (p.id, p)).collect()
}

/// True if the main thread or the whole process has ended.
fn has_ended(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ")
        .is_none_or(|(_, rest)| rest.starts_with('Z'))
}

/// The values that must match exactly. State and growth change from moment to moment.
fn facts(snapshot: &Snapshot, p: &Process) -> impl PartialEq + std::fmt::Debug + use<> {
    // The files show a process whose main thread has ended in the root group (kernel/cgroup/cgroup.c
    // `proc_cgroup_show`).
    let key = p.cgroup.filter(|_| !has_ended(p.id.pid));
    let group = key.and_then(|key| snapshot.cgroup(key));
    // The files append a kernel worker's current work to its name (fs/proc/array.c `proc_task_name`).
    let comm = Some(p.comm).filter(|_| !p.kernel_thread);
    (
        (p.ppid, p.uid, comm, p.threads, p.adj),
        (p.kernel_thread, p.global_init, p.unreadable),
        p.memory.map(|m| m.page_tables),
        group.map(|g| g.path.as_str().to_owned()),
    )
}

/// Counters that the files sum over all CPUs and the walk does not.
fn within_bound(file: &Process, walk: &Process, rules: &KernelRules, cpus: u64) -> bool {
    let (Some(file), Some(walk)) = (file.memory, walk.memory) else {
        return file.memory.is_none() && walk.memory.is_none();
    };
    let bound = KernelRules::percpu_error(cpus);
    let near = |a: u64, b: u64| a.abs_diff(b) <= bound;
    // Field 24 of stat is the sum of the very counters that the walk reads.
    let same_rss = rules.rss != RssSource::Stat || file.rss == walk.rss;
    near(file.anon, walk.anon)
        && near(file.file, walk.file)
        && near(file.shmem, walk.shmem)
        && near(file.swap, walk.swap)
        && near(file.rss, walk.rss)
        && same_rss
}

#[test]
fn the_walk_and_the_files_say_the_same() {
    for choice in [BackendChoice::Bpf, BackendChoice::BpfIterator] {
        if let Some(walk) = by("the_walk_and_the_files_say_the_same", choice) {
            the_files_say_the_same_as(walk);
        }
    }
}

fn the_files_say_the_same_as(mut walk: Sampler) {
    let mut hog = OwnChild::hog(24);
    hog.fill();
    let mut zombie = OwnChild::waiting();
    zombie.kill();
    let cpus = std::thread::available_parallelism().map_or(1, |n| n.get() as u64);
    let rules = walk.host().rules;
    let mut compared = HashSet::new();
    // Processes that start or end between the two readings match in another round; real errors stay.
    let mut wrong = HashMap::new();
    let mut rounds = 0;
    // Other processes run meanwhile: one that changed in this round may be at rest in the next.
    until(|| {
        let before = all_of_proc();
        let walked = sample(&mut walk);
        let after = all_of_proc();
        assert!(
            walked.backend.starts_with("bpf task "),
            "{}",
            walked.backend
        );
        assert_eq!(walked.backend_note, None);
        assert!(before.backend_note.is_some());
        let (before_rows, after_rows) = (by_id(&before), by_id(&after));
        let walked_rows = by_id(&walked);
        for (id, file) in &before_rows {
            let rests = after_rows.get(id).is_some_and(|again| {
                again.memory == file.memory
                    && again.state == file.state
                    && facts(&after, again) == facts(&before, file)
            });
            if !rests {
                continue;
            }
            let row = walked_rows
                .get(id)
                .unwrap_or_else(|| panic!("the walk has missed {id:?} {:?}", file.comm));
            if row.state != file.state {
                // The process has run between the two readings.
                continue;
            }
            let (mine, theirs) = (facts(&walked, row), facts(&before, file));
            if mine == theirs && within_bound(file, row, &rules, cpus) {
                compared.insert(*id);
                wrong.remove(id);
            } else if !compared.contains(id) {
                let told = format!(
                    "{mine:?} {:?}, not {theirs:?} {:?}",
                    row.memory, file.memory
                );
                wrong.insert(*id, told);
            }
        }
        wrong.retain(|id, _| std::path::Path::new(&format!("/proc/{}", id.pid)).exists());
        rounds += 1;
        let rest = compared.contains(&hog.id()) && compared.contains(&zombie.id());
        rounds >= 10 && wrong.is_empty() && rest
    });
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(compared.contains(&hog.id()), "the hog rests");
    assert!(compared.contains(&zombie.id()), "the zombie rests");
    zombie.reap();
}

#[test]
fn under_churn_every_row_is_a_process_that_was() {
    let Some(mut walk) = bpf("under_churn_every_row_is_a_process_that_was") else {
        return;
    };
    let lasting = OwnChild::waiting();
    let (stop, known) = (
        AtomicBool::new(false),
        std::sync::Mutex::new(HashSet::new()),
    );
    let (mut seen, mut samples) = (HashSet::new(), 0);
    let descriptors = || std::fs::read_dir("/proc/self/fd").expect("fd").count();
    let before = descriptors();
    let begun = Instant::now();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                let mut child = Command::new("true")
                    .stdin(Stdio::null())
                    .spawn()
                    .expect("true");
                // Not reaped yet, so the pid still belongs to it.
                let id = id_of(child.id()).expect("its start time");
                known.lock().expect("known").insert(id);
                child.wait().expect("reaped");
            }
        });
        let few = |samples| samples < 30 || known.lock().expect("known").len() < 100;
        while begun.elapsed() < Duration::from_secs(3) || few(samples) {
            let snapshot = sample(&mut walk);
            samples += 1;
            let pids: HashSet<_> = snapshot.processes.iter().map(|p| p.id.pid).collect();
            assert_eq!(pids.len(), snapshot.processes.len(), "a pid twice");
            assert!(by_id(&snapshot).contains_key(&lasting.id()));
            let own = std::process::id();
            let children = snapshot.processes.iter().filter(|p| p.ppid == own);
            seen.extend(children.map(|p| p.id).filter(|id| *id != lasting.id()));
            std::thread::sleep(Duration::from_millis(5));
        }
        stop.store(true, Ordering::Relaxed);
    });
    let known = known.into_inner().expect("known");
    let wrong: Vec<_> = seen.difference(&known).collect();
    assert!(wrong.is_empty(), "{wrong:?}");
    assert!(descriptors() <= before + 8, "descriptors leak");
}

#[test]
fn memory_of_a_process_without_its_main_thread_is_seen() {
    let test = "memory_of_a_process_without_its_main_thread_is_seen";
    alone();
    let script = "import ctypes, platform, sys, threading, time\n\
        held = bytearray(b'x') * (32 << 20)\n\
        def wait():\n    sys.stdin.read(1)\n\
        threading.Thread(target=wait).start()\n\
        number = {'x86_64': 60, 'aarch64': 93}[platform.machine()]\n\
        ctypes.CDLL(None).syscall(number, 0)\n";
    let child = Command::new("python3")
        .args(["-c", script])
        .stdin(Stdio::piped())
        .stderr(Stdio::null())
        .spawn();
    let Ok(mut child) = child else {
        skipped(test, "there is no python3");
        return;
    };
    let pid = child.id();
    until(|| has_ended(pid));
    let check = |sampler: &mut Sampler| {
        let snapshot = sample(sampler);
        let row = snapshot.processes.iter().find(|p| p.id.pid == pid);
        let row = row.expect("its row");
        let pages = row.memory.map_or(0, |m| m.anon);
        assert!(
            pages * sampler.host().rules.page_size >= 30 << 20,
            "{}: {row:?}",
            snapshot.backend
        );
        assert!(!row.state.is_dead());
    };
    let living = std::fs::read_dir(format!("/proc/{pid}/task")).map_or(0, Iterator::count);
    if has_ended(pid) && living > 1 {
        let plain = Sampler::with_backend(SysRoot::default(), BackendChoice::Proc);
        check(&mut plain.expect("plain /proc"));
        if let Some(mut walk) = bpf(test) {
            check(&mut walk);
        }
    } else {
        skipped(test, "the main thread could not be ended alone");
    }
    child.kill().ok();
    child.wait().ok();
}
