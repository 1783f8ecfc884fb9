//! Stays, and gives what starts later what its rule says.

use std::io::{self, Write as _};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::guard::Guard;
use super::hand::Hand;
use super::inbox::{Arrival, Inbox};
use super::{RuleSource, Stay};
use crate::linux::SysRoot;
use crate::linux::subjects::SubjectReader;
use crate::model::rules::Rules;
use crate::output::protect::{Outcome, lines, no_rules};
use crate::runtime::RunError;
use crate::text::format::number_of;
use crate::text::tone::printable;

/// How often new processes are looked for where the kernel tells of none.
const LOOK: Duration = Duration::from_secs(1);

/// Stays until SIGTERM or SIGINT. Returns the exit status, 0.
///
/// # Errors
/// If `/proc` cannot be read, or writes cannot be logged.
pub(super) fn stay(
    stay: Stay,
    source: &dyn RuleSource,
    root: &SysRoot,
    rules: Rules,
    audit: Option<PathBuf>,
) -> Result<u8, RunError> {
    let reader = SubjectReader::open(root, &rules)?;
    let hand = Hand::new(root, reader.cgroups(), audit)?;
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
    let mut guard = Guard::new(rules, reader, hand);
    tell(&guard.sweep()?, guard.rules());
    say(
        Level::Notice,
        &format!("{count} in force; starts are noticed by {how}"),
    );
    let mut swept = Instant::now();
    loop {
        let rest = (stay.every).saturating_sub(swept.elapsed());
        let wait = if inbox.source.is_some() {
            rest
        } else {
            rest.min(LOOK)
        };
        let mut sweep = false;
        match inbox.next(Instant::now() + wait) {
            Arrival::Starts(starts, lost) => {
                if lost {
                    let why = "the kernel had no room for all starts: all processes are looked at";
                    say(Level::Notice, why);
                    sweep = true;
                } else {
                    tell(&guard.take(&starts)?, guard.rules());
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
                sweep = true;
            }
            Arrival::Reload => sweep = reload(source, &mut guard),
            Arrival::Stop => {
                say(Level::Notice, "ends; values that were written stay");
                return Ok(0);
            }
            Arrival::Tick => {
                sweep = swept.elapsed() >= stay.every;
                if !sweep && inbox.source.is_none() {
                    tell(&guard.glimpse()?, guard.rules());
                }
            }
        }
        // A steady stream of starts must not put it off for ever.
        if sweep || swept.elapsed() >= stay.every {
            tell(&guard.sweep()?, guard.rules());
            swept = Instant::now();
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

/// Priorities of the journal (sd-daemon(3)).
#[derive(Debug, Clone, Copy)]
enum Level {
    Error = 3,
    Warning = 4,
    Notice = 5,
    Info = 6,
}

/// A line on standard error, with a priority where the journal reads it.
fn say(level: Level, what: &str) {
    let what = printable(what);
    let priority = match std::env::var_os("JOURNAL_STREAM") {
        Some(_) => format!("<{}>", level as u8),
        None => "oomtop: ".to_owned(),
    };
    // Nobody can be told where standard error is closed.
    let _ = writeln!(io::stderr(), "{priority}{what}");
}
