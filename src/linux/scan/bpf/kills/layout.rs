//! [`TraceLayout`]: the arguments of the tracepoints on this kernel, and where it stores what is told of a victim.

use super::super::btf::{Argument, Blob, Btf, BtfError};
use super::super::layout::lookup::{field, group_path, rss};
use super::super::layout::{Counters, Field, GroupPath};
use crate::model::cgroup::CgroupVersion;

/// Every name used below, with those of the functions of `lookup`: only these are searched in the type information.
const NAMES: &[&str] = &[
    "btf_trace_mark_victim",
    "btf_trace_signal_generate",
    "kernel_siginfo",
    "si_code",
    "task_struct",
    "pid",
    "tgid",
    "real_cred",
    "signal",
    "mm",
    "start_boottime",
    "comm",
    "cgroups",
    "cred",
    "euid",
    "val",
    "signal_struct",
    "oom_score_adj",
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
];

/// What the tracepoint `oom:mark_victim` hands over, by its place among the arguments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Marked {
    /// The number of the victim's thread: before 6.9 (and before its backports).
    Pid(i16),
    /// The victim's thread itself.
    Task(i16),
}

/// The arguments of `signal:signal_generate` that are used, by their places, and the member of the signal's origin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SignalArguments {
    pub(super) number: i16,
    pub(super) info: i16,
    pub(super) task: i16,
    /// What became of the signal (`TRACE_SIGNAL_DELIVERED` …, include/trace/events/signal.h).
    pub(super) result: i16,
    pub(super) code: Field,
}

/// A pointer of a task, and the member where that leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Behind {
    pub(super) pointer: Field,
    pub(super) field: Field,
}

/// Where the memory of a task is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct MemoryFields {
    pub(super) rss: Counters,
    pub(super) page_tables: Field,
}

/// The arguments, and the members of a task. What is `None` this kernel does not have in a known shape.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TraceLayout {
    pub(super) marked: Marked,
    pub(super) signal: Option<SignalArguments>,
    pub(super) pid: Field,
    pub(super) tgid: Field,
    pub(super) start: Field,
    /// Offset of the 16 bytes of the name.
    pub(super) comm: i16,
    pub(super) uid: Option<Behind>,
    pub(super) adj: Option<Behind>,
    pub(super) mm: Option<Field>,
    pub(super) memory: Option<MemoryFields>,
    pub(super) group: Option<GroupPath>,
    /// What this kernel lacks of the above, each in words.
    pub(super) lacking: Vec<String>,
}

impl TraceLayout {
    /// Looks everything up.
    ///
    /// # Errors
    /// If the kernel has no `mark_victim` of a known shape, or no task could be told from another.
    pub(super) fn read(blob: impl Blob, version: CgroupVersion) -> Result<Self, BtfError> {
        let btf = &mut Btf::read(blob, NAMES)?;
        let comm = btf.member("task_struct", &["comm"])?;
        let (16, Ok(comm)) = (comm.size, i16::try_from(comm.offset)) else {
            return Err(unknown("task_struct.comm"));
        };
        let mut layout = Self {
            marked: marked(btf)?,
            signal: None,
            pid: field(btf, "task_struct", &["pid"])?,
            tgid: field(btf, "task_struct", &["tgid"])?,
            start: field(btf, "task_struct", &["start_boottime"])?,
            comm,
            uid: None,
            adj: None,
            mm: None,
            memory: None,
            group: None,
            lacking: Vec::new(),
        };
        let lacking = &mut layout.lacking;
        layout.signal = or_lacking(signal(btf), lacking);
        layout.uid = or_lacking(behind(btf, "real_cred", "cred", &["euid", "val"]), lacking);
        let adj = behind(btf, "signal", "signal_struct", &["oom_score_adj"]);
        layout.adj = or_lacking(adj, lacking);
        layout.mm = or_lacking(field(btf, "task_struct", &["mm"]), lacking);
        layout.memory = or_lacking(memory(btf), lacking).filter(|_| layout.mm.is_some());
        if version != CgroupVersion::None {
            layout.group = or_lacking(group_path(btf, version), lacking);
        }
        Ok(layout)
    }
}

/// What is found, or a note that it is not.
fn or_lacking<T>(found: Result<T, BtfError>, lacking: &mut Vec<String>) -> Option<T> {
    match found {
        Ok(found) => Some(found),
        Err(error) => {
            lacking.push(error.to_string());
            None
        }
    }
}

fn marked(btf: &mut Btf<'_, impl Blob>) -> Result<Marked, BtfError> {
    let arguments = btf.arguments("btf_trace_mark_victim")?;
    if let Some(at) = place(&arguments, Argument::Pointer(Some("task_struct"))) {
        return Ok(Marked::Task(at));
    }
    match arguments.as_slice() {
        [Argument::Number] => Ok(Marked::Pid(0)),
        _ => Err(unknown("the tracepoint mark_victim")),
    }
}

fn signal(btf: &mut Btf<'_, impl Blob>) -> Result<SignalArguments, BtfError> {
    let missing = || unknown("the tracepoint signal_generate");
    let arguments = btf.arguments("btf_trace_signal_generate")?;
    let last = arguments.len().checked_sub(1).ok_or_else(missing)?;
    if arguments.first() != Some(&Argument::Number)
        || arguments.get(last) != Some(&Argument::Number)
    {
        return Err(missing());
    }
    let at = |structure| place(&arguments, Argument::Pointer(Some(structure))).ok_or_else(missing);
    Ok(SignalArguments {
        number: 0,
        info: at("kernel_siginfo")?,
        task: at("task_struct")?,
        result: i16::try_from(last).map_err(|_| missing())?,
        code: field(btf, "kernel_siginfo", &["si_code"])?,
    })
}

fn place(arguments: &[Argument<'_>], wanted: Argument<'_>) -> Option<i16> {
    let at = arguments.iter().position(|argument| *argument == wanted)?;
    i16::try_from(at).ok()
}

fn behind(
    btf: &mut Btf<'_, impl Blob>,
    pointer: &str,
    of: &str,
    path: &[&str],
) -> Result<Behind, BtfError> {
    Ok(Behind {
        pointer: field(btf, "task_struct", &[pointer])?,
        field: field(btf, of, path)?,
    })
}

fn memory(btf: &mut Btf<'_, impl Blob>) -> Result<MemoryFields, BtfError> {
    Ok(MemoryFields {
        rss: rss(btf)?,
        page_tables: field(btf, "mm_struct", &["pgtables_bytes", "counter"])?,
    })
}

fn unknown(name: &str) -> BtfError {
    BtfError::Missing(format!("{name} of the shape known here"))
}
