//! `oomtop why`: the cause of each kind of death by what the journal and the kernel's log say, in words and JSON.

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};

/// 2024-01-02 03:04:05 UTC, in microseconds.
const BEGIN: i64 = 1_704_164_645_000_000;
const EXIT: &str = "98e322203f7a4ed290d09fe03c09fe15";
const FAILURE: &str = "d9b373ed55a64feb8242e02dbe79a49c";
const SUCCESS: &str = "7ad2d189f7e94e70a38c781354912448";
const OOM: &str = "fe6faa94e7774663a0da52717891d8ef";
const OOMD: &str = "d989611b15e44c9dbf31e3c81256e4ed";
const STOPPING: &str = "de5b426a63be47a7b6ac3eaac82e2f6f";
const COREDUMP: &str = "fc2e22bc6ee647b6b90729ab34a250b1";

/// A journal as `journalctl -o json` prints it.
#[derive(Default)]
struct Journal {
    lines: String,
    /// Microseconds after the begin.
    at: i64,
}

impl Journal {
    fn record(&mut self, fields: &Value) {
        self.at += 1000;
        let mut record = json!({
            "__REALTIME_TIMESTAMP": (BEGIN + self.at).to_string(),
            "__MONOTONIC_TIMESTAMP": (5_000_000 + self.at).to_string(),
            "_BOOT_ID": "00112233445566778899aabbccddeeff",
        });
        for (key, value) in fields.as_object().expect("fields") {
            record[key] = value.clone();
        }
        let _ = writeln!(self.lines, "{record}");
    }

    /// Later by so many seconds.
    fn pause(&mut self, seconds: i64) {
        self.at += seconds * 1_000_000;
    }

    fn kernel(&mut self, text: &str) {
        self.record(&json!({"_TRANSPORT": "kernel", "SYSLOG_FACILITY": "0", "MESSAGE": text}));
    }

    fn systemd(&mut self, unit: &str, id: &str, text: &str, more: &Value) {
        let mut fields = json!({
            "_PID": "1", "_UID": "0", "_COMM": "systemd", "_TRANSPORT": "journal",
            "UNIT": unit, "MESSAGE": format!("{unit}: {text}"),
        });
        if !id.is_empty() {
            fields["MESSAGE_ID"] = json!(id);
        }
        for (key, value) in more.as_object().into_iter().flatten() {
            fields[key] = value.clone();
        }
        self.record(&fields);
    }

    fn exit(&mut self, unit: &str, command: &str, code: &str, status: &str, result: &str) {
        let text = format!("Main process exited, code={code}, status={status}/X");
        let more = json!({"EXIT_CODE": code, "EXIT_STATUS": status, "COMMAND": command});
        self.systemd(unit, EXIT, &text, &more);
        self.result(unit, result);
    }

    fn result(&mut self, unit: &str, result: &str) {
        if result == "success" {
            self.systemd(unit, SUCCESS, "Deactivated successfully.", &Value::Null);
        } else {
            let text = format!("Failed with result '{result}'.");
            self.systemd(unit, FAILURE, &text, &json!({"UNIT_RESULT": result}));
        }
    }

    /// The kernel's report of a kill in a cgroup's limit, or on the host.
    fn oom(&mut self, pid: u32, comm: &str, group: &str, limit: bool) {
        let (constraint, message) = if limit {
            (
                format!(
                    "CONSTRAINT_MEMCG,nodemask=(null),cpuset=/,mems_allowed=0,oom_memcg={group}"
                ),
                "Memory cgroup out of memory",
            )
        } else {
            (
                "CONSTRAINT_NONE,nodemask=(null),cpuset=/,mems_allowed=0,global_oom".to_owned(),
                "Out of memory",
            )
        };
        self.kernel(&format!(
            "{comm} invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0"
        ));
        self.kernel(&format!(
            "oom-kill:constraint={constraint},task_memcg={group},task={comm},pid={pid},uid=0"
        ));
        self.kernel(&format!("{message}: Killed process {pid} ({comm}) total-vm:9000kB, anon-rss:5000kB, file-rss:0kB, shmem-rss:0kB, UID:0 pgtables:60kB oom_score_adj:0"));
    }

    fn earlyoom(&mut self, pid: u32, comm: &str) {
        let text = format!(
            "sending SIGTERM to process {pid} uid 0 \"{comm}\": oom_score 900, VmRSS 100 MiB"
        );
        self.record(&json!({"_COMM": "earlyoom", "_UID": "0", "_EXE": "/usr/bin/earlyoom", "_TRANSPORT": "stdout",
                            "_SYSTEMD_UNIT": "earlyoom.service", "MESSAGE": text}));
    }
}

