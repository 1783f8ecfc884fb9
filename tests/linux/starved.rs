//! The real binary without descriptors, without room for its output, and with a zone that never ends.

use std::fs::OpenOptions;
use std::io::ErrorKind;
use std::process::{Command, Output, Stdio};

use crate::common::fake_root::FakeRoot;
use crate::common::patience::{beside, until};

fn tree() -> FakeRoot {
    FakeRoot::new().process(20, |p| p.comm("leaker").rss_mib(300))
}

/// A log with a kill.
const LOG: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/tests/fixtures/oom/lab/6.12-global.kmsg"
);

/// Every way to print something on standard output.
fn outputs(root: &str) -> [Vec<&str>; 10] {
    [
        vec!["--help"],
        vec!["-h"],
        vec!["explain", "--help"],
        vec!["--version"],
        vec!["--version", "--verbose", "--root", root],
        vec!["--print", "config"],
        vec!["--once", "--root", root],
        vec!["--json", "--root", root],
        vec!["explain", LOG],
        vec!["explain", "--json", LOG],
    ]
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn output_that_cannot_be_written_is_a_failure_with_a_sentence() {
    beside();
    let tree = tree();
    let root = tree.path("");
    for args in outputs(root.to_str().expect("UTF-8")) {
        let full = match OpenOptions::new().write(true).open("/dev/full") {
            Ok(full) => full,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return crate::common::skipped("output_that_cannot_be_written", "no /dev/full");
            }
            Err(error) => panic!("/dev/full: {error}"),
        };
        let output = Command::new(env!("CARGO_BIN_EXE_oomtop"))
            .args(&args)
            .env("XDG_CONFIG_HOME", "/nonexistent")
            .stdin(Stdio::null())
            .stdout(full)
            .output()
            .expect("the binary");
        // 1 of `explain` would mean that there was no kill.
        let wanted = if args == ["explain", LOG] || args == ["explain", "--json", LOG] {
            2
        } else {
            1
        };
        let said = said(&output);
        assert_eq!(output.status.code(), Some(wanted), "{args:?}: {said}");
        assert!(said.contains("No space left on device"), "{args:?}: {said}");
    }
}

#[test]
fn a_pipe_that_nobody_reads_is_no_failure() {
    beside();
    let tree = tree();
    let root = tree.path("");
    for args in outputs(root.to_str().expect("UTF-8")) {
        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        let output = Command::new(env!("CARGO_BIN_EXE_oomtop"))
            .args(&args)
            .env("XDG_CONFIG_HOME", "/nonexistent")
            .stdin(Stdio::null())
            .stdout(writer)
            .output()
            .expect("the binary");
        assert_eq!(output.status.code(), Some(0), "{args:?}");
        assert_eq!(said(&output), "", "{args:?}");
    }
}

#[test]
fn too_few_descriptors_are_a_sentence_and_never_a_panic_or_a_false_answer() {
    beside();
    let tree = tree();
    let root = tree.path("");
    let root = root.to_str().expect("UTF-8");
    let (mut refused, mut worked) = (0, 0);
    for limit in 4..=40 {
        for args in [
            vec!["--once", "--root", root],
            vec!["--json", "--root", root],
            vec!["--version", "--verbose", "--root", root],
            vec!["explain", LOG],
        ] {
            let output = Command::new("/bin/sh")
                .args(["-c", "ulimit -n $LIMIT; exec \"$0\" \"$@\""])
                .arg(env!("CARGO_BIN_EXE_oomtop"))
                .args(&args)
                .env("LIMIT", limit.to_string())
                .env("XDG_CONFIG_HOME", "/nonexistent")
                .stdin(Stdio::null())
                .output()
                .expect("a shell");
            let said = said(&output);
            let what = format!("{args:?} with {limit}: {:?} {said}", output.status);
            match output.status.code() {
                Some(0) => worked += 1,
                Some(1) => {
                    assert!(said.starts_with("oomtop: "), "{what}");
                    assert!(said.contains("open files"), "{what}");
                    assert!(!said.contains("mounted"), "{what}");
                    refused += 1;
                }
                _ => panic!("{what}"),
            }
        }
    }
    assert!(refused > 20 && worked > 20, "{refused} {worked}");
}

#[test]
fn a_soft_limit_on_descriptors_is_raised() {
    beside();
    let tree = tree();
    let output = Command::new("/bin/sh")
        .args(["-c", "ulimit -S -n 8; exec \"$0\" --once --root \"$1\""])
        .arg(env!("CARGO_BIN_EXE_oomtop"))
        .arg(tree.path(""))
        .stdin(Stdio::null())
        .output()
        .expect("a shell");
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
}

#[test]
fn a_zone_that_never_ends_does_not_hang_it() {
    beside();
    let tree = tree();
    let mut child = Command::new(env!("CARGO_BIN_EXE_oomtop"))
        .args(["--once", "--root"])
        .arg(tree.path(""))
        .env("TZ", "/dev/zero")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .expect("the binary");
    let mut status = None;
    let ended = until(|| {
        status = child.try_wait().expect("waited");
        status.is_some()
    });
    if !ended {
        child.kill().expect("killed");
        child.wait().expect("waited");
    }
    assert_eq!(status.and_then(|status| status.code()), Some(0));
}
