//! `oomtop run`: a command in a group of its own, watched until its end.
//!
//! ```text
//!  a note, the group, the command in it ─► monitor, log, signals ─► (the dashboard) ─► the command's end ─► the report
//! ```

mod deaths;
mod destination;
mod finish;
mod job;
mod left;
mod monitor;
mod output;
mod signals;

use std::fs::File;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::Child;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, channel};

pub use left::{Told, tidy_up};

use deaths::Deaths;
use destination::Destination;
use finish::Finish;
use job::Job;
use left::open_notes;
use monitor::Monitor;
use output::Output;

use super::{RunError, clock, complain, protect_self, screen};
use crate::app::settings::Settings;
use crate::linux::SysRoot;
use crate::linux::helper::helper;
use crate::linux::runs::group::{Allowed, RunGroup};
use crate::linux::runs::planned::PlannedGroup;
use crate::linux::runs::start::{Start, Streams, makes_immune, start};
use crate::linux::scan::backend::BackendChoice;
use crate::model::filter::Filter;
use crate::model::process::score::OomScoreAdj;
use crate::model::run::place::LeftUnit;
use crate::model::run::task::RunTask;
use crate::model::time::{Monotonic, Now};
use crate::ui::theme::Themes;

/// What to run, and how.
#[derive(Debug)]
pub struct LoadTest {
    /// The command, its limits and its report.
    pub task: RunTask,
    /// Settings of the run.
    pub settings: Settings,
    /// The dashboard; `None` without.
    pub look: Option<Look>,
}

/// How the dashboard is shown.
#[derive(Debug)]
pub struct Look {
    /// How it looks.
    pub theme: Themes,
    /// How to read the processes.
    pub backend: BackendChoice,
    /// Listen to the mouse.
    pub mouse: bool,
    /// Lock oomtop's own memory and lower its own adj, where allowed.
    pub self_protect: bool,
    /// Append every write of the dashboard to this file.
    pub audit: Option<PathBuf>,
}

/// Runs the command and reports. Returns the exit status.
///
/// # Errors
/// If the command could not be started under watch.
pub fn load_test(test: &LoadTest) -> Result<u8, RunError> {
    let root = SysRoot::default();
    let report = Destination::open(test.task.report.as_deref()).map_err(RunError::LoadTest)?;
    let (notes, found) = open_notes(test.task.runtime_dir.clone()).map_err(RunError::LoadTest)?;
    let told = Told::now(&found);
    // From here on a signal ends the command, and oomtop cleans up behind it.
    let caught = signals::catch().map_err(RunError::Signals)?;
    let planned = PlannedGroup::find(&root).map_err(RunError::LoadTest)?;
    let left_unit = planned.left().cloned();
    if let Some(left) = &left_unit {
        complain(&left.words());
    }
    let (own, path) = (planned.own(), planned.path());
    notes.add(own, &path).map_err(RunError::LoadTest)?;
    if let Some(parent) = planned.enables() {
        let added = notes.add_memory(&root, own, parent);
        added.map_err(RunError::LoadTest)?;
    }
    let allowed = Allowed {
        memory: test.task.memory,
        swap: test.task.swap,
    };
    // Where that fails, something of it may be left: the note stays, and the next start looks after both.
    let group = planned.make(allowed).map_err(RunError::LoadTest)?;
    let ended = in_group(
        test,
        &root,
        (&group, left_unit.as_ref()),
        caught,
        report,
        &told,
    );
    if group.remove() {
        notes.remove(own);
    }
    notes.put_back(&root, Some(own));
    ended
}

