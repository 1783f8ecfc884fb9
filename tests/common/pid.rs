//! A process with a pid of the test's choice: the next one after `ns_last_pid` (proc_sys_kernel(5)).

use std::fs;
use std::process::{Child, Command, Stdio};

/// How often another program may take the pid first.
const TRIES: usize = 200;

/// Starts a shell that waits and has exactly this pid. `None` if this process may not choose, or if somebody else
/// has the pid now.
pub(crate) fn with_pid(pid: u32) -> Option<Child> {
    for _ in 0..TRIES {
        if fs::exists(format!("/proc/{pid}")).ok()? {
            return None;
        }
        fs::write("/proc/sys/kernel/ns_last_pid", (pid - 1).to_string()).ok()?;
        let mut child = waiting()?;
        if child.id() == pid {
            return Some(child);
        }
        child.kill().ok();
        child.wait().ok();
    }
    None
}

fn waiting() -> Option<Child> {
    let mut command = Command::new("sh");
    command.args(["-c", "read line"]).stdin(Stdio::piped());
    command.stdout(Stdio::null()).spawn().ok()
}
