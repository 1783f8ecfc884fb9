//! [`Item`]: what is recorded, which is what the screen's state takes in.

use std::sync::Arc;

use super::codec::{Coded, Malformed, Reader, Writer};
use crate::model::event_source::EventSource;
use crate::model::snapshot::Snapshot;
use crate::model::traced::Traced;
use crate::model::wake::WakeSources;
use crate::oomlog::{Monotonic, OomEvent};

/// One thing that happened.
#[derive(Debug, Clone)]
pub enum Item {
    /// A sample.
    Sample(Arc<Snapshot>),
    /// A sample failed; the sentence says why.
    Failed(String),
    /// The kernel's log said something.
    Oom(OomEvent),
    /// A tracepoint told of a death.
    Traced(Traced),
    /// The source of OOM events changed.
    Source(EventSource),
    /// What the kernel tells of changed.
    Wakes(WakeSources),
}

impl Item {
    /// Writes everything but a sample, which is a frame of another kind.
    pub(super) fn put(&self, to: &mut Writer) {
        match self {
            Self::Sample(_) => {}
            Self::Failed(reason) => {
                to.byte(1);
                reason.put(to);
            }
            Self::Oom(OomEvent::Report(report)) => {
                to.byte(2);
                report.put(to);
            }
            Self::Oom(OomEvent::Userspace(kill)) => {
                to.byte(3);
                kill.put(to);
            }
            Self::Oom(OomEvent::Gap { at, lost }) => {
                to.byte(4);
                at.put(to);
                lost.put(to);
            }
            Self::Traced(Traced::Kill(kill)) => {
                to.byte(5);
                kill.put(to);
            }
            Self::Traced(Traced::Sigkill(kill)) => {
                to.byte(6);
                kill.put(to);
            }
            Self::Traced(Traced::Lost(count)) => {
                to.byte(7);
                count.put(to);
            }
            Self::Source(source) => {
                to.byte(8);
                source.put(to);
            }
            Self::Wakes(wakes) => {
                to.byte(9);
                wakes.put(to);
            }
        }
    }

    /// Reads what [`Self::put`] wrote.
    pub(super) fn take(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(match from.byte()? {
            1 => Self::Failed(Coded::take(from)?),
            2 => Self::Oom(OomEvent::Report(Coded::take(from)?)),
            3 => Self::Oom(OomEvent::Userspace(Coded::take(from)?)),
            4 => Self::Oom(OomEvent::Gap {
                at: Coded::take(from)?,
                lost: Coded::take(from)?,
            }),
            5 => Self::Traced(Traced::Kill(Coded::take(from)?)),
            6 => Self::Traced(Traced::Sigkill(Coded::take(from)?)),
            7 => Self::Traced(Traced::Lost(Coded::take(from)?)),
            8 => Self::Source(Coded::take(from)?),
            9 => Self::Wakes(Coded::take(from)?),
            _ => return Err(Malformed),
        })
    }

    /// When it happened, if it says so, and how many kills it tells of.
    pub(super) fn kills(&self) -> (Option<Monotonic>, usize) {
        match self {
            Self::Oom(OomEvent::Report(report)) => {
                let last = report.kills.iter().filter_map(|kill| kill.at).max();
                (last.or(report.at), report.kills.len())
            }
            Self::Oom(OomEvent::Userspace(kill)) => (kill.at, usize::from(!kill.survived)),
            Self::Traced(Traced::Kill(kill)) => (Some(kill.at), 1),
            _ => (None, 0),
        }
    }
}
