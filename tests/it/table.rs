//! The process table: its columns, its command lines, its tree, and the row at the top.

use crate::common::changed::{says, scene_at, words};
use crate::common::scene::{Scene, process, processes};
use crate::common::writes::writes;
use oomtop::app::settings::Settings;
use oomtop::app::view::processes::columns::chosen::ChosenColumns;
use oomtop::app::view::processes::columns::column;
use oomtop::model::process::Process;
use oomtop::model::process::cpu::CpuTime;
use oomtop::model::process::score::OomScoreAdj;

/// The heads of the columns.
fn heads(scene: &Scene) -> Vec<String> {
    let text = scene.text();
    let line = text.lines().find(|line| line.contains(" PID "));
    let line = line.unwrap_or_else(|| panic!("{text}"));
    line.split_whitespace().map(str::to_owned).collect()
}

fn has(scene: &Scene, head: &str) -> bool {
    heads(scene).iter().any(|known| known == head)
}

/// The row of a process.
fn row(scene: &Scene, pid: u32) -> String {
    let text = scene.text();
    let word = pid.to_string();
    let is_it = |line: &&str| line.split_whitespace().take(2).any(|w| w == word);
    let line = text
        .lines()
        .filter(|line| !line.contains("killed"))
        .find(is_it);
    line.unwrap_or_else(|| panic!("no {pid} in {text}"))
        .to_owned()
}

/// The scene with the processor time of each process.
fn with_time(mut processes: Vec<Process>) -> Vec<Process> {
    for process in &mut processes {
        process.cpu = Some(CpuTime {
            nanos: 61_500_000_000,
            read: 1,
            percent: Some(12.5),
        });
    }
    processes
}

#[test]
fn a_column_without_a_word_folds_and_comes_back_at_the_first_one() {
    // The scene begins with swap: what has spoken stays for a while.
    let seconds: Vec<u64> = (3..45).collect();
    let mut scene = scene_at((159, 40), &seconds, |sample| {
        sample.memory.swap_total = 0;
        sample.memory.swap_free = 0;
        for process in &mut sample.processes {
            process.adj = process.adj.map(|_| OomScoreAdj::ZERO);
        }
    });
    assert!(
        !has(&scene, "SWAP") && !has(&scene, "PROTECTION"),
        "{}",
        scene.text()
    );
    assert!(!has(&scene, "CPU%"), "no back end has told it");
    // The scene has swap, and processes that are protected.
    scene.sample(with_time(processes()));
    for head in ["SWAP", "CPU%"] {
        assert!(has(&scene, head), "{head}: {}", scene.text());
    }
    // The sort column is there, whatever it says.
    let mut scene = scene_at((159, 40), &seconds, |sample| sample.memory.swap_total = 0);
    assert!(!has(&scene, "SWAP"), "{}", scene.text());
    scene.state.table.sort = column("swap").expect("SWAP");
    assert!(has(&scene, "SWAP"));
}

#[test]
fn the_protection_of_an_ordinary_process_is_no_word() {
    let scene = Scene::new(300, 70);
    assert!(has(&scene, "PROTECTION"), "{}", scene.text());
    assert!(!scene.text().contains("default"), "{}", scene.text());
    assert!(row(&scene, 956).contains("high"), "{}", row(&scene, 956));
}

#[test]
fn chosen_columns_are_those_and_in_their_order() {
    let columns =
        ChosenColumns::parse("pid,cpu,time,threads,state,command:30,name").expect("known");
    let settings = Settings {
        columns,
        ..Settings::default()
    };
    let mut scene = Scene::with(120, 30, settings, crate::common::scene::host());
    scene.sample(with_time(processes()));
    let chosen = ["PID", "CPU%", "TIME+", "THR", "ST", "COMMAND", "NAME"];
    assert_eq!(heads(&scene), chosen);
    let line = row(&scene, 2456);
    for value in ["12.5", "1:01.50", "mysqld"] {
        assert!(line.contains(value), "{line}");
    }
}

#[test]
fn a_narrow_table_shows_the_name_and_what_it_was_called_with() {
    let scene = Scene::new(80, 24);
    let line = row(&scene, 2456);
    assert!(
        line.contains("mysqld") && line.contains("--daemon"),
        "{line}"
    );
    assert!(!scene.text().contains("/usr/sbin"), "{}", row(&scene, 2456));
}

