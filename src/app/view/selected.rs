//! The selected row in words, for the pane on the right of a wide screen.

use crate::app::State;
use crate::app::dialog::wrap::wrap;
use crate::app::view::domains::death::Death;
use crate::app::view::layout::Pane;
use crate::model::oom_domain::distance::{Lead, lead};
use crate::model::oom_domain::headroom::Room;
use crate::model::oom_domain::victim::{DomainState, Scope};
use crate::model::process::Process;
use crate::model::process::badness::{Badness, badness};
use crate::text::format;
use crate::text::tone::{Line, Tone};
use crate::text::wording;

/// Most lines of a command: numbers must stay on the screen.
const COMMAND: usize = 4;

impl State {
    /// A title and the lines about the selected row, wrapped to so many cells.
    pub fn selected_lines(&self, width: u16) -> (&'static str, Vec<Line>) {
        let (title, lines) = match self.pane_target() {
            Ok(process) => {
                let title = match self.focus {
                    Pane::Processes => "Selected process",
                    Pane::Events => "The process of the event, alive",
                };
                (title, self.process_lines(process, width))
            }
            Err(reason) => ("Selected", vec![Line::of(Tone::Dim, reason)]),
        };
        let wrapped = lines.iter().flat_map(|line| wrap(line, usize::from(width)));
        (title, wrapped.collect())
    }

    fn process_lines(&self, process: &Process, width: u16) -> Vec<Line> {
        let snapshot = &self.snapshot;
        let user = snapshot
            .user(process.uid)
            .map_or_else(|| process.uid.to_string(), str::to_owned);
        let mut lines = vec![
            Line::of(Tone::Strong, format!("{} {}", process.id.pid, process.comm))
                .add(Tone::Dim, format!("  {user}  {}", process.state_words()))
                .add(
                    Tone::Dim,
                    format!(
                        "  {}",
                        format::number_of(process.threads.into(), "thread", "threads")
                    ),
                ),
        ];
        let command = Line::of(Tone::Normal, process.title().into_owned());
        let mut command = wrap(&command, usize::from(width));
        if command.len() > COMMAND {
            command.truncate(COMMAND);
            if let Some(last) = command.last_mut() {
                last.push(Tone::Dim, " …");
            }
        }
        lines.extend(command);
        lines.extend(self.numbers(process));
        for domain in crate::model::oom_domain::enclosing::around(process, snapshot)
            .into_iter()
            .take(3)
        {
            lines.extend(self.distance(process, domain));
        }
        lines
    }

    /// Where it is and what counts of it.
    fn numbers(&self, process: &Process) -> Vec<Line> {
        let snapshot = &self.snapshot;
        let group = process.cgroup.and_then(|key| snapshot.cgroup(key));
        let group = group.map_or("n/a", |group| group.path.as_str());
        let mut lines = vec![Line::of(Tone::Dim, "cgroup ").add(Tone::Normal, group)];
        let page = self.host.rules.page_size;
        let adj = process
            .adj
            .map_or_else(|| "n/a".to_owned(), |adj| adj.to_string());
        let mut line = Line::of(Tone::Dim, "adj ").add(Tone::Normal, adj);
        match process.memory {
            Some(memory) => {
                for (label, pages) in [
                    ("rss", memory.rss),
                    ("swap", memory.swap),
                    ("page tables", memory.page_tables),
                ] {
                    line.push(Tone::Dim, format!("  {label} "));
                    line.push(Tone::Normal, format::size(pages.saturating_mul(page)));
                }
            }
            None => line.push(Tone::Dim, "  memory n/a"),
        }
        if let Some(growth) = process.growth {
            line.push(Tone::Dim, "  growth ");
            let tone = if growth >= 1024.0 {
                Tone::Watch
            } else {
                Tone::Normal
            };
            line.push(tone, format::rate(growth.into()));
        }
        lines.push(line);
        lines
    }

    /// How far the process is from being the victim of a domain, and how much that has left.
    fn distance(&self, process: &Process, domain: &DomainState) -> Vec<Line> {
        let snapshot = &self.snapshot;
        let name = match domain.scope {
            Scope::Host | Scope::Nodes(_) => wording::domain(domain.scope, snapshot),
            Scope::Memcg(key) => {
                let path = snapshot
                    .cgroup(key)
                    .map_or("?", |group| group.path.as_str());
                wording::short_group(path)
            }
        };
        let share = match badness(process, domain.total_pages) {
            Badness::Points(points) => format!("{}‰", format::permille(points, domain.total_pages)),
            Badness::Immune(_) => "never".to_owned(),
            Badness::Unknown => "n/a".to_owned(),
        };
        let left = Room::from_domain(domain, snapshot);
        let left = left.map_or_else(
            || "room n/a".to_owned(),
            |room| format!("{} left", format::size(room.left())),
        );
        let first = Line::of(Tone::Accent, name)
            .add(Tone::Dim, "  limit ")
            .add(Tone::Normal, format::size(domain.limit))
            .add(Tone::Dim, "  badness ")
            .add(Tone::Strong, share);
        let mut second = Line::of(Tone::Normal, format!("  {left}"));
        match (
            Death::from_domain(domain, snapshot),
            lead(process, domain, self.host.rules.page_size),
        ) {
            (Death::Kill(..), Lead::First { ahead }) => {
                second.push(Tone::Critical, "  the first to die");
                if let Some(ahead) = ahead {
                    second.push(Tone::Dim, format!(", {} ahead", format::size(ahead)));
                }
            }
            (Death::Kill(..), Lead::Behind { bytes, leader }) => {
                second.push(Tone::Normal, format!("  {} behind ", format::size(bytes)));
                second.push(Tone::Strong, wording::process(leader, snapshot));
            }
            (_, Lead::Immune(immunity)) => {
                second.push(Tone::Good, format!("  never chosen: {}", immunity.reason()));
            }
            (death, _) => second.push(Tone::Watch, format!("  dies: {}", death.word())),
        }
        vec![first, second]
    }
}
