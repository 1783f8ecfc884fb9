//! oomtop's own memory stays bounded while processes come and go, the kernel kills, and the log floods.
//!
//! The test takes a minute. `OOMTOP_ROUNDS=3000` makes it a long one.

use std::fmt::Write as _;
use std::io::Write as _;

use crate::common::fake_root::FakeRoot;
use crate::common::pty::Session;

const REPORT: &str = include_str!("../fixtures/oom/lab/6.12-global.kmsg");

/// Processes alive in each round; all of them are new.
const ALIVE: u32 = 150;

/// Reports in each round.
const KILLS: u64 = 10;

/// The event list keeps so many reports, of so many kB each at most.
const KEPT: u64 = 2000;
const REPORT_KB: u64 = 20;

/// The first third of the rounds fills all other stores; then they may grow by so many kB.
const GROWTH: u64 = 2048;

/// Anonymous resident memory, kB (proc_pid_status(5)).
fn anonymous(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("it runs");
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("RssAnon:"))
        .expect("RssAnon");
    let number = line.trim().trim_end_matches(" kB").parse();
    number.expect("a number")
}

#[test]
fn memory_stays_bounded_under_churn_kills_and_a_flooding_log() {
    let rounds = std::env::var("OOMTOP_ROUNDS").map_or(24_u32, |n| n.parse().expect("a number"));
    let root = FakeRoot::new();
    let path = root.path("");
    let args = ["-d", "0.1", "--root", path.to_str().expect("UTF-8")];
    let session = Session::start((120, 36), &args);
    let mut log = std::fs::OpenOptions::new()
        .append(true)
        .open(root.path("dev/kmsg"))
        .expect("the log");
    let mut noise = String::new();
    for seq in 0..2000 {
        let _ = writeln!(
            noise,
            "6,{seq},{seq},-;usb 1-1: reset high-speed USB device"
        );
    }
    let mut curve = Vec::new();
    for round in 0..rounds {
        let first = 1000 + round % 500 * ALIVE;
        for pid in first..first + ALIVE {
            let (start, uid) = (u64::from(round) * 1000 + 1, round * ALIVE + pid);
            root.set_process(pid, |p| {
                p.comm(format!("w{pid}")).start(start).uid(uid).rss_mib(1)
            });
        }
        let mark = format!("mark{round}x");
        let marker = 800 + round % 50;
        root.set_process(marker, |p| {
            p.comm(&mark).start(u64::from(round) + 1).rss_mib(500)
        });
        for _ in 0..KILLS {
            log.write_all(REPORT.as_bytes()).expect("written");
        }
        log.write_all(noise.as_bytes()).expect("written");
        session.wait_text(&mark);
        for pid in first..first + ALIVE {
            root.end_process(pid);
        }
        root.end_process(marker);
        curve.push(anonymous(session.pid()));
    }
    let filled = curve.get(curve.len() / 3).copied().expect("rounds");
    let most = curve.iter().rev().take(curve.len() / 3).max().copied();
    let shown: Vec<_> = curve.iter().step_by(curve.len().div_ceil(20)).collect();
    crate::common::measured(&format!("own anonymous memory in kB: {shown:?}"));
    let kept = |rounds: u32| KEPT.min(u64::from(rounds) * KILLS);
    let reports = (kept(rounds) - kept(rounds / 3)) * REPORT_KB;
    assert!(most <= Some(filled + GROWTH + reports), "{curve:?}");
}
