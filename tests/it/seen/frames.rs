//! What a person saw, and whether a write fits it.

use crate::common::sight::{are_named, dense, dialog};
use oomtop::app::view::layout::Panes;
use oomtop::model::plan::Plan;
use oomtop::model::plan::step::{CgroupStep, Step, UnitStep};
use ratatui::buffer::Buffer;
use ratatui::style::Modifier;

/// What a person saw: the text of a frame, its dialog, and the row that was highlighted.
#[derive(Clone, Default)]
pub(super) struct Frame {
    pub(super) text: String,
    /// The text inside the frame of the dialog in front, without line ends.
    pub(super) dialog: Option<String>,
    pub(super) highlighted: String,
}

impl Frame {
    pub(super) fn of(buffer: &Buffer, panes: &Panes) -> Self {
        let width = usize::from(buffer.area.width);
        let rows: Vec<Vec<&str>> = buffer
            .content()
            .chunks(width)
            .map(|row| row.iter().map(ratatui::buffer::Cell::symbol).collect())
            .collect();
        // Most of it: a few cells, those of a next victim for one, may be reversed in a row that is not selected, and
        // not in one that is.
        let is_highlighted = |y: &u16| {
            let mut cells = buffer
                .content()
                .chunks(width)
                .nth(usize::from(*y))
                .into_iter()
                .flatten();
            let reversed =
                |cell: &&ratatui::buffer::Cell| cell.modifier.contains(Modifier::REVERSED);
            cells.by_ref().filter(reversed).count() * 2 > width
        };
        let mut list_rows = (panes.table_rows.top()..panes.table_rows.bottom())
            .chain(panes.events_rows.top()..panes.events_rows.bottom());
        let highlighted = list_rows.find(is_highlighted);
        let highlighted = highlighted.map(|y| rows[usize::from(y)].concat());
        Self {
            text: rows.iter().map(|row| row.concat() + "\n").collect(),
            dialog: dialog(&rows),
            highlighted: highlighted.unwrap_or_default(),
        }
    }
}

/// What is wrong with a write after the frame that the person saw last.
pub(super) fn judge(plans: &[Plan], seen: &Frame) -> Result<(), String> {
    let Some(dialog) = &seen.dialog else {
        return Err("no dialog was on the screen".to_owned());
    };
    let mut pids = Vec::new();
    for step in plans.iter().flat_map(|plan| &plan.steps) {
        match step {
            Step::Adj { target, value } => {
                pids.push(target.pid);
                if !dialog.contains(&value.get().to_string()) {
                    return Err(format!("the value {value} was not in the dialog"));
                }
            }
            Step::Signal { target, signal } => {
                pids.push(target.pid);
                let told = format!("send SIG{}", signal.name);
                if !dense(dialog).contains(&dense(&told)) {
                    return Err(format!("{told} was not in the dialog"));
                }
            }
            Step::Stop { target, .. }
            | Step::Reap { target }
            | Step::Cgroup(CgroupStep::Move(target, _)) => pids.push(target.pid),
            Step::Rule(edit) => {
                if !dense(dialog).contains(&dense(&edit.path)) {
                    return Err(format!("{} was not in the dialog", edit.path));
                }
            }
            Step::Cgroup(
                CgroupStep::Limit(path, _)
                | CgroupStep::Create(path)
                | CgroupStep::Freeze(path, _)
                | CgroupStep::Reclaim(path, _)
                | CgroupStep::Kill(path),
            ) => {
                if !dense(dialog).contains(&dense(path.as_str())) {
                    return Err(format!("{path} was not in the dialog"));
                }
            }
            Step::Unit(step) => {
                let what = match step {
                    UnitStep::Limit(limit) => limit.unit.name.clone(),
                    UnitStep::Oomd(oomd) => oomd.unit.name.clone(),
                    UnitStep::DropIn(write) => write.path(),
                    UnitStep::Scope(scope) => scope.unit.name.clone(),
                };
                if !dense(dialog).contains(&dense(&what)) {
                    return Err(format!("{what} was not in the dialog"));
                }
            }
            Step::Cgroup(
                CgroupStep::EnableMemory(_) | CgroupStep::DisableMemory(_) | CgroupStep::Remove(_),
            ) => {}
        }
    }
    if !are_named(dialog, &mut pids) {
        return Err(format!("{pids:?} were not in the dialog"));
    }
    Ok(())
}
