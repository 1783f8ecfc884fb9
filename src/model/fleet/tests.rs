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
    let mut fleet = Fleet::new(1000.0);
    let at = |name: &str| format!("{name}:9469");
    for name in ["calm", "soon", "later", "down", "old"] {
        let up = if name == "down" { 0.0 } else { 1.0 };
        fleet.take(Ask::Up, &[series(up, &[("instance", &at(name))])]);
        let seen = match name {
            "down" => 700.0,
            "old" => 400.0,
            _ => 999.0,
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
