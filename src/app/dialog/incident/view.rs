//! How the incident dialog looks: what is offered, the plan, what it does and does not do.

use super::IncidentDialog;
use super::notes::{notes, whom};
use super::offer::{Offers, freezer_of, group_at, living, members};
use super::plan::plans;
use super::remedy::{Remedy, SHARES};
use crate::app::dialog::cgroup::steps::{result_lines, step_text};
use crate::app::dialog::{DialogContext, DialogView, Section, foreign};
use crate::app::input::id::ActionId as Id;
use crate::app::input::scope::KeyScope;
use crate::model::process::Process;
use crate::text::format::{long_size, number_of, part_of};
use crate::text::tone::{Line, Tone};
use crate::text::wording;

/// Rows of the fullest dialog.
const RESERVED: u16 = 20;

/// Most steps and results shown one by one.
const SHOWN: usize = 4;

pub(super) fn view(dialog: &IncidentDialog, context: &DialogContext<'_>) -> DialogView {
    let offers = Offers::of(dialog, context);
    let remedy = dialog.remedy(&offers);
    let mut view = DialogView {
        title: title(dialog),
        hints: hints(dialog, remedy, offers.list().len(), context),
        steady: true,
        reserved: RESERVED,
        scroll: dialog.scroll,
        ..DialogView::default()
    };
    if dialog.insisted {
        view = view.text(question(dialog, remedy, context).into_iter().collect());
    }
    view = view.text(now(dialog, context));
    let list = offers.list();
    if !list.is_empty() {
        view = view.with(Section::Choices {
            items: list.iter().map(|one| item(*one, dialog, context)).collect(),
            selected: remedy.and_then(|chosen| list.iter().position(|one| *one == chosen)),
            height: list.len(),
        });
    }
    if let Some(remedy) = remedy.filter(|remedy| remedy.takes_amount()) {
        view = view.with(amount(dialog, remedy, context));
    }
    view = view.gap();
    if dialog.waiting.is_some() {
        view = view.text(vec![Line::of(Tone::Dim, "working …")]);
    } else if let Some(remedy) = remedy {
        view = view.text(plan_lines(dialog, remedy, context));
    }
    view.text(result(dialog)).text(missing(dialog, &offers))
}

fn title(dialog: &IncidentDialog) -> String {
    match (&dialog.group, &dialog.target) {
        (Some(group), _) => format!("Incident in {}", wording::short_group(group.as_str())),
        (None, Some(target)) => format!("Incident: {target}"),
        (None, None) => "Incident".to_owned(),
    }
}

fn hints(
    dialog: &IncidentDialog,
    remedy: Option<Remedy>,
    offered: usize,
    context: &DialogContext<'_>,
) -> Vec<(String, &'static str)> {
    let hints = context.hints(KeyScope::Incident);
    if dialog.waiting.is_some() {
        return hints.leave();
    }
    let commit = match remedy {
        None => "close",
        Some(remedy) if remedy.is_asked_twice(dialog.members(context)) && !dialog.insisted => {
            "do it (asks again)"
        }
        Some(_) => "do it",
    };
    let hints = hints.on_if(remedy.is_some() || !dialog.untouched, &[Id::Commit], commit);
    // Nothing is chosen where there is nothing, and one thing is chosen already.
    let hints = if offered > 1 {
        hints.typed(&[Id::Up, Id::Down], "a letter", "choose")
    } else {
        hints
    };
    hints
        .on_if(
            remedy.is_some_and(Remedy::takes_amount),
            &[Id::Switch],
            "how much",
        )
        .leave()
}

/// The group and the process as they are.
fn now(dialog: &IncidentDialog, context: &DialogContext<'_>) -> Vec<Line> {
    let snapshot = context.cells.snapshot;
    let mut lines = Vec::new();
    if let Some(path) = &dialog.group {
        let mut line = Line::of(Tone::Strong, path.to_string());
        let group = group_at(path, snapshot);
        if let Some(usage) = group.and_then(|group| group.usage) {
            let limit = group.and_then(|group| group.limits.nearest());
            let uses = limit.map_or_else(|| long_size(usage), |limit| part_of(usage, limit));
            line.push(Tone::Dim, "  uses ");
            line.push(Tone::Normal, uses);
        }
        match &dialog.survey {
            None => line.push(Tone::Dim, "  looking at it …"),
            Some(Err(_)) => {}
            Some(Ok(survey)) => {
                let count = number_of(survey.members as u64, "process", "processes");
                line.push(Tone::Dim, format!(", {count}"));
            }
        }
        if let Some(state) = freezer_of(dialog).filter(|state| state.is_stopped()) {
            line.push(Tone::Critical, format!("  {}", state.name()));
        }
        lines.push(line);
    }
    if let Some(Err(reason)) = &dialog.survey {
        lines.push(Line::of(Tone::Critical, reason.clone()));
    }
    if let Some(target) = &dialog.target {
        lines.push(match living(dialog, context) {
            Some(process) => Line::of(Tone::Strong, target.to_string())
                .add(Tone::Dim, "  uses ")
                .add(Tone::Normal, size_of(process, context))
                .add(Tone::Dim, format!(", {}", process.state.name())),
            None => Line::of(Tone::Dim, format!("{target} has ended")),
        });
    }
    lines
}

