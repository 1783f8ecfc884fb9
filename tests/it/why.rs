//! `oomtop why`: the cause of each kind of death by what the journal and the kernel's log say, in words and JSON.

mod journal;

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};

use journal::{COREDUMP, FAILURE, Journal, OOM, whole};

/// `oomtop why` with a journalctl that prints this.
fn why(journal: &str, arguments: &[&str]) -> Output {
    let dir = tempfile::tempdir().expect("a directory");
    fs::write(dir.path().join("journal"), journal).expect("written");
    let script = dir.path().join("journalctl");
    fs::write(&script, "#!/bin/sh\nexec /bin/cat \"${0%/*}/journal\"\n").expect("written");
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).expect("executable");
    Command::new(env!("CARGO_BIN_EXE_oomtop"))
        .arg("why")
        .args(arguments)
        .env("PATH", dir.path())
        .env("TZ", "UTC")
        .stdin(Stdio::null())
        .output()
        .expect("started")
}

fn document(journal: &str, who: &str) -> (Value, Option<i32>) {
    let output = why(journal, &[who, "--json"]);
    let document = serde_json::from_slice(&output.stdout).expect("JSON");
    (document, output.status.code())
}

/// The causes, newest first.
fn causes(journal: &str, who: &str) -> Vec<String> {
    let (document, _) = document(journal, who);
    let deaths = document["deaths"].as_array().expect("deaths");
    deaths
        .iter()
        .map(|death| death["cause"]["kind"].as_str().expect("a kind").to_owned())
        .collect()
}

#[test]
fn every_kind_of_death_by_pid_by_unit_and_by_name() {
    let journal = whole().lines;
    for (who, kinds) in [
        ("812001", "kernel_oom kernel_oom"),
        ("zq-limit.service", "kernel_oom kernel_oom"),
        ("zq-limit", "kernel_oom kernel_oom"),
        ("812002", "kernel_oom"),
        ("zq-host.scope", "kernel_oom"),
        ("812003", "kernel_oom"),
        ("812004", "oom_policy"),
        ("zq-policy.service", "oom_policy"),
        ("zq-oomd.service", "program"),
        ("812005", "program"),
        ("zq-early.service", "program"),
        ("zq-early", "program"),
        ("zq-kill.service", "signal"),
        ("812006", "crash"),
        ("zq-crash.service", "crash"),
        ("zq-exit.service", "exit"),
        ("zq-ok.service", "exit"),
        ("zq-stop.service", "stopped"),
        ("zq-silent.scope", "unknown"),
        ("web-0", "eviction"),
        ("zq/web-0", "eviction"),
        ("812999", ""),
        ("zq-nobody", ""),
    ] {
        assert_eq!(causes(&journal, who).join(" "), kinds, "{who}");
        let status = document(&journal, who).1;
        let known = !kinds.is_empty() && !kinds.starts_with("unknown");
        assert_eq!(status, Some(i32::from(!known)), "{who}");
    }
}

#[test]
fn the_words_and_the_document() {
    let journal = whole().lines;
    let mut words = String::new();
    for who in [
        "812001",
        "zq-policy.service",
        "zq-early.service",
        "zq-kill.service",
        "812006",
        "zq-exit.service",
        "zq-silent.scope",
        "web-0",
    ] {
        let output = why(&journal, &[who]);
        let text = String::from_utf8(output.stdout).expect("UTF-8");
        // What there is now is this machine's.
        let own = ["\nNow\n", "\nNot readable\n"]
            .iter()
            .filter_map(|head| text.find(head))
            .min();
        let _ = writeln!(
            words,
            "$ oomtop why {who}\n{}",
            text.get(..own.unwrap_or(text.len())).expect("a beginning")
        );
    }
    insta::assert_snapshot!("why", words);
    let (mut document, _) = document(&journal, "812001");
    for own in ["now", "unreadable"] {
        document[own] = Value::Null;
    }
    let pretty = serde_json::to_string_pretty(&document).expect("JSON");
    insta::assert_snapshot!("why_json", pretty);
}

