//! [`Director`]: the loop of a replay. Keys and the clock decide which recorded sample the state takes in next.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ratatui::Terminal;
use ratatui::backend::Backend;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::time::timeout;

use super::picture::Picture;
use super::stage::Stage;
use crate::app::State;
use crate::app::msg::{Control, Effect, Msg, Receipt};
use crate::app::replay::{Replay, Travel};
use crate::app::settings::Settings;
use crate::app::update::update;
use crate::runtime::screen::{Show, TerminalControl, draw, redraw, terminal_error};
use crate::text::tone::Tone;
use crate::ui::theme::Themes;

/// Most keys and signals that may wait.
const INBOX: usize = 256;

/// How long it waits if nothing is due: a notice must go.
const LOOK: Duration = Duration::from_millis(500);

/// How long the way to a sample goes on before the keyboard is looked at.
const SLICE: Duration = Duration::from_millis(25);

/// How long a sentence stays in the footer.
const SAID: Duration = Duration::from_secs(6);

/// A recording, its screen's state to come, and the inbox for keys.
#[derive(Debug)]
pub(super) struct Director {
    stage: Stage,
    name: String,
    settings: Settings,
    send: Sender<Msg>,
    inbox: Receiver<Msg>,
    /// Taken out of the inbox, and to be answered next.
    held: Option<Msg>,
}

impl Director {
    pub(super) fn new(stage: Stage, name: String, settings: Settings) -> Self {
        let (send, inbox) = channel(INBOX);
        Self {
            stage,
            name,
            settings,
            send,
            inbox,
            held: None,
        }
    }
}

impl Show for Director {
    fn sender(&self) -> Sender<Msg> {
        self.send.clone()
    }

    async fn run<B, C>(
        mut self,
        terminal: &mut Terminal<B>,
        control: &mut C,
        theme: &Themes,
    ) -> io::Result<()>
    where
        B: Backend,
        B::Error: Send + Sync + 'static,
        C: TerminalControl,
    {
        let size = terminal.size().map_err(terminal_error)?;
        let size = (size.width, size.height);
        let mut state = self
            .stage
            .state(self.name.clone(), self.settings.clone(), size);
        greet(&mut state);
        let mut shown = Instant::now();
        let mut picture = Picture::default();
        let mut said = Said::default();
        draw(terminal, &mut state, theme)?;
        loop {
            let stays = state.replay.as_ref().and_then(Replay::stays);
            let left = stays.map(|stays| stays.saturating_sub(shown.elapsed()));
            let wait = left.unwrap_or(LOOK).min(LOOK);
            let msg = match self.held.take() {
                Some(msg) => Some(msg),
                None if self.stage.is_on_the_way() => self.inbox.try_recv().ok(),
                None => match timeout(wait, self.inbox.recv()).await {
                    Ok(None) => return Ok(()),
                    Ok(Some(msg)) => Some(msg),
                    Err(_) => None,
                },
            };
            // The clocks of the recording stand with the sample on the screen.
            let now = state.snapshot.taken;
            if !self.stage.is_on_the_way() {
                update(&mut state, Msg::Tick(now));
            }
            let mut asked = None;
            if let Some(msg) = msg {
                let key = match msg {
                    Msg::Key(key) => Some(key),
                    _ => None,
                };
                asked = told(&mut state, msg);
                // A key that is held down comes faster than samples can be shown: one way, not many.
                while let (Some(key), Some(Control::Show(_))) = (key, &asked) {
                    match self.inbox.try_recv() {
                        Ok(Msg::Key(next)) if next == key => {
                            asked = told(&mut state, Msg::Key(next)).or(asked);
                        }
                        Ok(other) => {
                            self.held = Some(other);
                            break;
                        }
                        Err(_) => break,
                    }
                }
            } else if !self.stage.is_on_the_way() && left.is_some_and(|left| left <= wait) {
                let next = state.replay.as_ref().map(|r| r.target(Travel::Samples(1)));
                asked = next.map(Control::Show);
            }
            match asked {
                None | Some(Control::Interrupt) => {}
                Some(Control::Quit) => return Ok(()),
                Some(Control::Show(sample)) => {
                    if !self.stage.is_on_the_way() {
                        picture.take(&state, theme.of(&state.settings.theme));
                    }
                    state = self.stage.begin(state, sample);
                }
                Some(Control::Suspend) => {
                    control.suspend()?;
                    redraw(terminal)?;
                    let size = terminal.size().map_err(terminal_error)?;
                    update(&mut state, Msg::Resized(size.width, size.height));
                    shown = Instant::now();
                }
                Some(Control::Mouse(on)) => control.listen(on)?,
                Some(Control::Redraw) => redraw(terminal)?,
                Some(Control::Retake) => {
                    if control.retake()? {
                        redraw(terminal)?;
                    }
                }
            }
            if self.stage.is_on_the_way() {
                let before = state.replay.as_ref().map(|replay| replay.at);
                let is_there = self.stage.step(&mut state, SLICE);
                if !is_there {
                    picture.show(terminal, &state, theme.of(&state.settings.theme))?;
                    continue;
                }
                state.changed = true;
                shown = Instant::now();
                at_the_end(&mut state, before);
            }
            said.settle(&mut state);
            if std::mem::take(&mut state.changed) {
                draw(terminal, &mut state, theme)?;
            }
        }
    }
}

