//! Why somebody died, in words: the cause as a sentence, the evidence with its source, what would have told.

use crate::oomlog::Killer;
use crate::oomlog::analysis::death::{Cause, Death, Doubt};
use crate::oomlog::witness::{ExitCode, Fact, Says, Shortage, Source};

/// What it was, in one sentence or two.
pub fn sentence(death: &Death) -> String {
    let it = if death.pid.is_some() {
        "it"
    } else {
        "its main process"
    };
    match &death.cause {
        Cause::KernelOom { shortage, along } => kernel(shortage, *along, death),
        Cause::Program { killer } => format!("{} killed it{}.", killer.name(), before(*killer)),
        Cause::Eviction => {
            "kubelet evicted the pod: the node was short of memory, or of what else its line names.".to_owned()
        }
        Cause::OomPolicy { victim, comm } => {
            let whom = match (victim, comm) {
                (Some(pid), Some(comm)) => format!("{pid} {comm}"),
                (Some(pid), None) => pid.to_string(),
                (None, _) => "a process".to_owned(),
            };
            format!(
                "The kernel's OOM killer killed {whom} in this unit, and systemd then stopped the rest of it (OOMPolicy=)."
            )
        }
        Cause::Requested => {
            "Somebody had systemd send it the signal (systemctl kill). That is no OOM kill.".to_owned()
        }
        Cause::Stopped { forced: false } => {
            "systemd stopped the unit: systemctl stop, a shutdown, or a unit that it depends on.".to_owned()
        }
        Cause::Stopped { forced: true } => {
            "systemd stopped the unit (systemctl stop, a shutdown), and with SIGKILL what did not end in time. That is no OOM kill."
                .to_owned()
        }
        Cause::Systemd { result } => format!("systemd ended it: Result={result}."),
        Cause::Signal { signal, by } => {
            let name = signal_name(*signal);
            match by {
                Some(sender) if sender.pid == 0 => {
                    format!("{name} ended {it}: the kernel sent it, but not its OOM killer.")
                }
                Some(sender) => format!(
                    "{name} ended {it}: {} {} (uid {}) sent it. That is no OOM kill.",
                    sender.pid, sender.comm, sender.uid
                ),
                None if *signal == 9 => format!(
                    "SIGKILL ended {it}, and the logs have no OOM kill for it: a person or a program sent the signal. Who, no log says."
                ),
                None => format!("{name} ended {it}: a person or a program sent it. Who, no log says."),
            }
        }
        Cause::Crash { signal } => match signal {
            4 | 7 | 8 | 11 => format!("It crashed: {}.", signal_name(*signal)),
            6 => "It gave up: SIGABRT, as abort(3) sends it (a failed assertion, an allocation that failed, a watchdog)."
                .to_owned(),
            _ => format!("It crashed, or somebody wanted it to dump: {}.", signal_name(*signal)),
        },
        Cause::Exit { status: None } => {
            "It ended by itself, with success as systemd sees it: status 0, or SIGHUP, SIGINT, SIGTERM or SIGPIPE, which systemd does not tell apart in its log."
                .to_owned()
        }
        Cause::Exit {
            status: Some(status @ 129..=192),
        } => format!(
            "It ended by itself with status {status}. Shells and container runtimes say so that {} ended a child ({status} = 128 + {}); that alone is no proof of an OOM.",
            signal_name(status - 128),
            status - 128
        ),
        Cause::Exit {
            status: Some(status),
        } => format!("It ended by itself with status {status}."),
        Cause::Unknown if has_sigkill(death) => {
            "Unknown. SIGKILL ended it (a shell calls that status 137); that alone is no proof of an OOM.".to_owned()
        }
        Cause::Unknown => "Unknown.".to_owned(),
    }
}

fn before(killer: Killer) -> &'static str {
    if killer.is_program() {
        ", before the kernel had to"
    } else {
        ""
    }
}

fn kernel(shortage: &Shortage, along: bool, death: &Death) -> String {
    let why = match shortage {
        Shortage::Host => "the host was out of memory".to_owned(),
        Shortage::Memcg {
            cgroup: Some(cgroup),
        } => format!("the limit of {cgroup} was reached"),
        Shortage::Memcg { cgroup: None } => "the limit of a memory cgroup was reached".to_owned(),
        Shortage::Nodes => {
            "the memory nodes that the request could use were out of memory".to_owned()
        }
        Shortage::Request => {
            "a person or a program asked for a kill (SysRq-f, or a write)".to_owned()
        }
        Shortage::Unknown => "of what memory, the logs do not say".to_owned(),
    };
    let whom = if death.pid.is_some() {
        "it"
    } else {
        "its main process"
    };
    if along {
        return format!(
            "The kernel's OOM killer killed it along with another: it was in the victim's group, which dies as a whole, or shared its memory; {why}."
        );
    }
    format!("The kernel's OOM killer killed {whom}: {why}.")
}

