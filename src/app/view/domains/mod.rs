//! The domains view: every OOM domain of the host, as a tree, the most urgent first.
//!
//! [`Domains`] remembers each domain from sample to sample ([`watch::Watch`]), names the one that is nearer
//! to its OOM than the host, and keeps the view's own state: order, what is unfolded, selection. The
//! selection is a domain, never a row.

mod acting;
pub mod columns;
pub mod death;
pub mod forecast;
mod kills;
pub mod pace;
pub mod rows;
pub mod watch;

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use kills::Kills;
use rows::{Row, RowId};
use watch::{Around, Watch};

use crate::model::cgroup::CgroupPath;
use crate::model::cgroup::container;
use crate::model::memory::band::Thresholds;
use crate::model::oom_domain::urgency::Urgency;
use crate::model::oom_domain::victim::Scope;
use crate::model::snapshot::Snapshot;
use crate::model::time::Monotonic;
use crate::oomlog::OomReport;
use crate::text::wording;

/// How long the header stays with a domain before it turns to another that is not more urgent by a word.
const STAY: Duration = Duration::from_secs(15);

/// Samples after a rise of the host's counter of kills in which the groups' own may show it.
const LATE: u64 = 8;

/// What the rows are in order of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Order {
    /// The most urgent first, calm siblings folded.
    #[default]
    Urgency,
    /// By path.
    Path,
}

/// All domains and the view of them.
#[derive(Debug, Default)]
pub struct Domains {
    /// The view is in the place of the process table.
    pub open: bool,
    /// Order of the rows.
    pub order: Order,
    /// Only domains with this in their name or path; empty: all.
    pub filter: String,
    /// First row on the screen.
    pub offset: usize,
    watches: HashMap<Scope, Watch>,
    kills: Kills,
    /// The host's counter of kills, and the sample in which it last rose.
    host_kills: Option<u64>,
    host_rose: Option<u64>,
    /// The domain more urgent than the host, and since when the header names it.
    leading: Option<(Scope, Monotonic)>,
    /// Domains whose calm children are shown.
    unfolded: HashSet<Scope>,
    rows: Vec<Row>,
    selected: Option<RowId>,
    /// Path of the selected domain: a key is used again when its group is gone.
    path: Option<CgroupPath>,
    cursor: usize,
    /// Row the selected domain had while somebody was in it: empty, it sinks before it is removed.
    home: usize,
}

impl Domains {
    /// Takes a report of the log in: it says which domain ran out.
    pub fn accept_report(&mut self, report: &OomReport) {
        self.kills.report(report);
    }

    /// Takes a sample in, and how many kills are known since the one before that no line of the log tells
    /// of.
    pub fn accept(&mut self, snapshot: &Snapshot, thresholds: &Thresholds, unlogged: u64) {
        self.kills.unlogged(snapshot.seq, unlogged);
        if self
            .host_kills
            .is_some_and(|before| snapshot.kills.host > Some(before))
        {
            self.host_rose = Some(snapshot.seq);
        }
        self.host_kills = snapshot.kills.host;
        self.kills.settle(snapshot.seq, snapshot.taken.monotonic);
        let is_near = |watch: &Watch| watch.urgency >= Urgency::Imminent;
        let mut around = Around {
            snapshot,
            thresholds,
            kills: &self.kills,
            kills_now: self.host_rose.is_some_and(|seq| snapshot.seq <= seq + LATE),
            host_is_near: self.watch(Scope::Host).is_some_and(is_near),
        };
        for domain in &snapshot.domains {
            let group = domain.scope.memcg().and_then(|key| snapshot.cgroup(key));
            let watch = self.watches.entry(domain.scope).or_default();
            watch.accept(domain, group, &around);
            // It comes before all groups.
            around.host_is_near |= domain.scope == Scope::Host && is_near(watch);
        }
        self.kills.account(snapshot.seq, self.accounted(snapshot));
        self.watches.retain(|_, watch| watch.seen == snapshot.seq);
        let known = &self.watches;
        self.unfolded.retain(|scope| known.contains_key(scope));
        self.lead(snapshot);
    }

