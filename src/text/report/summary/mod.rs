//! The Summary page: what happened in plain words, with the numbers, and what to do now. At most a dozen
//! lines that a newcomer understands.

mod cause;
mod headline;
mod purpose;
mod victims;

use crate::model::process::Pid;
use crate::model::recall::Remembered;
use crate::model::systemd::CommandUser;
use crate::oomlog::analysis::evidence::{some_may_be_killed, whole_kb};
use crate::oomlog::analysis::holders::{by_name, resident_kb};
use crate::oomlog::analysis::ledger::Outlook;
use crate::oomlog::analysis::ranking::ranking;
use crate::oomlog::analysis::root_cause::is_request_known;
use crate::oomlog::analysis::verdict::{RanOut, Verdict};
use crate::oomlog::{OomReport, Outcome};
use crate::text::event::asked_by;
use crate::text::format;
use crate::text::format::number_of;
use crate::text::ledger;
use crate::text::report::advice::{self, KeyOf};
use crate::text::tone::{Line, Tone};

/// How many names are listed as holders of the memory.
const HOLDERS: usize = 4;

/// All lines of the page for printing, without keys, and for whoever reads them.
pub fn lines(report: &OomReport, remembered: &[(Pid, Remembered)]) -> Vec<Line> {
    lines_with_keys(report, remembered, (&|_| None, CommandUser::Anybody))
}

/// All lines of the page, with `key` in front of each step of the advice that has one, and commands for this user.
pub fn lines_with_keys(
    report: &OomReport,
    remembered: &[(Pid, Remembered)],
    (key, user): (KeyOf<'_>, CommandUser),
) -> Vec<Line> {
    let ranking = ranking(report);
    let verdict = Verdict::new(report);
    let mut lines = vec![Line::of(
        Tone::Strong,
        headline::sentences(report, &verdict),
    )];
    if let Some(asker) = asked_by(report) {
        let purpose = verdict.purpose.and_then(purpose::words);
        let asked_for = purpose.map_or_else(String::new, |words| format!(", for {words}"));
        lines.push(Line::from(capital(&format!("{asker}{asked_for}."))));
    }
    let root = verdict.cause.as_ref();
    lines.extend(
        root.map(|root| Line::of(Tone::Watch, cause::sentence(root, is_request_known(report)))),
    );
    lines.extend(cause::what_was_left(report, &verdict));
    lines.extend(who_held_it(report, &verdict));
    lines.extend(no_kill_helps(report, &verdict));
    lines.extend(victims::lines(report, ranking.as_ref(), remembered));
    lines.extend(oddities(report));
    if report.shed {
        lines.push(Line::of(
            Tone::Dim,
            "Its table of tasks and its lines were dropped to bound oomtop's memory; the log may still have them \
             (oomtop explain).",
        ));
    }
    let advice = advice::lines(report, &verdict, remembered, (key, user));
    if !advice.is_empty() {
        lines.push(Line::new());
        lines.push(Line::of(Tone::Accent, "What to do now"));
        lines.extend(advice);
    }
    lines
}

/// The sentence for a host where all that kills could free is not enough.
fn no_kill_helps(report: &OomReport, verdict: &Verdict) -> Option<Line> {
    // Elsewhere it is not the whole that ran out.
    matches!(verdict.ran_out, RanOut::Limit { .. } | RanOut::Host { .. }).then_some(())?;
    let prospect = verdict.prospect?;
    (prospect.outlook() == Outlook::Hopeless)
        .then(|| ledger::verdict(&prospect, !report.is_memcg()))
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(chars).collect()
    })
}

fn kb(value: u64) -> String {
    format::long_size(value.saturating_mul(1024))
}