fn size_of(process: &Process, context: &DialogContext<'_>) -> String {
    long_size(
        process
            .charged_pages()
            .saturating_mul(context.cells.rules.page_size),
    )
}

fn item(remedy: Remedy, dialog: &IncidentDialog, context: &DialogContext<'_>) -> Line {
    let target = dialog.target.as_ref().map(ToString::to_string);
    let target = target.unwrap_or_default();
    let effect = match remedy {
        Remedy::Freeze => match dialog.members(context) {
            0 | 1 => "freezes it; its memory stays".to_owned(),
            many => format!("freezes all {many} processes; their memory stays"),
        },
        Remedy::Thaw => "all of it continues".to_owned(),
        Remedy::Raise => "room for a while".to_owned(),
        Remedy::Reclaim => "drop page cache, swap out; kills nobody".to_owned(),
        Remedy::Expose => {
            let whom = dialog.leaker.as_ref().map(ToString::to_string);
            format!("let {} die before the others", whom.unwrap_or_default())
        }
        Remedy::Stop => format!("{target} stands still; its memory stays"),
        Remedy::Continue => format!("{target} continues"),
        Remedy::Reap => format!("end {target} and take its memory at once"),
        Remedy::KillGroup => {
            let count = dialog.members(context) as u64;
            format!("end {}", number_of(count, "process", "processes"))
        }
    };
    Line::of(Tone::Accent, format!("{} ", remedy.letter()))
        .add(Tone::Strong, format!("{:<12}", remedy.name()))
        .add(Tone::Dim, effect)
}

fn amount(dialog: &IncidentDialog, remedy: Remedy, context: &DialogContext<'_>) -> Section {
    let now = SHARES.get(dialog.amount.share).copied().unwrap_or(10);
    let typed = !dialog.amount.typed.text().is_empty();
    let note = match (remedy, typed) {
        (Remedy::Raise, true) => "the new limit; +512M or 25% on top of the present one".to_owned(),
        (_, true) => "how much; 25% of what is in use".to_owned(),
        (Remedy::Raise, false) => format!("+{now} %; type another, or a size"),
        (_, false) => format!("{now} %; type another, or a size"),
    };
    let error = plans(dialog, remedy, context).err().filter(|_| typed);
    Section::Field {
        label: if remedy == Remedy::Raise {
            "raise to"
        } else {
            "how much"
        },
        input: dialog.amount.typed.clone(),
        focused: true,
        note: error.is_none().then_some(note),
        error,
    }
}

fn plan_lines(dialog: &IncidentDialog, remedy: Remedy, context: &DialogContext<'_>) -> Vec<Line> {
    let plans = match plans(dialog, remedy, context) {
        Ok(plans) => plans,
        Err(missing) => return vec![Line::of(Tone::Watch, missing)],
    };
    let steps: Vec<_> = plans.iter().flat_map(|plan| &plan.steps).collect();
    let number = |(at, step): (usize, &&crate::model::plan::step::Step)| {
        Line::of(Tone::Dim, format!("{}. ", at + 1)).add(Tone::Normal, step_text(step))
    };
    let mut lines: Vec<_> = steps.iter().take(SHOWN).enumerate().map(number).collect();
    if steps.len() > SHOWN {
        lines.push(Line::of(
            Tone::Dim,
            format!("… and {} more", steps.len() - SHOWN),
        ));
    }
    let processes = steps
        .iter()
        .flat_map(|step| step.processes())
        .filter_map(|id| context.process(*id));
    lines.extend(foreign::line(processes, context));
    lines.extend(notes(dialog, remedy, context));
    lines
}

/// The second question, above everything else.
fn question(
    dialog: &IncidentDialog,
    remedy: Option<Remedy>,
    context: &DialogContext<'_>,
) -> Option<Line> {
    let path = dialog.group.as_ref()?;
    let count = members(path, context.cells.snapshot).count();
    let used: u64 = members(path, context.cells.snapshot)
        .map(Process::charged_pages)
        .sum();
    let used = long_size(used.saturating_mul(context.cells.rules.page_size));
    let key = context.keymap.name_in(KeyScope::Incident, Id::Commit);
    let all = number_of(count as u64, "process", "processes");
    let what = if remedy == Some(Remedy::Freeze) {
        format!(
            "{all} with {used} will stand still, whoever needs them. Press {key} again to freeze all of {path}"
        )
    } else {
        let whom = whom(dialog, context);
        format!("{whom} {all} with {used}. Press {key} again to kill all of {path}")
    };
    let text = format!("{what}; any other key cancels.");
    Some(Line::of(Tone::Critical, text))
}

fn result(dialog: &IncidentDialog) -> Vec<Line> {
    let mut lines: Vec<_> = dialog
        .result
        .iter()
        .flat_map(result_lines)
        .take(SHOWN)
        .collect();
    if dialog.result.len() > SHOWN {
        let failed = dialog.result.iter().filter(|plan| plan.failure().is_some());
        let (all, failed) = (dialog.result.len(), failed.count());
        lines.push(Line::of(
            Tone::Dim,
            format!("in all {all}, {failed} failed"),
        ));
    }
    lines
}

/// What is not offered, and why.
fn missing(dialog: &IncidentDialog, offers: &Offers) -> Vec<Line> {
    if dialog.survey.is_none() {
        return Vec::new();
    }
    let line = |text: &String| Line::of(Tone::Dim, format!("not here: {text}"));
    offers.missing.iter().map(line).collect()
}
