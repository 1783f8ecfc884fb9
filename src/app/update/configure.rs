//! New settings while the screen is shown.

use std::time::Duration;

use crate::app::State;
use crate::app::dialog::setup::SetupDialog;
use crate::app::input::actions::ACTIONS;
use crate::app::input::keymap::Keymap;
use crate::app::msg::{Control, Effect, FileId, Msg};
use crate::app::settings::draft::Draft;
use crate::app::settings::{MAX_DELAY, MIN_DELAY, Settings};
use crate::app::view::processes::columns;
use crate::text::tone::Tone;

/// Takes in what was asked of the user's configuration file.
pub(super) fn on_file(state: &mut State, msg: &Msg) -> Vec<Effect> {
    match msg {
        Msg::SettingsDraft(id, draft) => return on_draft(state, *id, draft),
        Msg::SettingsWritten(id, written) => on_written(state, *id, written),
        _ => {}
    }
    Vec::new()
}

/// A draft of the user's configuration file is there, or why there is none.
fn on_draft(state: &mut State, id: FileId, draft: &Result<Draft, String>) -> Vec<Effect> {
    for dialog in &mut state.dialogs {
        dialog.on_settings_draft(id, draft);
    }
    state.files.drafted(id).into_iter().collect()
}

/// The user's configuration file was written, or not.
fn on_written(state: &mut State, id: FileId, written: &Result<String, String>) {
    let settings = state.files.written(id);
    let dialogs = state.dialogs.iter_mut();
    let shown = dialogs.filter_map(|one| one.on_settings_written(id, written).then_some(()));
    let is_shown = shown.count() > 0;
    match written {
        Ok(done) => {
            // The next start begins with these.
            if let Some(settings) = settings {
                state.started = settings;
            }
            state.say(Tone::Good, done.as_str());
        }
        Err(_) if is_shown => {}
        Err(why) => state.say(Tone::Critical, why.as_str()),
    }
}

impl State {
    /// The settings with what keys have changed since: order, filter, tree, kernel threads, columns.
    pub(in crate::app) fn present_settings(&self) -> Settings {
        let mut settings = self.settings.clone();
        settings.kernel_threads = self.table.kernel_threads;
        settings.tree = self.table.tree;
        settings.sort = Some(self.table.sort.id);
        settings.filter.clone_from(&self.table.filter);
        settings.columns.clone_from(&self.table.chosen);
        settings
    }

    /// Opens the settings dialog.
    pub(in crate::app) fn open_setup(&mut self) -> Vec<Effect> {
        let inverted = self.table.inverted;
        let columns = self.table.columns(self.panes().table_rows.width);
        let visible = columns.iter().map(|placed| placed.column.id).collect();
        let (now, started) = (self.present_settings(), self.started.clone());
        let dialog = SetupDialog::new(now, started, inverted, visible);
        self.open(dialog)
    }

    /// Puts settings in force, each that differs.
    pub(in crate::app) fn configure(&mut self, settings: Settings) -> Vec<Effect> {
        let before = self.present_settings();
        if settings.keys != before.keys {
            self.keymap = Keymap::in_force(ACTIONS, settings.keys, &settings.bind);
            // Their lines name keys.
            self.note_alarms();
        }
        if settings.kernel_threads != before.kernel_threads {
            self.table.kernel_threads = settings.kernel_threads;
        }
        if settings.tree != before.tree {
            self.table.tree = settings.tree;
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
        if settings.columns != before.columns {
            self.table.chosen.clone_from(&settings.columns);
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

    /// Puts settings in force again that were in force before, with the order as it was.
    pub(in crate::app) fn restore(&mut self, settings: Settings, inverted: bool) -> Vec<Effect> {
        let mut effects = self.configure(settings);
        if self.table.inverted != inverted {
            self.table.inverted = inverted;
            effects.extend(self.arrange());
        }
        effects
    }

    /// Asks how the user's file would be with these values.
    pub(in crate::app) fn draft_settings(
        &mut self,
        changes: Vec<(&'static str, String)>,
    ) -> (FileId, Vec<Effect>) {
        let (id, effect) = self.files.draft(changes);
        (id, effect.into_iter().collect())
    }

    /// Asks for the present settings to be written as a draft has them; `None` while the file is being written.
    pub(in crate::app) fn write_settings(&mut self, draft: Draft) -> Option<(FileId, Effect)> {
        let asked = self.files.write(draft, self.present_settings());
        if asked.is_none() {
            self.say(Tone::Watch, "your file is still being written");
        }
        asked
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
