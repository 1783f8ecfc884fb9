//! A journal with every kind of death, as `journalctl -o json` prints it.

use std::fmt::Write as _;

use serde_json::{Value, json};

/// 2024-01-02 03:04:05 UTC, in microseconds.
const BEGIN: i64 = 1_704_164_645_000_000;
const EXIT: &str = "98e322203f7a4ed290d09fe03c09fe15";
pub(super) const FAILURE: &str = "d9b373ed55a64feb8242e02dbe79a49c";
const SUCCESS: &str = "7ad2d189f7e94e70a38c781354912448";
pub(super) const OOM: &str = "fe6faa94e7774663a0da52717891d8ef";
const OOMD: &str = "d989611b15e44c9dbf31e3c81256e4ed";
const STOPPING: &str = "de5b426a63be47a7b6ac3eaac82e2f6f";
pub(super) const COREDUMP: &str = "fc2e22bc6ee647b6b90729ab34a250b1";

/// A journal as `journalctl -o json` prints it.
#[derive(Default)]
pub(super) struct Journal {
    pub(super) lines: String,
    /// Microseconds after the begin.
    at: i64,
}

impl Journal {
    pub(super) fn record(&mut self, fields: &Value) {
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
    pub(super) fn pause(&mut self, seconds: i64) {
        self.at += seconds * 1_000_000;
    }

    pub(super) fn kernel(&mut self, text: &str) {
        self.record(&json!({"_TRANSPORT": "kernel", "SYSLOG_FACILITY": "0", "MESSAGE": text}));
    }

    pub(super) fn systemd(&mut self, unit: &str, id: &str, text: &str, more: &Value) {
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

    pub(super) fn exit(
        &mut self,
        unit: &str,
        command: &str,
        code: &str,
        status: &str,
        result: &str,
    ) {
        let text = format!("Main process exited, code={code}, status={status}/X");
        let more = json!({"EXIT_CODE": code, "EXIT_STATUS": status, "COMMAND": command});
        self.systemd(unit, EXIT, &text, &more);
        self.result(unit, result);
    }

    pub(super) fn result(&mut self, unit: &str, result: &str) {
        if result == "success" {
            self.systemd(unit, SUCCESS, "Deactivated successfully.", &Value::Null);
        } else {
            let text = format!("Failed with result '{result}'.");
            self.systemd(unit, FAILURE, &text, &json!({"UNIT_RESULT": result}));
        }
    }

    /// The kernel's report of a kill in a cgroup's limit, or on the host.
    pub(super) fn oom(&mut self, pid: u32, comm: &str, group: &str, limit: bool) {
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

    pub(super) fn earlyoom(&mut self, pid: u32, comm: &str) {
        let text = format!(
            "sending SIGTERM to process {pid} uid 0 \"{comm}\": oom_score 900, VmRSS 100 MiB"
        );
        self.record(&json!({"_COMM": "earlyoom", "_UID": "0", "_EXE": "/usr/bin/earlyoom", "_TRANSPORT": "stdout",
                            "_SYSTEMD_UNIT": "earlyoom.service", "MESSAGE": text}));
    }
}

/// Every kind of death, a minute apart.
#[allow(clippy::too_many_lines, reason = "a journal is a list")]
pub(super) fn whole() -> Journal {
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