/// The names that held most, with how many processes each. Where it was not the programs that filled the memory, the
/// sum of all says so.
fn who_held_it(report: &OomReport, verdict: &Verdict) -> Option<Line> {
    if matches!(
        verdict.ran_out,
        RanOut::ByRequest | RanOut::HiddenLimit { .. }
    ) {
        return None;
    }
    let held = by_name(report)?;
    let whole = whole_kb(report);
    let all = resident_kb(report)?;
    // The zones or nodes of a request are less than the host, and the table does not say who is where.
    let elsewhere = match verdict.ran_out {
        RanOut::Blocks | RanOut::Zones => Some("zones"),
        RanOut::CpusetNodes | RanOut::PolicyNodes | RanOut::Nodes => Some("nodes"),
        _ => None,
    };
    let others = elsewhere.is_none() && verdict.is_by_others();
    if others && whole.is_some_and(|whole| all < whole / 2) {
        let count: u64 = held.iter().map(|holder| holder.processes).sum();
        return Some(Line::from(format!(
            "Processes did not hold it: {} in all ({} listed).",
            kb(all),
            cause::processes(count)
        )));
    }
    let size = |kb: u64| format::size(kb.saturating_mul(1024));
    let named = held.iter().take(HOLDERS).map(|holder| {
        let swap = holder.swap_kb.unwrap_or(0);
        let swapped = if swap > holder.rss_kb / 10 {
            format!(" and {} in swap", size(swap))
        } else {
            String::new()
        };
        let many = if holder.processes > 1 {
            format!(" in {}", cause::processes(holder.processes))
        } else {
            String::new()
        };
        format!("{} {}{swapped}{many}", holder.comm, size(holder.rss_kb))
    });
    let named: Vec<String> = named.collect();
    // What processes share counts once for each of them.
    let note = match named.as_slice() {
        _ if whole.is_none_or(|whole| all <= whole) => "",
        [_] if held.iter().all(|holder| holder.processes == 1) => {
            " (pages of files that others read first are charged to those)"
        }
        _ => " (pages they share count each time)",
    };
    let named = (!named.is_empty()).then(|| named.join(", "))?;
    Some(Line::from(match elsewhere {
        Some(places) => format!("In all {places} together, the largest were {named}{note}."),
        None => format!("Memory was held by {named}{note}."),
    }))
}

/// What follows where nobody can be killed (mm/oom_kill.c `out_of_memory`): a cgroup's tasks wait, a host panics.
fn nobody(report: &OomReport) -> &'static str {
    let someone = some_may_be_killed(report);
    if someone && report.is_memcg() {
        "Nobody could be killed: the processes that may be are dying already. Until they free memory or somebody raises \
         the limit, the others wait."
    } else if someone {
        "Nobody could be killed: the processes that may be are dying already. The kernel panics then."
    } else if report.is_memcg() {
        "Nobody could be killed: every process there has oom_score_adj -1000, or is dying already. Until somebody frees \
         memory or raises the limit, they wait."
    } else {
        "Nobody could be killed: every process has oom_score_adj -1000, or is dying already. The kernel panics then."
    }
}

/// True if the log has lines of the report beside those that name the dead.
fn is_more_than_kills(report: &OomReport) -> bool {
    const OF_A_KILL: [&str; 4] = [
        "Killed process ",
        "Kill process ",
        "oom_reaper: ",
        "oom-kill:",
    ];
    report.shed
        || report.tasks.is_some()
        || report.memcg.is_some()
        || report.memory.is_some()
        || report.trigger.is_some()
        || report
            .raw
            .lines()
            .any(|line| !OF_A_KILL.iter().any(|words| line.contains(words)))
}

