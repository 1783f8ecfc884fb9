//! The commands and the TOML in the documents for people: each is one that oomtop takes.

use std::fs;
use std::path::Path;

use super::Given;

/// README, manual and the page of the configuration: name and text.
fn documents() -> Vec<(String, String)> {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let in_assets = fs::read_dir(package.join("assets")).expect("assets");
    let in_assets = in_assets.flatten().map(|entry| entry.path());
    let mut paths: Vec<_> = in_assets
        .filter(|path| path.extension().is_some_and(|e| e == "md"))
        .collect();
    paths.push(package.join("README.md"));
    paths.push(package.join("src/config/print/man/config.md"));
    let read = |path: &std::path::PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        (name.into_owned(), fs::read_to_string(path).expect("UTF-8"))
    };
    paths.iter().map(read).collect()
}

/// The indented lines of code, with runs of them kept together.
fn blocks(text: &str) -> Vec<String> {
    let mut blocks = vec![String::new()];
    for line in text.lines() {
        let last = blocks.last_mut().expect("never empty");
        match line.strip_prefix("    ") {
            Some(code) => {
                last.push_str(code);
                last.push('\n');
            }
            None if last.is_empty() => {}
            // A blank line within TOML.
            None if line.is_empty() => last.push('\n'),
            None => blocks.push(String::new()),
        }
    }
    blocks
}

/// Words as a shell splits them, up to the end of the first command or a comment. Brackets around what may be left out
/// go.
fn words(command: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quote = None;
    for c in command.chars() {
        let word = words.last_mut().expect("never empty");
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (None, '\'' | '"') => quote = Some(c),
            (None, '|' | '>' | '<' | ';' | '&') => break,
            (None, '#') if word.is_empty() => break,
            (None, ' ') => words.push(String::new()),
            (None, '[' | ']') => {}
            (_, c) => word.push(c),
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// The calls of oomtop in a line of code: behind a prompt, in a pipeline, in a container.
fn calls(line: &str) -> Vec<Vec<String>> {
    let line = line.trim_start_matches("$ ").trim_start_matches("# ");
    let starts = line.match_indices("oomtop ").map(|(at, _)| at);
    let starts = starts.filter(|at| {
        let before = line.get(..*at).unwrap_or_default().trim_end();
        before.is_empty()
            || before.ends_with(['|', ';', '&'])
            || before.ends_with("IMAGE")
            || before.ends_with("sudo")
    });
    starts
        .map(|at| words(line.get(at..).unwrap_or_default()))
        .collect()
}

#[test]
fn every_command_of_the_documents_is_one() {
    let mut seen = 0;
    for (name, text) in documents() {
        for line in blocks(&text).iter().flat_map(|block| block.lines()) {
            for call in calls(line) {
                seen += 1;
                let arguments = call.iter().map(Into::into);
                let given = Given::new();
                if let Err(stop) = super::resolve(arguments, &given.environment, &mut Vec::new()) {
                    assert_eq!(stop.status, 0, "{name}: {line}\n{}", stop.text);
                }
            }
        }
    }
    assert!(seen > 5, "{seen} commands");
}

#[test]
fn every_configuration_of_the_documents_is_one() {
    let (mut seen, mut bound) = (0, 0);
    for (name, text) in documents() {
        for block in blocks(&text) {
            let is_rule = block.contains("[[rule]]");
            let is_setting = |line: &str| {
                let key = line.split_once(" = ").map(|(key, _)| key);
                key.is_some_and(|key| key.chars().all(|c| c.is_ascii_lowercase() || c == '_'))
            };
            let (settings, keys) = block.split_once("[bind]\n").unwrap_or((&block, ""));
            let mut lines = settings.lines();
            if is_rule || !lines.all(|line| line.is_empty() || is_setting(line)) || block.is_empty()
            {
                continue;
            }
            seen += 1;
            bound += keys.lines().count();
            let given = Given::new().user(&block);
            if let Err(stop) = given.resolve("oomtop") {
                panic!("{name}: {block}\n{}", stop.text);
            }
        }
    }
    assert!(seen > 0 && bound > 0, "no configuration: {seen}, {bound}");
}

#[test]
fn calls_are_found_and_split() {
    for (line, wanted) in [
        (
            "$ oomtop why 12 --since -1h",
            vec!["oomtop|why|12|--since|-1h"],
        ),
        ("journalctl -k | oomtop explain -", vec!["oomtop|explain|-"]),
        (
            "docker run --pid=host IMAGE oomtop --root /host",
            vec!["oomtop|--root|/host"],
        ),
        (
            "oomtop fleet --match 'job=\"oomtop\"' [--once | --json]",
            vec!["oomtop|fleet|--match|job=\"oomtop\"|--once"],
        ),
        ("oomtop metrics      # a comment", vec!["oomtop|metrics"]),
        ("cat /etc/oomtop rules", vec![]),
    ] {
        let found: Vec<_> = calls(line).iter().map(|call| call.join("|")).collect();
        assert_eq!(found, wanted, "{line}");
    }
}
