//! [`Tree`]: which domains each domain contains, and how urgent each is together with its contents.

use std::collections::HashMap;

use super::Order;
use super::watch::Watch;
use crate::model::oom_domain::urgency::{Place, Urgency};
use crate::model::oom_domain::victim::Scope;
use crate::model::snapshot::Snapshot;

/// The domains of a sample as a tree. A domain is its index into [`Snapshot::domains`].
pub(super) struct Tree<'a> {
    snapshot: &'a Snapshot,
    /// For each domain: the domains directly inside it.
    children: Vec<Vec<usize>>,
    /// For each domain: the domain directly around it.
    parents: Vec<Option<usize>>,
    /// For each domain: the most urgent place of the domain and of all inside it.
    places: Vec<Place<'a>>,
}

impl<'a> Tree<'a> {
    /// The tree of a sample. `unknown` stands for the past of a domain that has none.
    pub(super) fn new(
        snapshot: &'a Snapshot,
        watches: &'a HashMap<Scope, Watch>,
        unknown: &'a Watch,
    ) -> Self {
        let domains = &snapshot.domains;
        let index: HashMap<Scope, usize> = domains
            .iter()
            .enumerate()
            .map(|(at, domain)| (domain.scope, at))
            .collect();
        let host = index.get(&Scope::Host).copied();
        let mut tree = Self {
            snapshot,
            children: vec![Vec::new(); domains.len()],
            parents: Vec::with_capacity(domains.len()),
            places: Vec::with_capacity(domains.len()),
        };
        for (at, domain) in domains.iter().enumerate() {
            let parent = match domain.scope {
                Scope::Host => None,
                Scope::Nodes(_) => host,
                Scope::Memcg(key) => snapshot
                    .ancestry(key)
                    .skip(1)
                    .find_map(|(key, _)| index.get(&Scope::Memcg(key)).copied())
                    .or(host)
                    .filter(|parent| *parent != at),
            };
            tree.parents.push(parent);
            if let Some(children) = parent.and_then(|parent| tree.children.get_mut(parent)) {
                children.push(at);
            }
            let watch = watches.get(&domain.scope).unwrap_or(unknown);
            tree.places.push(watch.place());
        }
        tree.raise();
        tree
    }

    /// Makes a domain as urgent as the most urgent one inside it, so that it is not folded away.
    fn raise(&mut self) {
        let path = |at: &usize| self.path(*at).len();
        let mut inner_first: Vec<usize> = (0..self.places.len()).collect();
        inner_first.sort_by_key(|at| std::cmp::Reverse(path(at)));
        for at in inner_first {
            let (Some(parent), Some(place)) = (self.parent(at), self.places.get(at).copied())
            else {
                continue;
            };
            if let Some(outer) = self.places.get_mut(parent) {
                *outer = place.min(*outer);
            }
        }
    }

    /// Path of a domain; empty for the host and a set of nodes.
    pub(super) fn path(&self, at: usize) -> &'a str {
        match self.snapshot.domains.get(at).map(|domain| domain.scope) {
            Some(Scope::Memcg(key)) => self
                .snapshot
                .cgroup(key)
                .map_or("", |group| group.path.as_str()),
            _ => "",
        }
    }

    /// The scope of a domain.
    pub(super) fn scope(&self, at: usize) -> Scope {
        let domain = self.snapshot.domains.get(at);
        domain.map_or(Scope::Host, |domain| domain.scope)
    }

    /// True if neither the domain nor any inside it is urgent.
    pub(super) fn is_calm(&self, at: usize) -> bool {
        let place = self.places.get(at);
        place.is_none_or(|place| place.urgency() == Urgency::Calm)
    }

    /// The domain directly around a domain; `None` for the host.
    pub(super) fn parent(&self, at: usize) -> Option<usize> {
        self.parents.get(at).copied().flatten()
    }

    /// The domains that no other domain encloses.
    pub(super) fn roots(&self) -> impl DoubleEndedIterator<Item = usize> {
        (0..self.parents.len()).filter(|at| self.parent(*at).is_none())
    }

    /// The domains directly inside a domain, in order.
    pub(super) fn children(&self, at: usize, order: Order) -> Vec<usize> {
        let mut inside = self.children.get(at).cloned().unwrap_or_default();
        match order {
            Order::Urgency => inside.sort_by_key(|at| self.places.get(*at).copied()),
            Order::Path => inside.sort_by_key(|at| self.path(*at)),
        }
        inside
    }
}
