//! Which processes the printed forms list, and in which order.

use super::json::ranked;
use crate::app::settings::Settings;
use crate::app::view::processes::columns::{CellContext, column};
use crate::app::view::processes::marks::Marks;
use crate::model::process::Process;
use crate::model::snapshot::{Host, Snapshot};

/// What the cells of a printed form look at.
pub(super) fn context<'a>(
    snapshot: &'a Snapshot,
    host: &'a Host,
    marks: &'a Marks,
    settings: &Settings,
) -> CellContext<'a> {
    CellContext {
        snapshot,
        rules: &host.rules,
        total: snapshot.memory.host_total_pages(host.rules.page_size),
        marks,
        ticks: host.ticks_per_second,
        commands: settings.columns.commands(),
    }
}

/// The processes that pass the filter: the next victim first, or by the sort column.
pub(super) fn listed<'a>(
    context: &CellContext<'a>,
    host: &Host,
    settings: &Settings,
) -> Vec<&'a Process> {
    let filtering = context.filtering();
    let shown = |p: &&Process| {
        // oomtop's own command line holds the filter's text.
        let own = host.own_pid == Some(p.id.pid) && !settings.filter.is_empty();
        let nameless = own.then(|| Process {
            command: None,
            ..(*p).clone()
        });
        (settings.kernel_threads || !p.kernel_thread)
            && settings
                .filter
                .matches(nameless.as_ref().unwrap_or(p), &filtering)
    };
    let mut processes = ranked(context.snapshot, context.total);
    if let Some(by) = settings.sort.and_then(column) {
        processes.sort_by(|a, b| {
            let order = by.sort.compare(a, b, context);
            if by.sort.largest_first {
                order.reverse()
            } else {
                order
            }
        });
    }
    processes.retain(shown);
    processes
}
