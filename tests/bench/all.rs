//! What the hot paths cost: `cargo bench`, or `cargo bench -- frame` for those with that word in their
//! name. Less than a minute in all. Started by `cargo test --benches` each runs once, as a test.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a bench that cannot go on fails, and prints what it has measured"
)]

#[path = "../common/fake_root.rs"]
mod fake_root;
mod frame;
mod groups;
mod parse;
mod rank;
mod scan;
#[path = "../common/scene.rs"]
#[allow(dead_code, reason = "made for tests, and used in part")]
mod scene;
mod timer;

use timer::Timer;

fn main() {
    let mut timer = Timer::from_arguments(std::env::args().skip(1));
    parse::run(&mut timer);
    rank::run(&mut timer);
    frame::run(&mut timer);
    scan::run(&mut timer);
    groups::run(&mut timer);
}
