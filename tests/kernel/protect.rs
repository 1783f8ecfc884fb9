//! `oomtop protect` on real processes: what would change, one write, and a storm of children under each way to notice
//! starts. All values are above 0: that needs no privilege.

mod rule_groups;
pub(crate) mod stage;
mod users;
mod waits;

use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::common::hands::Dice;
use crate::common::hog::adj_of;
use crate::common::measured;
use crate::common::patience::until;
use crate::common::pid::with_pid;
use stage::{Ends, Resident, RuleFile, Script, descendants, every, run, supervisor, waiting};
use waits::Waits;

#[test]
fn what_would_change_is_shown_then_written_once_and_logged() {
    let supervised = "oomtop-rules-once";
    let rules = RuleFile::new(&format!(
        "[[rule]]\ntitle = \"loses\"\ncommand = \"*{supervised}*\"\nadj = 11\n\
         [[rule]]\ntitle = \"the supervisor\"\ncommand = \"*{supervised}*\"\nadj = 110\nchildren = 710\n"
    ));
    let mut top = supervisor(supervised);
    top.order("3");
    assert_eq!(top.answer(), "made");
    let children = descendants(top.pid());
    assert_eq!(children.len(), 3, "{children:?}");
    let before = adj_of(top.pid());

    let (status, table, errors) = run(&rules, &["--check"]);
    assert_eq!((status, errors.as_str()), (Some(1), ""), "{table}");
    let rows = table.lines().filter(|line| line.contains("the supervisor"));
    assert_eq!(rows.count(), 4, "{table}");
    assert!(table.contains("4 processes would change"), "{table}");
    assert_eq!(adj_of(top.pid()), before, "nothing is written");

    let (status, why, _) = run(&rules, &["--why", &children[0].to_string()]);
    assert_eq!(status, Some(0), "{why}");
    let through = format!("as a descendant of {} sh", top.pid());
    assert!(why.contains(&through), "{why}");
    let (_, why, _) = run(&rules, &["--why", &top.pid().to_string()]);
    assert!(why.contains("loses           loses ("), "{why}");
    let own = std::process::id().to_string();
    assert_eq!(run(&rules, &["--why", &own]).0, Some(1), "no rule");
    assert_eq!(run(&rules, &["--why", "4194305"]).0, Some(2), "no process");

    let log = rules.path.with_file_name("audit");
    let log = log.to_str().expect("text");
    let (status, done, errors) = run(&rules, &["--once", "--audit", log]);
    assert_eq!(status, Some(0), "{done}{errors}");
    assert!(
        done.contains("4 values written; rules hold 4 processes."),
        "{done}"
    );
    assert_eq!(adj_of(top.pid()), Some(110));
    assert!(children.iter().all(|pid| adj_of(*pid) == Some(710)));
    let logged = std::fs::read_to_string(log).expect("the log");
    let events: Vec<serde_json::Value> = logged
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    let steps = events.iter().filter(|line| line["event"] == "step");
    assert_eq!(steps.filter(|step| step["failure"].is_null()).count(), 4);
    assert_eq!(events[0]["steps"].as_array().map(Vec::len), Some(4));
    let (status, table, _) = run(&rules, &["--check"]);
    assert_eq!(status, Some(0), "{table}");
    let (_, done, _) = run(&rules, &["--once"]);
    assert!(done.contains("0 values written"), "{done}");
}

#[test]
fn wrong_rules_write_nothing() {
    let rules = RuleFile::new("[[rule]]\nnmae = \"x\"\n[[rule]]\nadj = 3\n");
    for args in [&["--check"][..], &["--once"], &["--why", "1"], &[]] {
        let (status, out, errors) = run(&rules, args);
        assert_eq!((status, out.as_str()), (Some(2), ""), "{args:?} {errors}");
        assert!(errors.contains("rules.toml:2: nmae: there is no such key; did you mean name?"));
        assert!(errors.contains("rules.toml:3: rule: it would match every process"));
    }
}

