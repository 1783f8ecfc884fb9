//! The whole loop on the real kernel: find a process, protect it, limit it, and watch a real OOM kill in a
//! cgroup that the test makes. Skips loudly what this machine does not allow.
#![expect(clippy::expect_used, reason = "helpers of tests fail the test")]

use std::time::Duration;

use crate::common::hog::{Hog, adj_of};
use crate::common::kmsg::KernelLog;
use crate::common::memcg::{self, Memcg};
use crate::common::pty::Session;
use crate::common::screen::Screen;

const MIB: u64 = 1 << 20;

/// A dashboard with one process in its table, selected.
fn dashboard_on(hog: &Hog) -> Session {
    let mut session = Session::start((120, 40), &[]);
    session.wait_for("the table", |screen| screen.has("COMMAND"));
    session.keys(&format!("/{}<Enter>", hog.name()));
    session.wait_for("the process and no other", |screen| {
        row_of(screen, hog.pid()).is_some_and(|row| row.contains(hog.name()))
    });
    session.keys("<Home>");
    session
}

/// The table row of a process: below the column titles, above the events.
fn row_of(screen: &Screen, pid: u32) -> Option<String> {
    let pid = pid.to_string();
    let lines = screen.lines();
    let table = lines.iter().skip_while(|line| !line.contains("COMMAND"));
    let mut table = table.take_while(|line| !line.contains("OOM events"));
    table
        // The first number of a row is its pid. A score, a size or the name of a group may look like a pid, too.
        .find(|line| {
            line.split(|c: char| !c.is_ascii_digit())
                .find(|word| !word.is_empty())
                == Some(pid.as_str())
        })
        .cloned()
}

#[test]
fn adjust_writes_the_level_and_undo_takes_it_back() {
    let hog = Hog::start("e2e-adjust").grow(8);
    let before = adj_of(hog.pid()).expect("an adj");
    let mut session = dashboard_on(&hog);
    session.keys("a");
    session.wait_for("the adjust dialog", |screen| {
        screen.has_words(&["Adjust", "sacrifice", hog.name()])
    });
    assert_eq!(
        adj_of(hog.pid()),
        Some(before),
        "an open dialog writes nothing"
    );
    pick_sacrifice(&mut session);
    session.eventually("the level", || {
        adj_of(hog.pid()).is_some_and(|adj| (100..=500).contains(&adj))
    });
    session.wait_for("the new level in the row", |screen| {
        row_of(screen, hog.pid()).is_some_and(|row| row.contains("+300"))
    });
    session.undo();
    session.eventually("the undo", || adj_of(hog.pid()) == Some(before));
}

/// The list starts at the present level, default; the next one is sacrifice.
fn pick_sacrifice(session: &mut Session) {
    session.keys("<Down><Enter>");
}

#[test]
fn escape_leaves_the_dialogs_without_a_trace() {
    let hog = Hog::start("e2e-escape").grow(4);
    let group = memcg::of(hog.pid());
    let before = adj_of(hog.pid());
    let mut session = dashboard_on(&hog);
    let adjust = format!("Adjust {}", hog.pid());
    for (key, title) in [("a", &*adjust), ("c", "Cgroup of"), ("k", "Send a signal")] {
        session.keys(key);
        session.wait_for("a dialog", |screen| screen.has(title));
        session.keys("<Down><Esc>");
        session.wait_for("the table", |screen| !screen.has(title));
    }
    // oomtop finishes requested writes before it exits.
    session.keys("q");
    assert_eq!(session.wait_exit().code, 0);
    assert_eq!(adj_of(hog.pid()), before);
    assert_eq!(memcg::of(hog.pid()), group);
}

