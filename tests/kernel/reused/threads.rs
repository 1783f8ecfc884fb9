//! Pids that go to a thread of a process that has run for long, while their own process is moved: by systemd, and by
//! oomtop.
//!
//! Each in a pid namespace of its own, where nobody else takes the number; the process with the thread is the worker
//! itself.

use std::io::Read as _;
use std::process::Command;
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use super::scopes::{NAME, manager, scope};
use super::siege::waiting;
use super::{Ends, many, start_move, waits_to_write};
use crate::common::memcg::{self, Memcg};
use crate::common::own_child::id_of;
use crate::common::patience::{PATIENCE, until};
use crate::common::skipped;
use crate::whole::version;
use oomtop::linux::write::executor::KernelWriter;
use oomtop::model::plan::execute::Executor as _;
use oomtop::model::plan::receipt::FailureKind;

/// How often a thread is started for the number: another one may have it for a moment.
const TRIES: usize = 200;

/// A thread of this process gets the number, does `first` with it before this returns, and lives until `last` is done.
fn thread_with(
    pid: u32,
    first: impl Fn() + Clone + Send + 'static,
    last: impl Fn() + Clone + Send + 'static,
) -> bool {
    (0..TRIES).any(|_| {
        let before = (pid - 1).to_string();
        std::fs::write("/proc/sys/kernel/ns_last_pid", before).expect("a namespace of its own");
        let (tell, told) = channel();
        let (first, last) = (first.clone(), last.clone());
        std::thread::spawn(move || {
            let number = rustix::thread::gettid().as_raw_nonzero().get();
            let is_it = u32::try_from(number) == Ok(pid);
            if is_it {
                first();
            }
            tell.send(is_it).expect("who started it waits");
            if is_it {
                last();
            }
        });
        told.recv().expect("it began")
    })
}

/// In a worker: systemd moves by the number, and the thread ends at once.
pub(super) fn by_a_manager(group: &Memcg) {
    let (_dir, systemd, root) = manager(group, true);
    let path = format!("{}/{NAME}", group.path());
    let home = memcg::of(std::process::id());
    let mut target = Ends(waiting());
    let id = id_of(target.0.id()).expect("its start time");
    let scope_path = path.clone();
    let is_moved = move || {
        // Without a pause: oomtop may have moved it back a moment later.
        let begun = Instant::now();
        while memcg::of(std::process::id()).as_ref() != Some(&scope_path)
            && begun.elapsed() < PATIENCE
        {
            std::thread::yield_now();
        }
    };
    let hook = move || {
        target.0.kill().expect("killed");
        target.0.wait().expect("reaped");
        assert!(
            thread_with(id.pid, || (), is_moved),
            "a thread has the number"
        );
    };
    systemd.waits(Duration::from_millis(5), Some(Box::new(hook)));
    let mut kernel = KernelWriter::new(root, version(group));
    kernel.hold(&[id]);
    let receipt = kernel.step(&scope(vec![id], "oomtop.slice", &path));
    let failure = receipt.failure().expect("its process has ended");
    assert_eq!(failure.kind, FailureKind::Reused, "{failure}");
    assert!(
        failure.sentence.contains("went to a thread of"),
        "{failure}"
    );
    assert_eq!(memcg::of(std::process::id()), home, "{failure}");
}

/// In a worker: oomtop itself moves by the number, between its last look before the write and the first one after it.
/// Its write goes to a FIFO, and to the group as soon as the thread has the number; the thread is gone when oomtop goes
/// on.
pub(super) fn by_oomtop(group: &Memcg) {
    let dir = tempfile::tempdir().expect("a directory");
    let fifo = dir.path().join("procs");
    let made = Command::new("mkfifo").arg(&fifo).status();
    assert!(made.is_ok_and(|status| status.success()), "mkfifo");
    let home = memcg::of(std::process::id());
    assert_ne!(home.as_deref(), Some(group.path()));
    let mut target = Ends(waiting());
    let id = id_of(target.0.id()).expect("its start time");
    let mut mover = Ends(start_move(id, group, &fifo));
    if !waits_to_write(&mut mover, dir.path()) {
        return println!("CANNOT");
    }
    target.0.kill().expect("killed");
    target.0.wait().expect("reaped");
    let procs = group.dir().join("cgroup.procs");
    let move_it = move || std::fs::write(&procs, id.pid.to_string()).expect("written");
    assert!(
        thread_with(id.pid, move_it, || ()),
        "a thread has the number"
    );
    assert_eq!(memcg::of(std::process::id()).as_deref(), Some(group.path()));
    let number = format!("/proc/{}", id.pid);
    assert!(
        until(|| !std::fs::exists(&number).expect("readable")),
        "the thread has ended"
    );
    let written = std::fs::read_to_string(&fifo).expect("what was written");
    assert_eq!(written, id.pid.to_string());
    let mut said = String::new();
    let mut out = mover.0.stdout.take().expect("piped");
    out.read_to_string(&mut said).expect("the outcome");
    assert_eq!(memcg::of(std::process::id()), home, "{said}");
    for part in ["Reused", "went to a thread of", "it was moved back to"] {
        assert!(said.contains(part), "{said}");
    }
}

/// Runs a worker in a group of its own.
fn is_proved(test: &str, what: &str, name: &str) {
    let Some(parent) = Memcg::create(name) else {
        return;
    };
    if parent.version() == memcg::Version::V2 {
        // Groups below it have memory control.
        drop(parent.child("first"));
    }
    if !many::has_namespaces() {
        return skipped(test, "no pid namespace can be made");
    }
    let own = parent.path().trim_start_matches('/');
    let worker = many::start(&format!("{what};1;;0;{own}/worker"));
    let output = worker.wait_with_output().expect("it ends");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}");
    if said.contains("CANNOT") {
        skipped(
            test,
            "no mount namespace, or /proc does not tell what a task waits for",
        );
    }
}

#[test]
fn who_was_moved_by_the_number_of_a_thread_goes_home() {
    let test = "who_was_moved_by_the_number_of_a_thread_goes_home";
    is_proved(test, "a thread, systemd", "thread");
}

#[test]
fn who_oomtop_has_moved_by_the_number_of_a_thread_goes_home() {
    let test = "who_oomtop_has_moved_by_the_number_of_a_thread_goes_home";
    is_proved(test, "a thread, oomtop", "thread-plain");
}
