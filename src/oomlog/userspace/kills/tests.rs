//! Lines of each program, and which of them are one kill.

use super::UserspaceKills;
use crate::oomlog::{Killer, LogRecord, Monotonic, OomEvent, UserspaceKill};

fn read(lines: &[(&str, &str)]) -> Vec<UserspaceKill> {
    let (mut killers, mut key) = (UserspaceKills::default(), 0);
    let mut found: Vec<UserspaceKill> = Vec::new();
    for (program, text) in lines {
        let record = LogRecord {
            facility: u8::from(*program != "kernel") * 3,
            program: (*program != "kernel").then(|| format!("{program}[7]")),
            ..LogRecord::bare(*text)
        };
        if let Some(OomEvent::Userspace(kill)) = killers.feed(&record, &mut key) {
            found.retain(|known| known.key != kill.key);
            found.push(UserspaceKill::clone(&kill));
        }
    }
    found
}

#[test]
fn systemd_oomd_and_the_count_of_its_dead_are_one_kill() {
    let kills = read(&[
        (
            "systemd-oomd",
            "Considered 21 cgroups for killing, top candidates were:",
        ),
        (
            "systemd-oomd",
            "Killed /user.slice/a.scope due to memory pressure for /user.slice being 63.37% > 50.00% for > 20s with reclaim activity",
        ),
        (
            "systemd",
            "a.scope: systemd-oomd killed 5 process(es) in this unit.",
        ),
        (
            "systemd-oomd",
            "Marked /x/b.scope for killing due to memory used (9) / total (10) and swap used (9) / total (10) being more than 90.00%",
        ),
        ("systemd", "a.scope: Failed with result 'oom-kill'."),
    ]);
    assert_eq!(kills.len(), 2);
    assert_eq!(
        (kills[0].cgroup.as_deref(), kills[0].processes),
        (Some("/user.slice/a.scope"), Some(5))
    );
    assert!(
        kills[1]
            .reason
            .as_ref()
            .unwrap()
            .starts_with("memory used (9)")
    );
}

#[test]
fn programs_that_kill_one_process() {
    let kills = read(&[
        (
            "earlyoom",
            "low memory! at or below SIGTERM limits: mem 10.00%, swap 10.00%",
        ),
        (
            "earlyoom",
            "sending SIGTERM to process 123 uid 1000 \"Web \"Co: nt\": oom_score 800, oom_score_adj 300, VmRSS 12 MiB, cmdline \"x\"",
        ),
        (
            "earlyoom",
            "sending SIGKILL to process 123 uid 1000 \"Web \"Co: nt\": oom_score 800, oom_score_adj 300, VmRSS 12 MiB, cmdline \"x\"",
        ),
        (
            "nohang",
            "Process with highest badness (found in 3ms):\n  PID: 456, name: tail, badness: 793",
        ),
        (
            "nohang",
            "Implementing a corrective action:\n  Sending SIGTERM to the victim",
        ),
        (
            "kernel",
            "lowmemorykiller: Killing 'app' (9), adj 900,\n   to free 77kB on behalf of 'kswapd0' (1) because\n   cache 1kB is below",
        ),
    ]);
    assert_eq!(
        kills.iter().map(|k| k.pid).collect::<Vec<_>>(),
        [Some(123), Some(456), Some(9)]
    );
    assert_eq!(
        (kills[0].signal.as_deref(), kills[0].rss_kb),
        (Some("SIGKILL"), Some(12 * 1024))
    );
    assert_eq!(kills[0].comm.as_deref(), Some("Web \"Co: nt"));
    assert!(kills[0].reason.as_ref().unwrap().contains("SIGTERM limits"));
    assert_eq!(
        (kills[1].comm.as_deref(), kills[1].killer),
        (Some("tail"), Killer::Nohang)
    );
    assert_eq!(
        (kills[2].rss_kb, kills[2].killer),
        (Some(77), Killer::LowMemoryKiller)
    );
}

