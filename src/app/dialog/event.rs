//! An event that is not a kernel report: a program's kill, an unlogged kill, a gap.

use super::scroll::Scroll;
use super::{Dialog, DialogContext, DialogView, Outcome};
use crate::app::input::id::ActionId as Id;
use crate::app::input::scope::KeyScope;
use crate::app::view::events::Entry;
use crate::model::cgroup::CgroupPath;
use crate::oomlog::UserspaceKill;
use crate::text::tone::{Line, Tone};
use crate::text::traced::{sigkill_lines, traced_lines};

/// Shows one entry of the event log as it was when opened.
#[derive(Debug)]
pub struct EventDialog {
    entry: Entry,
    /// Instructions of the programs at the tracepoints.
    instructions: u32,
    scroll: Scroll,
}

impl EventDialog {
    /// Opens for an entry; `instructions` is what the kernel has checked of the programs at the tracepoints.
    pub fn new(entry: Entry, instructions: u32) -> Self {
        Self {
            entry,
            instructions,
            scroll: Scroll::default(),
        }
    }
}

impl Dialog for EventDialog {
    fn scope(&self) -> KeyScope {
        KeyScope::Event
    }

    fn on_action(&mut self, action: Id, context: &DialogContext<'_>) -> Outcome {
        match action {
            Id::Back | Id::Commit => return Outcome::Close,
            _ => {
                self.scroll.on_action(action, &self.view(context), context);
            }
        }
        Outcome::Stay
    }

    fn view(&self, context: &DialogContext<'_>) -> DialogView {
        let (title, lines) = match &self.entry {
            // Reports have their own dialog.
            Entry::Report { .. } => ("OOM report", Vec::new()),
            Entry::Traced {
                traced, remembered, ..
            } => (
                "A kill without a report",
                traced_lines(traced, remembered.as_deref(), self.instructions),
            ),
            Entry::Sigkill(sigkill) => ("SIGKILL", sigkill_lines(sigkill)),
            Entry::Userspace(kill) => ("A kill by another program", userspace_lines(kill)),
            Entry::Unlogged { kills, groups, .. } => {
                ("A kill without a log line", unlogged_lines(*kills, groups))
            }
            Entry::Gap { lost, .. } => ("A gap in the log", vec![gap_line(*lost)]),
        };
        DialogView {
            title: title.to_owned(),
            hints: context
                .hints(self.scope())
                .on(&[Id::Up, Id::Down], "scroll")
                .leave(),
            scroll: self.scroll.first(),
            ..DialogView::default()
        }
        .text(lines)
    }
}

fn gap_line(lost: u64) -> Line {
    let what = if lost == 0 {
        "log records".to_owned()
    } else {
        format!("{lost} log records")
    };
    Line::from(format!(
        "The kernel overwrote {what} before they could be read: kills may be missing here. A larger ring helps (boot \
         option log_buf_len=4M)."
    ))
}

fn userspace_lines(kill: &UserspaceKill) -> Vec<Line> {
    let mut lines = vec![
        Line::from(format!(
            "{} acted before the kernel had to. Its own message in the log:",
            kill.killer.name()
        )),
        Line::of(Tone::Strong, kill.text.clone()),
    ];
    if let Some(reason) = &kill.reason {
        lines.push(Line::of(Tone::Dim, "why ").add(Tone::Normal, reason.clone()));
    }
    lines
}

fn unlogged_lines(kills: u64, groups: &[CgroupPath]) -> Vec<Line> {
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
