//! The line on the screen about what is frozen.

use super::FrozenThings;
use crate::app::State;
use crate::app::input::id::ActionId;
use crate::model::freezer::FreezerState;
use crate::text::format;
use crate::text::tone::{Line, Tone};

/// Most things that are named.
const NAMED: usize = 2;

impl State {
    /// What oomtop has stopped, for how long, and the key that lets it run on; `None` if nothing.
    pub fn frozen_banner(&self) -> Option<Line> {
        let FrozenThings { things, .. } = &self.frozen;
        let oldest = things.iter().map(|thing| thing.since).min()?;
        let is_frozen = things
            .iter()
            .all(|thing| thing.state == FreezerState::Frozen);
        let word = if is_frozen {
            " FROZEN by oomtop "
        } else {
            " FREEZING "
        };
        let mut line = Line::of(Tone::Critical, word);
        let age = format::duration(self.now.monotonic.since(oldest));
        line.push(Tone::Normal, format!("for {age}: "));
        for (at, thing) in things.iter().take(NAMED).enumerate() {
            if at > 0 {
                line.push(Tone::Dim, ", ");
            }
            line.push(Tone::Strong, thing.name.as_str());
            if !is_frozen && thing.state == FreezerState::Freezing {
                line.push(Tone::Watch, " (a task of it still runs in the kernel)");
            }
        }
        if things.len() > NAMED {
            line.push(Tone::Dim, format!(" and {} more", things.len() - NAMED));
        }
        let key = self.key(ActionId::Incident);
        line.push(Tone::Dim, format!("   {key} on its row thaws it"));
        Some(line)
    }
}
