//! [`StartTrace`]: processes that start or become other programs, from tracepoints of the kernel.
//!
//! `sched_process_fork` names each new process with its parent, `sched_process_exec` each that becomes another program.
//! Where the kernel has them, `task_rename` and `cgroup_attach_task` name those that get another name or group. The
//! programs ([`program`]) write 16 bytes for each into a ring. Needs what the kills need.

mod layout;
mod program;

use std::fs::File;
use std::os::fd::BorrowedFd;

use super::btf::BtfError;
use super::calls::{CounterMap, RawTracepoint, Ring, Verified, Woken};
use super::refusal::Refusal;
use super::usable::usable;
use super::walk::TYPES;
use crate::linux::SysRoot;
use crate::model::rules::start::Start;
use layout::StartLayout;
use program::{CHANGED, FORKED, Maps};

/// Bytes of the ring: about 10 000 starts.
const RING: u32 = 256 * 1024;

/// One element of the ring. Every bit pattern is a valid record.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[repr(C)]
struct Record {
    kind: u32,
    /// The process, not the thread.
    pid: u32,
    /// Of a new process.
    parent: u32,
    padding: u32,
}

/// Programs at the tracepoints.
#[derive(Debug)]
pub(crate) struct StartTrace {
    ring: Ring,
    lost: CounterMap,
    /// Records that were lost and told.
    told: u64,
    _links: Vec<RawTracepoint>,
}

impl StartTrace {
    /// Assembles, loads and attaches the programs.
    ///
    /// # Errors
    /// Why the tracepoints cannot be used here.
    pub(crate) fn open(root: &SysRoot) -> Result<Self, Refusal> {
        usable(root)?;
        let types = File::open(TYPES).map_err(BtfError::from)?;
        let layout = StartLayout::read(types)?;
        let ring = Ring::create(RING).map_err(Refusal::of("ring buffer"))?;
        let lost = CounterMap::create(1).map_err(Refusal::of("counters"))?;
        let maps = Maps {
            ring: ring.descriptor(),
            lost: lost.descriptor(),
        };
        let mut links = Vec::new();
        for point in &layout.points {
            let code = program::program(&layout, point, maps);
            let code = code.ok_or(Refusal::NotHere("the program does not fit"))?;
            let program = Verified::load(&code).map_err(|rejection| Refusal::Rejected {
                what: "program for starts",
                errno: rejection.errno,
                said: rejection.said,
            })?;
            let link = RawTracepoint::attach(&program, point.name);
            links.push(link.map_err(Refusal::of("tracepoint for starts"))?);
        }
        Ok(Self {
            ring,
            lost,
            told: 0,
            _links: links,
        })
    }

    /// Waits until there is something to take; false once `stop` is ready.
    pub(crate) fn wait(&self, stop: BorrowedFd<'_>) -> bool {
        self.ring.wait(stop, None) == Woken::Look
    }

    /// Takes at most so many. Returns true if some were lost since the last call.
    pub(crate) fn take(&mut self, most: usize, out: &mut Vec<Start>) -> bool {
        for _ in 0..most {
            let Some(record) = self.ring.take::<Record>() else {
                break;
            };
            match record.kind {
                FORKED => out.push(Start::Forked {
                    parent: record.parent,
                    child: record.pid,
                }),
                CHANGED => out.push(Start::Changed(record.pid)),
                _ => {}
            }
        }
        let lost = self.lost.get(0);
        let some = lost != self.told;
        self.told = lost;
        some
    }
}
