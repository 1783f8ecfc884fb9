//! Families of processes on paper.

use super::{Census, Holding};
use crate::model::process::score::OomScoreAdj;
use crate::model::process::{Pid, ProcessId};
use crate::model::rules::condition::{Condition, Fact};
use crate::model::rules::subject::{Exempt, Subject};
use crate::model::rules::{Rule, RuleId, Rules};

fn adj(value: i64) -> OomScoreAdj {
    OomScoreAdj::new(value).expect("in range")
}

/// A rule on a name: its own value and that of the children, 0 for none.
fn rule(name: &str, own: i64, children: i64) -> Rule {
    let some = |value: i64| (value != 0).then(|| adj(value));
    Rule {
        title: name.to_owned(),
        conditions: vec![Condition {
            fact: Fact::Name,
            any: vec![Fact::Name.pattern(name).expect("a pattern")],
        }],
        own: some(own),
        children: some(children),
        ..Rule::default()
    }
}

fn process(pid: Pid, parent: Pid, name: &str) -> Subject {
    Subject {
        id: ProcessId {
            pid,
            start_ticks: u64::from(pid) * 10,
        },
        ppid: parent,
        comm: name.into(),
        adj: Some(OomScoreAdj::ZERO),
        ..Subject::default()
    }
}

fn init() -> Subject {
    let mut init = process(1, 0, "systemd");
    init.exempt = Some(Exempt::Init);
    init
}

/// An agent with a shell and what that started, a database that forks workers, and a bystander.
fn family() -> Vec<Subject> {
    vec![
        init(),
        process(10, 1, "agent"),
        process(11, 10, "sh"),
        process(12, 11, "cc1"),
        process(20, 1, "postgres"),
        process(21, 20, "postgres"),
        process(30, 1, "sleep"),
    ]
}

fn rules() -> Rules {
    Rules::new(vec![rule("agent", -500, 300), rule("postgres", -400, 50)])
}

fn value(census: &Census, pid: Pid) -> Option<i16> {
    census
        .holding(pid)
        .and_then(|holding| holding.value)
        .map(OomScoreAdj::get)
}

fn census() -> Census {
    let mut census = Census::new(rules());
    census.replace(family());
    census
}

#[test]
fn a_supervisor_is_kept_and_all_below_it_are_sacrificed() {
    let census = census();
    let values: Vec<_> = [10, 11, 12, 20, 21, 30]
        .into_iter()
        .map(|pid| value(&census, pid))
        .collect();
    let expected = [Some(-500), Some(300), Some(300), Some(-400), Some(50), None];
    assert_eq!(values, expected);
    let compiler = census.holding(12).expect("held");
    assert_eq!(compiler.descends.map(|id| id.pid), Some(10));
}

#[test]
fn the_last_rule_wins_and_a_match_of_its_own_comes_before_a_parents() {
    let mut all: Vec<Rule> = rules().iter().map(|(_, rule)| rule.clone()).collect();
    all.insert(0, rule("cc1", -100, 0));
    all.push(rule("ag*", 7, 0));
    let mut census = Census::new(Rules::new(all));
    census.replace(family());
    // The later rule has no children: the agent leads nobody.
    assert_eq!(value(&census, 10), Some(7));
    assert_eq!(value(&census, 11), None);
    assert_eq!(value(&census, 12), Some(-100));
}

#[test]
fn the_nearest_supervisor_counts() {
    let mut census = Census::new(Rules::new(vec![
        rule("agent", -500, 300),
        rule("sh", -10, 900),
    ]));
    census.replace(family());
    assert_eq!(value(&census, 11), Some(-10));
    assert_eq!(value(&census, 12), Some(900));
}

#[test]
fn the_first_process_and_kernel_threads_are_not_held() {
    let mut census = Census::new(Rules::new(vec![rule("*", 5, 0)]));
    census.replace(vec![init(), process(2, 1, "x")]);
    assert_eq!((value(&census, 1), value(&census, 2)), (None, Some(5)));
}

#[test]
fn a_child_that_looks_like_its_supervisor_before_its_exec_is_a_child() {
    let mut census = census();
    census.forked(10, 40);
    assert!(census.holding(40).is_none(), "nobody has looked at it");
    census.take(process(40, 10, "agent"));
    assert_eq!(value(&census, 40), Some(300));
    census.take(process(40, 10, "make"));
    assert_eq!(value(&census, 40), Some(300));
}

