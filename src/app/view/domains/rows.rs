//! The rows of the view: a tree of limited groups below the host, calm siblings folded into one row.

use std::collections::{HashMap, HashSet};

use super::Order;
use super::watch::Watch;
use crate::model::cgroup::container;
use crate::model::oom_domain::urgency::{Place, Urgency};
use crate::model::oom_domain::victim::Scope;
use crate::model::snapshot::Snapshot;

/// Siblings up to which nothing is folded.
const FEW: usize = 8;

/// One row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Row {
    /// A domain.
    Domain {
        /// Which.
        scope: Scope,
        /// Index into [`Snapshot::domains`].
        index: usize,
        /// The domain around it; `None` for the host.
        parent: Option<Scope>,
        /// Depth in the tree.
        depth: u16,
    },
    /// Calm domains that are folded, or the head of those that were unfolded.
    Fold {
        /// The domain they are right inside.
        parent: Scope,
        /// How many, those inside them not counted.
        count: usize,
        /// They are shown below.
        open: bool,
        /// Depth in the tree.
        depth: u16,
    },
}

/// What a row is, wherever it moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RowId {
    /// The domain, or the one around the folded part.
    pub scope: Scope,
    /// A folded part.
    pub fold: bool,
}

impl Row {
    /// What it is.
    pub fn id(&self) -> RowId {
        match self {
            Self::Domain { scope, .. } => RowId {
                scope: *scope,
                fold: false,
            },
            Self::Fold { parent, .. } => RowId {
                scope: *parent,
                fold: true,
            },
        }
    }
}

/// The domains of a sample as a tree.
struct Tree<'a> {
    snapshot: &'a Snapshot,
    /// By index of the domain: indices of those right inside it.
    children: Vec<Vec<usize>>,
    parents: Vec<Option<usize>>,
    /// By index: the most urgent place of the domain and all inside it.
    places: Vec<Place<'a>>,
}

impl<'a> Tree<'a> {
    fn of(snapshot: &'a Snapshot, watches: &'a HashMap<Scope, Watch>, unknown: &'a Watch) -> Self {
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

    /// A group is as urgent as the most urgent inside it: it must not be folded away.
    fn raise(&mut self) {
        let path = |at: &usize| self.path(*at).len();
        let mut inner_first: Vec<usize> = (0..self.places.len()).collect();
        inner_first.sort_by_key(|at| std::cmp::Reverse(path(at)));
        for at in inner_first {
            let (Some(parent), Some(place)) = (
                self.parents.get(at).copied().flatten(),
                self.places.get(at).copied(),
            ) else {
                continue;
            };
            if let Some(outer) = self.places.get_mut(parent) {
                *outer = place.min(*outer);
            }
        }
    }

    fn path(&self, at: usize) -> &'a str {
        match self.snapshot.domains.get(at).map(|domain| domain.scope) {
            Some(Scope::Memcg(key)) => self
                .snapshot
                .cgroup(key)
                .map_or("", |group| group.path.as_str()),
            _ => "",
        }
    }

    fn scope(&self, at: usize) -> Scope {
        let domain = self.snapshot.domains.get(at);
        domain.map_or(Scope::Host, |domain| domain.scope)
    }

    fn is_calm(&self, at: usize) -> bool {
        let place = self.places.get(at);
        place.is_none_or(|place| place.urgency() == Urgency::Calm)
    }
}

