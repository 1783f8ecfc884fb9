//! `oomtop protect`: gives processes what rules say, once or as long as it runs.
//!
//! ```text
//!  starts ──┐                ┌──► Census ──► changes ──► Struggles ──► RuleWriter ──► /proc, audit log
//!  time ────┼──► Inbox ──► Guard
//!  signals ─┘                └──► SubjectReader ◄── /proc
//! ```

mod agenda;
mod guard;
mod inbox;
mod journal;
mod move_tries;
mod moving;
mod resident;
mod rule_writer;

use std::path::PathBuf;
use std::time::Duration;

use super::headless::{Halt, print};
use super::load_test::tidy_up;
use super::{RunError, complain};
use crate::linux::SysRoot;
use crate::linux::starts::Way;
use crate::linux::subjects::SubjectReader;
use crate::model::cgroup::CgroupVersion;
use crate::model::process::Pid;
pub use crate::model::rules::Rules;
pub use crate::model::rules::book::Found;
use crate::model::rules::census::Census;
use crate::model::rules::change::changes;
use crate::model::rules::rule_group::{transfer_of, transfers};
use crate::model::rules::why::why;
use crate::output::protect as words;
pub use crate::runtime::rules::RuleSource;
use guard::Guard;
use rule_writer::RuleWriter;

/// What to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Task {
    /// Print what would change.
    Check,
    /// Print which rule holds this process.
    Why(Pid),
    /// Write once.
    Once,
    /// Write, and stay for what starts later.
    Stay(Stay),
}

/// How to stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stay {
    /// How to notice starts.
    pub way: Way,
    /// How often all processes are looked at anyway.
    pub every: Duration,
}

/// Rules are wrong, or there is no such process.
const WRONG: u8 = 2;

/// How often `--once` looks again for children that were made meanwhile.
const PASSES: usize = 5;

/// Applies rules. Returns the exit status: of [`Task::Check`] 0 if nothing would change and 1 if something would; of
/// [`Task::Why`] 0 if a rule holds the process and 1 if none does; of [`Task::Once`] 0 if all was done and 1 if not;
/// 2 if rules are wrong or there is no such process.
///
/// # Errors
/// If `/proc` cannot be read, writes cannot be logged, or the output cannot be written (a closed pipe is no error).
pub fn protect(
    task: &Task,
    source: &dyn RuleSource,
    root: &SysRoot,
    audit: Option<PathBuf>,
) -> Result<u8, RunError> {
    let rules = match source.read() {
        Ok(rules) => rules,
        Err(sentences) => {
            for sentence in sentences {
                complain(&sentence);
            }
            return Ok(WRONG);
        }
    };
    if matches!(task, Task::Once | Task::Stay(_)) && *root == SysRoot::default() {
        // What a maker that was killed has left: also for the journal of a service.
        tidy_up();
    }
    if rules.is_empty() {
        complain(&words::no_rules(&source.places()));
    }
    let says = matches!(task, Task::Check | Task::Stay(_));
    for note in words::notes(&rules).into_iter().filter(|_| says) {
        complain(&note);
    }
    let done = match task {
        Task::Check => check(root, rules),
        Task::Why(pid) => explain(root, rules, *pid),
        Task::Once => {
            return once(root, rules, audit);
        }
        Task::Stay(stay) => {
            return resident::stay(*stay, source, root, rules, audit);
        }
    };
    done.or_else(Halt::status)
}

fn looked(root: &SysRoot, rules: Rules) -> Result<(Census, CgroupVersion), RunError> {
    let mut reader = SubjectReader::open(root, &rules)?;
    reader.want_all();
    let mut census = Census::new(rules);
    census.replace(reader.all()?);
    Ok((census, reader.cgroups()))
}

