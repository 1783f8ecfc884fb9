//! [`Attention`]: what stands above the table: what must not be overlooked, and the most urgent domains.

use crate::app::State;
use crate::app::input::id::ActionId;
use crate::app::view::domains::alarm::Alarm;
use crate::app::view::domains::summary::Widths;
use crate::model::oom_domain::victim::Scope;

/// Lines for domains that are no alarm: the layout has room for no more.
const CALM: usize = 2;

/// The lines of one sample.
#[derive(Debug, Clone, Default)]
pub struct Attention {
    /// What must not be overlooked, the worst first.
    pub alarms: Vec<Alarm>,
    /// The most urgent of the domains that are no alarm.
    pub calm: Vec<Alarm>,
    /// All domains, the most urgent first.
    pub nearest: Vec<Scope>,
}

impl State {
    /// Finds what must not be overlooked in the newest sample.
    pub(in crate::app) fn note_alarms(&mut self) {
        let keys = [ActionId::Domains, ActionId::Incident, ActionId::Ledger];
        let keys = keys.map(|action| self.key(action));
        let keys = keys.each_ref().map(String::as_str);
        let width = self.size.0;
        let (domains, snapshot) = (&self.domains, &self.snapshot);
        let alarms = domains.alarms(snapshot, &self.host, keys, width);
        let nearest = domains.nearest(snapshot);
        let is_told = |scope: &Scope| alarms.iter().any(|alarm| alarm.scope == Some(*scope));
        let mut calm = nearest.clone();
        calm.retain(|scope| !is_told(scope));
        calm.truncate(CALM);
        let widths = Widths::new(&calm, snapshot, width);
        let line = |scope: &Scope| {
            Some(Alarm {
                line: domains.summary(*scope, &widths, snapshot)?,
                scope: Some(*scope),
            })
        };
        let calm = calm.iter().filter_map(line).collect();
        self.attention = Attention {
            alarms,
            calm,
            nearest,
        };
    }
}
