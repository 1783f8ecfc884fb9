//! `oomtop fleet`: many hosts, as Prometheus knows them.

mod asker;
mod client;
mod tls;
mod trouble;

use std::collections::BTreeMap;
use std::io;
use std::process::Command;
use std::sync::Arc;
use std::sync::mpsc::SyncSender;
use std::time::{Duration, Instant};

use crossterm::event::{KeyCode, KeyModifiers};
use ratatui::buffer::Buffer;

use super::RunError;
use super::headless::{Halt, print};
use super::screen::guest::{Guest, Job, Wish, entertain};
use crate::app::fleet::{Effect, Msg, State, update};
use crate::app::msg;
use crate::linux::foreground::{Returned, Stopped};
use crate::model::fleet::credentials::HttpConfig;
use crate::output::fleet as words;
use crate::ui::canvas::Canvas;
use crate::ui::fleet::draw;
use crate::ui::theme::Theme;
use asker::{Asker, Letterbox};
use client::Client;

/// Most commands that may be stopped.
const STOPPED: usize = 8;

/// How to show a fleet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Manner {
    /// On the screen.
    Screen,
    /// One plain table.
    Once,
    /// One JSON document.
    Json,
}

/// A fleet to show.
#[derive(Debug, Clone)]
pub struct FleetTask {
    /// Address of Prometheus: `http://HOST:PORT` or `https://HOST:PORT`, with a path if it has one.
    pub prometheus: String,
    /// Matchers of the targets that are oomtop.
    pub matcher: String,
    /// Who asks, and how TLS is trusted.
    pub http: HttpConfig,
    /// How often.
    pub every: Duration,
    /// What `Enter` runs; `HOST` in its words stands for the host.
    pub command: Vec<String>,
    /// How it is shown.
    pub manner: Manner,
    /// How it looks.
    pub theme: Theme,
    /// Only ASCII.
    pub ascii: bool,
}

/// Shows a fleet. Returns the exit status, 0.
///
/// # Errors
/// If Prometheus does not answer and one table or document was asked for, if the terminal fails, or if a thread cannot be
/// started.
pub fn fleet(task: FleetTask) -> Result<u8, RunError> {
    let client = Client::new(&task.prometheus, task.http.clone()).map_err(RunError::Fleet)?;
    let mut asker = Asker::new(client, task.matcher.clone());
    let text = match task.manner {
        Manner::Screen => {
            let (hurry, answers) = asker.run(task.every).map_err(RunError::Thread)?;
            let mut source = task.prometheus.clone();
            if task.http.tls.insecure_skip_verify && source.starts_with("https://") {
                source.push_str(" (certificate not checked)");
            }
            let state = State::new(source, (0, 0));
            return entertain(&mut Host {
                task,
                state,
                hurry,
                answers,
                begun: Instant::now(),
                running: String::new(),
                stopped: BTreeMap::new(),
            });
        }
        Manner::Once => words::table(&asker.round().map_err(RunError::Fleet)?),
        Manner::Json => words::json(&asker.round().map_err(RunError::Fleet)?),
    };
    print(&text).map_or_else(Halt::status, |()| Ok(0))
}

/// The screen.
struct Host {
    task: FleetTask,
    state: State,
    hurry: SyncSender<()>,
    answers: Arc<Letterbox>,
    begun: Instant,
    /// The host of the command that has the terminal.
    running: String,
    /// Commands that have stopped, by their host.
    stopped: BTreeMap<String, Stopped>,
}

impl Host {
    fn tell(&mut self, msg: Msg) -> Wish {
        match update(&mut self.state, msg) {
            None => Wish::Draw,
            Some(Effect::Quit) => Wish::Quit,
            Some(Effect::Refresh) => {
                // One that waits serves both.
                let _ = self.hurry.try_send(());
                Wish::Redraw
            }
            Some(Effect::Run(host)) => self.run(&host),
        }
    }

    /// The words as they are, but for the host: no shell reads them.
    fn run(&mut self, host: &str) -> Wish {
        host.clone_into(&mut self.running);
        if let Some(stopped) = self.stopped.remove(host) {
            return Wish::Lend(Job::GoOn(stopped));
        }
        if self.stopped.len() >= STOPPED {
            let why = format!(
                "{STOPPED} commands are stopped already: Enter on their hosts goes on with them"
            );
            update(&mut self.state, Msg::Ran(Err(why)));
            return Wish::Draw;
        }
        let words = self.task.command.iter();
        let mut words = words.map(|word| word.replace("HOST", host));
        let Some(program) = words.next() else {
            return Wish::Nothing;
        };
        let mut command = Command::new(program);
        command.args(words);
        Wish::Lend(Job::Start(command))
    }
}

impl Guest for Host {
    fn draw(&mut self, buffer: &mut Buffer) {
        let size = (buffer.area.width, buffer.area.height);
        if size != self.state.size {
            update(&mut self.state, Msg::Resized(size.0, size.1));
        }
        let area = buffer.area;
        let mut canvas = Canvas::new(buffer, &self.task.theme, self.task.ascii);
        canvas.shade(area, self.task.theme.ground());
        draw(&self.state, &mut canvas);
    }

    fn take(&mut self, msg: msg::Msg) -> Wish {
        match msg {
            msg::Msg::Key(key) => {
                let ctrl = key.modifiers.contains(KeyModifiers::CONTROL);
                if ctrl && key.code == KeyCode::Char('z') {
                    return Wish::Suspend;
                }
                self.tell(Msg::Key(key))
            }
            msg::Msg::Paste(text) => self.tell(Msg::Paste(text)),
            msg::Msg::Resized(columns, rows) => self.tell(Msg::Resized(columns, rows)),
            _ => Wish::Nothing,
        }
    }

    fn look(&mut self) -> Wish {
        let now = self.begun.elapsed().as_secs();
        let passed = now != self.state.now;
        update(&mut self.state, Msg::Tick(now));
        let mut came = false;
        for (at, outcome) in self.answers.take() {
            let asked = at.saturating_duration_since(self.begun).as_secs();
            update(&mut self.state, Msg::Answered { asked, outcome });
            came = true;
        }
        if passed || came {
            Wish::Draw
        } else {
            Wish::Nothing
        }
    }

    fn returned(&mut self, ended: io::Result<Returned>) {
        let program = self.task.command.first().map_or("", String::as_str);
        let outcome = match ended {
            Err(error) => Err(format!("{program} cannot be run: {error}")),
            Ok(Returned::Ended(status)) if status.success() => Ok(()),
            Ok(Returned::Ended(status)) => Err(format!("{program} has ended with {status}")),
            Ok(Returned::Stopped(stopped)) => {
                let host = std::mem::take(&mut self.running);
                let said = format!(
                    "{program} for {host} is stopped: Enter on {host} goes on with it, q ends it"
                );
                self.stopped.insert(host, stopped);
                Err(said)
            }
        };
        update(&mut self.state, Msg::Ran(outcome));
    }
}
