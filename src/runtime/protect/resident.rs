//! Stays, and gives what starts later what its rule says.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::agenda::Agenda;
use super::guard::Guard;
use super::inbox::{Arrival, Inbox};
use super::journal::{Level, say};
use super::rule_writer::RuleWriter;
use super::{RuleSource, Stay};
use crate::linux::host::self_protection::lower_nice;
use crate::linux::subjects::SubjectReader;
use crate::linux::{ReadError, SysRoot};
use crate::model::rules::Rules;
use crate::output::protect::{Outcome, lines, no_rules};
use crate::runtime::RunError;
use crate::text::format::number_of;

/// How often new processes are looked for where the kernel tells of none.
const LOOK: Duration = Duration::from_secs(1);

/// Stays until SIGTERM or SIGINT. Returns the exit status, 0.
///
/// # Errors
/// If `/proc` cannot be read at the start, or writes cannot be logged.
pub(super) fn stay(
    stay: Stay,
    source: &dyn RuleSource,
    root: &SysRoot,
    rules: Rules,
    audit: Option<PathBuf>,
) -> Result<u8, RunError> {
    let begun = Instant::now();
    // What starts a thousand processes at once takes all processors: a value must not wait until they are through.
    // Before there are threads, which inherit it.
    let _ = lower_nice();
    let reader = SubjectReader::open(root, &rules)?;
    let writer = RuleWriter::new(root, reader.cgroups(), audit)?;
    // Before the first look: what starts during it is told.
    let mut inbox = Inbox::open(root, stay.way)?;
    for why in &inbox.refused {
        say(Level::Info, why);
    }
    let how = inbox.source.map_or_else(
        || "a look at the process table each second".to_owned(),
        str::to_owned,
    );
    let count = number_of(rules.len() as u64, "rule", "rules");
    let mut guard = Guard::new(rules, reader, writer);
    tell(&guard.sweep()?, guard.rules());
    say(
        Level::Notice,
        &format!("{count} in force; starts are noticed by {how}"),
    );
    let mut agenda = Agenda::new(stay.every, begun.elapsed());
    loop {
        let rest = agenda.rest(begun.elapsed());
        let wait = if inbox.source.is_some() {
            rest
        } else {
            rest.min(LOOK)
        };
        let arrival = inbox.next(Instant::now() + wait);
        let now = begun.elapsed();
        match arrival {
            Arrival::Starts(starts, lost) => {
                // Also where others were lost: who made an orphan is told here alone.
                tell(&guard.take(&starts), guard.rules());
                if lost {
                    agenda.lost(now);
                }
                if guard.is_crowded() {
                    agenda.look_soon(now);
                }
            }
            Arrival::Ended(error) => {
                let source = inbox.source.take().unwrap_or("the kernel");
                say(
                    Level::Warning,
                    &format!(
                        "{source} does not tell of starts any more ({error}): the process table is looked at each second"
                    ),
                );
                agenda.look_now(now);
            }
            Arrival::Reload => {
                if reload(source, &mut guard) {
                    agenda.look_now(now);
                }
            }
            Arrival::Stop => {
                say(Level::Notice, "ends; values that were written stay");
                return Ok(0);
            }
            Arrival::Tick if inbox.source.is_none() && !agenda.is_due(now) => {
                let outcome = guard.glimpse();
                if !is_told(outcome, guard.rules()) {
                    agenda.looked(now, false);
                }
            }
            Arrival::Tick => {}
        }
        if let Some(count) = agenda.losses(now) {
            let often = match count {
                1 => String::new(),
                _ => format!(" ({count} times since this was said last)"),
            };
            let what = "the kernel had no room for all starts";
            say(
                Level::Notice,
                &format!("{what}: all processes are looked at{often}"),
            );
        }
        // A steady stream of starts must not put it off for ever.
        if agenda.is_due(now) {
            let outcome = guard.sweep();
            let is_done = is_told(outcome, guard.rules());
            agenda.looked(begun.elapsed(), is_done);
        }
    }
}

/// Tells what was done; false if nothing was. A failure does not end the program: whoever guards others must stay while
/// memory is short.
fn is_told(outcome: Result<Outcome, ReadError>, rules: &Rules) -> bool {
    match outcome {
        Ok(outcome) => {
            tell(&outcome, rules);
            true
        }
        Err(error) => {
            say(Level::Error, &format!("{error}; that is tried again soon"));
            false
        }
    }
}

/// Reads the rules again; true if there are others now. Wrong ones change nothing.
fn reload(source: &dyn RuleSource, guard: &mut Guard) -> bool {
    match source.read() {
        Ok(rules) => {
            let count = number_of(rules.len() as u64, "rule", "rules");
            if rules.is_empty() {
                say(Level::Warning, &no_rules(&source.places()));
            }
            say(Level::Notice, &format!("read again: {count} in force"));
            guard.change_rules(rules);
            true
        }
        Err(sentences) => {
            for sentence in sentences {
                say(Level::Error, &sentence);
            }
            say(Level::Error, "the rules from before stay in force");
            false
        }
    }
}

fn tell(outcome: &Outcome, rules: &Rules) {
    let is_bad = outcome.refused.is_some() || !outcome.failed.is_empty();
    let level = if is_bad { Level::Warning } else { Level::Info };
    for line in lines(outcome, rules) {
        say(level, &line);
    }
}
