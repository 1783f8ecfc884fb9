//! [`Dashboard`]: the full screen without the terminal and the keys.

use std::io;

use ratatui::Terminal;
use ratatui::backend::Backend;
use tokio::sync::mpsc::{Receiver, Sender, channel};

use super::event_loop::{TerminalControl, run_loop, terminal_error};
use crate::app::State;
use crate::app::msg::Msg;
use crate::app::settings::Settings;
use crate::linux::SysRoot;
use crate::linux::scan::backend::BackendChoice;
use crate::model::snapshot::Host;
use crate::runtime::RunError;
use crate::runtime::clock::now;
use crate::runtime::effects::Performer;
use crate::runtime::headless::LogItem;
use crate::runtime::headless::log::LogThread;
use crate::runtime::headless::sampling::SamplerThread;
use crate::ui::theme::Theme;

/// Most messages that may wait. A storm of log lines then blocks the log's thread, not the keyboard.
const INBOX: usize = 1024;

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
}

impl Dashboard {
    /// Starts the sampler and the log.
    ///
    /// # Errors
    /// If the process table cannot be read or a thread cannot be started.
    pub fn start(
        settings: Settings,
        root: SysRoot,
        backend: BackendChoice,
    ) -> Result<Self, RunError> {
        let (send, inbox) = channel(INBOX);
        let answers = send.clone();
        let sampler = SamplerThread::spawn(root.clone(), backend, move |sample| {
            let msg = match sample {
                Ok(snapshot) => Msg::Sampled(snapshot),
                Err(error) => Msg::SampleFailed(error.to_string()),
            };
            answers.blocking_send(msg).is_ok()
        })?;
        let events = send.clone();
        let log = LogThread::spawn(&root, move |item| {
            let msg = match item {
                LogItem::Event(event) => Msg::Oom(event),
                LogItem::Source(source) => Msg::Source(source),
            };
            events.blocking_send(msg).is_ok()
        })
        .map_err(RunError::Thread)?;
        let performer = Performer::new(
            root,
            sampler.host.clone(),
            settings.read_only,
            sampler.ask,
            send.clone(),
        )
        .map_err(RunError::Thread)?;
        Ok(Self {
            settings,
            host: sampler.host,
            performer,
            send,
            inbox,
            log,
        })
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
        theme: &Theme,
    ) -> io::Result<()>
    where
        B: Backend,
        B::Error: Send + Sync + 'static,
    {
        let size = terminal.size().map_err(terminal_error)?;
        let size = (size.width, size.height);
        let state = State::new(self.settings, self.host, size, now());
        let (mut inbox, performer) = (self.inbox, self.performer);
        let ended = run_loop(terminal, control, state, theme, &mut inbox, &performer).await;
        performer.finish_writes();
        performer.end_reads();
        drop(self.log);
        ended
    }
}
