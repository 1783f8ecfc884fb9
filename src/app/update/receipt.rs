//! Receipts and undo: what a write came to, remembered so that it can be taken back.

use crate::app::State;
use crate::app::input::id::ActionId;
use crate::app::msg::{Effect, Receipt};
use crate::app::undo::{AdjChange, Change, LimitChange, limit_words};
use crate::model::cgroup::CgroupPath;
use crate::model::plan::step::{AdjReceipt, CgroupStep, Failure, FailureKind, PlanReceipt};
use crate::model::process::ProcessId;
use crate::text::tone::Tone;

/// Takes back the last write. If somebody changed the value since, says so and wants a second `u`.
pub fn undo(state: &mut State) -> Vec<Effect> {
    if state.undo.in_flight {
        state.say(Tone::Normal, "the last undo is still being carried out");
        return Vec::new();
    }
    let Some(change) = state.undo.last() else {
        state.say(
            Tone::Normal,
            "nothing to undo: oomtop has written nothing in this session",
        );
        return Vec::new();
    };
    if let Some(warning) = changed_since(state, change)
        && !state.undo.insist
    {
        state.undo.insist = true;
        state.say(Tone::Watch, warning);
        return Vec::new();
    }
    let effect = change.inverse();
    state.undo.in_flight = true;
    vec![effect]
}

/// A sentence if the world is no longer as the write left it.
fn changed_since(state: &State, change: &Change) -> Option<String> {
    match change {
        Change::Adj(changes) => {
            changes.iter().find_map(|c| {
                let now = state.snapshot.process(c.target)?.adj?;
                (now != c.after && state.snapshot.seq > state.written_at_seq).then(|| {
                format!(
                    "{} has adj {now} now, not the {} written by oomtop; press {} again to set {}",
                    c.name, c.after, state.key(ActionId::Undo), c.before
                )
            })
            })
        }
        Change::Moved { .. } | Change::Created { .. } => None,
        Change::Limits { group, changes } => limits_since(state, group, changes),
    }
}

/// A sentence if the limit is no longer the one written, or if the old one would kill at once.
fn limits_since(state: &State, path: &CgroupPath, changes: &[LimitChange]) -> Option<String> {
    let change = changes
        .iter()
        .find(|c| matches!(c.file, "memory.max" | "memory.limit_in_bytes"))?;
    let mut groups = state.snapshot.cgroups.iter();
    let group = groups.find(|group| group.present && group.path == *path)?;
    if group.read_seq <= state.written_at_seq {
        return None;
    }
    let bytes = |shown: &str| shown.parse::<u64>().ok().filter(|bytes| *bytes < 1 << 60);
    let (before, after) = (bytes(&change.before), bytes(&change.after));
    // The old value again, set by somebody or read before the write: undo does no harm.
    if group.limits.max != after && group.limits.max != before {
        let now = group
            .limits
            .max
            .map_or_else(|| "no limit".to_owned(), crate::text::format::long_size);
        return Some(format!(
            "it is {now} now, not the {} written by oomtop; press {} again to set {}: limit of {path}",
            limit_words(&change.after),
            state.key(ActionId::Undo),
            limit_words(&change.before)
        ));
    }
    let usage = group
        .usage
        .filter(|usage| before.is_some_and(|before| *usage > before))?;
    // v1 refuses it instead.
    (change.file == "memory.max").then(|| {
        format!(
            "back to {} can kill at once, {} are in use; press {} again to do it: limit of {path}",
            limit_words(&change.before),
            crate::text::format::long_size(usage),
            state.key(ActionId::Undo)
        )
    })
}

/// Takes the outcome of a write in: notice, undo log, a fresh sample.
pub fn on_receipt(state: &mut State, receipt: &Receipt) -> Vec<Effect> {
    match receipt {
        Receipt::Adj { receipts, undo } => adj_done(state, receipts, *undo),
        Receipt::Plan { receipt, undo } => plan_done(state, receipt, *undo),
        // The dialog that asked says it.
        Receipt::Saved(_) => return Vec::new(),
        Receipt::Signal { signal, results } => {
            let sent = results.iter().filter(|(_, r)| r.is_ok()).count();
            match results.iter().find_map(|(_, r)| r.as_ref().err()) {
                Some(failure) => state.say(Tone::Critical, failure.sentence.clone()),
                None if sent == 1 => state.say(
                    Tone::Good,
                    format!(
                        "SIG{} sent to {}",
                        signal.name,
                        names(state, results.iter().map(|(id, _)| *id))
                    ),
                ),
                None => state.say(
                    Tone::Good,
                    format!("SIG{} sent to {sent} processes", signal.name),
                ),
            }
        }
    }
    state.written_at_seq = state.snapshot.seq + 1;
    state.request_sample()
}

fn names(state: &State, ids: impl Iterator<Item = ProcessId>) -> String {
    ids.map(|id| name(state, id)).collect::<Vec<_>>().join(", ")
}

/// `2456 mysqld`, also for one that has ended since.
fn name(state: &State, id: ProcessId) -> String {
    let process = state
        .snapshot
        .process(id)
        .or_else(|| state.previous.process(id));
    process.map_or_else(|| id.pid.to_string(), |p| format!("{} {}", id.pid, p.comm))
}

fn comm(state: &State, id: ProcessId) -> String {
    let process = state
        .snapshot
        .process(id)
        .or_else(|| state.previous.process(id));
    process.map_or_else(|| id.pid.to_string(), |p| p.comm.text().into_owned())
}

