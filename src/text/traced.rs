//! Kills that tracepoints told, and SIGKILLs, in words: a row, and the lines of a dialog.

use crate::model::cgroup::CgroupPath;
use crate::model::recall::Remembered;
use crate::model::traced::{FactSource, HowTaken, Sender, Sigkill, TracedKill};
use crate::oomlog::Kill;
use crate::text::event::kill_facts;
use crate::text::format;
use crate::text::tone::{Line, Tone};
use crate::text::wording::short_group;

/// A kill without a report, in the columns of those with one; `group` is where the victim lived.
pub fn traced_row(
    kill: &Kill,
    traced: &TracedKill,
    group: Option<&CgroupPath>,
    when: Line,
    narrow: bool,
) -> Line {
    let (anon, adj) = kill_facts(kill);
    let (first, name, size, points) = if narrow { (0, 0, 0, 0) } else { (9, 23, 6, 5) };
    let victim = format!("{} {}", kill.pid, kill.comm);
    let mut line = when.add(Tone::Dim, format!("{:<first$} ", "kernel"));
    line.push(Tone::Critical, verb(traced.how));
    line.push(Tone::Strong, format!("{victim:<name$} "));
    line.push(Tone::Normal, format!("{anon:>size$} anon"));
    line.push(Tone::Dim, " adj ");
    line.push(Tone::Normal, format!("{adj:<points$} "));
    if let Some(thread) = kill.thread {
        line.push(Tone::Dim, format!("its thread {thread}, "));
    }
    let group = group.map(|group| format!("in {}", short_group(group.as_str())));
    let why = Some(reason(traced)).filter(|why| !why.is_empty());
    let parts: Vec<String> = [group, why].into_iter().flatten().collect();
    line.push(Tone::Dim, parts.join(", "));
    line
}

fn verb(how: HowTaken) -> &'static str {
    match how {
        HowTaken::Killed | HowTaken::SharesMemory(_) => "killed ",
        HowTaken::Ending => "ending ",
    }
}

/// Why the log has no line for it, or who asked for memory.
fn reason(traced: &TracedKill) -> String {
    match traced.how {
        HowTaken::SharesMemory(victim) => format!("shares the memory of {victim}"),
        HowTaken::Ending => "was ending already, so it only got the reserves".to_owned(),
        HowTaken::Killed => match &traced.asked_by {
            Some((pid, comm)) if *pid != traced.pid => format!("asked by {comm} ({pid})"),
            Some(_) => "asked for memory itself".to_owned(),
            None => String::new(),
        },
    }
}

/// A SIGKILL as a row.
pub fn sigkill_row(sigkill: &Sigkill, when: Line) -> Line {
    let size = sigkill.charged.map_or_else(String::new, |charged| {
        format!("  {} resident and swapped", format::size(charged))
    });
    when.add(Tone::Watch, "SIGKILL ")
        .add(
            Tone::Strong,
            format!("{} {}", sigkill.target.pid, sigkill.comm),
        )
        .add(Tone::Normal, format!("  from {}", sender(&sigkill.by)))
        .add(Tone::Dim, size)
}

/// `4711 bash (uid 1000)`, or the kernel.
pub fn sender(by: &Sender) -> String {
    match by {
        Sender::Process { pid, uid, comm } => format!("{pid} {comm} (uid {uid})"),
        Sender::Kernel => "the kernel, not its OOM killer".to_owned(),
    }
}