#[test]
fn orphans_stay_in_the_family() {
    let mut census = census();
    // A double fork: the one in between was never seen, and has ended when the grandchild is looked at.
    census.forked(10, 50);
    census.forked(50, 51);
    census.forget(50);
    census.take(process(51, 1, "daemon"));
    assert_eq!(value(&census, 51), Some(300));
    // One that had been seen with its parent.
    census.take(process(12, 1, "cc1"));
    assert_eq!(value(&census, 12), Some(300));
    let mut later = family();
    later.retain(|subject| subject.id.pid != 11);
    later[2].ppid = 1;
    later.push(process(51, 1, "daemon"));
    for _ in 0..3 {
        census.replace(later.clone());
        assert_eq!(value(&census, 12), Some(300));
        assert_eq!(value(&census, 51), Some(300));
        census.take(process(12, 1, "cc1"));
        assert_eq!(value(&census, 12), Some(300));
    }
    // What it makes is in the family too.
    census.take(process(61, 51, "helper"));
    assert_eq!(value(&census, 61), Some(300));
    // Also without their supervisor.
    later.retain(|subject| subject.id.pid != 10);
    census.replace(later);
    assert_eq!(value(&census, 51), Some(300));
    // Another process with that pid is nobody's.
    let mut other = process(51, 1, "daemon");
    other.id.start_ticks += 1;
    census.take(other);
    assert_eq!(value(&census, 51), None);
}

#[test]
fn a_look_at_all_processes_forgets_no_parent_of_children_that_are_told_later() {
    let mut census = census();
    census.forked(10, 50);
    census.take(process(60, 10, "sh"));
    // Both have ended, and what they did comes late.
    census.replace(family());
    assert!(census.subject(60).is_none() && census.holding(60).is_none());
    for (parent, child) in [(50, 51), (60, 61)] {
        census.forked(parent, child);
        census.take(process(child, 1, "daemon"));
        assert_eq!(value(&census, child), Some(300), "{child}");
    }
    // Another process with such a pid is nobody's.
    let mut other = process(60, 1, "sh");
    other.id.start_ticks += 1;
    census.take(other);
    assert_eq!(value(&census, 60), None);
    // Not for ever.
    census.replace(family());
    census.forked(50, 52);
    census.take(process(52, 1, "daemon"));
    assert_eq!(value(&census, 52), None);
}

#[test]
fn children_from_before_the_rule_applied_are_caught_and_let_go() {
    let mut census = Census::new(rules());
    let mut before = family();
    before[1].comm = "starting".into();
    census.replace(before);
    assert_eq!(value(&census, 12), None);
    let mut touched = census.take(process(10, 1, "agent"));
    touched.sort_unstable();
    assert_eq!(touched, [10, 11, 12]);
    assert_eq!(value(&census, 12), Some(300));
    // An orphan and a child: both are let go when the process is no supervisor any more.
    census.take(process(12, 1, "cc1"));
    let mut touched = census.take(process(10, 1, "other"));
    touched.sort_unstable();
    assert_eq!(touched, [10, 11, 12]);
    assert_eq!((value(&census, 11), value(&census, 12)), (None, None));
}

#[test]
fn other_rules_keep_the_families_of_rules_that_stay() {
    let mut census = census();
    census.take(process(12, 1, "cc1"));
    census.change_rules(Rules::new(vec![
        rule("sleep", 3, 0),
        rule("agent", -500, 300),
    ]));
    let mut now = family();
    now[3].ppid = 1;
    census.replace(now.clone());
    assert_eq!(value(&census, 12), Some(300), "the orphan too");
    assert_eq!((value(&census, 21), value(&census, 30)), (None, Some(3)));
    census.change_rules(Rules::new(vec![rule("agent", -500, 200)]));
    census.replace(now.clone());
    assert_eq!(value(&census, 11), Some(200), "by its parent");
    assert_eq!(value(&census, 12), Some(200), "the orphan too");
    census.change_rules(Rules::new(vec![rule("agen?", -500, 200)]));
    census.replace(now);
    assert_eq!(value(&census, 11), Some(200), "by its parent");
    assert_eq!(value(&census, 12), None, "the rule of its family is gone");
}

#[test]
fn children_of_a_process_that_has_ended_are_not_those_of_the_next_with_its_pid() {
    let mut census = census();
    census.forked(1, 70);
    census.take(process(70, 1, "sh"));
    census.take(process(71, 70, "make"));
    census.forked(1, 70);
    let mut other = process(70, 1, "agent");
    other.id.start_ticks += 1;
    census.take(other);
    assert_eq!(value(&census, 70), Some(-500));
    assert!(census.holding(71).is_none());
}

