//! Where the selection goes when the selected process is gone: never to a row the user did not look at.

use crate::common::scene::{Scene, id, processes};
use crate::common::writes::writes;
use oomtop::app::msg::Msg;
use oomtop::app::view::processes::columns::column;
use oomtop::app::view::processes::row::Row;
use oomtop::model::process::{Process, TaskState};

fn without(pid: u32) -> Vec<Process> {
    processes()
        .into_iter()
        .filter(|p| p.id.pid != pid)
        .collect()
}

/// The scene's processes, one of them changed.
fn with(pid: u32, change: impl Fn(&mut Process)) -> Vec<Process> {
    let mut all = processes();
    all.iter_mut().filter(|p| p.id.pid == pid).for_each(change);
    all
}

fn zombie(p: &mut Process) {
    (p.state, p.memory) = (TaskState('Z'), None);
}

/// Waits until keys can no longer be meant for the previous selection.
fn wait(scene: &mut Scene) {
    for _ in 0..3 {
        let now = scene.state.snapshot.processes.clone();
        scene.sample(now);
    }
}

#[test]
fn a_dying_process_does_not_take_the_selection_to_the_bottom() {
    let ending: [fn(&mut Process); 2] = [zombie, |p| p.memory = None];
    for change in ending {
        let mut scene = Scene::new(120, 36);
        scene.keys("Down Down");
        let (row, selected) = (scene.state.table.cursor(), scene.selected());
        let pid = selected.expect("somebody");
        scene.keys("Up Down").sample(with(pid, change));
        assert_eq!(scene.state.table.cursor(), row);
        assert_ne!(scene.selected(), selected);
        let next = scene.selected();
        scene.sample(without(pid));
        assert_eq!((scene.state.table.cursor(), scene.selected()), (row, next));
    }
}

#[test]
fn one_that_is_being_killed_stays_where_it_lived() {
    let mut scene = Scene::new(120, 36);
    scene.keys("Down");
    assert_eq!(scene.selected(), Some(1892));
    // It may be between vfork and exec as well: whoever lives on keeps the selection.
    for _ in 0..2 {
        scene.sample(with(1892, |p| p.skipped_by_kernel = true));
        assert_eq!(
            (scene.selected(), scene.state.table.cursor()),
            (Some(1892), 1)
        );
    }
    scene.sample(without(1892));
    assert_eq!(scene.state.table.cursor(), 1);
    assert_ne!(scene.selected(), Some(1892));
}

#[test]
fn one_that_is_being_killed_stands_where_an_order_has_it_that_it_does_not_leave() {
    let mut scene = Scene::new(120, 36);
    scene.state.table.sort_by(column("pid").expect("a column"));
    scene.state.table.choose(id(1892));
    scene.sample(processes());
    let place = |scene: &Scene| {
        let before = |p: &&Row| p.id.pid < 1892;
        let rows = scene.state.table.rows();
        let smaller = rows.iter().filter(before).count();
        assert_eq!(scene.selected(), Some(1892));
        assert_eq!(scene.state.table.cursor(), smaller, "{}", scene.text());
        smaller
    };
    let first = place(&scene);
    assert!(first >= 2);
    // Two of those above it end while it dies.
    let mut left = with(1892, |p| p.skipped_by_kernel = true);
    left.retain(|p| p.id.pid != 700 && p.id.pid != 956);
    scene.sample(left.clone());
    assert_eq!(place(&scene), first - 2);
    left.retain(|p| p.id.pid != 1892);
    scene.sample(left);
    assert_eq!(scene.state.table.cursor(), first - 2);
}

#[test]
fn a_new_order_places_one_that_is_being_killed_as_any_other() {
    let dying = || with(1892, |p| p.skipped_by_kernel = true);
    let mut scene = Scene::new(120, 36);
    scene.keys("Down");
    scene.sample(dying());
    assert_eq!(
        (scene.selected(), scene.state.table.cursor()),
        (Some(1892), 1)
    );
    // From here on it stands where the new order has it, and stays there.
    scene.state.table.sort_by(column("rss").expect("a column"));
    scene.state.table.inverted = true;
    for _ in 0..2 {
        scene.sample(dying());
        let rows = scene.state.table.rows().len();
        assert_eq!(scene.selected(), Some(1892));
        assert_eq!(scene.state.table.cursor(), rows - 2, "{}", scene.text());
    }
}

