//! The details of one OOM domain, in words: how near its OOM is, the signs of one, who dies.

mod files;
mod signs;
mod stuck;

use files::Files;

use super::scroll::Scroll;
use super::{Dialog, DialogContext, DialogView, Outcome, blast};
use crate::app::input::id::ActionId as Id;
use crate::app::input::scope::KeyScope;
use crate::app::view::domains::columns::{tone, urgency_tone};
use crate::app::view::domains::death::Death;
use crate::app::view::domains::watch::Watch;
use crate::app::view::gauge::trend::{Rate, no_time};
use crate::model::cgroup::container;
use crate::model::cgroup::limits::LimitFile;
use crate::model::cgroup::{Cgroup, CgroupKey, CgroupPath};
use crate::model::oom_domain::enclosing::{never_reached, runs_out_first};
use crate::model::oom_domain::headroom::Room;
use crate::model::oom_domain::victim::{DomainState, Scope, Verdict};
use crate::model::snapshot::Snapshot;
use crate::text::format;
use crate::text::tone::{Line, Tone};
use crate::text::wording;

/// Shows one pinned domain; its numbers keep updating.
#[derive(Debug)]
pub struct DomainDialog {
    scope: Scope,
    path: Option<CgroupPath>,
    scroll: Scroll,
}

impl DomainDialog {
    /// Opens for this domain. The path pins the group: the kernel reuses the key of a removed group.
    pub fn new(scope: Scope, path: Option<CgroupPath>) -> Self {
        Self {
            scope,
            path,
            scroll: Scroll::default(),
        }
    }

    fn subject<'a>(&self, context: &DialogContext<'a>) -> Option<Subject<'a>> {
        let snapshot = context.cells.snapshot;
        let group = match self.scope.memcg() {
            Some(key) => Some(snapshot.cgroup(key)?),
            None => None,
        };
        (group.map(|group| &group.path) == self.path.as_ref()).then_some(())?;
        Some(Subject {
            domain: snapshot.domain(self.scope)?,
            group,
            watch: context.domains.watch(self.scope)?,
            snapshot,
            files: Files::of(context.host.cgroups.is_v1(), group.is_none()),
        })
    }
}

impl Dialog for DomainDialog {
    fn scope(&self) -> KeyScope {
        KeyScope::Domain
    }

    fn on_action(&mut self, action: Id, context: &DialogContext<'_>) -> Outcome {
        match action {
            Id::Back => return Outcome::Close,
            Id::Commit | Id::Zoom => {
                return match self.subject(context) {
                    Some(_) => Outcome::Zoom(self.scope),
                    None => Outcome::Close,
                };
            }
            Id::Ledger if self.subject(context).is_some() => return Outcome::Ledger(self.scope),
            _ => {
                self.scroll.on_action(action, &self.view(context), context);
            }
        }
        Outcome::Stay
    }

    fn wants_groups(&self, snapshot: &Snapshot) -> Vec<CgroupKey> {
        snapshot.limited_around(self.scope.memcg())
    }

    fn view(&self, context: &DialogContext<'_>) -> DialogView {
        let name = match &self.path {
            None => format!("host {}", context.host.name),
            Some(path) => container::label(path.as_str()).unwrap_or_else(|| path.to_string()),
        };
        let view = DialogView {
            title: format!("OOM domain {name}"),
            hints: context
                .hints(KeyScope::Domain)
                .on(&[Id::Commit], "its processes")
                .on(&[Id::Ledger], "its memory")
                .on(&[Id::Up, Id::Down], "scroll")
                .leave(),
            scroll: self.scroll.first(),
            ..DialogView::default()
        };
        match self.subject(context) {
            Some(subject) => view
                .text([subject.identity(), subject.stuck(context)].concat())
                .gap()
                .text(subject.distance())
                .gap()
                .text(subject.death())
                .gap()
                .text(subject.signs()),
            None => view.text(vec![Line::of(
                Tone::Watch,
                "This group is gone, or has no limit any more.",
            )]),
        }
    }
}

fn processes(count: usize) -> String {
    format::number_of(count as u64, "process", "processes")
}

/// The domain a dialog shows.
struct Subject<'a> {
    domain: &'a DomainState,
    group: Option<&'a Cgroup>,
    watch: &'a Watch,
    snapshot: &'a Snapshot,
    files: Files,
}

fn pair(label: &str, value: impl Into<String>, source: &str) -> Line {
    Line::of(Tone::Dim, format!("  {label:<11}"))
        .add(Tone::Normal, value)
        .add(Tone::Dim, format!("  {source}"))
}

/// `96.0 MiB (100663296 bytes)`: easy to read, and to compare with the file.
fn exact(bytes: u64) -> String {
    format!("{} ({bytes} bytes)", format::long_size(bytes))
}

