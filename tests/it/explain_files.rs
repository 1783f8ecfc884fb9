//! `oomtop explain` and the files it is given: packed, cut, strange ones; and what of their content and names
//! reaches the terminal.

#![allow(
    clippy::expect_used,
    clippy::format_collect,
    reason = "a test fails by panicking; short logs are made here"
)]

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

fn oomtop() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_oomtop"));
    command.stdin(Stdio::null());
    command
}

fn explain(args: &[&str], log: &Path) -> Output {
    oomtop()
        .arg("explain")
        .args(args)
        .arg(log)
        .output()
        .expect("started")
}

fn fixture() -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/oom/049-v44-global.log");
    fs::read(path).expect("fixture")
}

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    packer.write_all(text).expect("packed");
    packer.finish().expect("packed")
}

fn saved(dir: &Path, name: &str, content: &[u8]) -> PathBuf {
    let path = dir.join(name);
    fs::write(&path, content).expect("written");
    path
}

#[test]
fn packed_and_utf_16_logs_are_read_by_what_they_are() {
    let dir = tempfile::tempdir().expect("a directory");
    let text = String::from_utf8(fixture()).expect("UTF-8");
    let utf16: Vec<u8> = std::iter::once(0xfeff)
        .chain(text.encode_utf16())
        .flat_map(u16::to_le_bytes)
        .collect();
    let plain = explain(&[], &saved(dir.path(), "plain", text.as_bytes()));
    for (name, content) in [
        ("any.name", gzip(text.as_bytes())),
        (
            "a.zst",
            ruzstd::encoding::compress_to_vec(
                text.as_bytes(),
                ruzstd::encoding::CompressionLevel::Fastest,
            ),
        ),
        ("windows.txt", utf16),
    ] {
        let output = explain(&[], &saved(dir.path(), name, &content));
        assert_eq!(output.status.code(), Some(0), "{name}");
        assert_eq!(output.stdout, plain.stdout, "{name}");
    }
}

#[test]
fn what_is_cut_is_explained_as_far_as_it_goes() {
    let dir = tempfile::tempdir().expect("a directory");
    let mut log = fixture();
    // What comes later is lost.
    log.extend(
        (0..20_000_u32).flat_map(|at| {
            format!("[{at}.000000] {}\n", at.wrapping_mul(2_654_435_761)).into_bytes()
        }),
    );
    let mut packed = gzip(&log);
    packed.truncate(packed.len() * 2 / 3);
    let output = explain(&["--json"], &saved(dir.path(), "cut.gz", &packed));
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        said.contains("cut.gz") && said.contains("cut short"),
        "{said}"
    );
    let document: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(document["kills"], 1);
}

#[test]
fn what_is_no_log_is_status_2_and_a_sentence() {
    let dir = tempfile::tempdir().expect("a directory");
    let journal = saved(dir.path(), "system.journal", b"LPKSHHRH\0\0\0\0\0\0\0\0");
    for (path, words) in [
        (journal.as_path(), "journalctl"),
        (dir.path(), "directory"),
        (Path::new("/dev/zero"), "no log"),
    ] {
        let output = explain(&[], path);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains(words) && said.lines().count() == 1, "{said}");
    }
}

#[test]
fn names_of_files_and_json_cannot_drive_the_terminal() {
    let dir = tempfile::tempdir().expect("a directory");
    let evil = "\u{1b}]0;x\u{7}\u{9b}31m\u{202e}\u{61c}\u{ad}\u{180e}\u{3164}\u{7f}";
    let output = explain(&[], &dir.path().join(evil));
    let said = String::from_utf8(output.stderr).expect("UTF-8");
    let is_unsafe = |c: char| c != '\n' && oomtop::text::tone::is_unsafe(c);
    assert_eq!(said.chars().find(|c| is_unsafe(*c)), None, "{said:?}");
    let log = format!(
        "[    5.000000] Out of memory: Killed process 7 (a{evil}b) total-vm:8kB, anon-rss:4kB\n\
         Nov 22 10:00:00 host earlyoom[5]: sending SIGTERM to process 12 uid 0 \"{evil}\": oom_score 1, VmRSS 1 MiB\n"
    );
    let log = saved(dir.path(), "log", log.as_bytes());
    for args in [&[][..], &["--json"]] {
        let output = explain(args, &log);
        let text = String::from_utf8(output.stdout).expect("UTF-8");
        assert_eq!(text.chars().find(|c| is_unsafe(*c)), None, "{text:?}");
        if !args.is_empty() {
            let document: Value = serde_json::from_str(&text).expect("JSON");
            let comm = &document["reports"][0]["report"]["kills"][0]["comm"];
            assert_eq!(*comm, format!("a{evil}b"), "the value stays");
            assert_eq!(document["user_kills"][0]["comm"], evil);
        }
    }
}

#[test]
fn a_full_list_of_kills_by_programs_keeps_the_newest() {
    let dir = tempfile::tempdir().expect("a directory");
    let lines: String = (0..100_100)
        .map(|at| format!("Mar  4 05:06:07 pc earlyoom[7]: sending SIGTERM to process {at} uid 0 \"p{at}\": oom_score 1, VmRSS 2 MiB\n"))
        .collect();
    let log = saved(dir.path(), "log", lines.as_bytes());
    let output = explain(&["--json"], &log);
    let document: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let kills = document["user_kills"].as_array().expect("a list");
    assert_eq!(
        (kills.len(), &document["left_out"]),
        (100_000, &Value::from(100))
    );
    assert_eq!(
        (&kills[0]["pid"], &kills[99_999]["pid"]),
        (&Value::from(100), &Value::from(100_099))
    );
    assert_eq!(document["kills"], 100_100);
}

#[test]
fn the_list_has_the_reason_of_a_program() {
    let dir = tempfile::tempdir().expect("a directory");
    let log = "Mar  4 05:06:07 pc earlyoom[7]: mem avail:   300 of 16000 MiB ( 1.88%), swap free:    0 of    0 MiB ( 0.00%)\n\
        Mar  4 05:06:07 pc earlyoom[7]: low memory! at or below SIGTERM limits: mem 10.00%, swap 10.00%\n\
        Mar  4 05:06:07 pc earlyoom[7]: sending SIGTERM to process 5 uid 0 \"acorn\": oom_score 1, VmRSS 2 MiB\n\
        Mar  4 05:06:09 pc earlyoom[7]: sending SIGTERM to process 6 uid 0 \"beech\": oom_score 1, VmRSS 2 MiB\n\
        Mar  4 05:06:19 pc earlyoom[7]: process 6 did not exit\n\
        Mar  4 05:07:07 pc systemd-oomd[8]: Killed /a/b.scope due to memory pressure for /a being 51.07% > 50.00% for > 20s with reclaim activity\n";
    let output = explain(&[], &saved(dir.path(), "log", log.as_bytes()));
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    for part in [
        "2.0M rss",
        "1.88%",
        "mem 10.00%",
        "it did not die",
        "51.07% > 50.00%",
        "b.scope",
        "2 killed by other programs, 1 did not die:",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
}

#[test]
fn help_on_a_full_disk_is_a_failure() {
    for flag in ["--help", "--version", "--print-config"] {
        let full = File::options()
            .write(true)
            .open("/dev/full")
            .expect("/dev/full");
        let status = oomtop()
            .arg(flag)
            .stdout(full)
            .stderr(Stdio::null())
            .status();
        assert_eq!(status.expect("started").code(), Some(1), "{flag}");
    }
}
