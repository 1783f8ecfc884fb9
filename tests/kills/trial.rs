//! One trial: groups and processes by a plan drawn at random, filled until the kernel kills.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use oomtop::linux::sampler::Sampler;
use oomtop::model::oom_domain::victim::{DomainState, Scope};
use oomtop::model::snapshot::Needs;
use oomtop::model::time::{Monotonic, Now};

use crate::chance::Chance;
use crate::common::kmsg::KernelLog;
use crate::common::memcg::{Memcg, Version};
use crate::member::Member;

/// What is special about the processes of a trial.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Sizes and adj values at random.
    Plain,
    /// Some map the same shared memory.
    Shared,
    /// Some have threads that take memory.
    Threads,
    /// One shares its whole address space with another process.
    Twin,
    /// All have the same size and adj.
    Equal,
    /// adj values that make up for the sizes, so that the points are near each other.
    Balanced,
}

const KINDS: [Kind; 6] = [
    Kind::Plain,
    Kind::Shared,
    Kind::Threads,
    Kind::Twin,
    Kind::Equal,
    Kind::Balanced,
];

/// What oomtop said in its last sample before the kill.
#[derive(Debug, Clone)]
pub(crate) struct Said {
    pub(crate) domain: DomainState,
    /// Points of all candidates of the trial, the victim first: for the explanation of a miss.
    pub(crate) points: Vec<(u32, i64)>,
}

/// How a trial ended.
pub(crate) struct Outcome {
    pub(crate) kind: Kind,
    /// Depth of the group that was full: 0 is the trial's own top.
    pub(crate) depth: usize,
    /// The announcement of each sampler.
    pub(crate) said: Vec<Option<Said>>,
    /// Who the kernel killed.
    pub(crate) killed: u32,
    /// Steps from the first sample to the kill.
    pub(crate) steps: u32,
    /// Pid of the process that took the last step after the last sample; `step_pages` is the size of that step.
    pub(crate) trigger: u32,
    pub(crate) step_pages: i64,
    pub(crate) members: Vec<Member>,
    /// Removed with what is in them.
    _groups: Vec<Memcg>,
}

impl Outcome {
    /// True if the announced process is the killed one, or shares memory with it.
    pub(crate) fn is_right(&self, said: &Said) -> bool {
        let announced = said.domain.verdict.map(|verdict| verdict.victim.id.pid);
        announced.is_some_and(|pid| self.unit(pid) == self.unit(self.killed))
    }

    /// Processes that share their memory die together: one number for all of them.
    fn unit(&self, pid: u32) -> u32 {
        let member = self.members.iter().find(|member| member.is(pid));
        member.map_or(pid, Member::pid)
    }

    pub(crate) fn name(&self, pid: u32) -> String {
        let member = self.members.iter().find(|member| member.is(pid));
        member.map_or_else(|| pid.to_string(), |m| format!("{} {pid}", m.name))
    }
}

/// Groups of a trial, outermost first. In v2 a group with processes has no controlled children, so
/// processes are only in the leaves.
fn groups(top: Memcg) -> Vec<Memcg> {
    let inner = top.child("a");
    let (x, y) = (inner.child("x"), inner.child("y"));
    let other = top.child("b");
    vec![top, inner, x, y, other]
}

const TOP: usize = 0;
const INNER: usize = 1;
const LEAVES: [usize; 3] = [2, 3, 4];
const DEPTHS: [usize; 5] = [0, 1, 2, 2, 1];

/// Which group is full, and who is inside it.
struct Plan {
    full: usize,
    homes: Vec<usize>,
}

impl Plan {
    fn draw(chance: &mut Chance, version: Version) -> Self {
        let full = [TOP, TOP, INNER, LEAVES[0]][chance.below(4)];
        let count = 2 + chance.below(5);
        let homes = (0..count)
            .map(|_| match version {
                Version::V1 => chance.below(5),
                Version::V2 => LEAVES[chance.below(3)],
            })
            .collect();
        let mut plan = Self { full, homes };
        // At least two candidates, or there is nothing to predict.
        for at in 0..2 {
            if !plan.is_inside(at) {
                plan.homes[at] = LEAVES[0];
            }
        }
        plan
    }

