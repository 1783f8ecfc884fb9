//! [`update`]: one message in, a changed state and a reaction out. No I/O, no clock, no panic.

mod configure;
pub mod early;
pub mod file_requests;
pub(super) mod key;
pub mod ledger;
pub mod mouse;
pub mod pending;
pub(super) mod prompt;
pub mod timing;
mod traced;

use std::sync::Arc;
use std::time::Duration;

use super::State;
use super::dialog::Outcome;
use super::dialog::instead::Denied;
use super::msg::{Control, Effect, Msg, Reaction, Receipt, WriteId};
use crate::app::view::events::Older;
use crate::app::view::layout::Pane;
use crate::model::plan::receipt::PlanReceipt;
use crate::model::plan::step::Step;
use crate::model::snapshot::Snapshot;
use crate::model::systemd::drop_in::Found;
use crate::model::systemd::{Lasting, UnitName};
use crate::model::traced::Traced;
use crate::oomlog::OomEvent;
use crate::text::event::victim;
use crate::text::format::number_of;
use crate::text::tone::Tone;
use configure::on_file;

/// Handles every message.
pub fn update(state: &mut State, msg: Msg) -> Reaction {
    // A tick changes the screen only when the clock moves or a notice expires, a SIGKILL only when its target was
    // large; any other message may.
    state.changed |= !matches!(
        msg,
        Msg::Tick(_) | Msg::Read(_) | Msg::Woken(_) | Msg::Traced(Traced::Sigkill(_))
    );
    let mut effects = take_in(state, msg);
    effects.extend(pending::settle(state));
    state.note_question();
    // Keys, events and resizes change the layout.
    state.fit_lists();
    state.follow_members();
    if state.changed {
        state.changed_at = state.now.monotonic;
    }
    let control = state.control.take();
    Reaction { effects, control }
}

fn take_in(state: &mut State, msg: Msg) -> Vec<Effect> {
    match msg {
        Msg::Tick(now) => on_tick(state, now),
        Msg::Resized(width, height) => {
            state.size = (width, height);
            state.note_alarms();
            state.arrange()
        }
        Msg::Read(at) => {
            state.confirmation.read(at);
            Vec::new()
        }
        Msg::Key(key) => key::on_key(state, key),
        Msg::Paste(text) => on_paste(state, &text),
        Msg::Mouse(mouse) => crate::app::update::mouse::on_mouse(state, mouse),
        Msg::Sampled(snapshot) => on_sample(state, snapshot),
        Msg::SampleFailed(reason) => {
            state.failure = Some(reason);
            after_sample(state)
        }
        Msg::Oom(event) => on_oom(state, event),
        Msg::Source(source) => {
            if source.caught_up && !state.events.source.caught_up {
                // History is no news.
                state.events.looked_at();
            }
            let now = state.now.monotonic;
            state.events.set_source(source, now);
            Vec::new()
        }
        Msg::Woken(_) => state.on_woken(),
        Msg::WakeSources(sources) => {
            state.wakes = sources;
            Vec::new()
        }
        Msg::Traced(traced) => traced::on_traced(state, traced),
        Msg::Unlogged(sentence) => {
            state.say(Tone::Critical, sentence);
            Vec::new()
        }
        Msg::Done(receipt) => on_receipt(state, &receipt),
        Msg::Groups(groups) => {
            let dialogs = state.dialogs.iter_mut();
            dialogs.for_each(|dialog| dialog.on_groups(&groups));
            Vec::new()
        }
        Msg::Rules(book) => {
            state.settings.rules = match book.faults.first() {
                None => Ok(Arc::clone(&book.rules)),
                Some(fault) => Err(fault.clone()),
            };
            for dialog in &mut state.dialogs {
                dialog.on_rules(&book);
            }
            Vec::new()
        }
        Msg::Ledger(answer) => {
            ledger::arrived(state, answer.as_ref());
            Vec::new()
        }
        Msg::DropIn(unit, lasting, found) => on_drop_in(state, &unit, lasting, &found),
        Msg::Oomd(unit, found) => {
            let dialogs = state.dialogs.iter_mut();
            dialogs.for_each(|dialog| dialog.on_oomd(&unit, &found));
            Vec::new()
        }
        Msg::Surveyed(group, survey) => {
            if let Ok(survey) = &survey {
                state.frozen.learn(survey);
            }
            for dialog in &mut state.dialogs {
                dialog.on_survey(&group, &survey);
            }
            Vec::new()
        }
        Msg::Older(Ok(older)) => {
            let reports: usize = older.boots.iter().map(|boot| boot.reports.len()).sum();
            let kills: usize = older.boots.iter().map(|boot| boot.kills.len()).sum();
            let read = format!(
                "read {}: {} of the kernel, {} by other programs",
                number_of(older.boots.len() as u64, "older boot", "older boots"),
                number_of(reports as u64, "report", "reports"),
                number_of(kills as u64, "kill", "kills"),
            );
            match &older.cut {
                None => state.say(Tone::Good, read),
                Some(cut) => state.say(Tone::Watch, format!("{read}; {cut}")),
            }
            state.events.accept_older(older.boots);
            Vec::new()
        }
        Msg::Older(Err(reason)) => {
            state.events.older = Older::Unread;
            state.say(Tone::Watch, reason);
            Vec::new()
        }
        msg @ (Msg::SettingsDraft(..) | Msg::SettingsWritten(..)) => on_file(state, &msg),
        Msg::Recorded(saved) => on_recorded(state, saved),
        Msg::Resumed => state.ask(Control::Retake),
        Msg::Stop => state.ask(Control::Quit),
    }
}

