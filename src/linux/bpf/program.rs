//! The task walk: a BPF program that writes one record per process into an array.
//!
//! ```text
//! slot = input.first
//! for task in every thread group leader:            bpf_iter_task_new/next (6.7 and later)
//!     record = array[slot++], or go on if the array is full
//!     record.pid = task.tgid, …                      from the running kernel's own offsets
//! return slot
//! ```
//!
//! The count starts from the input, which the verifier does not know: a constant would be tracked
//! through every turn as the key of the array, and the check of the loop would never end.

use super::assembler::{Assembler, Instruction, Label, Reg, When};
use super::layout::{Field, Functions, Layout, Width};
use super::record::place::{self, nth};

/// `BPF_TASK_ITER_ALL_PROCS` (kernel/bpf/task_iter.c).
const ALL_PROCESSES: i32 = 0;

/// Registers by role; all of them survive calls.
const TASK: Reg = Reg::R6;
const RECORD: Reg = Reg::R7;
const SIGNAL: Reg = Reg::R8;
const SLOT: Reg = Reg::R9;

/// The key of the array, at the end of the stack frame.
const KEY: Field = Field {
    offset: -8,
    width: Width::Word,
};

/// The first word of the input.
const FIRST: Field = Field {
    offset: 0,
    width: Width::Word,
};

/// The program for a kernel of this layout; `None` if it has a jump too far.
pub(super) fn task_walk(layout: &Layout, array: i32) -> Option<Vec<Instruction>> {
    let mut walk = Walk {
        asm: Assembler::default(),
        layout,
        iterator: -8 - i32::try_from(layout.iterator_size.next_multiple_of(8)).ok()?,
    };
    let (next, end) = (walk.asm.label(), walk.asm.label());
    walk.begin();
    walk.asm.place(next);
    walk.next_task(end);
    walk.next_record(array, next);
    walk.identity();
    walk.owner();
    walk.state();
    walk.group();
    walk.memory(next);
    walk.asm.jump(When::Always, next);
    walk.asm.place(end);
    walk.end();
    walk.asm.finish()
}

struct Walk<'l> {
    asm: Assembler,
    layout: &'l Layout,
    /// Where on the stack the walk's state is.
    iterator: i32,
}

impl Walk<'_> {
    fn functions(&self) -> Functions {
        self.layout.functions
    }

    fn begin(&mut self) {
        self.asm.load(SLOT, Reg::R1, FIRST);
        self.asm.call(self.functions().rcu_lock);
        self.point_at_iterator();
        // No task to start from.
        self.asm.set(Reg::R2, 0);
        self.asm.set(Reg::R3, ALL_PROCESSES);
        self.asm.call(self.functions().iter_new);
    }

    fn end(&mut self) {
        self.point_at_iterator();
        self.asm.call(self.functions().iter_destroy);
        self.asm.call(self.functions().rcu_unlock);
        self.asm.copy(Reg::R0, SLOT);
        self.asm.exit();
    }

    fn point_at_iterator(&mut self) {
        self.asm.copy(Reg::R1, Reg::Frame);
        self.asm.add(Reg::R1, self.iterator);
    }

    fn next_task(&mut self, end: Label) {
        self.point_at_iterator();
        self.asm.call(self.functions().iter_next);
        self.asm.jump(When::Zero(Reg::R0), end);
        self.asm.copy(TASK, Reg::R0);
    }

    fn next_record(&mut self, array: i32, next: Label) {
        // The idle task is the first of the list and is no process.
        self.asm.load(Reg::R1, TASK, self.layout.tgid);
        self.asm.jump(When::Zero(Reg::R1), next);
        self.asm.store(Reg::Frame, KEY, SLOT);
        self.asm.copy(Reg::R2, Reg::Frame);
        self.asm.add(Reg::R2, i32::from(KEY.offset));
        self.asm.map(Reg::R1, array);
        self.asm.look_up();
        // Counted even when there is no room: the caller learns how much is needed.
        self.asm.add(SLOT, 1);
        self.asm.jump(When::Zero(Reg::R0), next);
        self.asm.copy(RECORD, Reg::R0);
    }

    /// `record.to = from->field`
    fn keep(&mut self, to: Field, from: Reg, field: Field) {
        self.asm.load(Reg::R1, from, field);
        self.asm.store(RECORD, to, Reg::R1);
    }

    fn identity(&mut self) {
        let layout = self.layout;
        self.keep(place::PID, TASK, layout.tgid);
        self.keep(place::START, TASK, layout.start_boottime);
        self.keep(place::COMM, TASK, layout.comm[0]);
        self.keep(nth(place::COMM, 1), TASK, layout.comm[1]);
        self.asm.load(Reg::R2, TASK, layout.real_parent);
        self.keep(place::PPID, Reg::R2, layout.tgid);
    }

    fn owner(&mut self) {
        let layout = self.layout;
        self.asm.load(Reg::R2, TASK, layout.real_cred);
        self.keep(place::UID, Reg::R2, layout.euid);
        self.asm.load(SIGNAL, TASK, layout.signal);
        self.keep(place::ADJ, SIGNAL, layout.oom_score_adj);
        self.keep(place::THREADS, SIGNAL, layout.threads);
    }

    fn state(&mut self) {
        let layout = self.layout;
        self.keep(place::FLAGS, TASK, layout.flags);
        self.keep(place::STATE, TASK, layout.state);
        self.keep(place::EXIT_STATE, TASK, layout.exit_state);
    }

    fn group(&mut self) {
        self.asm.set(Reg::R1, 0);
        if let Some(path) = &self.layout.group {
            let mut from = TASK;
            for field in path {
                self.asm.load(Reg::R1, from, *field);
                from = Reg::R1;
            }
        }
        self.asm.store(RECORD, place::GROUP, Reg::R1);
    }

    /// Counters only of a process that has memory; a kernel thread may borrow somebody's.
    fn memory(&mut self, next: Label) {
        let layout = self.layout;
        let present = self.asm.label();
        self.asm.load(Reg::R2, TASK, layout.mm);
        self.asm.jump(When::NotZero(Reg::R2), present);
        self.asm.set(Reg::R1, 0);
        self.asm.store(RECORD, place::MM, Reg::R1);
        self.asm.jump(When::Always, next);
        self.asm.place(present);
        self.asm.store(RECORD, place::MM, Reg::R2);
        for (index, counter) in (0..).zip(layout.rss) {
            self.keep(nth(place::RSS, index), Reg::R2, counter);
        }
        self.keep(place::PAGE_TABLES, Reg::R2, layout.page_tables);
    }
}
