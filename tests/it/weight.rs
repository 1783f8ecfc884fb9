//! What a report says of its memory is what the allocator gives for it.

#![allow(unsafe_code, reason = "an allocator is unsafe to write")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::fs;
use std::path::Path;

use oomtop::app::view::events::EventLog;
use oomtop::oomlog::{Kill, LogRecord, OomAssembler, OomEvent, OomReport};

thread_local! {
    /// Bytes that this thread has taken and not given back.
    static HELD: Cell<isize> = const { Cell::new(0) };
}

/// The system's allocator, counted.
struct Counted;

fn count(bytes: usize, sign: isize) {
    // As the allocator of the C library: a header, rounded up.
    let piece = isize::try_from((bytes + 8).next_multiple_of(16)).unwrap_or(0);
    // At the end of a thread the counter is gone before the last memory.
    let _ = HELD.try_with(|held| held.set(held.get() + sign * piece));
}

// SAFETY: it passes every call on and only counts.
unsafe impl GlobalAlloc for Counted {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size(), 1);
        // SAFETY: the caller's.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        count(layout.size(), -1);
        // SAFETY: the caller's.
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static COUNTED: Counted = Counted;

/// The bytes that are free again once `value` is dropped.
fn freed<T>(value: T) -> usize {
    let before = HELD.get();
    drop(value);
    usize::try_from(before - HELD.get()).expect("freed")
}

fn reports(path: &Path) -> Vec<OomReport> {
    let text = fs::read_to_string(path).expect("a fixture");
    let (mut assembler, mut events) = (OomAssembler::new(), Vec::new());
    for line in text.lines() {
        if let Ok(record) = LogRecord::parse_kmsg(line.as_bytes()) {
            assembler.feed(record, &mut events);
        }
    }
    assembler.finish(&mut events);
    let mut last = std::collections::BTreeMap::new();
    for event in events {
        if let OomEvent::Report(report) = event {
            last.insert(report.key.0, report);
        }
    }
    drop(assembler);
    let whole = last.into_values().filter_map(std::sync::Arc::into_inner);
    whole.collect()
}

#[test]
fn a_report_weighs_what_it_takes() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/oom/lab");
    let mut seen = 0;
    for entry in fs::read_dir(dir).expect("fixtures").flatten() {
        if entry.path().extension().is_none_or(|e| e != "kmsg") {
            continue;
        }
        for mut report in reports(&entry.path()) {
            let (weight, remainder) = (report.weight(), report.remainder());
            let whole = HELD.get();
            report.shed();
            let shed = usize::try_from(whole - HELD.get()).expect("freed");
            let rest = freed(report) + size_of::<OomReport>();
            let near = |said: usize, is: usize| is <= said + 128 && said <= is + is / 4 + 512;
            let what = format!("{entry:?}: {weight} {shed}, {remainder} {rest}");
            assert!(near(weight, shed) && near(remainder, rest), "{what}");
            seen += 1;
        }
    }
    assert!(seen > 10, "{seen} reports");
}

/// A report with so many dead, each with a name of so many bytes.
fn massacre(key: u64, dead: u32, name: usize) -> OomReport {
    let mut report = OomReport::default();
    report.key.0 = key;
    let kill = |pid| Kill {
        pid,
        comm: "x".repeat(name),
        ..Kill::default()
    };
    report.kills = (1..=dead).map(kill).collect();
    report
}

#[test]
fn rows_are_bounded_in_bytes_too() {
    for (dead, name, times) in [(1, 100_000, 100), (2000, 15, 40)] {
        let before = HELD.get();
        let mut log = EventLog::default();
        let mut most = 0;
        for key in 1..=times {
            let report = massacre(key, dead, name);
            log.accept(OomEvent::Report(std::sync::Arc::new(report)), &[]);
            most = most.max(HELD.get() - before);
        }
        assert!(most < 7 << 20, "{dead} × {name}: {most} bytes");
        assert_eq!(
            log.kills(),
            times * u64::from(dead),
            "the dropped ones count"
        );
    }
}

#[test]
fn a_small_room_keeps_a_short_history() {
    let before = HELD.get();
    let mut log = EventLog::default();
    log.bound(0);
    for key in 1..=2000 {
        let report = massacre(key, 1, 1000);
        log.accept(OomEvent::Report(std::sync::Arc::new(report)), &[]);
    }
    let held = HELD.get() - before;
    assert!(held < 512 << 10, "{held} bytes");
    assert_eq!(log.kills(), 2000);
    assert!(log.entries().count() > 20, "the newest stay");
}
