//! Kill, adjust and limit when the machine has nothing left to give: no thread, no descriptor.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use crate::common::hog::{Hog, adj_of};
use crate::common::memcg::{self, Memcg};
use crate::common::patience::until;
use crate::common::pty::Session;
use crate::common::skipped;

/// A group that allows no more tasks than are in it.
struct Full(PathBuf);

impl Full {
    fn around(pid: u32, test: &str) -> Option<Self> {
        let mounts = ["/sys/fs/cgroup/pids", "/sys/fs/cgroup"];
        let dir = PathBuf::from(mounts[usize::from(!fs::exists(mounts[0]).unwrap_or(false))])
            .join(format!("oomtop-test-{}-full", std::process::id()));
        if !crate::common::is_root() || fs::create_dir(&dir).is_err() {
            skipped(test, "only root may make a group");
            return None;
        }
        let group = Self(dir);
        if fs::write(group.0.join("pids.max"), "1").is_err() {
            skipped(test, "there is no pids controller here");
            return None;
        }
        fs::write(group.0.join("cgroup.procs"), pid.to_string()).expect("it moves in");
        Some(group)
    }
}

impl Drop for Full {
    fn drop(&mut self) {
        let gone = until(|| fs::remove_dir(&self.0).is_ok());
        if !gone {
            crate::common::measured(&format!("{} could not be removed", self.0.display()));
        }
    }
}

/// A dashboard with one process in its table, selected.
fn dashboard_on(hog: &Hog) -> Session {
    let mut session = Session::start((120, 40), &[]);
    session.wait_for("the table", |screen| screen.has("COMMAND"));
    session.keys(&format!("/pid:{}<Enter>", hog.pid()));
    session.wait_for("the process and no other", |screen| {
        let lines = screen.lines();
        let mut table = lines.iter().skip_while(|line| !line.contains("COMMAND"));
        table.nth(1).is_some_and(|row| row.contains(hog.name()))
    });
    session.keys("<Home>");
    session
}

/// Adjusts, makes a group, kills: each through its dialog.
fn save_the_day(session: &mut Session, hog: &mut Hog, parent: &Memcg) {
    session.keys("a");
    session.wait_for("the adjust dialog", |screen| screen.has("Adjust "));
    session.keys("<Down><Enter>");
    session.eventually("the level", || adj_of(hog.pid()) == Some(300));
    session.wait_for("the table", |screen| !screen.has("─ Adjust "));
    session.keys("c");
    session.wait_for("the cgroup dialog and its groups", |screen| {
        screen.has("Cgroup of") && !screen.has("reading the groups")
    });
    let group = format!("{}/fence", parent.path());
    session.keys(&format!("<Up><C-u>{group}<Down>64M"));
    session.wait_for("the plan", |screen| {
        screen.has(&format!("{group}/cgroup.procs"))
    });
    session.keys("<Enter>");
    session.eventually("the move", || {
        memcg::of(hog.pid()).as_deref() == Some(&*group)
    });
    session.wait_for("the steps", |screen| screen.has("done  "));
    session.keys("<Enter>");
    session.wait_for("the table", |screen| !screen.has("Cgroup of"));
    session.keys("k");
    session.wait_for("the signal dialog", |screen| screen.has("Send a signal"));
    session.keys("9<Enter>");
    assert!(hog.is_killed());
    session.wait_for("the table", |screen| !screen.has("Send a signal"));
    assert!(session.alive());
}

#[test]
fn dialogs_write_where_no_thread_can_be_made() {
    let test = "dialogs_write_where_no_thread_can_be_made";
    let Some(parent) = Memcg::create("no-thread") else {
        return;
    };
    let mut hog = Hog::start("no-thread").adj(0).grow(8);
    let mut session = dashboard_on(&hog);
    let Some(full) = Full::around(session.pid(), test) else {
        return;
    };
    save_the_day(&mut session, &mut hog, &parent);
    session.keys("q");
    assert_eq!(session.wait_exit().code, 0);
    drop(full);
}

/// The descriptors of a process, and the files they are of.
fn descriptors(pid: u32) -> Vec<(u32, String)> {
    let entries = fs::read_dir(format!("/proc/{pid}/fd")).expect("its descriptors");
    let descriptor = |entry: fs::DirEntry| {
        let file = fs::read_link(entry.path()).ok()?;
        Some((
            entry.file_name().to_str()?.parse().ok()?,
            file.to_str()?.to_owned(),
        ))
    };
    entries.flatten().filter_map(descriptor).collect()
}

#[test]
fn dialogs_write_where_no_descriptor_is_left() {
    let test = "dialogs_write_where_no_descriptor_is_left";
    let Some(parent) = Memcg::create("no-descriptor") else {
        return;
    };
    let mut hog = Hog::start("no-descriptor").adj(0).grow(8);
    let mut session = dashboard_on(&hog);
    let pid = session.pid();
    // Nearly every number below the limit is taken, and the spare descriptors lie below it: one above could not be
    // opened again, which happens to no program that has run out by itself.
    let open = descriptors(pid);
    let spare = open.iter().filter(|(_, file)| file == "/dev/null");
    let last_spare = spare.map(|(number, _)| *number).max().unwrap_or(0);
    let limited = Command::new("prlimit")
        .args([
            "--pid",
            &pid.to_string(),
            &format!("--nofile={}", last_spare + 1),
        ])
        .status();
    if !limited.is_ok_and(|status| status.success()) {
        skipped(test, "prlimit does not work here");
        return;
    }
    session.keys("a");
    session.wait_for("the adjust dialog", |screen| screen.has("Adjust "));
    session.keys("<Down><Enter>");
    session.eventually("the level", || adj_of(hog.pid()) == Some(300));
    session.wait_for("the table", |screen| !screen.has("─ Adjust "));
    session.keys("k");
    session.wait_for("the signal dialog", |screen| screen.has("Send a signal"));
    session.keys("9<Enter>");
    assert!(hog.is_killed());
    drop(parent);
}

#[test]
fn an_undo_reads_the_value_that_no_sample_has_seen() {
    let hog = Hog::start("undo-reads").adj(0).grow(8);
    let mut session = dashboard_on(&hog);
    session.keys("a");
    session.wait_for("the adjust dialog", |screen| screen.has("Adjust "));
    session.keys("<Down><Enter>");
    session.eventually("the level", || adj_of(hog.pid()) == Some(300));
    session.wait_for("the table", |screen| !screen.has("─ Adjust "));
    // Paused: no sample can tell.
    session.keys("Z");
    session.wait_for("the pause", |screen| screen.has("PAUSED"));
    let file = format!("/proc/{}/oom_score_adj", hog.pid());
    fs::write(file, "77").expect("another program sets it");
    session.undo();
    session.wait_for("the question", |screen| {
        screen.has("has adj 77 now, not the 300")
    });
    assert_eq!(adj_of(hog.pid()), Some(77));
    session.undo();
    session.eventually("the undo", || adj_of(hog.pid()) == Some(0));
}
