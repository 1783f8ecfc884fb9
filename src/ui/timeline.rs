//! The time line of a recording: its bands, its kills, and where the screen is.

use ratatui::layout::Rect;

use crate::app::State;
use crate::app::replay::Replay;
use crate::app::replay::timeline::Cell;
use crate::app::view::domains::columns::tone;
use crate::model::memory::band::Band;
use crate::model::time::Wall;
use crate::text::tone::{Line, Tone};
use crate::ui::canvas::Canvas;

/// Draws the line, if something is replayed.
pub(super) fn draw(state: &State, area: Rect, canvas: &mut Canvas<'_>) {
    let Some(replay) = state.replay.as_ref().filter(|_| area.height > 0) else {
        return;
    };
    let samples = &replay.timeline.samples;
    let (Some(first), Some(last)) = (samples.first(), samples.last()) else {
        return;
    };
    let (first, last) = (first.unix_micros, last.unix_micros);
    let wall = |unix_micros| Wall {
        unix_micros,
        ..state.snapshot.taken.wall
    };
    let left = Line::of(Tone::Dim, format!(" {} ", wall(first)));
    let right = match going(replay) {
        Some((time, percent)) => Line::of(Tone::Watch, format!(" to {}: {percent} % ", wall(time))),
        None => right(replay, wall(last)),
    };
    let used = left.width() + right.width();
    let width = usize::from(area.width).saturating_sub(used);
    let mut line = left;
    let cells = replay
        .timeline
        .cells(width, replay.at, &state.settings.thresholds);
    for cell in cells {
        let (tone, sign) = look(cell);
        line.push(tone, sign);
    }
    canvas.line(area, &line);
    canvas.line_right(area, &right);
}

/// Where the screen is going to, in microseconds since 1970, and how far it is.
fn going(replay: &Replay) -> Option<(i64, u8)> {
    let (aim, percent) = replay.aim.zip(replay.way)?;
    let moment = replay.timeline.samples.get(aim)?;
    Some((moment.unix_micros, percent))
}

fn right(replay: &Replay, last: Wall) -> Line {
    let mut line = Line::of(Tone::Dim, format!(" {last}  "));
    let (tone, word) = if replay.playing {
        (Tone::Good, replay.speed())
    } else {
        (Tone::Watch, "stopped".to_owned())
    };
    line.push(tone, word);
    line.push(
        Tone::Dim,
        format!("  {}/{} ", replay.at + 1, replay.timeline.samples.len()),
    );
    line
}

/// A sign for each meaning, never a colour alone.
fn look(cell: Cell) -> (Tone, &'static str) {
    match cell {
        Cell { here: true, .. } => (Tone::Accent, "^"),
        Cell { kill: true, .. } => (Tone::Critical, "X"),
        Cell { band: None, .. } => (Tone::Dim, " "),
        Cell {
            band: Some(band), ..
        } => {
            let sign = match band {
                Band::Normal => ".",
                Band::Warning => "-",
                Band::Danger => "=",
                Band::Critical => "#",
            };
            (tone(band), sign)
        }
    }
}
