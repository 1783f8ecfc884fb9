//! What is printed instead of the dashboard: by the binary, on a tree of its own.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Command, Output, Stdio};

use crate::common::fake_root::FakeRoot;
use serde_json::Value;

/// Two processes, one with a name made to confuse.
fn tree() -> FakeRoot {
    FakeRoot::new()
        .process(10, |p| p.rss_mib(8).cmdline("/usr/bin/java -jar a,b.jar"))
        .process(11, |p| p.rss_mib(9).comm("a\"b\u{1b}[31m"))
}

fn command(fake: &FakeRoot, args: &[&str]) -> Command {
    let root = fake.sys_root();
    let mut command = Command::new(env!("CARGO_BIN_EXE_oomtop"));
    command
        .args(args)
        .arg("--proc")
        .arg(&root.proc)
        .arg("--cgroup")
        .arg(&root.cgroup)
        .arg("--kmsg")
        .arg(&root.kmsg)
        .stdin(Stdio::null());
    command
}

fn said(args: &[&str]) -> String {
    let Output { stdout, stderr, .. } = command(&tree(), args).output().expect("started");
    let text = String::from_utf8(stdout).expect("UTF-8");
    assert!(stderr.is_empty(), "{}", String::from_utf8_lossy(&stderr));
    assert!(!text.contains('\u{1b}'), "{text}");
    text
}

#[test]
fn values_have_their_names_once_and_are_raw() {
    let text = said(&[
        "--csv",
        "-n",
        "2",
        "-d",
        "0.1",
        "--columns",
        "pid,rss:3,name,command,bar",
    ]);
    let lines: Vec<_> = text.split_terminator("\r\n").collect();
    assert_eq!(
        lines.first(),
        Some(&"time_unix,pid,rss,name,command"),
        "{text}"
    );
    assert_eq!(lines.len(), 5, "{text}");
    let values = |line: &str| line.split_once(',').map(|(_, rest)| rest.to_owned());
    let java = values(lines[2]).expect("a row");
    assert!(java.starts_with("10,8388608,"), "{java}");
    assert!(java.ends_with(",\"/usr/bin/java -jar a,b.jar\""), "{java}");
    let odd = values(lines[1]).expect("a row");
    assert!(
        odd.starts_with("11,9437184,\"a\"\"b\u{fffd}[31m\","),
        "{odd}"
    );
}

#[test]
fn several_documents_have_a_line_each() {
    let text = said(&["--json", "-n", "2", "-d", "0.1"]);
    let documents: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).expect("a document"))
        .collect();
    assert_eq!(documents.len(), 2);
    let times: Vec<_> = documents
        .iter()
        .map(|d| d["unix_micros"].as_i64())
        .collect();
    assert!(times[0] < times[1], "{times:?}");
}

#[test]
fn a_batch_ends_quietly_when_nobody_reads_it() {
    let fake = tree();
    let mut child = command(&fake, &["-b", "-d", "0.1"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("started");
    let mut lines = BufReader::new(child.stdout.take().expect("a pipe"));
    let mut text = String::new();
    while text.matches("next victim of the host").count() < 2 {
        assert!(lines.read_line(&mut text).expect("a line") > 0, "{text}");
    }
    drop(lines);
    let status = child.wait().expect("ended");
    let mut complaint = String::new();
    let mut stderr = child.stderr.take().expect("a pipe");
    stderr.read_to_string(&mut complaint).expect("read");
    assert_eq!((status.code(), complaint.as_str()), (Some(0), ""));
}

#[test]
fn columns_that_have_nothing_to_say_are_left_out_unless_they_were_chosen() {
    let head = |args: &[&str]| {
        let text = said(args);
        let line = text.lines().find(|line| line.contains("PID"));
        line.unwrap_or_else(|| panic!("{text}")).trim().to_owned()
    };
    let head_of_all = head(&["--once"]);
    for folded in ["PROTECTION", "CGROUP"] {
        assert!(!head_of_all.contains(folded), "{head_of_all}");
    }
    assert_eq!(
        head(&["--once", "--columns", "swap,pid,protection"]),
        "SWAP PID PROTECTION"
    );
}

#[test]
fn sentences_have_no_columns_and_stay_in_the_order_of_pids() {
    let text = said(&["--plain"]);
    let rows: Vec<_> = text
        .lines()
        .filter(|line| line.contains("resident"))
        .collect();
    assert_eq!(rows.len(), 2, "{text}");
    assert!(rows[0].starts_with("10 "), "{text}");
    assert!(rows[1].starts_with("11 a\"b\u{fffd}[31m: "), "{text}");
    assert!(rows.iter().all(|row| row.ends_with('.')), "{text}");
    assert!(text.contains("dies first."), "{text}");
    let none = said(&["--plain", "-p", "999"]);
    assert!(
        none.contains("No process passes the filter pid:999."),
        "{none}"
    );
}

#[test]
fn a_host_and_a_path_with_escape_codes_cannot_drive_the_terminal() {
    let fake = tree();
    let evil = "\u{1b}]0;x\u{7}\u{9b}31m\u{202e}\u{61c}\u{ad}\u{180e}\u{3164}";
    fake.write("proc/sys/kernel/hostname", format!("web{evil}\n"));
    let root = fake.sys_root();
    for mode in ["--once", "--json"] {
        let output = Command::new(env!("CARGO_BIN_EXE_oomtop"))
            .arg(mode)
            .arg("--proc")
            .arg(&root.proc)
            .arg("--cgroup")
            .arg(&root.cgroup)
            .arg("--kmsg")
            .arg(fake.path(&format!("none{evil}")))
            .stdin(Stdio::null())
            .output()
            .expect("started");
        let text = String::from_utf8(output.stdout).expect("UTF-8");
        let is_unsafe = |c: &char| *c != '\n' && oomtop::text::tone::is_unsafe(*c);
        assert_eq!(text.chars().find(is_unsafe), None, "{mode}: {text:?}");
        // Both are there all the same.
        assert!(
            text.contains("web") && text.contains("none"),
            "{mode}: {text}"
        );
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(said.chars().find(is_unsafe), None, "{mode}: {said:?}");
    }
}
