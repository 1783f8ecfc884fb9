//! New settings while the screen is shown.

use std::time::Duration;

use crate::app::State;
use crate::app::dialog::setup::SetupDialog;
use crate::app::input::actions::ACTIONS;
use crate::app::input::keymap::Keymap;
use crate::app::msg::{Control, Effect, Msg};
use crate::app::settings::{MAX_DELAY, MIN_DELAY, Settings};
use crate::app::view::processes::columns;
use crate::text::tone::Tone;

/// Takes in what was asked of the user's configuration file.
pub(super) fn on_file(state: &mut State, msg: &Msg) -> Vec<Effect> {
    for dialog in &mut state.dialogs {
        match msg {
            Msg::SettingsDraft(draft) => dialog.on_settings_draft(draft),
            Msg::SettingsWritten(written) => dialog.on_settings_written(written),
            _ => {}
        }
    }
    match msg {
        Msg::SettingsWritten(Ok(done)) => {
            state.started = state.present_settings();
            state.say(Tone::Good, done.as_str());
        }
        Msg::SettingsWritten(Err(why)) => state.say(Tone::Critical, why.as_str()),
        _ => {}
    }
    Vec::new()
}

impl State {
    /// The settings with what keys have changed since: order, filter, kernel threads.
    pub(in crate::app) fn present_settings(&self) -> Settings {
        let mut settings = self.settings.clone();
        settings.kernel_threads = self.table.kernel_threads;
        settings.sort = Some(self.table.sort.id);
        settings.filter.clone_from(&self.table.filter);
        settings
    }

    /// Opens the settings dialog.
    pub(in crate::app) fn open_setup(&mut self) -> Vec<Effect> {
        let dialog = SetupDialog::new(self.present_settings(), self.started.clone());
        self.open(dialog)
    }

    /// Puts settings in force, each that differs.
    pub(in crate::app) fn configure(&mut self, settings: Settings) -> Vec<Effect> {
        let before = self.present_settings();
        if settings.keys != before.keys {
            self.keymap = Keymap::preset(ACTIONS, settings.keys);
            // Their lines name keys.
            self.note_alarms();
        }
        if settings.kernel_threads != before.kernel_threads {
            self.table.kernel_threads = settings.kernel_threads;
        }
        if settings.sort != before.sort
            && let Some(column) = settings.sort.and_then(columns::column)
        {
            self.table.sort = column;
            self.table.inverted = false;
        }
        if settings.filter != before.filter {
            self.table.filter.clone_from(&settings.filter);
        }
        let mouse = (settings.mouse != before.mouse).then_some(settings.mouse);
        if settings.thresholds != before.thresholds && self.snapshot.seq > 0 {
            // The bands of the present numbers; the next sample says it again.
            self.gauge.measure_by(&settings.thresholds);
        }
        self.settings = settings;
        let effects = self.arrange();
        if let Some(on) = mouse {
            self.ask(Control::Mouse(on));
        }
        effects
    }

    /// Doubles or halves the refresh period.
    pub(in crate::app) fn change_delay(&mut self, slower: bool) -> Vec<Effect> {
        let now = self.settings.delay.as_secs_f64();
        let wanted = if slower { now * 2.0 } else { now / 2.0 };
        let seconds = wanted.clamp(MIN_DELAY, MAX_DELAY);
        self.settings.delay = Duration::from_secs_f64(seconds);
        self.say(Tone::Normal, format!("refresh every {seconds:.1} s"));
        Vec::new()
    }
}
