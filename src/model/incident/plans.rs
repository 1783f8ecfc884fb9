//! The plans of the incident dialog.

use crate::model::cgroup::limits::{LimitFile, LimitPatch, LimitValue, Limits};
use crate::model::cgroup::{CgroupPath, CgroupVersion};
use crate::model::oom_domain::victim::DomainState;
use crate::model::plan::Plan;
use crate::model::plan::build::{PlanError, change_limits};
use crate::model::plan::step::{CgroupStep, Step};
use crate::model::process::score::OomScoreAdj;
use crate::model::process::{Process, ProcessId};
use crate::model::size::parse_size;

/// Adj is raised in steps of this, so that the new first stays first when the numbers move a little.
const NOTCH: i64 = 50;

/// Most adj there is (include/uapi/linux/oom.h `OOM_SCORE_ADJ_MAX`).
const MOST_ADJ: i64 = 1000;

/// Freezes a group, or thaws it.
#[must_use]
pub fn freeze(group: &CgroupPath, frozen: bool) -> Vec<Plan> {
    one(CgroupStep::Freeze(group.clone(), frozen))
}

/// Stops processes, or lets them run on; a plan for each, so that one that has ended does not keep the others from it.
#[must_use]
pub fn stop(targets: impl IntoIterator<Item = ProcessId>, stopped: bool) -> Vec<Plan> {
    let step = |target| {
        Plan::from_iter([Step::Stop {
            target,
            stop: stopped,
        }])
    };
    targets.into_iter().map(step).collect()
}

/// Takes memory out of a group.
#[must_use]
pub fn reclaim(group: &CgroupPath, bytes: u64) -> Vec<Plan> {
    one(CgroupStep::Reclaim(group.clone(), bytes))
}

/// Kills all of a group.
#[must_use]
pub fn kill(group: &CgroupPath) -> Vec<Plan> {
    one(CgroupStep::Kill(group.clone()))
}

/// Kills one process and takes its memory at once.
#[must_use]
pub fn reap(target: ProcessId) -> Vec<Plan> {
    vec![Plan::from_iter([Step::Reap { target }])]
}

/// Makes a process more likely to die.
#[must_use]
pub fn expose(target: ProcessId, value: OomScoreAdj) -> Vec<Plan> {
    vec![Plan::from_iter([Step::Adj { target, value }])]
}

fn one(step: CgroupStep) -> Vec<Plan> {
    vec![Plan::from_iter([step])]
}

/// What a raise to `limit` bytes writes: the limit that the group is measured by, and those that would be in its way:
/// `memory.high` keeps its distance to the hard limit, and so does memory + swap on v1.
#[must_use]
pub fn raised(now: &Limits, limit: u64, version: CgroupVersion) -> LimitPatch {
    let by = limit.saturating_sub(now.nearest().unwrap_or(limit));
    let raised = |file: LimitFile| {
        let before = file.get(now)?.amount()?;
        let is_measure =
            Some(before) == now.nearest() && (file.is_hard_limit() || now.max.is_none());
        let after = if is_measure {
            limit
        } else {
            before.saturating_add(by)
        };
        Some((file, LimitValue::Amount(after)))
    };
    let bounds = |file: &LimitFile| {
        file.is_hard_limit() || matches!(file, LimitFile::High | LimitFile::V1Memsw)
    };
    LimitFile::of(version)
        .filter(bounds)
        .filter_map(raised)
        .collect()
}

/// The plan of a raise.
///
/// # Errors
/// If the group is not there, or the kernel would not take the limits.
pub fn raise(
    group: &CgroupPath,
    now: Option<Limits>,
    limit: u64,
    version: CgroupVersion,
) -> Result<Vec<Plan>, PlanError> {
    let patch = now.map(|now| raised(&now, limit, version));
    change_limits(group, now, &patch.unwrap_or_default()).map(|plan| vec![plan])
}

/// Why a typed amount is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AmountError {
    /// Neither a size nor a share.
    #[error("type a size such as 512M, or a share such as 25%")]
    NotAnAmount,
    /// A raise that raises nothing.
    #[error("that is not above the present limit")]
    NoRaise,
    /// Nothing to reclaim.
    #[error("at least one page")]
    Nothing,
}

