//! [`Dashboard`]: the full screen without the terminal and the keys.

use std::io;
use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use ratatui::Terminal;
use ratatui::backend::Backend;
use tokio::sync::mpsc::{Receiver, Sender, channel};

use super::event_loop::{TerminalControl, run_loop, terminal_error};
use super::waking::{WakeItem, WakerThread};
use crate::app::State;
use crate::app::msg::Msg;
use crate::app::settings::Settings;
use crate::linux::SysRoot;
use crate::linux::host::actor::actor;
use crate::linux::scan::backend::BackendChoice;
use crate::model::shell::quoted;
use crate::model::snapshot::Host;
use crate::oomlog::OomEvent;
use crate::recording::Item;
use crate::runtime::RunError;
use crate::runtime::clock::now;
use crate::runtime::effects::Performer;
use crate::runtime::effects::audit::Audit;
use crate::runtime::headless::LogItem;
use crate::runtime::headless::log::{Follow, LogThread};
use crate::runtime::headless::sampling::SamplerThread;
use crate::runtime::record::keeper::Keeper;
use crate::runtime::rules::RuleSource;
use crate::runtime::settings_file::SettingsFile;
use crate::ui::theme::Themes;

/// Most messages that may wait. A storm of log lines then blocks the log's thread, not the keyboard.
const INBOX: usize = 1024;

/// Most messages that may wait when one of the log joins them. A report is copied whenever a line adds to it, so that
/// the copies in a long queue would be most of oomtop's memory.
const BACKLOG: usize = 64;

/// The same for a report of more than [`LARGE`] bytes.
const LARGE_BACKLOG: usize = 2;
const LARGE: usize = 64 * 1024;

/// How long the log's thread waits before it looks at the queue again.
const LOOK: Duration = Duration::from_millis(1);

/// The threads of the sampler and the log, the inbox they deliver to, and the performer of effects. Send keys
/// to [`Self::sender`]; [`Self::run`] draws on any back end of ratatui.
#[derive(Debug)]
pub struct Dashboard {
    settings: Settings,
    host: Host,
    performer: Performer,
    send: Sender<Msg>,
    inbox: Receiver<Msg>,
    log: LogThread,
    waker: WakerThread,
    /// Bytes of memory that there are for the history of kills; `None` for as many as it wants.
    history: Option<u64>,
}

impl Dashboard {
    /// Starts the sampler and the log. `audit` is the file that every write is logged to.
    ///
    /// # Errors
    /// If the process table cannot be read, a thread cannot be started, or writes cannot be logged.
    pub fn start(
        settings: Settings,
        root: SysRoot,
        backend: BackendChoice,
        audit: Option<&Path>,
    ) -> Result<Self, RunError> {
        let (send, inbox) = channel(INBOX);
        let answers = send.clone();
        let keeping: Arc<OnceLock<Keeper>> = Arc::default();
        let kept = Arc::clone(&keeping);
        let sampler = SamplerThread::spawn(root.clone(), backend, move |sample| {
            if let (Some(keeper), Ok(snapshot)) = (kept.get(), &sample) {
                keeper.keep(Item::Sample(Arc::clone(snapshot)), now());
            }
            let msg = match sample {
                Ok(snapshot) => Msg::Sampled(snapshot),
                Err(error) => Msg::SampleFailed(error.to_string()),
            };
            answers.blocking_send(msg).is_ok()
        })?;
        if let Some(dir) = settings.record_kills.clone() {
            // Said now: after the kill it is too late.
            if !dir.is_dir() {
                return Err(RunError::Recording(format!(
                    "record_kills: {0} is no directory that can be read; make it first: mkdir -p {1}",
                    dir.display(),
                    quoted(&dir.to_string_lossy())
                )));
            }
            let told = send.clone();
            let tell = move |saved| {
                let _ = told.blocking_send(Msg::Recorded(saved));
            };
            let keeper = Keeper::start(sampler.host.clone(), dir, tell);
            let _ = keeping.set(keeper.map_err(RunError::Thread)?);
        }
        let kept = keeping.get().cloned();
        let events = send.clone();
        let log = LogThread::spawn(&root, Follow::LogsAndTracepoints, move |item| {
            let msg = match item {
                LogItem::Event(event) => Msg::Oom(event),
                LogItem::Traced(traced) => Msg::Traced(traced),
                LogItem::Source(source) => Msg::Source(source),
            };
            if let (Some(keeper), Some(item)) = (&kept, told(&msg)) {
                keeper.keep(item, now());
            }
            await_room(&events, &msg);
            events.blocking_send(msg).is_ok()
        })
        .map_err(RunError::Thread)?;
        let woken = send.clone();
        let waker = WakerThread::spawn(root.clone(), move |item| {
            let msg = match item {
                WakeItem::Woken(wake) => Msg::Woken(wake),
                WakeItem::Sources(sources) => Msg::WakeSources(sources),
            };
            woken.blocking_send(msg).is_ok()
        })
        .map_err(RunError::Thread)?;
        let ssh = std::env::var("SSH_CONNECTION").ok();
        let actor = actor(&sampler.host.user, ssh.as_deref());
        let audit = audit.map(|path| Audit::open(path, actor)).transpose();
        let mut performer = Performer::new(
            root,
            sampler.host.clone(),
            settings.read_only,
            audit.map_err(RunError::Audit)?,
            (sampler.ask, waker.attention()),
            send.clone(),
        )
        .map_err(RunError::Thread)?;
        performer.keep_by(keeping.get().cloned());
        Ok(Self {
            settings,
            host: sampler.host,
            performer,
            send,
            inbox,
            log,
            waker,
            history: None,
        })
    }

