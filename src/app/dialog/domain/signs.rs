//! Signs of an OOM in a domain: counters and their pace, stalls, refaults.

use super::{Subject, pair};
use crate::app::view::domains::columns::{counted, urgency_tone};
use crate::app::view::domains::pace::Count;
use crate::model::cgroup::Cgroup;
use crate::text::format;
use crate::text::tone::{Line, Tone};

impl Subject<'_> {
    pub(super) fn signs(&self) -> Vec<Line> {
        let mut lines = vec![Line::of(Tone::Accent, "Signs")];
        if let Some(acute) = self.watch.acute() {
            let label = Line::of(Tone::Dim, format!("  {:<11}", "state"));
            lines.push(label.add(urgency_tone(self.watch.urgency), acute.phrase()));
        }
        let Some(group) = self.group else {
            let kills = self.snapshot.kills.host;
            let kills = kills.map_or_else(
                || "n/a".to_owned(),
                |kills| format!("{kills} since boot, in all domains"),
            );
            lines.push(pair("kills", kills, self.files.kills));
            lines.extend(self.stalls(None));
            return lines;
        };
        let pace = &self.watch.pace;
        let events = &group.events;
        for (label, value, count, source) in [
            ("throttled", events.high, Count::High, "memory.events high"),
            ("at limit", events.max, Count::Max, self.files.max),
            (
                "oom",
                events.oom,
                Count::Oom,
                "memory.events oom: OOMs, not kills",
            ),
            ("kills", events.oom_kill, Count::OomKill, self.files.kills),
        ] {
            // v1 has neither counter: say nothing.
            if value.is_some() || count == Count::OomKill {
                lines.push(pair(label, counted(value, pace.recent(count)), source));
            }
        }
        if let Some(kills) = events.oom_group_kill {
            let source = "memory.events oom_group_kill: it died whole";
            lines.push(pair("whole", kills.to_string(), source));
        }
        if let Some(stat) = group.stat {
            let text = counted(stat.refaults, pace.recent(Count::Refaults));
            let what = "memory.stat workingset_refault: read again soon after it was dropped";
            lines.push(pair("refaults", text, what));
        }
        lines.extend(self.stalls(Some(group)));
        lines
    }

    fn stalls(&self, group: Option<&Cgroup>) -> Vec<Line> {
        let shares = match group {
            Some(group) => group.pressure.map(|p| {
                let share = |hundredths: u32| format::percent(f64::from(hundredths) / 100.0);
                (share(p.some), share(p.full))
            }),
            None => self.snapshot.pressure.map(|p| {
                let share = |percent: f32| format::percent(f64::from(percent));
                (share(p.some.avg10), share(p.full.avg10))
            }),
        };
        let source = "PSI of the last 10 s";
        let line = match shares {
            Some((some, full)) => pair("stalls", format!("some {some}, full {full}"), source),
            None => pair(
                "stalls",
                "n/a",
                "no memory.pressure here (cgroup v1, or PSI is off)",
            ),
        };
        vec![line]
    }
}
