//! [`Fate`]: who dies first in an OOM domain, and how full it is, for the printed forms.

use crate::model::snapshot::Snapshot;
use crate::text::wording;

/// One OOM domain.
pub(super) struct Fate {
    /// `/docker/4f5e…`, or the host.
    pub place: String,
    /// Who dies first; `None` if nobody can be killed, or nobody while a victim is dying.
    pub victim: Option<String>,
    /// That nobody dies while a victim is dying.
    pub dying: Option<String>,
    /// Bytes in use and the limit, of a group whose files tell both.
    pub full: Option<(u64, u64)>,
}

/// The domains of the sample, in its order.
pub(super) fn fates(snapshot: &Snapshot) -> impl Iterator<Item = Fate> {
    snapshot.domains.iter().map(|domain| {
        let group = domain.scope.memcg().and_then(|key| snapshot.cgroup(key));
        let verdict = domain.next();
        Fate {
            place: wording::domain(domain.scope, snapshot),
            victim: verdict.map(|verdict| wording::victim(&verdict, snapshot)),
            dying: domain.dying.map(|id| wording::dying(id, snapshot)),
            full: group.and_then(|group| Some((group.usage?, group.limits.max?))),
        }
    })
}
