//! The JSON document: its units, and what null means.

#![expect(clippy::expect_used, reason = "helpers of tests fail the test")]

use std::sync::Arc;
use std::time::Duration;

use crate::common::scene::{MIB, Scene, host};
use crate::common::shop;
use oomtop::model::killers::{
    Act, Amount, Base, Choice, Killer, Rule, RunningKiller, Share, Trigger,
};
use oomtop::model::process::ProcessId;
use oomtop::output::json::document;
use serde_json::{Value, json};

/// The shop's last sample as a document, after `change`.
fn shop_document(change: impl FnOnce(&mut oomtop::model::snapshot::Snapshot)) -> Value {
    let mut scene: Scene = shop::scene(80, 24);
    change(Arc::make_mut(&mut scene.state.snapshot));
    let (state, host) = (&scene.state, host());
    let document = document(
        &state.snapshot,
        &host,
        &state.marks,
        &state.events,
        &state.settings.thresholds,
    );
    serde_json::to_value(document).expect("a document")
}

fn domain<'a>(document: &'a Value, path: &str) -> &'a Value {
    let all = document["domains"].as_array().expect("domains");
    let own = all.iter().find(|domain| domain["cgroup"] == path);
    own.expect("the domain")
}

#[test]
fn pressure_is_percent_of_the_host_and_of_a_group() {
    let document = shop_document(|_| {});
    let host = document["gauge"]["pressure"]["full"]["avg10"].as_f64();
    assert!((host.expect("PSI") - 0.4).abs() < 1e-6);
    let pod = domain(&document, shop::POD);
    assert_eq!(
        pod["pressure"],
        json!({"some": {"avg10": 42.1}, "full": {"avg10": 17.3}})
    );
}

#[test]
fn shares_of_killers_are_percent_and_their_spans_microseconds() {
    let document = shop_document(|snapshot| {
        let rule = |when| Rule {
            when,
            act: Act::Kill,
        };
        let mut killer = RunningKiller::unread(Killer::Nohang, ProcessId::default(), "");
        killer.choice = Choice::HighestScore;
        killer.rules = vec![
            rule(Trigger::Low {
                memory: Amount::Share(Share::percent(10)),
                swap: Amount::Lower(Share(50), MIB),
                needs_swap: false,
                base: Base::Unknown,
            }),
            rule(Trigger::Pressure {
                group: None,
                measure: "full avg10",
                limit: Share(6_050),
                lasting: Duration::from_millis(1_500),
                memory: None,
                needs_swap: false,
            }),
        ];
        snapshot.killers = Arc::new(vec![killer]);
    });
    let rules = &document["killers"][0]["rules"];
    let low = &rules[0]["when"]["low"];
    assert_eq!(low["memory"], json!({"percent": 10.0}));
    assert_eq!(low["memory_base"], json!("unknown"));
    assert_eq!(
        low["swap"],
        json!({"lower_of_percent_and_bytes": [0.5, MIB]})
    );
    assert_eq!(
        rules[1]["when"]["pressure"],
        json!({"group": null, "measure": "full avg10", "limit": 60.5, "lasting_micros": 1_500_000, "memory": null, "needs_swap": false})
    );
}

#[test]
fn a_soft_limit_is_no_throttle() {
    let document = shop_document(|snapshot| {
        let groups = Arc::make_mut(&mut snapshot.cgroups);
        groups[5].limits.soft = Some(30 * MIB);
    });
    let limits = &domain(&document, "/frozen")["limits"];
    assert_eq!(
        (&limits["soft"], &limits["high"]),
        (&json!(30 * MIB), &Value::Null)
    );
}

#[test]
fn what_is_read_twice_is_told_once_and_no_kernel_pointer_gets_out() {
    let secret = 0xffff_8881_0a5a_5000_u64;
    let document = shop_document(|snapshot| {
        for process in &mut snapshot.processes {
            process.address_space = std::num::NonZeroU64::new(secret);
        }
    });
    assert_eq!(document["settings"]["swappiness"], 60);
    assert_eq!(document["gauge"]["memory"].get("swappiness"), None);
    let text = document.to_string();
    assert!(!text.contains(&secret.to_string()) && !text.contains("address_space"));
    // The whole pod dies with the victim.
    let along = &domain(&document, shop::POD)["dies_along"];
    assert!(along.as_array().is_some_and(|along| !along.is_empty()));
}

/// The README lists what a reader of the document meets first.
#[test]
fn the_manual_lists_the_top_of_the_document() {
    let manual = include_str!("../../assets/manual.md");
    let document = shop_document(|_| {});
    for field in document.as_object().expect("an object").keys() {
        let row = format!("| `{field}` |");
        assert!(
            manual.contains(&row),
            "assets/manual.md lacks the row {row}"
        );
    }
}
