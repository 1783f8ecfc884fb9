//! [`Layout`]: where this kernel keeps what a row of the process table needs.

use super::btf::{Blob, Btf, BtfError, TypeId};
use crate::model::cgroup::CgroupVersion;

/// A member that is read as a number or pointer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Field {
    /// Bytes from the start of its structure.
    pub(super) offset: i16,
    /// Bytes it takes.
    pub(super) width: Width,
}

/// How many bytes one instruction moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Width {
    /// Two.
    Half,
    /// Four.
    Word,
    /// Eight.
    Double,
}

/// From a task to the number of its memory cgroup, step by step; all but the last are pointers.
pub(super) type GroupPath = Vec<Field>;

/// The members and functions that the program uses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Layout {
    pub(super) visit: Visit,
    // task_struct
    pub(super) pid: Field,
    pub(super) tgid: Field,
    pub(super) real_parent: Field,
    pub(super) real_cred: Field,
    pub(super) signal: Field,
    pub(super) mm: Field,
    pub(super) flags: Field,
    pub(super) state: Field,
    pub(super) exit_state: Field,
    pub(super) start_boottime: Field,
    /// The two halves of the name.
    pub(super) comm: [Field; 2],
    // cred
    pub(super) euid: Field,
    // signal_struct
    pub(super) oom_score_adj: Field,
    pub(super) threads: Field,
    // mm_struct
    pub(super) rss: Counters,
    pub(super) page_tables: Field,
    /// `None` on a host without memory cgroups.
    pub(super) group: Option<GroupPath>,
}

/// Where file, anonymous, swapped and shared pages are counted: `MM_FILEPAGES` …
/// (include/linux/mm_types_task.h).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Counters {
    /// Four members, since 6.2.
    Each([Field; 4]),
    /// Four numbers of eight bytes, one after the other. Kernels of that time do not let a program
    /// load from an array of `atomic_long_t` (kernel/bpf/btf.c: "is not a struct").
    Together(i16),
}

/// How the program gets to see the tasks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Visit {
    /// It walks them by itself, process by process: 6.7 and later.
    Walks {
        /// Bytes of the walk's own state.
        iterator_size: u32,
        functions: Functions,
    },
    /// The kernel calls it for every task, threads included: 5.8 and later (kernel/bpf/task_iter.c).
    IsCalled {
        /// Number of the function in whose place it is called.
        by: TypeId,
        /// In what it is given: a description of the reading, and the task, null at the end.
        meta: Field,
        task: Field,
        /// In the description: how many tasks came before.
        number: Field,
    },
}

/// Which of them to take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// The cheapest that this kernel has.
    Cheapest,
    /// Being called for every task.
    IsCalled,
}

/// Numbers of the kernel functions that the program calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Functions {
    pub(super) iter_new: TypeId,
    pub(super) iter_next: TypeId,
    pub(super) iter_destroy: TypeId,
    pub(super) rcu_lock: TypeId,
    pub(super) rcu_unlock: TypeId,
}

/// Every name looked up below: the type information is searched for these only.
const NAMES: &[&str] = &[
    "task_struct",
    "pid",
    "tgid",
    "real_parent",
    "real_cred",
    "signal",
    "mm",
    "flags",
    "__state",
    "state",
    "exit_state",
    "start_boottime",
    "comm",
    "cgroups",
    "cred",
    "euid",
    "val",
    "signal_struct",
    "oom_score_adj",
    "nr_threads",
    "mm_struct",
    "rss_stat",
    "pgtables_bytes",
    "counter",
    "percpu_counter",
    "count",
    "css_set",
    "dfl_cgrp",
    "subsys",
    "cgroup_subsys_id",
    "memory_cgrp_id",
    "cgroup_subsys_state",
    "cgroup",
    "kn",
    "kernfs_node",
    "id",
    "bpf_iter_task",
    "bpf_iter_task_new",
    "bpf_iter_task_next",
    "bpf_iter_task_destroy",
    "bpf_rcu_read_lock",
    "bpf_rcu_read_unlock",
    "bpf_iter__task",
    "meta",
    "task",
    "bpf_iter_meta",
    "seq_num",
];

