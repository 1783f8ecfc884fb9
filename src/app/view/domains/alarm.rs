//! What stands above the table while it lasts: a domain that is about to be full, domains that are stuck, memory that no kill frees.

use std::time::Duration;

use super::Domains;
use super::waiting::{MOST, Waiting};
use crate::model::cgroup::limits::LimitFile;
use crate::model::ledger::prospect::doubtful;
use crate::model::ledger::{Outlook, Prospect};
use crate::model::memory::band::Band;
use crate::model::oom_domain::stuck::Stuck;
use crate::model::oom_domain::urgency::Urgency;
use crate::model::oom_domain::victim::Scope;
use crate::model::process::ProcessId;
use crate::model::snapshot::{Host, Snapshot};
use crate::model::time::Monotonic;
use crate::text::format;
use crate::text::ledger;
use crate::text::tone::{Line, Tone};
use crate::text::wording;

/// Letters of a path that is shown as it is.
const LONG: usize = 32;

/// Domains besides the host whose prospect is computed in a sample.
const LOOKED_AT: usize = 4;

/// So long after a kill a sample may hold the memory of before it and the processes of after it: what no kill frees cannot
/// be told from that.
const SETTLES: Duration = Duration::from_secs(3);

/// A line, and the domain it is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alarm {
    /// The line.
    pub line: Line,
    /// The domain; `None` for the host.
    pub scope: Option<Scope>,
}

/// A domain that is stuck.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StuckDomain {
    /// Which.
    pub scope: Scope,
    /// How.
    pub kind: Stuck,
    /// Since when.
    pub since: Monotonic,
}

impl Domains {
    /// Domains that are stuck, the longest first.
    pub fn stuck(&self) -> Vec<StuckDomain> {
        let found = self.watches.iter().filter_map(|(scope, watch)| {
            let (kind, since) = watch.stuck()?;
            Some(StuckDomain {
                scope: *scope,
                kind,
                since,
            })
        });
        let mut found: Vec<_> = found.collect();
        found.sort_by_key(|stuck| (stuck.since, stuck.scope));
        found
    }

    /// Processes of the domains that are stuck, a few of each.
    pub fn waiting(&self, snapshot: &Snapshot) -> Vec<ProcessId> {
        let groups = self.stuck().into_iter().take(LOOKED_AT);
        groups
            .flat_map(|stuck| {
                let waiting = Waiting::new(stuck.scope, snapshot);
                waiting.first().collect::<Vec<_>>()
            })
            .take(LOOKED_AT * MOST)
            .collect()
    }

    /// The lines, the worst first, for a screen of this width. `keys` are the names of those that
    /// lead to the domains, to what ends an incident, and to the ledger.
    pub fn alarms(
        &self,
        snapshot: &Snapshot,
        host: &Host,
        keys: [&str; 3],
        width: u16,
    ) -> Vec<Alarm> {
        let [details, end, page] = keys;
        let stuck = self.stuck();
        let mut lines = Vec::new();
        lines.extend(self.filling_line(snapshot, (details, end), usize::from(width)));
        for one in stuck.iter().take(2) {
            lines.push(Alarm {
                line: stuck_line(*one, snapshot),
                scope: Some(one.scope),
            });
        }
        if stuck.len() > 2
            && let Some(last) = lines.last_mut()
        {
            last.line.push(
                Tone::Dim,
                format!("  and {} more ({details})", stuck.len() - 2),
            );
        }
        lines.extend(self.prospect_line(snapshot, host, page));
        lines
    }

    /// The worst prospect, if it is bad enough to say so.
    fn prospect_line(&self, snapshot: &Snapshot, host: &Host, page: &str) -> Option<Alarm> {
        let main = snapshot.main_domain()?.scope;
        let mut near: Vec<_> = self
            .watches
            .iter()
            .filter(|(scope, watch)| {
                let is_near = watch.urgency >= Urgency::Close || watch.own_band >= Band::Danger;
                **scope != main && is_near
            })
            .collect();
        near.sort_by(|(_, a), (_, b)| a.place().cmp(&b.place()));
        let scopes = near.iter().take(LOOKED_AT).map(|(scope, _)| **scope);
        let settled = |scope: &Scope| {
            let since_kill = self.watches.get(scope).and_then(|w| w.signs.since_kill);
            since_kill.is_none_or(|since| since > SETTLES)
        };
        let scopes = std::iter::once(main).chain(scopes).filter(settled);
        let judged = scopes.filter_map(|scope| {
            let domain = snapshot.domain(scope)?;
            let known = doubtful(domain, snapshot, host.rules.page_size)?;
            Some((scope, known))
        });
        // Of equals the first: the main domain, then the most urgent.
        let (scope, worst) = judged.reduce(|worst, new| {
            if new.1.outlook() > worst.1.outlook() {
                new
            } else {
                worst
            }
        })?;
        let line = said(scope, &worst, snapshot, page)?;
        // The line tells what no kill frees: the domain keeps its own.
        Some(Alarm { line, scope: None })
    }
}

/// The path, unless that is so long that the rest of the line would be lost.
fn called(scope: Scope, snapshot: &Snapshot) -> String {
    let path = wording::domain(scope, snapshot);
    if path.len() > LONG {
        wording::short_group(&path)
    } else {
        path
    }
}

fn said(scope: Scope, known: &Prospect, snapshot: &Snapshot, page: &str) -> Option<Line> {
    if known.outlook() == Outlook::Fine {
        return None;
    }
    let whose = match scope {
        Scope::Host | Scope::Nodes(_) => String::new(),
        Scope::Memcg(_) => format!("{}: ", called(scope, snapshot)),
    };
    let mut line = Line::of(Tone::Strong, whose);
    let verdict = ledger::verdict(known, scope == Scope::Host);
    line.spans.extend(verdict.spans);
    line.push(Tone::Dim, format!("  {page}: where it is"));
    Some(line)
}

fn stuck_line(stuck: StuckDomain, snapshot: &Snapshot) -> Line {
    let lasts = format::duration(snapshot.taken.monotonic.since(stuck.since));
    let waiting = Waiting::new(stuck.scope, snapshot);
    let line = Line::of(Tone::Critical, format!("STUCK {lasts}  "))
        .add(Tone::Strong, called(stuck.scope, snapshot));
    let text = match stuck.kind {
        Stuck::Throttled => format!(
            " over {}, nothing to reclaim: {}, nobody is killed",
            LimitFile::High.name(),
            waiting.words()
        ),
        Stuck::KillerOff => format!(" is full and its OOM killer is off: {}", waiting.words()),
        Stuck::Immune => format!(
            " is full and nobody in it can be killed: {}",
            waiting.words()
        ),
        Stuck::Thrashing => {
            let full = match stuck.scope {
                Scope::Memcg(key) => snapshot
                    .cgroup(key)
                    .and_then(|group| group.pressure)
                    .map_or(0.0, |pressure| f64::from(pressure.full) / 100.0),
                Scope::Host | Scope::Nodes(_) => snapshot
                    .pressure
                    .map_or(0.0, |pressure| f64::from(pressure.full.avg10)),
            };
            format!(
                " thrashes: all tasks wait {} of the time, nobody is killed",
                format::percent(full)
            )
        }
    };
    line.add(Tone::Critical, text)
}