impl Subject<'_> {
    fn identity(&self) -> Vec<Line> {
        let Some(group) = self.group else {
            let what = match self.domain.scope {
                Scope::Nodes(set) => format!("Memory nodes {set}, all that a cpuset allows."),
                _ => "All of RAM and swap.".to_owned(),
            };
            return vec![Line::of(Tone::Normal, what)];
        };
        let mut lines = vec![Line::of(Tone::Dim, "cgroup ").add(Tone::Strong, group.path.as_str())];
        if let Some(what) = container::description(group.path.as_str()) {
            lines.push(Line::of(Tone::Normal, what));
        }
        let age = self.snapshot.seq.saturating_sub(group.read_seq);
        if age > 1 {
            lines.push(Line::of(
                Tone::Dim,
                format!("It rests: last read {age} samples ago."),
            ));
        }
        lines
    }

    fn distance(&self) -> Vec<Line> {
        let mut lines = vec![Line::of(Tone::Accent, "How near")];
        let Some(room) = self.watch.room else {
            let text = format!("  Its usage could not be read ({}).", self.files.usage);
            lines.push(Line::of(Tone::Watch, text));
            return lines;
        };
        let band = self.watch.own_band;
        let share = format!("{} {}", format::percent(room.percent()), band.name());
        let mut used = Line::of(Tone::Dim, format!("  {:<11}", "used")).add(tone(band), share);
        if room.droppable > 0 || room.slab > 0 {
            used.push(Tone::Dim, "  of the limit, without what can be dropped");
        }
        lines.push(used);
        lines.push(pair("usage", exact(room.usage), self.files.usage));
        if let Some(stat) = self.group.and_then(|group| group.stat)
            && stat.droppable() > 0
        {
            lines.push(pair("droppable", exact(stat.droppable()), self.files.cache));
            if stat.unwritten > 0 {
                let why = "of it: goes to a disk first, and tasks wait for that";
                lines.push(pair("unwritten", exact(stat.unwritten), why));
            }
        }
        if room.slab > 0 {
            let kernel = self.group.and_then(|group| group.stat?.kernel);
            lines.push(match kernel {
                None => pair("slab", exact(room.slab), "memory.stat slab_reclaimable"),
                Some(_) => pair(
                    "slab",
                    format!("about {}", format::long_size(room.slab)),
                    "of memory.kmem.usage_in_bytes, by the host's mix: it can shrink",
                ),
            });
        }
        let limits = self.group.map(|group| &group.limits);
        let only_high =
            limits.is_some_and(|limits| limits.max.is_none() && limits.high == Some(room.limit));
        if !only_high {
            lines.push(pair("limit", exact(room.limit), self.files.limit));
        }
        if let Some(both) = room.both_limit {
            let file = LimitFile::V1Memsw.name();
            lines.push(pair("with swap", exact(both), file));
        }
        if let Some(high) = self.group.and_then(|group| group.limits.high) {
            lines.push(pair("high", exact(high), LimitFile::High.name()));
        }
        if let Some(soft) = self.group.and_then(|group| group.limits.soft) {
            let source = format!("{}, throttles nothing", LimitFile::V1Soft.name());
            lines.push(pair("soft limit", exact(soft), &source));
        }
        lines.push(self.swap(&room));
        lines.push(pair(
            "room",
            wording::left(&room),
            "limit - used + swap left",
        ));
        lines.push(self.growth(&room));
        lines.extend(self.outer(&room));
        lines
    }

    fn swap(&self, room: &Room) -> Line {
        let left = format::long_size(room.swap_left);
        let swap = match room.swap_used {
            None => format!("used: n/a, {left} left"),
            Some(0) if room.swap_left == 0 => "none it could use".to_owned(),
            Some(used) => format!("{} used, {left} left", exact(used)),
        };
        pair("swap", swap, self.files.swap)
    }

    fn growth(&self, room: &Room) -> Line {
        let line = Line::of(Tone::Dim, format!("  {:<11}", "growth"));
        match self.watch.forecast.rate() {
            Rate::Unknown => line.add(Tone::Dim, "watching …"),
            Rate::Unsteady => line.add(Tone::Normal, "no steady trend in the last minute"),
            Rate::Frozen => line.add(Tone::Normal, "none: all of it is frozen"),
            Rate::Lately(rate, over) => {
                let seconds = over.as_secs_f64().round();
                let lately = format!("{} in the last {seconds} s", format::rate(rate));
                let line = line.add(Tone::Watch, lately);
                match self.watch.signs.time_left {
                    Some(left) => line.add(
                        urgency_tone(self.watch.urgency),
                        format!("  full in {}", format::forecast(left, true)),
                    ),
                    None => line,
                }
            }
            Rate::Steady(rate) if rate.abs() < 1024.0 => line.add(Tone::Normal, "none"),
            Rate::Steady(rate) => {
                let minute = format!("{} in the last minute", format::rate(rate));
                let line = line.add(Tone::Normal, minute);
                match self.watch.signs.time_left {
                    Some(left) => line.add(
                        urgency_tone(self.watch.urgency),
                        format!("  full in {}", format::roughly(left)),
                    ),
                    None => match no_time(rate, room.left()) {
                        Some(why) => line.add(Tone::Dim, format!("  {why}")),
                        None => line,
                    },
                }
            }
        }
    }

    /// The enclosing domain that fills up first.
    fn outer(&self, room: &Room) -> Vec<Line> {
        let scope = self.domain.scope;
        let mut lines = Vec::new();
        if let Some(outer) = never_reached(scope, self.snapshot) {
            let text = format!(
                "  Its limit is never reached: that of {} is not above it.",
                wording::domain(outer, self.snapshot)
            );
            lines.push(Line::of(Tone::Watch, text));
        }
        if let Some((outer, least)) = runs_out_first(scope, self.snapshot) {
            // Less is left there than here: one unit for both.
            let (theirs, own) = format::beside(least.left(), room.left());
            let unit = own.rsplit(' ').next().unwrap_or_default();
            let text = format!(
                "  {} runs out first: it has {theirs} {unit} left, this one {own}.",
                wording::domain(outer, self.snapshot),
            );
            lines.push(Line::of(Tone::Watch, text));
        }
        lines
    }

    fn death(&self) -> Vec<Line> {
        let mut lines = vec![Line::of(Tone::Accent, "Who dies")];
        let death = Death::from_domain(self.domain, self.snapshot);
        let panic_on_oom = self.snapshot.vm_settings.panic_on_oom.unwrap_or(0);
        let (tone, text) = match death {
            Death::Hangs => (
                Tone::Watch,
                format!(
                    "  Nobody: oom_kill_disable is set in {}. At the limit its tasks hang until somebody raises the \
                     limit or ends one.",
                    LimitFile::V1OomControl.name()
                ),
            ),
            Death::Throttles => (
                Tone::Watch,
                format!(
                    "  Nobody: {high} is its only limit. Above it the kernel slows its tasks down and reclaims; without \
                     anything to reclaim they stand nearly still. Raise {high}, or set {} to have one killed instead.",
                    LimitFile::Max.name(),
                    high = LimitFile::High.name(),
                ),
            ),
            Death::Empty => (Tone::Watch, "  Nobody: no process is in it.".to_owned()),
            Death::Dying(id) => (
                Tone::Watch,
                format!(
                    "  Nobody while {} is dying: it was killed, and the kernel waits for its memory.",
                    wording::process(id, self.snapshot)
                ),
            ),
            Death::Panics => (
                Tone::Danger,
                format!("  Nobody: the kernel panics (panic_on_oom {panic_on_oom}), and all that runs is gone."),
            ),
            Death::Asker => (
                Tone::Watch,
                "  Whoever asks for memory at that moment, unless it is immune (oom_kill_allocating_task): \
                 badness does not matter."
                    .to_owned(),
            ),
            Death::Nobody if self.group.is_some() => (
                Tone::Watch,
                "  Nobody can be killed: every process in it is immune. At the limit they hang, and the \
                 kernel fills its log."
                    .to_owned(),
            ),
            // mm/oom_kill.c `out_of_memory`: "System is deadlocked on memory".
            Death::Nobody => (
                Tone::Danger,
                "  Nobody can be killed: every process is immune. When memory is gone, the kernel panics."
                    .to_owned(),
            ),
            Death::Kill(verdict, _) => {
                return self.named(&verdict, lines);
            }
        };
        lines.push(Line::of(tone, text));
        lines
    }

    /// The victim, its badness, and what dies with it.
    fn named(&self, verdict: &Verdict, mut lines: Vec<Line>) -> Vec<Line> {
        let points = verdict.victim.points;
        let share = format::permille(points, self.domain.total_pages);
        let pages = format::number_of(points.unsigned_abs(), "page", "pages");
        let sign = if points < 0 { "-" } else { "" };
        let who = wording::victim(verdict, self.snapshot);
        let mut line = Line::of(Tone::Normal, "  ").add(Tone::Critical, who);
        line.push(Tone::Normal, format!("  badness {sign}{pages}, {share}‰"));
        let members = processes(self.domain.members as usize);
        line.push(Tone::Dim, format!(" of the domain; {members} in it"));
        lines.push(line);
        let group = self.domain.group_kill;
        for line in blast::lines(verdict.victim.id, group, self.snapshot) {
            let mut indented = Line::of(Tone::Normal, "  ");
            indented.spans.extend(line.spans);
            lines.push(indented);
        }
        lines
    }
}
