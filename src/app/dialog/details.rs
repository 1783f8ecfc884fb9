//! The details pane: one process, its badness part by part, and the file behind each number.

mod distance;
mod drift;
mod ended;
mod groups;
mod heap;
mod policy;
mod rule;
mod sources;

use super::scroll::Scroll;
use super::{Dialog, DialogContext, DialogView, Outcome, Pinned, blast};
use crate::app::input::id::ActionId as Id;
use crate::app::input::scope::KeyScope;
use crate::app::msg::WriteId;
use crate::model::cgroup::CgroupKey;
use crate::model::oom_domain::enclosing::around;
use crate::model::oom_domain::victim::{Scope, group_kill};
use crate::model::plan::receipt::PlanReceipt;
use crate::model::process::badness::{Badness, badness};
use crate::model::process::{Process, ProcessId};
use crate::model::snapshot::{Detail, Snapshot};
use crate::model::systemd::drop_in::Found;
use crate::model::systemd::{Lasting, UnitName};
use crate::text::format;
use crate::text::tone::{Line, Tone};
use crate::text::wording;
use policy::Policy;
use sources::sources;

/// Shows one pinned process; its numbers keep updating.
#[derive(Debug)]
pub struct DetailsDialog {
    target: Pinned,
    scroll: Scroll,
    /// A drop-in that would keep the others.
    policy: Option<Policy>,
}

impl DetailsDialog {
    /// Opens for this process.
    pub fn new(target: Pinned) -> Self {
        Self {
            target,
            scroll: Scroll::default(),
            policy: None,
        }
    }
}

impl Dialog for DetailsDialog {
    fn scope(&self) -> KeyScope {
        KeyScope::Process
    }

    fn on_action(&mut self, action: Id, context: &DialogContext<'_>) -> Outcome {
        if let Some(outcome) = self.on_policy(action, context) {
            return outcome;
        }
        match action {
            Id::Back | Id::Commit => return Outcome::Close,
            _ => {
                self.scroll.on_action(action, &self.view(context), context);
            }
        }
        Outcome::Stay
    }

    fn question(&self) -> usize {
        self.policy.as_ref().map_or(0, Policy::question)
    }

    fn asked(&mut self, id: WriteId) {
        if let Some(policy) = &mut self.policy {
            policy.waiting = Some(id);
        }
    }

    fn waiting(&self) -> Option<WriteId> {
        self.policy.as_ref()?.waiting
    }

    fn on_written(&mut self, plans: &[PlanReceipt]) -> Outcome {
        if let Some(policy) = &mut self.policy {
            policy.done(plans);
        }
        Outcome::Stay
    }

    fn on_drop_in(&mut self, unit: &UnitName, lasting: Lasting, found: &Result<Found, String>) {
        if let Some(policy) = &mut self.policy {
            policy.arrived(unit, lasting, found);
        }
    }

    fn wants_detail(&self) -> Option<ProcessId> {
        Some(self.target.id)
    }

    fn wants_groups(&self, snapshot: &Snapshot) -> Vec<CgroupKey> {
        let process = snapshot.process(self.target.id);
        snapshot.limited_around(process.and_then(|process| process.cgroup))
    }

    fn view(&self, context: &DialogContext<'_>) -> DialogView {
        let view = DialogView {
            title: format!("Details of {}", self.target),
            hints: context
                .hints(self.scope())
                .on(&[Id::Up, Id::Down], "scroll")
                .on_if(
                    Policy::unit(self.target.id, context).is_some(),
                    &[Id::Policy],
                    "keep the others",
                )
                .leave(),
            scroll: self.scroll.first(),
            ..DialogView::default()
        };
        match context.process(self.target.id) {
            Some(process) => {
                let detail = context
                    .cells
                    .snapshot
                    .detail
                    .as_ref()
                    .filter(|d| d.id == process.id);
                let policy = self.policy.as_ref();
                let policy = policy.map_or_else(Vec::new, |policy| policy.lines(context));
                view.text(policy)
                    .text(identity(process, detail, context))
                    .gap()
                    .text(distance::domains(process, context))
                    .text(heap::lines(process, detail, context))
                    .gap()
                    .text(anatomy(process, context))
                    .gap()
                    .text(sources(process, detail, context))
                    .text(whole_command(process))
            }
            None => view.text(ended::lines(self.target.id, context)),
        }
    }
}

fn pair(label: &str, value: impl Into<String>) -> Line {
    Line::of(Tone::Dim, format!("{label:<12}")).add(Tone::Normal, value)
}

/// Letters of the command line shown at the top: a long command must not push the badness off the screen.
const COMMAND_START: usize = 160;

fn start_of(command: &str) -> String {
    match command.char_indices().nth(COMMAND_START) {
        Some((at, _)) => {
            let start = command.get(..at).unwrap_or(command);
            format!("{start}… (in full at the end)")
        }
        None => command.to_owned(),
    }
}

/// The whole command line, if the top shows only its start.
fn whole_command(process: &Process) -> Vec<Line> {
    let command = process.title();
    if command.chars().nth(COMMAND_START).is_none() {
        return Vec::new();
    }
    let command = Line::from(command.into_owned());
    vec![Line::of(Tone::Accent, "The whole command line"), command]
}

