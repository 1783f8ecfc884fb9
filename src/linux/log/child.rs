//! `OwnChild`: a program that oomtop reads from. It ends with its reader, with the [`Leash`] it was started on,
//! and with oomtop, whatever ends that.

use std::collections::HashSet;
use std::io;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, ChildStderr, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustix::process::{
    Pid, Signal, WaitId, WaitIdOptions, kill_process_group, set_parent_process_death_signal, waitid,
};

/// How long a killed program is waited for. One in uninterruptible sleep ends when it wakes, and nobody waits
/// for that.
const END_WITHIN: Duration = Duration::from_millis(200);

/// Holds the programs of one owner, so that the owner can end them all while other threads read from them.
#[derive(Debug, Clone, Default)]
pub struct Leash(Arc<Mutex<Held>>);

#[derive(Debug, Default)]
struct Held {
    leaders: HashSet<Pid>,
    /// No program is started any more.
    is_over: bool,
}

impl Leash {
    /// Kills every program on it, with all that those have started, and reaps the programs: once oomtop has ended,
    /// nobody might (pid 1 of many a container does not). Their readers see the end of the output, and cannot
    /// start another program: it would outlive oomtop.
    pub fn end_all(&self) {
        self.with_held(|held| {
            held.is_over = true;
            held.leaders.iter().copied().for_each(kill_group);
        });
        let until = Instant::now() + END_WITHIN;
        while !self.all_reaped() && Instant::now() < until {
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    fn all_reaped(&self) -> bool {
        self.with(|leaders| {
            let runs = |leader: &Pid| {
                let ended = WaitIdOptions::EXITED | WaitIdOptions::NOHANG;
                matches!(waitid(WaitId::Pid(*leader), ended), Ok(None))
            };
            leaders.retain(runs);
            leaders.is_empty()
        })
    }

    /// A leader is reaped only under this lock: as long as it is in the set, its number names its group.
    fn with<T>(&self, work: impl FnOnce(&mut HashSet<Pid>) -> T) -> T {
        self.with_held(|held| work(&mut held.leaders))
    }

    fn with_held<T>(&self, work: impl FnOnce(&mut Held) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// A running program, the leader of a process group of its own.
#[derive(Debug)]
pub(super) struct OwnChild {
    child: Child,
    leader: Option<Pid>,
    leash: Leash,
}

impl OwnChild {
    /// Starts the program with both outputs piped. A Ctrl-C at oomtop's terminal does not reach it.
    ///
    /// # Errors
    /// If there is no such program, no process can be made, or all on the leash have been ended.
    #[expect(
        unsafe_code,
        reason = "std has no other way to set the signal before exec"
    )]
    pub(super) fn spawn(command: &mut Command, leash: &Leash) -> io::Result<Self> {
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0);
        // SAFETY: between fork and exec the closure makes one system call, prctl(2); it takes no lock and
        // allocates nothing.
        unsafe {
            command.pre_exec(|| Ok(set_parent_process_death_signal(Some(Signal::KILL))?));
        }
        leash.with_held(|held| {
            if held.is_over {
                return Err(io::Error::other("oomtop is ending"));
            }
            let child = command.spawn()?;
            let leader = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
            held.leaders.extend(leader);
            Ok(Self {
                child,
                leader,
                leash: leash.clone(),
            })
        })
    }

    /// The two outputs, once.
    pub(super) fn take_outputs(&mut self) -> (Option<ChildStdout>, Option<ChildStderr>) {
        (self.child.stdout.take(), self.child.stderr.take())
    }

    /// How it ended, if it has. What it started and left behind is killed then.
    ///
    /// # Errors
    /// If it is no child of this process any more.
    pub(super) fn try_wait(&mut self) -> io::Result<Option<ExitStatus>> {
        let (child, leader) = (&mut self.child, &mut self.leader);
        self.leash.with(|leaders| {
            let Some(pid) = *leader else {
                return child.try_wait();
            };
            if !leaders.contains(&pid) {
                *leader = None;
                return child.try_wait();
            }
            let look = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
            if waitid(WaitId::Pid(pid), look)?.is_none() {
                return Ok(None);
            }
            kill_group(pid);
            leaders.remove(&pid);
            *leader = None;
            child.try_wait()
        })
    }

    /// Kills it and all that it started.
    pub(super) fn kill(&mut self) {
        if let Some(pid) = self.leader {
            // One that the leash has reaped is not in the set any more: its number may be another's.
            self.leash
                .with(|leaders| leaders.get(&pid).copied().map(kill_group));
        }
    }
}

impl Drop for OwnChild {
    fn drop(&mut self) {
        self.kill();
        let until = Instant::now() + END_WITHIN;
        while matches!(self.try_wait(), Ok(None)) && Instant::now() < until {
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}

fn kill_group(leader: Pid) {
    // An error means that nobody of the group is left.
    let _ = kill_process_group(leader, Signal::KILL);
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use rustix::io::Errno;
    use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};

    use super::{Leash, OwnChild};

    #[test]
    fn what_the_leash_ends_is_no_zombie_afterwards() {
        let leash = Leash::default();
        let mut child =
            OwnChild::spawn(Command::new("sleep").arg("1000"), &leash).expect("a child");
        let pid = Pid::from_raw(i32::try_from(child.child.id()).expect("a pid")).expect("a pid");
        // Whoever reads from it has not got to it: the program ends first.
        until(|| {
            leash.end_all();
            let left = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
            waitid(WaitId::Pid(pid), left).err() == Some(Errno::CHILD)
        });
        assert!(leash.with(|leaders| leaders.is_empty()));
        assert!(child.try_wait().is_err(), "it is not waited for twice");
        child.kill();
    }

    #[test]
    fn nothing_is_started_once_all_have_been_ended() {
        let leash = Leash::default();
        leash.end_all();
        assert!(OwnChild::spawn(&mut Command::new("true"), &leash).is_err());
    }

    /// A loaded machine may take longer than one call waits.
    fn until(mut seen: impl FnMut() -> bool) {
        for _ in 0..100 {
            if seen() {
                return;
            }
        }
        panic!("it is still there");
    }
}
