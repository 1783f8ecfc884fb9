//! [`BpfScan`]: loads the task walk, runs it, and turns its records into rows.

use std::fs::File;
use std::ops::Range;
use std::path::Path;
use std::sync::mpsc;
use std::time::Duration;

use rustix::io::Errno;

use super::btf::BtfError;
use super::calls::{Program, SharedArray, TaskLink};
use super::layout::{Layout, Visit, Way};
use super::program::task_walk;
use super::record::Units;
use super::unlisted::Unlisted;
use crate::linux::ReadError;
use crate::linux::scan::proc::row::RowReader;
use crate::linux::scan::{ProcessScan, ScanCount, ScanPass, ScanWants, with_room};
use crate::model::cgroup::CgroupVersion;
use crate::model::process::Process;

/// The kernel's type information.
const TYPES: &str = "/sys/kernel/btf/vmlinux";

/// The kernel normally verifies the program in milliseconds. If it takes longer than this, it may take many
/// seconds: oomtop stops waiting and uses the next back end.
const LOAD_PATIENCE: Duration = Duration::from_secs(2);

/// Least capacity of the array. The array is resident memory, so it should not be much larger than needed;
/// creating a larger one takes only milliseconds.
const LEAST_CAPACITY: u32 = 512;

/// Why this back end cannot be used here.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refusal {
    /// It does not work for this process, or with this root.
    #[error("{0}")]
    NotHere(&'static str),
    /// The kernel is too old, or its types differ from the known ones.
    #[error(transparent)]
    Types(#[from] BtfError),
    /// The kernel refused an operation.
    #[error("the kernel refused the {what}: {errno}")]
    Refused {
        /// What.
        what: &'static str,
        /// Why.
        errno: Errno,
    },
    /// The kernel took too long to verify the program.
    #[error("the kernel did not finish checking the program in {} s", LOAD_PATIENCE.as_secs())]
    TooSlow,
}

/// Walks the tasks inside the kernel.
#[derive(Debug)]
pub(crate) struct BpfScan {
    layout: Layout,
    tasks: Tasks,
    array: SharedArray,
    tick_nanos: u64,
    /// Reads what the records lack.
    files: RowReader,
    unlisted: Unlisted,
}

/// The loaded program, by what loops over the tasks.
#[derive(Debug)]
enum Tasks {
    /// The program.
    Walk(Program),
    /// The kernel; the first record holds the count.
    Link(TaskLink),
}

impl BpfScan {
    /// Assembles and loads the program, with room for somewhat more processes than exist.
    ///
    /// # Errors
    /// Why the back end cannot be used; the caller then uses another one.
    pub(crate) fn open(
        files: RowReader,
        version: CgroupVersion,
        ticks_per_second: u64,
        processes: u32,
        way: Way,
    ) -> Result<Self, Refusal> {
        const SECOND: u64 = 1_000_000_000;
        if ticks_per_second == 0 || !SECOND.is_multiple_of(ticks_per_second) {
            return Err(Refusal::NotHere("start times cannot be converted"));
        }
        let types = File::open(TYPES).map_err(BtfError::from)?;
        let layout = Layout::read(types, version, way)?;
        let (tasks, array) = load(&layout, with_room_to_grow(processes))?;
        Ok(Self {
            layout,
            tasks,
            array,
            tick_nanos: SECOND / ticks_per_second,
            files,
            unlisted: Unlisted::default(),
        })
    }

    /// Runs the program until all records fit; returns the indices of the records.
    fn walk(&mut self) -> Result<Range<u32>, Refusal> {
        loop {
            let written = match &self.tasks {
                Tasks::Walk(program) => {
                    let mut input = [0; 2];
                    0..program.run(&mut input).map_err(refused("task walk"))?
                }
                Tasks::Link(link) => {
                    link.run().map_err(refused("task walk"))?;
                    let count = self.array.get(0).map_or(0, |counter| counter.pid);
                    1..count.saturating_add(1)
                }
            };
            if written.end <= self.array.capacity() {
                return Ok(written);
            }
            (self.tasks, self.array) = load(&self.layout, with_room_to_grow(written.end))?;
        }
    }
}

fn refused(what: &'static str) -> impl FnOnce(Errno) -> Refusal {
    move |errno| Refusal::Refused { what, errno }
}

fn with_room_to_grow(processes: u32) -> u32 {
    processes.saturating_add(processes / 4).max(LEAST_CAPACITY)
}

fn load(layout: &Layout, capacity: u32) -> Result<(Tasks, SharedArray), Refusal> {
    let array = SharedArray::create(capacity).map_err(refused("shared array"))?;
    let code = task_walk(layout, array.descriptor()).ok_or(Refusal::NotHere(
        "the task walk does not fit into a program",
    ))?;
    let called_by = match layout.visit {
        Visit::Walks { .. } => None,
        Visit::IsCalled { by, .. } => Some(by),
    };
    let (done, result) = mpsc::channel();
    // On a separate thread, so that endless verification cannot block oomtop. The thread owns the array, and
    // so keeps its descriptor valid, until the kernel has answered.
    std::thread::Builder::new()
        .name("bpf-load".to_owned())
        .spawn(move || {
            let loaded = Program::load(&code, called_by);
            let _ = done.send((loaded, array));
        })
        .map_err(|error| Refusal::Types(error.into()))?;
    match result.recv_timeout(LOAD_PATIENCE) {
        Ok((Ok(program), array)) if called_by.is_none() => Ok((Tasks::Walk(program), array)),
        Ok((Ok(program), array)) => {
            let link = TaskLink::new(&program).map_err(refused("link to its tasks"))?;
            Ok((Tasks::Link(link), array))
        }
        Ok((Err(errno), _)) => Err(refused("task walk")(errno)),
        Err(_) => Err(Refusal::TooSlow),
    }
}

impl ProcessScan for BpfScan {
    fn name(&self) -> &'static str {
        match self.tasks {
            Tasks::Walk(_) => "bpf task walk",
            Tasks::Link(_) => "bpf task iterator",
        }
    }

    fn is_approximate(&self) -> bool {
        true
    }

    fn scan(
        &mut self,
        wants: &ScanWants,
        _pass: &ScanPass<'_>,
        table: &mut Vec<Process>,
    ) -> Result<ScanCount, ReadError> {
        table.clear();
        let listed = self.walk().map_err(|refusal| {
            ReadError::new(
                Path::new("bpf"),
                "the process table",
                std::io::Error::other(refusal.to_string()),
                "use --backend proc",
            )
        })?;
        let units = Units {
            page_size: wants.page_size,
            tick_nanos: self.tick_nanos,
            global_init: wants.global_init,
        };
        with_room(table, listed.len());
        for record in listed.clone().filter_map(|at| self.array.get(at)) {
            let mut row = record.row(units);
            if record.is_leaderless() {
                self.files.living_thread(&mut row, wants);
            }
            table.push(row);
        }
        let more = self.unlisted.complete(&mut self.files, wants, table);
        Ok(ScanCount {
            listed: u32::try_from(listed.len()).unwrap_or(u32::MAX) + more,
            ..ScanCount::default()
        })
    }
}
