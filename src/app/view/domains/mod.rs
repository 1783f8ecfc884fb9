//! The domains view: every OOM domain of the host, as a tree, the most urgent first.
//!
//! [`Domains`] remembers each domain from sample to sample ([`watch::Watch`]), names the one that is nearer
//! to its OOM than the host, and keeps the view's own state: order, filter, what is unfolded, and the
//! [`List`] of the rows.

mod acting;
pub mod alarm;
pub mod columns;
pub mod death;
mod filling;
pub mod forecast;
mod kills;
pub mod members;
pub mod pace;
mod past;
mod placed;
mod rise;
pub mod rows;
mod selection;
mod stopped;
pub mod summary;
mod tree;
pub mod waiting;
pub mod watch;

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use kills::Kills;
use rows::Row;
use stopped::Stopped;
use watch::{Around, Watch};

use crate::app::view::list::List;
use crate::model::cgroup::CgroupPath;
use crate::model::cgroup::container;
use crate::model::memory::band::Thresholds;
use crate::model::oom_domain::urgency::Urgency;
use crate::model::oom_domain::victim::Scope;
use crate::model::snapshot::Snapshot;
use crate::model::time::Monotonic;
use crate::oomlog::OomReport;
use crate::text::wording;

/// How long the header stays with a domain before it changes to another of the same [`Urgency`].
const STAY: Duration = Duration::from_secs(15);

/// After the host's kill counter rose, a group's own counter may show the same kill for this many samples.
const LATE: u64 = 8;

/// How the rows are sorted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Order {
    /// The most urgent first, calm siblings folded.
    #[default]
    Urgency,
    /// By path.
    Path,
}

impl Order {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Urgency, Self::Path];

    /// In one word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Urgency => "urgency",
            Self::Path => "path",
        }
    }

    /// What it does.
    pub fn doc(self) -> &'static str {
        match self {
            Self::Urgency => "a tree, the most urgent first, calm siblings folded",
            Self::Path => "a tree, by the paths of the groups",
        }
    }
}

/// What the domains are sorted by.
#[derive(Debug, Clone, Copy)]
pub enum Sorting {
    /// The tree.
    Tree(Order),
    /// A list by a column.
    Column(&'static columns::DomainColumn),
}

/// An order by a column.
#[derive(Debug, Clone, Copy)]
pub struct By {
    /// The column.
    pub column: &'static columns::DomainColumn,
    /// The other way round.
    pub inverted: bool,
}

/// All domains and the view of them.
#[derive(Debug, Default)]
pub struct Domains {
    /// The view is shown instead of the process table.
    pub open: bool,
    /// Order of the tree.
    pub order: Order,
    /// A list in the order of a column, instead of the tree.
    pub by: Option<By>,
    /// The table was zoomed from this view: back leads here.
    pub zoomed: bool,
    /// Only domains with this in their name or path; empty: all.
    pub filter: String,
    watches: HashMap<Scope, Watch>,
    kills: Kills,
    /// The host's counter of kills, and the sample in which it last rose.
    host_kills: Option<u64>,
    host_rose: Option<u64>,
    /// When the host last killed because it ran out itself.
    host_ran_out: Option<Monotonic>,
    /// The domain more urgent than the host, and since when the header names it.
    leading: Option<(Scope, Monotonic)>,
    /// Domains whose calm children are shown.
    unfolded: HashSet<Scope>,
    list: List<Row>,
    /// As many domains fit on the screen, with the members of one below them.
    room: usize,
    /// Cells of the longest name in the rows.
    longest: Option<u16>,
    /// Path of the selected domain: when its group is gone, another group may get its key.
    path: Option<CgroupPath>,
    /// The selected domain, if somebody in it could be killed at some time since it was selected.
    lived: Option<Scope>,
    /// What the rows were last arranged by.
    arrangement: Option<selection::Arrangement>,
}

impl Domains {
    /// The view alone: open or not, order, filter. For another moment of a recording.
    pub(in crate::app) fn forgetting(self) -> Self {
        Self {
            open: self.open,
            order: self.order,
            by: self.by,
            zoomed: self.zoomed,
            filter: self.filter,
            unfolded: self.unfolded,
            list: self.list,
            path: self.path,
            ..Self::default()
        }
    }

    /// Takes a report of the log, which says what domain ran out of memory.
    pub fn accept_report(&mut self, report: &OomReport) {
        self.kills.report(report);
    }

