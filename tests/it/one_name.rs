//! One thing has one name and one unit on every screen.

use crate::common::changed::{calm_scene, says, scene_with, set, words};
use crate::common::scene::{Scene, id, process};
use oomtop::app::view::processes::columns::{COLUMNS, column};
use oomtop::model::filter::{self, Filter};
use oomtop::model::kernel::ScoreFormula;
use oomtop::model::snapshot::Detail;
use oomtop::text::wording::score_formula;

/// What a row of the help or of the sort dialog calls a column.
fn names(scene: &Scene, doc: &str) -> String {
    let text = scene.text();
    let line = text.lines().find(|line| line.contains(doc));
    let line = line.unwrap_or_else(|| panic!("no {doc}"));
    let (name, _) = line.split_once(doc).expect("found");
    name.trim_start_matches([' ', '│', '>', '▶'])
        .trim()
        .to_owned()
}

#[test]
fn a_column_has_its_heading_and_its_id_in_the_help_and_in_the_sort_dialog() {
    for keys in ["?", "F6"] {
        let mut scene = Scene::new(200, 200);
        scene.keys(keys);
        for column in COLUMNS {
            let name = names(&scene, column.doc);
            assert!(name.contains(column.title), "{keys}: {name}");
            let lower = name.to_lowercase();
            assert!(lower.contains(column.id), "{keys}: {name}");
        }
        let badness = column("badness").expect("a column");
        assert_eq!(names(&scene, badness.doc), "BAD‰ (badness)");
        assert_eq!(names(&scene, column("rss").expect("a column").doc), "RSS");
    }
}

#[test]
fn what_can_be_sorted_by_its_id_can_be_filtered_by_it() {
    for field in filter::fields() {
        assert!(column(field).is_some(), "{field}");
        assert!(Filter::parse(&format!("{field}>1")).is_ok(), "{field}");
    }
    let mut scene = Scene::new(200, 200);
    scene.keys("?");
    says(&scene, "badness>=10");
    assert!(!words(&scene).contains("bad>="), "{}", scene.text());
}

#[test]
fn the_formula_of_the_running_kernel_is_in_the_help_and_in_the_details() {
    for formula in [ScoreFormula::Scaled, ScoreFormula::Permille] {
        let mut scene = Scene::new(200, 200);
        scene.state.host.rules.score = formula;
        scene.keys("?");
        says(&scene, score_formula(formula));
        scene.keys("Esc Enter");
        says(&scene, score_formula(formula));
    }
}

#[test]
fn the_header_gives_a_share_of_memory_in_the_unit_of_the_table() {
    let scene = calm_scene((200, 40), |_| ());
    let text = scene.text();
    let header = text
        .lines()
        .find(|line| line.contains("of RAM+swap"))
        .expect("the victim's line");
    let (before, _) = header.split_once(" of RAM+swap").expect("found");
    let share = before.split_whitespace().last().expect("a number");
    let number: f64 = share
        .strip_suffix('‰')
        .unwrap_or_else(|| panic!("{share} is not in per mille"))
        .parse()
        .expect("a number");
    assert!((1.0..1000.0).contains(&number), "{header}");
}

#[test]
fn one_is_counted_in_the_singular() {
    let mut scene = Scene::new(120, 60);
    let mut lonely = process(2456, "mysqld", 1, 0, 1);
    lonely.threads = 1;
    scene.sample(vec![lonely]);
    scene.keys("Enter");
    says(&scene, "1 thread, parent");
}

#[test]
fn details_show_the_group_that_counts_memory_and_the_rest_below_one_heading() {
    let lines = (1..=12).map(|n| match n {
        5 => "5:memory:/shop".to_owned(),
        n => format!("{n}:controller{n}:/other"),
    });
    let lines: Vec<_> = lines.collect();
    let mut scene = scene_with((120, 80), |sample| {
        sample.detail = Some(Detail {
            id: id(2456),
            cgroup_lines: lines.clone(),
            ..Detail::default()
        });
    });
    scene.keys("Enter");
    let said = words(&scene);
    let (_, sources) = said
        .split_once("Where the numbers are from")
        .expect("sources");
    assert!(sources.contains("cgroup 5:memory:/shop"), "{sources}");
    assert!(
        sources.contains("others 11 hierarchies that do not count memory: 1:controller1:/other"),
        "{sources}"
    );
    assert_eq!(sources.matches("cgroup").count(), 1, "{sources}");
}

#[test]
fn zswap_without_swap_is_said_to_have_no_effect_only_where_it_is_on() {
    for (zswap, wanted, not) in [
        (
            true,
            "without swap it has no effect",
            "nothing is swapped here",
        ),
        (false, "off nothing is swapped here", "off without swap"),
    ] {
        let mut scene = calm_scene((160, 80), |sample| {
            set(|settings| {
                settings.zswap = Some(zswap);
                settings.swappiness = None;
            })(sample);
            sample.memory.swap_total = 0;
            sample.memory.swap_free = 0;
        });
        scene.keys("S");
        says(&scene, wanted);
        assert!(!words(&scene).contains(not), "{}", words(&scene));
    }
}
