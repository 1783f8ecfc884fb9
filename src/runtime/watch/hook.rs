//! [`Hook`]: a program that is run for each event, one at a time.

use std::io;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::fs::{Access, access};
use rustix::process::{Pid, Signal, kill_process_group};

use super::queue::Queue;
use crate::app::lookout::News;
use crate::linux::helper::helper;
use crate::output::watch::Told;
use crate::runtime::complain;
use crate::runtime::headless::rounds::Reminder;

/// How long one run may take; then it is killed with all that it has started.
const WITHIN: Duration = Duration::from_secs(30);

/// How long a run for another event may take while a kill waits.
const BEFORE_A_KILL: Duration = Duration::from_secs(5);

/// Least time between two starts.
const APART: Duration = Duration::from_secs(1);

/// How often it is looked whether it has ended.
const LOOK: Duration = Duration::from_millis(20);

/// The program that this names, as a shell would find it.
///
/// # Errors
/// A sentence, if there is no such program or it may not be run.
pub(super) fn usable(program: &Path) -> Result<PathBuf, String> {
    let why = |why: &str| Err(format!("--hook {}: {why}", program.display()));
    let is_program = |path: &Path| path.is_file() && access(path, Access::EXEC_OK).is_ok();
    if program.as_os_str().as_encoded_bytes().contains(&b'/') {
        return match std::fs::metadata(program) {
            Err(error) => why(&error.to_string()),
            Ok(known) if !known.is_file() => why("that is no file"),
            Ok(_) if !is_program(program) => why("that may not be run (chmod +x)"),
            Ok(_) => Ok(program.to_owned()),
        };
    }
    let folders = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&folders).map(|folder| folder.join(program));
    let mut found = found.filter(|path| is_program(path));
    found
        .next()
        .map_or_else(|| why("there is no such program in PATH"), Ok)
}

/// Runs the program on a thread of its own until dropped.
#[derive(Debug)]
pub(super) struct Hook {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Shared {
    stop: AtomicBool,
    queue: Mutex<Queue>,
    came: Condvar,
}

impl Shared {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::SeqCst)
    }

    /// The next event; `None` when it is to end.
    fn next(&self) -> Option<(Told, u64)> {
        let mut queue = self.queue();
        while !self.is_stopped() {
            if let Some(next) = queue.pop() {
                return Some(next);
            }
            queue = self
                .came
                .wait(queue)
                .unwrap_or_else(PoisonError::into_inner);
        }
        None
    }
}

impl Hook {
    /// Starts the thread.
    pub(super) fn start(program: &Path) -> io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let (own, program) = (Arc::clone(&shared), program.to_owned());
        let thread = helper("hook", move || run_all(&program, &own))?;
        Ok(Self {
            shared,
            thread: Some(thread),
        })
    }

    /// Hands an event over.
    pub(super) fn tell(&self, told: &Told) {
        self.shared.queue().push(told.clone());
        self.shared.came.notify_one();
    }
}

impl Drop for Hook {
    fn drop(&mut self) {
        let queue = self.shared.queue();
        self.shared.stop.store(true, Ordering::SeqCst);
        drop(queue);
        self.shared.came.notify_one();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn run_all(program: &Path, shared: &Shared) {
    let mut unwell = Reminder::default();
    let mut next = Instant::now();
    loop {
        while Instant::now() < next && !shared.is_stopped() {
            std::thread::sleep(LOOK);
        }
        // Only now: a kill that has come meanwhile is served first.
        let Some((told, left_out)) = shared.next() else {
            return;
        };
        next = Instant::now() + APART;
        match run(program, &told, left_out, shared) {
            Ok(()) => unwell.is_over(),
            Err(sentence) if unwell.is_due() => complain(&sentence),
            Err(_) => {}
        }
    }
}

/// Runs the program once. Facts are in its environment alone: nothing that somebody has named is part of a command line.
fn run(program: &Path, told: &Told, left_out: u64, shared: &Shared) -> Result<(), String> {
    let name = program.display();
    let spawned = Command::new(program)
        .envs(told.environment())
        .env("OOMTOP_LEFT_OUT", left_out.to_string())
        .stdin(Stdio::null())
        // Standard output has the events.
        .stdout(io::stderr())
        .process_group(0)
        .spawn();
    let mut child = spawned.map_err(|error| format!("the hook {name} cannot be run: {error}"))?;
    unprotect(child.id());
    let is_kill = matches!(told.news, News::Killed(_) | News::Explained(_));
    let status = await_end(&mut child, is_kill, shared)
        .map_err(|error| format!("the hook {name}: {error}"))?;
    match status {
        // oomtop ends, and the hook with it.
        None if shared.is_stopped() => Ok(()),
        None => Err(format!("the hook {name} was killed: it took too long")),
        Some(status) if status.success() => Ok(()),
        Some(status) => Err(match (status.code(), status.signal()) {
            (Some(code), _) => format!("the hook {name} failed with status {code}"),
            (None, Some(signal)) => format!("the hook {name} was ended by signal {signal}"),
            (None, None) => format!("the hook {name} failed"),
        }),
    }
}

/// oomtop may be protected; what it starts is not. A value of 0 or more stays: the administrator has chosen it.
fn unprotect(pid: u32) {
    let path = format!("/proc/{pid}/oom_score_adj");
    let present = std::fs::read_to_string(&path).ok();
    if present.is_some_and(|adj| adj.starts_with('-')) {
        // To raise the value needs no privilege. It fails if the process has ended, and then nothing is lost.
        let _ = std::fs::write(path, "0");
    }
}

/// Waits for the end; `None` if the program had to be killed.
fn await_end(child: &mut Child, is_kill: bool, shared: &Shared) -> io::Result<Option<ExitStatus>> {
    let begun = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        let hurries = !is_kill && shared.queue().has_kill();
        let most = if hurries { BEFORE_A_KILL } else { WITHIN };
        if begun.elapsed() >= most || shared.is_stopped() {
            // Its process is not waited for yet, so the number is still that of its group.
            let _ = kill_process_group(Pid::from_child(child), Signal::KILL);
            child.wait()?;
            return Ok(None);
        }
        std::thread::sleep(LOOK);
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;
    use std::path::Path;

    use super::usable;

    #[test]
    fn what_cannot_be_run_is_refused_at_once() {
        let dir = tempfile::tempdir().expect("a directory");
        let file = dir.path().join("hook");
        assert!(usable(&file).is_err_and(|why| why.contains("No such file")));
        std::fs::write(&file, "#!/bin/sh\n").expect("written");
        let mode = |mode| std::fs::Permissions::from_mode(mode);
        std::fs::set_permissions(&file, mode(0o644)).expect("changed");
        assert!(usable(&file).is_err_and(|why| why.contains("may not be run")));
        std::fs::set_permissions(&file, mode(0o755)).expect("changed");
        assert_eq!(usable(&file), Ok(file));
        assert!(usable(dir.path()).is_err_and(|why| why.contains("no file")));
        assert!(usable(Path::new("sh")).is_ok_and(|path| path.is_absolute()));
        assert!(usable(Path::new("no-such-program-at-all")).is_err());
    }
}
