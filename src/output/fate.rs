//! [`Fate`]: what an OOM in a domain does, and how full the domain is, for the printed forms.

use crate::app::view::domains::death::Death;
use crate::model::oom_domain::headroom::Room;
use crate::model::snapshot::Snapshot;
use crate::text::wording;

/// One OOM domain.
pub(super) struct Fate {
    /// `/docker/4f5e…`, or the host.
    pub place: String,
    /// Who dies first, or why nobody does, by the rule of the screen.
    pub death: Death,
    /// Bytes that reclaim does not free, as the bands count them, and the limit, of a group whose files tell both.
    pub full: Option<(u64, u64)>,
}

impl Fate {
    /// Who dies first, in a cell: `104 java or 105 node`, `nobody: its tasks hang`.
    pub(super) fn who(&self, snapshot: &Snapshot) -> String {
        match self.death {
            Death::Kill(verdict, _) => wording::victim(&verdict, snapshot),
            Death::Hangs => "nobody: its tasks hang".to_owned(),
            Death::Throttles => "nobody: its tasks are slowed down".to_owned(),
            Death::Panics => "nobody: the kernel panics".to_owned(),
            Death::Asker => "whoever asks for memory".to_owned(),
            Death::Dying(id) => wording::dying(id, snapshot),
            Death::Empty => "nobody: it has no processes".to_owned(),
            Death::Nobody => "nobody can be killed".to_owned(),
        }
    }

    /// What happens if its memory runs out, as the end of a sentence: `104 java dies first`.
    pub(super) fn sentence(&self, snapshot: &Snapshot) -> String {
        match self.death {
            Death::Kill(verdict, _) => {
                format!("{} dies first", wording::victim(&verdict, snapshot))
            }
            Death::Hangs => "nobody dies: its tasks hang".to_owned(),
            Death::Throttles => "nobody dies: its tasks are slowed down".to_owned(),
            Death::Panics => "the kernel panics".to_owned(),
            Death::Asker => "whoever asks for memory dies".to_owned(),
            Death::Empty => "nobody dies: it has no processes".to_owned(),
            Death::Dying(_) | Death::Nobody => self.who(snapshot),
        }
    }
}

/// The domains of the sample, in its order.
pub(super) fn fates(snapshot: &Snapshot) -> impl Iterator<Item = Fate> {
    snapshot.domains.iter().map(|domain| {
        let key = domain.scope.memcg();
        let room = key.and_then(|key| Room::from_group(key, &snapshot.cgroups, &snapshot.memory));
        Fate {
            place: wording::domain(domain.scope, snapshot),
            death: Death::from_domain(domain, snapshot),
            full: room.map(|room| (room.kept(), room.limit)),
        }
    })
}