/// All that is known of a kill that the log does not have; `instructions` is the size of the programs.
pub fn traced_lines(
    traced: &TracedKill,
    remembered: Option<&Remembered>,
    instructions: u32,
) -> Vec<Line> {
    let victim = format!("{} {}", traced.pid, traced.comm);
    let what = match traced.how {
        HowTaken::Killed => "The OOM killer killed this process. The log has no report of it (yet).".to_owned(),
        HowTaken::SharesMemory(other) => format!(
            "This process shares the memory of {other}, which the OOM killer killed: the kernel kills both, and prints \
             and counts only {other}."
        ),
        HowTaken::Ending => "The OOM killer chose this process while it was ending: the kernel let it use the memory \
                             reserves, and neither prints nor counts that."
            .to_owned(),
    };
    let mut lines = vec![Line::of(Tone::Critical, victim), Line::from(what)];
    lines.extend(fact_lines(traced));
    if let Some(known) = remembered {
        let command = known.command.as_deref().unwrap_or("not read");
        lines.push(pair("command", command.to_owned(), "the last sample"));
        if traced.cgroup.is_none()
            && let Some(group) = &known.cgroup
        {
            lines.push(pair("cgroup", group.to_string(), "the last sample"));
        }
        if let Some(rank) = known.rank {
            lines.push(pair(
                "rank",
                format!("{rank} of the host"),
                "the last sample",
            ));
        }
    }
    lines.push(source_line(instructions));
    lines
}

/// The facts of a traced kill, each with its source.
pub fn fact_lines(traced: &TracedKill) -> Vec<Line> {
    let from = match traced.facts {
        FactSource::Tracepoint => "the tracepoint, at the kill",
        FactSource::Proc => "/proc, right after the kill",
        FactSource::Nobody => "nobody",
    };
    let mut lines = Vec::new();
    if traced.facts == FactSource::Nobody {
        lines.push(Line::of(
            Tone::Watch,
            "This kernel's tracepoint tells only the pid, and the process was gone before its files could be read.",
        ));
    }
    if let Some(uid) = traced.uid {
        lines.push(pair("uid", uid.to_string(), from));
    }
    if let Some(adj) = traced.adj {
        lines.push(pair("oom_score_adj", adj.get().to_string(), from));
    }
    if let Some(memory) = &traced.memory {
        let size = |pages: u64| format::size(pages.saturating_mul(traced.page_size));
        let text = format!(
            "{} anonymous, {} file, {} shared, {} swapped",
            size(memory.anon),
            size(memory.file),
            size(memory.shmem),
            size(memory.swap)
        );
        lines.push(pair("memory", text, from));
    }
    if let Some(group) = &traced.cgroup {
        lines.push(pair(
            "cgroup",
            group.to_string(),
            "/proc, right after the kill",
        ));
    }
    if let Some((pid, comm)) = &traced.asked_by {
        let text = format!("{pid} {comm}");
        lines.push(pair("asked by", text, "the tracepoint, at the kill"));
    }
    lines
}

/// Where all this comes from.
fn source_line(instructions: u32) -> Line {
    let checked = match instructions {
        0 => String::new(),
        instructions => {
            format!(" (the kernel has checked its programs: {instructions} instructions)")
        }
    };
    Line::of(
        Tone::Dim,
        format!("Told by the tracepoints oom:mark_victim and signal:signal_generate{checked}."),
    )
}

/// All that is known of a SIGKILL.
pub fn sigkill_lines(sigkill: &Sigkill) -> Vec<Line> {
    let who = match &sigkill.by {
        Sender::Process { .. } => format!(
            "{} sent SIGKILL to this process. That is no kill by the OOM killer.",
            sender(&sigkill.by)
        ),
        Sender::Kernel => "The kernel sent SIGKILL to this process, but not for lack of memory: the first process of \
                           its pid namespace has ended, or its limit on processor time is used up."
            .to_owned(),
    };
    let mut lines = vec![
        Line::of(
            Tone::Strong,
            format!("{} {}", sigkill.target.pid, sigkill.comm),
        ),
        Line::from(who),
    ];
    if let Some(charged) = sigkill.charged {
        lines.push(pair(
            "memory",
            format!("{} resident and swapped", format::size(charged)),
            "the tracepoint, at the signal",
        ));
    }
    lines
}

fn pair(name: &str, value: String, source: &str) -> Line {
    Line::of(Tone::Dim, format!("{name:<14} "))
        .add(Tone::Normal, value)
        .add(Tone::Dim, format!("  ({source})"))
}
