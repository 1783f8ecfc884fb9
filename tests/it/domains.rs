//! The domains view: its rows, folding and keys, and that rows do not jump around.

use crate::common::scene::{Scene, process};
use crate::common::shop::{crowd, group, run, scene, shop};
use crate::common::styled::{dialog, styled_view};
use oomtop::model::cgroup::CgroupKey;
use oomtop::model::oom_domain::victim::Scope;
use oomtop::ui::theme::Theme;

fn check(name: &str, scene: &Scene) {
    insta::assert_snapshot!(name, styled_view(&scene.buffer(&Theme::colours())));
}

const SIZES: [(u16, u16); 4] = [(40, 10), (80, 24), (120, 36), (200, 50)];

#[test]
fn few_domains_at_every_size() {
    for (width, height) in SIZES {
        let mut scene = scene(width, height);
        check(&format!("few_{width}x{height}"), &scene);
        scene.keys("Down Enter");
        let details = styled_view(&dialog(&scene.buffer(&Theme::colours())));
        insta::assert_snapshot!(format!("few_details_{width}x{height}"), details);
    }
}

#[test]
fn two_thousand_domains_at_every_size() {
    for (width, height) in SIZES {
        let mut scene = Scene::new(width, height);
        run(&mut scene, 100, 3, crowd);
        scene.keys("d");
        check(&format!("crowd_{width}x{height}"), &scene);
        let text = scene.text();
        assert!(width < 80 || text.contains("… 1998 calm domains"), "{text}");
    }
}

#[test]
fn the_folded_part_opens_closes_and_keeps_the_selection() {
    let mut scene = Scene::new(120, 36);
    run(&mut scene, 100, 3, crowd);
    scene.keys("d");
    let rows = |scene: &Scene| scene.state.domains.rows().len();
    assert_eq!(rows(&scene), 5);
    scene.keys("End Enter");
    assert_eq!(rows(&scene), 2003);
    scene.keys("End");
    let last = scene.state.domains.selected();
    run(&mut scene, 103, 1, crowd);
    assert_eq!(
        scene.state.domains.selected(),
        last,
        "a new sample moves nothing"
    );
    scene.keys("Left");
    assert!(rows(&scene) <= 6, "folded again, but for the selected one");
    assert_eq!(scene.state.domains.selected(), last);
    // Find one of them by name.
    scene.keys("/").types("07ab07ab");
    assert_eq!(rows(&scene), 1);
    scene.keys("Enter Esc");
    assert!(scene.state.domains.open && rows(&scene) > 1);
    scene.keys("Esc");
    assert!(!scene.state.domains.open);
}

#[test]
fn where_nothing_is_folded_right_says_so() {
    let mut scene = scene(120, 36);
    scene.keys("Home Down Right");
    assert!(
        scene.text().contains("nothing is folded here"),
        "{}",
        scene.text()
    );
    let mut crowded = Scene::new(120, 36);
    run(&mut crowded, 100, 3, crowd);
    crowded.keys("d End Right");
    assert!(!crowded.text().contains("nothing is folded here"));
    assert!(crowded.state.domains.rows().len() > 1000);
    // In the tree it is sorted like its siblings.
    crowded.keys("Left");
    let text = crowded.text();
    assert!(text.lines().any(|line| line.starts_with("└ … ")), "{text}");
}

#[test]
fn the_order_is_by_urgency_and_page_cache_is_no_urgency() {
    let scene = scene(200, 50);
    let text = scene.text();
    let at = |what: &str| {
        text.lines()
            .position(|line| line.contains(what))
            .expect("its row")
    };
    assert!(at("pod 1a2b3c4d  ") < at("docker 4f5e6d7c8b9a"), "{text}");
    assert!(at("docker 4f5e6d7c8b9a") < at("backup.service"), "{text}");
    let cache = text.lines().nth(at("backup.service")).expect("it");
    // 512 of 512 MiB used; 460 MiB of that can be dropped.
    assert!(
        cache.contains("normal") && cache.contains("10.2%") && cache.contains("512M"),
        "{cache}"
    );
    let pod = text.lines().nth(at("pod 1a2b3c4d  ")).expect("it");
    assert!(
        pod.contains("whole") && pod.contains("17.3%") && pod.contains("477 +177"),
        "{pod}"
    );
    assert!(text.contains("nobody: tasks hang"));
    assert!(text.contains("empty"));
}

