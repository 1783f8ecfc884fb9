//! How the screen is divided now, from what there is to show.

use crate::app::State;
use crate::app::view::layout::{Contents, Panes, panes};

impl State {
    /// How the screen is divided now.
    pub fn panes(&self) -> Panes {
        let domains = &self.domains;
        let attention = &self.attention;
        // The list of all domains says the same.
        let shown = |count: usize| if domains.open { 0 } else { count };
        let contents = Contents {
            focus: self.focus,
            events: self.events.len(),
            note: self.events_note().is_some(),
            alarms: attention.alarms.len(),
            domains: shown(attention.calm.len()),
            side_domains: shown(attention.nearest.len()),
            // While a filter is typed, the table has more or fewer rows with each letter.
            rows: self.prompt.is_none().then(|| self.table.rows().len()),
            domain_rows: domains.open.then(|| domains.rows().len()),
            banner: !self.frozen.is_empty(),
            timeline: self.replay.is_some(),
            notice: self.notice.is_some(),
        };
        panes(self.size.0, self.size.1, contents)
    }

    /// The line above the events that says what is missing among them, if something is.
    pub fn events_note(&self) -> Option<String> {
        let killers = self.snapshot.killers.iter();
        let acting = killers.filter(|killer| !killer.dry_run);
        self.events
            .source
            .gap(acting.map(|killer| killer.killer.name()))
    }
}
