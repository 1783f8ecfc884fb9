//! The task walk: a BPF program that writes one record per process into an array.
//!
//! ```text
//! slot = input.first
//! for task in every thread group leader:            bpf_iter_task_new/next (6.7 and later)
//!     record = array[slot++], or go on if the array is full
//!     record.pid = task.tgid, …                      from the running kernel's own offsets
//! return slot
//!
//! With the kernel's number for "all threads" as input.second, the other threads of a process follow its main thread, and
//! the processor time of each is added to the record.
//! ```
//!
//! On older kernels (5.8 and later) the kernel runs the loop (`bpf_iter`): it calls the program for every
//! task, and the first record of the array holds the count.
//!
//! The count starts from the input, a value that the verifier does not know. If it started from a constant,
//! the verifier would track its value through every iteration, because it is the key of the array, and would
//! never finish checking the loop.

use super::assembler::{Assembler, Instruction, Label, Reg, When};
use super::layout::{Counters, CpuFields, Field, Functions, Layout, Visit, Width};
use super::record::place::{self, nth};

/// `BPF_TASK_ITER_ALL_PROCS` and `BPF_TASK_ITER_ALL_THREADS` (kernel/bpf/task_iter.c): what the walk visits.
pub(super) const ALL_PROCESSES: u32 = 0;
pub(super) const ALL_THREADS: u32 = 1;

/// The roles of the registers; all of them survive calls.
const TASK: Reg = Reg::R6;
const RECORD: Reg = Reg::R7;
const SIGNAL: Reg = Reg::R8;
const SLOT: Reg = Reg::R9;

/// Reuses the register of [`SIGNAL`], which is not needed any more by then.
const MM: Reg = Reg::R8;

/// The roles in the iterator program: the number of tasks before this one, and the record that holds the
/// count.
const NUMBER: Reg = Reg::R8;
const COUNTER: Reg = Reg::R9;

/// The key of the array, at the end of the stack frame.
const KEY: Field = Field {
    offset: -8,
    width: Width::Word,
};

/// The words of the input: the first slot, and what to visit.
const FIRST: Field = Field {
    offset: 0,
    width: Width::Word,
};
const SECOND: Field = Field {
    offset: 4,
    width: Width::Word,
};

/// Where the second word is kept, above the key.
const VISITED: Field = Field {
    offset: -16,
    width: Width::Double,
};

/// The program for a kernel with this layout; `None` if a jump is too far.
pub(super) fn task_walk(layout: &Layout, array: i32) -> Option<Vec<Instruction>> {
    let mut walk = Walk {
        asm: Assembler::default(),
        layout,
        array,
    };
    match layout.visit {
        Visit::Walks {
            iterator_size,
            functions,
        } => {
            let iterator = -16 - i32::try_from(iterator_size.next_multiple_of(8)).ok()?;
            walk.all_tasks(functions, iterator);
        }
        Visit::IsCalled {
            meta, task, number, ..
        } => walk.one_task(meta, task, number),
    }
    walk.asm.finish()
}

struct Walk<'l> {
    asm: Assembler,
    layout: &'l Layout,
    array: i32,
}