fn adj_done(state: &mut State, receipts: &[AdjReceipt], undo: bool) {
    let failure = receipts
        .iter()
        .find_map(|r| Some((r.target, r.outcome.as_ref().err()?)));
    let changes: Vec<_> = receipts
        .iter()
        .filter_map(|r| {
            let after = *r.outcome.as_ref().ok()?;
            Some(AdjChange {
                target: r.target,
                name: comm(state, r.target),
                before: r.before?,
                after,
            })
        })
        .collect();
    if undo {
        let is_over = |r: &AdjReceipt| r.outcome.as_ref().err().is_none_or(is_final);
        end_undo(state, receipts.iter().all(is_over));
    }
    let text = match (failure, changes.as_slice()) {
        (Some((id, failure)), _) => {
            let sentence = format!("{}: {}", name(state, id), failure.sentence);
            let rest = changes.len();
            if rest > 0 {
                format!("{sentence} ({rest} others were written)")
            } else {
                sentence
            }
        }
        (None, [one]) => {
            let verb = if undo { "restored" } else { "written" };
            format!(
                "{} adj {} → {} {verb} and read back",
                name(state, one.target),
                one.before,
                one.after
            )
        }
        (None, many) => format!(
            "adj of {} processes {}",
            many.len(),
            if undo {
                "restored"
            } else {
                "written and read back"
            }
        ),
    };
    state.say(
        if failure.is_some() {
            Tone::Critical
        } else {
            Tone::Good
        },
        text,
    );
    if !undo && !changes.is_empty() {
        state.undo.push(Change::Adj(changes));
    }
}

/// A failure that trying again cannot mend: what was to be undone is gone.
fn is_final(failure: &Failure) -> bool {
    matches!(
        failure.kind,
        FailureKind::Gone | FailureKind::Reused | FailureKind::NoGroup
    )
}

/// An undo is done: it leaves the log if it succeeded or never can; otherwise `u` tries again.
fn end_undo(state: &mut State, over: bool) {
    if over {
        state.undo.pop();
    } else {
        state.undo.retry();
    }
}

fn plan_done(state: &mut State, receipt: &PlanReceipt, undo: bool) {
    let done = |pick: fn(&CgroupStep) -> Option<&crate::model::cgroup::CgroupPath>| {
        receipt
            .steps
            .iter()
            .filter(|s| s.outcome.is_ok())
            .filter_map(move |s| pick(&s.step))
    };
    let created: Vec<_> = done(|s| {
        if let CgroupStep::Create(path) = s {
            Some(path)
        } else {
            None
        }
    })
    .cloned()
    .collect();
    let moved = done(|s| {
        if let CgroupStep::Move(_, path) = s {
            Some(path)
        } else {
            None
        }
    })
    .next()
    .cloned();
    if undo {
        end_undo(state, receipt.failure().is_none_or(is_final));
    } else if let (Some(target), Some(from), Some(to)) =
        (receipt.target, receipt.before.clone(), moved.clone())
    {
        state.undo.push(Change::Moved {
            target,
            name: comm(state, target),
            from,
            to,
            created,
        });
    } else if let Some(change) = limits_changed(receipt, &created) {
        state.undo.push(change);
    } else if !created.is_empty() {
        // The move failed after groups were made: undo still removes them.
        state.undo.push(Change::Created { groups: created });
    }
    match (receipt.failure(), receipt.target, moved) {
        (Some(failure), _, _) => state.say(Tone::Critical, failure.sentence.clone()),
        (None, Some(target), Some(to)) => {
            let verb = if undo { "is back in" } else { "moved to" };
            let text = format!("{} {verb} {to}", name(state, target));
            state.say(Tone::Good, text);
        }
        _ => {
            let text = match limits_changed(receipt, &[]) {
                Some(Change::Limits { group, changes }) => limits_text(&group, &changes, undo),
                _ => "done".to_owned(),
            };
            state.say(Tone::Good, text);
        }
    }
}

/// The limits that a plan has written to a group it did not make itself.
fn limits_changed(receipt: &PlanReceipt, created: &[CgroupPath]) -> Option<Change> {
    let mut found: Option<(CgroupPath, Vec<LimitChange>)> = None;
    for result in &receipt.steps {
        let (CgroupStep::Limit(group, write), Some(before)) = (&result.step, &result.before) else {
            continue;
        };
        let after = match &result.outcome {
            Ok(read_back) => read_back.clone(),
            // The kernel has made something else of it: that is a change too.
            Err(failure) if failure.kind == FailureKind::NotKept => write.value.clone(),
            Err(_) => continue,
        };
        if created.contains(group) {
            continue;
        }
        let (_, changes) = found.get_or_insert_with(|| (group.clone(), Vec::new()));
        changes.push(LimitChange {
            file: write.file,
            before: before.clone(),
            after,
        });
    }
    found.map(|(group, changes)| Change::Limits { group, changes })
}

fn limits_text(group: &CgroupPath, changes: &[LimitChange], undo: bool) -> String {
    let verb = if undo {
        "restored"
    } else {
        "written and read back"
    };
    match changes {
        [one] => format!(
            "{} {} → {} {verb}: {group}",
            one.file,
            limit_words(&one.before),
            limit_words(&one.after)
        ),
        many => format!("{} limits {verb}: {group}", many.len()),
    }
}
