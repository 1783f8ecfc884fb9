//! Which rule holds a process, and why each of the others does not.

use super::RuleId;
use super::census::{Census, Holding};
use super::condition::Fact;
use super::subject::Subject;
use crate::model::process::{Pid, ProcessId};

/// What becomes of one rule at a process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// It holds the process.
    Holds,
    /// It matches, or reaches the process through a supervisor, but that rule comes before it.
    Loses {
        /// Which.
        to: RuleId,
        /// The supervisor through which it reaches the process.
        through: Option<ProcessId>,
    },
    /// It does not match: the first fact that does not.
    Misses(Fact),
}

/// The answer for one process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Why<'c> {
    /// The process.
    pub subject: &'c Subject,
    /// The rule that holds it.
    pub holding: Option<Holding>,
    /// Each rule, the strongest first.
    pub fates: Vec<(RuleId, Fate)>,
}

/// Asks for one process; `None` if it is not known.
#[must_use]
pub fn why(census: &Census, pid: Pid) -> Option<Why<'_>> {
    let subject = census.subject(pid)?;
    let holding = census.holding(pid);
    let family = census.family(pid);
    let fate = |(id, rule): (RuleId, &super::Rule)| {
        let through = family
            .filter(|family| family.rule == id)
            .map(|family| family.supervisor);
        let fate = match holding {
            Some(holding) if holding.rule == id => Fate::Holds,
            Some(holding) if through.is_some() => Fate::Loses {
                to: holding.rule,
                through,
            },
            holding => match (rule.miss(subject), holding) {
                (Some(condition), _) => Fate::Misses(condition.fact),
                (None, Some(holding)) => Fate::Loses {
                    to: holding.rule,
                    through: None,
                },
                // Exempt processes match, and are not held.
                (None, None) => return None,
            },
        };
        Some((id, fate))
    };
    Some(Why {
        subject,
        holding,
        fates: census.rules().iter().rev().filter_map(fate).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::{Fate, why};
    use crate::model::process::ProcessId;
    use crate::model::process::score::OomScoreAdj;
    use crate::model::rules::census::Census;
    use crate::model::rules::condition::{Condition, Fact};
    use crate::model::rules::subject::Subject;
    use crate::model::rules::{Rule, RuleId, Rules};

    fn rule(name: &str, own: i64, children: Option<i64>) -> Rule {
        Rule {
            conditions: vec![Condition {
                fact: Fact::Name,
                any: vec![Fact::Name.pattern(name).expect("a pattern")],
            }],
            own: OomScoreAdj::new(own),
            children: children.and_then(OomScoreAdj::new),
            ..Rule::default()
        }
    }

    #[test]
    fn each_rule_says_why_it_does_not_hold() {
        let subject = |pid, ppid, comm: &str| Subject {
            id: ProcessId {
                pid,
                start_ticks: 1,
            },
            ppid,
            comm: comm.into(),
            ..Subject::default()
        };
        let rules = Rules::new(vec![
            rule("ma*", 1, None),
            rule("runner", 2, Some(300)),
            rule("java", 3, None),
            rule("make", 4, None),
        ]);
        let mut census = Census::new(rules);
        census.replace(vec![subject(7, 1, "runner"), subject(8, 7, "make")]);
        let answer = why(&census, 8).expect("known");
        let to = RuleId(3);
        let supervisor = ProcessId {
            pid: 7,
            start_ticks: 1,
        };
        assert_eq!(
            answer.fates,
            [
                (to, Fate::Holds),
                (RuleId(2), Fate::Misses(Fact::Name)),
                (
                    RuleId(1),
                    Fate::Loses {
                        to,
                        through: Some(supervisor)
                    }
                ),
                (RuleId(0), Fate::Loses { to, through: None }),
            ]
        );
        assert!(why(&census, 9).is_none());
    }
}
