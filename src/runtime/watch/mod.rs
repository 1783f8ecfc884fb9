//! `oomtop watch`: a line for each event, as long as it runs.

mod hook;
mod printer;
mod queue;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use super::headless::rounds::{Reminder, Rounds, enter};
use super::headless::{Event, Session};
use super::rules::{RuleSource, follow};
use super::{RunError, clock, complain};
use crate::app::lookout::{Crier, Lookout, News};
use crate::app::settings::Settings;
use crate::linux::SysRoot;
use crate::linux::scan::backend::BackendChoice;
use crate::output::watch::Told;
use hook::{Hook, usable};
use printer::Printer;

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

/// How often rules are asked for news.
const LOOK: Duration = Duration::from_secs(1);

/// Watches until SIGTERM or SIGINT, or until nobody reads its lines. Returns the exit status, 0.
///
/// # Errors
/// If the hook is no program, the process table cannot be read, or a thread cannot be started.
pub fn watch(
    watching: &Watching,
    settings: &Settings,
    root: &SysRoot,
    backend: BackendChoice,
    rules: Arc<dyn RuleSource + Send + Sync>,
) -> Result<u8, RunError> {
    // First: a hook that cannot be run would be missed at the first kill.
    let program = watching.hook.as_deref().map(usable).transpose();
    let program = program.map_err(RunError::Watch)?;
    let mut session = Session::new(root.clone(), backend)?;
    let name = session.host()?.name.clone();
    session.follow_log_and_tracepoints()?;
    let (send, books) = channel();
    follow(rules, root.clone(), move |book| send.send(book).is_ok()).map_err(RunError::Thread)?;
    let printer = Printer::start().map_err(RunError::Thread)?;
    let hook = program.as_deref().map(Hook::start).transpose();
    let hook = hook.map_err(RunError::Thread)?;
    let ranks = session.host()?.rules;
    let mut lookout = Lookout::new(settings.thresholds, clock::now()).under(ranks);
    let mut crier = Crier::new(watching.forecast);
    let mut rounds = Rounds::new(session, settings.delay).woken_by(root)?;
    let mut unread = Reminder::default();
    let mut gap = None;
    loop {
        let event = rounds.next(Instant::now() + LOOK, || lookout.needs())?;
        if matches!(event, Event::Stop(_)) || printer.is_closed() {
            break;
        }
        let change = enter(&mut lookout, event);
        let mut news: Vec<News> = change.deaths.into_iter().map(News::Killed).collect();
        news.extend(lookout.explained().into_iter().map(News::Explained));
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
        News::Killed(death) | News::Explained(death) => death.at,
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