#[test]
fn a_resident_that_cannot_start_has_another_status_than_one_with_wrong_rules() {
    let rules = RuleFile::new("[[rule]]\ncommand = \"*oomtop-nobody*\"\nadj = 3\n");
    let log = rules.path.join("no-directory");
    let log = log.to_str().expect("text");
    let (status, _, errors) = run(&rules, &["--audit", log]);
    assert_eq!(status, Some(1), "{errors}");
}

#[test]
fn as_root_it_takes_no_log_from_settings_that_others_can_write() {
    if !rustix::process::geteuid().is_root() {
        return println!("SKIPPED: settings of root, because this is no root");
    }
    let rules = RuleFile::new("[[rule]]\ncommand = \"*oomtop-nobody*\"\nadj = 3\n");
    let home = rules.path.with_file_name("oomtop");
    std::fs::create_dir(&home).expect("made");
    let log = home.join("log");
    let settings = home.join("config.toml");
    std::fs::write(&settings, format!("audit = '{}'\n", log.display())).expect("written");
    let mut outcomes = Vec::new();
    for mode in [0o644, 0o666] {
        let mode = std::os::unix::fs::PermissionsExt::from_mode(mode);
        std::fs::set_permissions(&settings, mode).expect("changed");
        let mut once = stage::protect(&rules, &["--once"]);
        let done = once.env("XDG_CONFIG_HOME", rules.path.parent().expect("a directory"));
        let done = done.output().expect("it runs");
        let errors = String::from_utf8_lossy(&done.stderr).into_owned();
        outcomes.push((done.status.code(), errors));
    }
    assert_eq!(outcomes[0].0, Some(0), "{outcomes:?}");
    assert_eq!(outcomes[1].0, Some(2), "{outcomes:?}");
    assert!(
        outcomes[1].1.contains("others than root can write"),
        "{outcomes:?}"
    );
}

/// Whether this way to notice starts can be used here.
fn works(way: &str, rules: &RuleFile) -> bool {
    let resident = Resident::start(rules, &["--starts", way]);
    let said = resident.said();
    let works = way == "scan" || !said.contains("are not used") && !said.contains("is not used");
    if !works {
        println!("SKIPPED: starts by {way}: {said}");
    }
    works
}

/// Two storms of so many children: the first before the rules apply, the second after.
fn storm(way: &str, before: usize, after: usize) {
    let name = format!("oomtop-storm-{way}");
    let rules = RuleFile::new(&format!(
        "[[rule]]\ntitle = \"storm\"\ncommand = \"*{name}*\"\nadj = 120\nchildren = 720\n"
    ));
    if !works(way, &rules) {
        return;
    }
    let mut top = supervisor(&name);
    top.order(&before.to_string());
    assert_eq!(top.answer(), "made");
    let resident = Resident::start(&rules, &["--starts", way, "--every", "3600"]);
    assert!(every(&descendants(top.pid()), 720), "from before");
    assert_eq!(adj_of(top.pid()), Some(120));
    top.order(&after.to_string());
    assert_eq!(top.answer(), "made");
    let children = descendants(top.pid());
    assert_eq!(children.len(), before + after);
    assert!(every(&children, 720), "{}", resident.said());
    assert_eq!(adj_of(top.pid()), Some(120));
    let is_short = way == "connector" && !rustix::process::geteuid().is_root();
    if is_short {
        println!("SKIPPED: an orphan by {way}, because an ordinary user's queue is short");
    }
    if way == "scan" || is_short {
        // Whose child an orphan was, is not in the process table.
        return resident.ends();
    }
    // A grandchild whose parent ends at once.
    let mut orphans = Script::start(
        &name,
        "read go; (sh -c 'sleep 1000 & echo $!'); read line; :",
    );
    assert!(every(&[orphans.pid()], 120), "{}", resident.said());
    orphans.order("go");
    let orphan: u32 = orphans.answer().parse().expect("a pid");
    let lost = || resident.said().contains("no room for all starts");
    // An ordinary user has a short queue: who made an orphan is not known where that was lost, and that is said.
    let is_held = until(|| adj_of(orphan) == Some(720) || lost());
    assert!(is_held, "{}", resident.said());
    if lost() {
        println!("SKIPPED: an orphan by {way}: {}", resident.said());
        return resident.ends();
    }
    // All processes are looked at again, and again: it stays in the family. More values by hand would be a fight.
    resident.signal(Signal::HUP);
    resident.says("read again");
    std::fs::write(format!("/proc/{orphan}/oom_score_adj"), "800").expect("higher");
    resident.signal(Signal::HUP);
    assert!(every(&[orphan], 720), "{}", resident.said());
    resident.ends();
}

