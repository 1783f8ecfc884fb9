//! The pages have what the tables have, and man(1) has nothing to say about them.

use std::io::Write;
use std::process::{Command, Stdio};

use clap::CommandFactory;

use super::Page;
use crate::app::input::actions::ACTIONS;
use crate::config::args::Args;
use crate::config::rules::keys;
use crate::config::settings::SETTINGS;
use crate::model::process::protection::{Protection, roles};

/// As text, without macros: what a reader searches for.
fn text(page: Page) -> String {
    let source = page.source().replace("\\-", "-").replace("\\(aq", "'");
    source
        .replace("\\fB", "")
        .replace("\\fI", "")
        .replace("\\fR", "")
        .replace("\\e", "\\")
}

#[test]
fn the_program_s_page_has_every_option_of_every_subcommand() {
    let text = text(Page::Program);
    let mut command = Args::command();
    command.build();
    let mut seen = 0;
    for command in std::iter::once(&command).chain(command.get_subcommands()) {
        if command.get_name() == "help" {
            continue;
        }
        assert!(
            text.contains(&format!("oomtop {}", command.get_name()))
                || command.get_name() == "oomtop"
        );
        for option in command.get_opts().filter(|option| !option.is_hide_set()) {
            let long = format!("--{}", option.get_long().expect("long"));
            assert!(
                text.lines()
                    .any(|line| line.split([' ', ',']).any(|word| word == long)),
                "{long}"
            );
            seen += 1;
        }
    }
    assert!(seen > 20, "{seen}");
    for action in ACTIONS.iter().flat_map(|row| row.iter()) {
        let doc: String = action
            .doc
            .split_whitespace()
            .take(4)
            .collect::<Vec<_>>()
            .join(" ");
        assert!(text.replace('\n', " ").contains(&doc), "{doc}");
    }
}

#[test]
fn the_other_pages_have_every_key() {
    let config = text(Page::Config);
    for setting in SETTINGS {
        assert!(
            config.contains(&format!(".TP\n{}\n", setting.key)),
            "{}",
            setting.key
        );
    }
    let rules = text(Page::Rules);
    for key in keys() {
        assert!(rules.contains(&format!(".TP\n{key}\n")), "{key}");
    }
    let words = Protection::ALL.map(Protection::name).into_iter();
    for word in words.chain(roles().map(|role| role.name)) {
        assert!(rules.contains(word), "{word}");
    }
    let recording = text(Page::Recording);
    assert!(
        recording.contains("version of the layout: 1;")
            && recording.contains("89 4f 4f 4d 52 45 43 0a")
    );
}

/// What a program that checks pages says about one; `None` where there is no such program.
fn verdict(program: &str, args: &[&str], source: &str) -> Option<String> {
    let mut child = Command::new(program);
    child
        .args(args)
        .env("MANROFFSEQ", "")
        .env("LC_ALL", "C.UTF-8");
    child
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = child.spawn().ok()?;
    child.stdin.take()?.write_all(source.as_bytes()).ok()?;
    let output = child.wait_with_output().ok()?;
    let told = if program == "mandoc" {
        output.stdout
    } else {
        output.stderr
    };
    Some(String::from_utf8_lossy(&told).into_owned())
}

#[test]
#[expect(clippy::print_stdout, reason = "a test that is skipped says so")]
fn man_and_mandoc_have_nothing_to_say() {
    let man: &[&str] = &["--warnings", "-E", "UTF-8", "-l", "-Tutf8", "-Z", "-"];
    let lint: &[&str] = &["-T", "lint", "-W", "warning"];
    for (program, args) in [("man", man), ("mandoc", lint)] {
        for page in Page::ALL {
            match verdict(program, args, &page.source()) {
                Some(told) => assert!(told.trim().is_empty(), "{page:?}: {told}"),
                None => println!("SKIPPED: {page:?} because there is no {program} here"),
            }
        }
    }
}
