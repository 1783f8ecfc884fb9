//! How the adjust dialog looks: choices, preview, what will be written, warnings.

use super::choice::{CHOICES, Choice};
use super::preview::{NAMED, preview};
use super::{AdjustDialog, Pinned, own_screen};
use crate::app::dialog::managed::ManagedUnit;
use crate::app::dialog::wrap::TOGETHER;
use crate::app::dialog::{DialogContext, DialogView, Section, drop_in, foreign};
use crate::app::input::id::ActionId as Id;
use crate::app::input::scope::KeyScope;
use crate::model::cgroup::CgroupPath;
use crate::model::process::protection::Protection;
use crate::model::process::score::OomScoreAdj;
use crate::text::format;
use crate::text::tone::{Line, Tone};

/// Most units whose restart is spoken of.
const UNITS: usize = 2;

/// Rows of the fullest dialog: list, badness, rank, next victim, and what makes the value last.
const RESERVED: u16 = 18;

pub(super) fn view(dialog: &AdjustDialog, context: &DialogContext<'_>) -> DialogView {
    let parsed = dialog.parsed();
    let label = if dialog.legacy {
        "legacy oom_adj"
    } else {
        "oom_score_adj"
    };
    let error = match &parsed {
        Err(error) if !dialog.value.text().is_empty() => Some(error.clone()),
        _ => None,
    };
    let mut view = DialogView {
        title: format!("Adjust {}", dialog.whom()),
        hints: hints(dialog, context),
        reserved: RESERVED,
        ..DialogView::default()
    }
    .text(vec![now_line(dialog, context)])
    .with(Section::Field {
        label,
        input: dialog.value.clone(),
        focused: true,
        note: None,
        error,
    });
    // The planned write goes here, where even the lowest screen shows it.
    if let Ok(value) = parsed {
        view = view.text(plan(dialog, value, context));
    }
    let end = dialog.end.map(|end| Line::of(Tone::Watch, end));
    view = view
        .text(end.into_iter().collect())
        .text(dialog.result.clone())
        .with(Section::Choices {
            items: choices(),
            selected: dialog.chosen,
            height: CHOICES.len(),
        })
        .text(scope_line(dialog));
    if let Some(unit) = dialog.service(context) {
        view = view.text(vec![dialog.later.line(&unit, context)]);
    }
    if let Ok(value) = parsed {
        view = view
            .text(preview(dialog, value, context))
            .text(warnings(dialog, value, context));
    }
    view
}

fn hints(dialog: &AdjustDialog, context: &DialogContext<'_>) -> Vec<(String, &'static str)> {
    let commit = if dialog.armed { "again" } else { "write" };
    let other = if dialog.legacy {
        "score_adj"
    } else {
        "oom_adj"
    };
    let hints = context.hints(KeyScope::Adjust);
    if context.living(dialog.targets()).is_empty() {
        return hints.leave();
    }
    hints
        .on(&[Id::Commit], commit)
        .on(&[Id::Up, Id::Down], "choose")
        .typed(&[], "0-9", "value")
        .on(&[Id::Legacy], other)
        .on_if(dialog.scopes.len() > 1, &[Id::Switch], "scope")
        .on_if(
            dialog.service(context).is_some(),
            &[Id::Lasting],
            "for later",
        )
        .on(&[Id::Rule], "rule")
        .leave()
}

fn now_line(dialog: &AdjustDialog, context: &DialogContext<'_>) -> Line {
    if dialog.targets().len() > 1 {
        return now_of_many(dialog, context);
    }
    let Some(process) = context.process(dialog.main.id) else {
        return Line::of(
            Tone::Critical,
            format!("{} has ended: nothing will be written to it.", dialog.main),
        );
    };
    let adj = process.adj.map_or_else(
        || "n/a".to_owned(),
        |a| format!("{a} ({})", Protection::from_adj(a).name()),
    );
    let user = context
        .cells
        .snapshot
        .user(process.uid)
        .map_or_else(|| process.uid.to_string(), str::to_owned);
    let mut line = Line::of(Tone::Dim, "now ")
        .add(Tone::Strong, adj)
        .add(Tone::Dim, "  user ")
        .add(Tone::Normal, user);
    if let Some(memory) = process.memory {
        let page = context.cells.rules.page_size;
        line.push(Tone::Dim, "  rss ");
        line.push(Tone::Normal, format::size(memory.rss * page));
        line.push(Tone::Dim, "  swap ");
        line.push(Tone::Normal, format::size(memory.swap * page));
    }
    line
}

/// What several targets have now: the range of their values, and their memory together.
fn now_of_many(dialog: &AdjustDialog, context: &DialogContext<'_>) -> Line {
    let living = context.living(dialog.targets());
    let adjs = || living.iter().filter_map(|(_, process)| process.adj);
    let adj = match (adjs().min(), adjs().max()) {
        (Some(least), Some(most)) if least == most => format!("{least} each"),
        (Some(least), Some(most)) => format!("{least} to {most}"),
        _ => return Line::of(Tone::Critical, "All of them have ended."),
    };
    let page = context.cells.rules.page_size;
    let memory = || living.iter().filter_map(|(_, process)| process.memory);
    let rss: u64 = memory().map(|memory| memory.rss).sum();
    let swap: u64 = memory().map(|memory| memory.swap).sum();
    Line::of(Tone::Dim, "now ")
        .add(Tone::Strong, adj)
        .add(Tone::Dim, "  rss in all ")
        .add(Tone::Normal, format::size(rss * page))
        .add(Tone::Dim, "  swap ")
        .add(Tone::Normal, format::size(swap * page))
}

