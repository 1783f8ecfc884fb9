//! Reports for the tests of words.

use crate::oomlog::{OomEvent, OomReport, TextLog};

/// The report of these lines.
pub(super) fn report<'l>(lines: impl IntoIterator<Item = &'l str>) -> OomReport {
    let (mut log, mut events) = (TextLog::new(), Vec::new());
    for line in lines {
        log.line(line.as_bytes(), &mut events);
    }
    log.finish(&mut events);
    let reports = events.into_iter().filter_map(|event| match event {
        OomEvent::Report(report) => Some(report),
        OomEvent::Userspace(_) | OomEvent::Gap { .. } => None,
    });
    reports
        .last()
        .map(|report| OomReport::clone(&report))
        .unwrap_or_default()
}
