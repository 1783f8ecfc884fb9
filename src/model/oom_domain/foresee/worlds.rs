//! Groups that fill on paper in steps of ten milliseconds, with samples as the dashboard takes them: the oracle of who dies.
//!
//! Nothing of the forecast is known here: processes take and give back what they want, the group kills its biggest when it
//! is full, and whoever asks for memory near the end waits at random.

#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "all sizes are small and none is negative"
)]

use std::collections::HashSet;
use std::time::Duration;

use super::foresee;
use crate::model::cgroup::Cgroup;
use crate::model::kernel::KernelRules;
use crate::model::memory::Memory;
use crate::model::on_paper::{MIB, group, member};
use crate::model::oom_domain::victim::{DomainState, Verdict, assess, pass_over};
use crate::model::process::growth::Growth;
use crate::model::process::pace::Birth;
use crate::model::process::youth::Youth;
use crate::model::process::{Process, ProcessId};
use crate::model::time::Monotonic;

const LIMIT: f64 = 400.0;
const STEP: u64 = 10;
const LONG: u64 = 60_000;

/// Numbers that are the same in each run (xorshift64, Marsaglia 2003).
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end.max(1)
    }

    fn between(&mut self, from: f64, to: f64) -> f64 {
        from + (to - from) * self.below(10_001) as f64 / 10_000.0
    }
}

/// What a process does with memory, in MiB and MiB a second.
#[derive(Debug, Clone, Copy)]
enum Habit {
    Rests,
    /// Grows at a rate that is drawn anew each half second, around this one.
    Leaks(f64),
    /// Fills so much at this rate, gives it back at once, and begins again.
    Saws(f64, f64),
    /// Fills so much at this rate from its start, and rests.
    Starts(f64, f64),
}

#[derive(Debug, Clone)]
struct Life {
    pid: u32,
    /// Which of the world's programs it runs.
    of: usize,
    mib: f64,
    habit: Habit,
    rate: f64,
    born: u64,
    /// It waits for reclaim or a processor until then.
    waits: u64,
    growth: Growth,
}

/// A program: what its process starts with and does, and whether somebody starts it again.
type Program = (f64, Habit, bool);

/// What became of the kills whose victim was in the sample.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Tally {
    right: u32,
    right_with_or: u32,
    wrong_with_or: u32,
    wrong: u32,
    /// Wrong, because the one that was named gave memory back for the first time: nobody could know.
    surprised: u32,
}

struct World {
    random: Random,
    programs: Vec<Program>,
    lives: Vec<Life>,
    /// Killed, with the time when its memory is free.
    dying: Option<(Life, u64)>,
    /// Programs that start again at these times.
    starts: Vec<(u64, usize)>,
    next_pid: u32,
    youth: Youth,
    killed: HashSet<ProcessId>,
    /// The newest sample, and when it was taken.
    table: Vec<Process>,
    domains: Vec<DomainState>,
    groups: Vec<Cgroup>,
    taken: Option<u64>,
    tally: Tally,
}