#[test]
fn a_doubt_is_no_cause() {
    // earlyoom killed somebody of another name just before: whose process that was nothing says.
    let mut near = Journal::default();
    near.earlyoom(812_050, "zq-thing");
    near.exit(
        "zq-near.service",
        "/usr/bin/zq-near",
        "killed",
        "15",
        "signal",
    );
    assert_eq!(causes(&near.lines, "zq-near.service"), ["unknown"]);
    near.pause(60);
    near.exit(
        "zq-far.service",
        "/usr/bin/zq-far",
        "killed",
        "15",
        "signal",
    );
    assert_eq!(causes(&near.lines, "zq-far.service"), ["signal"]);
    // The kernel killed elsewhere in that moment: who shares the victim's memory dies without a line.
    let mut beside = Journal::default();
    beside.oom(812_051, "zq-victim", "/elsewhere", true);
    beside.exit(
        "zq-beside.service",
        "/usr/bin/zq-beside",
        "killed",
        "9",
        "signal",
    );
    assert_eq!(causes(&beside.lines, "zq-beside.service"), ["unknown"]);
    let text = String::from_utf8(why(&beside.lines, &["zq-beside.service"]).stdout).expect("UTF-8");
    assert!(
        text.contains("no proof of an OOM") && text.contains("What would have told"),
        "{text}"
    );
    // A kill long ago in a unit that outlived it.
    let mut old = Journal::default();
    old.oom(812_052, "zq-child", "/system.slice/zq-old.service", true);
    old.systemd(
        "zq-old.service",
        OOM,
        "A process of this unit has been killed by the OOM killer.",
        &Value::Null,
    );
    old.pause(600);
    old.exit(
        "zq-old.service",
        "/usr/bin/zq-old",
        "exited",
        "1",
        "exit-code",
    );
    assert_eq!(causes(&old.lines, "zq-old.service"), ["exit", "kernel_oom"]);
}

#[test]
fn what_any_user_can_write_is_no_evidence() {
    let mut forged = Journal::default();
    forged.record(&json!({"_PID": "900", "_UID": "1000", "_COMM": "logger", "UNIT": "zq-forged.service", "MESSAGE_ID": FAILURE,
        "UNIT_RESULT": "oom-kill", "_TRANSPORT": "journal", "MESSAGE": "zq-forged.service: Failed with result 'oom-kill'."}));
    forged.record(&json!({"_TRANSPORT": "syslog", "SYSLOG_IDENTIFIER": "kernel", "SYSLOG_FACILITY": "0", "_UID": "1000", "_PID": "9",
        "MESSAGE": "Out of memory: Killed process 812060 (zq-forged) total-vm:1kB, anon-rss:1kB, file-rss:0kB, shmem-rss:0kB"}));
    forged.record(&json!({"_PID": "901", "_UID": "1000", "_COMM": "logger", "MESSAGE_ID": COREDUMP, "COREDUMP_PID": "812060",
        "COREDUMP_SIGNAL": "11", "_TRANSPORT": "journal", "MESSAGE": "x"}));
    assert!(causes(&forged.lines, "zq-forged.service").is_empty());
    assert!(causes(&forged.lines, "812060").is_empty());
}

#[test]
fn whoever_lives_is_alive_and_a_bad_time_is_refused() {
    let own = std::process::id().to_string();
    let output = why("", &[&own]);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        text.contains(&format!("Process {own} (")) && text.contains("is alive, since"),
        "{text}"
    );
    let output = why("", &["1", "--since", "soon"]);
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        said.contains("\"soon\" is no time") && said.contains("10 min ago"),
        "{said}"
    );
    // Deaths before it are left out.
    let journal = whole().lines;
    let output = why(
        &journal,
        &["812001", "--json", "--since", "2024-01-02 03:10"],
    );
    let document: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(document["deaths"].as_array().map(Vec::len), Some(1));
}

/// Only the kernel's log: a file of raw records.
#[test]
fn a_log_without_a_journal() {
    let dir = tempfile::tempdir().expect("a directory");
    let log = dir.path().join("kmsg");
    let line = "3,1,5000000,-;Memory cgroup out of memory: Killed process 812070 (zq-a-name-of-mo) total-vm:9kB, anon-rss:5kB, file-rss:0kB, shmem-rss:0kB, UID:0 pgtables:60kB oom_score_adj:0\n";
    fs::write(&log, line).expect("written");
    let file = log.to_str().expect("UTF-8");
    let ask = |who: &str| {
        let output = why("", &[who, "--json", "--kmsg", file]);
        serde_json::from_slice::<Value>(&output.stdout).expect("JSON")
    };
    // The kernel keeps 15 bytes of a name.
    for who in ["812070", "zq-a-name-of-more-than-15"] {
        let document = ask(who);
        assert_eq!(
            document["deaths"][0]["cause"]["kind"], "kernel_oom",
            "{who}: {document}"
        );
        assert_eq!(
            document["deaths"][0]["cause"]["shortage"]["what"], "memcg",
            "{who}"
        );
        assert!(
            document["unreadable"][0]
                .as_str()
                .is_some_and(|text| text.contains("journal"))
        );
    }
    let missing = Path::new(file).with_file_name("none");
    let output = why("", &["812070", "--kmsg", missing.to_str().expect("UTF-8")]);
    assert_eq!(output.status.code(), Some(2), "nothing could be read");
}