#[test]
fn command_lines_scroll_and_show_their_directories() {
    let mut scene = Scene::new(100, 30);
    assert!(row(&scene, 2456).contains("--daemonize"));
    scene.keys("Right");
    assert!(!row(&scene, 2456).contains("--daemon"), "{}", scene.text());
    assert!(scene.text().contains("«8 COMMAND"), "{}", scene.text());
    scene.keys("Right Left Left Left");
    assert!(row(&scene, 2456).contains("--daemonize"));
    scene.keys("Right Right ^ p");
    assert!(
        row(&scene, 2456).contains("/usr/sbin/mysqld"),
        "{}",
        scene.text()
    );
    scene.keys("p");
    assert!(!row(&scene, 2456).contains("/usr/sbin/mysqld"));
    // No further than the longest reaches.
    for _ in 0..40 {
        scene.keys("Right");
    }
    let before = scene.text();
    scene.keys("Right");
    assert_eq!(before, scene.text());
}

#[test]
fn the_tree_hides_what_is_below_a_process_and_counts_it() {
    let mut scene = Scene::new(100, 40);
    scene.keys("t Home");
    let rows = scene.state.table.rows().len();
    assert_eq!(scene.selected(), Some(1), "{}", scene.text());
    // A process with siblings below it does not end their line.
    let text = scene.text();
    assert!(text.contains("├ mysqld"), "{text}");
    scene.keys("-");
    assert!(scene.state.table.rows().len() < rows, "{}", scene.text());
    let below = rows - scene.state.table.rows().len();
    assert!(
        row(&scene, 1).contains(&format!("systemd +{below}")),
        "{}",
        scene.text()
    );
    scene.keys("-");
    assert_eq!(
        scene.state.table.rows().len(),
        rows - below,
        "hidden already"
    );
    scene.keys("+");
    assert_eq!(scene.state.table.rows().len(), rows);
    scene.keys("* *");
    assert_eq!(scene.state.table.rows().len(), rows);
    // Elsewhere the keys set the period.
    scene.keys("t +");
    assert!(
        scene.text().contains("refresh every 2.0 s"),
        "{}",
        scene.text()
    );
}

#[test]
fn a_user_is_chosen_from_a_list() {
    let mut scene = Scene::new(100, 30);
    scene.keys("W");
    says(&scene, "all users");
    says(&scene, "1 process");
    scene.keys("Down Enter");
    let filter = scene.state.table.filter.text().to_owned();
    assert!(filter.starts_with("user:"), "{filter}");
    assert!(!scene.state.table.rows().is_empty());
    scene.keys("W Home Up Up Up Up Up Up Enter");
    assert_eq!(scene.state.table.filter.text(), "");
}

#[test]
fn a_user_who_ends_leaves_all_users_and_a_zoom_stays() {
    let mut scene = Scene::new(100, 30);
    scene.keys("W Down");
    let gone = scene.state.snapshot.clone();
    scene.keys("Enter W");
    let user = scene.state.table.filter.user().expect("one").to_owned();
    let is_other = |p: &Process| gone.user(p.uid).is_some_and(|name| name != user);
    scene.sample(processes().into_iter().filter(is_other).collect());
    scene.keys("Enter");
    assert_eq!(
        scene.state.table.filter.text(),
        "",
        "as the marked row says"
    );
    let zoom = Some(scene.state.attention.nearest[0]);
    scene.state.table.zoom = zoom;
    scene.keys("W Down Enter");
    assert_eq!(scene.state.table.zoom, zoom);
    assert!(scene.state.table.filter.user().is_some());
}

