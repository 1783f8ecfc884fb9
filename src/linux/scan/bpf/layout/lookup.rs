//! Looks up the members and functions of a [`Layout`] in the kernel's type information.

use super::{Counters, CpuFields, Field, Functions, GroupPath, Layout, Visit, Way, Width};
use crate::linux::scan::bpf::btf::Blob;
use crate::linux::scan::bpf::btf::{Btf, BtfError};
use crate::model::cgroup::CgroupVersion;

/// Every name used below: only these are searched in the type information.
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
    "se",
    "sched_entity",
    "sum_exec_runtime",
    "sum_sched_runtime",
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
    /// The name that this kernel lacks, or has with another type.
    pub(in crate::linux::scan::bpf) fn read(
        blob: impl Blob,
        version: CgroupVersion,
        way: Way,
    ) -> Result<Self, BtfError> {
        let btf = &mut Btf::read(blob, NAMES)?;
        let visit = match (way, walks(btf)) {
            (Way::Cheapest, Ok(walks)) => walks,
            // If the kernel supports neither kind of visit, report what the newer kind lacks.
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
            // The member was called `state` before 5.14.
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
            // Nothing of memory needs it.
            cpu: cpu(btf).ok(),
            group: if version == CgroupVersion::None {
                None
            } else {
                Some(group_path(btf, version)?)
            },
        })
    }
}

fn cpu(btf: &mut Btf<'_, impl Blob>) -> Result<CpuFields, BtfError> {
    Ok(CpuFields {
        thread: field(btf, "task_struct", &["se", "sum_exec_runtime"])?,
        ended: field(btf, "signal_struct", &["sum_sched_runtime"])?,
    })
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

/// Since 6.2 `rss_stat` is an array of four `percpu_counter`s; up to 6.19 badness reads their central counts,
/// without the per-CPU parts. Before 6.2 it holds four plain numbers, without the few pages that each thread
/// caches (mm/memory.c `SPLIT_RSS_COUNTING`), and badness reads these numbers.
pub(in crate::linux::scan::bpf) fn rss(btf: &mut Btf<'_, impl Blob>) -> Result<Counters, BtfError> {
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

/// On v1 the path to the group in the memory controller's hierarchy; on v2 the path to the only group of the
/// task, as `/proc/PID/cgroup` prints it.
pub(in crate::linux::scan::bpf) fn group_path(
    btf: &mut Btf<'_, impl Blob>,
    version: CgroupVersion,
) -> Result<GroupPath, BtfError> {
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

pub(in crate::linux::scan::bpf) fn field(
    btf: &mut Btf<'_, impl Blob>,
    of: &str,
    path: &[&str],
) -> Result<Field, BtfError> {
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

pub(in crate::linux::scan::bpf) fn double(at: u32, name: &str) -> Result<Field, BtfError> {
    Ok(Field {
        offset: offset(at, name)?,
        width: Width::Double,
    })
}

/// BPF instructions have 16 bits for an offset.
fn offset(at: u32, name: &str) -> Result<i16, BtfError> {
    i16::try_from(at).map_err(|_| other_shape(name))
}

pub(in crate::linux::scan::bpf) fn other_shape(name: &str) -> BtfError {
    BtfError::Missing(format!("{name} of the shape known here"))
}

#[cfg(test)]
mod tests {
    use crate::linux::scan::bpf::layout::{Counters, Layout, Visit, Way};
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
                // These facts hold whatever the offsets are.
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