fn in_group(
    test: &LoadTest,
    root: &SysRoot,
    (group, left_unit): (&RunGroup, Option<&LeftUnit>),
    caught: signals::Caught,
    report: Destination,
    told: &Told,
) -> Result<u8, RunError> {
    let has_screen = test.look.is_some();
    let is_immune = test
        .task
        .adj
        .map_or_else(makes_immune, |adj| adj == OomScoreAdj::IMMUNE);
    if is_immune && test.task.memory.is_some() {
        complain(
            "the command has an oom_score_adj of -1000: at the limit nobody can be killed, and it waits for ever; give another with --adj 0",
        );
    }
    // No key of a terminal must reach a command that the dashboard hides; without a terminal there is none.
    let apart = has_screen || !has_terminal();
    // After oomtop has moved into the place that it keeps, and gone before it moves back.
    let echo = if apart { None } else { caught.echo() };
    let (output, streams) = streams(has_screen, test.task.log.as_deref())?;
    let door = group.door().map_err(RunError::LoadTest)?;
    let watcher = group.watch().map_err(RunError::LoadTest)?;
    let deaths = Deaths::follow(root, group.path().name().to_owned()).map_err(RunError::Thread)?;
    let began = clock::now();
    let started = start(Start {
        command: &test.task.command,
        door: &door,
        adj: test.task.adj,
        streams,
        apart,
    });
    let child = match started {
        Ok(child) => child,
        Err(error) => {
            complain(&error.to_string());
            return Ok(error.status());
        }
    };
    drop(door);
    // After the command has entered: a group without memory control has no such file.
    if !group.is_limit_kept() {
        complain(&format!(
            "the limit of {} is gone: another program has switched memory control of the groups beside it",
            group.path()
        ));
    }
    // It is not reaped before the monitor ends, so the pid is its own.
    let pid = child.id();
    let mut command = Running::new(child, apart)?;
    let on_screen = Arc::new(AtomicBool::new(false));
    // A thread that cannot be had now leaves the command without a watch, but not oomtop without the command.
    let passed = signals::pass_on(
        caught,
        Arc::clone(&command.job),
        Arc::clone(&on_screen),
        echo.is_some(),
    );
    let monitor = Monitor::start(watcher, test.settings.thresholds, pid);
    let (Ok(()), Ok(monitor)) = (passed, monitor) else {
        complain("no thread could be started to watch the command; it is ended");
        screen::Companion::signal(&*command.job, rustix::process::Signal::KILL);
        command.wait()?;
        return Err(RunError::LoadTest("the command was not watched".to_owned()));
    };
    if let Some(look) = &test.look {
        on_screen.store(true, Ordering::SeqCst);
        show(look, &test.settings, root, group, &command.job);
        on_screen.store(false, Ordering::SeqCst);
        told.again();
        if !command.has_ended() {
            complain(
                "the command still runs; Ctrl-C is passed on to it, and the report comes at its end",
            );
        }
    }
    let (ended, child, job) = command.ended()?;
    let seen = monitor.end();
    let tail = output.map(Output::end);
    let finish = Finish {
        test,
        group,
        left_unit,
        deaths: &deaths,
        began,
        ended,
    };
    finish.report(child, &job, seen, tail, report)
}

fn has_terminal() -> bool {
    let streams = [
        rustix::stdio::stdin(),
        rustix::stdio::stdout(),
        rustix::stdio::stderr(),
    ];
    streams.iter().any(rustix::termios::isatty)
}

/// Where the streams of the command lead, and who reads them.
fn streams(has_screen: bool, log: Option<&Path>) -> Result<(Option<Output>, Streams), RunError> {
    if !has_screen {
        return Ok((None, Streams::Inherit));
    }
    if let Some(log) = log {
        let file = File::create(log).map_err(|error| {
            RunError::LoadTest(format!("{} cannot be written: {error}", log.display()))
        })?;
        return Ok((None, Streams::Apart(OwnedFd::from(file))));
    }
    let (output, write) = Output::open().map_err(RunError::Thread)?;
    Ok((Some(output), Streams::Apart(write)))
}

/// The dashboard, until the command ends or the user leaves it.
fn show(look: &Look, settings: &Settings, root: &SysRoot, group: &RunGroup, job: &Arc<Job>) {
    if look.self_protect {
        // The command was started before: it inherits nothing of this.
        protect_self();
    }
    let mut settings = settings.clone();
    settings.watched = Some(group.path().clone());
    if group.limit.is_none() {
        // No domain of its own to zoom to.
        let filter = format!("cgroup:{}", group.path().name());
        settings.filter = Filter::parse(&filter).unwrap_or_default();
    }
    let companion: Arc<dyn screen::Companion> = Arc::<Job>::clone(job);
    let shown = screen::beside(
        settings,
        &look.theme,
        root.clone(),
        look.backend,
        (look.mouse, Some(companion)),
        (look.audit.as_deref(), screen::OwnFiles::default()),
    );
    if let Err(error) = shown {
        complain(&format!("no dashboard: {error}"));
    }
}

/// The command, and the thread that waits for its end.
struct Running {
    child: Child,
    job: Arc<Job>,
    end: Receiver<Now>,
    ended: Option<Now>,
}

impl Running {
    fn new(mut child: Child, apart: bool) -> Result<Self, RunError> {
        let job = Job::new(&child, apart).map_err(RunError::Thread)?;
        let job = Arc::new(job);
        let (send, end) = channel();
        let waiter = Arc::clone(&job);
        let waits = helper("waiter", move || {
            waiter.await_end();
            let _ = send.send(clock::now());
        });
        if let Err(error) = waits {
            let _ = child.kill();
            let _ = child.wait();
            return Err(RunError::Thread(error));
        }
        Ok(Self {
            child,
            job,
            end,
            ended: None,
        })
    }

    fn has_ended(&mut self) -> bool {
        self.ended = self.ended.or_else(|| self.end.try_recv().ok());
        self.ended.is_some()
    }

    /// Waits for its end: when it was, and the command to be reaped.
    fn ended(self) -> Result<(Monotonic, Child, Arc<Job>), RunError> {
        let at = match self.ended {
            Some(at) => at,
            None => self
                .end
                .recv()
                .map_err(|error| RunError::Thread(std::io::Error::other(error)))?,
        };
        Ok((at.monotonic, self.child, self.job))
    }

    fn wait(self) -> Result<(), RunError> {
        let (_, mut child, job) = self.ended()?;
        job.reap(&mut child).map(drop).map_err(RunError::Thread)
    }
}
