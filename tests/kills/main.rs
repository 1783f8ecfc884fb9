//! Real kills in memory cgroups: who oomtop says dies next is who the kernel kills.
//!
//! Each trial draws groups, limits, sizes, shared memory, threads and adj values, lets one process take
//! page after page, and compares the last sample before the kill with the kernel's choice. Needs root
//! and a memory controller; the test prints its seed, and `OOMTOP_KILLS_SEED` repeats a run.
#![allow(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a test that cannot go on fails, and one that passes has figures to tell"
)]

mod chance;
#[path = "../common/mod.rs"]
mod common;
mod member;
mod trial;

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use chance::Chance;
use common::kmsg::KernelLog;
use common::memcg::Memcg;
use common::{measured, skipped};
use oomtop::linux::SysRoot;
use oomtop::linux::sampler::Sampler;
use oomtop::linux::scan::backend::BackendChoice;
use trial::{Outcome, Said};

/// Kills to be compared; `OOMTOP_KILLS` asks for more.
const KILLS: u32 = 100;

/// After this time the test judges the kills it has: the machine is too slow for more.
const PATIENCE: Duration = Duration::from_secs(150);

/// Trials that may fail because of other work on the machine.
const MOST_VOID: u32 = 20;

/// What one back end said over all trials.
#[derive(Default)]
struct Tally {
    /// Error of two readings, in pages.
    error: u64,
    clear: u32,
    clear_right: u32,
    close: u32,
    close_right: u32,
    misses: Vec<String>,
}

impl Tally {
    fn count(&mut self, trial: u32, outcome: &Outcome, said: Option<&Said>) {
        let right = said.is_some_and(|said| outcome.is_right(said));
        let verdict = said.and_then(|said| said.domain.verdict);
        let lead = verdict.and_then(|v| Some(v.victim.points - v.runner_up?.points));
        let error = i64::try_from(self.error).unwrap_or(i64::MAX);
        // Between the sample and the kill one process has grown by one step.
        let near = lead.is_some_and(|lead| lead <= error + outcome.step_pages);
        assert!(near || verdict.is_none_or(|verdict| !verdict.close));
        if near {
            self.close += 1;
            self.close_right += u32::from(right);
        } else {
            self.clear += 1;
            self.clear_right += u32::from(right);
        }
        if !right {
            let points: Vec<String> = said
                .map(|said| said.points.as_slice())
                .unwrap_or_default()
                .iter()
                .map(|(pid, points)| format!("{} {points}", outcome.name(*pid)))
                .collect();
            self.misses.push(format!(
                "trial {trial} {:?} at depth {}: killed {}, lead {lead:?} pages; {} took {} more; said {}",
                outcome.kind,
                outcome.depth,
                outcome.name(outcome.killed),
                outcome.name(outcome.trigger),
                outcome.step_pages,
                points.join(", ")
            ));
        }
    }

    fn all(&self) -> u32 {
        self.clear + self.close
    }

    fn right(&self) -> u32 {
        self.clear_right + self.close_right
    }
}

/// A sampler for each back end, including the one that reads idle processes less often.
fn samplers() -> (Vec<&'static str>, Vec<Sampler>) {
    let ways = [("bpf", BackendChoice::Bpf), ("proc", BackendChoice::Proc)];
    let open = |(name, choice)| match Sampler::with_backend(SysRoot::default(), choice) {
        Ok(sampler) => Some((name, sampler)),
        Err(error) => {
            skipped(&format!("foretelling kills by {name}"), &error.to_string());
            None
        }
    };
    ways.into_iter().filter_map(open).unzip()
}

fn number_of(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}

fn drawn() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(1, |since| since.subsec_nanos().into())
}

#[test]
fn the_marked_one_is_the_one_that_dies() {
    let test = "the_marked_one_is_the_one_that_dies";
    let Some(python) = member::interpreter() else {
        skipped(test, "there is no python3 with ctypes and mmap");
        return;
    };
    let seed = number_of("OOMTOP_KILLS_SEED").unwrap_or_else(drawn);
    let wanted = number_of("OOMTOP_KILLS").unwrap_or(KILLS.into());
    let (backends, mut samplers) = samplers();
    let tally = |sampler: &Sampler| Tally {
        error: sampler.host().rules.rss_error * 2,
        ..Tally::default()
    };
    let mut tallies: Vec<Tally> = samplers.iter().map(tally).collect();
    let log = KernelLog::listen("the kernel's own word on each kill");
    let (mut trials, mut void) = (0, Vec::new());
    let begun = Instant::now();
    let (mut steps, mut twins, mut depths) = (0, 0, [0_u32; 3]);
    while u64::from(trials) < wanted && begun.elapsed() < PATIENCE {
        let number = trials + u32::try_from(void.len()).unwrap_or(0);
        let Some(top) = Memcg::create(&format!("kills-{number}")) else {
            return;
        };
        let mut chance = Chance::of(seed.wrapping_add(u64::from(number)));
        match trial::run(&python, top, &mut chance, &mut samplers, log.as_ref()) {
            Ok(mut outcome) => {
                trials += 1;
                steps += outcome.steps;
                depths[outcome.depth] += 1;
                for (tally, said) in tallies.iter_mut().zip(&outcome.said) {
                    tally.count(number, &outcome, said.as_ref());
                }
                twins += u32::from(dies_whole(&mut outcome));
            }
            Err(reason) => void.push(format!("trial {number}: {reason}")),
        }
        assert!(void.len() < MOST_VOID as usize, "seed {seed}: {void:#?}");
    }
    println!(
        "seed {seed}: {trials} kills in {:?}, {steps} samples, by depth {depths:?}, {twins} with a twin, void {void:?}",
        begun.elapsed()
    );
    for (backend, tally) in backends.iter().zip(&tallies) {
        for miss in &tally.misses {
            println!("{backend}: {miss}");
        }
        measured(&format!(
            "victims in cgroups by {backend}: {} of {} where the lead exceeds the error of {} pages, {} of {} over all (seed {seed})",
            tally.clear_right,
            tally.clear,
            tally.error,
            tally.right(),
            tally.all()
        ));
    }
    for (backend, tally) in backends.iter().zip(&tallies) {
        let report = format!("{backend}, seed {seed}: {:#?}", tally.misses);
        assert_eq!(tally.clear_right, tally.clear, "{report}");
        // Three of a hundred; also where there was no time for so many.
        let misses = tally.all() - tally.right();
        assert!(misses <= (tally.all() * 3 / 100).max(3), "{report}");
    }
    assert!(!tallies.is_empty() && trials > 0);
    if u64::from(trials) < wanted {
        skipped(
            test,
            &format!("there was time for {trials} of {wanted} kills only"),
        );
    }
}

/// Sharing memory means dying together; true if that was so here.
fn dies_whole(outcome: &mut Outcome) -> bool {
    let killed = outcome.killed;
    let Some(victim) = outcome
        .members
        .iter_mut()
        .find(|member| member.is(killed) && member.twin.is_some())
    else {
        return false;
    };
    let end = Instant::now() + Duration::from_secs(20);
    while !victim.is_gone() && Instant::now() < end {
        std::thread::sleep(Duration::from_millis(2));
    }
    assert!(victim.is_gone(), "the other process of the memory lives");
    true
}
