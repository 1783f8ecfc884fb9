//! How the cgroup dialog looks: the group, the plan, what it will and will not do.

use super::steps::step_text;
use super::{CgroupDialog, Mode, change, company, halves, leaving, oomd, risk};
use crate::app::dialog::managed::ManagedUnit;
use crate::app::dialog::{DialogContext, DialogView, Section};
use crate::app::input::id::ActionId as Id;
use crate::app::input::scope::KeyScope;
use crate::app::msg::GroupChoice;
use crate::model::cgroup::CgroupVersion;
use crate::model::cgroup::limits::{LimitFile, LimitPatch, LimitValue};
use crate::model::plan::step::{CgroupStep, Step};
use crate::model::process::Process;
use crate::text::format;
use crate::text::tone::{Line, Tone};

/// Rows of the list of groups.
const LIST_HEIGHT: usize = 8;

/// Rows of a dialog with a limit: fields, plan, forecast, and what becomes of a unit.
const RESERVED: u16 = 24;

pub(super) fn view(dialog: &CgroupDialog, context: &DialogContext<'_>) -> DialogView {
    let mut view = DialogView {
        title: title(dialog),
        hints: hints(dialog, context),
        reserved: RESERVED,
        scroll: dialog.scroll,
        ..DialogView::default()
    }
    .text(risk::question(dialog, context).into_iter().collect())
    .text(vec![match dialog.mode {
        Mode::Limits | Mode::Oomd => group_now(dialog, context),
        Mode::Create | Mode::Move if dialog.is_for_many() => company::now_of_many(dialog, context),
        Mode::Create | Mode::Move => now_line(dialog, context),
    }]);
    if dialog.version == CgroupVersion::None {
        return view.text(vec![Line::of(
            Tone::Watch,
            "No memory controller is mounted here, so there is no group to move into. Look at /sys/fs/cgroup, or name \
             the place with --cgroup.",
        )]);
    }
    if !dialog.done {
        view = match dialog.mode {
            Mode::Create => halves::create_half(dialog, view, context),
            Mode::Move => move_half(dialog, view),
            Mode::Limits => halves::limits_half(dialog, view, context),
            Mode::Oomd => oomd::half(dialog, view, context),
        };
        if dialog.mode.moves() {
            let whom = dialog.whom.line(context).into_iter();
            view = view.text(whom.chain(dialog.whom.left_out()).collect());
        }
        view = view.gap().text(plan(dialog, context));
        view = view.text(warnings(dialog, context));
    }
    view.text(leaving::results(dialog))
        .text(company::newcomers(dialog, context).into_iter().collect())
}

fn title(dialog: &CgroupDialog) -> String {
    match (dialog.mode, &dialog.group) {
        (Mode::Limits, Some(group)) => format!("Limits of {}", group.name()),
        (Mode::Oomd, Some(group)) => format!("systemd-oomd and {}", group.name()),
        _ => dialog
            .whose()
            .map_or_else(|| "Cgroup".to_owned(), |whose| format!("Cgroup of {whose}")),
    }
}

fn hints(dialog: &CgroupDialog, context: &DialogContext<'_>) -> Vec<(String, &'static str)> {
    let hints = context.hints(KeyScope::Cgroup);
    if dialog.done {
        let mut hints = hints.on(&[Id::Commit], "close").list();
        // Undo is a key of the panes, not of this dialog.
        hints.push((context.keymap.key(Id::Undo), "undo (after closing)"));
        return hints;
    }
    if dialog.mode.moves() && dialog.living(context).is_empty() {
        let next = dialog.next_mode(context);
        return hints
            .on_if(next == Mode::Limits, &[Id::Switch], "limits")
            .leave();
    }
    let commit = if dialog.insisted {
        "do it all the same"
    } else {
        "do it"
    };
    let next = dialog.next_mode(context);
    let other = match next {
        Mode::Move => "existing group",
        Mode::Create => "new group",
        Mode::Limits => "limits",
        Mode::Oomd => "systemd-oomd",
    };
    hints
        .on(&[Id::Commit], commit)
        .on(&[Id::Up, Id::Down], "choose")
        .on_if(next != dialog.mode, &[Id::Switch], other)
        .on_if(
            dialog.whom.is_choice() && dialog.mode.moves(),
            &[Id::Whom],
            "whom",
        )
        .on_if(dialog.unit(context).is_some(), &[Id::Lasting], "by whom")
        .leave()
}

