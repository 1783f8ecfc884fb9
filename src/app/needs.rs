//! What the screen asks of the next sample.

use super::State;
use super::input::prompt::PromptKind;
use crate::model::snapshot::Needs;

impl State {
    /// What the next sample must read beyond all processes: those on the screen, and the next victims, whose
    /// command lines must be known before they die.
    pub(in crate::app) fn needs(&self) -> Needs {
        let on_screen = self.processes_on_screen();
        let verdicts = self.snapshot.domains.iter().filter_map(|d| d.verdict);
        let victims = verdicts
            .flat_map(|v| [Some(v.victim), v.runner_up, v.rival])
            .flatten()
            .map(|candidate| candidate.id);
        let searching = self
            .prompt
            .as_ref()
            .is_some_and(|p| matches!(p.kind, PromptKind::Filter | PromptKind::Search))
            || !self.searched.is_empty();
        Needs {
            all_commands: self.table.filter.needs_commands() || searching,
            cpu: self.shows_cpu(),
            // The screen shows the next sample soon; no key waits for a unit's file.
            complete: false,
            visible: on_screen.into_iter().chain(victims.take(200)).collect(),
            detail: self.dialogs.iter().rev().find_map(|d| d.wants_detail()),
            groups: self.shown_groups(),
            waiting: self.domains.waiting(&self.snapshot),
            frozen: self.frozen.wanted(),
            growing: self.domains.growing(),
            rules: self.settings.rules.clone().unwrap_or_default(),
        }
    }
}