impl World {
    fn new(seed: u64, programs: Vec<Program>) -> Self {
        let mut world = Self {
            random: Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1),
            starts: (0..programs.len()).map(|of| (0, of)).collect(),
            programs,
            lives: Vec::new(),
            dying: None,
            next_pid: 10,
            youth: Youth::default(),
            killed: HashSet::new(),
            table: Vec::new(),
            domains: Vec::new(),
            groups: Vec::new(),
            taken: None,
            tally: Tally::default(),
        };
        // The dashboard was there before them: in a first sample nobody is new.
        world.sample(0);
        let mut due = 500;
        for now in (0..LONG).step_by(10) {
            world.start(now);
            world.live(now);
            if now >= due {
                world.sample(now);
                due = now + 1000 + world.random.below(25) * STEP;
            }
            let deaths = world.killed.len();
            world.end_of_memory(now);
            // The kernel's news make an early sample, or none.
            if world.killed.len() > deaths && world.random.below(2) == 0 {
                due = due.min(now + STEP + world.random.below(12) * STEP);
            }
        }
        world
    }

    fn start(&mut self, now: u64) {
        let due: Vec<_> = self.starts.extract_if(.., |(at, _)| *at <= now).collect();
        for (_, of) in due {
            let (mib, habit, _) = self.programs[of];
            self.lives.push(Life {
                pid: self.next_pid,
                of,
                mib,
                habit,
                rate: 0.0,
                born: now,
                waits: 0,
                growth: Growth::default(),
            });
            self.next_pid += 1;
        }
    }

    fn used(&self) -> f64 {
        let dying = self.dying.as_ref().map_or(0.0, |(life, _)| life.mib);
        dying + self.lives.iter().map(|life| life.mib).sum::<f64>()
    }

    /// One step of everybody; where the group is full, the others wait.
    fn live(&mut self, now: u64) {
        if self.dying.as_ref().is_some_and(|(_, free)| *free <= now) {
            self.dying = None;
        }
        let mut room = LIMIT - self.used();
        let is_short = room < LIMIT * 0.04;
        let random = &mut self.random;
        let first = random.below(self.lives.len() as u64) as usize;
        let all = self.lives.len();
        for at in 0..all {
            let life = &mut self.lives[(first + at) % all];
            if life.waits > now {
                continue;
            }
            if is_short && random.below(4) == 0 {
                life.waits = now + random.below(40) * STEP;
                continue;
            }
            let wants = life.wants(now, random) * STEP as f64 / 1000.0;
            let gets = wants.min(room.max(0.0));
            life.mib += gets;
            room -= gets;
        }
    }

    /// Kills the biggest if somebody found no memory, and judges what was said of it.
    fn end_of_memory(&mut self, now: u64) {
        if self.dying.is_some() || LIMIT - self.used() > 1e-6 {
            return;
        }
        let by_size = |a: &(usize, &Life), b: &(usize, &Life)| a.1.mib.total_cmp(&b.1.mib);
        let Some((at, _)) = self.lives.iter().enumerate().max_by(by_size) else {
            return;
        };
        let victim = self.lives.remove(at);
        if self.programs[victim.of].2 {
            let again = now + 50 + self.random.below(200) * STEP;
            self.starts.push((again, victim.of));
        }
        self.judge(&victim);
        self.killed.insert(victim.id());
        self.dying = Some((victim, now + STEP + self.random.below(25) * STEP));
        let (table, domains) = (&mut self.table, &mut self.domains);
        let rules = KernelRules::default();
        pass_over(&self.killed, table, domains, &self.groups, &rules);
        self.look_ahead(now);
    }

    fn verdict(&self) -> Option<Verdict> {
        self.domains.get(1)?.verdict
    }

    fn judge(&mut self, victim: &Life) {
        let Some(said) = self.verdict() else { return };
        if !self.table.iter().any(|row| row.id == victim.id()) {
            return;
        }
        let is_right = said.victim.id == victim.id();
        let count = match (is_right, said.or().is_some()) {
            (true, false) => &mut self.tally.right,
            (true, true) => &mut self.tally.right_with_or,
            (false, true) => &mut self.tally.wrong_with_or,
            (false, false) if self.is_surprise(said.victim.id) => &mut self.tally.surprised,
            (false, false) => &mut self.tally.wrong,
        };
        *count += 1;
    }

    /// True if the process that was named has given memory back since, and never before.
    fn is_surprise(&self, named: ProcessId) -> bool {
        let life = self.lives.iter().find(|life| life.id() == named);
        let row = self.table.iter().find(|row| row.id == named);
        life.zip(row).is_some_and(|(life, row)| {
            row.pace.low >= 0.0 && life.mib + 1.0 < (row.charged_pages() / 256) as f64
        })
    }

    fn look_ahead(&mut self, now: u64) {
        let old = now - self.taken.unwrap_or(now);
        let age = Duration::from_millis(old + 1000);
        let (domains, table) = (&mut self.domains, &self.table);
        foresee(domains, table, &self.groups, &machine(), 4096, age);
    }

    fn sample(&mut self, now: u64) {
        let at = Monotonic(now * 1000);
        let before = self.taken.map(|taken| Monotonic(taken * 1000));
        self.table.clear();
        let dying = self.dying.as_mut().map(|(life, _)| life);
        for life in self.lives.iter_mut().chain(dying) {
            let mut row = member(life.pid, life.mib as u64, 0, 1);
            row.id = life.id();
            let bytes = (life.mib * MIB as f64) as u64;
            let birth = Birth {
                bytes,
                inherited: 0,
                lived: Duration::from_millis(now - life.born),
                unseen: before.map(|before| at.since(before)),
            };
            life.growth.take(Some(bytes), at, || birth);
            row.comm = format!("of{}", life.of).as_str().into();
            (row.growth, row.pace) = (life.growth.shown(), life.growth.pace());
            self.youth.take(row.comm, life.growth.seen(), &mut row.pace);
            self.table.push(row);
        }
        self.youth.end_round(at, before);
        let used = (self.used() * MIB as f64) as u64;
        self.groups = vec![
            group("/", None, None, 0),
            group("/web", Some(0), Some(LIMIT as u64 * MIB), used),
        ];
        let rules = KernelRules::default();
        self.domains = assess(&self.table, &self.groups, &machine(), &rules);
        self.taken = Some(now);
        self.look_ahead(now);
        let (table, domains) = (&mut self.table, &mut self.domains);
        if table.iter().any(|row| self.killed.contains(&row.id)) {
            pass_over(&self.killed, table, domains, &self.groups, &rules);
            self.look_ahead(now);
        }
    }
}