fn check(root: &SysRoot, rules: Rules) -> Result<u8, Halt> {
    let mut reader = SubjectReader::open(root, &rules)?;
    let mut writer = RuleWriter::new(root, reader.cgroups(), None)?;
    let mut census = Census::new(rules);
    census.replace(reader.all()?);
    let moves: Vec<_> = transfers(&census)
        .into_iter()
        .map(|transfer| {
            let why = writer.refusal(&transfer);
            (transfer, why)
        })
        .collect();
    print(&words::check_moves(&moves, census.rules()))?;
    print(&words::check(&census))?;
    let is_any = moves.iter().any(|(_, why)| why.is_none());
    Ok(u8::from(is_any || !changes(&census).is_empty()))
}

fn explain(root: &SysRoot, rules: Rules, pid: Pid) -> Result<u8, Halt> {
    let (census, version) = looked(root, rules)?;
    let Some(answer) = why(&census, pid) else {
        complain(&format!("there is no process {pid}"));
        return Ok(WRONG);
    };
    let name = |id: crate::model::process::ProcessId| {
        let subject = census.subject(id.pid).filter(|subject| subject.id == id);
        subject.map(|subject| subject.comm)
    };
    print(&words::why(&answer, census.rules(), name))?;
    if let Some(transfer) = transfer_of(&census, pid)
        && let Some(why) = RuleWriter::new(root, version, None)?.refusal(&transfer)
    {
        print(&words::stays(&why))?;
    }
    Ok(u8::from(answer.holding.is_none()))
}

fn once(root: &SysRoot, rules: Rules, audit: Option<PathBuf>) -> Result<u8, RunError> {
    let reader = SubjectReader::open(root, &rules)?;
    let writer = RuleWriter::new(root, reader.cgroups(), audit)?;
    let mut guard = Guard::new(rules, reader, writer);
    let (all, is_over) = passes(|| Ok(guard.sweep()?))?;
    for line in words::lines(&all, guard.rules()) {
        complain(&line);
    }
    let summary = words::summary(all.done.len(), all.moved.len(), guard.held());
    if let Err(halt) = print(&summary) {
        return halt.status();
    }
    if !is_over {
        complain("processes start faster than values are written; run it again, or without --once");
    }
    let is_done = all.failed.is_empty()
        && all.given_up.is_empty()
        && all.unmoved.is_empty()
        && all.left.is_empty()
        && all.groups.is_empty()
        && all.refused.is_none();
    Ok(u8::from(!(is_done && is_over)))
}

/// Looks until one look finds nothing to write, or [`PASSES`] times: then the second value is false.
fn passes(
    mut look: impl FnMut() -> Result<words::Outcome, RunError>,
) -> Result<(words::Outcome, bool), RunError> {
    let mut all = words::Outcome::default();
    for _ in 0..PASSES {
        let outcome = look()?;
        let is_over = outcome.done.is_empty() && outcome.moved.is_empty();
        all.add(outcome);
        if is_over {
            return Ok((all, true));
        }
    }
    Ok((all, false))
}

#[cfg(test)]
mod tests {
    use super::{PASSES, passes, words};
    use crate::model::process::ProcessId;
    use crate::model::process::score::OomScoreAdj;
    use crate::model::rules::RuleId;
    use crate::model::rules::census::Holding;
    use crate::model::rules::change::Change;

    #[test]
    fn one_write_is_over_when_a_look_finds_nothing_to_write() {
        let wrote = || {
            let change = Change {
                id: ProcessId::default(),
                comm: "x".into(),
                from: None,
                to: OomScoreAdj::ZERO,
                holding: Holding {
                    rule: RuleId(0),
                    descends: None,
                    value: Some(OomScoreAdj::ZERO),
                },
            };
            words::Outcome {
                done: vec![change],
                ..words::Outcome::default()
            }
        };
        let (all, is_over) = passes(|| Ok(wrote())).expect("no error");
        assert_eq!((all.done.len(), is_over), (PASSES, false));
        let mut looks = 0;
        let (all, is_over) = passes(|| {
            looks += 1;
            Ok(if looks < PASSES {
                wrote()
            } else {
                words::Outcome::default()
            })
        })
        .expect("no error");
        assert_eq!((all.done.len(), is_over), (PASSES - 1, true));
    }
}
