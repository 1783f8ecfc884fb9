//! The linear form of `--plain`, for screen readers: a sentence for each thing, no columns, no bars, the processes by
//! their pids, so that a line stays where it was.

use super::fate::fates;
use super::listed::{context, listed};
use super::printable;
use crate::app::settings::Settings;
use crate::app::view::processes::columns::CellContext;
use crate::app::view::processes::marks::{Mark, Marks};
use crate::model::process::badness::badness;
use crate::model::process::{Process, ProcessId};
use crate::model::snapshot::{Host, Snapshot};
use crate::text::cells::prefix;
use crate::text::{format, wording};

/// Most of a command line, in cells.
const COMMAND: usize = 200;

/// The whole text, a sentence on each line.
pub fn sentences(snapshot: &Snapshot, host: &Host, marks: &Marks, settings: &Settings) -> String {
    let context = context(snapshot, host, marks, settings);
    let mut said = vec![machine(snapshot, host, settings), swap(snapshot)];
    said.extend(domains(snapshot));
    let mut rows = listed(&context, host, settings);
    if settings.sort.is_none() {
        rows.sort_by_key(|process| process.id);
    }
    said.push(match (rows.len(), settings.filter.text()) {
        (0, "") => "There are no processes.".to_owned(),
        (0, filter) => format!("No process passes the filter {filter}."),
        (count, "") => format!(
            "{}:",
            format::number_of(count as u64, "process", "processes")
        ),
        (count, filter) => {
            let count = format::number_of(count as u64, "process passes", "processes pass");
            format!("{count} the filter {filter}:")
        }
    });
    said.extend(rows.into_iter().map(|process| row(process, &context)));
    let lines = said
        .iter()
        .map(|sentence| format!("{}\n", printable(sentence)));
    lines.collect()
}

fn machine(snapshot: &Snapshot, host: &Host, settings: &Settings) -> String {
    let (used, limit, whose) = snapshot.gauge();
    let group = whose.and_then(|key| snapshot.cgroup(key));
    let whose = group.map_or_else(|| host.name.clone(), |group| group.path.to_string());
    format!(
        "Memory of {whose}: {} of {} used, {}.",
        format::percent(used),
        format::long_size(limit),
        settings.thresholds.band(used).name(),
    )
}

fn swap(snapshot: &Snapshot) -> String {
    let memory = &snapshot.memory;
    match memory.swap_total {
        0 => "There is no swap.".to_owned(),
        total => format!("Swap: {} used.", format::part_of(memory.swap_used(), total)),
    }
}

fn domains(snapshot: &Snapshot) -> impl Iterator<Item = String> {
    fates(snapshot).map(|fate| {
        let full = fate.full.map_or_else(String::new, |(kept, limit)| {
            format!(" {} used.", format::part_of(kept, limit))
        });
        let what = fate.sentence(snapshot);
        format!("If the memory of {} runs out, {what}.{full}", fate.place)
    })
}

fn row(process: &Process, context: &CellContext<'_>) -> String {
    let ProcessId { pid, .. } = process.id;
    let snapshot = context.snapshot;
    let mut facts = Vec::new();
    let ends = process.state.is_dead() || process.skipped_by_kernel;
    let word = match context.marks.mark(process) {
        Mark::OrThis => Some("may be the next victim instead".to_owned()),
        Mark::OrInGroup => Some("may be the next victim of its domain instead".to_owned()),
        Mark::GroupVictim => Some("next victim of its domain".to_owned()),
        Mark::None if !ends => None,
        _ => Some(context.marks.word(process).to_lowercase()),
    };
    facts.extend(word);
    if let Some(points) = badness(process, context.total).points() {
        let share = format::permille(points, context.total);
        facts.push(format!("badness {share} per mille"));
    }
    match &process.memory {
        Some(memory) => {
            let size = |pages: u64| format::long_size(pages * context.rules.page_size);
            facts.push(format!("{} resident", size(memory.rss)));
            if memory.swap > 0 {
                facts.push(format!("{} swapped out", size(memory.swap)));
            }
        }
        None if process.unreadable => facts.push("memory not readable".to_owned()),
        None => facts.push("no memory".to_owned()),
    }
    if let Some(growth) = process.growth.filter(|growth| growth.abs() >= 1024.0) {
        facts.push(format!("growth {}", format::rate(f64::from(growth))));
    }
    if let Some(adj) = process.adj.filter(|adj| adj.get() != 0) {
        facts.push(format!("oom_score_adj {adj}"));
    }
    let user = snapshot.user(process.uid);
    facts.push(format!(
        "user {}",
        user.map_or_else(|| process.uid.to_string(), str::to_owned)
    ));
    let group = process.cgroup.and_then(|key| snapshot.cgroup(key));
    facts.extend(group.map(|group| format!("in {}", wording::short_group(group.path.as_str()))));
    let title = process.title();
    facts.push(format!("command {}", start_of(&title)));
    format!("{pid} {}: {}.", process.comm, facts.join(", "))
}

/// A command line, or its beginning and how much is missing.
fn start_of(title: &str) -> String {
    let (bytes, _) = prefix(title, COMMAND, false);
    let start = title.get(..bytes).unwrap_or("");
    match title.len() - bytes {
        0 => start.to_owned(),
        more => format!("{start} ... and {more} more bytes"),
    }
}

#[cfg(test)]
mod tests {
    use super::{COMMAND, start_of};

    #[test]
    fn a_command_that_was_cut_says_so() {
        assert_eq!(start_of("java -jar a.jar"), "java -jar a.jar");
        let long = "x".repeat(COMMAND + 56);
        let said = start_of(&long);
        assert!(said.ends_with("x ... and 56 more bytes"), "{said}");
    }
}
