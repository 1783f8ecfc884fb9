//! Processes that systemd moves into a new scope, each looked at before and after.

mod readings;

use std::os::fd::{AsFd as _, OwnedFd};
use std::sync::Arc;

use rustix::process::{PidfdFlags, pidfd_open};

use super::{UnitWriter, not_kept};
use crate::linux::systemd::Standing;
use crate::linux::systemd::manager::Connected;
use crate::linux::systemd::manager::scope::NewScope;
use crate::linux::write::errors::failure;
use crate::linux::write::pinned::{PinnedProcess, gone};
use crate::linux::write::signal::own_pids;
use crate::model::cgroup::limits::LimitValue;
use crate::model::plan::receipt::{Failure, FailureKind, Reading};
use crate::model::plan::step::{CgroupStep, ScopeStart};
use crate::model::process::ProcessId;

use readings::{homes, reading};

/// How often systemd is asked again without those that have ended meanwhile.
const ROUNDS: usize = 3;

/// One of the processes that come into a scope.
struct Member {
    id: ProcessId,
    process: Arc<PinnedProcess>,
    pidfd: OwnedFd,
    home: Reading,
}

/// Why there is no scope.
struct Unstarted {
    failure: Failure,
    /// systemd has started one, which has ended: it moves nobody any more.
    is_over: bool,
}

impl Unstarted {
    fn not_over(failure: Failure) -> Self {
        Self {
            failure,
            is_over: false,
        }
    }
}

/// What came of one process.
type Outcome = (ProcessId, Result<(), Failure>);

impl UnitWriter<'_> {
    pub(super) fn scope(
        &self,
        scope: &ScopeStart,
        before: &mut Reading,
    ) -> Result<Reading, Failure> {
        own_pids(self.root, "a move")?;
        let mut lost = Vec::new();
        let mut members = Vec::new();
        for target in &scope.targets {
            match self.member(scope, *target) {
                Ok(member) => members.push(member),
                Err(failure) => lost.push((*target, failure)),
            }
        }
        if !members.is_empty() {
            *before = homes(
                scope,
                members.iter().map(|member| (member.id, &member.home)),
            );
        }
        // A scope that has failed may have taken some of them all the same.
        let mut over = None;
        for _ in 0..ROUNDS {
            leave_out(&mut members, &mut lost);
            if members.is_empty() {
                break;
            }
            match self.start(scope, &members, &mut lost) {
                Ok(group) => {
                    let results = self.results(scope, &members, &group, &lost);
                    let reading = reading(scope, results)?;
                    self.are_kept(scope)?;
                    return Ok(reading);
                }
                // Nothing was done, or the scope has failed as a whole: perhaps because of one that has ended. systemd moves
                // them a moment after it has taken the order (systemd src/core/scope.c `scope_start`).
                Err(Unstarted { failure, is_over }) => {
                    // What became of a stranger must be told.
                    let is_final = failure.kind == FailureKind::Reused
                        || (failure.kind.may_have_written() && !is_over);
                    let all_live = || members.iter().all(|member| member.process.check().is_ok());
                    if is_final || all_live() || (is_over && !self.is_forgotten(scope)) {
                        return Err(worst(lost, failure));
                    }
                    over = is_over.then_some(failure).or(over);
                }
            }
        }
        if let Some(over) = over.filter(|_| !members.is_empty()) {
            return Err(worst(lost, over));
        }
        Err(lost.into_iter().next().map_or_else(
            || failure(FailureKind::Other, "No process is left to move.".to_owned()),
            |(_, failure)| failure,
        ))
    }

    /// What the step would find.
    pub(super) fn look_at_scope(&self, scope: &ScopeStart) -> Result<Reading, Failure> {
        let mut found = Vec::new();
        let mut gone = None;
        for target in &scope.targets {
            match self.cgroups.look(self.pins, &as_move(scope, *target)) {
                Ok(home) => found.push((*target, home)),
                Err(failure) => gone = Some(failure),
            }
        }
        match (found.as_slice(), gone) {
            ([], Some(failure)) => Err(failure),
            _ => Ok(homes(scope, found.iter().map(|(id, home)| (*id, home)))),
        }
    }

    fn member(&self, scope: &ScopeStart, id: ProcessId) -> Result<Member, Failure> {
        let pid = i32::try_from(id.pid).ok();
        let pid = pid
            .and_then(rustix::process::Pid::from_raw)
            .ok_or_else(|| gone(id))?;
        // Taken before the look at the process: if that is the right one, this is its descriptor.
        let pidfd = pidfd_open(pid, PidfdFlags::empty());
        let process = self.pins.process(id)?;
        let pidfd = pidfd.map_err(|errno| {
            let sentence = format!("Process {} has no pidfd: {errno}.", id.pid);
            failure(FailureKind::Other, sentence)
        })?;
        let home = self.cgroups.look(self.pins, &as_move(scope, id))?;
        Ok(Member {
            id,
            process,
            pidfd,
            home,
        })
    }

    /// Lets systemd start the scope. Returns its group.
    fn start(
        &self,
        scope: &ScopeStart,
        members: &[Member],
        lost: &mut Vec<(ProcessId, Failure)>,
    ) -> Result<String, Unstarted> {
        let manager = self.connect_by(scope.unit.manager, Connected::open_for_scopes);
        let mut manager = manager.map_err(Unstarted::not_over)?;
        let limits: Vec<_> = scope
            .limits
            .iter()
            .filter_map(|write| {
                let property = write.file.row().systemd?;
                Some((property, write.value.amount().unwrap_or(u64::MAX)))
            })
            .collect();
        let who = members
            .iter()
            .map(|member| (member.id.pid, member.pidfd.as_fd()));
        let who: Vec<_> = who.collect();
        let homes = self.cgroups.homes();
        let (started, _) = manager.start_scope(&NewScope {
            name: &scope.unit.name,
            description: match members {
                [_] => "A process that oomtop has moved",
                _ => "Processes that oomtop has moved",
            },
            slice: &scope.slice,
            who: &who,
            delegate: false,
            limits: &limits,
        });
        // Check even if systemd reports success: it writes a number in the end, also where it was given a descriptor (systemd
        // src/core/cgroup.c `unit_attach_pids_to_cgroup`), and that may have been a stranger's by then.
        let meant = members.iter().map(|member| member.id.pid).collect();
        let reaped = members.iter().filter(|member| member.process.is_reaped());
        for Member { id, .. } in reaped {
            let step = as_move(scope, *id);
            let places = (Some(&meant), &homes);
            let cgroups = self.cgroups;
            let back = cgroups.set_right((&step, *id), &scope.group, places);
            if members.len() == 1 {
                return Err(Unstarted::not_over(back));
            }
            lost.push((*id, back));
        }
        started.map_err(|refusal| {
            if refusal.standing == Standing::Open {
                self.was_silent();
            }
            let is_over = refusal.standing == Standing::Over;
            let foreign = members.iter().find(|member| is_anothers(member));
            match foreign.filter(|_| is_over) {
                Some(foreign) => Unstarted::not_over(not_theirs(scope, foreign.id)),
                None => Unstarted {
                    failure: refusal.failure,
                    is_over,
                },
            }
        })
    }

    /// Another scope of that name can be started.
    fn is_forgotten(&self, scope: &ScopeStart) -> bool {
        let manager = self.connect(scope.unit.manager);
        manager.is_ok_and(|mut manager| manager.is_forgotten(&scope.unit.name))
    }

    /// Who has come, in the order of the step.
    fn results(
        &self,
        scope: &ScopeStart,
        members: &[Member],
        group: &str,
        lost: &[(ProcessId, Failure)],
    ) -> Vec<Outcome> {
        let result = |id: &ProcessId| {
            let lost = lost.iter().find(|(gone, _)| gone == id);
            let member = members.iter().find(|member| member.id == *id);
            let came = match (lost, member) {
                (Some((_, failure)), _) => Err(failure.clone()),
                (None, Some(member)) => self.has_come(scope, member, group),
                (None, None) => Err(gone(*id)),
            };
            (*id, came)
        };
        scope.targets.iter().map(result).collect()
    }

    fn has_come(&self, scope: &ScopeStart, member: &Member, group: &str) -> Result<(), Failure> {
        member.process.check()?;
        let now = self.cgroups.group_of(&member.process);
        let now = now.ok_or_else(|| gone(member.id))?;
        if now.as_str() == group && now == scope.group {
            return Ok(());
        }
        let sentence = format!(
            "systemd has started {} as {group}, but process {} is in {now} now.",
            scope.unit, member.id.pid
        );
        // What another program has moved is not moved back.
        let kind = if now == scope.group || now.as_str() == group {
            FailureKind::NotKept
        } else {
            FailureKind::Elsewhere
        };
        Err(failure(kind, sentence))
    }

    /// The files of the group show the limits.
    fn are_kept(&self, scope: &ScopeStart) -> Result<(), Failure> {
        for write in &scope.limits {
            let step = CgroupStep::Limit(scope.group.clone(), *write);
            let shown = self.cgroups.look(self.pins, &step);
            let shown = shown.map_err(|failure| not_kept(failure.sentence))?;
            let shown = shown.limit().unwrap_or(LimitValue::Unlimited);
            let page_size = rustix::param::page_size() as u64;
            if !write.file.is_kept(write.value, shown, page_size) {
                return Err(not_kept(format!(
                    "systemd has started {}, but {} of {} reads '{}' and not {}.",
                    scope.unit,
                    write.file.name(),
                    scope.group,
                    write.file.text(shown),
                    write.text()
                )));
            }
        }
        Ok(())
    }
}

