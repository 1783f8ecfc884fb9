//! [`Starts`]: the kernel tells of processes that start. By tracepoints, else by the process connector; where it does
//! neither, the process table must be looked at again and again.

mod connector;

use std::os::fd::BorrowedFd;

use super::SysRoot;
use super::scan::StartTrace;
use crate::model::rules::start::Start;
use connector::Connector;

/// Most events taken in one go.
const BATCH: usize = 512;

/// How to notice starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Way {
    /// The first of the others that works here.
    #[default]
    Auto,
    /// Tracepoints: `CAP_BPF`, `CAP_PERFMON`, Linux 5.8 or later.
    Tracepoints,
    /// The process connector: `CAP_NET_ADMIN`, the host's network namespace, `CONFIG_PROC_EVENTS`.
    Connector,
    /// A look at the process table every second.
    Scan,
}

/// Where the events come from.
#[derive(Debug)]
pub struct Starts(Source);

#[derive(Debug)]
enum Source {
    Trace(StartTrace),
    Connector(Connector),
}

impl Starts {
    /// Opens a source. With it, or in its place, come the reasons why better ones are not used.
    #[must_use]
    pub fn open(root: &SysRoot, way: Way) -> (Option<Self>, Vec<String>) {
        let mut refused = Vec::new();
        if matches!(way, Way::Auto | Way::Tracepoints) {
            match StartTrace::open(root) {
                Ok(trace) => return (Some(Self(Source::Trace(trace))), refused),
                Err(refusal) => refused.push(format!("tracepoints are not used: {refusal}")),
            }
        }
        if matches!(way, Way::Auto | Way::Connector) {
            match Connector::open(root) {
                Ok(connector) => return (Some(Self(Source::Connector(connector))), refused),
                Err(why) => refused.push(format!("the process connector is not used: {why}")),
            }
        }
        (None, refused)
    }

    /// A second source, beside tracepoints: a process that takes another user without an exec. `None` where the first one tells
    /// of that, or the kernel cannot filter events by type (before 6.6).
    #[must_use]
    pub fn of_users(&self, root: &SysRoot) -> Option<Self> {
        match self.0 {
            Source::Connector(_) => None,
            Source::Trace(_) => Some(Self(Source::Connector(Connector::of_users(root).ok()?))),
        }
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match &self.0 {
            Source::Trace(_) => "tracepoints",
            Source::Connector(_) => "the process connector",
        }
    }

    /// Waits until there is something to take; false once `stop` is ready.
    #[must_use]
    pub fn wait(&self, stop: BorrowedFd<'_>) -> bool {
        match &self.0 {
            Source::Trace(trace) => trace.wait(stop),
            Source::Connector(connector) => connector.wait(stop),
        }
    }

    /// Takes some events. Returns true if others were lost since the last call: all processes must be looked at.
    ///
    /// # Errors
    /// If the source does not work any more.
    pub fn take(&mut self, out: &mut Vec<Start>) -> std::io::Result<bool> {
        match &mut self.0 {
            Source::Trace(trace) => Ok(trace.take(BATCH, out)),
            Source::Connector(connector) => Ok(connector.take(BATCH, out)?),
        }
    }
}
