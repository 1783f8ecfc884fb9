//! The audit log on the real kernel: each write stands in it before it is made, whatever ends oomtop.
#![expect(clippy::expect_used, reason = "helpers of tests fail the test")]

use std::path::Path;
use std::time::Duration;

use rustix::process::Signal;
use serde_json::Value;

use crate::common::hog::{Hog, adj_of};
use crate::common::pty::{Launch, Session};

/// The dashboard with an audit log and these processes in its table, the first selected.
fn dashboard(filter: &str, log: &Path) -> Session {
    let log = log.to_str().expect("text");
    let mut session = Launch::oomtop().args(["--audit", log]).start();
    session.wait_for("the table", |screen| screen.has("COMMAND"));
    session.keys(&format!("/{filter}<Enter>"));
    session.wait_for("the filter", |screen| screen.has("filter: "));
    session.keys("<Home>");
    session
}

fn lines(log: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let lines = text.lines().map(serde_json::from_str);
    lines
        .collect::<Result<_, _>>()
        .expect("whole lines of JSON")
}

/// The lines of this kind that tell of the process.
fn of(lines: &[Value], event: &str, pid: u32) -> Vec<Value> {
    let mut steps = Vec::new();
    for line in lines.iter().filter(|line| line["event"] == event) {
        let listed = line["steps"].as_array().cloned().unwrap_or_default();
        let single = [line["step"].clone()];
        let about = listed.iter().chain(&single).any(|step| step["pid"] == pid);
        steps.extend(about.then(|| line.clone()));
    }
    steps
}

/// More expendable: an ordinary user may do that too.
fn sacrifice(session: &mut Session, pid: u32) {
    session.keys("a");
    session.wait_for("the adjust dialog", |screen| {
        screen.has(&format!("Adjust {pid}"))
    });
    session.keys("<Down><Enter>");
    session.eventually("the level", || adj_of(pid) == Some(300));
}

#[test]
fn every_write_and_every_undo_is_logged_and_the_history_undoes_any() {
    let dir = tempfile::tempdir().expect("a directory");
    let log = dir.path().join("audit");
    let hogs = [
        Hog::start("audit-big").grow(24),
        Hog::start("audit-small").grow(4),
    ];
    let before = hogs.each_ref().map(|hog| adj_of(hog.pid()));
    let mut session = dashboard("audit-", &log);
    for hog in &hogs {
        session.keys(&format!("<Esc>/{}<Enter><Home>", hog.name()));
        session.wait_for("its row", |screen| screen.has(hog.name()));
        sacrifice(&mut session, hog.pid());
        session.wait_for("its receipt", |screen| {
            let notice = screen.line_with("read back");
            notice.is_some_and(|notice| notice.contains(&format!(" {} ", hog.pid())))
        });
    }
    session.keys("H");
    session.wait_for("both writes", |screen| {
        screen.has("Writes of this session") && screen.text().matches("done ").count() >= 2
    });
    // The older one.
    session.keys("<Down>");
    session.undo();
    let [big, small] = hogs.each_ref().map(Hog::pid);
    session.eventually("its undo", || adj_of(big) == before[0]);
    assert_eq!(adj_of(small), Some(300), "the other write stands");
    session.wait_for("its fate", |screen| screen.has("Taken back"));
    session.keys("q");
    session.keys("q");
    assert_eq!(session.wait_exit().code, 0);

    let lines = lines(&log);
    let kinds: Vec<_> = lines.iter().map(|line| line["event"].clone()).collect();
    assert_eq!(kinds, ["begin", "step", "end"].repeat(3));
    let undone = lines.iter().map(|line| line["undo"] == true);
    let undone: Vec<_> = undone.step_by(3).collect();
    assert_eq!(undone, [false, false, true]);
    let old = before[0].expect("an adj").to_string();
    let steps = of(&lines, "step", big);
    let values: Vec<_> = steps
        .iter()
        .map(|line| (line["before"].clone(), line["after"].clone()))
        .collect();
    assert_eq!(
        values,
        [
            (old.as_str().into(), "300".into()),
            ("300".into(), old.as_str().into())
        ]
    );
    let begun = of(&lines, "begin", small);
    let [begun] = begun.as_slice() else {
        panic!("{begun:?}")
    };
    assert_eq!(begun["steps"][0]["comm"], hogs[1].name());
    let actor = &begun["actor"];
    assert_eq!(actor["uid"], rustix::process::geteuid().as_raw());
    assert!(
        actor["terminal"]
            .as_str()
            .expect("a pty")
            .starts_with("/dev/pts/")
    );
}

#[test]
fn a_run_that_is_killed_at_any_moment_leaves_no_write_unlogged() {
    let dir = tempfile::tempdir().expect("a directory");
    let mut written = 0;
    for round in 0..6_u64 {
        let log = dir.path().join(format!("audit{round}"));
        let name = format!("audit-k{round}");
        let hog = Hog::start(&name).grow(2);
        let before = adj_of(hog.pid());
        let mut session = dashboard(&name, &log);
        session.keys("a");
        session.wait_for("the adjust dialog", |screen| screen.has("Adjust "));
        session.keys("<Down>");
        session.keys("<Enter>");
        if round == 0 {
            session.eventually("the write", || adj_of(hog.pid()) != before);
        } else {
            // Around the moment of the write.
            std::thread::sleep(Duration::from_micros(round * 1400));
        }
        session.signal(Signal::KILL);
        session.wait_exit();
        // What the kernel had begun is done by now.
        let is_written = adj_of(hog.pid()) != before;
        written += u32::from(is_written);
        let begun = of(&lines(&log), "begin", hog.pid());
        assert!(!is_written || begun.len() == 1, "round {round}: {begun:?}");
    }
    assert!(written > 0);
    println!("{written} of 6 runs were killed after their write");
}

#[test]
fn without_its_log_nothing_is_written_and_a_log_that_cannot_be_is_refused() {
    let dir = tempfile::tempdir().expect("a directory");
    let gone = dir.path().join("gone");
    std::fs::create_dir(&gone).expect("made");
    let hog = Hog::start("audit-less").grow(2);
    let before = adj_of(hog.pid());
    let mut session = dashboard("audit-less", &gone.join("audit"));
    std::fs::remove_dir_all(&gone).expect("removed");
    session.keys("a");
    session.wait_for("the adjust dialog", |screen| screen.has("Adjust "));
    session.keys("<Down><Enter>");
    session.wait_for("the refusal", |screen| {
        screen.has_words(&["Nothing was written, because the audit log"])
    });
    assert_eq!(adj_of(hog.pid()), before);
    drop(session);
    for bad in [
        dir.path().to_owned(),
        "/dev/null".into(),
        gone.join("audit"),
    ] {
        let log = bad.to_str().expect("text");
        let mut session = Launch::oomtop().args(["--audit", log]).start();
        let exit = session.wait_exit();
        assert_ne!(exit.code, 0, "{log}");
        let said = session.screen_text();
        assert!(said.contains("cannot be written"), "{log}: {said}");
    }
}