#[test]
fn tracepoints_give_every_child_of_a_storm_its_value() {
    storm("tracepoints", 20, 100);
}

#[test]
fn the_connector_gives_every_child_of_a_storm_its_value() {
    storm("connector", 20, 100);
}

#[test]
fn a_look_each_second_gives_every_child_of_a_storm_its_value() {
    storm("scan", 10, 30);
}

/// More starts than the kernel has room for while oomtop does not read.
fn overflow(way: &str) {
    let name = format!("oomtop-overflow-{way}");
    let rules = RuleFile::new(&format!(
        "[[rule]]\ncommand = \"*{name}*\"\nchildren = 730\n"
    ));
    if !works(way, &rules) {
        return;
    }
    let mut top = supervisor(&name);
    // A new name is an event as a fork is, and takes as much room, but hardly any time.
    let mut noise = Script::start(
        "oomtop-noise",
        "read go; i=0; while [ $i -lt 16000 ]; do echo n$i; i=$((i+1)); done > /proc/$$/comm; echo made; read line",
    );
    let mut orphans = Script::start(
        &name,
        "read go; (sh -c 'sleep 1000 & echo $!'); read line; :",
    );
    let resident = Resident::start(&rules, &["--starts", way, "--every", "3600"]);
    resident.signal(Signal::STOP);
    // Who made it is told before others are lost.
    orphans.order("go");
    let orphan: u32 = orphans.answer().parse().expect("a pid");
    top.order("20");
    assert_eq!(top.answer(), "made");
    noise.order("go");
    assert_eq!(noise.answer(), "made");
    top.order("20");
    assert_eq!(top.answer(), "made");
    resident.signal(Signal::CONT);
    resident.says("no room for all starts");
    let children = descendants(top.pid());
    assert_eq!(children.len(), 40);
    assert!(every(&children, 730), "{}", resident.said());
    assert!(every(&[orphan], 730), "{}", resident.said());
    resident.ends();
}

#[test]
fn what_the_tracepoints_lose_is_found_again() {
    overflow("tracepoints");
}

#[test]
fn what_the_connector_loses_is_found_again() {
    overflow("connector");
}

/// Children and whole families that start at random moments: how long each has to wait for its value.
#[test]
fn five_hundred_that_start_at_random_have_their_value_at_once() {
    const COUNT: usize = 500;
    let name = "oomtop-at-random";
    let rules = RuleFile::new(&format!(
        "[[rule]]\ncommand = \"*{name}*\"\nadj = 130\nchildren = 740\n"
    ));
    // Every second one is a family: it forks, becomes no program of its own, and forks again.
    let script = "while read count; do i=0; while [ $i -lt $count ]; do \
        sleep 1000 & ( sleep 1000 & wait ) & i=$((i+3)); done; echo made; done";
    let mut top = Script::start(name, script);
    let resident = Resident::start(&rules, &["--every", "3600"]);
    assert!(every(&[top.pid()], 130), "{}", resident.said());
    let mut dice = Dice(0xfa57_1e55);
    let mut waits = Waits::of(top.pid());
    let mut made = 0;
    while made < COUNT {
        let more = 3 + 3 * dice.roll(14);
        top.order(&more.to_string());
        made += more;
        assert_eq!(top.answer(), "made");
        let until = Instant::now() + Duration::from_millis(dice.roll(60) as u64);
        while Instant::now() < until {
            waits.look(740);
        }
    }
    let is_done = until(|| waits.look(740) == made);
    assert!(
        is_done,
        "{} of {made}: {}",
        waits.look(740),
        resident.said()
    );
    measured(&waits.words());
    let own = rustix::process::getpriority_process(None);
    if rustix::process::geteuid().is_root() && own == Ok(0) {
        // It does not wait for its turn behind all of them.
        let nice = resident.nice();
        assert!(nice.iter().all(|nice| *nice < 0), "{nice:?}");
    }
    resident.ends();
}

