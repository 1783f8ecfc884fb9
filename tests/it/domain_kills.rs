//! Which domain ran out when the kernel killed: the domain whose limit was hit, never a domain that only lost
//! a process.

use crate::common::scene::{GIB, MIB, Scene, kill_report, moment, process, snapshot};
use crate::common::shop::group;
use oomtop::app::msg::Msg;
use oomtop::model::cgroup::{Cgroup, CgroupKey};
use oomtop::model::event_source::EventSource;
use oomtop::model::kernel::KernelRules;
use oomtop::model::oom_domain::urgency::Urgency;
use oomtop::model::oom_domain::victim::{Scope, assess};
use oomtop::oomlog::OomEvent;
use std::sync::Arc;

const SHOP: Scope = Scope::Memcg(CgroupKey(1));
const API: Scope = Scope::Memcg(CgroupKey(2));

/// The contents of a sample, without its time.
#[derive(Clone, Copy)]
struct Sample {
    /// Kills by the host's counter, by the shop's (and the api's in it), and of its own OOM (v2).
    kills: [u64; 2],
    own_oom: Option<u64>,
    at_limit: u64,
    usage: u64,
    host_left: u64,
}

const CALM: Sample = Sample {
    kills: [1, 1],
    own_oom: None,
    at_limit: 7,
    usage: 60,
    host_left: 20 * GIB,
};

/// The host near its end, the shop full of page cache.
const DYING: Sample = Sample {
    host_left: 300 * MIB,
    ..CALM
};

fn sample(scene: &mut Scene, second: u64, of: Sample) {
    let mut groups = vec![
        group("/", None, 0, 0),
        group("/shop", Some(0), 100, of.usage),
        group("/shop/api", Some(1), 500, of.usage),
    ];
    for group in &mut groups {
        group.read_seq = second;
        group.events.oom_kill = Some(of.kills[1]);
        group.events.oom = of.own_oom;
        group.limits.swap_max = Some(0);
    }
    groups[1].events.own_oom = of.own_oom;
    groups[2].events.own_oom = of.own_oom.map(|_| 0);
    groups[1].events.max = Some(of.at_limit);
    let processes = vec![
        process(10, "shop", 40, 0, 2),
        process(50, "mysqld", 9_000, 0, 0),
    ];
    let mut sample = snapshot(10, processes);
    sample.memory.available = Some(of.host_left);
    sample.memory.swap_free = 0;
    let rules = KernelRules::default();
    sample.domains = assess(&sample.processes, &groups, &sample.memory, &rules);
    sample.cgroups = Arc::<Vec<Cgroup>>::new(groups);
    sample.kills.host = Some(of.kills[0]);
    (sample.seq, sample.taken) = (second, moment(second));
    scene.tell(Msg::Tick(moment(second)));
    scene.tell(Msg::Sampled(Arc::new(sample)));
}

/// A scene at second 110, whose log works or is not there.
fn scene(log: bool, before: Sample) -> Scene {
    let mut scene = Scene::new(120, 36);
    let name = if log {
        "/dev/kmsg"
    } else {
        EventSource::COUNTERS_ONLY
    };
    scene.tell(Msg::Source(EventSource {
        name: name.to_owned(),
        missing: String::new(),
        caught_up: true,
        ..EventSource::default()
    }));
    for second in 100..110 {
        sample(&mut scene, second, before);
    }
    scene
}

fn rest(scene: &mut Scene, of: Sample) {
    for second in 110..116 {
        sample(scene, second, of);
    }
}

fn killing(scene: &Scene) -> [bool; 3] {
    [Scope::Host, SHOP, API].map(|scope| {
        let watch = scene.state.domains.watch(scope);
        watch.is_some_and(|watch| watch.urgency == Urgency::Killing)
    })
}

#[test]
fn a_group_that_lost_a_process_to_the_hosts_oom_has_not_run_out() {
    for (log, own_oom) in [
        (true, None),
        (true, Some(4)),
        (false, None),
        (false, Some(4)),
    ] {
        let before = Sample { own_oom, ..DYING };
        let mut scene = scene(log, before);
        assert_eq!(killing(&scene), [false; 3]);
        if log {
            let mut report = kill_report(9, 110, 11, "shop", None);
            report.task_memcg = Some("/shop/api".to_owned());
            scene.tell(Msg::Oom(OomEvent::Report(Arc::new(report))));
        }
        // Page cache keeps the shop at its limit all the time.
        let after = Sample {
            kills: [2, 2],
            at_limit: 9,
            ..before
        };
        rest(&mut scene, after);
        assert_eq!(killing(&scene), [true, false, false], "{log} {own_oom:?}");
        assert_eq!(scene.state.domains.leading(), None, "{log} {own_oom:?}");
    }
}

#[test]
fn a_limit_that_ran_out_is_the_groups_own_whatever_the_host_does() {
    for (log, own_oom) in [(true, None), (false, Some(4)), (false, None)] {
        for host in [CALM, DYING] {
            let before = Sample {
                own_oom,
                usage: 95,
                ..host
            };
            let mut scene = scene(log, before);
            if log {
                let mut report = kill_report(9, 110, 11, "shop", Some("/shop"));
                report.task_memcg = Some("/shop/api".to_owned());
                scene.tell(Msg::Oom(OomEvent::Report(Arc::new(report))));
            }
            let after = Sample {
                kills: [2, 2],
                own_oom: own_oom.map(|ooms| ooms + 1),
                usage: 30,
                at_limit: 8,
                ..before
            };
            rest(&mut scene, after);
            let seen = killing(&scene);
            assert_eq!(seen, [false, true, false], "{log} {own_oom:?}");
            assert_eq!(scene.state.domains.leading(), Some(SHOP));
        }
    }
}

#[test]
fn a_kill_of_which_nothing_is_known_but_that_a_limit_was_hit_is_the_groups_on_a_calm_host() {
    let mut scene = scene(false, CALM);
    let after = Sample {
        kills: [2, 2],
        at_limit: 8,
        ..CALM
    };
    rest(&mut scene, after);
    assert_eq!(killing(&scene), [false, true, false]);
}