/// What a sample may show of a process.
fn fate(process: &mut Process, fate: u8) -> bool {
    match fate {
        0..=4 => {}
        5 => process.skipped_by_kernel = true,
        6 => zombie(process),
        7 => process.memory = None,
        _ => return false,
    }
    if let Some(memory) = &mut process.memory {
        memory.rss = memory.rss.wrapping_mul(u64::from(fate) * 7 + 3) % 900_000;
    }
    true
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(24))]

    /// A storm of kills: the selection leaves a process only when that has ended, the view does not jump, and no key
    /// hits somebody whom the screen did not show as selected when it was pressed last.
    #[test]
    fn in_a_storm_the_selection_stays_where_it_is(
        down in 1_usize..8,
        samples in proptest::collection::vec(proptest::collection::vec(0_u8..10, 40), 1..6),
        key in proptest::sample::select(vec!["k", "a", "c"]),
    ) {
        let mut scene = Scene::new(120, 36);
        scene.keys(&"Down ".repeat(down));
        for fates in samples {
            let before = scene.state.table.selected();
            let line = scene.state.table.cursor() - scene.state.table.list().offset();
            let mut all = processes();
            let mut fates = fates.into_iter().cycle();
            all.retain_mut(|process| fate(process, fates.next().unwrap_or(0)));
            scene.sample(all);
            let table = &scene.state.table;
            let Some(before) = before else { break };
            let now = scene.state.snapshot.process(before);
            let lives = now.is_some_and(|p| p.memory.is_some());
            if lives {
                proptest::prop_assert_eq!(table.selected(), Some(before));
            }
            if !lives || now.is_some_and(|p| p.skipped_by_kernel) {
                let last = table.rows().len().saturating_sub(1);
                proptest::prop_assert_eq!(table.cursor() - table.list().offset(), line.min(last));
            }
            let moved = table.selected() != Some(before);
            scene.state.notice = None;
            scene.keys(key);
            if moved {
                proptest::prop_assert!(scene.state.dialogs.is_empty(), "{}", scene.text());
            }
            scene.keys("Esc");
        }
    }
}

#[test]
fn a_zombie_that_was_chosen_stays_selected() {
    let mut scene = Scene::new(120, 60);
    scene.keys("3 4 0 0 Enter");
    assert_eq!(scene.selected(), Some(3400));
    scene.sample(processes());
    assert_eq!(scene.selected(), Some(3400));
}

#[test]
fn the_first_key_after_the_selection_moved_only_says_whom_it_would_hit() {
    for key in ["k", "a", "c", "F7"] {
        let mut scene = Scene::new(120, 36);
        scene.keys("Down").sample(with(1892, zombie));
        assert!(
            scene.text().contains("1892 java has ended"),
            "{}",
            scene.text()
        );
        let now = scene.selected().expect("somebody");
        scene.keys(key);
        assert!(scene.state.dialogs.is_empty(), "{key}");
        assert!(
            scene.text().contains(&format!("again acts on {now} ")),
            "{}",
            scene.text()
        );
        scene.keys(key);
        assert_eq!(scene.state.dialogs.len(), 1, "{key}");
    }
}

#[test]
fn a_key_meant_for_what_is_selected_now_is_not_held_up() {
    // Later.
    let mut scene = Scene::new(120, 36);
    scene.keys("Down").sample(without(1892));
    wait(&mut scene);
    scene.keys("k");
    assert_eq!(scene.state.dialogs.len(), 1);
    // The user has selected another process since.
    let mut scene = Scene::new(120, 36);
    scene.keys("Down").sample(without(1892));
    scene.keys("Down k");
    assert_eq!(scene.state.dialogs.len(), 1);
    // Keys act on the tagged processes.
    let mut scene = Scene::new(120, 36);
    scene.keys("Space").sample(without(1892));
    scene.keys("k");
    assert_eq!(scene.state.dialogs.len(), 1);
}

#[test]
fn who_does_not_touch_the_selection_is_told_once() {
    let mut scene = Scene::new(120, 36);
    let mut left = processes();
    let mut told = 0;
    scene.keys("Home");
    for _ in 0..5 {
        let pid = scene.selected().expect("somebody");
        left.retain(|p| p.id.pid != pid);
        scene.state.notice = None;
        scene.sample(left.clone());
        told += u32::from(scene.text().contains("has ended"));
    }
    assert_eq!(told, 1);
}

#[test]
fn who_looked_for_a_process_is_told_when_it_ends() {
    let mut scene = Scene::new(120, 36);
    scene.keys("1 8 9 2 Enter").sample(with(1892, zombie));
    assert!(
        scene.text().contains("1892 java has ended"),
        "{}",
        scene.text()
    );
}

#[test]
fn what_the_kernel_did_is_not_hidden_by_where_the_selection_went() {
    let mut scene = Scene::new(120, 36);
    scene.keys("Down");
    let report = crate::common::scene::kill_report(9, 2, 1892, "java", None);
    let event = oomtop::oomlog::OomEvent::Report(std::sync::Arc::new(report));
    scene.tell(Msg::Oom(event)).sample(without(1892));
    assert!(
        scene.text().contains("the kernel killed 1892 java"),
        "{}",
        scene.text()
    );
    scene.effects.clear();
    scene.keys("k Enter");
    assert_eq!(writes(&scene.effects), Vec::<Vec<_>>::new());
}
