//! One OOM event in full: what the log said, and what oomtop knew of the victim.

use crossterm::event::KeyCode;

use super::{Dialog, DialogContext, DialogView, Outcome};
use crate::app::event_text::{asked_by, cause, killer_name};
use crate::app::events::{Entry, Remembered};
use crate::app::format;
use crate::app::keys::Key;
use crate::app::text::{Line, Tone};
use crate::domain::oom::{Kill, OomReport, UserspaceKill};
use crate::domain::process::Pid;

/// Shows one entry of the event log as it was when opened.
#[derive(Debug)]
pub struct EventDialog {
    entry: Entry,
    victim: Option<Pid>,
    scroll: usize,
}

impl EventDialog {
    /// Opens for an entry, at one of its dead.
    pub fn new(entry: Entry, victim: Option<Pid>) -> Self {
        Self {
            entry,
            victim,
            scroll: 0,
        }
    }
}

impl Dialog for EventDialog {
    fn on_key(&mut self, key: Key, _: &DialogContext<'_>) -> Outcome {
        match key.code {
            KeyCode::Esc | KeyCode::Enter | KeyCode::Char('q') => return Outcome::Close,
            KeyCode::Up => self.scroll = self.scroll.saturating_sub(1),
            KeyCode::Down => self.scroll += 1,
            KeyCode::PageUp => self.scroll = self.scroll.saturating_sub(10),
            KeyCode::PageDown => self.scroll += 10,
            _ => {}
        }
        self.scroll = self.scroll.min(100_000);
        Outcome::Stay
    }

    fn view(&self, _: &DialogContext<'_>) -> DialogView {
        let lines = match &self.entry {
            Entry::Report { report, remembered } => report_lines(report, remembered),
            Entry::Userspace(kill) => userspace_lines(kill),
            Entry::Unlogged { kills, groups, .. } => unlogged_lines(*kills, groups),
            Entry::Gap { lost, .. } => vec![Line::from(format!(
                "The kernel overwrote {} before they could be read: kills may be missing here. A larger ring helps \
                 (boot option log_buf_len=4M).",
                if *lost == 0 {
                    "log records".to_owned()
                } else {
                    format!("{lost} log records")
                }
            ))],
        };
        let title = match self.victim {
            Some(pid) => format!("OOM event: {pid} was killed"),
            None => "OOM event".to_owned(),
        };
        DialogView {
            title,
            hints: vec![("↑↓", "scroll"), ("Esc", "leave")],
            scroll: self.scroll,
            ..DialogView::default()
        }
        .text(lines)
    }
}

fn userspace_lines(kill: &UserspaceKill) -> Vec<Line> {
    let mut lines = vec![
        Line::from(format!(
            "{} acted before the kernel had to. This is its own word, out of the log:",
            killer_name(kill.killer)
        )),
        Line::of(Tone::Strong, kill.text.clone()),
    ];
    if let Some(reason) = &kill.reason {
        lines.push(Line::of(Tone::Dim, "why ").add(Tone::Normal, reason.clone()));
    }
    lines
}

fn unlogged_lines(kills: u64, groups: &[crate::domain::cgroup::CgroupPath]) -> Vec<Line> {
    let mut lines = vec![Line::from(format!(
        "The kernel's counter (oom_kill in /proc/vmstat) rose by {kills}, but no line of the log tells of it. The log \
         may be unreadable for this user, or the victim was already ending."
    ))];
    for group in groups {
        lines.push(
            Line::of(Tone::Dim, "its own counter rose too: ").add(Tone::Strong, group.to_string()),
        );
    }
    lines
}

fn report_lines(report: &OomReport, remembered: &[(Pid, Remembered)]) -> Vec<Line> {
    let mut lines = vec![Line::of(Tone::Strong, cause(report))];
    if let Some(asker) = asked_by(report) {
        lines.push(Line::from(asker));
    }
    if let Some(group) = &report.task_memcg {
        lines.push(Line::of(Tone::Dim, "victim's cgroup ").add(Tone::Normal, group.clone()));
    }
    if !report.has_header && !report.kills.is_empty() {
        lines.push(Line::of(
            Tone::Dim,
            "Only the \"Killed process\" line is there: the kernel prints at most 10 reports in 5 s, or the ring has \
             lost the rest.",
        ));
    }
    if report.repeats > 0 {
        lines.push(Line::of(
            Tone::Watch,
            format!("The same report came {} times more.", report.repeats),
        ));
    }
    for kill in &report.kills {
        lines.push(Line::new());
        lines.extend(kill_lines(kill));
        if let Some((_, known)) = remembered.iter().find(|(pid, _)| *pid == kill.pid) {
            lines.extend(remembered_lines(known));
        }
    }
    lines
}

fn kill_lines(kill: &Kill) -> Vec<Line> {
    let size = |kb: Option<u64>| {
        kb.map_or_else(
            || "n/a".to_owned(),
            |kb| format::size(kb.saturating_mul(1024)),
        )
    };
    let mut head = Line::of(Tone::Critical, format!("killed {} {}", kill.pid, kill.comm));
    if kill.group_member {
        head.push(Tone::Dim, "  with its group (memory.oom.group)");
    }
    let number = |n: Option<i64>| n.map_or_else(|| "n/a".to_owned(), |n| n.to_string());
    vec![
        head,
        Line::of(Tone::Dim, "  anon ")
            .add(Tone::Strong, size(kill.anon_rss_kb))
            .add(
                Tone::Dim,
                format!(
                    "  file {}  shared {}",
                    size(kill.file_rss_kb),
                    size(kill.shmem_rss_kb)
                ),
            )
            .add(
                Tone::Dim,
                format!(
                    "  page tables {}  virtual {}",
                    size(kill.pgtables_kb),
                    size(kill.total_vm_kb)
                ),
            ),
        Line::of(
            Tone::Dim,
            format!(
                "  adj {}  uid {}",
                number(kill.adj.map(i64::from)),
                number(kill.uid.map(i64::from))
            ),
        ),
    ]
}

fn remembered_lines(known: &Remembered) -> Vec<Line> {
    let mut lines = Vec::new();
    if let Some(command) = &known.command {
        lines.push(Line::of(Tone::Dim, "  command ").add(Tone::Normal, &**command));
    }
    if let Some(group) = &known.cgroup {
        lines.push(Line::of(Tone::Dim, "  cgroup ").add(Tone::Normal, group.to_string()));
    }
    let rank = known.rank.map_or_else(
        || "unranked".to_owned(),
        |rank| format!("rank {rank} of the host"),
    );
    let user = known.user.as_deref().unwrap_or("?");
    lines.push(Line::of(
        Tone::Dim,
        format!("  last sample before: {rank}, user {user}"),
    ));
    lines
}
