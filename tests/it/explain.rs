//! `oomtop explain` as a command line program: what it prints, its exit status, what it refuses.

#![allow(clippy::expect_used, reason = "a test fails by panicking")]

use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

const ALLOCATION_FAILURE: &str = "\
[  100.000000] kswapd0: page allocation failure: order:0, mode:0xc0c40(GFP_NOFS|__GFP_COMP), nodemask=(null),cpuset=/,mems_allowed=0
[  100.000001] CPU: 4 UID: 0 PID: 156 Comm: kswapd0 Not tainted 6.19.0 #435
[  100.000002] Call Trace:
[  100.000003]  dump_stack_lvl+0x5d/0x80
[  100.000004] Mem-Info:
[  100.000005] active_anon:504 inactive_anon:110821 isolated_anon:0
[  100.000006] Node 0 DMA32 free:2588kB min:2612kB low:3264kB high:3916kB
[  100.000007] 130942 pages RAM
";

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures/oom")
        .join(name)
}

fn explain() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_oomtop"));
    command.arg("explain").stdin(Stdio::null());
    command
}

fn run(names: &[&str]) -> Output {
    let files = names.iter().map(|name| fixture(name));
    explain().args(files).output().expect("started")
}

fn json(path: &Path) -> Value {
    let output = explain().arg("--json").arg(path).output().expect("started");
    serde_json::from_slice(&output.stdout).expect("JSON")
}

fn text(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("UTF-8")
}

/// A file that is gone when the test ends.
fn written(content: &[u8]) -> tempfile::NamedTempFile {
    let mut file = tempfile::NamedTempFile::new().expect("a file");
    file.write_all(content).expect("written");
    file
}

#[test]
fn reports_in_full_and_then_the_list() {
    let output = run(&["049-v44-global.log"]);
    assert_eq!(output.status.code(), Some(0));
    assert!(output.stderr.is_empty());
    let text = text(&output);
    let list = text.find("1 killed in 1 report").expect("the list");
    for part in [
        "=== 1. ",
        "leaky",
        "What to do now",
        "node 0 DMA32",
        "oom_score_adj",
    ] {
        assert!(
            text.find(part).is_some_and(|at| at < list),
            "{part}\n{text}"
        );
    }
    assert!(text[list..].contains("leaky"), "{text}");
}

#[test]
fn several_files_in_one_go() {
    let output = run(&["049-v44-global.log", "055-v49-memsw-docker.log"]);
    let text = text(&output);
    assert_eq!(output.status.code(), Some(0));
    assert!(text.contains("2 killed in 2 reports"), "{text}");
    assert!(text.contains("=== 2. "));
}

#[test]
fn no_kill_is_status_1() {
    for log in [
        &b""[..],
        b"Nov 22 10:00:00 host kernel: usb 1-1: new device\n",
        ALLOCATION_FAILURE.as_bytes(),
    ] {
        let file = written(log);
        let output = explain().arg(file.path()).output().expect("started");
        assert_eq!(output.status.code(), Some(1), "{}", text(&output));
        assert!(text(&output).contains("No OOM kill was found"));
        assert_eq!(json(file.path())["reports"], Value::Array(Vec::new()));
    }
}

#[test]
fn a_report_without_its_end_is_shown_and_is_no_kill() {
    let log = fs::read_to_string(fixture("049-v44-global.log")).expect("fixture");
    let end = log.find("Out of memory: Kill process").expect("a kill");
    let cut = log
        .get(..end)
        .and_then(|log| log.rfind('\n'))
        .expect("lines");
    let file = written(log.get(..cut).expect("a beginning").as_bytes());
    let output = explain().arg(file.path()).output().expect("started");
    assert_eq!(output.status.code(), Some(1));
    let text = text(&output);
    assert!(
        text.contains("=== 1. ") && text.contains("1 report, but the log holds no kill"),
        "{text}"
    );
}

#[test]
fn what_cannot_be_read_is_status_2_and_the_others_are_explained() {
    let missing = fixture("no-such-file.log");
    let output = explain()
        .arg(&missing)
        .arg(fixture("049-v44-global.log"))
        .output()
        .expect("started");
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        said.contains("cannot read")
            && said.contains("no-such-file.log")
            && said.lines().count() == 1,
        "{said}"
    );
    assert!(text(&output).contains("leaky"), "the readable one");
    let folder = explain().arg(fixture("lab")).output().expect("started");
    assert_eq!(folder.status.code(), Some(2), "a folder is no log");
}

#[test]
fn standard_input() {
    let mut child = explain()
        .arg("-")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("started");
    let log = fs::read(fixture("074-v612-global.log")).expect("fixture");
    child
        .stdin
        .take()
        .expect("a pipe")
        .write_all(&log)
        .expect("written");
    let output = child.wait_with_output().expect("ended");
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(text(&output), text(&run(&["074-v612-global.log"])));
}

#[test]
fn json_has_its_fields() {
    let document = json(&fixture("055-v49-memsw-docker.log"));
    assert_eq!(document["format"], 1);
    assert_eq!(document["kills"], 1);
    assert_eq!(document["gaps"], 0);
    let report = &document["reports"][0];
    for field in [
        "summary",
        "cause",
        "swap",
        "held_by_name",
        "held_by_cgroup",
        "freed",
        "ranking",
        "zones",
        "fragmented",
    ] {
        assert!(report.get(field).is_some(), "{field}");
    }
    assert_eq!(report["cause"]["cause"], "limit_by_processes");
    assert_eq!(report["swap"]["swap"], "full");
    assert_eq!(report["ranking_explains_victim"], true);
    assert_eq!(report["held_by_name"][0]["comm"], "python3");
    assert_eq!(report["freed"]["anon_kb"], 56_656);
    assert_eq!(report["report"]["constraint"], "memcg");
    assert_eq!(report["report"]["kills"][0]["comm"], "python3");
    assert!(
        report["report"]["raw"]
            .as_array()
            .is_some_and(|raw| raw.len() > 20)
    );
}

