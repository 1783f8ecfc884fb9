//! [`GroupLayout`]: where this kernel counts the memory of a cgroup, and how its groups are visited.

use core::mem::offset_of;

use super::super::btf::{Blob, Btf, BtfError, TypeId};
use super::super::layout::lookup::{double, field, other_shape};
use super::super::layout::{Field, Way};
use crate::linux::cgroup::counted::{Counted, Event};
use crate::model::cgroup::CgroupVersion;

/// Every name used below: only these are searched in the type information.
const NAMES: &[&str] = &[
    "MEMCG_HIGH",
    "MEMCG_MAX",
    "MEMCG_OOM",
    "MEMCG_OOM_GROUP_KILL",
    "MEMCG_OOM_KILL",
    "bpf_cgroup_ancestor",
    "bpf_cgroup_release",
    "bpf_iter__cgroup",
    "bpf_iter_cgroup",
    "bpf_iter_css",
    "bpf_iter_css_destroy",
    "bpf_iter_css_new",
    "bpf_iter_css_next",
    "bpf_iter_meta",
    "bpf_rcu_read_lock",
    "bpf_rcu_read_unlock",
    "bpf_task_get_cgroup1",
    "cgroup",
    "cgroup_subsys_id",
    "cgroup_subsys_state",
    "cgroups",
    "counter",
    "css_set",
    "dfl_cgrp",
    "failcnt",
    "flags",
    "high",
    "id",
    "kernfs_node",
    "kn",
    "low",
    "max",
    "mem_cgroup",
    "memcg_memory_event",
    "memory",
    "memory_cgrp_id",
    "memory_events",
    "memory_events_local",
    "memsw",
    "meta",
    "min",
    "oom_group",
    "oom_kill_disable",
    "seq_num",
    "soft_limit",
    "subsys",
    "swap",
    "swappiness",
    "task_struct",
    "under_oom",
    "usage",
];

/// How the program visits the groups.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Visit {
    /// The program loops over them itself.
    Walks(Walks),
    /// The kernel calls the program for every group.
    IsCalled {
        /// Type id of the function that the program attaches to.
        by: TypeId,
        /// Members of the context: the iterator's metadata, and the group, which is null in the last call.
        meta: Field,
        group: Field,
        /// Member of the metadata: the number of groups before this one.
        number: Field,
    },
}

/// What a program that loops calls and reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Walks {
    /// Size of the iterator's state in bytes.
    pub(super) iterator_size: u32,
    pub(super) rcu_lock: TypeId,
    pub(super) rcu_unlock: TypeId,
    pub(super) iter_new: TypeId,
    pub(super) iter_next: TypeId,
    pub(super) iter_destroy: TypeId,
    pub(super) ancestor: TypeId,
    pub(super) release: TypeId,
    pub(super) own: Own,
    /// Members of the state that a group has of each kind: its group, and `CSS_ONLINE` among others.
    pub(super) state_group: Field,
    pub(super) state_flags: Field,
}

/// How the program finds a group of the hierarchy: that of oomtop itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Own {
    /// v2: two members, from the task on.
    Default([Field; 2]),
    /// v1: a function that takes the task and the number of the hierarchy.
    Numbered(TypeId),
}

/// A copy from `struct mem_cgroup` into [`Counted`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Copying {
    /// Bytes from the start of either.
    pub(super) from: i32,
    pub(super) to: i32,
    /// Number of bytes.
    pub(super) size: i32,
}

/// The members and functions that the program uses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct GroupLayout {
    pub(super) visit: Visit,
    /// From the group to its kernfs id.
    pub(super) node: Field,
    pub(super) id: Field,
    /// From the group to its `struct mem_cgroup`, which begins with the state that this points to.
    pub(super) memcg: Field,
    pub(super) copies: Vec<Copying>,
}

impl GroupLayout {
    /// Looks everything up.
    ///
    /// # Errors
    /// The name that this kernel lacks, or has with another type.
    pub(super) fn read(
        blob: impl Blob,
        version: CgroupVersion,
        way: Way,
    ) -> Result<Self, BtfError> {
        let btf = &mut Btf::read(blob, NAMES)?;
        let called = is_called(btf);
        let visit = match walks(btf, version) {
            Ok(walks) if way == Way::Cheapest => Visit::Walks(walks),
            // The older kind says what is missing: every kernel that has the newer one has it too.
            _ => called?,
        };
        let all = btf.member("cgroup", &["subsys"])?;
        let memory = btf.constant("cgroup_subsys_id", "memory_cgrp_id")?;
        if memory.saturating_mul(8) >= all.size {
            return Err(other_shape("cgroup.subsys"));
        }
        Ok(Self {
            visit,
            node: field(btf, "cgroup", &["kn"])?,
            id: field(btf, "kernfs_node", &["id"])?,
            memcg: double(all.offset + memory * 8, "cgroup.subsys")?,
            copies: copies(btf, version)?,
        })
    }
}

