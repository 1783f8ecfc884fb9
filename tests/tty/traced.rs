//! A kill on the real kernel is a row at once, where no log tells of it.

use std::time::Duration;

use crate::common::hog::Hog;
use crate::common::memcg::Memcg;
use crate::common::pty::Session;
use crate::common::skipped;

#[test]
fn a_kill_that_no_log_tells_of_is_a_row_with_its_facts() {
    let Some(group) = Memcg::create("traced") else {
        return;
    };
    group.limit(32 << 20);
    let dir = tempfile::tempdir().expect("a directory");
    // An empty file for the kernel's log, and no journal: it belongs to another log.
    let log = dir.path().join("kmsg");
    std::fs::write(&log, "").expect("written");
    let log = log.to_str().expect("a name").to_owned();
    let mut session = Session::start((200, 45), &["--kmsg", &log]);
    session.wait_for("the tracepoint, or why there is none", |screen| {
        screen.has("tracepoint")
    });
    if session.look(|screen| screen.has("no tracepoint")) {
        return skipped(
            "kills by tracepoint",
            "the kernel takes no BPF program here",
        );
    }
    let mut hog = Hog::start("traced-hog").in_group(&group).adj(400);
    hog.leak(48, Duration::from_millis(1));
    let row = format!("killed {} traced-hog", hog.pid());
    session.wait_for("the row of the kill", |screen| {
        screen.has(&row) && screen.has("adj 400") && screen.has(" traced")
    });
    // Others may be killed on this machine meanwhile.
    session.keys(&format!("e/pid:{}<Enter>", hog.pid()));
    session.wait_for("the one row", |screen| screen.has("filter: pid:"));
    session.keys("<Enter>");
    session.wait_for("its facts", |screen| {
        screen.has("(the tracepoint, at the kill)") && screen.has(group.path())
    });
    session.keys("<Esc>");
    session.keys("q");
    session.wait_exit();
}
