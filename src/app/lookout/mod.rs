//! [`Lookout`]: what is known of the machine where nobody looks at a screen: the gauge, the domains and the events of the
//! dashboard, without its panes and dialogs. `oomtop metrics` and `oomtop watch` are built on it.

mod chosen;
mod death;
mod news;
mod untold;

use std::sync::Arc;
use std::time::Duration;

use crate::app::view::domains::Domains;
use crate::app::view::domains::watch::Watch;
use crate::app::view::events::EventLog;
use crate::app::view::gauge::Gauge;
use crate::app::view::killed::Killed;
use crate::model::event_source::EventSource;
use crate::model::kernel::KernelRules;
use crate::model::memory::band::Thresholds;
use crate::model::oom_domain::victim::{DomainState, Scope};
use crate::model::snapshot::{Needs, Snapshot};
use crate::model::time::{Monotonic, Now};
use crate::model::traced::{HowTaken, Traced};
use crate::oomlog::OomEvent;
use chosen::Chosen;
use untold::Untold;

pub use chosen::PLACES;
pub use death::{By, Death, Toll, WhatRanOut};
pub use news::{Crier, Named, News};

/// Bytes for the rows of events: nobody reads them, but a report that grows is known again by its row.
const EVENTS: u64 = 512 * 1024;

/// Domains whose files are all read in each sample, the most urgent ones.
const READ_WHOLE: usize = 32;

/// The host among domains: every other one is a path or begins with `nodes`.
const HOST: &str = "host";

/// A sample comes within this time of the news of a kill.
const PERIOD: Duration = Duration::from_secs(1);

/// Victims whose numbers are read exactly.
const EXACT: usize = 64;

/// Samples and events, taken in one by one.
#[derive(Debug)]
pub struct Lookout {
    /// Marks of the bands.
    pub thresholds: Thresholds,
    /// The newest sample.
    pub snapshot: Arc<Snapshot>,
    previous: Arc<Snapshot>,
    /// The memory of the whole machine: that of the host, or of the container that oomtop is in; never the limit of
    /// oomtop's own service.
    pub gauge: Gauge,
    /// What is remembered of each domain.
    pub domains: Domains,
    /// What the log has told.
    pub events: EventLog,
    /// Deaths since the start.
    pub toll: Toll,
    /// Samples that failed since the start.
    pub failed: u64,
    /// Why the last sample failed; `None` if it did not.
    pub failure: Option<String>,
    /// Victims that samples may still show.
    killed: Killed,
    /// How this kernel ranks.
    rules: KernelRules,
    /// Domains that a page has room for.
    chosen: Chosen,
    /// Kills whose report may still come.
    untold: Untold,
    /// Kills that were counted before, and whose report has come since the last look.
    late: Vec<Death>,
    started: Monotonic,
}

impl Lookout {
    /// Before the first sample. What happened before `now` is history and counts no more.
    pub fn new(thresholds: Thresholds, now: Now) -> Self {
        let mut events = EventLog::default();
        events.bound(EVENTS);
        Self {
            thresholds,
            snapshot: Arc::default(),
            previous: Arc::default(),
            gauge: Gauge::default(),
            domains: Domains::default(),
            events,
            toll: Toll::default(),
            failed: 0,
            failure: None,
            killed: Killed::default(),
            rules: KernelRules::default(),
            chosen: Chosen::default(),
            untold: Untold::default(),
            late: Vec::new(),
            started: now.monotonic,
        }
    }

    /// The same on a kernel with these rules.
    #[must_use]
    pub fn under(self, rules: KernelRules) -> Self {
        Self { rules, ..self }
    }

    fn pass_over_killed(&mut self) {
        let times = (self.snapshot.taken.monotonic, PERIOD);
        self.killed
            .pass_over(&mut self.snapshot, &self.rules, times);
    }

    /// Takes a sample. Returns kills that the kernel has counted and nobody told of.
    pub fn sampled(&mut self, snapshot: Arc<Snapshot>) -> Vec<Death> {
        self.failure = None;
        self.previous = std::mem::replace(&mut self.snapshot, snapshot);
        self.pass_over_killed();
        let (newest, thresholds) = (Arc::clone(&self.snapshot), self.thresholds);
        let found = self.events.reconcile(&newest, &self.previous);
        self.domains.accept(&newest, &thresholds, found.unexplained);
        self.gauge.accept_machine(&newest, &thresholds);
        let mut chosen = std::mem::take(&mut self.chosen);
        chosen.choose(self.ranked().into_iter().map(|(domain, watch)| {
            let group = domain.scope.memcg().and_then(|key| newest.cgroup(key));
            let instance = group.and_then(|group| group.instance);
            ((domain.scope, instance), watch.urgency)
        }));
        self.chosen = chosen;
        let mut deaths = self.untold.expire();
        if found.kills > 0 {
            self.untold.counted(found.kills, newest.taken.monotonic);
            deaths.push(Death::unlogged(found.kills, newest.taken.monotonic));
        }
        self.count(deaths)
    }

    /// Takes the failure of a sample.
    pub fn not_sampled(&mut self, why: String) {
        self.failed += 1;
        self.failure = Some(why);
    }