#[test]
fn a_reader_that_leaves_is_no_error() {
    // More output than a pipe holds, and a reader that stops reading.
    let log = fs::read(fixture("063-v510-220-tasks.log")).expect("fixture");
    let file = written(&log.repeat(60));
    let mut child = explain()
        .arg("--json")
        .arg(file.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("started");
    let mut first = [0; 10];
    let mut out = child.stdout.take().expect("a pipe");
    out.read_exact(&mut first).expect("the beginning");
    drop(out);
    let output = child.wait_with_output().expect("ended");
    assert_eq!(output.status.code(), Some(0));
    assert!(
        output.stderr.is_empty(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn names_cannot_drive_the_terminal() {
    let evil = "\u{1b}[31mx\u{7}\u{202e}\r";
    let log = format!(
        "[\u{0}17:12:54]{evil} invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL{evil}), order=0, oom_score_adj=0\n\
         [    5.000000] oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset={evil},mems_allowed=0,oom_memcg=/{evil},task_memcg=/{evil},task={evil},pid=7,uid=0\n\
         [    5.000000] Memory cgroup out of memory: Killed process 7 ({evil}) total-vm:8kB, anon-rss:4kB, file-rss:0kB, shmem-rss:0kB, UID:0 pgtables:4kB oom_score_adj:0\n\
         Nov 22 10:00:00 host earlyoom[5]: sending SIGTERM to process 12 uid 0 \"{evil}\": oom_score 1, VmRSS 1 MiB\n"
    );
    let file = written(log.as_bytes());
    for json in [false, true] {
        let mut command = explain();
        if json {
            command.arg("--json");
        }
        let output = command.arg(file.path()).output().expect("started");
        assert_eq!(output.status.code(), Some(0));
        let text = text(&output);
        let raw = text.chars().find(|c| c.is_control() && *c != '\n');
        assert_eq!(raw, None, "{text:?}");
        assert!(json || !text.contains('\u{202e}'), "text turned round");
    }
}

#[test]
fn every_form_of_a_log_names_the_same_victim() {
    for case in [
        "6.18-memcg",
        "6.18-global",
        "6.18-nested",
        "5.10-oomgroup",
        "7.2-global",
        "6.1-reaper",
    ] {
        let victims: Vec<(&str, Value)> = ["log", "kmsg", "journal"]
            .into_iter()
            .filter_map(|form| {
                let path = fixture(&format!("lab/{case}.{form}"));
                path.exists().then(|| {
                    let document = json(&path);
                    let kills = document["reports"][0]["report"]["kills"].clone();
                    let kill = &kills[0];
                    (
                        form,
                        serde_json::json!([kill["pid"], kill["comm"], kill["anon_rss_kb"]]),
                    )
                })
            })
            .collect();
        assert!(victims.len() > 1, "{case} has one form only");
        for (form, victim) in &victims {
            assert_eq!(victim, &victims[0].1, "{case}.{form}");
            assert!(victim[0].is_number(), "{case}.{form}");
        }
    }
}

#[test]
fn three_explanations() {
    for name in [
        "055-v49-memsw-docker.log",
        "064-v510-tmpfs-deadlock.log",
        "lab/6.18-oomgroup.log",
    ] {
        let snapshot = Path::new(name)
            .file_stem()
            .and_then(|n| n.to_str())
            .expect("a name");
        insta::assert_snapshot!(format!("explain_{snapshot}"), text(&run(&[name])));
    }
}

#[test]
fn a_table_without_rows_is_not_printed() {
    let text = text(&run(&["23-grepped-no-table.log"]));
    assert!(!text.contains("of 0 tasks"), "{text}");
    assert!(text.contains("Killed 310 acorn"), "{text}");
}

#[test]
fn where_no_log_can_be_read_that_is_said_and_nothing_is_denied() {
    for source in [
        &["--kmsg", "/nonexistent/kmsg"][..],
        &["--kmsg", "/dev/zero"],
        &["--kmsg", "/dev/null"],
        &["/nonexistent/log"],
    ] {
        let output = explain().args(source).output().expect("started");
        assert_eq!(output.status.code(), Some(2), "{source:?}: {output:?}");
        let said = text(&output);
        assert!(said.contains("No log could be read"), "{source:?}: {said}");
        assert!(!said.contains("No OOM kill was found"), "{said}");
        let why = String::from_utf8_lossy(&output.stderr);
        assert!(!why.is_empty(), "{source:?}: what is missing");
        let output = explain().arg("--json").args(source).output();
        let output = output.expect("started");
        let document: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        assert_eq!(document.get("kills"), Some(&Value::Null), "{source:?}");
    }
}

#[test]
fn the_running_kernels_kills_have_a_date() {
    let log = fs::read(fixture("lab/6.12-global.kmsg")).expect("fixture");
    let file = written(&log);
    let output = explain().arg("--kmsg").arg(file.path()).output();
    let output = output.expect("started");
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let text = text(&output);
    let head = text.lines().find_map(|line| line.strip_prefix("=== 1. "));
    let head = head.expect("a head");
    // Date, time and offset, not seconds after boot.
    let shape: String = head
        .chars()
        .map(|c| if c.is_ascii_digit() { '0' } else { c })
        .collect();
    let shape = shape.replace('-', "+");
    assert_eq!(shape, "0000+00+00 00:00:00 +00:00", "{head}");
    assert!(!text.contains("after boot"), "{text}");
}
