//! The report of `oomtop run`, in words and as a document.

use std::time::Duration;

use oomtop::model::cgroup::CgroupPath;
use oomtop::model::memory::band::Thresholds;
use oomtop::model::oom_domain::headroom::Room;
use oomtop::model::process::ProcessId;
use oomtop::model::run::course::{Bound, Course, Held, Reading};
use oomtop::model::run::growth::{Growth, Size};
use oomtop::model::run::place::LeftUnit;
use oomtop::model::run::report::{Counters, Ended, Left, RunReport, SwapLimit, Victim, Waited};
use oomtop::model::time::Monotonic;
use oomtop::output::run::{json, text};

const MIB: u64 = 1 << 20;

fn size(bytes: u64) -> Size {
    Size {
        id: ProcessId {
            pid: 41,
            start_ticks: 900,
        },
        name: "hog".to_owned(),
        bytes,
    }
}

fn report() -> RunReport {
    let mut course = Course::new(Thresholds::default());
    let reading = |millis: u64, mib: u64| Reading {
        at: Monotonic(millis * 1000),
        usage: Some((mib + 20) * MIB),
        held: Some(Held {
            anon: mib * MIB,
            shmem: MIB,
            kernel: 2 * MIB,
            swap: 0,
        }),
        told: Some((mib + 20) * MIB),
        room: Some((
            Bound::Group,
            Room {
                limit: 256 * MIB,
                usage: mib * MIB,
                ..Room::default()
            },
        )),
    };
    course.accept(&reading(1000, 10));
    for millis in (1200..2800).step_by(200) {
        course.accept(&reading(millis, 10));
    }
    course.accept(&reading(3000, 200));
    course.end(Monotonic(4_500_000));
    let mut growth = Growth::of_command(41);
    let mut older = size(MIB);
    older.id.pid = 33;
    older.id.start_ticks = 899;
    "stranger".clone_into(&mut older.name);
    growth.accept(&[size(10 * MIB), older]);
    growth.accept(&[size(200 * MIB)]);
    RunReport {
        command: ["./load test", "--now"].map(str::to_owned).to_vec(),
        group: CgroupPath::new("/a/oomtop-run-40-899"),
        left_unit: None,
        limit: Some(256 * MIB),
        swap: SwapLimit::Limited { bytes: 0 },
        began_unix_micros: 1_700_000_000_000_000,
        took: Duration::from_millis(3500),
        ended: Ended::Exit(3),
        course,
        pauses: (Duration::from_millis(5), Duration::from_millis(50)),
        counters: Counters {
            peak: Some(230 * MIB),
            kills: Some(0),
            ooms: Some(0),
            at_limit: Some(2),
        },
        victims: Vec::new(),
        log_missing: String::new(),
        waited: Some(Waited {
            of_group: true,
            some: Duration::from_millis(120),
            full: Duration::ZERO,
        }),
        growth,
        left: Vec::new(),
        left_killed: false,
        left_unread: false,
    }
}

/// Somebody else filled the host, and the command was killed.
fn bystander() -> RunReport {
    let mut report = killed();
    report.counters.ooms = Some(0);
    report.counters.kills = Some(1);
    for victim in &mut report.victims {
        victim.of = Some(Bound::Host);
    }
    report.left_unread = true;
    report
}

fn killed() -> RunReport {
    RunReport {
        ended: Ended::Signal(9),
        counters: Counters {
            peak: Some(256 * MIB),
            kills: Some(3),
            ooms: Some(4),
            at_limit: None,
        },
        victims: vec![Victim {
            pid: 41,
            name: "h\x1b[2Jog".to_owned(),
            of: Some(Bound::Group),
            counted: 1,
        }],
        log_missing: "no permission".to_owned(),
        left: vec![Left {
            pid: 77,
            name: "daemon".to_owned(),
            bytes: MIB,
        }],
        waited: None,
        ..report()
    }
}

#[test]
fn the_report_in_words() {
    insta::assert_snapshot!("text", text(&report()));
    insta::assert_snapshot!("text_of_a_kill", text(&killed()));
    insta::assert_snapshot!("text_of_a_bystander", text(&bystander()));
}

