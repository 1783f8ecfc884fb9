//! What the titles of panes say.

use ratatui::layout::Rect;

use crate::app::State;
use crate::app::view::columns::{Column, Placed};
use crate::app::view::domains::columns::PlacedDomainColumn;
use crate::app::view::layout::{Pane, Panes};
use crate::app::view::list::{List, ListRow};
use crate::app::view::processes::columns::PlacedColumn;
use crate::app::view::said::Said;
use crate::app::view::title_keys::Title;
use crate::model::cgroup::limits::LimitFile;
use crate::model::oom_domain::victim::Scope;
use crate::text::tone::{Line, Tone};
use crate::text::wording::short_group;

/// How old the numbers of a pane are, where they are older than they should be: a clock that runs on says nothing about
/// them.
pub fn age(state: &State) -> Line {
    let mut line = Line::new();
    if let Some(age) = state.stale() {
        line.push(Tone::Danger, format!("  {:.1}s old", age.as_secs_f64()));
    }
    line
}

/// Says that the rows are in the order of a column for which there is no room, or that nobody asked for.
fn unseen<C, S>(columns: &[Placed<C, S>], sorted: &Column<C, S>) -> Line {
    let is_seen = columns
        .iter()
        .any(|placed| std::ptr::eq(placed.column, sorted));
    if is_seen {
        Line::new()
    } else {
        Line::of(Tone::Watch, " (not shown)")
    }
}

/// Which rows are on the screen: `1-20 of 312`; empty if all rows fit.
fn window<R: ListRow>(list: &List<R>) -> Line {
    list.window().map_or_else(Line::new, |(first, last)| {
        Line::of(Tone::Dim, format!("{first}-{last} of {}", list.len()))
    })
}

impl State {
    /// What the title of the process table says.
    pub fn table_said(&self, columns: &[PlacedColumn]) -> Said {
        let table = &self.table;
        let mut line = Line::of(Tone::Strong, "Processes");
        line.spans.extend(age(self).spans);
        let arrow = if table.is_descending() { "↓" } else { "↑" };
        line.push(Tone::Dim, format!(" by {} {arrow}", table.sort.id));
        line.spans.extend(unseen(columns, table.sort).spans);
        let mut said = Said::of(line, Line::new());
        if table.tree {
            said.may_go(Tone::Dim, "  tree");
        }
        if let Some(Scope::Memcg(key)) = table.zoom {
            let group = self.snapshot.cgroup(key);
            let name = group.map_or_else(String::new, |g| short_group(g.path.as_str()));
            said.keep(Tone::Watch, format!("  only {name}"));
        }
        if !table.filter.text().is_empty() {
            said.keep(Tone::Watch, format!("  filter: {}", table.filter.text()));
        }
        if table.whole_commands {
            said.may_go(Tone::Dim, "  whole command lines");
        }
        if !table.tagged.is_empty() {
            said.keep(Tone::Watch, format!("  {} tagged", table.tagged.len()));
        }
        if table.follow {
            said.may_go(Tone::Watch, "  following");
        }
        let list = table.list();
        if list.is_selection_hidden()
            && let Some(process) = table.selected_process(&self.snapshot)
        {
            let (id, row) = (process.id.pid, list.cursor() + 1);
            let text = format!("selected: {id} {} in row {row}  ", process.comm);
            said.remark[0] = Line::of(Tone::Watch, text);
        }
        said.remark[1] = window(list);
        said
    }

    /// What the title of the domains says.
    pub fn domains_said(&self, columns: &[PlacedDomainColumn]) -> Said {
        let domains = &self.domains;
        let all = &self.snapshot.domains;
        let slowed = all.iter().filter(|domain| domain.throttles_only).count();
        let groups = all.len().saturating_sub(1 + slowed);
        let mut line = Line::of(Tone::Strong, "OOM domains");
        line.spans.extend(age(self).spans);
        match domains.by {
            Some(by) => {
                let arrow = if by.inverted { "↑" } else { "↓" };
                line.push(Tone::Dim, format!(" by {} {arrow}", by.column.id));
                line.spans.extend(unseen(columns, by.column).spans);
            }
            None => line.push(Tone::Dim, format!(" by {}", domains.order.name())),
        }
        let mut said = Said::of(line, Line::new());
        let groups = crate::text::format::number_of(groups as u64, "cgroup", "cgroups");
        said.keep(Tone::Dim, format!("  host + {groups}"));
        said.may_go(Tone::Dim, " with a limit");
        if slowed > 0 {
            said.keep(
                Tone::Dim,
                format!(" + {slowed} with {}", LimitFile::High.name()),
            );
        }
        match domains.urgent() {
            _ if self.snapshot.seq == 0 => said.may_go(Tone::Dim, "  reading …"),
            0 => said.may_go(Tone::Good, "  all calm"),
            urgent => said.keep(Tone::Watch, format!("  {urgent} not calm")),
        }
        if !domains.filter.is_empty() {
            said.keep(Tone::Watch, format!("  filter: {}", domains.filter));
        }
        said.remark[1] = window(domains.list());
        said
    }

