//! What the adjust dialog's write would change: badness and rank of every target, and the next victim of
//! every OOM domain a target is in.

use std::collections::HashSet;

use super::AdjustDialog;
use crate::app::dialog::{DialogContext, Pinned};
use crate::app::view::domains::death::Death;
use crate::app::view::processes::columns::CellContext;
use crate::app::view::processes::preview::{
    Standing, VictimChange, reached, standing, standing_in, victims,
};
use crate::model::oom_domain::enclosing::is_member;
use crate::model::oom_domain::victim::{Scope, Verdict};
use crate::model::process::score::OomScoreAdj;
use crate::model::process::{Process, ProcessId};
use crate::model::snapshot::Snapshot;
use crate::text::format;
use crate::text::tone::{Line, Tone};
use crate::text::wording;

/// Most targets that are named one by one.
pub(super) const NAMED: usize = 4;

pub(super) fn preview(
    dialog: &AdjustDialog,
    value: OomScoreAdj,
    context: &DialogContext<'_>,
) -> Vec<Line> {
    let list: Vec<_> = dialog.targets().iter().map(|t| t.id).collect();
    let write = Write {
        ids: reached(&list, context.cells.snapshot),
        value,
        cells: &context.cells,
    };
    let living = context.living(dialog.targets());
    let many = dialog.targets().len() > 1;
    let mut lines: Vec<Line> = living
        .iter()
        .take(NAMED)
        .filter_map(|(target, _)| write.standing_line(target, many))
        .collect();
    if living.len() > NAMED {
        let more = living.len() - NAMED;
        lines.push(Line::of(Tone::Dim, format!("… and {more} more")));
    }
    lines.extend(
        victims(&list, value, &context.cells)
            .iter()
            .map(|change| write.victim_line(change, dialog.main.id)),
    );
    lines
}

/// A planned write.
struct Write<'a> {
    ids: HashSet<ProcessId>,
    value: OomScoreAdj,
    cells: &'a CellContext<'a>,
}

impl Write<'_> {
    fn adj_after(&self, process: &Process) -> OomScoreAdj {
        if self.ids.contains(&process.id) {
            self.value
        } else {
            adj_before(process)
        }
    }

    /// Badness and rank on the host, before and after, as the table shows them.
    fn standing_line(&self, target: &Pinned, named: bool) -> Option<Line> {
        let before = standing(target.id, self.cells, adj_before)?;
        let after = standing(target.id, self.cells, |p| self.adj_after(p))?;
        let mut line = Line::new();
        if named {
            line.push(Tone::Normal, format!("{target}  "));
        }
        Some(
            line.add(Tone::Dim, "badness ")
                .add(Tone::Normal, share(before))
                .add(Tone::Accent, " → ")
                .add(Tone::Strong, share(after))
                .add(Tone::Dim, "   rank ")
                .add(Tone::Normal, rank(before))
                .add(Tone::Accent, " → ")
                .add(Tone::Strong, rank(after)),
        )
    }

    /// The next victim of a domain, before and after; in a cgroup the rank of `main` there too.
    fn victim_line(&self, change: &VictimChange, main: ProcessId) -> Line {
        let snapshot = self.cells.snapshot;
        let domain = wording::domain(change.scope, snapshot);
        let line = Line::of(Tone::Dim, format!("next victim of {domain} "));
        let death = snapshot
            .domain(change.scope)
            .map(|domain| Death::from_domain(domain, snapshot));
        match death {
            Some(Death::Panics) => {
                return line.add(Tone::Danger, "none: the kernel panics (panic_on_oom)");
            }
            Some(Death::Asker) => {
                return line.add(
                    Tone::Watch,
                    "whoever asks for memory, unless it is immune (oom_kill_allocating_task)",
                );
            }
            Some(Death::Hangs) => {
                return line.add(Tone::Watch, "none: its tasks hang (oom_kill_disable)");
            }
            _ => {}
        }
        let before = name(change.before, snapshot);
        let after = name(change.after, snapshot);
        let same = before == after;
        let line = line.add(Tone::Normal, before);
        let line = if same {
            line.add(Tone::Dim, ", as before")
        } else {
            line.add(Tone::Accent, " → ").add(Tone::Strong, after)
        };
        match self.rank_inside(change.scope, main) {
            Some((before, after)) => line
                .add(Tone::Dim, "   rank there ")
                .add(Tone::Normal, rank(before))
                .add(Tone::Accent, " → ")
                .add(Tone::Strong, rank(after)),
            None => line,
        }
    }

    fn rank_inside(&self, scope: Scope, main: ProcessId) -> Option<(Standing, Standing)> {
        let snapshot = self.cells.snapshot;
        let process = snapshot.process(main)?;
        if scope == Scope::Host || !is_member(process, scope, snapshot) {
            return None;
        }
        let total = snapshot.domain(scope)?.total_pages;
        let before = standing_in(main, scope, total, self.cells, adj_before)?;
        let after = standing_in(main, scope, total, self.cells, |p| self.adj_after(p))?;
        Some((before, after))
    }
}

fn adj_before(process: &Process) -> OomScoreAdj {
    process.adj.unwrap_or_default()
}

fn share(standing: Standing) -> String {
    let share = |points| format!("{}‰", format::permille(points, standing.total));
    standing.points.map_or_else(|| "never".to_owned(), share)
}

fn rank(standing: Standing) -> String {
    standing
        .rank
        .map_or_else(|| "never".to_owned(), |rank| rank.to_string())
}

fn name(verdict: Option<Verdict>, snapshot: &Snapshot) -> String {
    verdict.map_or_else(
        || "nobody".to_owned(),
        |verdict| wording::victim(&verdict, snapshot),
    )
}
