//! [`Chosen`]: the domains that a page has room for.

use std::collections::HashSet;

use crate::model::oom_domain::urgency::Urgency;
use crate::model::oom_domain::victim::Scope;

/// Most domains on a page.
pub const PLACES: usize = 128;

/// Of the domains that are as urgent, only those of so many first places take the place of another.
const CLEAR: usize = PLACES * 3 / 4;

/// A domain, and which of the groups that had its key.
type Identity = (Scope, Option<u64>);

/// Who has a place. The host always has one.
#[derive(Debug, Clone, Default)]
pub(super) struct Chosen(HashSet<Identity>);

impl Chosen {
    /// Chooses among all domains of a sample, the most urgent first.
    pub(super) fn choose(&mut self, ranked: impl Iterator<Item = (Identity, Urgency)>) {
        let ranked: Vec<(Identity, Urgency)> = ranked.collect();
        let before = std::mem::take(&mut self.0);
        let (mut inside, outside): (Vec<_>, Vec<_>) = ranked
            .iter()
            .enumerate()
            .partition(|(_, (identity, _))| identity.0 == Scope::Host || before.contains(identity));
        // One place more may be taken when the host comes back.
        for _ in PLACES..inside.len() {
            remove_last(&mut inside);
        }
        for (rank, newcomer) in outside {
            if inside.len() < PLACES {
                inside.push((rank, newcomer));
                continue;
            }
            let last = inside.iter().filter(|(_, one)| one.0.0 != Scope::Host);
            let Some((last, (_, urgency))) = last.max_by_key(|(rank, _)| *rank) else {
                break;
            };
            let is_clear = rank < CLEAR || newcomer.1 > *urgency;
            // The newcomers come in order: where one does not take a place, no later one does.
            if rank > *last || !is_clear || !remove_last(&mut inside) {
                break;
            }
            inside.push((rank, newcomer));
        }
        self.0 = inside
            .into_iter()
            .map(|(_, (identity, _))| *identity)
            .collect();
    }

    /// True if the domain has a place.
    pub(super) fn has(&self, scope: Scope) -> bool {
        self.0.iter().any(|(known, _)| *known == scope)
    }
}

/// Takes the place from the least urgent one other than the host; false if there is none.
fn remove_last(inside: &mut Vec<(usize, &(Identity, Urgency))>) -> bool {
    let others = inside.iter().enumerate();
    let last = others
        .filter(|(_, (_, one))| one.0.0 != Scope::Host)
        .max_by_key(|(_, (rank, _))| *rank)
        .map(|(at, _)| at);
    if let Some(at) = last {
        inside.swap_remove(at);
    }
    last.is_some()
}

#[cfg(test)]
mod tests {
    use super::{Chosen, Identity, PLACES};
    use crate::model::cgroup::CgroupKey;
    use crate::model::oom_domain::urgency::Urgency;
    use crate::model::oom_domain::victim::Scope;

    fn group(number: u32) -> (Identity, Urgency) {
        ((Scope::Memcg(CgroupKey(number)), Some(7)), Urgency::Calm)
    }

    #[test]
    fn a_place_is_kept_until_somebody_else_is_clearly_more_urgent() {
        let host = ((Scope::Host, None), Urgency::Calm);
        let mut all: Vec<_> = (0..200).map(group).collect();
        all.push(host);
        let mut chosen = Chosen::default();
        chosen.choose(all.iter().copied());
        assert!(chosen.has(Scope::Host) && chosen.0.len() == PLACES);
        assert!(chosen.has(all[126].0.0) && !chosen.has(all[127].0.0));
        // A little better is not enough.
        all.swap(120, 150);
        chosen.choose(all.iter().copied());
        assert!(chosen.has(group(120).0.0) && !chosen.has(group(150).0.0));
        all.swap(120, 3);
        chosen.choose(all.iter().copied());
        assert!(chosen.has(group(150).0.0), "far ahead");
        assert!(chosen.has(Scope::Host) && chosen.0.len() == PLACES);
        // More urgent is enough at any place, and another group under the same key is another.
        let mut urgent = all.clone();
        let at = urgent
            .iter()
            .position(|one| *one == group(160))
            .expect("there");
        let mut one = urgent.remove(at);
        one.1 = Urgency::Watch;
        urgent.insert(100, one);
        chosen.choose(urgent.iter().copied());
        assert!(chosen.has(group(160).0.0));
        chosen.choose(all.iter().copied().filter(|one| *one != group(0)));
        assert!(!chosen.has(group(0).0.0) && chosen.0.len() == PLACES);
    }
}
