//! Any lines as raw `/dev/kmsg` records: no kill that a record tells by itself is lost among the others.

#![no_main]

mod judge;

use judge::{Found, judge};
use libfuzzer_sys::fuzz_target;
use oomtop::oomlog::{LogRecord, OomAssembler};

/// What one record means when it stands alone.
fn alone(record: &LogRecord) -> Option<u32> {
    let mut events = Vec::new();
    let mut found = Found::default();
    OomAssembler::new().feed(record.clone(), &mut events);
    found.take(&mut events);
    let report = found.reports.into_values().next()?;
    report.kills.first().map(|kill| kill.pid)
}

fuzz_target!(|data: &[u8]| {
    let (mut found, mut killed, mut events) = (Found::default(), Vec::new(), Vec::new());
    let mut assembler = OomAssembler::new();
    for line in data.split(|&byte| byte == b'\n') {
        let Ok(record) = LogRecord::parse_kmsg(line) else {
            continue;
        };
        if record.is_kernel() && !record.continues && record.text.contains("Killed process") {
            killed.extend(alone(&record));
        }
        let at = record.at;
        assembler.feed(record, &mut events);
        if line.ends_with(b"lost") {
            assembler.note_gap(1, at, &mut events);
        }
        found.take(&mut events);
    }
    assembler.finish(&mut events);
    found.take(&mut events);
    for pid in killed {
        let known = |kill: &oomtop::oomlog::Kill| kill.pid == pid;
        assert!(
            found.reports.values().any(|r| r.kills.iter().any(known)),
            "the kill of {pid} is lost"
        );
    }
    judge(&found, data.len(), (data.len() % 4) as u8);
});