    /// Takes an event of the log that has come at `now`. Returns the deaths that are news.
    pub fn told(&mut self, event: OomEvent, now: Now) -> Vec<Death> {
        // Nobody may ask for them: those of one event are kept.
        self.late.clear();
        let samples = [&*Arc::clone(&self.snapshot), &*Arc::clone(&self.previous)];
        let deaths = match &event {
            OomEvent::Report(report) => {
                self.domains.accept_report(report);
                let report = Arc::clone(report);
                let kills = self.events.accept(event, &samples);
                self.killed.note_log(&kills, samples, now.monotonic);
                // What a tracepoint told before has a row, so it is none of `kills`.
                let mut deaths = self.untold.explained(&report);
                for kill in &kills {
                    if !self.is_news(kill.at) {
                        continue;
                    }
                    let death = Death::by_kernel(kill, &report);
                    if self.untold.was_counted(kill, report.at) {
                        self.late.push(death);
                    } else {
                        deaths.push(death);
                    }
                }
                deaths
            }
            OomEvent::Userspace(kill) => {
                let is_new = !kill.survived && self.is_news(kill.at) && !self.events.knows(kill);
                let death = is_new.then(|| Death::by_program(kill));
                self.events.accept(event, &samples);
                death.into_iter().collect()
            }
            OomEvent::Gap { .. } => {
                self.events.accept(event, &samples);
                Vec::new()
            }
        };
        self.count(deaths)
    }

    /// Victims of kills counted earlier, whose reports have arrived since the last call.
    pub fn explained(&mut self) -> Vec<Death> {
        std::mem::take(&mut self.late)
    }

    /// Takes what a tracepoint told. Where a log may tell more of a kill, that is waited for during some samples.
    pub fn traced(&mut self, traced: Traced, now: Now) -> Vec<Death> {
        let kill = match traced {
            Traced::Kill(kill) => kill,
            Traced::Lost(_) => {
                self.events.lose_traced(now.monotonic);
                return Vec::new();
            }
            Traced::Sigkill(_) => return Vec::new(),
        };
        let death = Death::traced(&kill);
        let (thread, at, counted) = (kill.thread, kill.at, kill.counted);
        let is_death = kill.how != HowTaken::Ending;
        let samples = [&*Arc::clone(&self.snapshot), &*Arc::clone(&self.previous)];
        self.killed.note_traced(&kill, samples, now.monotonic);
        let is_new = self.events.accept_traced(*kill, &samples);
        // A tracepoint that has just come to life may tell of what a sample has counted before.
        let is_known = is_new && counted > 0 && self.untold.explains(Some(at), counted);
        let fresh = (is_new && is_death && !is_known).then_some(death);
        let deaths = match fresh {
            Some(death) if self.events.source.has_log() => self.untold.wait(death, thread),
            fresh => fresh.into_iter().collect(),
        };
        self.count(deaths)
    }

    /// Takes where events come from.
    pub fn source(&mut self, source: EventSource, now: Now) {
        self.events.set_source(source, now.monotonic);
    }

    /// True if something of this time happened after the start. Where the log has no time, it did if the history was
    /// read before.
    fn is_news(&self, at: Option<Monotonic>) -> bool {
        at.map_or(self.events.source.caught_up, |at| at >= self.started)
    }

    fn count(&mut self, deaths: Vec<Death>) -> Vec<Death> {
        for death in &deaths {
            self.toll.add(death);
        }
        deaths
    }

    /// The domains of the newest sample with what is remembered of each, the most urgent first.
    pub fn ranked(&self) -> Vec<(&DomainState, &Watch)> {
        let domains = self.snapshot.domains.iter();
        let mut all: Vec<_> = domains
            .filter_map(|domain| Some((domain, self.domains.watch(domain.scope)?)))
            .collect();
        all.sort_by(|(_, a), (_, b)| a.place().cmp(&b.place()));
        all
    }

    /// The domains of [`Self::ranked`] that a page has room for. Who is among them stays until it is gone or clearly
    /// outranked, so that no series comes and goes.
    pub fn chosen(&self) -> Vec<(&DomainState, &Watch)> {
        let mut ranked = self.ranked();
        ranked.retain(|(domain, _)| self.chosen.has(domain.scope));
        ranked
    }

    /// What the next sample must read.
    pub fn needs(&self) -> Needs {
        let ranked = self.ranked();
        let victims = ranked.iter().filter_map(|(domain, _)| domain.verdict);
        Needs {
            visible: victims.take(EXACT).map(|v| v.victim.id).collect(),
            groups: ranked
                .iter()
                .filter_map(|(domain, _)| domain.scope.memcg())
                .take(READ_WHOLE)
                .collect(),
            waiting: self.domains.waiting(&self.snapshot),
            growing: self.domains.growing(),
            ..Needs::default()
        }
    }

    /// What a domain is called for programs: `host`, the path of the group, or `nodes 0-1`.
    pub fn name(&self, scope: Scope) -> String {
        match scope {
            Scope::Host => HOST.to_owned(),
            Scope::Nodes(set) => format!("nodes {set}"),
            Scope::Memcg(_) => self.path(scope).unwrap_or("?").to_owned(),
        }
    }

    /// Path of a domain's group; `None` for the host and for memory nodes.
    pub fn path(&self, scope: Scope) -> Option<&str> {
        let group = self.snapshot.cgroup(scope.memcg()?)?;
        Some(group.path.as_str())
    }
}