/// Reads the new limit of a raise: `2G` is the limit itself, `+512M` and `25%` or `+25%` go on top of the present one.
///
/// # Errors
/// See [`AmountError`].
pub fn parse_raise(text: &str, now: u64) -> Result<u64, AmountError> {
    let text = text.trim();
    let (more, is_relative) = match text.strip_prefix('+') {
        Some(more) => (more, true),
        None => (text, text.ends_with('%')),
    };
    let amount = parse_share(more, now)?;
    let limit = if is_relative {
        now.saturating_add(amount)
    } else {
        amount
    };
    if limit > now {
        Ok(limit)
    } else {
        Err(AmountError::NoRaise)
    }
}

/// Reads what to reclaim: a size, or a share of what the group uses.
///
/// # Errors
/// See [`AmountError`].
pub fn parse_reclaim(text: &str, usage: u64) -> Result<u64, AmountError> {
    let bytes = parse_share(text.trim(), usage)?;
    if bytes < 4096 {
        return Err(AmountError::Nothing);
    }
    Ok(bytes)
}

fn parse_share(text: &str, whole: u64) -> Result<u64, AmountError> {
    match text.strip_suffix('%') {
        Some(percent) => {
            let percent: u64 = percent
                .trim()
                .parse()
                .map_err(|_| AmountError::NotAnAmount)?;
            Ok(share(whole, percent))
        }
        None => parse_size(text).map_err(|_| AmountError::NotAnAmount),
    }
}

/// So many percent of this.
#[must_use]
pub fn share(whole: u64, percent: u64) -> u64 {
    let share = u128::from(whole) * u128::from(percent) / 100;
    u64::try_from(share).unwrap_or(u64::MAX)
}

/// The adj that makes a process the first to die in a domain, and whether it is enough. `None` if it is the first
/// already, or no adj can raise it.
#[must_use]
pub fn exposing(process: &Process, domain: &DomainState) -> Option<(OomScoreAdj, bool)> {
    let victim = domain.verdict?.victim;
    let now = process.adj.map_or(0, |adj| i64::from(adj.get()));
    if victim.id == process.id || now >= MOST_ADJ {
        return None;
    }
    // mm/oom_kill.c `oom_badness`: adj weighs thousandths of the total.
    let weight = i64::try_from(domain.total_pages / 1000).unwrap_or(i64::MAX);
    let charged = i64::try_from(process.charged_pages()).unwrap_or(i64::MAX);
    let missing = victim.points.saturating_sub(charged).max(0);
    let wanted = match weight {
        0 => MOST_ADJ + 1,
        weight => missing / weight + 1,
    };
    let notched = wanted.saturating_add(NOTCH - 1) / NOTCH * NOTCH;
    let value = notched.max(now / NOTCH * NOTCH + NOTCH).min(MOST_ADJ);
    Some((OomScoreAdj::clamped(value), wanted <= MOST_ADJ))
}

#[cfg(test)]
mod tests {
    use super::{AmountError, exposing, parse_raise, parse_reclaim, raised};
    use crate::model::cgroup::CgroupVersion;
    use crate::model::cgroup::limits::{LimitFile, LimitValue, Limits};
    use crate::model::oom_domain::victim::{Candidate, DomainState, Scope, Verdict};
    use crate::model::process::score::OomScoreAdj;
    use crate::model::process::{MemoryUse, Process, ProcessId};

    const MIB: u64 = 1 << 20;