/// The process, while it lives.
fn process<'a>(dialog: &CgroupDialog, context: &DialogContext<'a>) -> Option<&'a Process> {
    let target = dialog.target.as_ref()?;
    context.cells.snapshot.process(target.id)
}

/// The group whose limits change, and how full it is.
fn group_now(dialog: &CgroupDialog, context: &DialogContext<'_>) -> Line {
    let Some(path) = &dialog.group else {
        return Line::of(Tone::Watch, "its group is not known");
    };
    let line = Line::of(Tone::Dim, "limits of ")
        .add(Tone::Strong, path.as_str())
        .add(
            Tone::Dim,
            format!("  ({})  the group uses ", dialog.version.name()),
        );
    let group = change::group_at(path, context.cells.snapshot);
    let used = group.and_then(|group| group.usage);
    let line = line.add(
        Tone::Normal,
        used.map_or_else(|| "n/a".to_owned(), format::long_size),
    );
    match group.and_then(|group| group.stat) {
        Some(stat) if stat.droppable() > 0 => line.add(
            Tone::Dim,
            format!(", {} of it page cache", format::long_size(stat.droppable())),
        ),
        _ => line,
    }
}

fn now_line(dialog: &CgroupDialog, context: &DialogContext<'_>) -> Line {
    let Some(process) = process(dialog, context) else {
        let who = dialog.target.as_ref().map(ToString::to_string);
        return Line::of(
            Tone::Critical,
            format!(
                "{} has ended: nothing will be done.",
                who.unwrap_or_default()
            ),
        );
    };
    let from = dialog
        .from
        .as_ref()
        .map_or_else(|| "n/a".to_owned(), ToString::to_string);
    let used = process.charged_pages() * context.cells.rules.page_size;
    let who = dialog.target.as_ref().map(ToString::to_string);
    Line::of(Tone::Strong, who.unwrap_or_default())
        .add(Tone::Dim, " uses ")
        .add(Tone::Normal, format::long_size(used))
        .add(Tone::Dim, ", now in ")
        .add(Tone::Strong, from)
        .add(Tone::Dim, format!("  ({})", dialog.version.name()))
}

fn move_half(dialog: &CgroupDialog, view: DialogView) -> DialogView {
    let view = view.with(Section::Field {
        label: "find",
        input: dialog.search.clone(),
        focused: true,
        note: None,
        error: None,
    });
    match &dialog.groups {
        None => view.text(vec![Line::of(Tone::Dim, "reading the groups …")]),
        Some(Err(reason)) => view.text(vec![Line::of(Tone::Critical, reason.clone())]),
        Some(Ok(_)) => {
            let matching = dialog.matching();
            let items: Vec<_> = matching.iter().map(|g| group_line(g)).collect();
            let count = format::number_of(items.len() as u64, "group", "groups");
            view.with(Section::Choices {
                items,
                selected: Some(dialog.chosen),
                height: LIST_HEIGHT,
            })
            .text(vec![Line::of(Tone::Dim, count)])
        }
    }
}

fn group_line(group: &GroupChoice) -> Line {
    let mut line = Line::of(Tone::Strong, group.path.to_string());
    let usage = group.usage.map(format::size);
    match (usage, group.limit) {
        (Some(usage), Some(limit)) => {
            line.push(Tone::Dim, format!("  {usage} of {}", format::size(limit)));
        }
        (Some(usage), None) => line.push(Tone::Dim, format!("  {usage}, no limit")),
        (None, Some(limit)) => line.push(Tone::Dim, format!("  limit {}", format::size(limit))),
        (None, None) => {}
    }
    line
}