fn choices() -> Vec<Line> {
    CHOICES
        .iter()
        .map(|choice| match choice {
            Choice::Level(protection) => {
                let level = protection.level();
                Line::of(Tone::Strong, format!("{:<14}", protection.name()))
                    .add(Tone::Normal, format!("{:>6}  ", level.value))
                    .add(Tone::Dim, format!("{:<13} ", level.range))
                    .add(Tone::Dim, level.meant_for)
            }
            Choice::Role(at) => {
                let (name, value) = Choice::role(*at)
                    .map_or(("", OomScoreAdj::ZERO), |role| (role.name, role.value));
                Line::of(Tone::Normal, format!("{name:<14}"))
                    .add(Tone::Normal, format!("{value:>6}  "))
                    .add(
                        Tone::Dim,
                        format!("role preset, level {}", Protection::from_adj(value).name()),
                    )
            }
        })
        .collect()
}

fn scope_line(dialog: &AdjustDialog) -> Vec<Line> {
    if dialog.scopes.len() < 2 {
        return Vec::new();
    }
    let mut line = Line::of(Tone::Dim, "scope ");
    for (at, scope) in dialog.scopes.iter().enumerate() {
        // A line may end between two scopes, not between a scope and how many it has.
        let name = scope.name.replace(' ', TOGETHER);
        let text = if scope.targets.len() > 1 {
            format!("{name}{TOGETHER}({})", scope.targets.len())
        } else {
            name
        };
        if at == dialog.scope {
            line.push(Tone::Accent, format!("[{text}]"));
        } else {
            line.push(Tone::Dim, format!(" {text} "));
        }
        line.push(Tone::Dim, " ");
    }
    vec![line]
}

fn plan(dialog: &AdjustDialog, value: OomScoreAdj, context: &DialogContext<'_>) -> Vec<Line> {
    let alive = context.living(dialog.targets());
    let gone = dialog.targets().len() - alive.len();
    let write = |target: &Pinned| format!("write {value} to /proc/{}/oom_score_adj", target.id.pid);
    let mut lines: Vec<Line> = alive
        .iter()
        .take(NAMED)
        .map(|(t, _)| Line::of(Tone::Strong, write(t)).add(Tone::Dim, format!("  ({})", t.name)))
        .collect();
    if alive.len() > NAMED {
        lines.push(Line::of(
            Tone::Dim,
            format!("… and {} more", alive.len() - NAMED),
        ));
    }
    let unit = dialog.service(context);
    match dialog.later.write(unit.as_ref(), value, context) {
        None => {}
        Some(Ok(write)) => lines.extend(drop_in::lines(&write)),
        Some(Err(missing)) => lines.push(Line::of(Tone::Watch, missing)),
    }
    if gone > 0 && dialog.targets().len() > 1 {
        lines.push(Line::of(
            Tone::Watch,
            format!("{gone} of them ended and will be left out"),
        ));
    }
    if dialog.armed {
        let key = context.keymap.name_in(KeyScope::Adjust, Id::Commit);
        let text = format!("Press {key} again to write it.");
        lines.push(Line::of(Tone::Critical, text));
    }
    if dialog.waiting.is_some() {
        lines.push(Line::of(Tone::Dim, "writing …"));
    }
    lines
}

fn warnings(dialog: &AdjustDialog, value: OomScoreAdj, context: &DialogContext<'_>) -> Vec<Line> {
    let mut lines = Vec::new();
    let host = context.host;
    let targets: Vec<_> = context
        .living(dialog.targets())
        .into_iter()
        .map(|(_, process)| process)
        .collect();
    let current = |adj: Option<OomScoreAdj>| adj.unwrap_or_default();
    if value == OomScoreAdj::IMMUNE {
        lines.push(Line::of(
            Tone::Watch,
            "-1000 is inherited by every child, and makes a leak unkillable: in a cgroup of its own it can hang the \
             whole group.",
        ));
    }
    lines.extend(own_screen::line(dialog, value, context));
    let mut units: Vec<CgroupPath> = targets
        .iter()
        .filter_map(|p| Some(context.cells.snapshot.cgroup(p.cgroup?)?.path.clone()))
        .collect();
    units.sort_unstable();
    units.dedup();
    let named = units
        .iter()
        .filter_map(|path| ManagedUnit::of(path, context));
    let mut kept: Vec<Line> = named.filter_map(|unit| unit.adjust_line(value)).collect();
    kept.dedup_by_key(|line| line.plain());
    kept.retain(|_| dialog.later.is_off());
    lines.extend(kept.into_iter().take(UNITS));
    let lowered = targets.iter().find(|p| value < current(p.adj));
    // Once it has been refused, the result says why.
    let is_refused = !dialog.result.is_empty();
    if let Some(pid) = lowered.map(|p| p.id.pid)
        && !host.may_lower_adj
    {
        let expose = context.keymap.key(Id::Incident);
        lines.push(if is_refused {
            Line::of(Tone::Watch, format!("Without it: expose the one that leaks: {expose} on it"))
        } else {
            Line::of(Tone::Watch, "Lowering may be refused: below the value it inherited only CAP_SYS_RESOURCE may go (uid 0 is not enough). With it: ")
                .add(Tone::Strong, host.command_user.as_root(&format!("choom -p {pid} -n {value}")))
                .add(Tone::Watch, format!("; or expose the one that leaks: {expose} on it"))
        });
    }
    if !is_refused {
        lines.extend(foreign::line(targets.iter().copied(), context));
    }
    if targets.iter().any(|p| p.kernel_thread || p.global_init) {
        lines.push(Line::of(Tone::Watch, "The kernel never kills this process: the value has no effect on it, only on what it starts."));
    }
    if context.settings.read_only {
        lines.push(Line::of(
            Tone::Watch,
            "oomtop is read-only: nothing can be written.",
        ));
    }
    lines
}