fn identity(process: &Process, detail: Option<&Detail>, context: &DialogContext<'_>) -> Vec<Line> {
    let snapshot = context.cells.snapshot;
    let user = snapshot.user(process.uid).unwrap_or("?");
    let group = process
        .cgroup
        .and_then(|key| snapshot.cgroup(key))
        .map_or("n/a", |g| g.path.as_str());
    let mut lines = vec![
        pair("command", start_of(&process.title())),
        pair("name", process.comm.text()),
        pair("user", format!("{user} (uid {})", process.uid)),
        pair(
            "state",
            format!(
                "{}, {}, parent {}",
                process.state_words(),
                format::number_of(process.threads.into(), "thread", "threads"),
                process.ppid
            ),
        ),
        pair("cgroup", group),
    ];
    lines.extend(drift::lines(process, snapshot));
    if !process.kernel_thread && !process.global_init {
        lines.extend(along(process, snapshot));
    }
    if let Some(exe) = detail.and_then(|d| d.exe.as_deref()) {
        lines.push(pair("executable", exe));
    }
    lines.extend(rule::line(process, detail, context));
    lines
}

/// Who ends with it. An OOM of a group kills no more than that group as a whole, so each domain has a case of its own:
/// told once where they are alike.
fn along(process: &Process, snapshot: &Snapshot) -> Vec<Line> {
    let mut cases: Vec<(Option<CgroupKey>, Vec<Scope>)> = Vec::new();
    let around = around(process, snapshot);
    let scopes = around.iter().map(|domain| domain.scope);
    for scope in scopes.chain(around.is_empty().then_some(Scope::Host)) {
        let whole = group_kill(scope, process.cgroup, &snapshot.cgroups);
        match cases.iter_mut().find(|(known, _)| *known == whole) {
            Some((_, scopes)) => scopes.push(scope),
            None => cases.push((whole, vec![scope])),
        }
    }
    let is_split = cases.len() > 1;
    let mut lines = Vec::new();
    for (whole, scopes) in cases {
        if is_split {
            let names: Vec<String> = scopes
                .iter()
                .map(|scope| wording::domain(*scope, snapshot))
                .collect();
            lines.push(pair("if full", names.join(", ")));
        }
        let dying = blast::lines(process.id, whole, snapshot);
        if dying.is_empty() && is_split {
            lines.push(pair("dies with", "nobody"));
        }
        lines.extend(dying);
    }
    lines
}

/// Badness part by part, as the host's OOM domain counts it.
fn anatomy(process: &Process, context: &DialogContext<'_>) -> Vec<Line> {
    let page = context.cells.rules.page_size;
    let total = context.cells.snapshot.memory.host_total_pages(page);
    let mut lines = vec![Line::of(Tone::Accent, "Badness on the host")];
    let Some(memory) = process.memory else {
        lines.push(Line::from(reason(badness(process, total))));
        return lines;
    };
    let share = |pages: i64| {
        if total == 0 {
            0.0
        } else {
            pages as f64 * 1000.0 / total as f64
        }
    };
    let part = |label: &str, pages: i64, note: String| {
        let sign = if pages < 0 { "-" } else { "" };
        let bytes = pages.unsigned_abs().saturating_mul(page);
        Line::of(Tone::Dim, format!("  {label:<14}"))
            .add(
                Tone::Normal,
                format!("{:>9}", format!("{sign}{}", format::size(bytes))),
            )
            .add(Tone::Strong, format!("{:>8.1}‰  ", share(pages)))
            .add(Tone::Dim, note)
    };
    let count = |pages: u64| i64::try_from(pages).unwrap_or(i64::MAX);
    let size = |pages: u64| format::size(pages * page);
    lines.push(part(
        "rss",
        count(memory.rss),
        format!(
            "anon {}, file {}, shared {}",
            size(memory.anon),
            size(memory.file),
            size(memory.shmem)
        ),
    ));
    lines.push(part(
        "swap",
        count(memory.swap),
        "VmSwap: private memory only".to_owned(),
    ));
    lines.push(part(
        "page tables",
        count(memory.page_tables),
        "VmPTE".to_owned(),
    ));
    let adj = process.adj.unwrap_or_default();
    lines.push(part(
        "adj",
        adj.pages(total),
        format!(
            "{adj} × 1/1000 of RAM + swap ({})",
            format::long_size(total * page)
        ),
    ));
    match badness(process, total) {
        Badness::Points(points) => lines.push(part("badness", points, pages(points))),
        other => lines.push(Line::of(Tone::Good, format!("  {}", reason(other)))),
    }
    lines
}

fn pages(points: i64) -> String {
    let sign = if points < 0 { "-" } else { "" };
    let pages = format::number_of(points.unsigned_abs(), "page", "pages");
    format!("{sign}{pages}")
}

fn reason(badness: Badness) -> String {
    match badness {
        Badness::Immune(immunity) => format!("never chosen: {}", immunity.reason()),
        Badness::Unknown => "its memory could not be read (no permission)".to_owned(),
        Badness::Points(points) => pages(points),
    }
}
