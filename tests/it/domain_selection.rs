//! Where the selection goes in the domains view when its group becomes empty, moves or is gone.

use crate::common::scene::{Scene, process};
use crate::common::shop::{group, run};
use oomtop::app::view::domains::rows::Row;
use oomtop::model::cgroup::Cgroup;
use oomtop::model::process::Process;

#[test]
fn a_domain_that_empties_before_it_goes_leaves_the_selection_where_it_was() {
    let groups = |usages: &[(&str, u64)]| {
        let mut groups = vec![group("/", None, 0, 0)];
        let mut all = Vec::new();
        for (path, usage) in usages {
            groups.push(group(path, Some(0), 100, *usage));
            if *usage > 0 {
                let key = u32::try_from(all.len() + 1).expect("small");
                all.push(process(100 + key, "p", *usage, 0, key));
            }
        }
        (groups, all)
    };
    let mut scene = Scene::new(120, 36);
    run(&mut scene, 100, 3, |_| {
        groups(&[("/a", 99), ("/b", 95), ("/c", 90), ("/d", 5)])
    });
    scene.keys("d Down Down");
    let row = scene.state.domains.cursor();
    let path = |scene: &Scene| scene.state.domains.selected_path().map(ToString::to_string);
    assert_eq!((row, path(&scene).as_deref()), (2, Some("/b")));
    // The last process has left; after a while it is no longer urgent.
    run(&mut scene, 103, 30, |_| {
        let (mut groups, mut all) = groups(&[("/a", 99), ("/b", 1), ("/c", 90), ("/d", 5)]);
        groups[2].usage = Some(0);
        all.retain(|p| p.id.pid != 102);
        (groups, all)
    });
    assert_eq!(path(&scene).as_deref(), Some("/b"));
    assert_eq!(scene.state.domains.cursor(), row, "{}", scene.text());
    // Another group has its key now.
    run(&mut scene, 133, 1, |_| {
        groups(&[("/a", 99), ("/c", 90), ("/d", 5)])
    });
    assert_eq!(scene.state.domains.cursor(), row);
    assert_eq!(path(&scene).as_deref(), Some("/c"));
    assert!(scene.text().contains("/b is gone"), "{}", scene.text());
    scene.keys("k");
    assert!(scene.state.dialogs.is_empty());
}

/// Groups `/a`, `/b` … with so much usage each, in percent; one process in each that has some.
fn used(usages: &[u64]) -> (Vec<Cgroup>, Vec<Process>) {
    let mut groups = vec![group("/", None, 0, 0)];
    let mut all = Vec::new();
    for (key, usage) in (1_u32..).zip(usages) {
        let letter = char::from(b'`' + u8::try_from(key).expect("few"));
        groups.push(group(&format!("/{letter}"), Some(0), 100, *usage));
        if *usage > 0 {
            all.push(process(100 + key, "p", *usage, 0, key));
        }
    }
    (groups, all)
}

#[test]
fn a_group_that_was_empty_all_the_time_moves_with_its_urgency() {
    let mut scene = Scene::new(120, 36);
    run(&mut scene, 100, 3, |_| used(&[99, 95, 90, 0]));
    scene.keys("d End");
    let path = |scene: &Scene| scene.state.domains.selected_path().map(ToString::to_string);
    assert_eq!(
        (scene.state.domains.cursor(), path(&scene).as_deref()),
        (4, Some("/d"))
    );
    // One of those above it is removed, another comes.
    run(&mut scene, 103, 2, |_| {
        let (mut groups, mut all) = used(&[99, 95, 90, 0]);
        for (key, path) in [(5, "/e"), (6, "/f")] {
            groups.push(group(path, Some(0), 100, 97));
            all.push(process(100 + key, "p", 97, 0, key));
        }
        (groups, all)
    });
    assert_eq!(path(&scene).as_deref(), Some("/d"));
    assert_eq!(scene.state.domains.cursor(), 6, "{}", scene.text());
}

#[test]
fn among_many_groups_one_that_empties_keeps_its_place_above_the_folded_part() {
    // Too many for the screen: four are urgent, eight are calm.
    let usages = |second| {
        [
            99,
            97,
            if second { 0 } else { 95 },
            92,
            5,
            5,
            5,
            5,
            5,
            5,
            5,
            5,
        ]
    };
    let mut scene = Scene::new(120, 18);
    run(&mut scene, 100, 3, |_| used(&usages(false)));
    scene.keys("d Down Down Down");
    let path = |scene: &Scene| scene.state.domains.selected_path().map(ToString::to_string);
    let is_fold = |row: &Row| matches!(row, Row::Fold { open: false, .. });
    assert!(
        scene.state.domains.rows().last().is_some_and(is_fold),
        "{}",
        scene.text()
    );
    assert_eq!(
        (scene.state.domains.cursor(), path(&scene).as_deref()),
        (3, Some("/c"))
    );
    run(&mut scene, 103, 30, |_| used(&usages(true)));
    assert_eq!(path(&scene).as_deref(), Some("/c"));
    assert_eq!(scene.state.domains.cursor(), 3, "{}", scene.text());
    assert!(
        scene.state.domains.rows().last().is_some_and(is_fold),
        "{}",
        scene.text()
    );
}
