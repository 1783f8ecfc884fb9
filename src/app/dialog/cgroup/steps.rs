//! The steps of a plan in words: what will be written, and the result.

use crate::model::cgroup::limits::LimitValue;
use crate::model::freezer::FreezerState;
use crate::model::plan::inverse::took_effect;
use crate::model::plan::receipt::{PlanReceipt, Reading, StepReceipt};
use crate::model::plan::step::{CgroupStep, LimitWrite, ScopeStart, Step, UnitLimit, UnitStep};
use crate::model::rules::own::RuleEdit;
use crate::model::systemd::oomd::UnitOomd;
use crate::model::systemd::{Kept, UnitLimitReading};
use crate::text::deeds;
use crate::text::format;
use crate::text::tone::{Line, Tone};
use crate::text::wording;

/// A step as an administrator would type it.
pub(in crate::app) fn step_text(step: &Step) -> String {
    match step {
        Step::Adj { target, value } => {
            format!("write {value} to /proc/{}/oom_score_adj", target.pid)
        }
        Step::Rule(edit) => rule_text(edit),
        Step::Signal { target, signal } => format!("send SIG{} to {}", signal.name, target.pid),
        Step::Stop { target, stop: true } => format!("send SIGSTOP to {}", target.pid),
        Step::Stop {
            target,
            stop: false,
        } => format!("send SIGCONT to {}", target.pid),
        Step::Reap { target } => {
            format!(
                "send SIGKILL to {}, then take its memory (process_mrelease)",
                target.pid
            )
        }
        Step::Cgroup(CgroupStep::Freeze(path, true)) => {
            format!("freeze {path} with all its processes")
        }
        Step::Cgroup(CgroupStep::Freeze(path, false)) => format!("thaw {path}"),
        Step::Cgroup(CgroupStep::Reclaim(path, bytes)) => format!(
            "write {bytes} ({}) to {}/memory.reclaim",
            format::long_size(*bytes),
            path.as_str().trim_end_matches('/')
        ),
        Step::Cgroup(CgroupStep::Kill(path)) => format!("kill all processes of {path}"),
        Step::Cgroup(CgroupStep::EnableMemory(path)) => {
            format!("let {path} share out memory (cgroup.subtree_control +memory)")
        }
        Step::Cgroup(CgroupStep::DisableMemory(path)) => {
            format!("let {path} share out no memory (cgroup.subtree_control -memory)")
        }
        Step::Cgroup(CgroupStep::Create(path)) => format!("make the group {path}"),
        Step::Cgroup(CgroupStep::Limit(path, write)) => format!(
            "write {} to {}/{}",
            value(*write),
            path.as_str().trim_end_matches('/'),
            write.file.name()
        ),
        Step::Cgroup(CgroupStep::Move(id, path)) => format!(
            "write {} to {}/cgroup.procs",
            id.pid,
            path.as_str().trim_end_matches('/')
        ),
        Step::Cgroup(CgroupStep::Remove(path)) => format!("remove the empty group {path}"),
        Step::Unit(UnitStep::Limit(limit)) => unit_limit(limit),
        Step::Unit(UnitStep::Oomd(oomd)) => unit_oomd(oomd),
        Step::Unit(UnitStep::Scope(scope)) => scope_text(scope),
        Step::Unit(UnitStep::DropIn(write)) => {
            let does = if write.text.is_some() {
                "write"
            } else {
                "remove"
            };
            format!("{does} {}, then daemon-reload", write.path())
        }
    }
}

/// As `systemctl set-property` would do it.
fn unit_limit(limit: &UnitLimit) -> String {
    let UnitLimit {
        unit,
        write,
        lasting,
        leave,
        ..
    } = limit;
    let property = write.file.row().systemd.unwrap_or(write.file.name());
    let value = match write.value {
        LimitValue::Unlimited => "infinity".to_owned(),
        _ => value(*write),
    };
    let set = format!("let systemd set {property}={value} of {unit}");
    let Some(left) = leave else {
        return format!("{set}, {}", lasting.until(unit));
    };
    let mut back = vec![format!("{set}, as before")];
    if left.shown != write.value {
        let past = LimitWrite {
            value: left.shown,
            ..*write
        };
        back.push(format!(
            "write {} to its {} past systemd",
            self::value(past),
            write.file.name()
        ));
    }
    if left.kept != Kept::File {
        back.push("remove what it keeps of the new value".to_owned());
    }
    back.join(", and ")
}

