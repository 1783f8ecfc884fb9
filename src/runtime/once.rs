//! `--once`: two samples (for the growth column), the log's history, one document, exit.

use std::io;
use std::sync::mpsc::{TryRecvError, channel};
use std::time::{Duration, Instant};

use super::headless::{HISTORY_MOST, Halt, LogItem, Session, print};
use super::{RunError, clock};
use crate::app::settings::Settings;
use crate::app::view::events::EventLog;
use crate::app::view::processes::marks::Marks;
use crate::linux::helper::helper;
use crate::linux::scan::backend::BackendChoice;
use crate::linux::{SysRoot, ledger};
use crate::model::ledger::{Account, Place};
use crate::model::snapshot::{Needs, Snapshot};
use crate::output::json::document;
use crate::output::safe_json::escaped;
use crate::output::table::plain;

/// Time between the two samples.
const BETWEEN: Duration = Duration::from_millis(200);

/// How long the ledgers may take, how much longer their answer is waited for, and how often it is asked for.
const LEDGER_WITHIN: Duration = Duration::from_secs(2);
const LEDGER_GRACE: Duration = Duration::from_millis(500);
const LOOK: Duration = Duration::from_millis(5);

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

/// The ledgers of the host and of the domains. Reading them can block on a mount that does not answer: then the document
/// does without files, or without ledgers.
fn ledgers(
    session: &mut Session,
    root: &SysRoot,
    snapshot: &Snapshot,
) -> Result<Vec<Account>, Halt> {
    let keys = snapshot
        .domains
        .iter()
        .filter_map(|domain| domain.scope.memcg());
    let groups = keys.filter_map(|key| Some(snapshot.cgroup(key)?.path.clone()));
    let places: Vec<Place> = groups
        .map(|path| Place::Group {
            path,
            members: Vec::new(),
        })
        .collect();
    let (root, (send, answers)) = (root.clone(), channel());
    let until = Instant::now() + LEDGER_WITHIN;
    // A thread that cannot be had or that blocks ends with the program.
    let _ = helper("ledger", move || {
        let mut accounts = Vec::new();
        for place in &places {
            if Instant::now() < until {
                accounts.extend(ledger::quick(&root, place));
            }
        }
        let Ok(host) = ledger::quick(&root, &Place::Host) else {
            let _ = send.send(accounts);
            return;
        };
        let quick = [std::slice::from_ref(&host), &accounts].concat();
        let _ = send.send(quick);
        let host = ledger::with_files(&root, &Place::Host, host, until);
        accounts.insert(0, host);
        let _ = send.send(accounts);
    });
    let mut newest = Vec::new();
    let mut answered = 0;
    while answered < 2 && Instant::now() < until + LEDGER_GRACE {
        match answers.try_recv() {
            Ok(accounts) => (newest, answered) = (accounts, answered + 1),
            Err(TryRecvError::Empty) => session.pause(LOOK)?,
            Err(TryRecvError::Disconnected) => break,
        }
    }
    Ok(newest)
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
        complete: true,
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
    let accounts = if json {
        ledgers(&mut session, root, &snapshot)?
    } else {
        Vec::new()
    };
    let host = session.host()?;
    if json {
        let mut document = document(&snapshot, host, &marks, &events, &settings.thresholds);
        document.add_ledgers(&snapshot, host, accounts);
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