impl Life {
    fn id(&self) -> ProcessId {
        ProcessId {
            pid: self.pid,
            start_ticks: self.born / 10,
        }
    }

    /// MiB a second that it asks for now; what it gives back is gone at once.
    fn wants(&mut self, now: u64, random: &mut Random) -> f64 {
        match self.habit {
            Habit::Leaks(usual) => {
                if self.rate == 0.0 || now.is_multiple_of(500) {
                    self.rate = usual * random.between(0.5, 1.5);
                }
                self.rate
            }
            Habit::Saws(top, rate) => {
                if self.mib >= top {
                    self.mib = 2.0;
                }
                rate
            }
            Habit::Starts(top, rate) if self.mib < top => rate,
            Habit::Rests | Habit::Starts(..) => 0.0,
        }
    }
}

/// A host on which nothing runs out.
fn machine() -> Memory {
    Memory {
        total: 640_000 * MIB,
        available: Some(600_000 * MIB),
        ..Memory::default()
    }
}

fn tally(worlds: u64, program: impl Fn(&mut Random) -> Vec<Program>) -> Tally {
    let mut sum = Tally::default();
    for seed in 1..=worlds {
        let mut random = Random(seed.wrapping_mul(0xd134_2543_de82_ef95) | 1);
        let tally = World::new(seed, program(&mut random)).tally;
        sum.right += tally.right;
        sum.right_with_or += tally.right_with_or;
        sum.wrong_with_or += tally.wrong_with_or;
        sum.wrong += tally.wrong;
        sum.surprised += tally.surprised;
    }
    sum
}

/// Some of everything.
fn mixed(random: &mut Random) -> Vec<Program> {
    (0..2 + random.below(6))
        .map(|_| {
            let (begins, top) = (random.between(2.0, 60.0), random.between(60.0, 300.0));
            let rate = random.between(3.0, 30.0);
            let habit = match random.below(4) {
                0 => Habit::Rests,
                1 => Habit::Leaks(rate),
                2 => Habit::Saws(top, rate * 10.0),
                _ => Habit::Starts(top, rate * 10.0),
            };
            (begins, habit, true)
        })
        .collect()
}

/// Of the wrong names, so many in a hundred stood without an or, although it could be known.
fn silent(of: Tally) -> f64 {
    f64::from(of.wrong) * 100.0 / f64::from(of.wrong + of.wrong_with_or)
}

#[test]
fn wrong_names_have_an_or() {
    let all = tally(100, mixed);
    assert!(all.right > 800 && all.wrong_with_or > 600, "{all:?}");
    // Before the dead gave their memory to the others it was one in eight.
    assert!(silent(all) < 0.5 && all.surprised < 10, "{all:?}");
    let workers = tally(40, |random| {
        let (top, rate) = (random.between(90.0, 300.0), random.between(60.0, 400.0));
        vec![(4.0, Habit::Saws(top, rate), true); 4]
    });
    assert!(workers.wrong_with_or > 300, "{workers:?}");
    assert!(
        silent(workers) < 0.5 && workers.surprised < 20,
        "{workers:?}"
    );
}

#[test]
fn where_one_leads_for_certain_no_or_is_said() {
    let clear = tally(60, |random| {
        let rate = random.between(3.0, 40.0);
        let mut all = vec![(120.0, Habit::Leaks(rate), true)];
        all.extend((0..4).map(|_| (random.between(2.0, 40.0), Habit::Rests, true)));
        all.push((5.0, Habit::Saws(25.0, random.between(3.0, 20.0)), true));
        all
    });
    assert!(clear.right > 200, "{clear:?}");
    assert!(
        clear.right_with_or + clear.wrong + clear.wrong_with_or == 0,
        "{clear:?}"
    );
}