/// Tells the state something and answers its questions; what it asks the loop for is left.
fn told(state: &mut State, msg: Msg) -> Option<Control> {
    let reaction = update(state, msg);
    for effect in reaction.effects {
        answer(state, effect);
    }
    reaction.control
}

/// What is missing is said before anything is looked at.
fn greet(state: &mut State) {
    let Some(replay) = &mut state.replay else {
        return;
    };
    replay.playing = true;
    let holes = replay.timeline.holes.clone();
    if let Some(first) = holes.first() {
        let more = match holes.len() - 1 {
            0 => String::new(),
            more => format!(", and {more} more (oomtop replay --json FILE lists them)"),
        };
        state.say(Tone::Watch, format!("{first}{more}"));
    }
}

/// Playing ends at the last sample, and where no other can be read.
fn at_the_end(state: &mut State, before: Option<usize>) {
    let Some(replay) = &mut state.replay else {
        return;
    };
    let is_last = replay.at + 1 >= replay.timeline.samples.len();
    if replay.playing && (is_last || before == Some(replay.at)) {
        replay.playing = false;
        state.say(Tone::Normal, "the end of the recording");
    }
}

/// The sentence in the footer, and since when it is there: the clocks of a recording that stands still do not take it away.
#[derive(Debug, Default)]
struct Said {
    text: Option<String>,
    since: Option<Instant>,
}

impl Said {
    /// Takes a sentence away that has been there long enough.
    fn settle(&mut self, state: &mut State) {
        let text = state.notice.as_ref().map(|notice| notice.text.clone());
        if text != self.text {
            self.text = text;
            self.since = Some(Instant::now());
        }
        let is_over = self.since.is_some_and(|since| since.elapsed() >= SAID);
        if self.text.is_some() && is_over {
            state.notice = None;
            state.changed = true;
        }
    }
}

/// Answers what the running machine would have been asked for.
fn answer(state: &mut State, effect: Effect) {
    let unknown = || "replay: this is not recorded".to_owned();
    let msg = match effect {
        Effect::Sample(_) => {
            state.sampling = None;
            return;
        }
        Effect::SaveRecording
        | Effect::Attend(_)
        | Effect::Hold(_)
        | Effect::HoldGroups(_)
        | Effect::Withdraw(_)
        | Effect::ReadRules(_) => return,
        Effect::DraftSettings(id, _) => {
            Msg::SettingsDraft(id, Err("replay: nothing is written".to_owned()))
        }
        Effect::WriteSettings(id, _) => {
            Msg::SettingsWritten(id, Err("replay: nothing is written".to_owned()))
        }
        Effect::ListGroups => Msg::Groups(Err(unknown())),
        Effect::Survey(group) => Msg::Surveyed(group, Err(unknown())),
        Effect::ReadOomd(unit) => Msg::Oomd(unit, Err(unknown())),
        Effect::ReadDropIn(unit, lasting) => Msg::DropIn(unit, lasting, Err(unknown())),
        Effect::ReadOlderBoots => Msg::Older(Err(
            "replay: the journal of this machine may not be that of the recording".to_owned(),
        )),
        Effect::ReadLedger(_) => Msg::Ledger(Arc::new(Err(unknown()))),
        Effect::Write { .. } => {
            state.say(Tone::Watch, "replay: nothing is written");
            return;
        }
        Effect::Save { .. } => {
            Msg::Done(Receipt::Saved(Err("replay: nothing is written".to_owned())))
        }
    };
    update(state, msg);
}