    /// Keeps the history of kills within so many bytes of memory.
    pub fn bound_history(&mut self, bytes: u64) {
        self.history = Some(bytes);
    }

    /// Reads rules anew from there when they are shown or changed.
    pub fn rules_from(&mut self, source: Arc<dyn RuleSource + Send + Sync>) {
        self.performer.rules_from(source);
    }

    /// Settings are saved there.
    pub fn settings_to(&mut self, file: Arc<dyn SettingsFile>) {
        self.performer.settings_to(file);
    }

    /// The inbox for keys, mouse and signals.
    #[must_use]
    pub fn sender(&self) -> Sender<Msg> {
        self.send.clone()
    }

    /// Runs until the user quits. Call this in a tokio runtime: effects run on its blocking pool.
    ///
    /// # Errors
    /// If the terminal fails.
    pub async fn run<B>(
        self,
        terminal: &mut Terminal<B>,
        control: &mut impl TerminalControl,
        theme: &Themes,
    ) -> io::Result<()>
    where
        B: Backend,
        B::Error: Send + Sync + 'static,
    {
        let size = terminal.size().map_err(terminal_error)?;
        let size = (size.width, size.height);
        let mut state = State::new(self.settings, self.host, size, now());
        if let Some(bytes) = self.history {
            state.events.bound(bytes);
        }
        let (mut inbox, performer) = (self.inbox, self.performer);
        let ended = run_loop(terminal, control, state, theme, &mut inbox, &performer).await;
        performer.finish_writes();
        performer.end_reads();
        drop(self.log);
        drop(self.waker);
        ended
    }
}

/// What the log told, for the recording.
fn told(msg: &Msg) -> Option<Item> {
    Some(match msg {
        Msg::Oom(event) => Item::Oom(event.clone()),
        Msg::Traced(traced) => Item::Traced(traced.clone()),
        Msg::Source(source) => Item::Source(source.clone()),
        _ => return None,
    })
}

/// Waits until the queue is short enough for a message of the log, or nobody reads it any more.
fn await_room(inbox: &Sender<Msg>, msg: &Msg) {
    let most = match msg {
        Msg::Oom(OomEvent::Report(report)) if report.weight() + report.remainder() > LARGE => {
            LARGE_BACKLOG
        }
        _ => BACKLOG,
    };
    while inbox.max_capacity() - inbox.capacity() >= most && !inbox.is_closed() {
        std::thread::sleep(LOOK);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{BACKLOG, INBOX, LARGE, LARGE_BACKLOG, await_room};
    use crate::app::msg::Msg;
    use crate::oomlog::{Kill, OomEvent, OomReport};

    fn report(kills: usize) -> Msg {
        let report = OomReport {
            kills: vec![Kill::default(); kills],
            ..OomReport::default()
        };
        Msg::Oom(OomEvent::Report(Arc::new(report)))
    }

    /// How many messages the log puts into a queue that nobody reads.
    fn queued(kills: usize) -> usize {
        let (send, mut inbox) = tokio::sync::mpsc::channel(INBOX);
        let log = std::thread::spawn(move || {
            for sent in 0.. {
                let msg = report(kills);
                await_room(&send, &msg);
                if send.blocking_send(msg).is_err() {
                    return sent;
                }
            }
            0
        });
        while inbox.len() < LARGE_BACKLOG {
            std::thread::yield_now();
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
        inbox.close();
        log.join().unwrap_or_default()
    }

    #[test]
    fn copies_of_reports_do_not_fill_the_queue() {
        assert!((LARGE_BACKLOG..=BACKLOG).contains(&queued(1)));
        let large = LARGE / size_of::<Kill>() + 1;
        assert_eq!(queued(large), LARGE_BACKLOG);
    }
}