/// True if some record says that SIGKILL was it.
fn has_sigkill(death: &Death) -> bool {
    death.evidence.iter().any(|fact| {
        matches!(
            fact.says,
            Says::MainExit {
                code: ExitCode::Killed,
                status: 9
            } | Says::Waits {
                code: ExitCode::Killed,
                status: 9
            } | Says::MainExit {
                code: ExitCode::Exited,
                status: 137
            }
        )
    })
}

/// Who died: `812 java of shop.service`, `shop.service`.
pub fn who(death: &Death) -> String {
    let unit = death.unit.as_deref();
    match (death.pid, &death.comm, unit) {
        (Some(pid), comm, unit) => {
            let comm = comm
                .as_deref()
                .map_or_else(String::new, |comm| format!(" {comm}"));
            let unit = unit.map_or_else(String::new, |unit| format!(" of {unit}"));
            format!("{pid}{comm}{unit}")
        }
        (None, Some(comm), Some(unit)) => format!("{unit} ({comm})"),
        (None, _, Some(unit)) => unit.to_owned(),
        (None, Some(comm), None) => comm.clone(),
        (None, None, None) => "?".to_owned(),
    }
}

/// Who says a fact.
pub fn source(fact: &Fact) -> &'static str {
    match (fact.source, &fact.says) {
        (_, Says::ProgramKill { killer, .. }) => killer.name(),
        (Source::KernelLog, _) => "kernel log",
        (Source::Systemd, _) => "systemd",
        (Source::UserManager, _) => "user's systemd",
        (Source::Coredump, _) => "systemd-coredump",
        (Source::Audit, _) => "audit",
        (Source::Kubelet, _) => "kubelet",
        (Source::Program | Source::Itself, _) => "journal",
        (Source::Tracepoint, _) => "tracepoint",
        (Source::Proc, _) => "/proc",
        (Source::Counter, _) => "counter",
    }
}

/// What would have told, as clauses; the last that always helps is oomtop itself.
pub fn would_tell(death: &Death) -> Vec<&'static str> {
    let mut told: Vec<&str> = death
        .doubts
        .iter()
        .map(|doubt| doubt_words(*doubt))
        .collect();
    let by_nobody = matches!(death.cause, Cause::Signal { by: None, .. });
    let has_run = |doubt: &Doubt| matches!(doubt, Doubt::NotKilled | Doubt::NotTraced);
    if (!death.cause.is_known() || by_nobody) && !death.doubts.iter().any(has_run) {
        told.push(RUNNING);
    }
    told
}

/// What a dashboard shows, and keeps to itself.
pub const RUNNING: &str = "the screen of an oomtop that ran at that time: with CAP_BPF and CAP_PERFMON the kernel's tracepoints tell it every victim, and who sends SIGKILL to a process with a hundredth of the memory";

fn doubt_words(doubt: Doubt) -> &'static str {
    match doubt {
        Doubt::NoKernelLog => "the kernel's log, which could not be read",
        Doubt::LogCut => "the kernel's log of that time: what there is begins later or has a gap",
        Doubt::NoJournal => "the journal, which could not be read",
        Doubt::KillNearby => {
            "the process's number: a program killed somebody shortly before, and no record says whether that was this unit's"
        }
        Doubt::OomNearby => {
            "the process's number: the kernel's OOM killer killed around that time, and who shares the memory of its victim dies without a line"
        }
        Doubt::Scope => {
            "a service in place of the scope: systemd does not see how the processes of a scope end"
        }
        Doubt::NotMain => {
            "the process's own record: its unit ended, but systemd tells only how the main process did"
        }
        Doubt::NotKilled => {
            "oomtop why, which reads the logs: no OOM kill and no SIGKILL came, so it ended by itself, crashed, or got another signal"
        }
        Doubt::NotTraced => {
            "the kernel's tracepoints: they did not tell oomtop of every kill and SIGKILL at that time (the title of the events says why)"
        }
        Doubt::Nothing => "a record about it: an exit that nobody waits for is in no log",
    }
}

/// The name of a signal on most architectures.
pub fn signal_name(signal: u32) -> String {
    const NAMES: [&str; 31] = [
        "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2",
        "PIPE", "ALRM", "TERM", "STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG",
        "XCPU", "XFSZ", "VTALRM", "PROF", "WINCH", "IO", "PWR", "SYS",
    ];
    let at = usize::try_from(signal).unwrap_or(0).checked_sub(1);
    match at.and_then(|at| NAMES.get(at)) {
        Some(name) => format!("SIG{name}"),
        None => format!("signal {signal}"),
    }
}
