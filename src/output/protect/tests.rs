//! The words of `oomtop protect`.

use super::{Outcome, check, lines, no_rules, notes, why};
use crate::model::plan::receipt::{Failure, FailureKind};
use crate::model::process::ProcessId;
use crate::model::process::score::OomScoreAdj;
use crate::model::rules::census::Census;
use crate::model::rules::change::changes;
use crate::model::rules::condition::{Condition, Fact};
use crate::model::rules::subject::Subject;
use crate::model::rules::{Origin, Rule, Rules, why as model};

fn rule(title: &str, line: usize, name: &str, own: i64, children: Option<i64>) -> Rule {
    Rule {
        title: title.to_owned(),
        origin: Origin {
            file: "/etc/oomtop/rules.toml".to_owned(),
            line,
        },
        conditions: vec![Condition {
            fact: Fact::Name,
            any: vec![Fact::Name.pattern(name).expect("a pattern")],
        }],
        own: OomScoreAdj::new(own),
        children: children.and_then(OomScoreAdj::new),
        rule_group: None,
    }
}

fn process(pid: u32, parent: u32, name: &str, adj: i64) -> Subject {
    Subject {
        id: ProcessId {
            pid,
            start_ticks: 5,
        },
        ppid: parent,
        comm: name.into(),
        adj: OomScoreAdj::new(adj),
        ..Subject::default()
    }
}

fn census() -> Census {
    let mut census = Census::new(Rules::new(vec![
        rule("editors", 2, "vi*", -100, None),
        rule("agent", 6, "agent", -500, Some(300)),
        rule("database", 11, "postgres", -400, None),
    ]));
    census.replace(vec![
        process(100, 1, "agent", 0),
        process(101, 100, "evil\n\u{1b}[2J", -500),
        process(102, 101, "vim", -100),
        process(200, 1, "postgres", -400),
        process(300, 1, "sleep", 0),
    ]);
    census
}

#[test]
fn the_table_of_what_would_change() {
    let census = census();
    assert_eq!(
        check(&census),
        "    PID  NAME               NOW   THEN  RULE
    100  agent                0   -500  agent (/etc/oomtop/rules.toml:6)
    101  evil\u{fffd}\u{fffd}[2J         -500    300  agent (/etc/oomtop/rules.toml:6), as a descendant of 100
2 processes would change, 2 processes have what their rule gives. Nothing was written.
"
    );
    let mut calm = Census::new(census.rules().clone());
    calm.replace(vec![process(200, 1, "postgres", -400)]);
    assert_eq!(
        check(&calm),
        "Nothing would change: 1 process has what its rule gives.
No process is held by rule editors (/etc/oomtop/rules.toml:2).
No process is held by rule agent (/etc/oomtop/rules.toml:6).
"
    );
    assert_eq!(
        no_rules(&["/etc/a".to_owned(), "/b".to_owned()]),
        "there are no rules; oomtop has looked in /etc/a, /b"
    );
}

#[test]
fn the_answer_names_the_rule_that_holds_and_what_the_others_lack() {
    let census = census();
    let name = |id: ProcessId| census.subject(id.pid).map(|subject| subject.comm);
    let answer = |pid| {
        let answer = model::why(&census, pid).expect("known");
        why(&answer, census.rules(), name)
    };
    assert_eq!(
        answer(102),
        "102 vim: oom_score_adj -100
Held by editors (/etc/oomtop/rules.toml:2).
It has what the rule gives: -100.
  does not match  database (/etc/oomtop/rules.toml:11): its name is vim
  loses           agent (/etc/oomtop/rules.toml:6): it reaches this process as a descendant of 100 agent, and editors (/etc/oomtop/rules.toml:2) matches the process itself
"
    );
    let child = answer(101);
    assert!(
        child.contains("Held by agent (/etc/oomtop/rules.toml:6), as a descendant of 100 agent.")
    );
    assert!(child.contains("The rule gives 300."));
    assert!(!child.contains('\u{1b}'));
    assert!(answer(300).contains("Held by no rule."));
    assert!(answer(300).contains("only an oomtop protect knows that ran then"));
}

#[test]
fn rules_that_let_anybody_protect_a_process_are_named() {
    let by_user = || Condition {
        fact: Fact::User,
        any: vec![Fact::User.pattern("root").expect("a pattern")],
    };
    let mut bound = rule("bound", 4, "sshd", -900, None);
    bound.conditions.push(by_user());
    let rules = Rules::new(vec![
        rule("open", 1, "sshd", -900, None),
        bound,
        rule("raises", 7, "make", 300, None),
        rule("children", 9, "make", 300, Some(-1)),
    ]);
    let named = notes(&rules);
    assert_eq!(named.len(), 2, "{named:?}");
    assert!(named[0].starts_with("rule open (/etc/oomtop/rules.toml:1): any user can"));
    assert!(named[1].starts_with("rule children"));
}

#[test]
fn a_crowd_is_one_line_and_failures_say_why() {
    let census = census();
    let all = changes(&census);
    let child = all[1];
    let crowd = (0..50).map(|pid| crate::model::rules::change::Change {
        id: ProcessId {
            pid: 1000 + pid,
            start_ticks: 1,
        },
        comm: "make".into(),
        ..child
    });
    let outcome = Outcome {
        done: crowd.collect(),
        failed: vec![(
            all[0],
            Failure {
                kind: FailureKind::Denied,
                sentence: "No permission.".to_owned(),
            },
        )],
        given_up: vec![child],
        refused: None,
        ..Outcome::default()
    };
    assert_eq!(
        lines(&outcome, census.rules()),
        [
            "oom_score_adj 300: 1000 make (was -500), 1001 make (was -500), 1002 make (was -500), 1003 make (was -500), 1004 make (was -500), 1005 make (was -500) and 44 more; rule agent (/etc/oomtop/rules.toml:6)",
            "not written: 100 agent; rule agent (/etc/oomtop/rules.toml:6): No permission.",
            "allowed without: a rule that raises your own processes, such as children = \"sacrifice\", so that they die before the others; for a process that runs already: echo 500 > /proc/PID/oom_score_adj",
            "left alone from here on: 101 evil\u{fffd}\u{fffd}[2J: somebody sets its oom_score_adj to -500 again and again, and rule agent (/etc/oomtop/rules.toml:6) to 300",
        ]
    );
}