fn on_recorded(state: &mut State, saved: Result<String, String>) -> Vec<Effect> {
    match saved {
        Ok(saved) => state.say(Tone::Good, saved),
        Err(why) => state.say(Tone::Critical, why),
    }
    Vec::new()
}

fn on_drop_in(
    state: &mut State,
    unit: &UnitName,
    lasting: Lasting,
    found: &Result<Found, String>,
) -> Vec<Effect> {
    let dialogs = state.dialogs.iter_mut();
    dialogs.for_each(|dialog| dialog.on_drop_in(unit, lasting, found));
    Vec::new()
}

fn on_receipt(state: &mut State, receipt: &Receipt) -> Vec<Effect> {
    match receipt {
        Receipt::Write { id, plans } => on_written(state, *id, plans),
        // The dialog that requested a save shows the result.
        Receipt::Saved(outcome) => {
            let dialogs = state.dialogs.iter_mut();
            dialogs.for_each(|dialog| dialog.on_saved(outcome));
            Vec::new()
        }
    }
}

fn on_written(state: &mut State, id: WriteId, plans: &[PlanReceipt]) -> Vec<Effect> {
    let mut effects = Vec::new();
    let asker = (state.dialogs.iter()).position(|dialog| dialog.waiting() == Some(id));
    if let Some(at) = asker {
        match state.dialogs[at].on_written(plans) {
            Outcome::Close => {
                state.dialogs.remove(at);
            }
            Outcome::Perform(more) => effects.extend(more),
            Outcome::Quit => {
                state.ask(Control::Quit);
            }
            _ => {}
        }
    }
    let told = asker.is_some();
    state.pending.answered(id);
    state.denied = Denied::of(plans, state.dialogs.len()).filter(|_| told);
    state.note_frozen(id, plans);
    effects.extend(crate::app::undo::written(state, id, plans, told));
    let mut steps = plans.iter().flat_map(|plan| &plan.steps);
    if steps.any(|receipt| matches!(receipt.step, Step::Rule(_))) {
        effects.push(Effect::ReadRules(None));
    }
    effects
}

fn on_tick(state: &mut State, now: crate::model::time::Now) -> Vec<Effect> {
    state.changed |= state.clock_moves(now);
    state.now = now;
    state.events.set_clock(now);
    if state
        .notice
        .as_ref()
        .is_some_and(|n| n.is_over(now.monotonic))
    {
        state.notice = None;
        state.changed = true;
    }
    match state.until_sample() {
        Some(Duration::ZERO) => state.request_sample(),
        _ => Vec::new(),
    }
}

