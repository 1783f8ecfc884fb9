//! Groups that are stuck, on the real kernel: v1 with the killer off.

use std::time::{Duration, Instant};

use crate::common::hog::Hog;
use crate::common::memcg::{Memcg, Version};
use crate::common::pty::Session;
use crate::common::{measured, skipped};

const MIB: u64 = 1 << 20;

#[test]
fn a_v1_group_with_its_killer_off_is_stuck_within_ten_seconds_and_freed_by_a_higher_limit() {
    let Some(group) = Memcg::create("stuck") else {
        return;
    };
    let control = group.dir().join("memory.oom_control");
    group.limit(40 * MIB);
    if group.version() == Version::V2 || std::fs::write(control, "1").is_err() {
        skipped(
            "a_v1_group_with_its_killer_off_is_stuck_within_ten_seconds_and_freed_by_a_higher_limit",
            "only cgroup v1 has memory.oom_control",
        );
        return;
    }
    let mut session = Session::start((120, 36), &[]);
    session.wait_for("the table", |screen| screen.has("COMMAND"));
    let name = group.path().to_owned();
    let stuck = format!("{name} is full and its OOM killer is off: 1 of 1 waits");
    session.wait_for("nothing is stuck", |screen| !screen.has(&stuck));
    let mut hog = Hog::start("stuck-hog").in_group(&group).grow(20);
    hog.leak(60, Duration::from_millis(1));
    let begin = Instant::now();
    session.wait_for("STUCK above the table", |screen| {
        screen.has("STUCK ") && screen.has(&stuck)
    });
    measured(&format!(
        "v1, killer off: flagged after {:.1} s",
        begin.elapsed().as_secs_f64()
    ));
    session.keys(&format!("d/{}<Enter><Home>", name.trim_start_matches('/')));
    // With a long pid in it the name is cut.
    let begins = name.trim_end_matches("-stuck");
    session.wait_for("STUCK in its row", |screen| {
        let row = screen
            .lines()
            .iter()
            .find(|line| line.starts_with(begins))
            .cloned();
        row.is_some_and(|row| row.contains(" STUCK "))
    });
    session.keys("<Enter>");
    session.wait_for("who waits, and what frees it", |screen| {
        screen.has("STUCK for") && screen.has("stuck-hog") && screen.has("What frees it")
    });
    session.keys("<Esc>");
    // Memory and swap together is never below memory: it goes first.
    let both = group.dir().join("memory.memsw.limit_in_bytes");
    std::fs::write(both, (200 * MIB).to_string()).ok();
    group.limit(200 * MIB);
    session.wait_for("free again", |screen| !screen.has("STUCK"));
}