#[test]
fn an_announced_child_that_nobody_could_look_at_gives_its_family_to_its_children_alone() {
    let mut census = census();
    census.forked(10, 80);
    census.ended(80);
    census.forked(80, 81);
    census.take(process(81, 1, "daemon"));
    assert_eq!(value(&census, 81), Some(300));
    // Its start was not told.
    census.take(process(80, 1, "stranger"));
    assert!(census.holding(80).is_none());
    census.forked(10, 82);
    census.replace(family());
    census.take(process(82, 1, "stranger"));
    assert!(census.holding(82).is_none());
}

#[test]
fn a_supervisor_that_becomes_a_daemon_stays_one() {
    let mut census = census();
    census.forked(10, 90);
    census.take(process(90, 10, "agent"));
    census.take(process(91, 90, "sh"));
    assert_eq!(value(&census, 90), Some(300));
    let mut all = family();
    all.extend([process(90, 1, "agent"), process(91, 90, "sh")]);
    for _ in 0..2 {
        census.take(process(90, 1, "agent"));
        assert_eq!(
            (value(&census, 90), value(&census, 91)),
            (Some(-500), Some(300))
        );
        let server = census.holding(91).and_then(|holding| holding.descends);
        assert_eq!(server.map(|id| id.pid), Some(90));
        census.replace(all.clone());
    }
    // Two forks before an exec: it was none.
    census.take(process(90, 1, "make"));
    assert_eq!(
        (value(&census, 90), value(&census, 91)),
        (Some(300), Some(300))
    );
}

#[test]
fn a_worker_that_its_supervisor_adopts_is_a_worker() {
    let mut census = census();
    census.forked(20, 95);
    census.forked(95, 96);
    census.ended(95);
    for _ in 0..2 {
        census.take(process(96, 20, "postgres"));
        assert_eq!(value(&census, 96), Some(50));
    }
}

#[test]
fn a_command_line_that_cannot_be_read_now_is_what_it_was() {
    let by_command = Rule {
        conditions: vec![Condition {
            fact: Fact::Command,
            any: vec![Fact::Command.pattern("java *").expect("a pattern")],
        }],
        own: Some(adj(9)),
        ..Rule::default()
    };
    let mut census = Census::new(Rules::new(vec![by_command]));
    let known = Subject {
        command: Some("java -jar x".to_owned()),
        ..process(5, 1, "java")
    };
    census.take(known);
    census.take(process(5, 1, "java"));
    assert_eq!(value(&census, 5), Some(9));
    census.replace(vec![process(5, 1, "java")]);
    assert_eq!(value(&census, 5), Some(9));
    census.take(process(5, 1, "another"));
    assert_eq!(value(&census, 5), None);
}

#[test]
fn a_circle_of_parents_ends() {
    let mut census = Census::new(rules());
    census.replace(vec![process(5, 6, "a"), process(6, 5, "agent")]);
    census.take(process(6, 6, "agent"));
    assert!(census.holding(6).is_some());
}

proptest::proptest! {
    /// However it came to know them: by one look, or by forks and looks one at a time in any order after their parents.
    #[test]
    fn events_and_one_look_agree(parents in proptest::collection::vec((0_usize..30, 0_usize..5), 1..30)) {
        let names = ["agent", "sh", "postgres", "sleep", "make"];
        let made = parents
            .iter()
            .enumerate()
            .map(|(at, (parent, name))| {
                let pid = Pid::try_from(at + 2).expect("small");
                let parent = Pid::try_from(parent % (at + 1) + 1).expect("small");
                process(pid, parent, names[*name])
            });
        let all: Vec<Subject> = std::iter::once(init()).chain(made).collect();
        let mut looked = Census::new(rules());
        looked.replace(all.clone());
        let mut told = Census::new(rules());
        for subject in &all {
            told.forked(subject.ppid, subject.id.pid);
            // At first it looks as its parent does.
            let mut young = subject.clone();
            young.comm = told.subject(subject.ppid).map_or("x".into(), |parent| parent.comm);
            told.take(young);
        }
        // Children before parents: what a parent becomes is handed down.
        for subject in all.iter().rev() {
            told.take(subject.clone());
        }
        // Nobody told anything, and children come before their parents.
        let mut seen = Census::new(rules());
        for subject in all.iter().rev() {
            seen.take(subject.clone());
        }
        for subject in &all {
            let pid = subject.id.pid;
            let one: Option<Holding> = looked.holding(pid);
            proptest::prop_assert_eq!(one, told.holding(pid), "told {}", pid);
            proptest::prop_assert_eq!(one, seen.holding(pid), "seen {}", pid);
            if let Some(holding) = one {
                proptest::prop_assert!(holding.rule < RuleId(2));
            }
        }
    }
}