    #[test]
    fn a_raise_takes_along_what_would_be_in_its_way() {
        let v2 = Limits {
            max: Some(100 * MIB),
            high: Some(80 * MIB),
            low: Some(10 * MIB),
            ..Limits::default()
        };
        let patch = raised(&v2, 110 * MIB, CgroupVersion::V2);
        let amount = |mib| Some(LimitValue::Amount(mib * MIB));
        assert_eq!(patch.get(LimitFile::Max), amount(110));
        assert_eq!(patch.get(LimitFile::High), amount(90));
        assert_eq!(patch.get(LimitFile::Low), None);
        let high = Limits {
            high: Some(80 * MIB),
            ..Limits::default()
        };
        let patch = raised(&high, 100 * MIB, CgroupVersion::V2);
        assert_eq!(patch.get(LimitFile::High), amount(100));
        assert_eq!(patch.get(LimitFile::Max), None, "no hard limit is made");
        let v1 = Limits {
            max: Some(100 * MIB),
            memsw_max: Some(100 * MIB),
            ..Limits::default()
        };
        let patch = raised(&v1, 150 * MIB, CgroupVersion::V1);
        assert_eq!(patch.get(LimitFile::V1Limit), amount(150));
        assert_eq!(patch.get(LimitFile::V1Memsw), amount(150));
        assert!(raised(&Limits::default(), MIB, CgroupVersion::V2).is_empty());
    }

    #[test]
    fn amounts_are_sizes_or_shares() {
        let now = 200 * MIB;
        assert_eq!(parse_raise("25%", now), Ok(250 * MIB));
        assert_eq!(parse_raise("+25%", now), Ok(250 * MIB));
        assert_eq!(parse_raise("+50M", now), Ok(250 * MIB));
        assert_eq!(parse_raise(" 1G ", now), Ok(1024 * MIB));
        assert_eq!(parse_raise("200M", now), Err(AmountError::NoRaise));
        assert_eq!(parse_raise("+0", now), Err(AmountError::NoRaise));
        for bad in ["", "+", "%", "lots", "-5M", "1e9", "18446744073709551616%"] {
            assert_eq!(
                parse_raise(bad, now),
                Err(AmountError::NotAnAmount),
                "{bad}"
            );
        }
        assert_eq!(
            parse_raise("18446744073709551615%", u64::MAX),
            Err(AmountError::NoRaise)
        );
        assert_eq!(parse_reclaim("10%", now), Ok(20 * MIB));
        assert_eq!(parse_reclaim("64M", now), Ok(64 * MIB));
        assert_eq!(parse_reclaim("100", now), Err(AmountError::Nothing));
    }

    fn domain(points: i64, total_pages: u64) -> DomainState {
        let victim = Candidate {
            id: ProcessId {
                pid: 1,
                start_ticks: 1,
            },
            points,
        };
        DomainState {
            scope: Scope::Host,
            total_pages,
            limit: 0,
            usage: None,
            members: 2,
            verdict: Some(Verdict {
                victim,
                runner_up: None,
                close: false,
                rival: None,
            }),
            group_kill: None,
            throttles_only: false,
            dying: None,
        }
    }

    fn leaker(rss: u64, adj: i64) -> Process {
        Process {
            id: ProcessId {
                pid: 9,
                start_ticks: 1,
            },
            adj: OomScoreAdj::new(adj),
            memory: Some(MemoryUse {
                rss,
                ..MemoryUse::default()
            }),
            ..Process::default()
        }
    }

    proptest::proptest! {
        #[test]
        fn whoever_is_exposed_is_the_first(
            points in -1_000_000_i64..2_000_000, total in 1_000_u64..1_000_000,
            rss in 0_u64..1_000_000, adj in -1000_i64..1000,
        ) {
            let own = leaker(rss, adj);
            let Some((value, is_enough)) = exposing(&own, &domain(points, total)) else {
                return Ok(());
            };
            let value = i64::from(value.get());
            proptest::prop_assert!(value > adj);
            let after = i64::try_from(rss).unwrap() + value * i64::try_from(total / 1000).unwrap();
            proptest::prop_assert_eq!(after > points, is_enough);
        }
    }

    #[test]
    fn the_first_and_the_most_exposed_need_nothing() {
        let mut first = leaker(10, 0);
        first.id.pid = 1;
        assert_eq!(exposing(&first, &domain(5, 10_000)), None);
        assert_eq!(exposing(&leaker(10, 1000), &domain(5, 10_000)), None);
        assert_eq!(
            exposing(&leaker(100, 0), &domain(1_000, 10_000)),
            Some((OomScoreAdj::clamped(100), true))
        );
    }
}
