//! `oomtop metrics`: samples as long as it runs, for Prometheus to read.

mod http;
mod server;
mod textfile;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::headless::{Event, LogItem, Session};
use super::rules::{RuleSource, book};
use super::{RunError, clock, complain};
use crate::app::lookout::Lookout;
use crate::app::settings::Settings;
use crate::linux::SysRoot;
use crate::linux::helper::helper;
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

/// A sample may cost this part of a processor.
const SHARE: u32 = 10;

/// A sample that costs much delays the next one by no more than this.
const SLOWEST: Duration = Duration::from_secs(5);

/// How often it is looked whom rules hold.
const RULES_EVERY: Duration = Duration::from_mins(1);

/// A failure that lasts is said this often.
const REMIND: Duration = Duration::from_mins(10);

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
        lookout: Lookout::new(settings.thresholds, clock::now()),
        host: session.host()?.clone(),
        rules: None,
        version: 0,
        page: None,
    }));
    session.follow_log()?;
    let (shared, tree) = (Arc::clone(&board), root.clone());
    helper("rules", move || look_at_rules(&*rules, &tree, &shared)).map_err(RunError::Thread)?;
    if let Some(server) = server {
        let address = server.address().map_err(RunError::Thread)?;
        let shared = Arc::clone(&board);
        server
            .serve(move |format| lock(&shared).page(format))
            .map_err(RunError::Thread)?;
        complain(&format!("metrics at http://{address}/metrics"));
    }
    watch(&mut session, &board, settings.delay, file)
}

/// Takes samples and events in, and writes the file when it is due.
fn watch(
    session: &mut Session,
    board: &Mutex<Board>,
    delay: Duration,
    file: Option<(Textfile, Duration)>,
) -> Result<u8, RunError> {
    let mut sample_at = Some(Instant::now());
    let mut write_at = Instant::now();
    let mut told: Option<Instant> = None;
    loop {
        let rest = Instant::now() + SLOWEST;
        match session.next(sample_at.unwrap_or(rest).min(rest)) {
            Event::Tick(_) => {
                if sample_at.is_some_and(|at| at <= Instant::now()) {
                    sample_at = None;
                    let needs = lock(board).lookout.needs();
                    session.ask(&needs)?;
                }
            }
            Event::Sample(sample) => {
                let mut board = lock(board);
                board.version += 1;
                let cost = match sample {
                    Ok(snapshot) => {
                        let cost = Duration::from_micros(snapshot.spent_micros);
                        board.lookout.sampled(snapshot);
                        cost
                    }
                    Err(error) => {
                        remind(&mut told, &error.to_string());
                        board.lookout.not_sampled(error.to_string());
                        Duration::ZERO
                    }
                };
                drop(board);
                let period = delay.max(cost.saturating_mul(SHARE).min(SLOWEST));
                sample_at = Some(Instant::now() + period);
            }
            Event::Log(item) => {
                let mut board = lock(board);
                board.version += 1;
                match item {
                    LogItem::Event(event) => drop(board.lookout.told(event)),
                    LogItem::Traced(traced) => drop(board.lookout.traced(traced, clock::now())),
                    LogItem::Source(source) => board.lookout.source(source, clock::now()),
                }
            }
            // The file goes with this function.
            Event::Stop(_) => return Ok(0),
        }
        if let Some((file, every)) = &file
            && write_at <= Instant::now()
            && lock(board).lookout.snapshot.seq > 0
        {
            write_at = Instant::now() + *every;
            let text = lock(board).page(Format::Text);
            match file.write(&text) {
                Ok(()) => told = None,
                Err(sentence) => remind(&mut told, &sentence),
            }
        }
    }
}

/// Says what is wrong, and again only after a while.
fn remind(told: &mut Option<Instant>, sentence: &str) {
    if told.is_none_or(|at| at.elapsed() >= REMIND) {
        *told = Some(Instant::now());
        complain(sentence);
    }
}

/// Looks whom the rules of `oomtop protect` hold, from time to time. Reading facts of all processes takes long: on a thread of
/// its own.
fn look_at_rules(source: &dyn RuleSource, root: &SysRoot, board: &Mutex<Board>) {
    loop {
        let found = book(source, root, None);
        let mut shared = lock(board);
        shared.version += 1;
        shared.rules = Some(found);
        drop(shared);
        std::thread::sleep(RULES_EVERY);
    }
}
