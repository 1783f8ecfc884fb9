//! Forecasts say the same wherever they stand, and nothing of a group in which nobody is.

use std::sync::Arc;

use oomtop::app::msg::Msg;
use oomtop::app::settings::Settings;
use oomtop::model::cgroup::Cgroup;
use oomtop::model::kernel::KernelRules;
use oomtop::model::oom_domain::victim::{Scope, assess};
use oomtop::model::process::Process;

use crate::common::scene::{Scene, host, moment, process, processes, snapshot};
use crate::common::shop::group;

/// Samples of a host that fills up by 32 MiB a second, and that has these groups.
fn fill(scene: &mut Scene, of: impl Fn() -> (Vec<Cgroup>, Vec<Process>)) {
    for second in 10..80 {
        let (mut groups, processes) = of();
        for group in &mut groups {
            group.read_seq = second + 1;
        }
        let mut sample = snapshot(second, processes);
        let rules = KernelRules::default();
        sample.domains = assess(&sample.processes, &groups, &sample.memory, &rules);
        sample.cgroups = Arc::new(groups);
        scene.tell(Msg::Tick(moment(second)));
        scene.tell(Msg::Sampled(Arc::new(sample)));
    }
}

fn row<'t>(text: &'t str, name: &str) -> &'t str {
    let found = text.lines().find(|line| line.starts_with(name));
    found.unwrap_or_else(|| panic!("no {name} in\n{text}"))
}

/// One group is empty, one has a member.
fn two() -> (Vec<Cgroup>, Vec<Process>) {
    let groups = vec![
        group("/", None, 0, 0),
        group("/empty", Some(0), 300, 0),
        group("/peopled", Some(0), 300, 100),
    ];
    let processes = vec![
        process(10, "leak", 2_000, 0, 0),
        process(20, "app", 50, 0, 2),
    ];
    (groups, processes)
}

#[test]
fn an_empty_group_is_never_full() {
    let mut scene = Scene::new(160, 40);
    fill(&mut scene, two);
    scene.keys("d");
    let text = scene.text();
    let is_forecast = |line: &str| line.contains('~');
    assert!(is_forecast(row(&text, "host")), "{text}");
    assert!(
        row(&text, "/peopled").contains('^'),
        "the host's end is its own\n{text}"
    );
    assert!(!is_forecast(row(&text, "/empty")), "{text}");
}

#[test]
fn the_header_says_of_the_host_what_its_row_says() {
    let mut scene = Scene::new(120, 36);
    for second in 2..90 {
        scene.tell(Msg::Sampled(Arc::new(snapshot(second, processes()))));
    }
    let watch = scene.state.domains.watch(Scope::Host).expect("the host");
    let (_, left) = watch.first_full.expect("it fills");
    let left = oomtop::text::format::roughly(left);
    let text = scene.text();
    // Its words stand beside the second row of the graph.
    let trend = text.lines().skip_while(|line| !line.starts_with("Trend"));
    let trend = trend.take(2).collect::<Vec<_>>().join("\n");
    assert!(
        trend.contains(&format!("full in {left}")),
        "{left}: {trend}"
    );
    scene.keys("d");
    let text = scene.text();
    assert!(row(&text, "host").contains(&left), "{text}");
}

#[test]
fn what_was_cut_does_not_look_like_an_estimate() {
    let settings = Settings {
        ascii: true,
        ..Settings::default()
    };
    let mut scene = Scene::with(80, 24, settings, host());
    fill(&mut scene, || {
        let (mut groups, processes) = two();
        let name = "/a-name-that-is-far-too-long-for-the-column-of-any-screen-of-80-cells-at-all";
        groups.push(group(name, Some(0), 300, 100));
        (groups, processes)
    });
    scene.keys("d");
    let text = scene.text();
    assert!(text.contains("/a-nam>"), "{text}");
    for (at, _) in text.match_indices('~') {
        let behind = text[at + 1..].chars().next();
        assert!(
            behind.is_some_and(|c| c.is_ascii_digit()),
            "{}",
            &text[at..]
        );
    }
}