#[test]
fn the_row_at_the_top_is_whichever_is_first_until_the_user_leaves_it() {
    let mut scene = Scene::new(100, 30);
    assert_eq!(scene.selected(), Some(2456));
    let grown = |pid: u32| {
        let mut processes = processes();
        let others = processes.iter_mut().filter(|p| p.id.pid == pid);
        for process in others {
            process.memory = process_of_size(pid);
        }
        processes
    };
    scene.sample(grown(1893));
    assert_eq!(scene.selected(), Some(1893), "{}", scene.text());
    // Nobody has looked at it yet: the key says whom it would act on.
    scene.keys("k");
    assert!(scene.state.dialogs.is_empty());
    let told = "2456 mysqld is not the first any more; k again acts on 1893 shop-worker";
    assert!(scene.text().contains(told), "{}", scene.text());
    scene.keys("k");
    assert_eq!(scene.state.dialogs.len(), 1);
    assert!(writes(&scene.asked()).is_empty());
    scene.keys("Esc Down Up");
    scene.sample(processes());
    assert_eq!(scene.selected(), Some(2456), "at the top again");
    scene.keys("Down");
    let chosen = scene.selected();
    scene.sample(grown(1893));
    assert_eq!(scene.selected(), chosen, "another row holds its process");
}

#[test]
fn who_was_found_by_a_filter_or_in_a_domain_stays_selected_without_it() {
    for drop in [
        "Esc",
        "/ BackSpace BackSpace BackSpace BackSpace BackSpace BackSpace Enter",
        "/ Esc",
    ] {
        let mut scene = Scene::new(100, 30);
        scene.keys("/ w o r k e r Enter");
        let found = scene.selected();
        assert_eq!(found, Some(1893), "{}", scene.text());
        scene.keys(drop);
        assert_eq!(scene.selected(), found, "{drop}: {}", scene.text());
        scene.sample(processes());
        assert_eq!(scene.selected(), found, "{drop}");
        scene.keys("k");
        assert_eq!(
            scene.state.dialogs.len(),
            1,
            "the screen has shown it: no question"
        );
    }
    // The first without a filter is whichever is first again.
    let mut scene = Scene::new(100, 30);
    scene.keys("/ m y s q l Enter Esc");
    assert_eq!(scene.selected(), Some(2456));
    let mut processes = processes();
    for process in processes.iter_mut().filter(|p| p.id.pid == 1893) {
        process.memory = process_of_size(1893);
    }
    scene.sample(processes);
    assert_eq!(scene.selected(), Some(1893));
}

#[test]
fn a_tagged_or_followed_process_at_the_top_stays_selected() {
    for keys in ["Space Up", "F"] {
        let mut scene = Scene::new(100, 30);
        scene.keys(keys);
        assert_eq!(scene.selected(), Some(2456), "{keys}");
        let mut processes = processes();
        for process in processes.iter_mut().filter(|p| p.id.pid == 1893) {
            process.memory = process_of_size(1893);
        }
        scene.sample(processes);
        assert_eq!(scene.selected(), Some(2456), "{keys}: {}", words(&scene));
    }
}

/// More than anybody else has.
fn process_of_size(pid: u32) -> Option<oomtop::model::process::MemoryUse> {
    process(pid, "large", 15_000, 0, 4).memory
}

#[test]
fn a_name_that_comes_and_goes_takes_no_column_with_it() {
    let with = |command: &str| {
        let mut all = with_time(processes());
        for process in &mut all {
            process.command = Some("x -v".into());
        }
        if let Some(process) = all.iter_mut().find(|process| process.id.pid == 2456) {
            process.command = Some(command.into());
        }
        all
    };
    let (short, long) = (
        with("x -v"),
        with("x --a-long-option --and-another --and-so-on"),
    );
    let mut edges = 0;
    for width in 90..150 {
        let fresh = |all: &Vec<Process>| {
            let mut scene = Scene::new(width, 30);
            for _ in 0..65 {
                scene.sample(all.clone());
            }
            scene
        };
        let (mut scene, narrow) = (fresh(&short), heads(&fresh(&long)));
        let wide = heads(&scene);
        if wide == narrow {
            continue;
        }
        edges += 1;
        scene.sample(long.clone());
        assert_eq!(heads(&scene), narrow, "it grows at once: {}", scene.text());
        for _ in 0..3 {
            for _ in 0..29 {
                scene.sample(short.clone());
                assert_eq!(heads(&scene), narrow, "{}", scene.text());
            }
            scene.sample(long.clone());
        }
        for _ in 0..65 {
            scene.sample(short.clone());
        }
        assert_eq!(heads(&scene), wide, "and shrinks in time");
        if edges == 2 {
            return;
        }
    }
    panic!("at no width do the columns depend on the commands");
}