impl Layout {
    /// Looks everything up.
    ///
    /// # Errors
    /// What this kernel does not have, or has in another shape.
    pub(super) fn read(
        blob: impl Blob,
        version: CgroupVersion,
        way: Way,
    ) -> Result<Self, BtfError> {
        let btf = &mut Btf::read(blob, NAMES)?;
        let visit = match (way, walks(btf)) {
            (Way::Cheapest, Ok(walks)) => walks,
            // What newer kernels have is what is missing, should both be.
            (Way::Cheapest, Err(missing)) => is_called(btf).map_err(|_| missing)?,
            (Way::IsCalled, _) => is_called(btf)?,
        };
        let comm = btf.member("task_struct", &["comm"])?;
        if comm.size != 16 {
            return Err(other_shape("task_struct.comm"));
        }
        let half_of_comm = |at| double(comm.offset + at, "task_struct.comm");
        Ok(Self {
            visit,
            pid: field(btf, "task_struct", &["pid"])?,
            tgid: field(btf, "task_struct", &["tgid"])?,
            real_parent: field(btf, "task_struct", &["real_parent"])?,
            real_cred: field(btf, "task_struct", &["real_cred"])?,
            signal: field(btf, "task_struct", &["signal"])?,
            mm: field(btf, "task_struct", &["mm"])?,
            flags: field(btf, "task_struct", &["flags"])?,
            // Before 5.14 it had no underscores.
            state: field(btf, "task_struct", &["__state"])
                .or_else(|_| field(btf, "task_struct", &["state"]))?,
            exit_state: field(btf, "task_struct", &["exit_state"])?,
            start_boottime: field(btf, "task_struct", &["start_boottime"])?,
            comm: [half_of_comm(0)?, half_of_comm(8)?],
            euid: field(btf, "cred", &["euid", "val"])?,
            oom_score_adj: field(btf, "signal_struct", &["oom_score_adj"])?,
            threads: field(btf, "signal_struct", &["nr_threads"])?,
            rss: rss(btf)?,
            page_tables: field(btf, "mm_struct", &["pgtables_bytes", "counter"])?,
            group: if version == CgroupVersion::None {
                None
            } else {
                Some(group_path(btf, version)?)
            },
        })
    }
}

fn walks(btf: &mut Btf<'_, impl Blob>) -> Result<Visit, BtfError> {
    let functions = Functions {
        iter_new: btf.function("bpf_iter_task_new")?,
        iter_next: btf.function("bpf_iter_task_next")?,
        iter_destroy: btf.function("bpf_iter_task_destroy")?,
        rcu_lock: btf.function("bpf_rcu_read_lock")?,
        rcu_unlock: btf.function("bpf_rcu_read_unlock")?,
    };
    Ok(Visit::Walks {
        iterator_size: btf.struct_size("bpf_iter_task")?,
        functions,
    })
}

fn is_called(btf: &mut Btf<'_, impl Blob>) -> Result<Visit, BtfError> {
    Ok(Visit::IsCalled {
        by: btf.function("bpf_iter_task")?,
        meta: field(btf, "bpf_iter__task", &["meta"])?,
        task: field(btf, "bpf_iter__task", &["task"])?,
        number: field(btf, "bpf_iter_meta", &["seq_num"])?,
    })
}