#[test]
fn a_target_that_dies_under_the_dialog_is_said_and_nothing_else_is_touched() {
    let mut hog = Hog::start("e2e-gone").grow(8);
    let twin = Hog::start("e2e-gone").grow(6);
    let others = || -> Vec<(u32, Option<i32>)> {
        [twin.pid(), std::process::id(), 1]
            .map(|pid| (pid, adj_of(pid)))
            .into()
    };
    let before = others();
    let mut session = Session::start((120, 40), &[]);
    session.wait_for("the table", |screen| screen.has("COMMAND"));
    session.keys("/e2e-gone<Enter>");
    session.wait_for("both rows", |screen| {
        row_of(screen, hog.pid()).is_some() && row_of(screen, twin.pid()).is_some()
    });
    // Ranked by badness: the larger one is first.
    session.keys("<Home>a");
    session.wait_for("the adjust dialog on it", |screen| {
        screen.has(&format!("Adjust {}", hog.pid()))
    });
    hog.kill();
    session.wait_for("a sentence that it is gone", |screen| {
        screen.has("has ended: nothing")
    });
    pick_sacrifice(&mut session);
    session.keys("<Esc>");
    session.wait_for("the table", |screen| !screen.has("has ended: nothing"));
    session.keys("q");
    assert_eq!(session.wait_exit().code, 0);
    assert_eq!(others(), before);
}

#[test]
fn the_cgroup_dialog_makes_a_group_with_a_limit_and_moves_the_process() {
    let test = "the_cgroup_dialog_makes_a_group_with_a_limit_and_moves_the_process";
    // Also proves that groups can be made here, and holds what the dialog makes until the end.
    let Some(parent) = Memcg::create("dialog") else {
        return;
    };
    let hog = Hog::start("e2e-fence").grow(8);
    let home = memcg::of(hog.pid()).expect("a cgroup");
    let mut session = dashboard_on(&hog);
    create_group(&mut session, &format!("{}/fence", parent.path()), "96M");
    let wanted = format!("{}/fence", parent.path());
    session.eventually("the move", || {
        memcg::of(hog.pid()).as_deref() == Some(&*wanted)
    });
    let limit = std::fs::read_to_string(parent.dir().join("fence").join(match parent.version() {
        memcg::Version::V1 => "memory.limit_in_bytes",
        memcg::Version::V2 => "memory.max",
    }));
    assert_eq!(limit.expect(test).trim(), (96 * MIB).to_string());
    session.keys("<Esc>");
    session.wait_for("the table", |screen| !screen.has("Cgroup of"));
    session.undo();
    session.eventually("the way back", || {
        memcg::of(hog.pid()).as_deref() == Some(&*home)
    });
    session.eventually("the removal of the empty group", || {
        !parent.dir().join("fence").exists()
    });
}

/// In the dialog the first limit has the focus; the path, already filled in, is above it.
fn create_group(session: &mut Session, path: &str, limit: &str) {
    session.keys("c");
    session.wait_for("the cgroup dialog", |screen| {
        screen.has_words(&["Cgroup of", "new group", "hard limit"])
    });
    session.keys(&format!("<Up><C-u>{path}<Down>{limit}"));
    session.wait_for("the plan", |screen| {
        screen.has(&format!("make the group {path}")) && screen.has(&format!("{path}/cgroup.procs"))
    });
    session.keys("<Enter>");
    session.wait_for("the steps read back", |screen| {
        screen.text().matches("done  ").count() >= 3
    });
}

/// Five hogs of a group: size in MiB and adj. The last one starts small and leaks.
type Cast = [(usize, i32); 5];

/// In a group of 200 MiB: 1000 ‰ of adj is the whole limit, so +100 is worth 20 MiB.
const CASTS: [(&str, Cast); 3] = [
    ("size-decides", [(20, 0), (70, 0), (40, 0), (10, 0), (4, 0)]),
    (
        "adj-decides",
        [(20, 400), (60, 0), (30, 100), (10, 0), (4, 0)],
    ),
    (
        "small-loses",
        [(80, 0), (50, 100), (10, 400), (20, 200), (4, 0)],
    ),
];

#[test]
fn the_marked_victim_dies_and_the_row_appears() {
    let test = "the_marked_victim_dies_and_the_row_appears";
    for (name, cast) in CASTS {
        let Some(group) = Memcg::create(name) else {
            return;
        };
        let Some(kernel) = KernelLog::listen(test) else {
            return;
        };
        kill_one(name, &cast, &group, &kernel);
    }
}

