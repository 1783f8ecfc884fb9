//! [`GroupWalk`]: loads the program, runs it, and copies its records.

use std::fs::File;
use std::os::fd::{AsFd, OwnedFd};

use super::super::btf::BtfError;
use super::super::calls::Program;
use super::super::calls::{Rejection, SharedArray, TaskLink, Verified};
use super::super::layout::Way;
use super::super::refusal::Refusal;
use super::super::usable::usable;
use super::super::walk::TYPES;
use super::layout::{GroupLayout, Visit};
use super::program::group_walk;
use crate::linux::SysRoot;
use crate::linux::cgroup::counted::Counted;
use crate::linux::cgroup::hierarchy::Hierarchy;
use crate::linux::kernel_file::{FileBuffer, lines, number};

/// Where the groups are.
#[derive(Debug)]
pub(super) struct Place {
    way: Way,
    hierarchy: Hierarchy,
    top: OwnedFd,
    /// v1: the number of the hierarchy in `/proc/PID/cgroup`.
    number: u32,
}

fn is_cgroup_fs(dir: &OwnedFd) -> bool {
    /// `CGROUP_SUPER_MAGIC`, `CGROUP2_SUPER_MAGIC` (include/uapi/linux/magic.h).
    const MAGIC: [i64; 2] = [0x0027_e0eb, 0x6367_7270];
    #[allow(clippy::unnecessary_cast, clippy::useless_conversion)]
    rustix::fs::fstatfs(dir).is_ok_and(|fs| MAGIC.contains(&(fs.f_type as i64)))
}

fn hierarchy_number(proc: &OwnedFd) -> u32 {
    let mut buffer = FileBuffer::default();
    let text = buffer.read_whole(proc, "self/cgroup").unwrap_or_default();
    let found = lines(text).find_map(|line| {
        let mut fields = line.splitn(3, |b| *b == b':');
        let (number_text, controllers) = (fields.next()?, fields.next()?);
        let is_it = controllers.split(|b| *b == b',').any(|c| c == b"memory");
        is_it.then(|| number(number_text)).flatten()
    });
    found.and_then(|n| u32::try_from(n).ok()).unwrap_or(0)
}

impl Place {
    /// The memory hierarchy below `root`.
    ///
    /// # Errors
    /// Why no program can tell of it.
    pub(super) fn find(root: &SysRoot, way: Way) -> Result<Self, Refusal> {
        let proc = usable(root)?;
        let hierarchy = Hierarchy::detect(root);
        let top = hierarchy
            .dir()
            .and_then(rustix::io::dup)
            .map_err(Refusal::of("directory of the cgroups"))?;
        if !is_cgroup_fs(&top) {
            return Err(Refusal::NotHere(
                "it sees this machine, not another tree of cgroups",
            ));
        }
        Ok(Self {
            way,
            number: hierarchy_number(&proc),
            top,
            hierarchy,
        })
    }
}

/// A program that the kernel has checked, and the array that it fills.
#[derive(Debug)]
pub(super) struct GroupWalk {
    walker: Walker,
    array: SharedArray<Counted>,
}

/// By what loops over the groups.
#[derive(Debug)]
enum Walker {
    /// The program.
    Loops(Program),
    /// The kernel; the first record holds the count.
    Called(TaskLink),
}

impl GroupWalk {
    /// Prefers the program that loops by itself; a kernel that refuses it may take the other one.
    pub(super) fn load(place: &Place, capacity: u32) -> Result<Self, Refusal> {
        Self::load_as(place, capacity, place.way).or_else(|refusal| {
            let older = Self::load_as(place, capacity, Way::IsCalled);
            older.map_err(|second| match refusal {
                Refusal::Types(_) => second,
                refusal => refusal,
            })
        })
    }

    fn load_as(place: &Place, capacity: u32, way: Way) -> Result<Self, Refusal> {
        let types = File::open(TYPES).map_err(BtfError::from)?;
        let layout = GroupLayout::read(types, place.hierarchy.version, way)?;
        let array = SharedArray::create(capacity).map_err(Refusal::of("shared array"))?;
        let code = group_walk(&layout, array.descriptor()).ok_or(Refusal::NotHere(
            "the walk over cgroups does not fit into a program",
        ))?;
        let called_by = match layout.visit {
            Visit::Walks(_) => None,
            Visit::IsCalled { by, .. } => Some(by),
        };
        let verified = Verified::walk(&code, called_by).map_err(|Rejection { errno, said }| {
            Refusal::Rejected {
                what: "walk over cgroups",
                errno,
                said,
            }
        })?;
        let program = verified.program();
        let walker = if called_by.is_none() {
            Walker::Loops(program)
        } else {
            let link = TaskLink::of_groups(&program, place.top.as_fd());
            Walker::Called(link.map_err(Refusal::of("link to its cgroups"))?)
        };
        Ok(Self { walker, array })
    }

    pub(super) fn name(&self) -> &'static str {
        match self.walker {
            Walker::Loops(_) => "bpf cgroup walk",
            Walker::Called(_) => "bpf cgroup iterator",
        }
    }

    /// How many groups it has records for.
    pub(super) fn capacity(&self) -> u32 {
        self.array.capacity()
    }

    /// Runs the program once and copies its records; returns how many groups there are.
    pub(super) fn run(&self, place: &Place, records: &mut Vec<Counted>) -> Result<u32, Refusal> {
        records.clear();
        let (first, count) = match &self.walker {
            Walker::Loops(program) => {
                let mut input = [0, place.number];
                let walked = program.run(&mut input);
                (0, walked.map_err(Refusal::of("walk over cgroups"))?)
            }
            Walker::Called(link) => {
                link.run(None).map_err(Refusal::of("walk over cgroups"))?;
                let count = self.array.get(0).map_or(0, |counter| counter.id);
                (1, u32::try_from(count).unwrap_or(u32::MAX))
            }
        };
        let written = count.min(self.array.capacity().saturating_sub(first));
        records.extend((first..first + written).filter_map(|at| self.array.get(at)));
        Ok(count.saturating_add(first))
    }
}