/// What a reader would otherwise stumble over.
fn oddities(report: &OomReport) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut say = |tone, text: String| lines.push(Line::of(tone, text));
    match report.outcome {
        Outcome::NobodyKillable => say(Tone::Critical, nobody(report).to_owned()),
        Outcome::Panic => {
            let why = report.panic.as_deref().unwrap_or("");
            say(Tone::Critical, format!("The kernel panicked: {why}"));
        }
        Outcome::Ignored => say(Tone::Watch, "SysRq-f found nobody to kill.".to_owned()),
        Outcome::Pending | Outcome::Killed => {}
    }
    if report.repeats > 0 {
        say(
            Tone::Watch,
            match report.repeats {
                1 => "Repeated once more.".to_owned(),
                repeats => format!("Repeated {repeats} more times."),
            },
        );
    }
    if !report.shared_memory.is_empty() {
        say(
            Tone::Watch,
            format!(
                "{} died because of sharing its memory.",
                number_of(
                    report.shared_memory.len() as u64,
                    "more process",
                    "more processes"
                )
            ),
        );
    }
    if report.gap {
        say(
            Tone::Watch,
            "Log records were lost within this report.".to_owned(),
        );
    }
    if !report.has_header && is_more_than_kills(report) {
        say(
            Tone::Dim,
            "The log has lost the beginning of the report; what is left of it is shown.".to_owned(),
        );
    } else if !report.has_header && !report.kills.is_empty() && report.constraint_text.is_none() {
        say(
            Tone::Dim,
            "Only the \"Killed process\" line is there: the kernel prints at most 10 reports in 5 s, or the log has lost \
             the rest."
                .to_owned(),
        );
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::lines;
    use crate::text::on_paper::report;

    fn page<const N: usize>(of: [&str; N]) -> String {
        let lines = lines(&report(of), &[]);
        lines.iter().map(|line| line.plain() + "\n").collect()
    }

    const KILLED: &str = "Memory cgroup out of memory: Killed process 7 (a) total-vm:8kB, anon-rss:4kB, file-rss:0kB, shmem-rss:0kB, UID:0 pgtables:4kB oom_score_adj:0";

    #[test]
    fn only_a_kill_alone_is_called_alone() {
        let alone = page([KILLED]);
        assert!(
            alone.contains("Only the \"Killed process\" line"),
            "{alone}"
        );
        let reaped = page([
            KILLED,
            "oom_reaper: reaped process 7 (a), now anon-rss:0kB, file-rss:0kB, shmem-rss:0kB",
        ]);
        assert!(
            reaped.contains("Only the \"Killed process\" line"),
            "{reaped}"
        );
        for more in [
            "CPU: 1 PID: 7 Comm: a Not tainted 6.1.0",
            "Task in /g killed as a result of limit of /g",
            "memory: usage 4kB, limit 4kB, failcnt 1",
            "[      7]     0     7        2        1    32768        0             0 a",
        ] {
            let partial = page([more, KILLED]);
            assert!(!partial.contains("Only the"), "{more}: {partial}");
            assert!(
                partial.contains("has lost the beginning"),
                "{more}: {partial}"
            );
        }
    }

    #[test]
    fn where_nobody_may_be_killed_a_host_panics_and_a_cgroup_waits() {
        let head = "a invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0";
        let table =
            "[  pid  ]   uid  tgid total_vm      rss pgtables_bytes swapents oom_score_adj name";
        let row = |adj: i16| {
            format!("[      7]     0     7        2        1    32768        0 {adj:13} a")
        };
        let nobody = "Out of memory and no killable processes...";
        let host = |adj| page([head, "Mem-Info:", table, &row(adj), nobody]);
        let group = |adj| {
            page([
                head,
                "memory: usage 4kB, limit 4kB, failcnt 1",
                "Memory cgroup stats for /g:",
                table,
                &row(adj),
                nobody,
            ])
        };
        assert!(
            host(-1000).contains("oom_score_adj -1000, or is dying already. The kernel panics"),
            "{}",
            host(-1000)
        );
        assert!(
            host(0).contains("dying already. The kernel panics"),
            "{}",
            host(0)
        );
        assert!(!host(0).contains("-1000"), "one may be killed: {}", host(0));
        assert!(group(-1000).contains("they wait"), "{}", group(-1000));
        assert!(!group(-1000).contains("panics"), "{}", group(-1000));
        assert!(
            group(0).contains("the others wait") && !group(0).contains("-1000"),
            "{}",
            group(0)
        );
    }

    #[test]
    fn who_holds_the_host_is_not_who_holds_a_node() {
        let text = page([
            "a invoked oom-killer: gfp_mask=0x140dca(GFP_HIGHUSER_MOVABLE|__GFP_ZERO), order=0, oom_score_adj=0",
            "Mem-Info:",
            " free:60000 free_pcp:0 free_cma:0",
            "Node 1 Normal free:1000kB min:2000kB low:3000kB high:4000kB managed:100000kB",
            "lowmem_reserve[]: 0 0",
            "Node 1 Normal: 250*4kB (U) = 1000kB",
            "500000 pages RAM",
            "0 pages reserved",
            "[  pid  ]   uid  tgid total_vm      rss pgtables_bytes swapents oom_score_adj name",
            "[      7]     0     7    90000    25000     4096        0             0 a",
            "oom-kill:constraint=CONSTRAINT_MEMORY_POLICY,nodemask=1,cpuset=/,mems_allowed=0-1,global_oom,task_memcg=/,task=a,pid=7,uid=0",
        ]);
        assert!(!text.contains("did not hold"), "{text}");
        assert!(
            text.contains("In all nodes together, the largest were a 98M."),
            "{text}"
        );
    }
}
