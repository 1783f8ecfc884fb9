//! How a process was started: what its arguments and its environment say of the size of its heap.

use std::os::fd::OwnedFd;

use crate::linux::kernel_file::{FileBuffer, text};
use crate::linux::scan::aside::Aside;
use crate::model::heap::{HeapBound, Launch, VARIABLES, heap_bound};
use crate::model::process::Pid;

/// Bytes looked at of each file: class paths are long, and what bounds the heap mostly comes first.
const MOST: usize = 128 * 1024;

/// Most arguments kept. Options of a runtime come before those of the program.
const ARGUMENTS: usize = 512;

/// Reads what bounds the heaps of processes, below the procfs directory `proc`. An answer of `None` in it: nothing does.
///
/// # Errors
/// If the descriptor cannot be copied.
pub(crate) fn reader(proc: &OwnedFd) -> std::io::Result<Aside<Option<HeapBound>>> {
    // A buffer of its own for each read: it has held secrets.
    Aside::new("launch", proc, |proc, pid, _| {
        let launch = read(proc, pid, &mut FileBuffer::default())?;
        Some(heap_bound(&launch))
    })
}

fn read(proc: &OwnedFd, pid: Pid, buffer: &mut FileBuffer) -> Option<Launch> {
    let arguments = buffer.read_whole(proc, format!("{pid}/cmdline").as_str());
    let arguments = strings(arguments.ok()?).take(ARGUMENTS).map(text).collect();
    // Readable by its own user and root alone (PTRACE_MODE_READ).
    let environment = buffer.read_whole(proc, format!("{pid}/environ").as_str());
    // An environment holds secrets: only what is known leaves this function.
    let known = |entry: &[u8]| {
        let entry = text(entry);
        let (name, value) = entry.split_once('=')?;
        let name = VARIABLES.iter().find(|known| **known == name)?;
        Some((*name, value.to_owned()))
    };
    Some(Launch {
        arguments,
        is_environment_known: environment.is_ok(),
        environment: strings(environment.unwrap_or_default())
            .filter_map(known)
            .collect(),
    })
}

fn strings(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let bytes = bytes.get(..MOST).unwrap_or(bytes);
    let end = bytes.iter().rposition(|b| *b != 0).map_or(0, |at| at + 1);
    bytes
        .get(..end)
        .unwrap_or_default()
        .split(|byte| *byte == 0)
}