    /// Kills counted in this sample in groups that ran out themselves, each once.
    fn accounted(&self, snapshot: &Snapshot) -> u64 {
        let of = |key| {
            self.watches
                .get(&Scope::Memcg(key))
                .map_or(0, |w| w.accounted)
        };
        let keys = snapshot.domains.iter().filter_map(|d| d.scope.memcg());
        keys.filter(|key| of(*key) > 0)
            // A group around it has counted the same ones.
            .filter(|key| snapshot.ancestry(*key).skip(1).all(|(key, _)| of(key) == 0))
            .map(of)
            .sum()
    }

    /// What is remembered of a domain of the newest sample.
    pub fn watch(&self, scope: Scope) -> Option<&Watch> {
        self.watches.get(&scope)
    }

    /// The cgroup that is nearer to its OOM than the host (or than the limit oomtop itself lives in).
    /// Changes only when another is more urgent by a word, or after a quarter of a minute.
    pub fn leading(&self) -> Option<Scope> {
        self.leading.map(|(scope, _)| scope)
    }

    fn lead(&mut self, snapshot: &Snapshot) {
        let at = snapshot.taken.monotonic;
        let main = snapshot.main_domain().map_or(Scope::Host, |d| d.scope);
        let urgency = |scope| self.watch(scope).map_or(Urgency::Calm, |w| w.urgency);
        let bar = urgency(main);
        // Where nobody is left, nobody is next.
        let peopled = |scope| self.is_peopled(scope);
        let first = self
            .watches
            .iter()
            .filter(|(scope, watch)| **scope != main && watch.urgency > bar)
            .filter(|(scope, _)| matches!(scope, Scope::Memcg(_)))
            .filter(|(scope, _)| peopled(**scope))
            .min_by_key(|(_, watch)| watch.place())
            .map(|(scope, _)| *scope);
        self.leading = match (self.leading, first) {
            (_, None) => None,
            (Some((old, since)), Some(new)) => {
                let outdone = urgency(new) > urgency(old) || urgency(old) <= bar || !peopled(old);
                if old == new || (!outdone && at.since(since) < STAY) {
                    Some((old, since))
                } else {
                    Some((new, at))
                }
            }
            (None, Some(new)) => Some((new, at)),
        };
    }

    fn is_peopled(&self, scope: Scope) -> bool {
        self.watch(scope).is_some_and(|watch| watch.peopled)
    }

    /// The path of the selected domain; `None` for the host and a set of nodes.
    pub fn selected_path(&self) -> Option<&CgroupPath> {
        self.path.as_ref()
    }

    /// How many domains besides the host are not calm.
    pub fn urgent(&self) -> usize {
        let groups = self.watches.iter().filter(|(s, _)| **s != Scope::Host);
        groups
            .filter(|(_, watch)| watch.urgency > Urgency::Calm)
            .count()
    }

    /// The rows, as last arranged.
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// The selected row.
    pub fn cursor(&self) -> usize {
        self.cursor
    }

    /// The selected domain; for a folded part the one around it.
    pub fn selected(&self) -> Option<Scope> {
        self.rows.get(self.cursor).map(|row| row.id().scope)
    }

    /// Puts the rows in order; the selection stays on its domain, or if that is gone on the row it had
    /// while somebody was in it.
    pub fn arrange(&mut self, snapshot: &Snapshot, height: usize) {
        if !self.open {
            return;
        }
        // The same key may be another group by now.
        let path = |scope: Scope| Some(&snapshot.cgroup(scope.memcg()?)?.path);
        let kept = self
            .selected
            .filter(|id| path(id.scope) == self.path.as_ref());
        let keep = kept.map(|id| id.scope);
        self.rows = if self.filter.is_empty() {
            rows::arrange(snapshot, &self.watches, self.order, &self.unfolded, keep)
        } else {
            rows::matching(snapshot, &self.watches, self.order, &self.filter)
        };
        let found = kept.and_then(|id| self.rows.iter().position(|row| row.id() == id));
        let last = self.rows.len().saturating_sub(1);
        self.cursor = found.unwrap_or(self.home.min(last));
        self.selected = self.rows.get(self.cursor).map(Row::id);
        let scope = self.selected.map(|id| id.scope);
        if found.is_none() || scope.is_none_or(|scope| self.is_peopled(scope)) {
            self.home = self.cursor;
        }
        self.path = scope.and_then(path).cloned();
        self.offset = self.offset.min(self.rows.len().saturating_sub(height));
        self.scroll_to_cursor(height);
    }

