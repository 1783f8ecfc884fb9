//! Any bytes as a log: cut anywhere it gives all kills that reading line by line gives, and every report can
//! be analysed and printed. The first byte is the seed of the cuts and says what is printed.

#![no_main]

mod judge;

use judge::{Found, judge};
use libfuzzer_sys::fuzz_target;
use oomtop::oomlog::TextLog;

fuzz_target!(|data: &[u8]| {
    let Some((&seed, log)) = data.split_first() else {
        return;
    };
    let (mut by_line, mut cut) = (Found::default(), Found::default());
    let mut events = Vec::new();
    let mut text = TextLog::new();
    for line in log.split_inclusive(|&byte| byte == b'\n') {
        text.line(line, &mut events);
        by_line.take(&mut events);
    }
    text.finish(&mut events);
    by_line.take(&mut events);

    let mut text = TextLog::new();
    let mut rest = log;
    let mut state = u32::from(seed);
    while !rest.is_empty() {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        // Mostly big pieces: the reader skips lines only in big pieces.
        let most = if seed & 1 == 0 { 64 } else { rest.len() };
        let size = 1 + (state >> 8) as usize % most.min(rest.len());
        let (piece, left) = rest.split_at(size);
        text.chunk(piece, &mut events);
        cut.take(&mut events);
        rest = left;
    }
    text.finish(&mut events);
    cut.take(&mut events);
    // Skipping loses no kill. It may find more: it does not join a stray line to one far above.
    let lost: Vec<u32> = by_line
        .killed()
        .difference(&cut.killed())
        .copied()
        .collect();
    assert!(lost.is_empty(), "lost by skipping lines: {lost:?}");
    judge(&cut, log.len(), seed >> 1);
});