/// It is another user's, whom nobody but root moves.
fn is_anothers(member: &Member) -> bool {
    let own = rustix::process::geteuid();
    let owner = rustix::fs::fstat(member.process.dir());
    !own.is_root() && owner.is_ok_and(|owner| owner.st_uid != own.as_raw())
}

fn not_theirs(scope: &ScopeStart, target: ProcessId) -> Failure {
    let sentence = format!(
        "{} has started and ended again: process {} belongs to another user, and only root may move it. Run oomtop as root: \
         sudo oomtop",
        scope.unit, target.pid
    );
    failure(FailureKind::Denied, sentence)
}

/// The plain cgroup move of the same process: its present state is read in the same way.
fn as_move(scope: &ScopeStart, target: ProcessId) -> CgroupStep {
    CgroupStep::Move(target, scope.group.clone())
}

/// What is told of an order that failed: first what became of a stranger.
fn worst(lost: Vec<(ProcessId, Failure)>, failure: Failure) -> Failure {
    let mut lost = lost.into_iter().map(|(_, failure)| failure);
    lost.find(|lost| lost.kind == FailureKind::Reused)
        .unwrap_or(failure)
}

/// Those that have ended.
fn leave_out(members: &mut Vec<Member>, lost: &mut Vec<(ProcessId, Failure)>) {
    members.retain(|member| match member.process.check() {
        Ok(_) => true,
        Err(failure) => {
            if !lost.iter().any(|(id, _)| *id == member.id) {
                lost.push((member.id, failure));
            }
            false
        }
    });
}
