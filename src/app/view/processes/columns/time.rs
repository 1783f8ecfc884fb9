//! Columns of time: processor time, and since when.

use super::{Align, CellContext, Column, Order, Raw, Shows, Sort, Width, ascending};
use crate::app::view::columns::cell;
use crate::model::process::Process;
use crate::model::time::{BootTime, Wall};
use crate::text::format;
use crate::text::tone::Tone;

fn percent(process: &Process) -> Option<f32> {
    process.cpu.and_then(|cpu| cpu.percent)
}

fn start(process: &Process, context: &CellContext<'_>) -> Wall {
    let since_boot = BootTime::from_ticks(process.id.start_ticks, context.ticks);
    context.snapshot.taken.wall_of_boot(since_boot)
}

pub(super) const CPU: Column = Column {
    id: "cpu",
    title: "CPU%",
    doc: "processor time since the last sample, percent of one processor",
    width: Width::Fixed(5),
    align: Align::Right,
    rank: 5,
    sort: Sort::largest_first(Order::Number(|p, _| percent(p).map_or(i64::MIN, ascending))),
    cell: Shows::new(
        |p, _| match percent(p) {
            Some(percent) if percent < 0.05 => cell(Tone::Dim, "0.0"),
            // Four digits and a point are a hundred processors.
            Some(percent) if percent >= 999.95 => cell(Tone::Normal, format!("{percent:.0}")),
            Some(percent) => cell(Tone::Normal, format!("{percent:.1}")),
            None => cell(Tone::Dim, "-"),
        },
        |p, _| percent(p).map_or(Raw::Nothing, |percent| Raw::Real(f64::from(percent))),
    )
    // A recording does not have it.
    .folds_unless(|p, _| p.cpu.is_some()),
};

pub(super) const TIME: Column = Column {
    id: "time",
    title: "TIME+",
    doc: "processor time since its start: minutes, seconds, hundredths",
    width: Width::Fixed(9),
    align: Align::Right,
    rank: 12,
    sort: Sort::largest_first(Order::Number(|p, _| {
        p.cpu
            .map_or(i64::MIN, |cpu| i64::try_from(cpu.nanos).unwrap_or(i64::MAX))
    })),
    cell: Shows::new(
        |p, _| match p.cpu {
            Some(cpu) => cell(Tone::Normal, format::processor_time(cpu.time())),
            None => cell(Tone::Dim, "-"),
        },
        |p, _| {
            p.cpu
                .map_or(Raw::Nothing, |cpu| Raw::Real(cpu.time().as_secs_f64()))
        },
    )
    .on_demand(),
};

pub(super) const START: Column = Column {
    id: "start",
    title: "START",
    doc: "when it started: the time of today, or the day",
    width: Width::Fixed(5),
    align: Align::Right,
    rank: 8,
    sort: Sort::largest_first(Order::Number(|p, _| {
        i64::try_from(p.id.start_ticks).unwrap_or(i64::MAX)
    })),
    cell: Shows::new(
        |p, c| {
            let text = format::day_or_time(start(p, c), c.snapshot.taken.wall);
            cell(Tone::Dim, text)
        },
        |p, c| Raw::Real(start(p, c).unix_micros as f64 / 1e6),
    ),
};