fn kill_one(name: &str, cast: &Cast, group: &Memcg, kernel: &KernelLog) {
    group.limit(200 * MIB);
    let mut hogs: Vec<Hog> = cast
        .iter()
        .enumerate()
        .map(|(n, (mib, adj))| {
            Hog::start(&format!("vic{n}-{name}"))
                .in_group(group)
                .adj(*adj)
                .grow(*mib)
        })
        .collect();
    // The decoy is the host's next victim, so the mark in the group is for the group's victim.
    let _decoy = Hog::start("decoy").adj(900);
    let mut session = Session::start((150, 40), &[]);
    session.wait_for("the table", |screen| screen.has("COMMAND"));
    session.keys(&format!(
        "/cgroup:{}<Enter>",
        group.path().trim_start_matches('/')
    ));
    session.wait_for("all five", |screen| {
        hogs.iter().all(|hog| row_of(screen, hog.pid()).is_some())
    });
    let marked = marked_victim(&session, &hogs);

    let leaker = hogs.last_mut().expect("five");
    leaker.leak(300, Duration::from_millis(5));
    let pids: Vec<u32> = hogs.iter().map(Hog::pid).collect();
    let (killed_at, line) = kernel.wait_kill(&pids);
    let fact = |key: &str| {
        line.split(key)
            .nth(1)
            .and_then(|rest| rest.split(&[' ', 'k', '('][..]).next())
    };
    let pid: u32 = fact("Killed process ")
        .and_then(|p| p.parse().ok())
        .expect("a pid");
    let anon: u64 = fact("anon-rss:")
        .and_then(|p| p.parse().ok())
        .expect("anon-rss");
    let victim = hogs
        .iter_mut()
        .find(|hog| hog.pid() == pid)
        .expect("a hog of ours");
    let victim_name = victim.name().to_owned();

    let kill = format!("killed {pid} {}", &victim_name[..8]);
    let mut row = None;
    session.wait_for("the row of the kill", |screen| {
        row = event_with(screen, &kill);
        row.is_some()
    });
    let delay = killed_at.elapsed();
    // The tracepoint tells who was killed, the kernel's report why: the row has both in the end.
    session.wait_for("the scope of the kill", |screen| {
        row = event_with(screen, &kill);
        row.as_ref().is_some_and(|row| row.contains("cgroup"))
    });
    let row = row.expect("it was there");
    crate::common::measured(&format!(
        "{name}: the kill was on the screen {} ms after the kernel's line",
        delay.as_millis()
    ));
    assert!(victim.is_killed(), "SIGKILL ended it");
    assert!(row.contains(group.path()), "scope in {row:?}");
    let shown = oomtop::text::format::size(anon * 1024);
    assert!(
        row.contains(&format!("{shown} anon")),
        "anon-rss {anon} kB in {row:?}"
    );
    assert_eq!(marked, pid, "the marked victim is not the one that died");
}

/// The row of the events pane with this text. The header, the table and the notice in the footer speak of kills too:
/// only a row begins with a time.
fn event_with(screen: &Screen, text: &str) -> Option<String> {
    let lines = screen.lines();
    let mut events = lines.iter().skip_while(|line| !line.contains("OOM events"));
    let is_row = |line: &str| {
        let mut time = line.trim_start_matches(['│', ' ']).splitn(4, [':', ' ']);
        let mut number = || {
            time.next()
                .is_some_and(|part| part.len() == 2 && part.parse::<u8>().is_ok())
        };
        number() && number() && number()
    };
    events
        .find(|line| is_row(line) && line.contains(text))
        .cloned()
}

/// The pid that the program marks as the group's next victim, once it marks one of them.
fn marked_victim(session: &Session, hogs: &[Hog]) -> u32 {
    let mut marked = Vec::new();
    session.wait_for("one mark among five", |screen| {
        let pids = hogs.iter().map(Hog::pid);
        marked = pids
            .filter(|pid| row_of(screen, *pid).is_some_and(|row| is_marked(&row)))
            .collect();
        marked.len() == 1
    });
    marked[0]
}

/// A sign at the start of the row.
fn is_marked(row: &str) -> bool {
    let row = row.trim_start_matches(['│', ' ']);
    row.starts_with('*')
}