    fn is_inside(&self, member: usize) -> bool {
        match self.full {
            TOP => true,
            INNER => (INNER..=3).contains(&self.homes[member]),
            leaf => self.homes[member] == leaf,
        }
    }
}

/// Runs one trial; `Err` with the reason if no identifiable kill came.
pub(crate) fn run(
    python: &str,
    top: Memcg,
    chance: &mut Chance,
    samplers: &mut [Sampler],
    log: Option<&KernelLog>,
) -> Result<Outcome, String> {
    let kind = KINDS[chance.below(KINDS.len())];
    let plan = Plan::draw(chance, top.version());
    let groups = groups(top);
    let shared = SharedFile::create(chance.between(1, 8 << 10));
    let mut members: Vec<Member> = (0..plan.homes.len())
        .map(|at| Member::start(python, &format!("m{at}-{kind:?}")))
        .collect();
    for (member, home) in members.iter_mut().zip(&plan.homes) {
        if !member.ready() {
            return Err("a member did not start".to_owned());
        }
        groups[*home].add(member.pid());
    }
    take_memory(kind, &mut members, &shared, chance)?;
    set_adj(kind, &members, chance);
    set_limits(&plan, &groups, chance);
    let trigger = (0..members.len())
        .filter(|at| plan.is_inside(*at))
        .nth(chance.below(2))
        .unwrap_or(0);
    let step_kib = chance.between(16, 64);
    let step = format!("anon {step_kib}");
    let full = groups[plan.full].path().to_owned();
    let before = kills(&groups);
    let mut said = vec![None; samplers.len()];
    let mut steps = 0;
    while kills(&groups) == before {
        for (sampler, said) in samplers.iter_mut().zip(&mut said) {
            *said = look(sampler, &full);
        }
        steps += 1;
        let alive = members[trigger].order(&step).is_some();
        if !alive && kills(&groups) == before {
            return Err("the trigger ended without a kill".to_owned());
        }
        if steps > 400 {
            return Err("the group did not fill".to_owned());
        }
    }
    let killed = who(&mut members, log)?;
    Ok(Outcome {
        kind,
        depth: DEPTHS[plan.full],
        said,
        killed,
        steps,
        trigger: members[trigger].pid(),
        step_pages: i64::try_from(step_kib / 4 + 1).unwrap_or(0),
        members,
        _groups: groups,
    })
}

fn take_memory(
    kind: Kind,
    members: &mut [Member],
    shared: &SharedFile,
    chance: &mut Chance,
) -> Result<(), String> {
    let equal = chance.between(256, 16 << 10);
    for (at, member) in members.iter_mut().enumerate() {
        let size = match kind {
            Kind::Equal => equal,
            _ => chance.between(256, 20 << 10),
        };
        let special = at == 0 || chance.below(2) == 0;
        let mut orders = vec![format!("anon {size}")];
        match kind {
            Kind::Shared if special => orders.push(shared.order()),
            Kind::Threads if special => {
                orders.push(format!("threads {}", chance.between(1, 8)));
            }
            Kind::Twin if at == 0 => orders.push("twin".to_owned()),
            _ => {}
        }
        for order in orders {
            let answer = member.order(&order).ok_or("a member ended early")?;
            if order == "twin" {
                member.twin = Some(answer);
            }
        }
    }
    Ok(())
}

fn set_adj(kind: Kind, members: &[Member], chance: &mut Chance) {
    // All inherit this adj from the test; without CAP_SYS_RESOURCE no process may go below it.
    let floor = members.first().map_or(0, Member::adj);
    let privileged = members.first().is_some_and(|member| {
        let path = format!("/proc/{}/oom_score_adj", member.pid());
        floor > -1000 && fs::write(path, "-1000").is_ok()
    });
    let floor = if privileged { -1000 } else { floor };
    let common = chance.adj(floor);
    for (at, member) in members.iter().enumerate() {
        let adj = match kind {
            Kind::Equal => common,
            // The limit is some 40 MiB: 1/1000 of it for about 40 KiB.
            Kind::Balanced => (i16::try_from(at).unwrap_or(0) * 60 + common / 4).min(1000),
            _ => chance.adj(floor),
        };
        // Somebody must be left to kill.
        let adj = if at < 2 { adj.max(-999) } else { adj };
        member.set_adj(adj.max(floor));
    }
}

