//! The details name the rule that holds a process.

use std::sync::Arc;

use oomtop::app::msg::Msg;
use oomtop::model::process::score::OomScoreAdj;
use oomtop::model::rules::held::HeldBy;
use oomtop::model::snapshot::Detail;

use crate::common::scene::{Scene, id, processes, snapshot};

const JAVA: u32 = 1892;

fn details(rule: Option<HeldBy>, adj: Option<OomScoreAdj>) -> String {
    let mut scene = Scene::new(160, 50);
    let mut rows = processes();
    for row in rows.iter_mut().filter(|row| row.id == id(JAVA)) {
        row.adj = adj;
    }
    let mut sample = snapshot(9, rows);
    sample.detail = Some(Detail {
        id: id(JAVA),
        rule,
        ..Detail::default()
    });
    scene.keys("/ p i d : 1 8 9 2 Enter Home");
    scene.tell(Msg::Sampled(Arc::new(sample)));
    scene.keys("Enter");
    let text = scene.text().replace('│', " ");
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn the_rule_its_place_and_whether_it_is_in_force() {
    let value = OomScoreAdj::new(300);
    let held = HeldBy {
        rule: "CI".to_owned(),
        origin: "/etc/oomtop/rules.toml:9".to_owned(),
        supervisor: Some(77),
        value,
    };
    let there = details(Some(held.clone()), value);
    let line = "rule CI (/etc/oomtop/rules.toml:9), as a descendant of 77: gives 300";
    assert!(there.contains(line), "{there}");
    assert!(!there.contains("does not have"));
    let missing = details(Some(held.clone()), OomScoreAdj::new(0));
    let line = "gives 300, which it does not have; oomtop protect writes it";
    assert!(missing.contains(line), "{missing}");
    let about_children = HeldBy {
        value: None,
        supervisor: None,
        ..held
    };
    let left = details(Some(about_children), value);
    assert!(left.contains("rules.toml:9): leaves it as it is"), "{left}");
    assert!(!details(None, value).contains("rules.toml"));
}