impl Walk<'_> {
    /// The program that loops by itself. `iterator` is the stack offset of the loop's state.
    fn all_tasks(&mut self, functions: Functions, iterator: i32) {
        let (next, end) = (self.asm.label(), self.asm.label());
        self.asm.load(SLOT, Reg::R1, FIRST);
        self.asm.load(Reg::R2, Reg::R1, SECOND);
        self.asm.store(Reg::Frame, VISITED, Reg::R2);
        self.asm.call(functions.rcu_lock);
        self.point_at_stack(Reg::R1, iterator);
        // There is no task to start from.
        self.asm.set(Reg::R2, 0);
        self.asm.load(Reg::R3, Reg::Frame, VISITED);
        self.asm.call(functions.iter_new);
        self.asm.place(next);
        self.point_at_stack(Reg::R1, iterator);
        self.asm.call(functions.iter_next);
        self.asm.jump(When::Zero(Reg::R0), end);
        self.asm.copy(TASK, Reg::R0);
        // The first task of the list is the idle task, which is not a process.
        self.asm.load(Reg::R1, TASK, self.layout.tgid);
        self.asm.jump(When::Zero(Reg::R1), next);
        self.thread_of_last_record(next);
        self.asm.store(Reg::Frame, KEY, SLOT);
        self.look_up();
        // Count even without room: the caller then knows how many records are needed.
        self.asm.add(SLOT, 1);
        self.asm.jump(When::Zero(Reg::R0), next);
        self.record(next);
        self.asm.jump(When::Always, next);
        self.asm.place(end);
        self.point_at_stack(Reg::R1, iterator);
        self.asm.call(functions.iter_destroy);
        self.asm.call(functions.rcu_unlock);
        self.asm.copy(Reg::R0, SLOT);
        self.asm.exit();
    }

    /// The program that the kernel calls for each task. The first record of the array holds the count.
    fn one_task(&mut self, meta: Field, task: Field, number: Field) {
        let (counted, end) = (self.asm.label(), self.asm.label());
        self.asm.load(Reg::R2, Reg::R1, meta);
        self.asm.load(NUMBER, Reg::R2, number);
        self.asm.load(TASK, Reg::R1, task);
        // The kernel calls the program once more at the end, without a task.
        self.asm.jump(When::Zero(TASK), end);
        self.asm.set(Reg::R1, 0);
        self.asm.store(Reg::Frame, KEY, Reg::R1);
        self.look_up();
        self.asm.jump(When::Zero(Reg::R0), end);
        self.asm.copy(COUNTER, Reg::R0);
        self.asm.jump(When::NotZero(NUMBER), counted);
        self.asm.set(Reg::R1, 0);
        self.asm.store(COUNTER, place::PID, Reg::R1);
        self.asm.place(counted);
        // Threads are tasks too: only the thread group leader gets a record. They come in the order of their numbers, not
        // after their leader, so that their processor time finds no record here.
        self.asm.load(Reg::R1, TASK, self.layout.pid);
        self.asm.load(Reg::R2, TASK, self.layout.tgid);
        self.asm.jump(When::Differ(Reg::R1, Reg::R2), end);
        self.asm.load(Reg::R1, COUNTER, place::PID);
        self.asm.add(Reg::R1, 1);
        self.asm.store(COUNTER, place::PID, Reg::R1);
        self.asm.store(Reg::Frame, KEY, Reg::R1);
        self.look_up();
        self.asm.jump(When::Zero(Reg::R0), end);
        self.record(end);
        self.asm.place(end);
        self.asm.set(Reg::R0, 0);
        self.asm.exit();
    }

    /// A thread that does not lead its group is added to the last record, if that is its process's: goes on at `next`.
    fn thread_of_last_record(&mut self, next: Label) {
        let Some(cpu) = self.layout.cpu else {
            return;
        };
        let leads = self.asm.label();
        self.asm.load(Reg::R1, TASK, self.layout.pid);
        self.asm.load(Reg::R2, TASK, self.layout.tgid);
        self.asm.jump(When::Same(Reg::R1, Reg::R2), leads);
        self.asm.copy(Reg::R1, SLOT);
        self.asm.add(Reg::R1, -1);
        self.asm.store(Reg::Frame, KEY, Reg::R1);
        self.look_up();
        self.add_thread(cpu, next);
        self.asm.jump(When::Always, next);
        self.asm.place(leads);
    }

    /// Adds the processor time of the task to the record that `r0` points to; `done` if there is none, or it is another
    /// process's.
    fn add_thread(&mut self, cpu: CpuFields, done: Label) {
        self.asm.jump(When::Zero(Reg::R0), done);
        self.asm.load(Reg::R1, Reg::R0, place::PID);
        self.asm.load(Reg::R2, TASK, self.layout.tgid);
        self.asm.jump(When::Differ(Reg::R1, Reg::R2), done);
        self.asm.load(Reg::R1, Reg::R0, place::CPU);
        self.asm.load(Reg::R2, TASK, cpu.thread);
        self.asm.add_register(Reg::R1, Reg::R2);
        self.asm.store(Reg::R0, place::CPU, Reg::R1);
    }

    fn point_at_stack(&mut self, reg: Reg, offset: i32) {
        self.asm.copy(reg, Reg::Frame);
        self.asm.add(reg, offset);
    }

    /// `r0 = array[key on the stack]`, or null
    fn look_up(&mut self) {
        self.point_at_stack(Reg::R2, i32::from(KEY.offset));
        self.asm.map(Reg::R1, self.array);
        self.asm.look_up();
    }

    /// Fills the record that `r0` points to; jumps to `done` if the task has no memory.
    fn record(&mut self, done: Label) {
        self.asm.copy(RECORD, Reg::R0);
        self.identity();
        self.owner();
        self.state();
        self.group();
        self.memory(done);
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
        if let Some(cpu) = layout.cpu {
            self.asm.load(Reg::R1, SIGNAL, cpu.ended);
            self.asm.load(Reg::R2, TASK, cpu.thread);
            self.asm.add_register(Reg::R1, Reg::R2);
            self.asm.store(RECORD, place::CPU, Reg::R1);
        }
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

    /// Reads the counters if the process has memory. The row of a kernel thread ignores them: it may borrow
    /// the memory of a process.
    fn memory(&mut self, next: Label) {
        let layout = self.layout;
        let present = self.asm.label();
        self.asm.load(MM, TASK, layout.mm);
        self.asm.jump(When::NotZero(MM), present);
        self.asm.set(Reg::R1, 0);
        self.asm.store(RECORD, place::MM, Reg::R1);
        self.asm.jump(When::Always, next);
        self.asm.place(present);
        self.asm.store(RECORD, place::MM, MM);
        match layout.rss {
            Counters::Each(counters) => {
                for (index, counter) in (0..).zip(counters) {
                    self.keep(nth(place::RSS, index), MM, counter);
                }
            }
            Counters::Together(offset) => {
                self.asm.copy(Reg::R1, RECORD);
                self.asm.add(Reg::R1, i32::from(place::RSS.offset));
                self.asm.set(Reg::R2, 4 * 8);
                self.asm.copy(Reg::R3, MM);
                self.asm.add(Reg::R3, i32::from(offset));
                self.asm.read_kernel();
            }
        }
        self.keep(place::PAGE_TABLES, MM, layout.page_tables);
    }
}