#[test]
fn the_details_say_everything_in_words() {
    let mut scene = scene(120, 60);
    let details = |scene: &mut Scene, what: &str| {
        let rows = scene.state.domains.rows().to_vec();
        for at in 0..rows.len() {
            scene.keys("Home");
            for _ in 0..at {
                scene.keys("Down");
            }
            scene.keys("Enter");
            let text = scene.text();
            scene.keys("Esc");
            if text.contains(&format!("OOM domain {what}")) {
                return text;
            }
        }
        String::new()
    };
    let pod = details(&mut scene, "pod 1a2b3c4d ");
    for words in [
        "memory.oom.group",
        "1 other in pod 1a2b3c4d: memory.oom.group is set",
        "980 MiB (1027604480 bytes)",
        "memory.current",
        "some 42.1%, full 17.3%",
        "Kubernetes pod 1a2b3c4d-0001-4002-8003-0123456789ab, burstable",
        "21 app",
    ] {
        assert!(pod.contains(words), "{words} in {pod}");
    }
    let app = details(&mut scene, "containerd");
    assert!(app.contains("Its limit is never reached"), "{app}");
    assert!(app.contains("runs out first"), "{app}");
    let leak = details(&mut scene, "docker");
    assert!(
        leak.contains("+4.0M/s in the last minute") && leak.contains("full in ~"),
        "{leak}"
    );
    let frozen = details(&mut scene, "/frozen");
    assert!(frozen.contains("oom_kill_disable"), "{frozen}");
}

#[test]
fn an_oom_that_killed_nobody_is_not_said_to_have_killed() {
    let scene = |kills: u64| {
        let mut scene = Scene::new(200, 50);
        run(&mut scene, 100, 5, move |second| {
            let mut limited = group("/full.service", Some(0), 1000, 900);
            let late = u64::from(second >= 103);
            limited.events.oom = Some(late);
            limited.events.own_oom = Some(late);
            limited.events.oom_kill = Some(late * kills);
            let groups = vec![group("/", None, 0, 0), limited];
            (groups, vec![process(10, "full", 900, 0, 1)])
        });
        scene
    };
    for (kills, word, phrase, header) in [
        (
            0,
            "OOM ",
            "OOM in the last minute, no kill counted",
            "OOM in the last minute, no kill counted",
        ),
        // The header names who dies next: who died is another.
        (
            1,
            "DANGER ",
            "its last kill under a minute ago",
            "last kill there",
        ),
    ] {
        let mut scene = scene(kills);
        assert!(
            scene.text().contains(&format!(", {header}")),
            "{}",
            scene.text()
        );
        scene.keys("d");
        let text = scene.text();
        let is_row = |line: &&str| line.starts_with("full.service");
        let row = text.lines().find(is_row).unwrap_or(&text).to_owned();
        let state = row.trim_start_matches("full.service").trim_start();
        assert!(state.starts_with(word), "{row}");
        scene.keys("Home Down Enter");
        let text = scene.text();
        assert!(text.contains(&format!("state      {phrase}")), "{text}");
    }
    // The host counts all kills of the machine, not only those in the log.
    let mut host = scene(0);
    host.keys("d Home");
    while host.state.domains.selected() != Some(Scope::Host) {
        host.keys("Down");
    }
    host.keys("Enter");
    assert!(
        host.text().contains("since boot, in all domains"),
        "{}",
        host.text()
    );
}

#[test]
fn zoom_shows_the_domains_processes_and_enter_twice_does_too() {
    for keys in ["z", "Enter Enter"] {
        let mut scene = scene(120, 36);
        scene.keys("Down").keys(keys);
        assert!(!scene.state.domains.open && scene.state.dialogs.is_empty());
        assert_eq!(scene.state.table.zoom, Some(Scope::Memcg(CgroupKey(2))));
        assert_eq!(scene.selected(), Some(21), "ranked by the pod's limit");
        let text = scene.text();
        assert!(text.contains("envoy") && !text.contains("30 root"));
        assert!(text.contains("─ OOM domains, the most"), "{text}");
        scene.keys("Esc");
        assert_eq!(scene.state.table.zoom, None);
    }
}

#[test]
fn acting_on_a_domain_acts_on_its_victim() {
    let mut scene = scene(120, 36);
    scene.keys("Down a");
    assert!(scene.text().contains("Adjust 21 app"), "{}", scene.text());
    scene.keys("Esc k");
    assert!(scene.text().contains("21 app"));
    scene.keys("Esc Space");
    assert!(scene.state.table.tagged.is_empty());
}

