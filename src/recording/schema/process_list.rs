//! The difference of two lists of processes, which follows the processes and not their places.
//!
//! The list keeps its order. It is written in runs: how many processes of the older list are skipped, how many follow
//! it, each as a difference, and how many come that it does not have. An empty run ends it.

use std::collections::HashMap;

use crate::model::process::{Process, ProcessId};
use crate::recording::codec::{Coded, Malformed, Reader, Writer};

struct Run {
    skipped: usize,
    kept: usize,
    fresh: usize,
}

/// The runs of `items` against `base`. Both may have any order; what is out of the older order counts as fresh.
fn runs(items: &[Process], base: &[Process]) -> Vec<Run> {
    let places: HashMap<ProcessId, usize> =
        base.iter().enumerate().map(|(at, p)| (p.id, at)).collect();
    let mut runs: Vec<Run> = Vec::new();
    let mut next = 0;
    for item in items {
        match places.get(&item.id) {
            Some(&at) if at >= next => {
                let skipped = at - next;
                next = at + 1;
                match runs.last_mut() {
                    Some(run) if skipped == 0 && run.fresh == 0 => run.kept += 1,
                    _ => runs.push(Run {
                        skipped,
                        kept: 1,
                        fresh: 0,
                    }),
                }
            }
            _ => match runs.last_mut() {
                Some(run) => run.fresh += 1,
                None => runs.push(Run {
                    skipped: 0,
                    kept: 0,
                    fresh: 1,
                }),
            },
        }
    }
    runs
}

pub(super) fn put_change(items: &[Process], base: &[Process], to: &mut Writer) {
    let mut items = items.iter();
    let all = items.as_slice();
    let mut next = 0;
    for run in runs(all, base) {
        to.count(run.skipped);
        to.count(run.kept);
        to.count(run.fresh);
        next += run.skipped;
        for item in items.by_ref().take(run.kept) {
            if let Some(older) = base.get(next) {
                item.put_change(older, to);
            }
            next += 1;
        }
        for item in items.by_ref().take(run.fresh) {
            item.put(to);
        }
    }
    for _ in 0..3 {
        to.count(0);
    }
}

pub(super) fn take_change(
    base: &[Process],
    from: &mut Reader<'_>,
) -> Result<Vec<Process>, Malformed> {
    let mut items = Vec::with_capacity(base.len());
    let mut older = base.iter();
    loop {
        let (skipped, kept, fresh) = (from.count()?, from.count()?, from.count()?);
        if kept == 0 && fresh == 0 {
            return Ok(items);
        }
        // The list may have grown to twice as much.
        let many = kept.saturating_add(fresh).saturating_mul(2);
        from.spend(many.saturating_mul(size_of::<Process>()))?;
        for _ in 0..skipped {
            older.next().ok_or(Malformed)?;
        }
        for _ in 0..kept {
            items.push(Process::take_change(older.next().ok_or(Malformed)?, from)?);
        }
        for _ in 0..fresh {
            items.push(Process::take(from)?);
        }
    }
}
