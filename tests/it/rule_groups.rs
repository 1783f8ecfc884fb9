//! Rules with a group: who is not in it and which limit it does not have, in the rules view and in the details.

use std::sync::Arc;

use crate::common::scene::{Scene, id, processes, snapshot};
use oomtop::app::msg::Msg;
use oomtop::model::cgroup::CgroupPath;
use oomtop::model::cgroup::limits::{LimitFile, LimitValue};
use oomtop::model::process::score::OomScoreAdj;
use oomtop::model::rules::book::{RuleBook, Standing};
use oomtop::model::rules::condition::{Condition, Fact};
use oomtop::model::rules::held::HeldBy;
use oomtop::model::rules::kept::{LimitDrift, Stray};
use oomtop::model::rules::rule_group::RuleGroup;
use oomtop::model::rules::{Origin, Rule, Rules};
use oomtop::model::snapshot::Detail;

const JAVA: u32 = 1892;

fn rule() -> Rule {
    Rule {
        title: "batch".to_owned(),
        origin: Origin {
            file: "/etc/oomtop/rules.toml".to_owned(),
            line: 3,
        },
        conditions: vec![Condition {
            fact: Fact::Name,
            any: vec![Fact::Name.pattern("java").expect("a pattern")],
        }],
        rule_group: Some(RuleGroup {
            group: CgroupPath::new("/batch"),
            max: Some(2 << 30),
            high: None,
        }),
        ..Rule::default()
    }
}

fn book(has: LimitValue) -> RuleBook {
    RuleBook {
        rules: Arc::new(Rules::new(vec![rule()])),
        standings: vec![Standing {
            holds: 2,
            held: vec![id(JAVA), id(7)],
            stray_count: 1,
            strays: vec![Stray {
                id: id(JAVA),
                at: CgroupPath::new("/docker/x"),
            }],
            adrift: 1,
            limits: vec![LimitDrift {
                group: CgroupPath::new("/batch"),
                file: LimitFile::Max,
                wanted: 2 << 30,
                has,
            }],
            ..Standing::default()
        }],
        ..RuleBook::default()
    }
}

fn flat(scene: &Scene) -> String {
    let text = scene.text().replace('│', " ");
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn the_rules_view_names_who_is_elsewhere_and_the_limit_that_is_not_held_with_both_values() {
    for (has, words) in [
        (
            LimitValue::Unlimited,
            "is no limit, not 2G; oomtop protect lowers no limit of a group that is there: c does",
        ),
        (
            LimitValue::Amount(1 << 30),
            "is 1G, not 2G; oomtop protect raises it",
        ),
    ] {
        let mut scene = Scene::new(120, 40);
        scene.keys("R").tell(Msg::Rules(Arc::new(book(has))));
        let text = flat(&scene);
        assert!(
            text.contains("keeps them in /batch (memory_max 2G)"),
            "{text}"
        );
        let stray = format!("1 of them is not in /batch: {JAVA} java is in /docker/x");
        assert!(text.contains(&stray), "{text}");
        assert!(
            text.contains(&format!("--why {JAVA} tells why one stays")),
            "{text}"
        );
        assert!(text.contains(words), "{text}");
    }
}

#[test]
fn the_details_say_where_the_rule_wants_a_process() {
    let mut scene = Scene::new(120, 50);
    scene.tell(Msg::Rules(Arc::new(book(LimitValue::Unlimited))));
    let mut sample = snapshot(9, processes());
    sample.detail = Some(Detail {
        id: id(JAVA),
        rule: Some(HeldBy {
            rule: "batch".to_owned(),
            origin: "/etc/oomtop/rules.toml:3".to_owned(),
            supervisor: None,
            value: OomScoreAdj::new(0),
        }),
        ..Detail::default()
    });
    scene.keys("/ p i d : 1 8 9 2 Enter Home");
    scene.tell(Msg::Sampled(Arc::new(sample)));
    scene.keys("Enter");
    let text = flat(&scene);
    assert!(
        text.contains(": wants it in /batch (memory_max 2G), and it is in "),
        "{text}"
    );
    assert!(
        text.contains(&format!("oomtop protect --why {JAVA} tells why it stays")),
        "{text}"
    );
}
