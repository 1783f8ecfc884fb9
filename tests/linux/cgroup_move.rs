//! A move whose process ends before the write: whom the number may have hit is looked for, and what cannot be known is
//! said. Real processes, a fake tree of groups whose `cgroup.procs` is a FIFO, so that the test is there at the write.
#![allow(clippy::expect_used, reason = "a test that cannot go on fails")]

use std::cell::RefCell;
use std::fs::{self, File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::common::fake_root::FakeRoot;
use crate::common::own_child::OwnChild;
use crate::common::patience::until;
use oomtop::linux::SysRoot;
use oomtop::linux::write::executor::KernelWriter;
use oomtop::model::cgroup::{CgroupPath, CgroupVersion};
use oomtop::model::plan::execute::Executor as _;
use oomtop::model::plan::receipt::Failure;
use oomtop::model::plan::step::CgroupStep;

/// A `cgroup.procs` that holds up who writes to it.
struct Gate {
    path: PathBuf,
    pipe: File,
}

impl Gate {
    /// In place of the file; full, so that a write waits.
    fn close(path: PathBuf) -> Self {
        fs::remove_file(&path).expect("a plain file");
        let made = Command::new("mkfifo").arg(&path).status();
        assert!(made.is_ok_and(|status| status.success()), "mkfifo");
        let mut options = OpenOptions::new();
        options
            .read(true)
            .write(true)
            .custom_flags(libc::O_NONBLOCK);
        let mut pipe = options.open(&path).expect("a FIFO");
        while pipe.write(&[b'\n'; 4096]).is_ok() {}
        Self { path, pipe }
    }

    /// Somebody else has opened it, to write.
    fn has_guest(&self) -> bool {
        let open = fs::read_dir("/proc/self/fd").expect("own files").flatten();
        let links = open.filter_map(|entry| fs::read_link(entry.path()).ok());
        links.filter(|link| *link == self.path).count() > 1
    }

    /// Lets the writer go on; what it wrote.
    fn open(mut self) -> String {
        let mut text = String::new();
        let mut part = [0; 4096];
        until(|| {
            while let Ok(count @ 1..) = self.pipe.read(&mut part) {
                text.push_str(&String::from_utf8_lossy(&part[..count]));
            }
            !text.trim().is_empty()
        });
        text.trim().to_owned()
    }
}

/// A process that has run for longer than a tick.
fn settled() -> OwnChild {
    let child = OwnChild::waiting();
    let is_older = || {
        let text = fs::read_to_string("/proc/uptime").expect("readable");
        let seconds = text.split(' ').next().expect("two numbers");
        let hundredths: u64 = seconds.replace('.', "").parse().expect("a number");
        hundredths > child.id().start_ticks + 1
    };
    assert!(until(is_older), "time passes");
    child
}

fn tree() -> FakeRoot {
    FakeRoot::new()
        .v2_group("old", |g| g)
        .v2_group("web", |g| g.file("cgroup.threads", ""))
        .v2_group("other", |g| g.file("cgroup.threads", ""))
}

fn set_threads(tree: &FakeRoot, group: &str, pid: u32) {
    tree.write(
        &format!("sys/fs/cgroup/{group}/cgroup.threads"),
        format!("{pid}\n"),
    );
}

fn lose_threads(tree: &FakeRoot, group: &str) {
    let list = tree.path(&format!("sys/fs/cgroup/{group}/cgroup.threads"));
    if list.exists() {
        fs::remove_file(&list).expect("a plain file");
    }
    // A directory cannot be read, not even by root.
    fs::create_dir(&list).expect("a directory");
}

/// Moves a process to `web`; it ends at the write, and `at_write` happens then, `after` before the answer.
fn move_that_misses(tree: &FakeRoot, at_write: impl FnOnce(), after: impl FnOnce()) -> Failure {
    let root = SysRoot {
        proc: PathBuf::from("/proc"),
        ..tree.sys_root()
    };
    let mut target = settled();
    let id = target.id();
    let gate = Gate::close(tree.path("sys/fs/cgroup/web/cgroup.procs"));
    let receipt = std::thread::scope(|scope| {
        let mover = scope.spawn(move || {
            let step = CgroupStep::Move(id, CgroupPath::new("/web"));
            KernelWriter::new(root, CgroupVersion::V2).step(&step.into())
        });
        assert!(
            until(|| gate.has_guest() || mover.is_finished()),
            "it writes"
        );
        target.kill();
        target.reap();
        at_write();
        assert_eq!(gate.open(), id.pid.to_string());
        after();
        mover.join().expect("an answer")
    });
    receipt.outcome.expect_err("its process has ended")
}

fn text(path: &Path) -> String {
    fs::read_to_string(path)
        .expect("readable")
        .trim()
        .to_owned()
}

#[test]
fn who_came_by_a_thread_is_sent_to_its_group() {
    let (tree, worker) = (tree(), settled());
    let pid = worker.id().pid;
    set_threads(&tree, "old", pid);
    let failure = move_that_misses(&tree, || set_threads(&tree, "web", pid), || ());
    assert_eq!(
        text(&tree.path("sys/fs/cgroup/old/cgroup.procs")),
        pid.to_string()
    );
    assert!(
        failure.sentence.contains("went to a thread of"),
        "{failure}"
    );
}

#[test]
fn nobody_is_sent_away_if_it_is_not_known_who_was_inside() {
    let (tree, worker) = (tree(), settled());
    let pid = worker.id().pid;
    set_threads(&tree, "old", pid);
    lose_threads(&tree, "web");
    let at_write = || {
        fs::remove_dir(tree.path("sys/fs/cgroup/web/cgroup.threads")).expect("removed");
        set_threads(&tree, "web", pid);
    };
    let failure = move_that_misses(&tree, at_write, || ());
    assert_eq!(text(&tree.path("sys/fs/cgroup/old/cgroup.procs")), "");
    assert!(
        failure
            .sentence
            .contains("processes of /web could not be listed"),
        "{failure}"
    );
    assert!(
        failure.sentence.contains("look who is in /web"),
        "{failure}"
    );
}

#[test]
fn groups_that_could_not_be_read_are_told_of() {
    let (whole, partial) = (tree(), tree());
    lose_threads(&partial, "other");
    let failure = move_that_misses(&whole, || (), || ());
    assert!(!failure.sentence.contains("look who is in"), "{failure}");
    let failure = move_that_misses(&partial, || (), || ());
    let says = "Not all groups could be read: another process may have come in its place, look who is in /web.";
    assert!(failure.sentence.ends_with(says), "{failure}");
}

#[test]
fn who_is_younger_than_the_look_is_told_of() {
    let tree = tree();
    let newborn = RefCell::new(None);
    let at_write = || {
        let child = OwnChild::waiting();
        set_threads(&tree, "web", child.id().pid);
        newborn.replace(Some(child));
    };
    let failure = move_that_misses(&tree, at_write, || ());
    let pid = newborn.borrow().as_ref().expect("started").id().pid;
    assert!(
        failure.sentence.contains(&format!("Where {pid} ")),
        "{failure}"
    );
    assert!(
        failure.sentence.ends_with("look who is in /web."),
        "{failure}"
    );
}

#[test]
fn who_was_started_in_the_group_is_no_stranger() {
    let tree = tree();
    let newborn = OwnChild::waiting();
    let own = std::process::id();
    let list = "sys/fs/cgroup/web/cgroup.threads";
    tree.write(list, format!("{own}\n"));
    let at_write = || tree.write(list, format!("{own}\n{}\n", newborn.id().pid));
    let failure = move_that_misses(&tree, at_write, || ());
    assert!(!failure.sentence.contains("look who is in"), "{failure}");
}

#[test]
fn who_ends_on_the_way_back_is_not_called_moved_by_others() {
    let (tree, mut worker) = (tree(), settled());
    let pid = worker.id().pid;
    set_threads(&tree, "old", pid);
    let home = Gate::close(tree.path("sys/fs/cgroup/old/cgroup.procs"));
    let after = || {
        assert!(until(|| home.has_guest()), "it is sent home");
        worker.kill();
        worker.reap();
        assert_eq!(home.open(), pid.to_string());
    };
    let failure = move_that_misses(&tree, || set_threads(&tree, "web", pid), after);
    assert!(
        failure
            .sentence
            .ends_with("came into /web and ended meanwhile."),
        "{failure}"
    );
}