#[test]
fn a_process_that_sets_its_own_value_again_and_again_is_left_alone() {
    let rules =
        RuleFile::new("[[rule]]\ntitle = \"fought\"\ncommand = \"*oomtop-fighter*\"\nadj = 140\n");
    // Higher: it may always do that.
    let fighter = Script::start(
        "oomtop-fighter",
        "while :; do read now < /proc/$$/oom_score_adj; \
         [ $now = 740 ] || echo 740 > /proc/$$/oom_score_adj; sleep 0.02; done",
    );
    let log = rules.path.with_file_name("audit");
    let log_path = log.to_str().expect("text");
    let resident = Resident::start(&rules, &["--every", "0.1", "--audit", log_path]);
    resident.says("left alone from here on");
    // The lines of the resident name few processes each: the log has all.
    let logged = std::fs::read_to_string(&log).expect("the log");
    let lines = logged.lines();
    let events = lines.filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    let steps = events.filter_map(|event| event["steps"].as_array().cloned());
    let writes = steps
        .flatten()
        .filter(|step| step["pid"] == fighter.pid())
        .count();
    assert!((1..=3).contains(&writes), "{}", resident.said());
    // Others are not: two of them, one after the other, so that it has looked again.
    for _ in 0..2 {
        let other = waiting("oomtop-fighter");
        assert!(every(&[other.pid()], 140));
    }
    assert!(every(&[fighter.pid()], 740));
    assert_eq!(resident.said().matches("left alone").count(), 1);
    resident.ends();
}

#[test]
fn rules_are_read_again_at_sighup_and_bad_ones_are_not_taken() {
    let rule = |adj: i32| format!("[[rule]]\ncommand = \"*oomtop-reloaded*\"\nadj = {adj}\n");
    let rules = RuleFile::new(&rule(150));
    let first = waiting("oomtop-reloaded");
    let resident = Resident::start(&rules, &[]);
    assert!(every(&[first.pid()], 150));
    rules.write("[[rule]]\ncommand = \"*oomtop-reloaded*\"\nadj = 15O\n");
    resident.signal(Signal::HUP);
    resident.says("the rules from before stay in force");
    assert!(
        resident.said().contains("rules.toml:3"),
        "{}",
        resident.said()
    );
    let second = waiting("oomtop-reloaded");
    assert!(every(&[first.pid(), second.pid()], 150));
    rules.write(&rule(160));
    resident.signal(Signal::HUP);
    resident.says("read again: 1 rule in force");
    assert!(every(&[first.pid(), second.pid()], 160));
    resident.ends();
}

/// A start time counts in ticks of 10 ms: whoever has the pid within the same tick looks like the old process.
#[test]
fn whoever_gets_the_pid_of_a_process_that_a_rule_matched_is_left_alone() {
    const TRIES: usize = 40;
    let name = "oomtop-reused-pid";
    let rules = RuleFile::new(&format!("[[rule]]\ncommand = \"*{name}*\"\nadj = 760\n"));
    let resident = Resident::start(&rules, &[]);
    let (mut reused, mut strangers) = (0, Vec::new());
    for round in 1..=TRIES {
        let pid = waiting(name).pid();
        if let Some(stranger) = with_pid(pid) {
            reused += 1;
            strangers.push(Ends(stranger));
        }
        if round % 20 == 0 {
            // Events come in order: with this one all before it were looked at.
            let last = waiting(name);
            assert!(every(&[last.pid()], 760), "{}", resident.said());
            let own = adj_of(std::process::id());
            for stranger in strangers.drain(..) {
                assert_eq!(adj_of(stranger.0.id()), own, "{}", resident.said());
            }
        }
    }
    if reused == 0 {
        println!("SKIPPED: reused pids, because this test may not choose pids");
    }
    resident.ends();
}
