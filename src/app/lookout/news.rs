//! [`News`]: what has changed since the sample before, once for each change.

use std::collections::HashMap;
use std::time::Duration;

use super::{Death, Lookout};
use crate::app::view::domains::death::Death as Outcome;
use crate::app::view::domains::watch::Watch;
use crate::model::cgroup::container;
use crate::model::memory::band::Band;
use crate::model::oom_domain::stuck::Stuck;
use crate::model::oom_domain::victim::{DomainState, Scope};
use crate::model::process::Pid;
use crate::model::rules::book::RuleBook;
use crate::model::time::Monotonic;

/// What is over counts as over after this time: a forecast that comes and goes is one.
const CALM: Duration = Duration::from_secs(10);

/// A domain by its names.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Named {
    /// Path of the group; `host`, or `nodes 0-1`.
    pub domain: String,
    /// Its unit or container; empty if the path names none.
    pub unit: String,
}

/// Something to tell.
#[derive(Debug, Clone, PartialEq)]
pub enum News {
    /// Somebody was killed.
    Killed(Death),
    /// Who was killed, of a kill that was told when only a counter had shown it.
    Explained(Death),
    /// A domain will be full soon.
    Filling {
        /// Which.
        of: Named,
        /// Time until nothing is left.
        left: Duration,
        /// The time has not held for some seconds yet: a start that takes memory at once looks like that too.
        brief: bool,
        /// Who is killed then; `None` if nobody can be, or badness does not decide.
        victim: Option<(Pid, String)>,
        /// Who may be killed instead: the two are too close to call, or that one can overtake the victim.
        or: Option<(Pid, String)>,
    },
    /// It does not fill any more.
    NotFilling {
        /// Which.
        of: Named,
    },
    /// The band of a domain has changed.
    Band {
        /// Which.
        of: Named,
        /// The band before; `None` where the domain is seen for the first time.
        from: Option<Band>,
        /// The band now.
        to: Band,
        /// Used share of the limit in percent, without what can be dropped.
        percent: f64,
    },
    /// Nothing goes on in a domain and nobody is killed.
    Stuck {
        /// Which.
        of: Named,
        /// How.
        how: Stuck,
    },
    /// Something goes on there again.
    Unstuck {
        /// Which.
        of: Named,
    },
    /// Processes have not the `oom_score_adj` that a rule gives them, or are not in its group, or that has not its limits.
    Drift {
        /// The title of the rule, or where it stands.
        rule: String,
        /// How many processes.
        processes: usize,
        /// Each limit, with what it is and what the rule says. None, and no processes: all is as the rule says again.
        limits: Vec<String>,
    },
}

/// What was told of a domain.
#[derive(Debug, Clone, Default)]
struct Told {
    /// What it is called, for its end: then nobody knows any more.
    of: Named,
    /// `None` before its first reading.
    band: Option<Band>,
    /// When its forecast was last below the bound, while that is news.
    filling: Option<Monotonic>,
    stuck: Option<Stuck>,
    seen: u64,
}

/// Finds news. Bounded by the domains of the last sample and by the rules.
#[derive(Debug)]
pub struct Crier {
    /// Forecasts below this are told.
    bound: Duration,
    told: HashMap<(Scope, Option<u64>), Told>,
    drift: HashMap<String, (usize, Vec<String>)>,
}

impl Crier {
    /// Tells forecasts below `bound`.
    pub fn new(bound: Duration) -> Self {
        Self {
            bound,
            told: HashMap::new(),
            drift: HashMap::new(),
        }
    }

    /// What the newest sample has changed, the most urgent domain first.
    pub fn look(&mut self, lookout: &Lookout) -> Vec<News> {
        let (seq, at) = (lookout.snapshot.seq, lookout.snapshot.taken.monotonic);
        let mut news = Vec::new();
        for (domain, watch) in lookout.ranked() {
            let group = domain
                .scope
                .memcg()
                .and_then(|key| lookout.snapshot.cgroup(key));
            // Another group may have the key, or the path.
            let instance = group.and_then(|group| group.instance);
            let told = self.told.entry((domain.scope, instance)).or_default();
            if told.seen == 0 {
                told.of = named(lookout, domain.scope);
            }
            told.seen = seq;
            told.compare(lookout, domain, watch, (self.bound, at), &mut news);
        }
        let gone = self.told.extract_if(|_, told| told.seen != seq);
        let mut gone: Vec<Told> = gone.map(|(_, told)| told).collect();
        gone.sort_by(|a, b| a.of.domain.cmp(&b.of.domain));
        // Who was told that it fills or is stuck waits for the end.
        for told in gone {
            let of = told.of;
            if told.filling.is_some() {
                news.push(News::NotFilling { of: of.clone() });
            }
            if told.stuck.is_some() {
                news.push(News::Unstuck { of });
            }
        }
        news
    }

