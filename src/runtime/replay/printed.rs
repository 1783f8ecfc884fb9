//! One sample of a recording as a table or a JSON document.

use std::io;
use std::path::Path;

use super::holes::stamp;
use super::stage::Stage;
use crate::app::replay::Travel;
use crate::app::replay::moment::parse;
use crate::app::settings::Settings;
use crate::model::time::Wall;
use crate::output::json::document;
use crate::output::safe_json::escaped;
use crate::output::table::{Paper, plain};
use crate::runtime::headless::print;
use crate::runtime::{RunError, complain};

/// The screen that nobody looks at.
const SIZE: (u16, u16) = (200, 60);

/// A time so far behind the last sample is not in the recording, in microseconds.
const BEYOND: i64 = 60_000_000;

/// Prints the last sample, or the one of a time. What is missing goes to standard error.
pub(super) fn print_moment(
    mut recorded: Stage,
    path: &Path,
    settings: Settings,
    at: Option<&str>,
    json: bool,
) -> Result<u8, RunError> {
    for hole in &recorded.timeline.holes {
        complain(&format!("{}: {hole}", path.display()));
    }
    let timeline = recorded.timeline.clone();
    let (first, last) = timeline.span().unwrap_or_default();
    let zone = recorded.first.wall;
    let wall = |unix_micros| Wall {
        unix_micros,
        ..zone
    };
    let mut state = recorded.state(String::new(), settings, SIZE);
    let wanted = match at {
        // A length alone counts from the end.
        Some(text) => parse(text, wall(last), (first, last)).map_err(RunError::Recording)?,
        None => last,
    };
    let around = first.saturating_sub(BEYOND)..=last.saturating_add(BEYOND);
    let none = if around.contains(&wanted) {
        let gap = timeline.gap_at(wanted);
        gap.map(|(from, to)| {
            let (from, to) = (stamp(wall(from.unix_micros)), stamp(wall(to.unix_micros)));
            format!("none was taken between {from} and {to}")
        })
    } else {
        let (first, last) = (stamp(wall(first)), stamp(wall(last)));
        Some(format!("it covers {first} to {last}"))
    };
    if let Some(why) = none {
        let wanted = stamp(wall(wanted));
        complain(&format!(
            "{} has no sample at {wanted}: {why}",
            path.display()
        ));
        return Ok(1);
    }
    let target = state.replay.as_ref().map(|r| r.target(Travel::To(wanted)));
    if let Some(target) = target.filter(|target| *target > 0) {
        state = recorded.show(state, target);
    }
    for hole in &recorded.unread {
        complain(&format!("{}: {hole}", path.display()));
    }
    let shown = state.replay.as_ref().map(|replay| replay.at);
    if shown != target {
        let shown = stamp(state.snapshot.taken.wall);
        complain(&format!(
            "{}: the sample of that time cannot be read: this is that of {shown}",
            path.display()
        ));
    }
    let snapshot = &state.snapshot;
    let text = if json {
        let document = document(
            snapshot,
            &state.host,
            &state.marks,
            &state.events,
            &state.settings.thresholds,
        );
        let text = serde_json::to_string_pretty(&document)
            .map_err(|error| RunError::Output(io::Error::from(error)))?;
        format!("{}\n", escaped(&text))
    } else {
        let table = plain(
            snapshot,
            &state.host,
            &state.marks,
            &state.events,
            &state.settings,
            (state.now, Paper::WHOLE),
        );
        format!("recorded {}\n{table}", stamp(snapshot.taken.wall))
    };
    print(&text).map_or_else(crate::runtime::headless::Halt::status, |()| Ok(0))
}
