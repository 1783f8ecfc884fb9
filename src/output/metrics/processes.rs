//! The processes that the kernel would choose first, by name and unit.

use std::collections::HashMap;

use super::exposition::{Kind, Page};
use super::{Facts, PROCESSES, domains};
use crate::model::cgroup::CgroupKey;
use crate::model::process::Process;
use crate::model::process::badness::badness;
use crate::model::process::score::OomScoreAdj;

/// Name and group.
type Alike<'a> = (&'a [u8], Option<CgroupKey>);

/// Processes of one name and unit: the one with the highest badness, and how many there are.
struct Row<'a> {
    command: String,
    unit: String,
    process: &'a Process,
    points: i64,
    count: usize,
}

/// Writes all families; returns how many names are left out.
pub(super) fn write(page: &mut Page, facts: &Facts<'_>) -> usize {
    let snapshot = &facts.lookout.snapshot;
    let page_size = facts.host.rules.page_size;
    let total = snapshot.memory.host_total_pages(page_size);
    let mut groups: HashMap<Alike<'_>, (i64, usize, &Process)> = HashMap::new();
    for process in &snapshot.processes {
        let Some(points) = badness(process, total).points() else {
            continue;
        };
        let group = groups
            .entry((process.comm.as_bytes(), process.cgroup))
            .or_insert((points, 0, process));
        group.1 += 1;
        if (points, std::cmp::Reverse(process.id)) > (group.0, std::cmp::Reverse(group.2.id)) {
            (group.0, group.2) = (points, process);
        }
    }
    let mut all: Vec<_> = groups.into_values().collect();
    all.sort_by_key(|(points, _, process)| (std::cmp::Reverse(*points), process.id));
    // Groups of one unit are told apart by key, but not by label: they are added up as far as they are shown.
    let mut rows: Vec<Row<'_>> = Vec::new();
    let mut left_out = 0;
    for (points, count, process) in all {
        let command = process.comm.to_string();
        let unit = domains::unit_of(process.cgroup, facts).unwrap_or_default();
        let is_it = |row: &&mut Row<'_>| row.command == command && row.unit == unit;
        if let Some(row) = rows.iter_mut().find(is_it) {
            row.count += count;
        } else if rows.len() < PROCESSES {
            rows.push(Row {
                command,
                unit,
                process,
                points,
                count,
            });
        } else {
            left_out += 1;
        }
    }
    families(page, &rows, total, page_size);
    left_out
}

fn families(page: &mut Page, rows: &[Row<'_>], total: u64, page_size: u64) {
    let mut family = page.family(
        "oomtop_process_badness_ratio",
        Kind::Gauge,
        "Badness of the process that the kernel would choose first of those with this name and unit, as a share of RAM and swap; oom_score_adj counts.",
    );
    for row in rows.iter().filter(|_| total > 0) {
        family.sample(&row.labels(), Some(row.points as f64 / total as f64));
    }
    let mut family = page.family(
        "oomtop_process_memory_bytes",
        Kind::Gauge,
        "What the kernel counts of that process: resident memory, swap and page tables.",
    );
    for row in rows {
        let memory = row.process.memory;
        family.sample(
            &row.labels(),
            memory.map(|memory| memory.charged().saturating_mul(page_size)),
        );
    }
    let mut family = page.family(
        "oomtop_process_oom_score_adj",
        Kind::Gauge,
        "oom_score_adj of that process.",
    );
    for row in rows {
        family.sample(&row.labels(), row.process.adj.map(OomScoreAdj::get));
    }
    let mut family = page.family(
        "oomtop_processes",
        Kind::Gauge,
        "Processes with this name and unit.",
    );
    for row in rows {
        family.sample(&row.labels(), Some(row.count));
    }
}

impl Row<'_> {
    fn labels(&self) -> [(&'static str, &str); 2] {
        [("command", &self.command), ("unit", &self.unit)]
    }
}
