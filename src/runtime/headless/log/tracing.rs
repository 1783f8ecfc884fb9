//! The reader of the kernel's tracepoints.

use std::os::fd::{AsFd, BorrowedFd};
use std::sync::mpsc::SyncSender;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::{Arrival, Shared};
use crate::linux::SysRoot;
use crate::linux::scan::KillTrace;
use crate::linux::urgent;
use crate::model::event_source::Tracing;
use crate::model::traced::Traced;

/// Pause before the kernel is asked again, where it had no memory for the programs.
const PAUSE: Duration = Duration::from_secs(10);

/// Tells of kills until it shall stop, nobody listens, or the kernel does not take the programs.
pub(super) fn follow(root: &SysRoot, shared: &Shared, send: &SyncSender<Arrival>) {
    let _in_time = urgent::OWN.join();
    let Some(stopped) = &shared.stopped else {
        let reason = "no descriptor is left".to_owned();
        let _ = send.send(Arrival::Tracing(Tracing::Off(reason)));
        return;
    };
    loop {
        let refusal = match KillTrace::open(root) {
            // What is not sent nobody wants.
            Ok(trace) => return read(trace, stopped.as_fd(), send).unwrap_or_default(),
            Err(refusal) => refusal,
        };
        let status = Arrival::Tracing(Tracing::Off(refusal.to_string()));
        if send.send(status).is_err() || !refusal.may_pass() || rests(stopped.as_fd()) {
            return;
        }
    }
}

/// Waits before the kernel is asked again; true if the reader shall stop.
fn rests(stopped: BorrowedFd<'_>) -> bool {
    let mut fds = [PollFd::from_borrowed_fd(stopped, PollFlags::IN)];
    let pause = Timespec::try_from(PAUSE).ok();
    !matches!(poll(&mut fds, pause.as_ref()), Ok(0))
}

/// Reads until it shall stop; `None` if nobody listens.
fn read(mut trace: KillTrace, stopped: BorrowedFd<'_>, send: &SyncSender<Arrival>) -> Option<()> {
    let tell = |arrival| send.send(arrival).ok();
    let mut unseen = trace.lost_signals();
    tell(Arrival::Tracing(status(&trace, unseen)))?;
    let (mut told, mut more) = (Vec::new(), Vec::new());
    while trace.wait(stopped) {
        trace.take(&mut told);
        if told.iter().any(|traced| matches!(traced, Traced::Kill(_))) {
            urgent::OWN.memory_is_short();
        }
        for traced in &told {
            tell(Arrival::Traced(traced.clone()))?;
        }
        // After that: it may wait for the kernel.
        trace.complete(&told, &mut more);
        told.clear();
        for traced in more.drain(..) {
            tell(Arrival::Traced(traced))?;
        }
        let lost = trace.lost_signals();
        if lost != unseen {
            unseen = lost;
            tell(Arrival::Tracing(status(&trace, unseen)))?;
        }
    }
    Some(())
}

fn status(trace: &KillTrace, unseen: u64) -> Tracing {
    Tracing::Live {
        instructions: trace.instructions(),
        lacking: trace.lacking().to_owned(),
        lost: unseen,
    }
}