#[test]
fn a_line_that_two_logs_have_is_one_kill() {
    let (mut killers, mut key) = (UserspaceKills::default(), 0);
    let mut feed = |micros, text: &str| {
        let record = LogRecord {
            facility: 3,
            at: Some(Monotonic(micros)),
            ..LogRecord::bare(text)
        };
        killers.feed(&record, &mut key).is_some()
    };
    let line = "Killed /a due to memory pressure for / being 9.99% > 5.00% for > 3s";
    assert!(feed(1_000_000, &format!("systemd-oomd[7]: {line}")));
    assert!(!feed(1_300_000, &format!("systemd-oomd: {line}")), "a copy");
    assert!(
        feed(60_000_000, &format!("systemd-oomd: {line}")),
        "a later kill"
    );
}

#[test]
fn the_count_of_the_dead_may_come_first_and_a_group_that_dies_slowly_is_killed_once() {
    let (mut killers, mut key) = (UserspaceKills::default(), 0);
    let mut found: Vec<UserspaceKill> = Vec::new();
    for (seconds, text) in [
        (
            1,
            "systemd[1]: b.service: systemd-oomd killed 4 process(es) in this unit.",
        ),
        (
            1,
            "systemd-oomd: Killed /a.slice/b.service due to memory used (9) / total (10)",
        ),
        (
            2,
            "systemd-oomd: Killed /a.slice/b.service due to memory used (8) / total (10)",
        ),
        (
            40,
            "systemd-oomd: Killed /a.slice/b.service due to memory used (7) / total (10)",
        ),
        (
            41,
            "systemd[1]: b.service: systemd-oomd killed 2 process(es) in this unit.",
        ),
        (
            200,
            "systemd[1]: c.service: systemd-oomd killed some process(es) in this unit.",
        ),
        (
            200,
            "systemd-oomd: Killed /c.service due to memory used (6) / total (10)",
        ),
    ] {
        let record = LogRecord {
            facility: 3,
            at: Some(Monotonic(seconds * 1_000_000)),
            ..LogRecord::bare(text)
        };
        if let Some(OomEvent::Userspace(kill)) = killers.feed(&record, &mut key) {
            found.retain(|known| known.key != kill.key);
            found.push(UserspaceKill::clone(&kill));
        }
    }
    let told: Vec<_> = found
        .iter()
        .map(|kill| {
            (
                kill.cgroup.as_deref(),
                kill.processes,
                kill.reason.as_deref(),
            )
        })
        .collect();
    let group = Some("/a.slice/b.service");
    assert_eq!(
        told,
        [
            (group, Some(4), Some("memory used (9) / total (10)")),
            (group, Some(2), Some("memory used (7) / total (10)")),
            (
                Some("/c.service"),
                None,
                Some("memory used (6) / total (10)"),
            ),
        ]
    );
}

#[test]
fn oomd_writes_into_the_kernels_log() {
    let kills = read(&[
        (
            "oomd",
            "oomd kill: 10.00 20.00 30.00 workload.slice/x 12345 ruleset:[r] detectorgroup:[d] killer:kill_by_pressure v2",
        ),
        (
            "oomd",
            "oomd kill: 10.00 20.00 30.00 y 1 ruleset:[r] killer:(dry)kill_by_pressure v2",
        ),
        (
            "sshd",
            "sending SIGTERM to process 1 uid 0 \"x\": oom_score 1",
        ),
    ]);
    assert_eq!(kills.len(), 1);
    assert_eq!(kills[0].cgroup.as_deref(), Some("workload.slice/x"));
}