fn unit_oomd(oomd: &UnitOomd) -> String {
    let UnitOomd {
        unit,
        setting,
        value,
        lasting,
        leave,
        ..
    } = oomd;
    let set = format!("let systemd set {setting}={value} of {unit}");
    match leave {
        None => format!("{set}, {}", lasting.until(unit)),
        Some(Kept::File) => format!("{set}, as before"),
        Some(_) => format!("{set}, as before, and remove what it keeps of the new value"),
    }
}

/// As `systemd-run --scope` would do it.
fn scope_text(scope: &ScopeStart) -> String {
    let limits = scope.limits.iter().map(|write| {
        let property = write.file.row().systemd.unwrap_or(write.file.name());
        match write.value {
            LimitValue::Unlimited => format!("{property}=infinity"),
            _ => format!("{property}={}", value(*write)),
        }
    });
    let limits: Vec<_> = limits.collect();
    let with = if limits.is_empty() {
        String::new()
    } else {
        format!(" with {}", limits.join(", "))
    };
    format!(
        "let systemd start {} in {} with {}{with}",
        scope.unit,
        scope.slice,
        wording::pids(&scope.targets)
    )
}

fn rule_text(edit: &RuleEdit) -> String {
    let lines = edit.block.lines().map(str::trim);
    let keys = lines.filter(|line| !line.is_empty() && !line.starts_with(['#', '[']));
    let keys = keys.collect::<Vec<_>>().join(", ");
    if edit.add {
        format!("add to {}: {keys}", edit.path)
    } else {
        format!("take out of {}: {keys}", edit.path)
    }
}

/// A byte count, followed by its size in words.
fn value(write: LimitWrite) -> String {
    match write.value.amount() {
        Some(bytes) if bytes >= 1024 => format!("{bytes} ({})", format::long_size(bytes)),
        _ => write.text(),
    }
}

/// The value that was found or read back, as the file shows it.
fn reading_text(step: &Step, reading: &Reading) -> Option<String> {
    match (reading, step) {
        (Reading::Limit(value), Step::Cgroup(CgroupStep::Limit(_, write))) => {
            Some(limit_text(*write, *value))
        }
        (
            Reading::UnitLimit(UnitLimitReading { shown, .. }),
            Step::Unit(UnitStep::Limit(UnitLimit { write, .. })),
        ) => Some(limit_text(*write, *shown)),
        (Reading::UnitOomd(oomd), _) if oomd.is_pending => Some(format!(
            "{}, which systemd writes to the group when the unit starts again: until then systemd-oomd does not see it",
            oomd.value
        )),
        (Reading::UnitOomd(oomd), _) => Some(oomd.value.to_string()),
        (Reading::DropInUnread(_), _) => {
            Some("systemd has not said yet that it has loaded it".to_owned())
        }
        (Reading::Adj(adj), _) => Some(adj.to_string()),
        (Reading::Rule(found), _) => {
            let word = if found.is_there {
                "it is there"
            } else {
                "it is gone"
            };
            Some(word.to_owned())
        }
        (Reading::Group(path) | Reading::Home(path, _), _) => Some(path.to_string()),
        (Reading::Controllers(list), _) => Some(list.clone()),
        (Reading::Freezer(state), _) => Some(match state {
            FreezerState::Freezing => {
                "freezing: a task still waits in the kernel and stops when it comes out".to_owned()
            }
            state => state.name().to_owned(),
        }),
        (Reading::Reclaimed(back), Step::Cgroup(CgroupStep::Reclaim(_, asked))) => {
            Some(deeds::reclaimed(*asked, *back))
        }
        (Reading::Members(0), _) => Some("the group is empty".to_owned()),
        (Reading::Members(left), _) => Some(format!("{left} not gone yet")),
        (Reading::Reaped(how), _) => Some(deeds::reaped(*how).to_owned()),
        (Reading::Came(all), _) => {
            let came = all.iter().filter(|(_, came)| came.is_ok()).count();
            Some(format!("{came} of {} have come", all.len()))
        }
        (
            Reading::Nothing
            | Reading::DropIn(_)
            | Reading::UnitLimit(_)
            | Reading::Homes(_)
            | Reading::Limits(_)
            | Reading::Limit(_)
            | Reading::Reclaimed(_),
            _,
        ) => None,
    }
}

