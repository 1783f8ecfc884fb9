//! What was typed and what was on the screen, in order.

use std::time::{Duration, Instant};

use crate::common::screen::Screen;
use crate::common::sight::{are_named, dense, dialog, names};

use super::machine::Change;

/// A row is the selected one if so many of its cells are reversed: marks and keys are shorter. What is urgent in a selected
/// row is not reversed, which can be half of it.
const SELECTED: usize = 30;

/// A frame as a person saw it.
#[derive(Clone)]
pub(super) struct Frame {
    pub(super) at: Instant,
    pub(super) text: String,
    /// The text of the dialog in front.
    pub(super) dialog: Option<String>,
    /// The selected row, below the heads.
    pub(super) highlighted: String,
}

impl Frame {
    pub(super) fn of(screen: &Screen, at: Instant) -> Self {
        let (cols, height) = screen.size();
        let cell = |x, y| screen.0.cell(y, x);
        let row = |y| -> Vec<&str> {
            let symbols = (0..cols).map(|x| cell(x, y).map_or("", vt100::Cell::contents));
            symbols
                .map(|s| if s.is_empty() { " " } else { s })
                .collect()
        };
        let rows: Vec<Vec<&str>> = (0..height).map(row).collect();
        // The heads of the columns are reversed too; they name no process. A pane may stand at the right of the row.
        let is_reversed = |y: &u16| {
            let cells = (0..cols).filter_map(|x| cell(x, *y));
            cells.filter(|cell| cell.inverse()).count() >= SELECTED
        };
        let inner = 1..height.saturating_sub(1);
        let reversed = inner
            .filter(is_reversed)
            .map(|y| rows[usize::from(y)].concat());
        let highlighted = reversed.collect::<Vec<_>>().join("\n");
        Self {
            at,
            text: screen.framed(),
            dialog: dialog(&rows),
            highlighted,
        }
    }
}

/// What came between two looks at the machine.
#[derive(Default)]
pub(super) struct Window {
    /// The frame that stood at the start, and those that followed.
    pub(super) frames: Vec<Frame>,
    /// When bytes went out.
    pub(super) sends: Vec<Instant>,
}

/// The test reads a frame so much later than the program draws it, at most, on a machine with nothing else to do.
const LAG: Duration = Duration::from_millis(30);

/// The same on this machine now: who reads waits for a processor, too.
fn lag() -> Duration {
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split('.').next().and_then(|whole| whole.parse().ok());
    LAG * load.unwrap_or(0_u32).clamp(1, 10)
}

impl Window {
    /// The frames that the last bytes can have answered: what stood before the only bytes, or between bytes.
    pub(super) fn answered(&self) -> impl Iterator<Item = &Frame> {
        let lag = if self.sends.len() > 1 {
            lag()
        } else {
            Duration::ZERO
        };
        let last = self.sends.last().map(|last| *last + lag);
        let frames = self.frames.iter().enumerate();
        let known = frames.filter(move |(n, frame)| *n == 0 || last.is_some_and(|l| frame.at <= l));
        known.map(|(_, frame)| frame)
    }

    /// True if a dialog named all that has changed.
    pub(super) fn has_shown(&self, changes: &[Change]) -> bool {
        changes.is_empty()
            || self
                .answered()
                .any(|frame| frame.dialog.as_deref().is_some_and(|d| fits(d, changes)))
    }
}

fn fits(dialog: &str, changes: &[Change]) -> bool {
    let mut pids = Vec::new();
    for change in changes {
        match change {
            // Whoever has come into a group since then dies with it.
            Change::Ended(_, group, _) if kills_all_of(dialog, group) => {}
            // And stands still with it, where no freezer has exactly this group: oomtop stops one by one.
            Change::Stopped(_, group) if freezes_all_of(dialog, group) => {}
            Change::Process(pid, _) | Change::Ended(pid, ..) | Change::Stopped(pid, _) => {
                pids.push(*pid);
            }
            Change::Group(path, _) => {
                if !dense(dialog).contains(&dense(path)) {
                    return false;
                }
            }
            // An undo names what it takes back.
            Change::Removed(_) => {}
        }
    }
    are_named(dialog, &mut pids)
}

/// True if the dialog offers to kill a whole group, this one or one above it.
fn kills_all_of(dialog: &str, group: &str) -> bool {
    let dialog = dense(dialog);
    let mut groups = with_those_above(group);
    groups.any(|path| dialog.contains(&dense(&format!("kill all processes of {path} Ends"))))
}

/// True if the dialog offers to freeze a whole group, this one or one above it, and that is what Enter does.
fn freezes_all_of(dialog: &str, group: &str) -> bool {
    let dialog = dense(dialog);
    let mut groups = with_those_above(group);
    dialog.contains(&dense("> f freeze"))
        && groups.any(|path| dialog.contains(&dense(&format!("{path} uses"))))
}

fn with_those_above(group: &str) -> impl Iterator<Item = &str> {
    let above = std::iter::successors(Some(group), |path| path.rsplit_once('/').map(|(up, _)| up));
    above.filter(|path| !path.is_empty())
}

/// The process in the title of a dialog about one process.
fn subject(dialog: &str) -> Option<u32> {
    let title: String = dialog.chars().take(60).collect();
    if title.contains("tagged") || title.contains("processes") {
        return None;
    }
    let rest = ["Send a signal to ", "Adjust ", "Cgroup of "]
        .iter()
        .find_map(|words| Some(title.split_once(words)?.1.to_owned()))?;
    rest.split_whitespace().next()?.parse().ok()
}

/// One key opened a dialog: its process was highlighted. `None` where no dialog about one process has opened.
pub(super) fn opened_rightly(window: &Window) -> Option<Result<(), String>> {
    let (first, last) = (window.frames.first()?, window.frames.last()?);
    if first.dialog.is_some() {
        return None;
    }
    let pid = subject(last.dialog.as_deref()?)?;
    // A sample may have come between the look and the key.
    let mut open = window.frames.iter().filter(|frame| frame.dialog.is_none());
    if open.any(|frame| names(&frame.highlighted, pid)) {
        return Some(Ok(()));
    }
    let was = &first.highlighted;
    Some(Err(format!("{pid} was not highlighted but {was:?}")))
}