    /// What the title of the events says.
    pub fn events_said(&self, width: u16) -> Said {
        let focused = self.focus == Pane::Events;
        let events = &self.events;
        let mut said = Said::of(Line::of(Tone::Strong, "OOM events"), Line::new());
        let kills = events.kills();
        said.keep(
            if kills > 0 { Tone::Critical } else { Tone::Dim },
            format!("  kills: {}", events.tally().words()),
        );
        // The log may hold no more; the kernel's own count of this boot is whole.
        said.keep(Tone::Watch, events.since_boot(&self.snapshot));
        if let Some(repeated) = events.repeated(&self.snapshot) {
            said.may_go(Tone::Watch, format!("  {}", repeated.words(self.now.wall)));
        }
        if !events.filter_text.is_empty() {
            said.keep(Tone::Watch, format!("  filter: {}", events.filter_text));
        }
        let unread = events.unread.words();
        if !unread.is_empty() && !focused {
            said.keep(Tone::Watch, format!("  {unread}"));
        }
        let source = &events.source;
        let live = match self.replay {
            Some(_) => "recorded",
            None => "live",
        };
        let remark = match (source.missing.is_empty(), source.caught_up) {
            // The row below says what is missing.
            (false, _) if source.is_traced() => Line::of(
                Tone::Watch,
                format!("{live} from {}, not explained", source.name),
            ),
            (false, _) => Line::of(Tone::Watch, format!("{}, incomplete", source.name)),
            (true, _) if source.name.is_empty() => Line::of(Tone::Dim, "opening the log …"),
            (true, true) => Line::of(Tone::Dim, format!("{live} from {}", source.name)),
            (true, false) => Line::of(Tone::Dim, format!("reading {}", source.name)),
        };
        // Who looks at the pane learns why kills wait for the log, if there is room to say so.
        let remark = match source
            .untraced()
            .filter(|_| focused && source.missing.is_empty())
        {
            None => remark,
            Some(why) => {
                let longer = remark.clone().add(Tone::Dim, format!("; {why}"));
                let room = usize::from(width).saturating_sub(said.words().width() + 8);
                if longer.width() <= room {
                    longer
                } else {
                    remark
                }
            }
        };
        said.remark[0] = remark;
        said
    }

    /// What the title of the history says.
    pub fn history_said(&self) -> Said {
        let limit = crate::text::format::long_size(self.gauge.limit);
        let words = Line::of(Tone::Strong, "Memory used");
        Said::of(words, Line::of(Tone::Dim, format!("of {limit}")))
    }

    /// What the title of the most urgent domains says, where there is room for `most` of them.
    pub fn nearest_said(&self, most: usize) -> Said {
        let remark = match self.attention.nearest.len().saturating_sub(most) {
            0 => Line::new(),
            more => Line::of(Tone::Dim, format!("and {more} more")),
        };
        let words = "OOM domains, the most urgent first";
        Said::of(Line::of(Tone::Strong, words), remark)
    }

    /// What the title in this area says.
    pub(super) fn title_said(&self, title: Title, area: Rect) -> Said {
        let panes = self.panes();
        let [above, events] = self.said(&panes);
        match title {
            Title::Table => above,
            Title::Events => events,
            Title::History => self.history_said(),
            Title::Domains if area.y == panes.below.y && area.x == panes.below.x => {
                self.nearest_said(Panes::domains_below(panes.below))
            }
            Title::Domains => self.nearest_said(panes.side.domain_count()),
            Title::Selected => {
                let (words, _) = self.selected_lines(area.width.saturating_sub(2));
                Said::of(Line::of(Tone::Strong, words), Line::new())
            }
        }
    }

    /// What the title of the pane above says, processes or domains, and that of the events.
    pub(in crate::app) fn said(&self, panes: &Panes) -> [Said; 2] {
        let width = panes.table_head.width;
        let above = if self.domains.open {
            self.domains_said(&self.domain_columns(width))
        } else {
            self.table_said(&self.table.columns(width))
        };
        [above, self.events_said(panes.events_title.width)]
    }
}
