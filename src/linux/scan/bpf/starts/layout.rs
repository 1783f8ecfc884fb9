//! [`StartLayout`]: the tracepoints of this kernel, and where a task has its numbers.

use std::ffi::CStr;

use super::super::btf::{Argument, Blob, Btf, BtfError};
use super::super::layout::Field;
use super::super::layout::lookup::field;

/// Every name used below.
const NAMES: &[&str] = &[
    "btf_trace_sched_process_fork",
    "btf_trace_sched_process_exec",
    "btf_trace_task_rename",
    "btf_trace_cgroup_attach_task",
    "task_struct",
    "pid",
    "tgid",
];

const TASK: Argument<'static> = Argument::Pointer(Some("task_struct"));

/// A tracepoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Point {
    pub(super) name: &'static CStr,
    /// Place of the task among the arguments.
    pub(super) task: i16,
    /// Place of its parent, for new processes.
    pub(super) parent: Option<i16>,
}

/// The tracepoints, and members of a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct StartLayout {
    pub(super) points: Vec<Point>,
    pub(super) pid: Field,
    pub(super) tgid: Field,
}

impl StartLayout {
    /// # Errors
    /// If the kernel does not tell of forks and execs in a shape known here.
    pub(super) fn read(blob: impl Blob) -> Result<Self, BtfError> {
        let btf = &mut Btf::read(blob, NAMES)?;
        if btf.arguments("btf_trace_sched_process_fork")?.as_slice() != [TASK, TASK] {
            return Err(BtfError::Missing(
                "tracepoint sched_process_fork of the shape known here".to_owned(),
            ));
        }
        let mut points = vec![
            Point {
                name: c"sched_process_fork",
                parent: Some(0),
                task: 1,
            },
            changed(btf, "btf_trace_sched_process_exec", c"sched_process_exec")?,
        ];
        points.extend(changed(btf, "btf_trace_task_rename", c"task_rename"));
        let attach = changed(btf, "btf_trace_cgroup_attach_task", c"cgroup_attach_task");
        points.extend(attach);
        Ok(Self {
            points,
            pid: field(btf, "task_struct", &["pid"])?,
            tgid: field(btf, "task_struct", &["tgid"])?,
        })
    }
}

/// A tracepoint that names one task.
fn changed(
    btf: &mut Btf<'_, impl Blob>,
    known_as: &str,
    name: &'static CStr,
) -> Result<Point, BtfError> {
    let arguments = btf.arguments(known_as)?;
    let task = arguments.iter().position(|argument| *argument == TASK);
    let task = task.and_then(|task| i16::try_from(task).ok());
    let missing = || BtfError::Missing(format!("{known_as} of the shape known here"));
    Ok(Point {
        name,
        task: task.ok_or_else(missing)?,
        parent: None,
    })
}
