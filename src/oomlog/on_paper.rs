//! Reports that unit tests write down line by line.

use std::sync::Arc;

use super::{LogRecord, OomAssembler, OomEvent, OomReport};

/// The last report in these messages of the kernel.
pub(super) fn report<'l>(lines: impl IntoIterator<Item = &'l str>) -> Arc<OomReport> {
    let mut assembler = OomAssembler::new();
    let mut events = Vec::new();
    for line in lines {
        assembler.feed(LogRecord::bare(line), &mut events);
    }
    assembler.finish(&mut events);
    match events.pop() {
        Some(OomEvent::Report(report)) => report,
        other => panic!("{other:?}"),
    }
}
