//! What the live screens say is what the kernel would do: one measure everywhere, and each number says whose it is.

use std::sync::Arc;

use crate::common::scene::{GIB, MIB, Scene, host, moment, process, snapshot};
use crate::common::shop::{group, run};
use oomtop::app::msg::Msg;
use oomtop::app::settings::Settings;
use oomtop::model::cgroup::{Cgroup, CgroupKey, CgroupVersion, GroupStat};
use oomtop::model::kernel::KernelRules;
use oomtop::model::memory::band::Band;
use oomtop::model::oom_domain::victim::{Scope, assess};
use oomtop::model::snapshot::{Host, Snapshot};
use oomtop::model::vm_settings::{ZramUse, parse_swaps};
use oomtop::output::json::document;
use oomtop::output::table::Paper;

/// A sample of a second, changed by `change` before the domains are assessed.
fn sample(second: u64, groups: Vec<Cgroup>, change: impl Fn(&mut Snapshot)) -> Snapshot {
    let mut sample = snapshot(second, vec![process(10, "cat", 3, 0, 1)]);
    change(&mut sample);
    let rules = KernelRules::default();
    sample.domains = assess(&sample.processes, &groups, &sample.memory, &rules);
    sample.cgroups = Arc::new(groups);
    (sample.seq, sample.taken) = (second + 20, moment(second + 20));
    sample
}

/// A group of 200 MiB, full of page cache, that may use 50 MiB of swap.
fn cached() -> Cgroup {
    let mut cached = group("/box", Some(0), 200, 200);
    cached.limits.swap_max = Some(50 * MIB);
    cached.swap_usage = Some(5 * MIB);
    cached.stat = Some(GroupStat {
        inactive_file: 190 * MIB,
        ..GroupStat::default()
    });
    cached
}

#[test]
fn page_cache_that_is_dropped_does_not_fill_the_gauge_of_a_container() {
    let mut scene = Scene::new(120, 36);
    for second in 0..3 {
        let groups = vec![group("/", None, 0, 0), cached()];
        let sample = sample(second, groups, |sample| {
            sample.own_limit = Some(Scope::Memcg(CgroupKey(1)));
        });
        scene.tell(Msg::Sampled(Arc::new(sample)));
    }
    let gauge = &scene.state.gauge;
    assert_eq!((gauge.used, gauge.band), (10 * MIB, Band::Normal));
    assert_eq!(gauge.left, 235 * MIB, "190 of memory and 45 of swap");
    let text = scene.text();
    let line = |start: &str| {
        let line = text.lines().find(|line| line.starts_with(start));
        line.unwrap_or_else(|| panic!("no {start} in {text}"))
            .to_owned()
    };
    assert!(line("Mem").contains("5.0% normal"), "{text}");
    assert!(line("Mem").contains("5 of 50 MiB of the limit"), "{text}");
    assert!(line("PSI").contains("host: some"), "{text}");
    let facts = line("PSI");
    let (host, own) = facts
        .split_once("limit of /box")
        .unwrap_or_else(|| panic!("{facts}"));
    assert!(own.contains("cache 190M"), "{facts}");
    assert!(host.contains("avail "), "{facts}");
    // The plain table has the same measure.
    let state = &scene.state;
    let plain = oomtop::output::table::plain(
        &state.snapshot,
        &state.host,
        &state.marks,
        &state.events,
        &state.settings,
        (moment(23), Paper::WHOLE),
    );
    let head = plain.lines().next().unwrap_or_default();
    assert!(
        head.contains("memory of /box 5.0% used of 200 MiB (normal)"),
        "{head}"
    );
}

#[test]
fn the_details_of_a_v1_domain_have_the_limit_on_memory_and_swap() {
    let v1 = Host {
        cgroups: CgroupVersion::V1,
        ..host()
    };
    let mut scene = Scene::with(120, 60, Settings::default(), v1);
    for second in 0..3 {
        let mut both = group("/both", Some(0), 200, 100);
        both.limits.memsw_max = Some(300 * MIB);
        let sample = sample(second, vec![group("/", None, 0, 0), both], |_| {});
        scene.tell(Msg::Sampled(Arc::new(sample)));
    }
    scene.keys("d Home Down Enter");
    let text = scene.text();
    let line = text.lines().find(|line| line.contains("with swap"));
    let line = line.unwrap_or_else(|| panic!("{text}"));
    assert!(line.contains("300 MiB"), "{line}");
    assert!(line.contains("memory.memsw.limit_in_bytes"), "{line}");
}

