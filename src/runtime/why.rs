//! `oomtop why`: reads what tells of ends, asks for the deaths, prints them.

mod gather;
mod present;
mod since;

use super::headless::print;
use super::{RunError, clock, complain};
use crate::linux::SysRoot;
use crate::oomlog::analysis::death::{Question, deaths};
use crate::output::why::Answer;
use gather::Gathered;

/// Says why somebody died. Returns 0 if the cause of the newest death is known, 1 if it is not, 2 if nothing could be
/// read or the time is none.
///
/// # Errors
/// If the output cannot be written; a closed pipe is no error.
pub fn why(
    question: &Question,
    since: Option<&str>,
    root: &SysRoot,
    json: bool,
) -> Result<u8, RunError> {
    let now = clock::now();
    let since = match since.map(|text| since::micros(text, now.wall.unix_micros, clock::zone())) {
        Some(None) => {
            let given = since.unwrap_or_default();
            complain(&format!(
                "--since {given:?} is no time: try \"10 min ago\", \"12:30\", \"yesterday\" or \"2026-11-27 12:30\""
            ));
            return Ok(2);
        }
        Some(Some(micros)) => Some(micros),
        None => None,
    };
    let mut gathered = Gathered::read(question, since, root, now);
    let present = present::look(question, root, now);
    gathered.facts.extend(present.zombie);
    gathered.seen.kernel_kills = present.kernel_kills;
    let facts: Vec<_> = gathered.facts.into_iter().collect();
    let mut found = deaths(question, &facts, &gathered.seen);
    if let Some(since) = since {
        found.retain(|death| death.at >= since);
    }
    let is_blind = gathered.seen.kernel_from.is_none() && !gathered.seen.journal;
    let answer = Answer {
        question,
        deaths: &found,
        around: &present.around,
        alive: present.alive,
        unreadable: &gathered.unreadable,
        left_out: gathered.left_out,
        date: clock::date,
    };
    let text = if json { answer.json() } else { answer.text() };
    if let Err(halt) = print(&text) {
        return halt.status();
    }
    Ok(match found.first() {
        Some(death) if death.cause.is_known() => 0,
        None if is_blind => 2,
        Some(_) | None => 1,
    })
}