    /// Moves the selection.
    pub fn move_by(&mut self, by: isize, height: usize) {
        let last = self.rows.len().saturating_sub(1);
        self.select(self.cursor.saturating_add_signed(by).min(last), height);
    }

    /// Selects a row.
    pub fn select(&mut self, row: usize, height: usize) {
        if row < self.rows.len() {
            self.cursor = row;
            self.home = row;
            self.selected = self.rows.get(row).map(Row::id);
            let scope = self.selected.map(|id| id.scope);
            self.path = scope.and_then(|scope| self.watch(scope)?.path.clone());
            self.scroll_to_cursor(height);
        }
    }

    fn scroll_to_cursor(&mut self, height: usize) {
        if self.cursor < self.offset {
            self.offset = self.cursor;
        } else if self.cursor >= self.offset + height {
            self.offset = self.cursor + 1 - height.clamp(1, self.cursor + 1);
        }
    }

    /// True if the selected row is a folded part.
    pub fn is_fold_selected(&self) -> bool {
        matches!(self.rows.get(self.cursor), Some(Row::Fold { .. }))
    }

    /// Shows or hides the calm domains below the selected one, or of the selected folded part.
    pub fn unfold(&mut self, open: bool) {
        let Some(scope) = self.selected() else {
            return;
        };
        if open {
            self.unfolded.insert(scope);
        } else if !self.unfolded.remove(&scope)
            && let Some(Row::Domain {
                parent: Some(parent),
                ..
            }) = self.rows.get(self.cursor)
        {
            // One of the unfolded: the part it is in.
            self.unfolded.remove(parent);
        }
    }

    /// True if there is something folded at the selection.
    pub fn has_folded(&self) -> bool {
        let scope = self.selected();
        self.rows.iter().any(
            |row| matches!(row, Row::Fold { parent, open: false, .. } if Some(*parent) == scope),
        )
    }

    /// True if the calm children of this domain are shown.
    pub fn is_unfolded(&self, scope: Scope) -> bool {
        self.unfolded.contains(&scope)
    }
}

/// What a domain is called: the host by its name, a group by what its path tells, otherwise by its path
/// from the limited group around it on.
pub fn name(scope: Scope, parent: Option<Scope>, host: &str, snapshot: &Snapshot) -> String {
    let key = match scope {
        Scope::Host => return format!("host {host}"),
        Scope::Nodes(_) => return wording::domain(scope, snapshot),
        Scope::Memcg(key) => key,
    };
    let Some(group) = snapshot.cgroup(key) else {
        return "?".to_owned();
    };
    let path = group.path.as_str();
    let around = match parent {
        Some(Scope::Memcg(key)) => snapshot.cgroup(key).map(|group| group.path.as_str()),
        _ => None,
    };
    if let Some(label) = container::label(path) {
        // Inside its pod the pod need not be said again.
        let is_pod = |path| container::owner(path).is_some_and(|o| o.kind == container::Kind::Pod);
        return match label.split_once(" in pod ") {
            Some((own, _)) if around.is_some_and(is_pod) => own.to_owned(),
            _ => label,
        };
    }
    around
        .and_then(|around| path.strip_prefix(around)?.strip_prefix('/'))
        .filter(|rest| !rest.is_empty())
        .unwrap_or(path)
        .to_owned()
}