    /// What a look at the rules has changed.
    pub fn look_at_rules(&mut self, book: &RuleBook) -> Vec<News> {
        if book.unread.is_some() {
            return Vec::new();
        }
        let mut now = HashMap::new();
        for ((_, rule), standing) in book.rules.iter().zip(&book.standings) {
            let name = match rule.title.as_str() {
                "" => rule.origin.to_string(),
                title => title.to_owned(),
            };
            let (processes, limits): &mut (usize, Vec<String>) = now.entry(name).or_default();
            *processes += standing.adrift;
            limits.extend(standing.limits.iter().map(ToString::to_string));
        }
        let before = std::mem::replace(&mut self.drift, now);
        let is_none =
            |(processes, limits): &(usize, Vec<String>)| *processes == 0 && limits.is_empty();
        // A rule that is gone asks for nothing.
        let mut gone: Vec<String> = before
            .iter()
            .filter(|(rule, drift)| !is_none(drift) && !self.drift.contains_key(*rule))
            .map(|(rule, _)| rule.clone())
            .collect();
        gone.sort();
        let mut changed: Vec<_> = self
            .drift
            .iter()
            .filter(|(rule, drift)| {
                let none = (0, Vec::new());
                let old = before.get(*rule).unwrap_or(&none);
                // More drift is news, and its end.
                let has_more = drift.1.iter().any(|limit| !old.1.contains(limit));
                drift.0 > old.0 || has_more || (!is_none(old) && is_none(drift))
            })
            .collect();
        changed.sort();
        let drift = changed.into_iter().map(|(rule, drift)| News::Drift {
            rule: rule.clone(),
            processes: drift.0,
            limits: drift.1.clone(),
        });
        let over = gone.into_iter().map(|rule| News::Drift {
            rule,
            processes: 0,
            limits: Vec::new(),
        });
        drift.chain(over).collect()
    }
}

impl Told {
    fn compare(
        &mut self,
        lookout: &Lookout,
        domain: &DomainState,
        watch: &Watch,
        (bound, at): (Duration, Monotonic),
        news: &mut Vec<News>,
    ) {
        let named = self.of.clone();
        let of = || named.clone();
        if let Some(room) = watch.room
            && self.band != Some(watch.own_band)
        {
            let from = self.band.replace(watch.own_band);
            // That a new domain is not full is no news.
            if from.is_some() || watch.own_band != Band::Normal {
                news.push(News::Band {
                    of: of(),
                    from,
                    to: watch.own_band,
                    percent: room.percent(),
                });
            }
        }
        let left = watch.signs.time_left.filter(|left| *left < bound);
        match (left, self.filling) {
            (Some(left), None) => {
                self.filling = Some(at);
                let verdict = Outcome::from_domain(domain, &lookout.snapshot).verdict();
                let named = |id| {
                    let process = lookout.snapshot.process(id)?;
                    Some((process.id.pid, process.comm.to_string()))
                };
                news.push(News::Filling {
                    of: of(),
                    left,
                    brief: watch.forecast.is_unsure(),
                    victim: verdict.and_then(|v| named(v.victim.id)),
                    or: verdict.and_then(|v| named(v.or()?.id)),
                });
            }
            (Some(_), Some(_)) => self.filling = Some(at),
            (None, Some(since)) if at.since(since) >= CALM => {
                self.filling = None;
                news.push(News::NotFilling { of: of() });
            }
            (None, _) => {}
        }
        let stuck = watch.stuck().map(|(how, _)| how);
        match (stuck, self.stuck) {
            (Some(how), before) if before != Some(how) => news.push(News::Stuck { of: of(), how }),
            (None, Some(_)) => news.push(News::Unstuck { of: of() }),
            _ => {}
        }
        self.stuck = stuck;
    }
}

fn named(lookout: &Lookout, scope: Scope) -> Named {
    let path = lookout.path(scope);
    Named {
        domain: lookout.name(scope),
        unit: path.and_then(container::label).unwrap_or_default(),
    }
}
