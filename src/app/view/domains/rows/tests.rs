//! The tree of the domains, and which of them are folded.

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
            &arrange(&sample, &known, order, &HashSet::new(), None, 0),
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
        arrange(&sample, &known, Order::Urgency, &unfolded, keep, 0)
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
            None,
            0
        )
        .len(),
        FEW + 1
    );
    // As many rows as the screen has are all shown, one more is folded.
    let in_room = |room| {
        let (known, none) = (watches(&sample, &[]), HashSet::new());
        arrange(&sample, &known, Order::Urgency, &none, None, room).len()
    };
    assert_eq!((in_room(101), in_room(100)), (101, 2));
}

#[test]
fn damaged_tables_do_not_loop() {
    let sample = snapshot(&[("/x", Some(0)), ("/y", Some(9))]);
    let rows = arrange(
        &sample,
        &HashMap::new(),
        Order::Path,
        &HashSet::new(),
        None,
        0,
    );
    assert_eq!(rows.len(), 3);
}
