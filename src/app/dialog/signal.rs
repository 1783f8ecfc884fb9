//! The signal dialog: choose a signal, send it to the pinned processes through their pidfds.

use super::{Dialog, DialogContext, DialogView, Outcome, Pinned, Section, foreign, own, step};
use crate::app::input::id::ActionId as Id;
use crate::app::input::key::Key;
use crate::app::input::scope::KeyScope;
use crate::app::msg::WriteId;
use crate::app::view::processes::table::has_ended;
use crate::model::plan::build;
use crate::model::plan::receipt::{PlanReceipt, StepReceipt};
use crate::model::plan::step::Step;
use crate::model::process::ProcessId;
use crate::model::process::signal::{SIGNALS, Signal};
use crate::text::tone::{Line, Tone};

/// Sends a signal.
#[derive(Debug)]
pub struct SignalDialog {
    targets: Vec<Pinned>,
    /// The targets are the tagged processes, not the selected one.
    tagged: bool,
    chosen: usize,
    /// The number typed so far: 1 and then 5 is 15.
    typed: i32,
    /// Enter was pressed on a signal that can end oomtop or its terminal: the next Enter sends it.
    insisted: bool,
    /// The write whose receipt is pending.
    waiting: Option<WriteId>,
    result: Vec<Line>,
}

impl SignalDialog {
    /// Opens the dialog for these processes.
    pub fn new(targets: Vec<Pinned>, tagged: bool) -> Self {
        Self {
            targets,
            tagged,
            chosen: 0,
            typed: 0,
            insisted: false,
            waiting: None,
            result: Vec::new(),
        }
    }

    /// The targets that a signal can reach: a zombie is listed until its parent takes notice, and no signal does anything.
    fn alive<'a>(&'a self, context: &DialogContext<'_>) -> Vec<&'a Pinned> {
        let living = context.living(&self.targets).into_iter();
        living
            .filter(|(_, process)| !has_ended(process))
            .map(|(target, _)| target)
            .collect()
    }

    fn signal(&self) -> Option<&'static Signal> {
        SIGNALS.get(self.chosen)
    }

    /// A number selects its signal, as in top: 9 is KILL, 15 is TERM. If no signal has the number typed so
    /// far, the digit starts a new number.
    fn type_digit(&mut self, digit: i32) {
        let at = |number: i32| SIGNALS.iter().position(|s| s.number == number);
        let longer = self.typed.saturating_mul(10).saturating_add(digit);
        let (number, found) = match at(longer) {
            Some(found) => (longer, Some(found)),
            None => (digit, at(digit)),
        };
        self.typed = number;
        self.chosen = found.unwrap_or(self.chosen);
    }

    /// Why this signal must be confirmed twice: somebody whom oomtop hangs from gets it, and it is not one that only lets
    /// run on.
    fn why_insist(&self, context: &DialogContext<'_>) -> Option<String> {
        self.signal().filter(|signal| signal.name != "CONT")?;
        let alive = self.alive(context);
        let processes = alive.iter().filter_map(|target| context.process(target.id));
        own::among(processes, context)
    }

    fn title(&self) -> String {
        match self.targets.as_slice() {
            [one] if self.tagged => format!("Send a signal to {one} (tagged)"),
            [one] => format!("Send a signal to {one}"),
            many => format!("Send a signal to {} tagged processes", many.len()),
        }
    }
}

/// Signals that end or stop oomtop before it can restore the terminal: those without a handler.
fn leaves_terminal_raw(signal: Signal) -> bool {
    matches!(signal.name, "KILL" | "STOP" | "USR1" | "USR2")
}

impl Dialog for SignalDialog {
    fn scope(&self) -> KeyScope {
        KeyScope::Signal
    }

    fn on_action(&mut self, action: Id, context: &DialogContext<'_>) -> Outcome {
        if let Some(at) = step(self.chosen, SIGNALS.len(), action) {
            self.chosen = at;
            self.typed = 0;
            self.insisted = false;
            return Outcome::Stay;
        }
        match action {
            Id::Back => Outcome::Close,
            Id::Commit if self.waiting.is_none() => {
                let targets: Vec<_> = self.alive(context).iter().map(|t| t.id).collect();
                let own = context.host.own_pid;
                let hits_own = targets.iter().any(|id| Some(id.pid) == own);
                match self.signal() {
                    // No handler can restore the terminal then.
                    Some(signal) if hits_own && leaves_terminal_raw(*signal) => Outcome::Stay,
                    Some(_) if !self.insisted && self.why_insist(context).is_some() => {
                        self.insisted = true;
                        Outcome::Stay
                    }
                    Some(signal) if !targets.is_empty() => {
                        self.insisted = false;
                        Outcome::Write(build::signal(targets, *signal))
                    }
                    _ => Outcome::Stay,
                }
            }
            _ => Outcome::Stay,
        }
    }

