//! [`Init`]: the first process of a PID namespace, such as that of a container.

use super::ProcessId;

/// The first process of a PID namespace below that of the host: when it ends, the kernel kills all others in the
/// namespace and in those below it (kernel/pid_namespace.c `zap_pid_ns_processes`).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Init {
    /// Which process.
    pub id: ProcessId,
    /// Others in the namespace that were there at the last look, ascending. Those who came in from outside
    /// (setns(2), `docker exec`) are no descendants of the first process.
    pub others: Vec<ProcessId>,
}
