//! The fields of a recording, type by type, in the order in which they are written.
//!
//! A new field of one of these types does not compile until it is here; a changed order or type changes
//! [`fingerprint`], and a test then asks for another [`super::VERSION`].

mod groups;
mod host;
mod killers;
mod memory;
mod opaque;
mod process;
mod process_list;
mod report;
mod report_tables;
mod traced;

use crate::model::event_source::EventSource;
use crate::model::snapshot::{Host, Snapshot};
use crate::model::traced::{Sigkill, TracedKill};
use crate::model::wake::WakeSources;
use crate::oomlog::{OomReport, UserspaceKill};
use crate::recording::codec::{Coded, Layout, record};
use crate::recording::frame::crc;

record!(Snapshot {
    seq,
    taken,
    took_micros,
    spent_micros,
    processes,
    memory,
    pressure,
    cgroups,
    domains,
    nodes,
    own_limit,
    vm_settings,
    killers,
    units,
    inits,
    users,
    kills,
    reclaim,
    waiting,
    detail,
    frozen,
    skipped,
    own_cost,
    backend,
    backend_note,
    groups_backend,
    groups_note,
});

/// A number that stands for the layout of everything here: another one means another version.
pub(super) fn fingerprint() -> u32 {
    let mut layout = Layout::default();
    Host::describe(&mut layout);
    Snapshot::describe(&mut layout);
    OomReport::describe(&mut layout);
    UserspaceKill::describe(&mut layout);
    TracedKill::describe(&mut layout);
    Sigkill::describe(&mut layout);
    EventSource::describe(&mut layout);
    WakeSources::describe(&mut layout);
    crc(&[layout.text().as_bytes()])
}
