//! Ranking, and names of hosts.

use std::borrow::Cow;

use super::answer::Series;
use super::ask::Ask;
use super::{Depth, Fleet, Health, host_of};

fn series(value: f64, labels: &[(&'static str, &str)]) -> Series<'static> {
    let own = labels
        .iter()
        .map(|(name, value)| (Cow::Borrowed(*name), Cow::Owned((*value).to_owned())));
    Series {
        labels: own.collect(),
        value,
    }
}

#[test]
fn hosts_are_ranked_by_what_is_nearest() {
    let mut fleet = Fleet::default();
    let at = |name: &str| format!("{name}:9469");
    for name in ["calm", "soon", "later", "down", "old"] {
        let up = if name == "down" { 0.0 } else { 1.0 };
        fleet.take(Ask::Up, &[series(up, &[("instance", &at(name))])]);
        let seen = match name {
            "down" => 300.0,
            "old" => 600.0,
            _ => 1.0,
        };
        fleet.take(Ask::Seen, &[series(seen, &[("instance", &at(name))])]);
    }
    for (name, left) in [("soon", 40.0), ("later", 400.0)] {
        let (instance, labels) = (at(name), |instance| {
            [("instance", instance), ("domain", "/a")]
        });
        fleet.take(Ask::Urgency, &[series(3.9, &labels(&*instance))]);
        fleet.take(Ask::TimeLeft, &[series(left, &labels(&*instance))]);
    }
    let victim = [
        ("instance", "soon:9469"),
        ("domain", "/a"),
        ("command", "java"),
        ("or", "node"),
    ];
    fleet.take(Ask::Victims, &[series(1.0, &victim)]);
    let node = [("instance", "plain:9100")];
    fleet.take(Ask::NodeUsed, &[series(0.96, &node)]);
    fleet.take(Ask::NodeUsed, &[series(0.5, &[("instance", "calm:9100")])]);
    let hosts = fleet.ranked();
    let names: Vec<&str> = hosts.iter().map(|host| host.name.as_str()).collect();
    assert_eq!(names, ["soon", "later", "plain", "down", "old", "calm"]);
    assert_eq!(hosts[0].domains[0].victim.as_deref(), Some("java or node"));
    assert_eq!(hosts[2].depth, Depth::Shallow);
    assert_eq!(hosts[3].health, Health::Down(Some(300.0)));
    assert_eq!(hosts[4].health, Health::Old(600.0));
    assert_eq!((hosts[5].depth, hosts[5].used), (Depth::Oomtop, None));
}

#[test]
fn a_host_is_its_address_without_the_port() {
    for (instance, host) in [
        ("a:9469", "a"),
        ("a", "a"),
        ("10.0.0.1:1", "10.0.0.1"),
        ("[::1]:9469", "::1"),
        ("fe80::1", "fe80::1"),
        ("a:b", "a:b"),
        ("", ""),
    ] {
        assert_eq!(host_of(instance), host);
    }
}

fn target<'a>(job: &'a str, instance: &'a str) -> [(&'static str, &'a str); 2] {
    [("job", job), ("instance", instance)]
}

#[test]
fn targets_behind_one_address_are_hosts_of_their_own() {
    let mut fleet = Fleet::default();
    let both = ["gw:9001", "gw:9002"].map(|instance| series(1.0, &target("oomtop", instance)));
    fleet.take(Ask::Up, &both);
    fleet.take(Ask::Seen, &both);
    fleet.take(Ask::Up, &[series(1.0, &target("oomtop", "a:9469"))]);
    fleet.take(Ask::Seen, &[series(1.0, &target("oomtop", "a:9469"))]);
    let ratio = [
        ("__name__", "oomtop_memory_used_ratio"),
        ("job", "oomtop"),
        ("instance", "gw:9002"),
    ];
    fleet.take(Ask::Gauge, &[series(0.9, &ratio)]);
    // Of the node_exporters, that of a is known to be the one beside its oomtop; those of gw and b cannot be.
    let nodes = ["a:9100", "gw:9100", "b:9100", "b:9101"];
    let nodes = nodes.map(|instance| series(0.5, &target("node", instance)));
    fleet.take(Ask::NodeUsed, &nodes);
    fleet.take(Ask::NodeKills, &nodes);
    let hosts = fleet.ranked();
    let mut names: Vec<(&str, Option<f64>)> = hosts
        .iter()
        .map(|host| (host.name.as_str(), host.used))
        .collect();
    names.sort_by_key(|(name, _)| *name);
    let half = Some(0.5);
    assert_eq!(
        names,
        [
            ("a", None),
            ("b:9100", half),
            ("b:9101", half),
            ("gw:9001", None),
            ("gw:9002", Some(0.9)),
            ("gw:9100", half)
        ]
    );
}

#[test]
fn what_is_not_known_is_never_calm() {
    let mut fleet = Fleet::default();
    let up = ["calm", "silent"].map(|instance| series(1.0, &target("oomtop", instance)));
    fleet.take(Ask::Up, &up);
    fleet.take(Ask::Seen, &[series(2.0, &target("oomtop", "calm"))]);
    fleet.take(Ask::NodeDown, &[series(0.0, &target("node", "dead:9100"))]);
    // Its oomtop answers.
    fleet.take(Ask::NodeDown, &[series(0.0, &target("node", "calm:9100"))]);
    let hosts = fleet.ranked();
    let all: Vec<_> = hosts
        .iter()
        .map(|host| (host.name.as_str(), host.urgency(), host.health))
        .collect();
    assert_eq!(
        all,
        [
            ("dead", 3, Health::Down(None)),
            ("silent", 3, Health::Unknown),
            ("calm", 0, Health::Fresh)
        ]
    );
}