fn walks(btf: &mut Btf<'_, impl Blob>, version: CgroupVersion) -> Result<Walks, BtfError> {
    let own = if version.is_v1() {
        Own::Numbered(btf.function("bpf_task_get_cgroup1")?)
    } else {
        Own::Default([
            field(btf, "task_struct", &["cgroups"])?,
            field(btf, "css_set", &["dfl_cgrp"])?,
        ])
    };
    Ok(Walks {
        iterator_size: btf.struct_size("bpf_iter_css")?,
        rcu_lock: btf.function("bpf_rcu_read_lock")?,
        rcu_unlock: btf.function("bpf_rcu_read_unlock")?,
        iter_new: btf.function("bpf_iter_css_new")?,
        iter_next: btf.function("bpf_iter_css_next")?,
        iter_destroy: btf.function("bpf_iter_css_destroy")?,
        ancestor: btf.function("bpf_cgroup_ancestor")?,
        release: btf.function("bpf_cgroup_release")?,
        own,
        state_group: field(btf, "cgroup_subsys_state", &["cgroup"])?,
        state_flags: field(btf, "cgroup_subsys_state", &["flags"])?,
    })
}

fn is_called(btf: &mut Btf<'_, impl Blob>) -> Result<Visit, BtfError> {
    Ok(Visit::IsCalled {
        by: btf.function("bpf_iter_cgroup")?,
        meta: field(btf, "bpf_iter__cgroup", &["meta"])?,
        group: field(btf, "bpf_iter__cgroup", &["cgroup"])?,
        number: field(btf, "bpf_iter_meta", &["seq_num"])?,
    })
}

fn copies(btf: &mut Btf<'_, impl Blob>, version: CgroupVersion) -> Result<Vec<Copying>, BtfError> {
    let is_v1 = version.is_v1();
    let swap = if is_v1 { "memsw" } else { "swap" };
    let mut wanted: Vec<(&[&str], usize)> = vec![
        (&["memory", "usage", "counter"], offset_of!(Counted, usage)),
        (&["memory", "max"], offset_of!(Counted, max)),
    ];
    let (swap_usage, swap_max) = ([swap, "usage", "counter"], [swap, "max"]);
    let swap_failed = [swap, "failcnt"];
    wanted.push((&swap_usage, offset_of!(Counted, swap)));
    wanted.push((&swap_max, offset_of!(Counted, swap_max)));
    if is_v1 {
        wanted.push((&["memory", "failcnt"], offset_of!(Counted, failed)));
        wanted.push((&swap_failed, offset_of!(Counted, swap_failed)));
        wanted.push((&["soft_limit"], offset_of!(Counted, soft)));
        wanted.push((&["under_oom"], offset_of!(Counted, under_oom)));
        wanted.push((&["oom_kill_disable"], offset_of!(Counted, kill_disabled)));
        wanted.push((&["swappiness"], offset_of!(Counted, swappiness)));
    } else {
        wanted.push((&["memory", "high"], offset_of!(Counted, high)));
        wanted.push((&["memory", "min"], offset_of!(Counted, min)));
        wanted.push((&["memory", "low"], offset_of!(Counted, low)));
        wanted.push((&["oom_group"], offset_of!(Counted, oom_group)));
    }
    let mut copies = Vec::with_capacity(wanted.len() + Event::ALL.len());
    for (path, to) in wanted {
        let member = btf.member("mem_cgroup", path)?;
        copies.push(copying(member.offset, to, member.size)?);
    }
    for (event, name, is_own) in Event::ALL {
        if is_v1 && event != Event::OomKill {
            // No file of v1 shows it.
            continue;
        }
        // What an older kernel does not count, no file of it shows.
        let Ok(place) = btf.constant("memcg_memory_event", name) else {
            continue;
        };
        let counters = if is_own {
            "memory_events_local"
        } else {
            "memory_events"
        };
        let all = btf.member("mem_cgroup", &[counters])?;
        if place.saturating_mul(8) >= all.size {
            return Err(other_shape(counters));
        }
        let to = offset_of!(Counted, events) + 8 * event as usize;
        copies.push(copying(all.offset + 8 * place, to, 8)?);
    }
    Ok(joined(copies))
}

/// Copies of neighbours to neighbours become one: each costs a call.
fn joined(mut copies: Vec<Copying>) -> Vec<Copying> {
    copies.sort_unstable_by_key(|copying| copying.to);
    let mut joined: Vec<Copying> = Vec::with_capacity(copies.len());
    for copying in copies {
        match joined.last_mut() {
            // Whole numbers only: a smaller one is followed by a gap.
            Some(last)
                if last.size % 8 == 0
                    && last.to + last.size == copying.to
                    && last.from + last.size == copying.from =>
            {
                last.size += copying.size;
            }
            _ => joined.push(copying),
        }
    }
    joined
}

fn copying(from: u32, to: usize, size: u32) -> Result<Copying, BtfError> {
    let unknown = || other_shape("mem_cgroup");
    if size > 8 {
        return Err(unknown());
    }
    Ok(Copying {
        from: i32::try_from(from).map_err(|_| unknown())?,
        to: i32::try_from(to).map_err(|_| unknown())?,
        size: i32::try_from(size).map_err(|_| unknown())?,
    })
}

#[cfg(test)]
mod tests {
    use super::{Copying, joined};

    #[test]
    fn neighbours_are_copied_together_and_nothing_else_is() {
        let copying = |from, to, size| Copying { from, to, size };
        let apart = vec![
            copying(136, 32, 8),
            copying(8, 24, 8),
            copying(0, 16, 8),
            copying(144, 40, 4),
            copying(148, 48, 4),
            copying(500, 56, 8),
        ];
        let together = [
            copying(0, 16, 16),
            copying(136, 32, 12),
            copying(148, 48, 4),
            copying(500, 56, 8),
        ];
        assert_eq!(joined(apart), together);
    }
}