fn plan(dialog: &CgroupDialog, context: &DialogContext<'_>) -> Vec<Line> {
    if dialog.waiting.is_some() {
        return vec![Line::of(Tone::Dim, "working …")];
    }
    match dialog.whole_plan(context) {
        Ok(plan) => {
            let number = |(at, step): (usize, &Step)| {
                Line::of(Tone::Dim, format!("{}. ", at + 1)).add(Tone::Normal, step_text(step))
            };
            let is_move = |step: &&Step| matches!(step, Step::Cgroup(CgroupStep::Move(..)));
            let listed = if dialog.is_for_many() && dialog.mode.moves() {
                plan.destination()
            } else {
                None
            };
            let steps = plan
                .steps
                .iter()
                .filter(|step| listed.is_none() || !is_move(step));
            let mut lines: Vec<_> = steps.enumerate().map(number).collect();
            let moves = plan.steps.iter().filter(is_move).count();
            if let Some(to) = listed {
                if moves > 0 {
                    let file = to.as_str().trim_end_matches('/');
                    let count = format::number_of(moves as u64, "pid", "pids");
                    let text = format!("write {count} to {file}/cgroup.procs, one by one");
                    let at = Line::of(Tone::Dim, format!("{}. ", lines.len() + 1));
                    lines.push(at.add(Tone::Normal, text));
                }
                lines.extend(company::list(dialog, to, context));
            }
            lines
        }
        Err(missing) => vec![Line::of(Tone::Watch, missing)],
    }
}

fn warnings(dialog: &CgroupDialog, context: &DialogContext<'_>) -> Vec<Line> {
    if dialog.mode == Mode::Oomd {
        let lines = oomd::warnings(dialog, context).into_iter();
        return lines.chain(read_only(context)).collect();
    }
    if dialog.mode == Mode::Limits {
        let mut lines = {
            // Whose group it is.
            let main: Vec<_> = process(dialog, context).into_iter().collect();
            super::outlook::lines(dialog, &main, context)
        };
        let patch = super::typed::patch(&dialog.changes).unwrap_or_default();
        lines.extend(throttle_line(&patch, context));
        lines.extend(own_line(dialog, context));
        let unit = dialog.unit(context);
        let note = unit.and_then(|unit| dialog.by.note(&unit));
        let past = || {
            let unit = ManagedUnit::of(dialog.group.as_ref()?, context)?;
            Some(unit.limits_line(&patch, dialog.version))
        };
        lines.extend(note.or_else(past));
        lines.extend(read_only(context));
        return lines;
    }
    let processes = dialog.living(context);
    if processes.is_empty() {
        return Vec::new();
    }
    let mut lines = Vec::new();
    if let Some(process) = processes.iter().find(|process| risk::is_init(process)) {
        lines.push(Line::of(
            Tone::Critical,
            format!(
                "pid {} runs this machine or container: if a limit kills it, everything ends.",
                process.id.pid
            ),
        ));
    }
    lines.extend(own_line(dialog, context));
    let used = company::used(&processes, context);
    let prospects = super::prospects::prospects_of(dialog, context);
    let counts = if prospects.is_some_and(|limits| !limits.is_empty()) {
        "; the new limit counts only what comes from now on"
    } else {
        ""
    };
    lines.push(Line::of(
        Tone::Dim,
        format!(
            "Memory already charged ({}) stays with the old group{counts}.",
            format::size(used)
        ),
    ));
    lines.extend(super::outlook::lines(dialog, &processes, context));
    lines.extend(leaving::limits_left(dialog, &processes, context));
    if dialog.mode == Mode::Create {
        let patch = super::typed::patch(&dialog.limits).unwrap_or_default();
        lines.extend(throttle_line(&patch, context));
    }
    lines.extend(leaving::units_left(dialog, &processes, context));
    lines.extend(read_only(context));
    lines
}

/// That the write can end oomtop itself, until the question at the top says it.
fn own_line(dialog: &CgroupDialog, context: &DialogContext<'_>) -> Option<Line> {
    let why = risk::holds_own(dialog, context).filter(|_| !dialog.insisted);
    why.map(|why| Line::of(Tone::Critical, why))
}

/// What `memory.high` does where nothing can be swapped out.
fn throttle_line(patch: &LimitPatch, context: &DialogContext<'_>) -> Option<Line> {
    let sets_high = patch
        .iter()
        .any(|(file, value)| file == LimitFile::High && value != LimitValue::Unlimited);
    let has_swap = context.cells.snapshot.memory.swap_free > 0;
    (sets_high && !has_swap).then(|| {
        Line::of(
            Tone::Watch,
            format!(
                "No swap is free: a group above {} with no page cache to drop is slowed down without end, and nothing \
                 kills it. Set {} a little above it as well.",
                LimitFile::High.name(),
                LimitFile::hard_limit(CgroupVersion::V2).name()
            ),
        )
    })
}

fn read_only(context: &DialogContext<'_>) -> Option<Line> {
    context
        .settings
        .read_only
        .then(|| Line::of(Tone::Watch, "oomtop is read-only: nothing can be done."))
}
