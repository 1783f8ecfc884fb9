//! `oomtop metrics`: samples as long as it runs, for Prometheus to read.

mod http;
mod server;
mod textfile;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::headless::rounds::{Reminder, Rounds, enter};
use super::headless::{Event, Session};
use super::rules::{RuleSource, follow};
use super::{RunError, clock, complain};
use crate::app::lookout::Lookout;
use crate::app::settings::Settings;
use crate::linux::SysRoot;
use crate::linux::host::descriptors::require;
use crate::linux::scan::backend::BackendChoice;
use crate::model::rules::book::RuleBook;
use crate::model::snapshot::Host;
use crate::output::metrics::{Facts, Format, page};
use server::{CONNECTIONS, Server};
use textfile::Textfile;

/// Where metrics go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Destination {
    /// Prometheus scrapes this address.
    Listen(String),
    /// node_exporter reads this file, which is written so often.
    Textfile(PathBuf, Duration),
}

/// Descriptors besides those of a session and the connections.
const FILES: usize = 24;

/// How often it is looked whether the file is due, without any event.
const LOOK: Duration = Duration::from_secs(1);

/// What the threads share.
#[derive(Debug)]
struct Board {
    lookout: Lookout,
    host: Host,
    rules: Option<RuleBook>,
    /// Rises with every change.
    version: u64,
    /// The last page, by what it was made of.
    page: Option<(u64, Format, String)>,
}

impl Board {
    fn page(&mut self, format: Format) -> String {
        if let Some((version, of, page)) = &self.page
            && (*version, *of) == (self.version, format)
        {
            return page.clone();
        }
        let facts = Facts {
            lookout: &self.lookout,
            host: &self.host,
            rules: self.rules.as_ref(),
            own_cpu_seconds: Some(clock::own_cpu_seconds()),
        };
        let text = page(&facts, format);
        self.page = Some((self.version, format, text.clone()));
        text
    }
}

fn lock(board: &Mutex<Board>) -> MutexGuard<'_, Board> {
    board.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Samples and shows metrics until SIGTERM or SIGINT. Returns the exit status, 0.
///
/// # Errors
/// If the process table cannot be read, the address cannot be had, or a thread cannot be started.
pub fn metrics(
    destination: &Destination,
    settings: &Settings,
    root: &SysRoot,
    backend: BackendChoice,
    rules: Arc<dyn RuleSource + Send + Sync>,
) -> Result<u8, RunError> {
    require(FILES + CONNECTIONS)?;
    // First: an address that cannot be had ends it at once.
    let (server, file) = match destination {
        Destination::Listen(address) => (Some(Server::bind(address)?), None),
        Destination::Textfile(path, every) => (None, Some((Textfile::new(path)?, *every))),
    };
    let mut session = Session::new(root.clone(), backend)?;
    let board = Arc::new(Mutex::new(Board {
        lookout: Lookout::new(settings.thresholds, clock::now()).under(session.host()?.rules),
        host: session.host()?.clone(),
        rules: None,
        version: 0,
        page: None,
    }));
    session.follow_log_and_tracepoints()?;
    let shared = Arc::clone(&board);
    let pin_up = move |found| {
        let mut board = lock(&shared);
        board.version += 1;
        board.rules = Some(found);
        true
    };
    follow(rules, root.clone(), pin_up).map_err(RunError::Thread)?;
    if let Some(server) = server {
        let address = server.address().map_err(RunError::Thread)?;
        let shared = Arc::clone(&board);
        server
            .serve(move |format| lock(&shared).page(format))
            .map_err(RunError::Thread)?;
        complain(&format!("metrics at http://{address}/metrics"));
    }
    watch(
        &mut Rounds::new(session, settings.delay).woken_by(root)?,
        &board,
        file.as_ref(),
    )
}

/// Takes samples and events in, and writes the file when it is due.
fn watch(
    rounds: &mut Rounds,
    board: &Mutex<Board>,
    file: Option<&(Textfile, Duration)>,
) -> Result<u8, RunError> {
    let mut write_at = Instant::now();
    let (mut unread, mut unwritten) = (Reminder::default(), Reminder::default());
    loop {
        let until = Instant::now() + LOOK;
        let event = rounds.next(until, || lock(board).lookout.needs())?;
        match &event {
            Event::Tick(_) => {}
            // The file goes with this function.
            Event::Stop(_) => return Ok(0),
            Event::Sample(_) | Event::Log(_) => {
                let mut board = lock(board);
                board.version += 1;
                let change = enter(&mut board.lookout, event);
                drop(board);
                if change.sampled {
                    unread.is_over();
                }
                if let Some(why) = change.failure.filter(|_| unread.is_due()) {
                    complain(&why);
                }
            }
        }
        if let Some((file, every)) = file
            && write_at <= Instant::now()
            && lock(board).lookout.snapshot.seq > 0
        {
            write_at = Instant::now() + *every;
            let text = lock(board).page(Format::Text);
            match file.write(&text) {
                Ok(()) => unwritten.is_over(),
                Err(sentence) if unwritten.is_due() => complain(&sentence),
                Err(_) => {}
            }
        }
    }
}
