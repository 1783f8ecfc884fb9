//! Tests of the book of rules.

use super::{Found, LimitDrift, OwnFile, Resident, RuleGroup, survey};
use crate::model::cgroup::CgroupPath;
use crate::model::cgroup::limits::{LimitFile, LimitValue};
use crate::model::process::ProcessId;
use crate::model::process::score::OomScoreAdj;
use crate::model::rules::condition::{Condition, Fact};
use crate::model::rules::draft::Wish;
use crate::model::rules::subject::Subject;
use crate::model::rules::{Rule, RuleId, Rules};

fn rule(fact: Fact, pattern: &str, own: i64, children: Option<i64>) -> Rule {
    Rule {
        conditions: vec![Condition {
            fact,
            any: vec![fact.pattern(pattern).expect("a pattern")],
        }],
        own: OomScoreAdj::new(own),
        children: children.and_then(OomScoreAdj::new),
        ..Rule::default()
    }
}

fn id(pid: u32) -> ProcessId {
    ProcessId {
        pid,
        start_ticks: 1,
    }
}

fn subject(pid: u32, parent: u32, comm: &str, line: &str) -> Subject {
    Subject {
        id: id(pid),
        ppid: parent,
        comm: comm.into(),
        uid: Some(7),
        command: Some(line.to_owned()),
        adj: Some(OomScoreAdj::ZERO),
        ..Subject::default()
    }
}

#[test]
fn whom_rules_hold_whom_they_lose_and_what_a_new_one_would_do() {
    let found = Found {
        rules: Rules::new(vec![
            rule(Fact::Name, "ma*", 0, None),
            rule(Fact::Name, "runner", 2, Some(300)),
            rule(Fact::Name, "m*e", 3, None),
        ]),
        own: OwnFile {
            before: 2,
            ..OwnFile::default()
        },
        ..Found::default()
    };
    let subjects = vec![
        subject(1, 0, "init", "init"),
        subject(7, 1, "runner", "runner"),
        subject(8, 7, "make", "make all"),
        subject(9, 7, "cc", "cc x.c"),
        subject(10, 1, "map", "map"),
        subject(11, 1, "oomtop", "/usr/bin/oomtop protect --every 5"),
        subject(12, 1, "oomtop", "oomtop protect --rules x"),
        subject(13, 1, "oomtop", "oomtop protect --once"),
        subject(14, 1, "oomtop", "oomtop"),
    ];
    let none = |_: &RuleGroup| Vec::new();
    let wish = |pid| Wish {
        target: id(pid),
        value: OomScoreAdj::MAX,
    };
    let book = survey(found.clone(), subjects.clone(), Some(wish(8)), none);
    let holds: Vec<_> = book.standings.iter().map(|one| one.holds).collect();
    assert_eq!(holds, [1, 2, 1]);
    assert_eq!(book.standings[1].held, [id(7), id(9)]);
    assert_eq!(book.standings[0].lost, [(RuleId(2), 1)]);
    let missing: Vec<_> = book.standings.iter().map(|one| one.missing).collect();
    assert_eq!(missing, [0, 2, 1]);
    let resident = |pid, is_usual| Resident {
        id: id(pid),
        uid: Some(7),
        is_usual,
    };
    assert_eq!(book.residents, [resident(11, true), resident(12, false)]);
    // A later rule holds it all the same.
    let first = book.offers.first().expect("an offer");
    assert_eq!((first.loses_to, first.holds), (Some(RuleId(2)), 0));
    let book = survey(found.clone(), subjects.clone(), Some(wish(11)), none);
    let first = book.offers.first().expect("an offer");
    assert_eq!(first.draft.words(), "name oomtop, user 7");
    assert_eq!((first.loses_to, first.holds), (None, 4));
    assert!(
        survey(found, subjects, Some(wish(99)), none)
            .offers
            .is_empty()
    );
}
#[test]
fn who_is_not_in_the_group_of_its_rule_is_adrift_once_and_a_limit_that_is_not_held_is_told() {
    let group = RuleGroup {
        group: CgroupPath::new("/batch"),
        max: Some(1 << 30),
        high: None,
    };
    let idle = Rule {
        rule_group: Some(group.clone()),
        ..rule(Fact::Name, "nobody", 1, None)
    };
    let found = Found {
        rules: Rules::new(vec![
            Rule {
                rule_group: Some(group),
                ..rule(Fact::Name, "job", 5, None)
            },
            idle,
        ]),
        ..Found::default()
    };
    let at = |pid, path: &str, adj| Subject {
        cgroup: Some(CgroupPath::new(path)),
        adj: OomScoreAdj::new(adj),
        ..subject(pid, 1, "job", "job")
    };
    let subjects = vec![
        at(20, "/", 0),
        at(21, "/a", 5),
        at(22, "/batch", 0),
        at(23, "/batch/inner", 5),
    ];
    let drift = |group: &RuleGroup| {
        vec![LimitDrift {
            group: group.group.clone(),
            file: LimitFile::Max,
            wanted: 1 << 30,
            has: LimitValue::Unlimited,
        }]
    };
    let book = survey(found, subjects, None, drift);
    let [job, idle] = book.standings.as_slice() else {
        panic!("{book:?}");
    };
    assert_eq!((job.holds, job.missing, job.adrift), (4, 2, 3));
    assert_eq!(job.strays.last().map(|one| one.id.pid), Some(21));
    assert_eq!((job.limits.len(), idle.limits.len()), (1, 0));
}