fn on_sample(state: &mut State, snapshot: Arc<Snapshot>) -> Vec<Effect> {
    state.failure = None;
    if !state.paused {
        state.look_at_frozen(&snapshot);
        let shown = state
            .dialogs
            .iter()
            .filter_map(|dialog| dialog.wants_detail());
        state.gone.note(shown, &state.snapshot, &snapshot);
        state.previous = std::mem::replace(&mut state.snapshot, snapshot);
        if state
            .table
            .zoom
            .is_some_and(|scope| state.snapshot.domain(scope).is_none())
        {
            state.table.zoom = None;
            state.say(
                Tone::Watch,
                "the zoomed cgroup is gone or has no limit any more; showing all processes",
            );
        }
        state.pass_over_killed();
        state.zoom_to_watched();
        let found = state.events.reconcile(&state.snapshot, &state.previous);
        let unlogged = found.kills;
        state.domains.accept(
            &state.snapshot,
            &state.settings.thresholds,
            found.unexplained,
        );
        let rose = state
            .gauge
            .accept(&state.snapshot, &state.settings.thresholds);
        if rose {
            let text = format!("memory is in the {} band", state.gauge.band.name());
            state.say(Tone::Danger, text);
        }
        if unlogged > 0 {
            state.say(
                Tone::Critical,
                format!("{unlogged} killed by the kernel (its counter rose)"),
            );
        }
        state.note_alarms();
        state.arrange_sample();
        let more = [state.ledger_wanted(), state.attend()];
        return [more.concat(), after_sample(state)].concat();
    }
    after_sample(state)
}

fn after_sample(state: &mut State) -> Vec<Effect> {
    state.sampling = None;
    if std::mem::take(&mut state.sample_again) {
        state.request_sample()
    } else {
        Vec::new()
    }
}

fn on_oom(state: &mut State, event: OomEvent) -> Vec<Effect> {
    if let OomEvent::Report(report) = &event {
        state.domains.accept_report(report);
    }
    let samples = [&*state.snapshot, &*state.previous];
    let by_program = match &event {
        OomEvent::Userspace(kill) if !state.events.knows(kill) => Some(Arc::clone(kill)),
        _ => None,
    };
    let kills = state.events.accept(event, &samples);
    state.note_killed(&kills);
    if state.focus == Pane::Events {
        state.events.looked_at();
    }
    // The ring buffer's history is no news.
    let started = state.snapshot.taken.monotonic;
    let fresh = kills.iter().rfind(|k| {
        state.snapshot.seq > 0
            && k.at
                .is_some_and(|at| at >= started || state.events.source.caught_up)
    });
    let by_program = by_program.filter(|kill| {
        state.snapshot.seq > 0
            && kill
                .at
                .is_some_and(|at| at >= started || state.events.source.caught_up)
    });
    let text = match (fresh, by_program) {
        (Some(kill), _) => Some(format!("the kernel killed {} {}", kill.pid, kill.comm)),
        (None, Some(kill)) => Some(format!("{} killed {}", kill.killer.name(), victim(&kill))),
        (None, None) => None,
    };
    match text {
        Some(text) => {
            state.say(Tone::Critical, text);
            // Do not wait for the next tick.
            if state.paused {
                Vec::new()
            } else {
                state.request_sample()
            }
        }
        None => Vec::new(),
    }
}

fn on_paste(state: &mut State, text: &str) -> Vec<Effect> {
    if let Some(dialog) = state.dialogs.last_mut() {
        dialog.on_paste(text);
        state.confirmation.taken();
        return Vec::new();
    }
    // In the table, pasted text would run as a string of commands: ignore it.
    let Some(prompt) = &mut state.prompt else {
        return Vec::new();
    };
    prompt.input.paste(text);
    state.on_prompt_change()
}
