//! Every theme at every depth and in four sizes, on one scene.

use std::collections::BTreeMap;
use std::fmt::Write;

use ratatui::buffer::{Buffer, Cell};

use crate::common::scene::Scene;
use oomtop::config::{Environment, Mode, resolve};
use oomtop::ui::theme::{Theme, Themes};

const DEPTHS: [&str; 4] = ["truecolor", "256", "16", "none"];
const SIZES: [(u16, u16); 4] = [(40, 10), (80, 24), (120, 36), (200, 50)];

/// The themes as a terminal of this depth shows them.
fn themes(depth: &str) -> Themes {
    let environment = Environment {
        terminal: true,
        ..Environment::default()
    };
    let color = if depth == "none" {
        "--no-color".to_owned()
    } else {
        format!("--color-depth={depth}")
    };
    let line = ["oomtop".to_owned(), color];
    match resolve(line.map(Into::into), &environment, &mut Vec::new()) {
        Ok(Mode::Screen(launch)) => launch.theme,
        other => panic!("{other:?}"),
    }
}

fn look(cell: &Cell) -> String {
    let (fg, bg) = (cell.fg, cell.bg);
    let mut look = format!("{fg} on {bg}");
    if !cell.modifier.is_empty() {
        write!(look, " {:?}", cell.modifier).expect("a String");
    }
    look
}

fn drawn(scene: &Scene, theme: &Theme) -> Buffer {
    scene.buffer(theme)
}

fn text(buffer: &Buffer) -> Vec<&str> {
    buffer.content().iter().map(Cell::symbol).collect()
}

/// FNV-1a: the same on every machine and in every release of Rust.
fn hash(buffer: &Buffer) -> u32 {
    let mut hash = 0x811c_9dc5_u32;
    for cell in buffer.content() {
        for byte in look(cell).bytes().chain([0]) {
            hash = (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193);
        }
    }
    hash
}

#[test]
fn a_theme_changes_styles_and_never_the_text() {
    let mut table = String::new();
    for (width, height) in SIZES {
        let scene = Scene::new(width, height);
        let plain = drawn(&scene, &Theme::mono());
        writeln!(table, "{width}x{height}").expect("a String");
        let all = DEPTHS.map(themes);
        let names: Vec<String> = all[0].names().map(str::to_owned).collect();
        assert!(names.len() >= 9, "{names:?}");
        for name in &names {
            write!(table, "  {name:<14}").expect("a String");
            for themes in &all {
                let buffer = drawn(&scene, themes.of(name));
                assert_eq!(text(&buffer), text(&plain), "{name}");
                write!(table, " {:08x}", hash(&buffer)).expect("a String");
            }
            table.push('\n');
        }
    }
    insta::assert_snapshot!("hashes_of_styles", table);
}

/// The selected row is that of the next victim, and its name says so, however few colours there are.
#[test]
fn the_name_of_who_dies_first_stands_out_on_the_selected_row() {
    for (width, height) in SIZES {
        let mut scene = Scene::new(width, height);
        scene.keys("Home");
        let (row, head) = (
            scene.state.panes().table_rows.y,
            scene.state.panes().table_head.y,
        );
        let lines = scene.text();
        let heads: Vec<char> = lines
            .lines()
            .nth(head.into())
            .expect("heads")
            .chars()
            .collect();
        let at = heads
            .windows(4)
            .position(|part| part == ['N', 'A', 'M', 'E']);
        let pid = heads
            .windows(3)
            .position(|part| part == ['P', 'I', 'D'])
            .expect("PID");
        let name = u16::try_from(at.unwrap_or(0)).expect("a cell");
        for depth in DEPTHS {
            let themes = themes(depth);
            for theme in themes.names() {
                let buffer = drawn(&scene, themes.of(theme));
                // The mark is there at each size, the name where there is a column for it.
                let places = [Some(0), at.map(|_| name)];
                let plain = look(&buffer[(u16::try_from(pid).expect("a cell") + 2, row)]);
                for x in places.into_iter().flatten() {
                    assert_ne!(
                        look(&buffer[(x, row)]),
                        plain,
                        "{theme} {depth} {width}x{height} cell {x}"
                    );
                }
            }
        }
    }
}

/// One frame with a letter for each look, and what the letter is in each theme at two depths.
#[test]
fn every_look_of_a_frame() {
    let scene = Scene::new(80, 24);
    let mut frames: Vec<(String, Buffer)> = Vec::new();
    for depth in ["truecolor", "16"] {
        let themes = themes(depth);
        for name in themes.names() {
            frames.push((format!("{name} {depth}"), drawn(&scene, themes.of(name))));
        }
    }
    let mut letters: BTreeMap<Vec<String>, char> = BTreeMap::new();
    let mut order = Vec::new();
    let mut grid = String::new();
    let first = &frames[0].1;
    for y in first.area.top()..first.area.bottom() {
        for x in first.area.left()..first.area.right() {
            let looks: Vec<_> = frames
                .iter()
                .map(|(_, buffer)| look(&buffer[(x, y)]))
                .collect();
            let next = char::from(b'a' + u8::try_from(letters.len()).expect("few looks"));
            let letter = *letters.entry(looks.clone()).or_insert_with(|| {
                order.push((next, looks));
                next
            });
            grid.push(letter);
        }
        grid.push('\n');
    }
    for (letter, looks) in order {
        writeln!(grid, "\n{letter}").expect("a String");
        for ((name, _), look) in frames.iter().zip(looks) {
            writeln!(grid, "  {name:<24} {look}").expect("a String");
        }
    }
    insta::assert_snapshot!("looks_80x24", grid);
}