    fn on_text(&mut self, key: Key, _: &DialogContext<'_>) -> Outcome {
        self.insisted = false;
        let digit = key.typed().and_then(|c| c.to_digit(10));
        if let Some(digit) = digit.and_then(|d| i32::try_from(d).ok()) {
            self.type_digit(digit);
        }
        Outcome::Stay
    }

    fn question(&self) -> usize {
        usize::from(self.insisted)
    }

    fn asked(&mut self, id: WriteId) {
        self.waiting = Some(id);
    }

    fn waiting(&self) -> Option<WriteId> {
        self.waiting
    }

    fn targets(&self) -> Vec<ProcessId> {
        self.targets.iter().map(|target| target.id).collect()
    }

    fn on_written(&mut self, plans: &[PlanReceipt]) -> Outcome {
        self.waiting = None;
        let steps = || plans.iter().flat_map(|plan| &plan.steps);
        if steps().all(|receipt| receipt.failure().is_none()) {
            return Outcome::Close;
        }
        let line = |receipt: &StepReceipt| {
            let Step::Signal { target, .. } = receipt.step else {
                return None;
            };
            let name = self.targets.iter().find(|t| t.id == target)?;
            Some(match receipt.failure() {
                Some(failure) => Line::of(Tone::Critical, format!("{name}: {}", failure.sentence)),
                None => Line::of(Tone::Good, "sent  ").add(Tone::Normal, name.to_string()),
            })
        };
        self.result = steps().filter_map(line).collect();
        Outcome::Stay
    }

    fn view(&self, context: &DialogContext<'_>) -> DialogView {
        let items = SIGNALS
            .iter()
            .map(|s| {
                Line::of(Tone::Strong, format!("{:>2} {:<6}", s.number, s.name))
                    .add(Tone::Dim, s.effect)
            })
            .collect();
        let alive = self.alive(context);
        let mut lines: Vec<Line> = Vec::new();
        if alive.is_empty() {
            let who = match self.targets.len() {
                0 | 1 => "It has ended",
                _ => "All of them have ended",
            };
            let text = format!("{who}: no signal can reach anybody.");
            lines.push(Line::of(Tone::Critical, text));
        } else if let Some(signal) = self.signal() {
            let names: Vec<_> = alive.iter().take(4).map(ToString::to_string).collect();
            let more = if alive.len() > 4 {
                format!(" and {} more", alive.len() - 4)
            } else {
                String::new()
            };
            lines.push(Line::of(
                Tone::Strong,
                format!("send SIG{} to {}{more}", signal.name, names.join(", ")),
            ));
        }
        let ended = self.targets.len() - alive.len();
        if ended > 0 && !alive.is_empty() {
            let text = format!("{ended} of them ended and will be left out");
            lines.push(Line::of(Tone::Watch, text));
        }
        let processes = alive.iter().filter_map(|target| context.process(target.id));
        lines.extend(foreign::line(processes, context));
        let own = context.host.own_pid;
        let hits_own = alive.iter().any(|target| Some(target.id.pid) == own);
        let is_refused = hits_own && self.signal().copied().is_some_and(leaves_terminal_raw);
        if is_refused {
            lines.push(Line::of(
                Tone::Watch,
                "This is oomtop itself. The signal would leave the terminal in the full screen's modes: quit instead, \
                 or send TERM.",
            ));
        } else if let Some(why) = self.why_insist(context) {
            lines.push(Line::of(
                Tone::Critical,
                format!("{why}: what ends or stops it can end this screen, or more."),
            ));
            if self.insisted {
                let key = context.keymap.name_in(KeyScope::Signal, Id::Commit);
                lines.push(Line::of(
                    Tone::Critical,
                    format!("Press {key} again to send it; any other key cancels."),
                ));
            }
        }
        let hints = context.hints(self.scope());
        let hints = if alive.is_empty() {
            hints.leave()
        } else {
            hints
                .on(&[Id::Commit], "send")
                .typed(&[Id::Up, Id::Down], "0-9", "choose")
                .leave()
        };
        DialogView {
            title: self.title(),
            hints,
            ..DialogView::default()
        }
        .with(Section::Choices {
            items,
            selected: Some(self.chosen),
            height: SIGNALS.len(),
        })
        .text(lines)
        .text(self.result.clone())
    }
}