#[test]
fn the_header_names_the_most_urgent_and_does_not_flap() {
    let mut scene = Scene::new(200, 50);
    let mut named = Vec::new();
    for second in 100..160 {
        run(&mut scene, second, 1, |second| {
            // Two groups that take turns at being the fuller one.
            let swing = (second % 2) * 20;
            let groups = vec![
                group("/", None, 0, 0),
                group("/a.service", Some(0), 1000, 900 + swing),
                group("/b.service", Some(0), 1000, 920 - swing),
            ];
            let mut groups = groups;
            for group in &mut groups {
                group.limits.swap_max = Some(0);
            }
            (
                groups,
                vec![process(10, "a", 900, 0, 1), process(11, "b", 900, 0, 2)],
            )
        });
        named.push(scene.state.domains.leading());
    }
    assert!(named.iter().all(Option::is_some));
    let changes = named.windows(2).filter(|pair| pair[0] != pair[1]).count();
    assert!(changes <= 4, "{named:?}");
    let line = scene
        .text()
        .lines()
        .find(|line| line.contains("Next victim"))
        .expect("it")
        .to_owned();
    assert!(
        line.contains(".service") && line.contains("host: "),
        "{line}"
    );
    // Once both groups are calm, the line is the host's again.
    run(&mut scene, 160, 30, |_| {
        (
            vec![
                group("/", None, 0, 0),
                group("/a.service", Some(0), 1000, 100),
            ],
            vec![process(10, "a", 900, 0, 1)],
        )
    });
    assert_eq!(scene.state.domains.leading(), None);
}

#[test]
fn a_group_that_goes_away_takes_its_details_along() {
    let mut scene = scene(120, 36);
    scene.keys("Down Enter");
    run(&mut scene, 160, 1, |_| {
        (
            vec![group("/", None, 0, 0)],
            vec![process(50, "mysqld", 9_000, 0, 0)],
        )
    });
    assert!(scene.text().contains("This group is gone"));
    scene.keys("Enter");
    assert!(scene.state.dialogs.is_empty());
    // Another group has the key now.
    run(&mut scene, 161, 1, |_| {
        let groups = vec![
            group("/", None, 0, 0),
            group("/x", Some(0), 10, 1),
            group("/other", Some(0), 100, 10),
        ];
        (groups, vec![process(50, "mysqld", 9_000, 0, 0)])
    });
    assert!(scene.text().contains("/other"));
}

#[test]
fn swap_that_is_not_counted_is_not_said_to_be_none() {
    let mut scene = Scene::new(200, 50);
    let mut swap_of = |used| {
        run(&mut scene, 100, 1, |_| {
            let mut group = group("/quiet", Some(0), 100, 10);
            group.swap_usage = used;
            group.limits.swap_max = Some(64 << 20);
            let groups = vec![crate::common::shop::group("/", None, 0, 0), group];
            (groups, vec![process(10, "quiet", 9, 0, 1)])
        });
        if !scene.state.domains.open {
            scene.keys("d");
        }
        let text = scene.text();
        let lines: Vec<&str> = text.lines().collect();
        let titles = lines.iter().find(|line| line.contains("DOMAIN"));
        let at = titles
            .and_then(|line| line.find("SWAP"))
            .expect("its title");
        let row = lines.iter().find(|line| line.contains("/quiet"));
        let row: Vec<char> = row.expect("its row").chars().collect();
        let cell: String = row[at.saturating_sub(7)..at + 4].iter().collect();
        cell.trim().to_owned()
    };
    assert_eq!(swap_of(Some(0)), "0B/64M");
    assert_eq!(swap_of(None), "n/a");
}

#[test]
fn what_is_on_the_screen_is_asked_for_whole() {
    let scene = scene(120, 36);
    let asked = scene.effects.iter().rev().find_map(|effect| match effect {
        oomtop::app::msg::Effect::Sample(needs) => Some(needs.groups.clone()),
        _ => None,
    });
    assert_eq!(asked.map(|groups| groups.len()), Some(6));
}

#[test]
fn no_size_panics() {
    for width in [0, 1, 2, 5, 13, 20, 39, 40, 41, 79, 131, 300] {
        for height in (0..14).chain([24, 60]) {
            let mut scene = Scene::new(width, height);
            run(&mut scene, 100, 2, shop);
            for keys in [
                "d",
                "Down",
                "Enter",
                "Esc End Right",
                "/ x",
                "Esc Tab",
                "Tab F6",
                "z",
            ] {
                scene.keys(keys);
                scene.buffer(&Theme::colours());
            }
        }
    }
}

#[test]
fn names_with_escape_codes_do_not_reach_the_screen() {
    let mut scene = Scene::new(120, 36);
    run(&mut scene, 100, 1, |_| {
        let groups = vec![
            group("/", None, 0, 0),
            group("/\u{1b}[31mred\u{7}.service", Some(0), 100, 90),
        ];
        (groups, vec![process(10, "\u{1b}[31mx", 80, 0, 1)])
    });
    for keys in ["", "d", "Down Enter"] {
        scene.keys(keys);
        let text = scene.text();
        assert!(
            !text.chars().any(|c| c.is_control() && c != '\n'),
            "{text:?}"
        );
    }
}
