//! The real loop, from keys to frames and files, on a fake tree and a terminal in memory.

use std::io::Write as _;

use crate::common::driver::Driver;
use crate::common::fake_root::FakeRoot;
use oomtop::app::msg::Msg;
use oomtop::app::settings::Settings;

/// One large process, selected at start. Its adj has three digits: a shorter write to a plain file would leave
/// old digits behind.
fn shop() -> FakeRoot {
    FakeRoot::new()
        .process(10, |p| p.comm("idle").rss_mib(2))
        .process(20, |p| p.comm("leaker").rss_mib(3000).adj(100))
}

fn adj(root: &FakeRoot) -> String {
    let text = std::fs::read_to_string(root.path("proc/20/oom_score_adj")).expect("readable");
    text.trim().to_owned()
}

#[test]
fn keys_write_an_adj_to_the_tree_and_undo_it() {
    let root = shop();
    let driver = Driver::start(&root, Settings::default(), None);
    driver.wait_text("leaker");
    driver.keys("a 5 0 0");
    driver.wait_text("write 500");
    assert_eq!(adj(&root), "100", "a dialog writes nothing by itself");
    driver.keys("Enter");
    driver.wait_for("the file", |_| adj(&root) == "500");
    driver.wait_text("+500");
    driver.wait_text("u Undo");
    driver.keys("u");
    driver.wait_text("leaker 500 → 100");
    assert_eq!(adj(&root), "500", "the undo asks first");
    driver.keys("Enter");
    driver.wait_for("the file as before", |_| adj(&root) == "100");
    driver.keys("q");
    driver.wait_end().expect("it ends well");
}

#[test]
fn the_log_of_the_tree_comes_into_the_frame() {
    let root = shop();
    let driver = Driver::start(&root, Settings::default(), None);
    driver.wait_text("leaker");
    let report = include_str!("../fixtures/oom/lab/6.12-global.kmsg");
    let mut log = std::fs::OpenOptions::new()
        .append(true)
        .open(root.path("dev/kmsg"))
        .expect("the log");
    log.write_all(report.as_bytes()).expect("written");
    driver.wait_text("257 preferred");
    driver.tell(Msg::Stop);
    driver.wait_end().expect("a signal ends it well");
}

#[test]
fn a_suspended_loop_draws_a_whole_frame_of_the_new_size() {
    let root = shop();
    let driver = Driver::start(&root, Settings::default(), Some((80, 24)));
    driver.wait_text("leaker");
    driver.wait_for("no suspension yet", |seen| seen.suspended == 0);
    driver.keys("Ctrl-z");
    driver.wait_for("a frame of 80 x 24", |seen| {
        let mut lines = seen.frame.lines();
        seen.suspended == 1 && lines.all(|line| line.chars().count() == 80)
    });
    driver.wait_for("24 lines, with the table", |seen| {
        seen.frame.lines().count() == 24 && seen.frame.contains("leaker")
    });
    // Continued after a stop that the loop did not ask for.
    let mut cleared = 0;
    driver.wait_for("a look", |seen| {
        cleared = seen.cleared;
        true
    });
    driver.tell(Msg::Resumed);
    driver.wait_for("the terminal taken again", |seen| {
        seen.retaken == 1 && seen.cleared > cleared
    });
    driver.wait_text("leaker");
    driver.keys("Ctrl-c");
    driver.wait_end().expect("it ends well");
}

#[test]
fn read_only_leaves_the_tree_alone() {
    let root = shop();
    let settings = Settings {
        read_only: true,
        ..Settings::default()
    };
    let driver = Driver::start(&root, settings, None);
    driver.wait_text("leaker");
    driver.keys("a 5 0 0 Enter");
    driver.wait_text("oomtop is read-only");
    assert_eq!(adj(&root), "100");
    driver.keys("Esc Esc q");
    driver.wait_end().expect("it ends well");
}
