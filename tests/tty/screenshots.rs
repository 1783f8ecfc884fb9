//! The pictures in `screenshots/`: the real binary over a prepared scene, drawn as SVG.
//!
//! `UPDATE_SCREENSHOTS=1 cargo test --test tty screenshots` redraws them. Otherwise the test still opens and
//! renders every screen, and checks that the picture exists.

#![expect(clippy::expect_used, reason = "helpers of tests fail the test")]

use std::io::Write as _;
use std::path::Path;
use std::time::Duration;

use crate::common::pty::Launch;
use crate::common::scene_tree::SceneTree;
use crate::common::screen::Screen;
use crate::common::{svg, svg_glyph};

/// One picture: file name, title, keys from the main screen, and words that must be on it.
struct Shot {
    name: &'static str,
    title: &'static str,
    keys: &'static str,
    words: &'static [&'static str],
}

const SHOTS: &[Shot] = &[
    Shot {
        name: "main",
        title: "oomtop: who dies next",
        keys: "",
        words: &["mysqld", "java", "WARNING", "next victim", "OOM events"],
    },
    Shot {
        name: "adjust",
        title: "oomtop: protect a process (a)",
        keys: "a<Up><Up>",
        words: &["adjust", "sacrifice", "immune", "write -500"],
    },
    Shot {
        name: "cgroup",
        title: "oomtop: fence a process in (c)",
        keys: "c11G",
        words: &["Cgroup of", "memory.max", "cgroup.procs"],
    },
    Shot {
        name: "details",
        title: "oomtop: badness taken apart (Enter)",
        keys: "<Enter>",
        words: &["badness", "page tables"],
    },
    Shot {
        name: "domains",
        title: "oomtop: OOM domains (d)",
        keys: "d",
        words: &["OOM domains by", "shop-api.service", "next victim"],
    },
    Shot {
        name: "settings",
        title: "oomtop: who acts first, and how the kernel is set (S)",
        keys: "S",
        words: &[
            "What decides the next OOM",
            "Who acts first",
            "panic_on_oom",
        ],
    },
    Shot {
        name: "help",
        title: "oomtop: keys (F1)",
        keys: "<F1>",
        words: &["help", "adjust oom_score_adj"],
    },
    Shot {
        name: "event",
        title: "oomtop: what died, and why (e, Enter)",
        keys: "e<Enter>",
        words: &["preferred", "RAM was full", "What to do now"],
    },
    Shot {
        name: "tasks",
        title: "oomtop: the kernel's own table, ranked (3)",
        keys: "<Enter>3",
        words: &["[Tasks]", "leaker", "never"],
    },
];

/// The rows that the README explains, in its order.
fn callouts(screen: &Screen) -> Vec<u16> {
    let words = [
        "Mem ",
        "PSI ",
        "Trend ",
        "Next victim",
        "dies: ",
        "Processes",
        "! ",
        "OOM events",
        "F1",
    ];
    let found = words
        .iter()
        .map(|words| screen.find(words).map(|(_, row)| row));
    let rows: Vec<u16> = found.flatten().collect();
    assert_eq!(rows.len(), words.len(), "{}", screen.framed());
    rows
}

/// Lets the scene's kernel write a whole report, as a real 6.12 did in a virtual machine.
pub(super) fn real_report(kmsg: &Path) {
    let report = include_str!("../fixtures/oom/lab/6.12-global.kmsg");
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    let before = std::fs::read_to_string(kmsg).expect("the scene's log");
    let number = |line: &str| line.split(',').nth(1)?.parse::<u64>().ok();
    let last = before.lines().filter_map(number).max().unwrap_or(0);
    let mut log = std::fs::OpenOptions::new()
        .append(true)
        .open(kmsg)
        .expect("the scene's log");
    for (seq, record) in (last + 1..).zip(report.lines().filter(|line| !line.starts_with(' '))) {
        let Some((head, text)) = record.split_once(';') else {
            continue;
        };
        let level = head.split(',').next().unwrap_or("6");
        let micros = now.tv_sec * 1_000_000 + now.tv_nsec / 1000;
        writeln!(log, "{level},{seq},{micros},-;{text}").expect("a record");
    }
}

#[test]
fn every_screen_renders_and_has_its_picture() {
    let update = std::env::var_os("UPDATE_SCREENSHOTS").is_some();
    let mut scene = SceneTree::new();
    // Started beside it: the path of a temporary directory has no place in a picture.
    let launch = Launch::oomtop().cwd(scene.folder());
    let mut session = launch.args(["--root", "host"]).start();
    session.wait_for("the scene", |screen| screen.has("mysqld"));
    // A picture of a machine that has been watched for a while has a trend in it.
    for _ in 0..if update { 20 } else { 2 } {
        std::thread::sleep(Duration::from_secs(1));
        scene.advance();
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("screenshots");
    for shot in SHOTS {
        if shot.name == "event" {
            real_report(&scene.folder().join("host/dev/kmsg"));
            session.wait_for("the kill", |screen| screen.has("257 preferred"));
        }
        session.keys(shot.keys);
        session.wait_for(shot.name, |screen| screen.has_words(shot.words));
        std::thread::sleep(Duration::from_millis(if update { 1200 } else { 50 }));
        // Take picture and text from one screen state: the next frame may come at any time.
        let (picture, text) = session.look(|s| (svg::render(s, shot.title), Screen::text(s)));
        well_formed(&picture, &text);
        let file = folder.join(format!("{}.svg", shot.name));
        if update {
            std::fs::create_dir_all(&folder).expect("screenshots");
            std::fs::write(&file, picture).expect("a picture");
        }
        let kept = std::fs::read_to_string(&file);
        if update && shot.name == "main" {
            let numbered = session.look(|s| svg::render_numbered(s, shot.title, &callouts(s)));
            std::fs::write(folder.join("callouts.svg"), numbered).expect("a picture");
        }
        assert!(
            kept.is_ok_and(|svg| svg.starts_with("<svg ")),
            "{} is missing",
            file.display()
        );
        session.keys("<Esc>");
        session.wait_for("the main screen", |screen| screen.has_words(SHOTS[0].words));
    }
    session.keys("q");
    assert_eq!(session.wait_exit().code, 0);
}

/// Every tag that opens closes, and the picture holds the text of the screen, no more and no less.
fn well_formed(picture: &str, text: &str) {
    let mut open = Vec::new();
    for tag in picture.split('<').skip(1) {
        let (tag, _) = tag.split_once('>').expect("a tag ends");
        let name = tag
            .split([' ', '/'])
            .find(|n| !n.is_empty())
            .expect("a name");
        if tag.starts_with('/') {
            assert_eq!(open.pop(), Some(name), "tags cross");
        } else if !tag.ends_with('/') {
            open.push(name);
        }
    }
    assert!(open.is_empty(), "not closed: {open:?}");
    let drawn = |c: &char| svg_glyph::shape(&c.to_string(), 0.0, 0.0, "").is_some();
    let wanted: String = text
        .chars()
        .filter(|c| !c.is_whitespace() && !drawn(c))
        .collect();
    assert_eq!(
        letters(picture),
        wanted,
        "the picture says something else than the screen"
    );
}

/// The text of the cells, without spaces. The first two texts are the window's title.
fn letters(picture: &str) -> String {
    let texts = picture.split("<text ").skip(2);
    let inside = texts.filter_map(|t| Some(t.split_once('>')?.1.split_once("</text>")?.0));
    let all: String = inside.collect();
    let all = all
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&amp;", "&");
    all.chars().filter(|c| !c.is_whitespace()).collect()
}
