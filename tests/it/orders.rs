//! In which order rows stand, and that the screen says so: titles, the sort dialog, clicks on heads.

use oomtop::app::msg::{Mouse, MouseAction, Msg};
use oomtop::app::settings::Settings;
use oomtop::app::view::processes::columns::chosen::ChosenColumns;

use crate::common::scene::{Scene, host};
use crate::common::shop::{run, shop};

fn title(scene: &Scene) -> String {
    let text = scene.text();
    let mut lines = text.lines();
    let found = lines.find(|line| line.contains("Processes by") || line.contains("OOM domains"));
    found.unwrap_or_else(|| panic!("{text}")).to_owned()
}

#[test]
fn an_order_by_a_column_that_is_not_shown_is_told() {
    let settings = Settings {
        columns: ChosenColumns::parse("pid,name").expect("columns"),
        sort: Some("rss"),
        ..Settings::default()
    };
    let scene = Scene::with(80, 24, settings, host());
    assert!(
        title(&scene).contains("by rss ↓ (not shown)"),
        "{}",
        title(&scene)
    );
    let scene = Scene::new(80, 24);
    assert!(!title(&scene).contains("not shown"), "{}", title(&scene));
    // LATELY has no room on a narrow screen.
    let mut scene = Scene::new(80, 24);
    run(&mut scene, 100, 3, shop);
    scene.keys("d F6");
    let text = scene.text();
    assert!(text.contains("> urgency"), "{text}");
    for _ in 0..60 {
        if scene.text().contains("> LATELY") {
            break;
        }
        scene.keys("Down");
    }
    scene.keys("Enter");
    assert!(
        title(&scene).contains("by past ↓ (not shown)"),
        "{}",
        title(&scene)
    );
}

#[test]
fn the_list_of_orders_marks_the_one_that_the_domains_are_in() {
    let mut scene = Scene::new(120, 36);
    run(&mut scene, 100, 3, shop);
    for (keys, order) in [("d", "urgency"), ("t", "path"), ("t", "urgency")] {
        scene.keys(keys);
        assert!(
            title(&scene).contains(&format!("by {order}")),
            "{}",
            title(&scene)
        );
        scene.keys("F6");
        let text = scene.text();
        assert!(text.contains(&format!("> {order}")), "{text}");
        scene.keys("Esc");
    }
    scene.keys("F6 Down Enter");
    assert!(title(&scene).contains("by path"), "{}", title(&scene));
}

#[test]
fn a_low_screen_shows_most_of_the_orders_and_none_twice() {
    let mut scene = Scene::new(80, 24);
    scene.keys("F6");
    let text = scene.text();
    let offered = text.lines().filter(|line| line.contains("│")).count();
    assert!(offered >= 18, "{offered} rows\n{text}");
    let doc = "badness: the share of the OOM domain";
    assert_eq!(text.matches(doc).count(), 1, "{text}");
    // What had no room stands below.
    assert!(text.contains("… included"), "{text}");
}

#[test]
fn a_click_over_the_bar_sorts_by_the_number_that_it_draws() {
    let mut scene = Scene::new(120, 36);
    scene.keys("P");
    for (open, id) in [("", "badness"), ("d", "kept")] {
        run(&mut scene, 100, 3, shop);
        scene.keys(open);
        let (x, y) = {
            let panes = scene.state.panes();
            let width = panes.table_head.width;
            let bar = if open.is_empty() {
                let columns = scene.state.table.columns(width);
                columns.iter().find(|c| c.column.id == "bar").map(|c| c.x)
            } else {
                let columns = scene.state.domain_columns(width);
                columns.iter().find(|c| c.column.id == "bar").map(|c| c.x)
            };
            (bar.expect("a bar"), panes.table_head.y)
        };
        scene.tell(Msg::Mouse(Mouse {
            action: MouseAction::Click,
            x,
            y,
        }));
        assert!(
            title(&scene).contains(&format!("by {id} ")),
            "{}",
            title(&scene)
        );
    }
}

#[test]
fn the_tree_moves_no_column_before_the_names() {
    for (width, height) in [(80, 24), (100, 30), (120, 36)] {
        let mut scene = Scene::new(width, height);
        let places = |scene: &Scene| -> Vec<_> {
            let columns = scene.state.table.columns(width);
            let before = columns.iter().take_while(|c| c.column.id != "name");
            before.map(|c| (c.column.id, c.x)).collect()
        };
        let ids = |scene: &Scene| -> Vec<_> {
            let columns = scene.state.table.columns(width);
            columns.iter().map(|c| c.column.id).collect()
        };
        let flat = (places(&scene), ids(&scene));
        scene.keys("t");
        assert_eq!((places(&scene), ids(&scene)), flat, "{width}");
    }
}

#[test]
fn names_of_siblings_are_told_apart_by_their_ends() {
    let mut scene = Scene::new(80, 24);
    let long = "/kubernetes-workloads/payments-reconciliation";
    run(&mut scene, 100, 3, |_| {
        let groups = vec![
            crate::common::shop::group("/", None, 0, 0),
            crate::common::shop::group(&format!("{long}-blue"), Some(0), 300, 200),
            crate::common::shop::group(&format!("{long}-green"), Some(0), 300, 200),
        ];
        let processes = [1, 2].map(|at| crate::common::scene::process(at * 10, "app", 50, 0, at));
        (groups, processes.to_vec())
    });
    scene.keys("d");
    let text = scene.text();
    for end in ["-blue", "-green"] {
        let rows = text.lines().filter(|line| {
            let name = line.split_whitespace().next();
            name.is_some_and(|name| name.ends_with(end))
        });
        assert_eq!(rows.count(), 1, "{end}\n{text}");
    }
}