#[test]
fn kubelet_evicts_for_memory_and_for_other_things() {
    let (mut killers, mut key) = (UserspaceKills::default(), 0);
    let mut feed = |program: &str, text: &str| {
        let record = LogRecord {
            facility: 3,
            program: Some(format!("{program}[7]")),
            ..LogRecord::bare(text)
        };
        match killers.feed(&record, &mut key) {
            Some(OomEvent::Userspace(kill)) => Some((*kill).clone()),
            _ => None,
        }
    };
    let must = |what: &str| {
        format!(
            "I0612 10:12:13.1 7 eviction_manager.go:368] \"Eviction manager: must evict pod(s) to reclaim\" resourceName=\"{what}\""
        )
    };
    let gone = "I0612 10:12:14.1 7 eviction_manager.go:614] \"Eviction manager: pod is evicted successfully\" pod=\"shop/web-0\"";
    let unknown = feed("kubelet", gone).expect("an eviction");
    assert_eq!(unknown.killer, Killer::Kubelet);
    assert!(
        unknown
            .reason
            .as_ref()
            .unwrap()
            .contains("is not in this log")
    );
    assert_eq!(feed("kubelet", &must("ephemeral-storage")), None);
    assert_eq!(
        feed("kubelet", &gone.replace("web-0", "web-1")),
        None,
        "for a disk"
    );
    assert_eq!(feed("k3s", &must("memory")), None);
    let kill = feed("k3s", &gone.replace("web-0", "web-2")).expect("an eviction");
    assert_eq!(kill.cgroup.as_deref(), Some("pod shop/web-2"));
    assert!(kill.reason.as_ref().unwrap().contains("short of memory"));
    assert_eq!(
        feed("kubelet", "I0612 10:12:13.1 7 kubelet.go:1] nothing"),
        None
    );
}

#[test]
fn a_rule_of_systemd_oomd_that_kills_all_names_the_group() {
    let kills = read(&[
        (
            "systemd-oomd",
            "Rule '20-hot' conditions met for cgroup /web.slice/a.service for 2s, taking action kill-all",
        ),
        (
            "systemd",
            "a.service: systemd-oomd killed 3 process(es) in this unit.",
        ),
        // This line does not say whom the kill takes below.
        (
            "systemd-oomd",
            "Rule '20-hot' conditions met for cgroup /web.slice for 0, taking action kill-by-swap",
        ),
        (
            "systemd-oomd",
            "Rule '20-hot' conditions not met for cgroup /web.slice",
        ),
    ]);
    assert_eq!(kills.len(), 1, "{kills:?}");
    assert_eq!(
        (kills[0].cgroup.as_deref(), kills[0].processes),
        (Some("/web.slice/a.service"), Some(3))
    );
    assert_eq!(
        kills[0].reason.as_deref(),
        Some("the rule 20-hot held for 2s")
    );
}

#[test]
fn talos_writes_its_kills_into_the_kernels_log() {
    let text = "[talos] Sending SIGKILL to cgroup {\"component\": \"controller-runtime\", \"controller\": \"runtime.OOMController\", \"cgroup\": \"/sys/fs/cgroup/kubepods/besteffort/pod77\"}";
    let mut record = LogRecord::bare(text);
    // The facility of programs, not of the kernel.
    record.facility = 1;
    let (mut killers, mut key) = (UserspaceKills::default(), 0);
    let Some(OomEvent::Userspace(kill)) = killers.feed(&record, &mut key) else {
        panic!("a kill");
    };
    assert_eq!(kill.killer, Killer::Talos);
    assert_eq!(
        (kill.cgroup.as_deref(), kill.signal.as_deref()),
        (Some("/kubepods/besteffort/pod77"), Some("SIGKILL"))
    );
    for other in [
        "[talos] Sending SIGKILL to cgroup {\"controller\": \"other\", \"cgroup\": \"/x\"}",
        "[talos] OOM controller triggered {\"controller\": \"runtime.OOMController\"}",
        "[talos] Sending SIGKILL to cgroup {\"controller\": \"runtime.OOMController\", \"cgroup\": \"x\"}",
    ] {
        assert!(
            killers.feed(&LogRecord::bare(other), &mut key).is_none(),
            "{other}"
        );
    }
}