#[test]
fn a_short_run_says_so_in_words_and_in_the_document() {
    let mut report = report();
    report.course.readings = 1;
    let words = text(&report);
    let line = "  Advice    too short: 1 sample; a limit can be named from 10 on\n";
    assert!(words.contains(line), "{words}");
    let document = json(&report).expect("a document");
    let document: serde_json::Value = serde_json::from_str(&document).expect("JSON");
    assert_eq!(document["advice"]["kind"], "too_short");
    assert_eq!(document["advice"]["readings"], 1);
}

#[test]
fn spans_are_rounded_before_their_unit_is_chosen() {
    use oomtop::text::run::seconds;
    for (micros, says) in [
        (0, "0s"),
        (400, "<1ms"),
        (1_000, "1ms"),
        (120_499, "120ms"),
        (999_499, "999ms"),
        (999_500, "1.0s"),
        (12_340_000, "12.3s"),
        (59_949_000, "59.9s"),
        (59_950_000, "1m00s"),
        (170_000_000, "2m50s"),
    ] {
        assert_eq!(seconds(Duration::from_micros(micros)), says, "{micros}");
    }
}

#[test]
fn the_report_says_which_unit_oomtop_has_left() {
    let mut report = report();
    report.left_unit = Some(LeftUnit {
        from: CgroupPath::new("/user.slice/session-3.scope"),
        to: CgroupPath::new("/user.slice/oomtop-run-40-899.scope"),
    });
    let words = text(&report);
    let line = "            oomtop leaves session-3.scope for oomtop-run-40-899.scope\n";
    assert!(words.contains(line), "{words}");
    let document = json(&report).expect("a document");
    let document: serde_json::Value = serde_json::from_str(&document).expect("JSON");
    assert_eq!(document["left_unit"]["from"], "/user.slice/session-3.scope");
}

#[test]
fn the_report_as_a_document() {
    insta::assert_snapshot!("json", json(&report()).expect("a document"));
    let killed = json(&killed()).expect("a document");
    assert!(!killed.contains('\x1b'));
    let document: serde_json::Value = serde_json::from_str(&killed).expect("JSON");
    assert_eq!(document["hit"], true);
    assert_eq!(document["unnamed_kills"], 2);
    assert_eq!(document["status"], 137);
    assert_eq!(document["pressure"], serde_json::Value::Null);
    assert_eq!(document["advice"]["kind"], "more");
}

#[test]
fn only_a_limit_of_the_group_is_a_hit() {
    assert!(killed().is_hit());
    // The kernel has counted kills in the group, and none for its limit.
    let report = bystander();
    assert!(!report.is_hit() && report.was_cut_short());
    let document = json(&report).expect("a document");
    let document: serde_json::Value = serde_json::from_str(&document).expect("JSON");
    assert_eq!(document["hit"], false);
    assert_eq!(document["victims"][0]["of"], "host");
    assert_eq!(document["advice"]["kind"], "cut_short");
    // v1 counts no OOMs: the log tells, or whether the limit was met.
    let v1 = |of, at_limit, peak| {
        let mut report = killed();
        report.counters.ooms = None;
        report.counters.kills = Some(1);
        report.counters.at_limit = Some(at_limit);
        report.counters.peak = Some(peak * MIB);
        report.victims[0].of = of;
        report
    };
    let hit = |of, at_limit, peak| v1(of, at_limit, peak).hit();
    assert_eq!(hit(Some(Bound::Group), 0, 100), Some(true));
    assert_eq!(hit(Some(Bound::Host), 9, 256), Some(false));
    assert_eq!(hit(Some(Bound::Around), 9, 256), Some(false));
    assert!(v1(Some(Bound::Around), 9, 256).was_cut_short());
    assert_eq!(hit(None, 9, 100), Some(true));
    // 6.18 counts no charge that fails.
    assert_eq!(hit(None, 0, 256), Some(true));
    let unknown = v1(None, 0, 100);
    assert_eq!(unknown.hit(), None);
    assert!(!unknown.was_cut_short());
    let words = text(&unknown);
    assert!(
        words.contains("; whether its own limit ran out is unknown"),
        "{words}"
    );
    assert!(!words.contains("the host or a group around it"), "{words}");
    let document = json(&unknown).expect("a document");
    let document: serde_json::Value = serde_json::from_str(&document).expect("JSON");
    assert_eq!(document["hit"], serde_json::Value::Null);
    assert_eq!(document["advice"]["kind"], "unknown");
}