    /// Takes a sample, and how many kills since the sample before have no line in the log.
    pub fn accept(&mut self, snapshot: &Snapshot, thresholds: &Thresholds, unlogged: u64) {
        self.kills.unlogged(snapshot.seq, unlogged);
        let before = self.host_kills;
        if before.is_some_and(|before| snapshot.kills.host > Some(before)) {
            self.host_rose = Some(snapshot.seq);
        }
        self.host_kills = snapshot.kills.host;
        self.kills.settle(snapshot.seq, snapshot.taken.monotonic);
        // A kill in a group frees little of the host: only the host's own ends what was known of its growth.
        let ran_out = self.kills.last_of(None);
        let killed_now = ran_out > self.host_ran_out;
        self.host_ran_out = self.host_ran_out.max(ran_out);
        let is_near = |watch: &Watch| watch.urgency >= Urgency::Imminent;
        let mut around = Around {
            snapshot,
            thresholds,
            kills: &self.kills,
            kills_now: self.host_rose.is_some_and(|seq| snapshot.seq <= seq + LATE),
            stopped: &Stopped::new(snapshot),
            killed_now,
            host_is_near: self.watch(Scope::Host).is_some_and(is_near),
        };
        for domain in &snapshot.domains {
            let group = domain.scope.memcg().and_then(|key| snapshot.cgroup(key));
            let watch = self.watches.entry(domain.scope).or_default();
            watch.accept(domain, group, &around);
            // The host comes before all groups, so they are judged with this.
            around.host_is_near |= domain.scope == Scope::Host && is_near(watch);
        }
        self.foresee(snapshot);
        self.kills.account(snapshot.seq, self.accounted(snapshot));
        self.watches.retain(|_, watch| watch.seen == snapshot.seq);
        let known = &self.watches;
        self.unfolded.retain(|scope| known.contains_key(scope));
        self.lead(snapshot);
    }

    /// Which domain up the path of each is full first: the kernel kills there, whatever room the inner one has. Where nobody
    /// lives and nothing is used, the end of what is around it takes nobody.
    fn foresee(&mut self, snapshot: &Snapshot) {
        let times: HashMap<Scope, (Duration, bool)> = self
            .watches
            .iter()
            .filter_map(|(scope, watch)| {
                let left = watch.signs.time_left?;
                Some((*scope, (left, watch.forecast.is_unsure())))
            })
            .collect();
        for domain in &snapshot.domains {
            let groups = domain.scope.memcg().into_iter();
            let path =
                groups.flat_map(|key| snapshot.ancestry(key).map(|(key, _)| Scope::Memcg(key)));
            let is_empty = domain.members == 0 || domain.usage == Some(0);
            let outer = path.chain([domain.scope, Scope::Host]);
            let outer = outer.filter(|scope| !is_empty || *scope == domain.scope);
            let first = outer
                .filter_map(|scope| Some((scope, *times.get(&scope)?)))
                .min_by_key(|(scope, (time, _))| (*time, *scope != domain.scope));
            if let Some(watch) = self.watches.get_mut(&domain.scope) {
                watch.first_full = first.map(|(scope, (time, _))| (scope, time));
                watch.first_is_unsure = first.is_some_and(|(_, (_, is_unsure))| is_unsure);
            }
        }
    }

    /// Kills counted in this sample in groups that ran out of memory themselves; nested groups count once.
    fn accounted(&self, snapshot: &Snapshot) -> u64 {
        let of = |key| {
            self.watches
                .get(&Scope::Memcg(key))
                .map_or(0, |w| w.accounted)
        };
        let keys = snapshot.domains.iter().filter_map(|d| d.scope.memcg());
        keys.filter(|key| of(*key) > 0)
            // A parent counts the kills of its children, too.
            .filter(|key| snapshot.ancestry(*key).skip(1).all(|(key, _)| of(key) == 0))
            .map(of)
            .sum()
    }

    /// What is remembered about a domain of the newest sample.
    pub fn watch(&self, scope: Scope) -> Option<&Watch> {
        self.watches.get(&scope)
    }

    /// The cgroup that is nearer to its OOM than the host (or than the limit oomtop itself lives in).
    /// Changes at once to a domain of a higher [`Urgency`], otherwise after 15 seconds.
    pub fn leading(&self) -> Option<Scope> {
        self.leading.map(|(scope, _)| scope)
    }

    fn lead(&mut self, snapshot: &Snapshot) {
        let at = snapshot.taken.monotonic;
        let main = snapshot.main_domain().map_or(Scope::Host, |d| d.scope);
        let urgency = |scope| self.watch(scope).map_or(Urgency::Calm, |w| w.urgency);
        let bar = urgency(main);
        // The header names a next victim: a domain without one cannot lead.
        let has_victims = |scope| self.has_victims(scope);
        let first = self
            .watches
            .iter()
            .filter(|(scope, watch)| **scope != main && watch.urgency > bar)
            .filter(|(scope, _)| matches!(scope, Scope::Memcg(_)))
            .filter(|(scope, _)| has_victims(**scope))
            .min_by_key(|(_, watch)| watch.place())
            .map(|(scope, _)| *scope);
        self.leading = match (self.leading, first) {
            (_, None) => None,
            (Some((old, since)), Some(new)) => {
                let outdone =
                    urgency(new) > urgency(old) || urgency(old) <= bar || !has_victims(old);
                if old == new || (!outdone && at.since(since) < STAY) {
                    Some((old, since))
                } else {
                    Some((new, at))
                }
            }
            (None, Some(new)) => Some((new, at)),
        };
    }

    /// True if an OOM in the domain would kill somebody, or hang the tasks in it.
    fn has_victims(&self, scope: Scope) -> bool {
        self.watch(scope).is_some_and(|watch| watch.has_victims)
    }

    /// How many domains besides the host are not calm.
    pub fn urgent(&self) -> usize {
        let groups = self.watches.iter().filter(|(s, _)| **s != Scope::Host);
        groups
            .filter(|(_, watch)| watch.urgency > Urgency::Calm)
            .count()
    }
}

/// Name of a domain: the host's name, a container or unit found in the path, or else the path below the
/// limited group around it.
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
        // The row of the pod is right above.
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