/// The rows of a sample. `keep` is not folded away: it is selected.
pub(super) fn arrange(
    snapshot: &Snapshot,
    watches: &HashMap<Scope, Watch>,
    order: Order,
    unfolded: &HashSet<Scope>,
    keep: Option<Scope>,
) -> Vec<Row> {
    let unknown = Watch::default();
    let tree = Tree::of(snapshot, watches, &unknown);
    let mut rows = Vec::new();
    // What is still to be put down, the next one last.
    let mut waiting: Vec<Row> = (0..snapshot.domains.len())
        .filter(|at| tree.parents.get(*at).copied().flatten().is_none())
        .map(|at| row(&tree, at, 0))
        .rev()
        .collect();
    while let Some(next) = waiting.pop() {
        rows.push(next);
        let Row::Domain { index, depth, .. } = next else {
            continue;
        };
        let mut inside = tree.children.get(index).cloned().unwrap_or_default();
        match order {
            Order::Urgency => inside.sort_by_key(|at| tree.places.get(*at).copied()),
            Order::Path => inside.sort_by_key(|at| tree.path(*at)),
        }
        let below = children_rows(&tree, index, &inside, depth + 1, unfolded, keep);
        waiting.extend(below.into_iter().rev());
    }
    rows
}

/// The domains that have `text` in their path or name, without the tree.
pub(super) fn matching(
    snapshot: &Snapshot,
    watches: &HashMap<Scope, Watch>,
    order: Order,
    text: &str,
) -> Vec<Row> {
    let unknown = Watch::default();
    let tree = Tree::of(snapshot, watches, &unknown);
    let text = text.to_lowercase();
    let mut found: Vec<usize> = (0..snapshot.domains.len())
        .filter(|at| {
            let path = tree.path(*at);
            path.to_lowercase().contains(&text)
                || container::label(path).is_some_and(|label| label.to_lowercase().contains(&text))
        })
        .collect();
    // Each for itself: what is around it may not be among them.
    match order {
        Order::Urgency => found.sort_by_key(|at| {
            let watch = watches.get(&tree.scope(*at)).unwrap_or(&unknown);
            watch.place()
        }),
        Order::Path => found.sort_by_key(|at| tree.path(*at)),
    }
    let alone = |at| Row::Domain {
        scope: tree.scope(at),
        index: at,
        parent: None,
        depth: 0,
    };
    found.into_iter().map(alone).collect()
}

fn row(tree: &Tree<'_>, at: usize, depth: u16) -> Row {
    let parent = tree.parents.get(at).copied().flatten();
    Row::Domain {
        scope: tree.scope(at),
        index: at,
        parent: parent.map(|parent| tree.scope(parent)),
        depth,
    }
}

/// The rows right inside a domain: with many of them the calm ones are folded.
fn children_rows(
    tree: &Tree<'_>,
    parent: usize,
    inside: &[usize],
    depth: u16,
    unfolded: &HashSet<Scope>,
    keep: Option<Scope>,
) -> Vec<Row> {
    let all = |ats: &[usize]| -> Vec<Row> { ats.iter().map(|at| row(tree, *at, depth)).collect() };
    let parent = tree.scope(parent);
    let open = unfolded.contains(&parent);
    let folds = |at: &usize| tree.is_calm(*at) && (open || keep != Some(tree.scope(*at)));
    let (calm, urgent): (Vec<usize>, Vec<usize>) = inside.iter().partition(|at| folds(at));
    if inside.len() <= FEW || calm.len() < 2 {
        return all(inside);
    }
    let mut rows = all(&urgent);
    rows.push(Row::Fold {
        parent,
        count: calm.len(),
        open,
        depth,
    });
    if open {
        rows.extend(all(&calm));
    }
    rows
}

#[cfg(test)]
mod tests {
    use std::collections::{HashMap, HashSet};
    use std::sync::Arc;

    use super::{FEW, Row, arrange};
    use crate::app::view::domains::Order;
    use crate::app::view::domains::watch::Watch;
    use crate::model::cgroup::{Cgroup, CgroupKey, CgroupPath};
    use crate::model::kernel::KernelRules;
    use crate::model::memory::Memory;
    use crate::model::oom_domain::urgency::Urgency;
    use crate::model::oom_domain::victim::{Scope, assess};
    use crate::model::snapshot::Snapshot;