/// `rss_stat` is four `percpu_counter`s since 6.2; their sums without the per-CPU parts are what
/// badness reads up to 6.19. Before, it holds four numbers, without the few pages that each thread
/// keeps to itself (mm/memory.c `SPLIT_RSS_COUNTING`), and badness reads those.
fn rss(btf: &mut Btf<'_, impl Blob>) -> Result<Counters, BtfError> {
    let name = "mm_struct.rss_stat";
    let all = btf.member("mm_struct", &["rss_stat"])?;
    if let Ok(numbers) = btf.member("mm_struct", &["rss_stat", "count"]) {
        return if numbers.size == 4 * 8 {
            Ok(Counters::Together(offset(numbers.offset, name)?))
        } else {
            Err(other_shape(name))
        };
    }
    let one = btf.struct_size("percpu_counter")?;
    let count = btf.member("percpu_counter", &["count"])?;
    if all.size != 4 * one || count.size != 8 {
        return Err(other_shape(name));
    }
    let at = |index| double(all.offset + index * one + count.offset, name);
    Ok(Counters::Each([at(0)?, at(1)?, at(2)?, at(3)?]))
}

/// On v1 the group of the memory controller; on v2 the one group a task is in, as
/// `/proc/PID/cgroup` prints it.
fn group_path(btf: &mut Btf<'_, impl Blob>, version: CgroupVersion) -> Result<GroupPath, BtfError> {
    let mut path = vec![field(btf, "task_struct", &["cgroups"])?];
    if version.is_v1() {
        let all = btf.member("css_set", &["subsys"])?;
        let memory = btf.constant("cgroup_subsys_id", "memory_cgrp_id")?;
        if memory.saturating_mul(8) >= all.size {
            return Err(other_shape("css_set.subsys"));
        }
        path.push(double(all.offset + memory * 8, "css_set.subsys")?);
        path.push(field(btf, "cgroup_subsys_state", &["cgroup"])?);
    } else {
        path.push(field(btf, "css_set", &["dfl_cgrp"])?);
    }
    path.push(field(btf, "cgroup", &["kn"])?);
    path.push(field(btf, "kernfs_node", &["id"])?);
    Ok(path)
}

fn field(btf: &mut Btf<'_, impl Blob>, of: &str, path: &[&str]) -> Result<Field, BtfError> {
    let member = btf.member(of, path)?;
    let name = || format!("{of}.{}", path.join("."));
    let width = match member.size {
        2 => Width::Half,
        4 => Width::Word,
        8 => Width::Double,
        _ => return Err(other_shape(&name())),
    };
    Ok(Field {
        offset: offset(member.offset, &name())?,
        width,
    })
}

fn double(at: u32, name: &str) -> Result<Field, BtfError> {
    Ok(Field {
        offset: offset(at, name)?,
        width: Width::Double,
    })
}

/// Instructions have 16 bits for it.
fn offset(at: u32, name: &str) -> Result<i16, BtfError> {
    i16::try_from(at).map_err(|_| other_shape(name))
}

fn other_shape(name: &str) -> BtfError {
    BtfError::Missing(format!("{name} of the shape known here"))
}

#[cfg(test)]
mod tests {
    use super::{Counters, Layout, Visit, Way};
    use crate::model::cgroup::CgroupVersion;

    #[test]
    fn the_running_kernel_has_it_all_or_says_what_it_lacks() {
        use std::io::Write as _;
        let Ok(file) = std::fs::File::open("/sys/kernel/btf/vmlinux") else {
            let because = "SKIPPED: layout of the running kernel because it has no BTF to read";
            writeln!(std::io::stderr(), "{because}").ok();
            return;
        };
        match Layout::read(file, CgroupVersion::V1, Way::Cheapest) {
            Ok(layout) => {
                // Known from the kernel's sources whatever the offsets are.
                if let Visit::Walks { iterator_size, .. } = layout.visit {
                    assert_eq!(iterator_size, 24);
                }
                if let Counters::Each(rss) = layout.rss {
                    assert!(rss[0].offset < rss[3].offset);
                }
                assert_ne!(layout.tgid.offset, layout.flags.offset);
            }
            Err(error) => {
                let text = error.to_string();
                assert!(text.starts_with("this kernel has no"), "{text}");
            }
        }
    }
}