#[test]
fn a_nested_group_shows_the_room_of_the_ancestor_that_is_full_first() {
    let mut scene = Scene::new(200, 50);
    run(&mut scene, 0, 120, |second| {
        let used = 100 + second.min(110);
        let mut outer = group("/outer", Some(0), 240, used + 20);
        outer.limits.swap_max = Some(0);
        let inner = group("/outer/inner", Some(1), 300, used);
        let groups = vec![group("/", None, 0, 0), outer, inner];
        (groups, vec![process(10, "leak", used, 0, 2)])
    });
    scene.keys("d");
    let text = scene.text();
    let row = |name: &str| {
        let row = text.lines().find(|line| line.contains(name));
        row.unwrap_or_else(|| panic!("no {name} in {text}"))
            .to_owned()
    };
    // 10 MiB are left outside, 90 inside.
    let (outer, inner) = (row("/outer "), row("└ inner "));
    assert!(
        outer.contains(" 10M ") && inner.contains(" 10M^ "),
        "{text}"
    );
    let watch = |key| {
        scene
            .state
            .domains
            .watch(Scope::Memcg(CgroupKey(key)))
            .expect("watched")
    };
    let full = |key: u32| watch(key).first_full.expect("it grows");
    assert_eq!(full(1).0, Scope::Memcg(CgroupKey(1)));
    assert_eq!(full(2), full(1), "whose it is, and when");
    // 70 % of its own limit is a warning, but nobody inside lives past the outer one's.
    assert!(
        outer.contains(" CRITICAL ") && inner.contains(" CRITICAL^ "),
        "{text}"
    );
    assert_eq!(watch(2).own_band, Band::Warning);
    let state = &scene.state;
    let document = document(
        &state.snapshot,
        &state.host,
        &state.marks,
        &state.events,
        &state.settings.thresholds,
    );
    let document = serde_json::to_value(document).expect("a document");
    let domains = document["domains"].as_array().expect("domains");
    let facts = |path: &str| {
        let of = |domain: &&serde_json::Value| domain["cgroup"] == path;
        let domain = domains.iter().find(of).expect(path);
        (
            domain["room"]["left"].as_u64(),
            domain["band"].clone(),
            domain["runs_out_first"].clone(),
        )
    };
    let left = Some(10 * MIB);
    assert_eq!(
        facts("/outer"),
        (left, "critical".into(), None::<&str>.into())
    );
    assert_eq!(
        facts("/outer/inner"),
        (left, "critical".into(), "/outer".into())
    );
}

#[test]
fn memory_set_aside_as_huge_pages_is_named_with_what_of_it_is_unused() {
    let mut scene = Scene::new(200, 50);
    let plain = scene.sample(vec![process(10, "db", 3, 0, 1)]).text();
    assert!(!plain.contains("huge pages"), "{plain}");
    let groups = vec![group("/", None, 0, 0)];
    let sample = sample(2, groups, |sample| {
        sample.memory.huge_pages = 15 * GIB;
        sample.memory.huge_free = 5 * GIB;
    });
    scene.tell(Msg::Sampled(Arc::new(sample)));
    let text = scene.text();
    assert!(text.contains("huge pages 15G (5.0G unused)"), "{text}");
}

#[test]
fn zram_is_room_only_as_far_as_it_compresses() {
    let left = |zram: Option<ZramUse>| {
        let groups = vec![group("/", None, 0, 0)];
        let sample = sample(2, groups, |sample| {
            let mut devices = parse_swaps(
                "Filename Type Size Used Priority\n/dev/zram0 partition 8388608 337920 100\n",
            );
            devices[0].zram = zram;
            let settings = Arc::make_mut(&mut sample.vm_settings);
            settings.swaps = Some(devices);
            sample.memory.zram_cost = settings.zram_cost();
        });
        let mut scene = Scene::new(120, 36);
        let (available, free) = (sample.memory.obtainable(), sample.memory.swap_free);
        scene.tell(Msg::Sampled(Arc::new(sample)));
        (scene.state.gauge.left - available, free)
    };
    let third = ZramUse {
        stored: 300 * MIB,
        takes: 100 * MIB,
    };
    let (credit, free) = left(Some(third));
    assert!(credit.abs_diff(free / 3 * 2) < MIB, "{credit} of {free}");
    assert_eq!(left(None).0, 0, "an unknown ratio gives no credit");
}