/// Gives the group to be filled a low limit, and the others a high limit or none.
fn set_limits(plan: &Plan, groups: &[Memcg], chance: &mut Chance) {
    for (at, group) in groups.iter().enumerate() {
        if at == plan.full {
            let room = chance.between(64, 1024) << 10;
            group.limit((group.usage().unwrap_or(0) + room).next_multiple_of(4096));
        } else if chance.below(2) == 0 {
            group.limit(chance.between(512, 2048) << 20);
        }
    }
}

/// The domain of this group in a sample taken now.
fn look(sampler: &mut Sampler, path: &str) -> Option<Said> {
    let boot = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    let micros = boot.tv_sec.cast_unsigned() * 1_000_000 + boot.tv_nsec.cast_unsigned() / 1000;
    let now = Now {
        monotonic: Monotonic(micros),
        ..Now::default()
    };
    let snapshot = sampler.sample(&Needs::default(), now).expect("a sample");
    let domain = snapshot.domains.iter().find(|domain| match domain.scope {
        Scope::Memcg(key) => snapshot
            .cgroup(key)
            .is_some_and(|g| g.path.as_str() == path),
        Scope::Host | Scope::Nodes(_) => false,
    })?;
    let inside = snapshot.processes.iter().filter(|process| {
        let group = process.cgroup.and_then(|key| snapshot.cgroup(key));
        group.is_some_and(|g| g.path.as_str().starts_with(path))
    });
    let mut points: Vec<_> = inside
        .filter_map(|p| {
            let badness = oomtop::model::process::badness::badness(p, domain.total_pages);
            Some((p.id.pid, badness.points()?))
        })
        .collect();
    points.sort_by_key(|(pid, points)| std::cmp::Reverse((*points, *pid)));
    Some(Said {
        domain: domain.clone(),
        points,
    })
}

/// Kills in these groups: v1 counts them where the victim was, v2 also above.
fn kills(groups: &[Memcg]) -> u64 {
    groups.iter().filter_map(Memcg::oom_kills).sum()
}

/// The first victim: by the kernel's log, else by who ended of SIGKILL.
fn who(members: &mut [Member], log: Option<&KernelLog>) -> Result<u32, String> {
    let end = Instant::now() + Duration::from_secs(20);
    while !members.iter_mut().any(Member::was_killed) {
        if Instant::now() > end {
            return Err("a kill was counted and nobody ended".to_owned());
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    if let Some(log) = log {
        while let Some(line) = log.next_within(Duration::from_secs(5)) {
            let pid = line
                .split_once("Killed process ")
                .and_then(|(_, rest)| rest.split(' ').next().and_then(|pid| pid.parse().ok()));
            if let Some(pid) = pid.filter(|pid| members.iter().any(|member| member.is(*pid))) {
                return Ok(pid);
            }
        }
    }
    let gone: Vec<u32> = members
        .iter_mut()
        .filter_map(|member| member.was_killed().then(|| member.pid()))
        .collect();
    match gone[..] {
        [pid] => Ok(pid),
        _ => Err("several were killed and the log does not tell who was first".to_owned()),
    }
}

/// A file of a memory file system, gone with the trial.
struct SharedFile {
    path: PathBuf,
    kib: u64,
}

impl SharedFile {
    fn create(kib: u64) -> Self {
        let path = PathBuf::from(format!("/dev/shm/oomtop-kills-{}", std::process::id()));
        fs::File::create(&path)
            .and_then(|file| file.set_len(kib << 10))
            .ok();
        Self { path, kib }
    }

    fn order(&self) -> String {
        if self.path.exists() {
            format!("shared {} {}", self.path.display(), self.kib)
        } else {
            format!("anon {}", self.kib)
        }
    }
}

impl Drop for SharedFile {
    fn drop(&mut self) {
        fs::remove_file(&self.path).ok();
    }
}
