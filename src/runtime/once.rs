//! `--once`: two samples (for the growth column), the log's history, one document, exit.

use std::io::{self, Write};
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use super::{RunError, clock, log_source};
use crate::app::msg::Msg;
use crate::app::settings::Settings;
use crate::app::view::events::EventLog;
use crate::app::view::processes::marks::Marks;
use crate::linux::SysRoot;
use crate::linux::sampler::Sampler;
use crate::linux::scan::backend::BackendChoice;
use crate::model::snapshot::Needs;
use crate::output::json::document;
use crate::output::table::plain;

/// Between the two samples.
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
    let mut sampler = Sampler::with_backend(root.clone(), backend)?;
    let mut needs = Needs {
        all_commands: true,
        ..Needs::default()
    };
    let first = sampler.sample(&needs, clock::now())?;
    if sampler.unshown_error() > 0 {
        // All rows are printed: exact numbers of all.
        needs.visible = first.processes.iter().map(|process| process.id).collect();
    }
    drop(first);
    let events = history(root);
    std::thread::sleep(BETWEEN);
    let snapshot = sampler.sample(&needs, clock::now())?;
    let marks = Marks::new(&snapshot);
    let host = sampler.host();
    let text = if json {
        let document = document(&snapshot, host, &marks, &events, &settings.thresholds);
        let mut text = serde_json::to_string_pretty(&document)
            .map_err(|e| RunError::Output(io::Error::other(e)))?;
        text.push('\n');
        text
    } else {
        plain(&snapshot, host, &marks, &events, settings, clock::now())
    };
    match io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(0),
        Err(error) => Err(RunError::Output(error)),
        Ok(()) => Ok(0),
    }
}

/// The events of the log so far.
fn history(root: &SysRoot) -> EventLog {
    let mut log = EventLog::default();
    let stop = AtomicBool::new(false);
    let is_own = *root == SysRoot::default();
    log_source::follow(&root.kmsg, is_own, &stop, &mut |msg| match msg {
        Msg::Oom(event) => {
            log.accept(event, &[]);
            true
        }
        Msg::Source(source) => {
            // Once the history is read there is nothing to wait for.
            let more = !source.caught_up;
            log.source = source;
            more
        }
        _ => true,
    });
    log
}
