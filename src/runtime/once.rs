//! `--once`: two samples (for the growth column), the log's history, one document, exit.

use std::io;
use std::time::Duration;

use super::headless::{HISTORY_MOST, Halt, LogItem, Session, print};
use super::{RunError, clock};
use crate::app::settings::Settings;
use crate::app::view::events::EventLog;
use crate::app::view::processes::marks::Marks;
use crate::linux::SysRoot;
use crate::linux::scan::backend::BackendChoice;
use crate::model::snapshot::Needs;
use crate::output::json::document;
use crate::output::safe_json::escaped;
use crate::output::table::plain;

/// Time between the two samples.
const BETWEEN: Duration = Duration::from_millis(200);

/// Prints one table or document. Returns the exit status.
///
/// # Errors
/// If `/proc` cannot be read, or the output cannot be written (a closed pipe is no error).
pub fn once(
    settings: &Settings,
    root: &SysRoot,
    backend: BackendChoice,
    json: bool,
) -> Result<u8, RunError> {
    match document_text(settings, root, backend, json).and_then(|text| print(&text)) {
        Ok(()) => Ok(0),
        Err(halt) => halt.status(),
    }
}

fn document_text(
    settings: &Settings,
    root: &SysRoot,
    backend: BackendChoice,
    json: bool,
) -> Result<String, Halt> {
    let mut session = Session::new(root.clone(), backend)?;
    let mut needs = Needs {
        all_commands: true,
        ..Needs::default()
    };
    let first = session.sample(&needs)?;
    if session.unshown_error()? > 0 {
        // The document prints every row, so every row needs exact numbers.
        needs.visible = first.processes.iter().map(|process| process.id).collect();
    }
    drop(first);
    let mut events = EventLog::default();
    session.history(HISTORY_MOST, |item| match item {
        LogItem::Event(event) => {
            events.accept(event, &[]);
        }
        // A session does not follow the tracepoints.
        LogItem::Traced(_) => {}
        LogItem::Source(source) => events.source = source,
    })?;
    session.pause(BETWEEN)?;
    let snapshot = session.sample(&needs)?;
    let marks = Marks::new(&snapshot);
    let host = session.host()?;
    if json {
        let document = document(&snapshot, host, &marks, &events, &settings.thresholds);
        let text = serde_json::to_string_pretty(&document).map_err(io::Error::from)?;
        Ok(format!("{}\n", escaped(&text)))
    } else {
        Ok(plain(
            &snapshot,
            host,
            &marks,
            &events,
            settings,
            clock::now(),
        ))
    }
}