/// Every kind of death, a minute apart.
#[allow(clippy::too_many_lines, reason = "a journal is a list")]
fn whole() -> Journal {
    let mut journal = Journal::default();
    let log = &mut journal;
    log.oom(812_001, "zq-limit", "/system.slice/zq-limit.service", true);
    log.systemd(
        "zq-limit.service",
        OOM,
        "A process of this unit has been killed by the OOM killer.",
        &Value::Null,
    );
    log.exit(
        "zq-limit.service",
        "/usr/bin/zq-limit",
        "killed",
        "9",
        "oom-kill",
    );
    log.pause(60);
    log.oom(812_002, "zq-host", "/system.slice/zq-host.scope", false);
    log.result("zq-host.scope", "success");
    log.pause(60);
    log.oom(
        812_003,
        "zq-worker",
        "/system.slice/zq-policy.service",
        true,
    );
    log.systemd(
        "zq-policy.service",
        OOM,
        "A process of this unit has been killed by the OOM killer.",
        &Value::Null,
    );
    log.systemd(
        "zq-policy.service",
        "",
        "Killing process 812004 (zq-other) with signal SIGKILL.",
        &Value::Null,
    );
    log.exit(
        "zq-policy.service",
        "/usr/bin/zq-policy",
        "killed",
        "15",
        "oom-kill",
    );
    log.pause(60);
    log.record(&json!({"_COMM": "systemd-oomd", "_UID": "998", "_SYSTEMD_UNIT": "systemd-oomd.service", "_TRANSPORT": "journal",
        "MESSAGE": "Killed /system.slice/zq-oomd.service due to memory pressure for /system.slice being 70.00% > 50.00% for > 20s"}));
    log.systemd(
        "zq-oomd.service",
        OOMD,
        "systemd-oomd killed 1 process(es) in this unit.",
        &Value::Null,
    );
    log.exit(
        "zq-oomd.service",
        "/usr/bin/zq-oomd",
        "killed",
        "9",
        "oom-kill",
    );
    log.pause(60);
    log.earlyoom(812_005, "zq-early");
    log.exit(
        "zq-early.service",
        "/usr/bin/zq-early",
        "killed",
        "15",
        "signal",
    );
    log.pause(60);
    log.exit(
        "zq-kill.service",
        "/usr/bin/zq-kill",
        "killed",
        "9",
        "signal",
    );
    log.pause(60);
    log.kernel("zq-crash[812006]: segfault at 0 ip 0000 sp 0000 error 4 in zq-crash[400000+1000]");
    log.exit(
        "zq-crash.service",
        "/usr/bin/zq-crash",
        "dumped",
        "11",
        "core-dump",
    );
    log.record(&json!({"MESSAGE_ID": COREDUMP, "_SYSTEMD_SLICE": "system-systemd\\x2dcoredump.slice", "_UID": "0", "_PID": "9",
        "_COMM": "systemd-coredum", "MESSAGE": "Process 812006 (zq-crash) of user 0 dumped core.", "COREDUMP_PID": "812006",
        "COREDUMP_COMM": "zq-crash", "COREDUMP_SIGNAL": "11", "COREDUMP_UNIT": "zq-crash.service"}));
    log.pause(60);
    log.exit(
        "zq-exit.service",
        "/usr/bin/zq-exit",
        "exited",
        "137",
        "exit-code",
    );
    log.pause(60);
    log.result("zq-ok.service", "success");
    log.pause(60);
    log.systemd(
        "zq-stop.service",
        STOPPING,
        "Stopping zq-stop...",
        &Value::Null,
    );
    log.result("zq-stop.service", "success");
    log.pause(60);
    log.result("zq-silent.scope", "success");
    log.pause(60);
    log.record(&json!({"_SYSTEMD_UNIT": "kubelet.service", "_COMM": "kubelet", "_UID": "0", "_PID": "77", "_TRANSPORT": "stdout",
        "MESSAGE": "I0102 03:16:05.1 77 eviction_manager.go:614] \"Eviction manager: pod is evicted successfully\" pod=\"zq/web-0\""}));
    // The same number and the same name again.
    log.pause(60);
    log.oom(812_001, "zq-limit", "/system.slice/zq-limit.service", true);
    log.exit(
        "zq-limit.service",
        "/usr/bin/zq-limit",
        "killed",
        "9",
        "oom-kill",
    );
    journal
}

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
