//! Columns that say which process it is.

use std::borrow::Cow;

use super::badness::mark_tone;
use super::command;
use super::{Align, CellContext, Column, Order, Raw, Shows, Sort, Width};
use crate::app::view::columns::{Cell, cell, path_cell};
use crate::app::view::processes::marks::Mark;
use crate::model::process::Process;
use crate::text::tone::Tone;
use crate::text::wording::short_group;

fn group<'a>(process: &Process, context: &CellContext<'a>) -> Option<&'a str> {
    Some(context.snapshot.cgroup(process.cgroup?)?.path.as_str())
}

fn user<'a>(process: &Process, context: &CellContext<'a>) -> Cow<'a, str> {
    match context.snapshot.user(process.uid) {
        Some(name) => name.into(),
        None => process.uid.to_string().into(),
    }
}

pub(super) const PID: Column = Column {
    id: "pid",
    title: "PID",
    doc: "process number",
    width: Width::Within(5, 10),
    align: Align::Right,
    rank: 0,
    sort: Sort::smallest_first(Order::Number(|p, _| i64::from(p.id.pid))),
    cell: Shows::new(
        |p, _| cell(Tone::Normal, p.id.pid.to_string()),
        |p, _| Raw::Whole(p.id.pid.into()),
    ),
};

pub(super) const PPID: Column = Column {
    id: "ppid",
    title: "PPID",
    doc: "process number of the parent",
    width: Width::Within(5, 10),
    align: Align::Right,
    rank: 12,
    sort: Sort::smallest_first(Order::Number(|p, _| i64::from(p.ppid))),
    cell: Shows::new(
        |p, _| cell(Tone::Dim, p.ppid.to_string()),
        |p, _| Raw::Whole(p.ppid.into()),
    )
    .on_demand(),
};

pub(super) const USER: Column = Column {
    id: "user",
    title: "USER",
    doc: "effective user",
    width: Width::Fixed(8),
    align: Align::Left,
    rank: 4,
    sort: Sort::smallest_first(Order::Text(|a, b, c| {
        (c.snapshot.user(a.uid), a.uid).cmp(&(c.snapshot.user(b.uid), b.uid))
    })),
    cell: Shows::new(
        |p, c| cell(Tone::Dim, user(p, c)),
        |p, c| Raw::Text(user(p, c).into_owned()),
    ),
};

pub(super) const NAME: Column = Column {
    id: "name",
    title: "NAME",
    doc: "short name, as the kernel's log has it",
    width: Width::Within(8, 40),
    align: Align::Left,
    rank: 0,
    sort: Sort::smallest_first(Order::Text(|a, b, _| a.comm.cmp(&b.comm))),
    cell: Shows::new(
        |p, c| {
            let tone = match c.marks.mark(p) {
                _ if p.kernel_thread => Tone::Dim,
                Mark::Immune | Mark::Protected | Mark::None => Tone::Normal,
                Mark::Victim | Mark::OrThis | Mark::GroupVictim | Mark::OrInGroup => {
                    mark_tone(p, c)
                }
            };
            cell(tone, p.comm.text())
        },
        |p, _| Raw::Text(p.comm.text().into_owned()),
    ),
};

pub(super) const STATE: Column = Column {
    id: "state",
    title: "ST",
    doc: "its state, by the letter that ps shows",
    width: Width::Fixed(2),
    align: Align::Left,
    rank: 12,
    sort: Sort::smallest_first(Order::Number(|p, _| i64::from(u32::from(p.state.0)))),
    cell: Shows::new(
        |p, _| {
            let tone = match p.state.0 {
                'R' => Tone::Good,
                'D' | 'T' | 't' => Tone::Watch,
                _ => Tone::Dim,
            };
            cell(tone, p.state.0)
        },
        |p, _| Raw::Text(p.state.0.to_string()),
    )
    .on_demand(),
};

pub(super) const THREADS: Column = Column {
    id: "threads",
    title: "THR",
    doc: "number of threads",
    width: Width::Fixed(5),
    align: Align::Right,
    rank: 12,
    sort: Sort::largest_first(Order::Number(|p, _| i64::from(p.threads))),
    cell: Shows::new(
        |p, _| {
            let tone = if p.threads > 1 {
                Tone::Normal
            } else {
                Tone::Dim
            };
            cell(tone, p.threads.to_string())
        },
        |p, _| Raw::Whole(p.threads.into()),
    )
    .on_demand(),
};

pub(super) const CGROUP: Column = Column {
    id: "cgroup",
    title: "CGROUP",
    doc: "memory cgroup or systemd unit",
    width: Width::AtLeast(16),
    align: Align::Left,
    rank: 6,
    sort: Sort::smallest_first(Order::Text(|a, b, c| group(a, c).cmp(&group(b, c)))),
    cell: Shows::new(
        |p, c| match group(p, c) {
            Some(path) => path_cell(Tone::Dim, short_group(path)),
            None => cell(Tone::Dim, "-"),
        },
        |p, c| group(p, c).map_or(Raw::Nothing, |path| Raw::Text(path.to_owned())),
    )
    // A process in no group is listed in the root group.
    .folds_unless(|p, c| group(p, c).is_some_and(|path| path != "/")),
};

pub(super) const COMMAND: Column = Column {
    id: "command",
    title: "COMMAND",
    doc: "command line without the directories of its program",
    width: Width::Roomy(12, 28),
    align: Align::Left,
    rank: 0,
    sort: Sort::smallest_first(Order::Text(|a, b, _| a.title().cmp(&b.title()))),
    cell: Shows::new(command_cell, |p, _| Raw::Text(p.title().into_owned())),
};

fn command_cell(process: &Process, context: &CellContext<'_>) -> Cell {
    match process.command_blocks {
        // What an htop user would wonder about: the finding is a fact of this row.
        Some(seconds) if process.command.is_none() => cell(
            Tone::Normal,
            format!(
                "(reading its command line blocks since {seconds:.0} s: somebody holds its mmap lock)"
            ),
        ),
        _ => {
            let shown = command::shown(process, context.commands);
            let tone = if process.kernel_thread {
                Tone::Dim
            } else {
                Tone::Normal
            };
            Cell {
                strong: shown.name,
                ..cell(tone, shown.text)
            }
        }
    }
}