    fn snapshot(paths: &[(&str, Option<u32>)]) -> Snapshot {
        let cgroups: Vec<Cgroup> = paths
            .iter()
            .map(|(path, parent)| {
                let mut group = Cgroup::unread(CgroupPath::new(path), parent.map(CgroupKey));
                group.limits.max = Some(1 << 20);
                group
            })
            .collect();
        let memory = Memory::default();
        Snapshot {
            domains: assess(&[], &cgroups, &memory, &KernelRules::default()),
            cgroups: Arc::new(cgroups),
            ..Snapshot::default()
        }
    }

    fn watches(snapshot: &Snapshot, urgent: &[u32]) -> HashMap<Scope, Watch> {
        let of = |scope| {
            let group = Scope::memcg(scope).and_then(|key| snapshot.cgroup(key));
            let path = group.map(|group| group.path.clone());
            let is_urgent = urgent
                .iter()
                .any(|key| scope == Scope::Memcg(CgroupKey(*key)));
            let mut watch = Watch::default();
            watch.path = path;
            watch.urgency = if is_urgent {
                Urgency::Close
            } else {
                Urgency::Calm
            };
            watch
        };
        snapshot
            .domains
            .iter()
            .map(|d| (d.scope, of(d.scope)))
            .collect()
    }

    fn told(rows: &[Row], snapshot: &Snapshot) -> Vec<String> {
        rows.iter()
            .map(|row| match row {
                Row::Domain { scope, depth, .. } => {
                    let name = scope.memcg().map_or("host", |key| {
                        snapshot.cgroup(key).expect("it").path.as_str()
                    });
                    format!("{depth} {name}")
                }
                Row::Fold {
                    count, open, depth, ..
                } => format!("{depth} fold {count} {open}"),
            })
            .collect()
    }

    #[test]
    fn nested_groups_are_a_tree_and_the_urgent_lift_what_is_around_them() {
        let sample = snapshot(&[
            ("/a", None),
            ("/b", None),
            ("/b/c", Some(1)),
            ("/b/c/d", Some(2)),
        ]);
        let known = watches(&sample, &[3]);
        let rows = |order| {
            told(
                &arrange(&sample, &known, order, &HashSet::new(), None),
                &sample,
            )
        };
        assert_eq!(
            rows(Order::Urgency),
            ["0 host", "1 /b", "2 /b/c", "3 /b/c/d", "1 /a"]
        );
        assert_eq!(
            rows(Order::Path),
            ["0 host", "1 /a", "1 /b", "2 /b/c", "3 /b/c/d"]
        );
    }

    #[test]
    fn many_calm_siblings_are_one_row_that_opens() {
        let names: Vec<String> = (0..100).map(|n| format!("/{n:03}")).collect();
        let paths: Vec<(&str, Option<u32>)> = names.iter().map(|name| (&**name, None)).collect();
        let sample = snapshot(&paths);
        let known = watches(&sample, &[50]);
        let with = |unfolded: &[Scope], keep| {
            let unfolded: HashSet<Scope> = unfolded.iter().copied().collect();
            arrange(&sample, &known, Order::Urgency, &unfolded, keep)
        };
        assert_eq!(
            told(&with(&[], None), &sample),
            ["0 host", "1 /050", "1 fold 99 false"]
        );
        let kept = with(&[], Some(Scope::Memcg(CgroupKey(7))));
        assert_eq!(
            told(&kept, &sample),
            ["0 host", "1 /050", "1 /007", "1 fold 98 false"]
        );
        assert_eq!(with(&[Scope::Host], None).len(), 102);
        let few = snapshot(&paths[..FEW]);
        assert_eq!(
            arrange(
                &few,
                &watches(&few, &[]),
                Order::Urgency,
                &HashSet::new(),
                None
            )
            .len(),
            FEW + 1
        );
    }

    #[test]
    fn damaged_tables_do_not_loop() {
        let sample = snapshot(&[("/x", Some(0)), ("/y", Some(9))]);
        let rows = arrange(&sample, &HashMap::new(), Order::Path, &HashSet::new(), None);
        assert_eq!(rows.len(), 3);
    }
}