fn limit_text(write: LimitWrite, value: LimitValue) -> String {
    let words = wording::limit(write.file, value);
    match value {
        // The exact number too, as in the step.
        LimitValue::Amount(bytes) if words != "no limit" && bytes >= 1024 => {
            format!("{bytes} ({words})")
        }
        _ => words,
    }
}

/// The result of each step that was tried. A failed plan says of each step before the failure whether it was taken
/// back.
pub(in crate::app::dialog) fn result_lines(plan: &PlanReceipt) -> Vec<Line> {
    let line = |(at, receipt): (usize, &StepReceipt)| match plan.way_back(at) {
        None => result_line(receipt),
        Some(Ok(())) => Line::of(Tone::Dim, "taken back  ")
            .add(Tone::Normal, step_text(&receipt.step))
            .add(Tone::Normal, why_not(receipt)),
        Some(Err(why)) => Line::of(Tone::Critical, "done, not taken back  ")
            .add(Tone::Normal, step_text(&receipt.step))
            .add(Tone::Normal, why_not(receipt))
            .add(Tone::Critical, format!("; {}", why.sentence)),
    };
    let steps = plan.steps.iter().enumerate();
    let mut lines: Vec<_> = steps
        .flat_map(|step| std::iter::once(line(step)).chain(stayed_lines(step.1)))
        .collect();
    let wrote = plan.steps.iter().any(took_effect);
    let failure = plan.failure().map(|failure| failure.kind);
    let is_nothing = failure.is_some_and(|kind| !kind.may_have_written());
    if is_nothing && plan.steps.len() == 1 && !wrote {
        lines.push(Line::of(Tone::Normal, "Nothing was written."));
    }
    lines
}

/// Who of several processes has not come along, and why.
fn stayed_lines(receipt: &StepReceipt) -> Vec<Line> {
    let Ok(Reading::Came(all)) = &receipt.outcome else {
        return Vec::new();
    };
    let stayed = all
        .iter()
        .filter_map(|(id, came)| Some((id, came.as_ref().err()?)));
    stayed
        .map(|(id, why)| {
            Line::of(Tone::Critical, format!("failed  {}", id.pid))
                .add(Tone::Critical, format!(": {}", why.sentence))
        })
        .collect()
}

/// Why a step that has done something counts as failed.
fn why_not(receipt: &StepReceipt) -> String {
    let failure = receipt.failure();
    failure.map_or_else(String::new, |failure| format!(": {}", failure.sentence))
}

fn result_line(receipt: &StepReceipt) -> Line {
    let step = &receipt.step;
    match &receipt.outcome {
        Ok(read_back) => {
            let now = reading_text(step, read_back).map(|text| format!("  → {text}"));
            // The dialog already shows the old group of a process.
            let before = match &receipt.before {
                Reading::UnitOomd(before) => Some(before.value.to_string()),
                before if before.limit().is_some() => reading_text(step, before),
                _ => None,
            };
            let before = before.map(|text| format!(", was {text}"));
            Line::of(Tone::Good, "done  ")
                .add(Tone::Normal, step_text(step))
                .add(Tone::Dim, now.unwrap_or_default())
                .add(Tone::Dim, before.unwrap_or_default())
        }
        Err(failure) => Line::of(Tone::Critical, "failed  ")
            .add(Tone::Normal, step_text(step))
            .add(Tone::Critical, format!(": {}", failure.sentence)),
    }
}
