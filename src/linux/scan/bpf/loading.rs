//! [`Loaded`]: a program that the kernel has checked, and the array that it fills.
//! [`Loading`]: the same while the kernel still checks it, on a thread of its own.
//!
//! The kernel normally checks the program in milliseconds. While memory is short it can take many seconds, and on
//! some kernels endless: nobody waits for it.

use std::sync::mpsc::{Receiver, TryRecvError, channel};

use super::calls::{Program, SharedArray, TaskLink};
use super::layout::{Layout, Visit};
use super::program::task_walk;
use super::refusal::Refusal;
use crate::linux::helper::helper;

/// Least capacity of the array. The array is resident memory (a record has 120 bytes), so it should not be much
/// larger than what may soon be needed.
const LEAST: u32 = 2048;

/// Most records reserved beyond the processes that exist.
const MOST_SPARE: u32 = 16 * 1024;

/// The loaded program, by what loops over the tasks.
#[derive(Debug)]
pub(super) enum Tasks {
    /// The program.
    Walk(Program),
    /// The kernel; the first record holds the count.
    Link(TaskLink),
}

/// A loaded program with its array.
#[derive(Debug)]
pub(super) struct Loaded {
    pub(super) tasks: Tasks,
    pub(super) array: SharedArray,
}

impl Loaded {
    /// Lets the kernel check the program, with room for so many processes. This can take long.
    ///
    /// # Errors
    /// What the kernel has refused.
    pub(super) fn load(layout: &Layout, capacity: u32) -> Result<Self, Refusal> {
        let array = SharedArray::create(capacity).map_err(Refusal::of("shared array"))?;
        let code = task_walk(layout, array.descriptor()).ok_or(Refusal::NotHere(
            "the task walk does not fit into a program",
        ))?;
        let called_by = match layout.visit {
            Visit::Walks { .. } => None,
            Visit::IsCalled { by, .. } => Some(by),
        };
        let program = Program::load(&code, called_by).map_err(Refusal::of("task walk"))?;
        let tasks = if called_by.is_none() {
            Tasks::Walk(program)
        } else {
            Tasks::Link(TaskLink::new(&program).map_err(Refusal::of("link to its tasks"))?)
        };
        Ok(Self { tasks, array })
    }
}

/// A program that the kernel is checking.
#[derive(Debug)]
pub(super) struct Loading(Receiver<Result<Loaded, Refusal>>);

impl Loading {
    /// # Errors
    /// If no thread can be started now.
    pub(super) fn start(layout: &Layout, capacity: u32) -> Result<Self, Refusal> {
        let (done, result) = channel();
        let layout = layout.clone();
        helper("bpf-load", move || {
            let _ = done.send(Loaded::load(&layout, capacity));
        })
        .map_err(Refusal::Thread)?;
        Ok(Self(result))
    }

    /// The answer of the kernel, once there is one.
    pub(super) fn answer(&self) -> Option<Result<Loaded, Refusal>> {
        match self.0.try_recv() {
            Ok(answer) => Some(answer),
            Err(TryRecvError::Empty) => None,
            Err(TryRecvError::Disconnected) => {
                Some(Err(Refusal::NotHere("the thread that loads it has ended")))
            }
        }
    }
}

/// The capacity for so many processes: twice as many, until that becomes expensive.
pub(super) fn with_room_to_grow(processes: u32) -> u32 {
    processes
        .saturating_add(processes.min(MOST_SPARE))
        .max(LEAST)
}

/// True if so many processes leave too little room for those that may start until a larger array is there.
pub(super) fn is_nearly_full(capacity: u32, processes: u32) -> bool {
    capacity.saturating_sub(processes) < (processes / 2).min(MOST_SPARE / 2)
}

#[cfg(test)]
mod tests {
    use super::{LEAST, is_nearly_full, with_room_to_grow};

    #[test]
    fn room_is_made_long_before_it_is_needed_and_enough_for_long() {
        for processes in [0, 100, 920, 2047, 5_000, 40_000, 1 << 22] {
            let capacity = with_room_to_grow(processes);
            assert!(capacity >= LEAST && capacity > processes);
            assert!(!is_nearly_full(capacity, processes), "{processes}");
        }
        // Many new processes at once fit without another array.
        assert!(!is_nearly_full(with_room_to_grow(120), 120 + 920));
        assert!(is_nearly_full(2048, 1_400) && is_nearly_full(2048, 2_048));
        assert!(is_nearly_full(2048, 60_000));
    }
}
