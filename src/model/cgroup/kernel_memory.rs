//! Kernel memory of v1 groups, of which `memory.kmem.usage_in_bytes` tells only the sum: what its members need of it does
//! not shrink, however short memory is.

use super::{Cgroup, CgroupKey, ancestry};
use crate::model::memory::Memory;
use crate::model::process::Process;

/// The stack of a thread: `THREAD_SIZE` of x86-64 and arm64 (arch/x86/include/asm/page_64_types.h).
const STACK: u64 = 16 << 10;

/// `task_struct` with its registers, credentials and signal queue: 8 KiB of a sleeping thread on 6.18 (900 threads held 21 MB
/// with their stacks, and reclaim got nothing of it).
const TASK: u64 = 8 << 10;

/// `mm_struct`, its mappings, `files_struct` and tables of descriptors of a small process.
const PROCESS: u64 = 40 << 10;

/// Kernel memory that the processes of a group need, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MemberKernel {
    /// Page tables of all levels.
    pub page_tables: u64,
    /// Stacks of threads.
    pub stacks: u64,
    /// Objects of threads and processes: a lower bound.
    pub objects: u64,
    /// A member could not be read: it may need more.
    pub is_partial: bool,
}

/// Of which groups oomtop sees all members.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    /// Of all.
    All,
    /// Of this group and those below it: a PID namespace of its own hides who is elsewhere.
    Below(CgroupKey),
    /// Of none: `hidepid`, or it is not known in which group oomtop is.
    Nowhere,
}

impl Seen {
    fn is_whole(self, key: CgroupKey, groups: &[Cgroup]) -> bool {
        match self {
            Self::All => true,
            Self::Below(own) => ancestry(key, groups).any(|(at, _)| at == own),
            Self::Nowhere => false,
        }
    }
}

impl MemberKernel {
    /// Counts one member. `page_size` is in bytes.
    pub fn add(&mut self, process: &Process, page_size: u64) {
        let threads = u64::from(process.threads);
        self.stacks = self.stacks.saturating_add(threads.saturating_mul(STACK));
        self.objects = self.objects.saturating_add(threads.saturating_mul(TASK));
        if let Some(memory) = process.memory {
            let tables = memory.page_tables.saturating_mul(page_size);
            self.page_tables = self.page_tables.saturating_add(tables);
            self.objects = self.objects.saturating_add(PROCESS);
        }
        self.is_partial |= process.unreadable;
    }

    /// All of it.
    #[must_use]
    pub fn sum(&self) -> u64 {
        let sum = self.page_tables.saturating_add(self.stacks);
        sum.saturating_add(self.objects)
    }
}

/// What the members of each group and of those below it need, in the order of the groups. `page_size` is in bytes.
#[must_use]
pub fn needs(groups: &[Cgroup], processes: &[Process], page_size: u64) -> Vec<MemberKernel> {
    let mut needs = vec![MemberKernel::default(); groups.len()];
    for process in processes {
        let Some(key) = process.member_of() else {
            continue;
        };
        for (CgroupKey(at), _) in ancestry(key, groups) {
            if let Some(need) = needs.get_mut(at as usize) {
                need.add(process, page_size);
            }
        }
    }
    needs
}

/// Estimates what can shrink of the kernel memory of v1 groups: what their members do not need, by the host's mix of
/// slab. Nothing where a member may not be seen. Without this a group full of page tables or stacks would pass for one with
/// room.
pub fn estimate(
    groups: &mut [Cgroup],
    processes: &[Process],
    memory: &Memory,
    (page_size, seen): (u64, Seen),
) {
    let is_told = |group: &Cgroup| group.stat.is_some_and(|stat| stat.kernel.is_some());
    if !groups.iter().any(is_told) {
        return;
    }
    let needs = needs(groups, processes, page_size);
    let keys = (0..).map(CgroupKey).take(groups.len());
    let whole: Vec<bool> = keys.map(|key| seen.is_whole(key, groups)).collect();
    for ((group, need), is_whole) in groups.iter_mut().zip(needs).zip(whole) {
        if let Some(stat) = &mut group.stat
            && let Some(kernel) = stat.kernel
        {
            let rest = kernel.saturating_sub(need.sum());
            let is_known = is_whole && !need.is_partial;
            stat.slab_reclaimable = is_known.then(|| memory.reclaimable_part(rest));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Seen, estimate};
    use crate::model::cgroup::{Cgroup, CgroupKey, CgroupPath, GroupStat};
    use crate::model::memory::Memory;
    use crate::model::process::{MemoryUse, Process};

    const MIB: u64 = 1 << 20;

    fn shrinks(member: Process) -> [Option<u64>; 3] {
        shrinks_if(Seen::All, &[member])
    }

    fn shrinks_if(seen: Seen, members: &[Process]) -> [Option<u64>; 3] {
        let group = |path, parent, kernel| {
            let mut group = Cgroup::unread(CgroupPath::new(path), parent);
            group.stat = Some(GroupStat {
                kernel,
                ..GroupStat::default()
            });
            group
        };
        let mut groups = [
            group("/", None, None),
            group("/web", Some(CgroupKey(0)), Some(40 * MIB)),
            group("/web/shop", Some(CgroupKey(1)), Some(20 * MIB)),
        ];
        let memory = Memory {
            slab: Some(100),
            slab_reclaimable: Some(50),
            ..Memory::default()
        };
        let members = members.iter().map(|member| Process {
            cgroup: Some(CgroupKey(2)),
            ..member.clone()
        });
        let members: Vec<_> = members.collect();
        estimate(&mut groups, &members, &memory, (4096, seen));
        groups.map(|group| group.stat.and_then(|stat| stat.slab_reclaimable))
    }

    #[test]
    fn page_tables_and_stacks_of_members_do_not_shrink() {
        let tables = Process {
            threads: 1,
            memory: Some(MemoryUse {
                page_tables: 5000,
                ..MemoryUse::default()
            }),
            ..Process::default()
        };
        let [root, outer, inner] = shrinks(tables);
        assert_eq!((root, inner), (None, Some(212_992)));
        assert!(outer < Some(11 * MIB), "the group around has it, too");
        let threads = Process {
            threads: 900,
            ..Process::default()
        };
        assert_eq!(shrinks(threads)[2], Some(0));
    }

    #[test]
    fn what_members_that_are_not_seen_need_may_not_shrink() {
        assert_eq!(shrinks_if(Seen::Nowhere, &[]), [None; 3]);
        assert_eq!(shrinks_if(Seen::All, &[])[2], Some(10 * MIB), "it is empty");
        // A container with the host's tree mounted.
        let own = shrinks_if(Seen::Below(CgroupKey(2)), &[]);
        assert_eq!(own, [None, None, Some(10 * MIB)]);
        let unreadable = Process {
            unreadable: true,
            ..Process::default()
        };
        assert_eq!(shrinks(unreadable), [None; 3]);
    }

    #[test]
    fn dentries_shrink_by_the_hosts_mix() {
        let [_, _, inner] = shrinks(Process {
            threads: 1,
            ..Process::default()
        });
        assert_eq!(inner, Some((20 * MIB - (24 << 10)) / 2));
    }
}
