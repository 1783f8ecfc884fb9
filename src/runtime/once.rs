//! What is printed instead of the dashboard: a table, a document, values or sentences, once or each period. Two samples
//! come before the first: growth and processor time are differences.

use std::io;
use std::sync::mpsc::{TryRecvError, channel};
use std::time::{Duration, Instant};

use super::headless::{Event, HISTORY_MOST, Halt, LogItem, Session, print};
use super::{RunError, clock};
use crate::app::settings::Settings;
use crate::app::settings::printing::{PrintForm, Printing};
use crate::app::view::events::EventLog;
use crate::app::view::processes::columns::{Column, column};
use crate::app::view::processes::marks::Marks;
use crate::linux::helper::helper;
use crate::linux::scan::backend::BackendChoice;
use crate::linux::{SysRoot, ledger};
use crate::model::cgroup::kernel_memory::needs;
use crate::model::ledger::{Account, Place};
use crate::model::snapshot::{Needs, Snapshot};
use crate::output::csv;
use crate::output::json::document;
use crate::output::safe_json::escaped;
use crate::output::sentences::sentences;
use crate::output::table::{Paper, plain};
use crate::text::format;

/// Time between the two samples.
const BETWEEN: Duration = Duration::from_millis(200);

/// How long the ledgers may take, how much longer their answer is waited for, and how often it is asked for.
const LEDGER_WITHIN: Duration = Duration::from_secs(2);
const LEDGER_GRACE: Duration = Duration::from_millis(500);
const LOOK: Duration = Duration::from_millis(5);

/// Prints samples. Returns the exit status.
///
/// # Errors
/// If `/proc` cannot be read, or the output cannot be written (a closed pipe is no error).
pub fn once(
    settings: &Settings,
    root: &SysRoot,
    backend: BackendChoice,
    printing: Printing,
) -> Result<u8, RunError> {
    match print_all(settings, root, backend, printing) {
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
    let page_size = rustix::param::page_size() as u64;
    let needs = needs(&snapshot.cgroups, &snapshot.processes, page_size);
    let keys = snapshot.domains.iter();
    let keys = keys.filter_map(|domain| domain.scope.memcg());
    let group = |key| {
        Some(Place::Group {
            path: snapshot.cgroup(key)?.path.clone(),
            members: Vec::new(),
            needs: needs.get(key.index()).copied().unwrap_or_default(),
        })
    };
    let places: Vec<Place> = keys.filter_map(group).collect();
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

fn print_all(
    settings: &Settings,
    root: &SysRoot,
    backend: BackendChoice,
    printing: Printing,
) -> Result<(), Halt> {
    let mut session = Session::new(root.clone(), backend)?;
    let mut needs = Needs {
        all_commands: true,
        complete: true,
        cpu: needs_cpu(settings, printing.form),
        ..Needs::default()
    };
    let first = session.sample(&needs)?;
    if session.unshown_error()? > 0 {
        // The document prints every row, so every row needs exact numbers.
        needs.visible = first.processes.iter().map(|process| process.id).collect();
    }
    drop(first);
    let mut events = EventLog::default();
    let tells_events = match printing.form {
        PrintForm::Json => true,
        PrintForm::Table => printing.count == Some(1),
        PrintForm::Csv | PrintForm::Sentences => false,
    };
    if tells_events {
        session.history(HISTORY_MOST, |item| take(&mut events, item))?;
    }
    session.pause(BETWEEN)?;
    let mut due = Instant::now();
    let mut printed = 0;
    loop {
        if printed > 0 {
            // Processes that are new need exact numbers, too.
            needs.visible.clear();
        }
        let mut snapshot = session.sample(&needs)?;
        if printed > 0 && session.unshown_error()? > 0 {
            needs.visible = snapshot
                .processes
                .iter()
                .map(|process| process.id)
                .collect();
            snapshot = session.sample(&needs)?;
        }
        let text = text(
            &mut session,
            root,
            &snapshot,
            &events,
            settings,
            (printing, printed),
        )?;
        drop(snapshot);
        print(&text)?;
        printed += 1;
        if printing.count.is_some_and(|count| printed >= count) {
            return Ok(());
        }
        // A machine that is slow gets no samples in a heap.
        due = (due + settings.delay).max(Instant::now());
        wait(&mut session, due, &mut events)?;
    }
}

/// True if the processor time of processes is printed, or decides which are or in what order.
fn needs_cpu(settings: &Settings, form: PrintForm) -> bool {
    let chosen = settings.columns.columns();
    let prints = match form {
        PrintForm::Table | PrintForm::Csv => {
            chosen.is_empty() || chosen.iter().any(|c| c.reads_cpu())
        }
        PrintForm::Json | PrintForm::Sentences => false,
    };
    let sort = settings.sort.and_then(column);
    prints || sort.is_some_and(Column::reads_cpu) || settings.filter.needs_cpu()
}

fn take(events: &mut EventLog, item: LogItem) {
    match item {
        LogItem::Event(event) => {
            events.accept(event, &[]);
        }
        // A session does not follow the tracepoints.
        LogItem::Traced(_) => {}
        LogItem::Source(source) => events.source = source,
    }
}

/// Waits, and takes what the log tells meanwhile.
fn wait(session: &mut Session, until: Instant, events: &mut EventLog) -> Result<(), Halt> {
    loop {
        match session.next(until) {
            Event::Tick(_) if Instant::now() >= until => return Ok(()),
            Event::Tick(_) | Event::Sample(_) => {}
            Event::Log(item) => take(events, item),
            Event::Stop(signal) => return Err(Halt::Signal(signal)),
        }
    }
}

/// What is printed of one sample, the `printed`th from 0.
fn text(
    session: &mut Session,
    root: &SysRoot,
    snapshot: &Snapshot,
    events: &EventLog,
    settings: &Settings,
    (printing, printed): (Printing, u64),
) -> Result<String, Halt> {
    let marks = Marks::new(snapshot);
    let is_one = printing.count == Some(1);
    let now = clock::now();
    match printing.form {
        PrintForm::Json => {
            let accounts = ledgers(session, root, snapshot)?;
            let host = session.host()?;
            let mut document = document(snapshot, host, &marks, events, &settings.thresholds);
            document.add_ledgers(snapshot, host, accounts);
            let text = if is_one {
                serde_json::to_string_pretty(&document)
            } else {
                serde_json::to_string(&document)
            };
            Ok(format!("{}\n", escaped(&text.map_err(io::Error::from)?)))
        }
        PrintForm::Table => {
            let paper = Paper {
                width: width(),
                events: is_one,
            };
            let host = session.host()?;
            let table = plain(snapshot, host, &marks, events, settings, (now, paper));
            let wall = snapshot.taken.wall;
            Ok(match (is_one, printed) {
                (true, _) => table,
                (false, 0) => format!("{} {wall}\n{table}", format::date(wall)),
                (false, _) => format!("\n{} {wall}\n{table}", format::date(wall)),
            })
        }
        PrintForm::Csv => {
            let rows = csv::rows(snapshot, session.host()?, &marks, settings);
            Ok(match printed {
                0 => csv::header(settings) + &rows,
                _ => rows,
            })
        }
        PrintForm::Sentences => Ok(sentences(snapshot, session.host()?, &marks, settings)),
    }
}

/// Cells of a line: those of the terminal, or enough for a file.
fn width() -> usize {
    let size = rustix::termios::tcgetwinsize(io::stdout());
    let file = Paper::WHOLE.width;
    size.map_or(file, |size| match size.ws_col {
        0 => file,
        columns => columns.into(),
    })
}
