//! Ten thousand tries of each kind of write, on request. Workers side by side, each in a pid namespace of its own, where nobody
//! else takes the pid that is to be reused.

use std::process::{Child, Command, Stdio};
use std::time::Instant;

use super::siege::{Siege, Tally, Writer};
use super::tries::Kind;
use super::{scopes, threads};
use crate::common::memcg::{Memcg, Version};
use crate::common::{measured, skipped};

/// Set for a worker: what, how often, by whom, the seed, and the name of its group.
const ORDER: &str = "OOMTOP_TEST_MANY";

/// How many tries of each kind.
const MANY: usize = 10_000;

/// How many by number, which show that the adversary is in time.
const CONTROL: usize = 500;

/// Workers at once: most of a try is a wait.
const WORKERS: usize = 12;

/// What is tried: its name, and who writes.
const WHAT: [(&str, Writer, usize); 8] = [
    ("adj", Writer::Oomtop, MANY),
    ("signal", Writer::Oomtop, MANY),
    ("move", Writer::Oomtop, MANY),
    ("scope, by descriptor", Writer::Oomtop, MANY),
    ("scope, by number", Writer::Oomtop, MANY),
    ("adj", Writer::Trusting, CONTROL),
    ("signal", Writer::Trusting, CONTROL),
    ("move", Writer::Trusting, CONTROL),
];

/// Not a test: a worker, when `ORDER` tells it to.
#[test]
fn worker() {
    let Ok(order) = std::env::var(ORDER) else {
        return;
    };
    let words: Vec<_> = order.split(';').collect();
    let [what, count, trusting, seed, name] = words.as_slice() else {
        panic!("{order}");
    };
    let count = count.parse().expect("a number");
    let seed = seed.parse().expect("a number");
    let group = Memcg::named(name).expect("a group");
    let kind = match *what {
        "adj" => Kind::Adj,
        "signal" => Kind::Signal,
        "move" => Kind::Move,
        "a thread, systemd" => return threads::by_a_manager(&group),
        "a thread, oomtop" => return threads::by_oomtop(&group),
        "scope, by number" => return scopes::on_paper(&group, count, true, seed).print(),
        "scope, by descriptor" => return scopes::on_paper(&group, count, false, seed).print(),
        other => panic!("{other}"),
    };
    let writer = if trusting.is_empty() {
        Writer::Oomtop
    } else {
        Writer::Trusting
    };
    let siege = Siege {
        writer,
        ..Siege::plain(Some(&group), seed)
    };
    siege
        .tries(count, |_, _, id| kind.step(id, Some(&group)))
        .print();
}

/// Starts a worker.
pub(super) fn start(order: &str) -> Child {
    // Not as the first process of its namespace: a thread of the worker can get the number, too, and whom a manager moved by that
    // number goes back to where its parent is.
    Command::new("unshare")
        .args(["--pid", "--fork", "--mount-proc", "--kill-child"])
        .args(["sh", "-c", "\"$0\" \"$@\"; exit $?"])
        .arg(std::env::current_exe().expect("the test's own path"))
        .args(["reused::many::worker", "--exact", "--nocapture"])
        .env(ORDER, order)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .expect("unshare")
}

/// Whether a worker can be started.
pub(super) fn has_namespaces() -> bool {
    let namespace = Command::new("unshare")
        .args(["--pid", "--fork", "--mount-proc", "true"])
        .status();
    namespace.is_ok_and(|status| status.success())
}

/// Shares the tries out and adds up what the workers have counted.
fn together(what: &str, writer: Writer, count: usize, parent: &Memcg, seed: u64) -> Tally {
    let own = parent.path().trim_start_matches('/').to_owned();
    let trusting = if writer == Writer::Trusting {
        "trusting"
    } else {
        ""
    };
    let workers: Vec<Child> = (0..WORKERS)
        .map(|worker| {
            let share = count / WORKERS + usize::from(worker < count % WORKERS);
            let seed = seed + worker as u64;
            start(&format!(
                "{what};{share};{trusting};{seed};{own}/worker-{worker}"
            ))
        })
        .collect();
    let mut tally = Tally::default();
    for worker in workers {
        let output = worker.wait_with_output().expect("it ends");
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{what}: {said}");
        tally += Tally::read(&said).unwrap_or_else(|| panic!("{what}: {said}"));
        // What went wrong in a try.
        said.lines()
            .filter(|line| line.contains("Receipt"))
            .for_each(|line| println!("{line}"));
    }
    tally
}

/// `cargo test --release --test kernel -- --ignored ten_thousand --nocapture`
#[test]
#[ignore = "takes minutes: cargo test --release --test kernel -- --ignored ten_thousand --nocapture"]
fn no_stranger_is_hit_in_ten_thousand_tries_of_each_kind() {
    let test = "no_stranger_is_hit_in_ten_thousand_tries_of_each_kind";
    let Some(parent) = Memcg::create("many") else {
        return;
    };
    if parent.version() == Version::V2 {
        // Groups below it have memory control.
        drop(parent.child("first"));
    }
    if !has_namespaces() {
        return skipped(test, "no pid namespace can be made");
    }
    for (number, (what, writer, count)) in WHAT.into_iter().enumerate() {
        let begun = Instant::now();
        let seed = 0x5eed_0000 + 1000 * number as u64;
        let tally = together(what, writer, count, &parent, seed);
        let by = match writer {
            Writer::Oomtop => "",
            Writer::Trusting => " by number, without a look",
        };
        measured(&format!("{what}{by}: {tally}; {:?}", begun.elapsed()));
        assert_eq!(tally.tries, count, "{what}");
        assert!(
            tally.reused * 100 >= count * 95,
            "{what}: the pid was reused in {} of {count} tries alone",
            tally.reused
        );
        match writer {
            Writer::Oomtop => assert_eq!(tally.hit, 0, "{what}"),
            // On a busy machine it is in time less often.
            Writer::Trusting => assert!(tally.hit * 50 > count, "{what}: {tally}"),
        }
    }
}
