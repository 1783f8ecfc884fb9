//! The rows of the view: a tree of limited groups below the host, calm siblings folded into one row.

use std::collections::{HashMap, HashSet};

use super::Order;
use super::tree::Tree;
use super::watch::Watch;
use crate::app::view::list::ListRow;
use crate::model::cgroup::container;
use crate::model::filter::any_of;
use crate::model::oom_domain::victim::Scope;
use crate::model::snapshot::Snapshot;

/// Up to this many siblings, nothing is folded.
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
    /// The calm domains inside another one: a single row for all, or the heading above them.
    Fold {
        /// Their parent.
        parent: Scope,
        /// Number of the parent's calm children.
        count: usize,
        /// They are shown, below this row.
        open: bool,
        /// Depth in the tree.
        depth: u16,
    },
}

/// What a row is. The key of a group that is gone can become that of another group: [`super::Domains`] compares
/// their paths.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RowId {
    /// The domain; of a fold its parent.
    pub scope: Scope,
    /// It is a fold.
    pub fold: bool,
}

impl ListRow for Row {
    type Id = RowId;

    fn id(&self) -> RowId {
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

    fn depth(&self) -> u16 {
        match self {
            Self::Domain { depth, .. } | Self::Fold { depth, .. } => *depth,
        }
    }

    fn is_fixed(&self) -> bool {
        matches!(self, Self::Fold { .. })
    }
}

/// The rows of a sample. `keep`, the selected domain, is not folded away; nothing is where all fit into `room` rows.
pub(super) fn arrange(
    snapshot: &Snapshot,
    watches: &HashMap<Scope, Watch>,
    order: Order,
    unfolded: &HashSet<Scope>,
    keep: Option<Scope>,
    room: usize,
) -> Vec<Row> {
    let unknown = Watch::default();
    let tree = Tree::new(snapshot, watches, &unknown);
    let few = if snapshot.domains.len() <= room {
        usize::MAX
    } else {
        FEW
    };
    let mut rows = Vec::new();
    // A stack: the rows whose children are still to be added, the next one last.
    let mut waiting: Vec<Row> = tree.roots().rev().map(|at| row(&tree, at, 0)).collect();
    while let Some(next) = waiting.pop() {
        rows.push(next);
        let Row::Domain { index, depth, .. } = next else {
            continue;
        };
        let inside = tree.children(index, order);
        let below = children_rows(&tree, index, (&inside, few), depth + 1, unfolded, keep);
        waiting.extend(below.into_iter().rev());
    }
    rows
}

/// The domains with `text` in their path or name, as a flat list.
pub(super) fn matching(
    snapshot: &Snapshot,
    watches: &HashMap<Scope, Watch>,
    order: Order,
    text: &str,
) -> Vec<Row> {
    let unknown = Watch::default();
    let tree = Tree::new(snapshot, watches, &unknown);
    let text = text.to_lowercase();
    let mut found: Vec<usize> = (0..snapshot.domains.len())
        .filter(|at| {
            let path = tree.path(*at);
            let label = container::label(path);
            any_of(&text, &[path, label.as_deref().unwrap_or_default()])
        })
        .collect();
    // Without the tree, a domain is sorted by its own urgency and not by that of the domains inside it.
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
    Row::Domain {
        scope: tree.scope(at),
        index: at,
        parent: tree.parent(at).map(|parent| tree.scope(parent)),
        depth,
    }
}

/// The rows of a domain's children. If there are many, the calm ones are folded.
fn children_rows(
    tree: &Tree<'_>,
    parent: usize,
    (inside, few): (&[usize], usize),
    depth: u16,
    unfolded: &HashSet<Scope>,
    keep: Option<Scope>,
) -> Vec<Row> {
    let all = |ats: &[usize]| -> Vec<Row> { ats.iter().map(|at| row(tree, *at, depth)).collect() };
    let parent = tree.scope(parent);
    let open = unfolded.contains(&parent);
    let folds = |at: &usize| tree.is_calm(*at) && (open || keep != Some(tree.scope(*at)));
    let (calm, urgent): (Vec<usize>, Vec<usize>) = inside.iter().partition(|at| folds(at));
    if inside.len() <= few || calm.len() < 2 {
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
mod tests;
