//! `oomtop watch`: a line for each event, as long as it runs.

mod hook;

use std::io::{self, Write as _};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, channel, sync_channel};
use std::time::{Duration, Instant};

use super::headless::rounds::{Reminder, Rounds, enter};
use super::headless::{Event, Session};
use super::rules::{RuleSource, follow};
use super::{RunError, clock, complain};
use crate::app::lookout::{Crier, Lookout, News};
use crate::app::settings::Settings;
use crate::linux::SysRoot;
use crate::linux::helper::helper;
use crate::linux::scan::backend::BackendChoice;
use crate::output::watch::Told;
use crate::text::format::number_of;
use crate::text::tone::printable;
use hook::Hook;

/// How to watch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Watching {
    /// Forecasts below this are told.
    pub forecast: Duration,
    /// Lines are JSON.
    pub json: bool,
    /// The program that is run for each event.
    pub hook: Option<PathBuf>,
}

/// Most lines that wait for whoever reads them; more are left out and counted.
const QUEUE: usize = 1024;

/// How often rules are asked for news.
const LOOK: Duration = Duration::from_secs(1);

/// How long the last lines have to be read at the end.
const END: Duration = Duration::from_secs(1);

/// Watches until SIGTERM or SIGINT, or until nobody reads its lines. Returns the exit status, 0.
///
/// # Errors
/// If the process table cannot be read, or a thread cannot be started.
pub fn watch(
    watching: &Watching,
    settings: &Settings,
    root: &SysRoot,
    backend: BackendChoice,
    rules: Arc<dyn RuleSource + Send + Sync>,
) -> Result<u8, RunError> {
    let mut session = Session::new(root.clone(), backend)?;
    let name = session.host()?.name.clone();
    session.follow_log_and_tracepoints()?;
    let (send, books) = channel();
    follow(rules, root.clone(), move |book| send.send(book).is_ok()).map_err(RunError::Thread)?;
    let printer = Printer::start().map_err(RunError::Thread)?;
    let hook = watching.hook.as_deref().map(Hook::start).transpose();
    let hook = hook.map_err(RunError::Thread)?;
    let mut lookout = Lookout::new(settings.thresholds, clock::now());
    let mut crier = Crier::new(watching.forecast);
    let mut rounds = Rounds::new(session, settings.delay);
    let mut unread = Reminder::default();
    let mut gap = None;
    loop {
        let event = rounds.next(Instant::now() + LOOK, || lookout.needs())?;
        if matches!(event, Event::Stop(_)) || printer.is_closed() {
            break;
        }
        let change = enter(&mut lookout, event);
        let mut news: Vec<News> = change.deaths.into_iter().map(News::Killed).collect();
        if change.sampled {
            unread.is_over();
            news.extend(crier.look(&lookout));
        }
        if let Some(why) = change.failure.filter(|_| unread.is_due()) {
            complain(&why);
        }
        news.extend(books.try_iter().flat_map(|book| crier.look_at_rules(&book)));
        say_gap(&lookout, &mut gap);
        for news in news {
            let told = Told {
                unix_micros: moment(&news, &lookout),
                news,
                host: name.clone(),
            };
            printer.print(line(&told, watching.json));
            if let Some(hook) = &hook {
                hook.tell(&told);
            }
        }
    }
    printer.finish();
    Ok(0)
}

/// When it happened: the log's time of a kill, now for all else.
fn moment(news: &News, lookout: &Lookout) -> i64 {
    let now = clock::now();
    let at = match news {
        News::Killed(death) => death.at,
        News::Filling { .. }
        | News::NotFilling { .. }
        | News::Band { .. }
        | News::Stuck { .. }
        | News::Unstuck { .. } => Some(lookout.snapshot.taken.monotonic),
        News::Drift { .. } => None,
    };
    at.map_or(now.wall, |at| now.wall_of(at)).unix_micros
}

fn line(told: &Told, json: bool) -> String {
    if json {
        told.json()
    } else {
        format!("{} {}", clock::date(told.unix_micros), told.text())
    }
}

/// Says what kills go unseen, when that changes.
fn say_gap(lookout: &Lookout, told: &mut Option<String>) {
    let source = &lookout.events.source;
    if !source.caught_up || lookout.snapshot.seq == 0 {
        return;
    }
    let killers = lookout.snapshot.killers.iter();
    let gap = source.gap(killers.map(|killer| killer.killer.name()));
    let gap = gap.unwrap_or_default();
    let before = told.replace(gap.clone());
    match before {
        Some(before) if before == gap => {}
        None if gap.is_empty() => {}
        _ if gap.is_empty() => complain("all kills are seen again"),
        _ => complain(&gap),
    }
}

/// Writes lines on a thread of its own: who does not read them must not keep events from the hook.
#[derive(Debug)]
struct Printer {
    lines: SyncSender<String>,
    shared: Arc<Output>,
}

#[derive(Debug, Default)]
struct Output {
    closed: AtomicBool,
    left_out: AtomicU64,
    waiting: AtomicU64,
}

impl Printer {
    fn start() -> io::Result<Self> {
        let (lines, queue) = sync_channel(QUEUE);
        let shared = Arc::new(Output::default());
        let own = Arc::clone(&shared);
        helper("lines", move || print_all(&queue, &own))?;
        Ok(Self { lines, shared })
    }

    fn print(&self, line: String) {
        self.shared.waiting.fetch_add(1, Ordering::SeqCst);
        if let Err(TrySendError::Full(_)) = self.lines.try_send(line) {
            self.shared.waiting.fetch_sub(1, Ordering::SeqCst);
            self.shared.left_out.fetch_add(1, Ordering::SeqCst);
        }
    }

    fn is_closed(&self) -> bool {
        self.shared.closed.load(Ordering::SeqCst)
    }

    /// Gives the last lines a moment.
    fn finish(&self) {
        let until = Instant::now() + END;
        while self.shared.waiting.load(Ordering::SeqCst) > 0
            && !self.is_closed()
            && Instant::now() < until
        {
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

fn print_all(lines: &Receiver<String>, shared: &Output) {
    let mut out = io::stdout();
    for line in lines {
        let left_out = shared.left_out.swap(0, Ordering::SeqCst);
        if left_out > 0 {
            let lost = number_of(left_out, "line", "lines");
            complain(&format!("{lost} left out: nobody read them in time"));
        }
        let text = format!("{}\n", printable(&line));
        if out
            .write_all(text.as_bytes())
            .and_then(|()| out.flush())
            .is_err()
        {
            shared.closed.store(true, Ordering::SeqCst);
            return;
        }
        shared.waiting.fetch_sub(1, Ordering::SeqCst);
    }
}
