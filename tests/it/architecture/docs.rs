//! What the documentation says about files: each file and folder that it names exists.

use std::fs;
use std::path::{Path, PathBuf};

use super::sources::sources;

fn package() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The lines of a file's module documentation with their numbers.
fn module_docs(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines()
        .enumerate()
        .filter_map(|(at, line)| Some((at + 1, line.trim_start().strip_prefix("//!")?)))
}

/// The files and folders of this package that a line names: `x.rs` anywhere, and in backticks folders (`x/`) and
/// everything below `src` and `tests`.
fn named(line: &str) -> Vec<&str> {
    let is_path = |c: char| c.is_ascii_alphanumeric() || "_-/.*".contains(c);
    let mut found: Vec<_> = line
        .split(|c| !is_path(c))
        .map(|word| word.trim_end_matches('.'))
        .filter(|word| {
            Path::new(word).extension().is_some_and(|e| e == "rs") || word.ends_with('/')
        })
        // A line of a diagram, `…`, or a system's own directory.
        .filter(|word| word.contains(char::is_alphabetic) && !word.starts_with('/'))
        .filter(|word| !word.contains('*'))
        .collect();
    let quoted = line.split('`').skip(1).step_by(2);
    found.extend(quoted.filter(|word| {
        ["src/", "tests/"].iter().any(|top| word.starts_with(top)) && word.chars().all(is_path)
    }));
    found
}

/// Where a path in the documentation of `file` may start: the package, `src`, the file's folder, and the folder of
/// its child modules.
fn exists(path: &str, file: &Path) -> bool {
    let beside = file.parent().unwrap_or(file);
    let below = file.with_extension("");
    [package(), &package().join("src"), beside, &below]
        .iter()
        .any(|start| start.join(path).exists())
}

fn missing(file: &Path, lines: impl IntoIterator<Item = (usize, String)>) -> Vec<String> {
    let mut missing = Vec::new();
    for (at, line) in lines {
        for path in named(&line) {
            if !exists(path, file) {
                missing.push(format!("{}:{at}: there is no {path}", file.display()));
            }
        }
    }
    missing
}

#[test]
fn every_file_and_folder_that_the_documentation_names_exists() {
    let mut wrong = Vec::new();
    for (file, text) in [sources("src"), sources("tests")].concat() {
        let docs: Vec<_> = module_docs(&text)
            .map(|(at, line)| (at, line.to_owned()))
            .collect();
        wrong.extend(missing(&file, docs));
    }
    for name in ["README.md", "assets/manual.md", "assets/contributing.md"] {
        let file = package().join(name);
        let text = fs::read_to_string(&file).expect(name);
        let lines = text.lines().enumerate();
        wrong.extend(missing(
            &file,
            lines.map(|(at, line)| (at + 1, line.to_owned())),
        ));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn names_of_files_are_found_in_prose_and_in_diagrams() {
    for (line, wanted) in [
        (
            "  rows    events.rs, both with pane.rs",
            "events.rs|pane.rs",
        ),
        ("a row in `model/filter.rs` and its arm.", "model/filter.rs"),
        (
            "a file in `config/commands/` (arguments)",
            "config/commands/",
        ),
        (
            "By `tests/it` nothing, `tests/linux`.",
            "tests/it|tests/linux",
        ),
        (
            "cgroup-v1/memory.rst, `host.rules.rss_error`, mm/oom_kill.c",
            "",
        ),
        ("systemd src/oom/oomd-manager.c, `/proc/`, `PID/stat`", ""),
    ] {
        assert_eq!(named(line).join("|"), wanted, "{line}");
    }
    let lib = package().join("src/lib.rs");
    let lines = [
        "`model/nothing.rs`".to_owned(),
        "`model/filter.rs`".to_owned(),
    ];
    let found = missing(&lib, (1..).zip(lines));
    assert_eq!(found.len(), 1, "{found:?}");
}

/// Where to add a test: every folder of tests has its place in the crate's documentation.
#[test]
fn the_crate_docs_name_every_folder_of_tests() {
    let lib = include_str!("../../../src/lib.rs");
    let docs: String = module_docs(lib).map(|(_, line)| line).collect();
    let folders: Vec<PathBuf> = fs::read_dir(package().join("tests"))
        .expect("tests")
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.is_dir())
        .collect();
    assert!(folders.len() > 5, "{folders:?}");
    for folder in folders {
        let name = folder.file_name().expect("a name").to_string_lossy();
        let named =
            docs.contains(&format!("`tests/{name}`")) || docs.contains(&format!("`tests/{name}/"));
        assert!(named, "src/lib.rs does not say what tests/{name} is for");
    }
}

/// The kernels whose reports are understood.
#[test]
fn manual_and_parser_name_the_same_kernels() {
    let span = |text: &str| {
        let words: Vec<_> = text.split_whitespace().filter(|w| *w != "//!").collect();
        let at = words
            .windows(4)
            .find(|w| w[0].eq_ignore_ascii_case("kernels") && w[1] == "from" && w[3] == "to");
        let from = at.expect("kernels from … to")[2].to_owned();
        let to = words
            .iter()
            .skip_while(|w| **w != from)
            .nth(2)
            .expect("a release")
            .trim_end_matches([')', ','])
            .to_owned();
        (from, to)
    };
    let manual = span(include_str!("../../../assets/manual.md"));
    assert_eq!(manual, span(include_str!("../../../src/oomlog/mod.rs")));
}
