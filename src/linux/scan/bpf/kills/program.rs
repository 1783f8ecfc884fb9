//! The two programs.
//!
//! ```text
//! oom:mark_victim             a record of the victim, and of the running thread, which asked for memory
//! signal:signal_generate      for signal 9, if it is delivered or the kernel's own: a record of the target, and of the
//!                             running thread, which sends
//! ```
//!
//! They read the kernel's memory with `bpf_probe_read_kernel` only, so that the verifier of every kernel knows all it
//! needs: a failed read leaves 0. A record that the ring has no room for is counted.

use super::super::assembler::{Assembler, Helper, Instruction, Label, Reg, When};
use super::super::layout::{Counters, Field, Width};
use super::layout::{Behind, Marked, SignalArguments, TraceLayout};
use super::record::{MARK, Record, SIGNAL, place};

/// The roles of the registers; all of them survive calls.
const TASK: Reg = Reg::R6;
const BEHIND: Reg = Reg::R7;
const INFO: Reg = Reg::R8;
/// The number that `mark_victim` hands over, or the result of the signal.
const NUMBER: Reg = Reg::R9;

const RECORD_BYTES: i16 = 152;
const _: () = assert!(size_of::<Record>() == 152);

/// On the stack: the record, and eight bytes for addresses and keys.
const RECORD_AT: i16 = -RECORD_BYTES;
const SPARE_AT: i16 = RECORD_AT - 8;

const KILL: i32 = 9;
/// `SEND_SIG_PRIV` (include/linux/sched/signal.h) in place of the address of a signal's origin.
const FROM_KERNEL: i32 = 1;

/// The descriptors of the maps that the programs use.
#[derive(Debug, Clone, Copy)]
pub(super) struct Maps {
    pub(super) ring: i32,
    /// Two counters of eight bytes.
    pub(super) lost: i32,
}

/// Index of the counter for marks that the ring had no room for.
pub(super) const LOST_MARKS: u32 = 0;
/// The same for signals.
pub(super) const LOST_SIGNALS: u32 = 1;

/// The program for `oom:mark_victim`; `None` if a jump is too far.
pub(super) fn on_mark(layout: &TraceLayout, maps: Maps) -> Option<Vec<Instruction>> {
    let mut writer = Writer::new(layout, maps);
    let told = writer.asm.label();
    match layout.marked {
        Marked::Task(at) => {
            writer.asm.load(TASK, Reg::R1, argument(at));
            writer.begin(MARK);
        }
        Marked::Pid(at) => {
            writer.asm.load(NUMBER, Reg::R1, argument(at));
            writer.begin(MARK);
            writer.asm.store(Reg::Frame, word(place::PID), NUMBER);
            // Who asks for memory while it ends is marked itself: then the running task is the victim.
            writer.asm.help(Helper::CurrentTask);
            writer.asm.copy(TASK, Reg::R0);
            writer.fetch(SPARE_AT, 4, TASK, layout.pid.offset);
            writer.asm.load(Reg::R1, Reg::Frame, at_spare(Width::Word));
            writer.asm.jump(When::Differ(Reg::R1, NUMBER), told);
        }
    }
    writer.facts();
    writer.asm.place(told);
    let end = writer.asm.label();
    writer.send(LOST_MARKS, end);
    writer.finish(end)
}

/// The program for `signal:signal_generate`; `None` if a jump is too far.
pub(super) fn on_signal(
    layout: &TraceLayout,
    arguments: SignalArguments,
    maps: Maps,
) -> Option<Vec<Instruction>> {
    let mut writer = Writer::new(layout, maps);
    let end = writer.asm.label();
    writer
        .asm
        .load(Reg::R2, Reg::R1, argument(arguments.number));
    writer.asm.jump(When::IsNot(Reg::R2, KILL), end);
    writer.asm.load(TASK, Reg::R1, argument(arguments.task));
    writer.asm.load(INFO, Reg::R1, argument(arguments.info));
    writer.asm.load(NUMBER, Reg::R1, argument(arguments.result));
    // Who sends SIGKILL in a loop delivers one. The others must not fill the ring: a victim of the OOM killer may have no
    // room then. The kernel's own signal belongs to a mark, even if another was on its way already.
    let told = writer.asm.label();
    writer.asm.jump(When::Zero(NUMBER), told);
    writer.asm.jump(When::IsNot(INFO, FROM_KERNEL), end);
    writer.asm.place(told);
    writer.begin(SIGNAL);
    writer.asm.store(Reg::Frame, word(place::RESULT), NUMBER);
    writer.asm.store(Reg::Frame, double(place::INFO), INFO);
    writer.fetch(slot(place::CODE), 4, INFO, arguments.code.offset);
    writer.facts();
    writer.send(LOST_SIGNALS, end);
    writer.finish(end)
}

struct Writer<'l> {
    asm: Assembler,
    layout: &'l TraceLayout,
    maps: Maps,
}

impl<'l> Writer<'l> {
    fn new(layout: &'l TraceLayout, maps: Maps) -> Self {
        Self {
            asm: Assembler::default(),
            layout,
            maps,
        }
    }

    /// A blank record with its kind, the time, and who is running.
    fn begin(&mut self, kind: u32) {
        self.asm.set(Reg::R1, 0);
        for offset in (0..RECORD_BYTES).step_by(8) {
            self.asm.store(Reg::Frame, double(offset), Reg::R1);
        }
        self.asm.set(Reg::R1, kind.cast_signed());
        self.asm.store(Reg::Frame, word(place::KIND), Reg::R1);
        self.asm.help(Helper::MonotonicNanos);
        self.asm.store(Reg::Frame, double(place::AT), Reg::R0);
        self.asm.help(Helper::CurrentPid);
        self.asm.store(Reg::Frame, word(place::BY_PID), Reg::R0);
        self.asm.shift_right(Reg::R0, 32);
        self.asm.store(Reg::Frame, word(place::BY_TGID), Reg::R0);
        self.asm.help(Helper::CurrentUser);
        self.asm.store(Reg::Frame, word(place::BY_UID), Reg::R0);
        self.point_at(Reg::R1, slot(place::BY_COMM));
        self.asm.set(Reg::R2, 16);
        self.asm.help(Helper::CurrentName);
    }

    fn point_at(&mut self, reg: Reg, stack: i16) {
        self.asm.copy(reg, Reg::Frame);
        self.asm.add(reg, i32::from(stack));
    }

    /// Copies `bytes` bytes at `from + offset` in the kernel to the stack.
    fn fetch(&mut self, stack: i16, bytes: i32, from: Reg, offset: i16) {
        self.point_at(Reg::R1, stack);
        self.asm.set(Reg::R2, bytes);
        self.asm.copy(Reg::R3, from);
        self.asm.add(Reg::R3, i32::from(offset));
        self.asm.read_kernel();
    }

    /// `to = from->field`, where `from` is an address in the kernel; 0 if it cannot be read.
    fn follow(&mut self, to: Reg, from: Reg, field: Field) {
        self.fetch(SPARE_AT, bytes(field.width), from, field.offset);
        self.asm.load(to, Reg::Frame, at_spare(field.width));
    }

    /// The facts of the task.
    fn facts(&mut self) {
        let layout = self.layout;
        self.fetch(slot(place::PID), 4, TASK, layout.pid.offset);
        self.fetch(slot(place::TGID), 4, TASK, layout.tgid.offset);
        self.fetch(slot(place::START), 8, TASK, layout.start.offset);
        self.fetch(slot(place::COMM), 16, TASK, layout.comm);
        self.behind(slot(place::UID), layout.uid);
        self.behind(slot(place::ADJ), layout.adj);
        if let Some(path) = &layout.group {
            let mut from = TASK;
            for field in path {
                self.follow(BEHIND, from, *field);
                from = BEHIND;
            }
            self.asm.store(Reg::Frame, double(place::GROUP), BEHIND);
        }
        if let Some(mm) = layout.mm {
            self.follow(BEHIND, TASK, mm);
            self.asm.store(Reg::Frame, double(place::MM), BEHIND);
        }
        let Some(memory) = layout.memory else {
            return;
        };
        match memory.rss {
            Counters::Each(counters) => {
                for (index, counter) in (0..).zip(counters) {
                    self.fetch(slot(place::RSS) + 8 * index, 8, BEHIND, counter.offset);
                }
            }
            Counters::Together(offset) => self.fetch(slot(place::RSS), 4 * 8, BEHIND, offset),
        }
        self.fetch(
            slot(place::PAGE_TABLES),
            8,
            BEHIND,
            memory.page_tables.offset,
        );
    }

    fn behind(&mut self, stack: i16, fact: Option<Behind>) {
        if let Some(Behind { pointer, field }) = fact {
            self.follow(BEHIND, TASK, pointer);
            self.fetch(stack, bytes(field.width), BEHIND, field.offset);
        }
    }

    /// Puts the record into the ring, or counts that there was no room.
    fn send(&mut self, counter: u32, end: Label) {
        self.asm.map(Reg::R1, self.maps.ring);
        self.point_at(Reg::R2, RECORD_AT);
        self.asm.set(Reg::R3, i32::from(RECORD_BYTES));
        self.asm.set(Reg::R4, 0);
        self.asm.help(Helper::RingOutput);
        self.asm.jump(When::Zero(Reg::R0), end);
        self.asm.set(Reg::R1, counter.cast_signed());
        self.asm.store(Reg::Frame, at_spare(Width::Word), Reg::R1);
        self.point_at(Reg::R2, SPARE_AT);
        self.asm.map(Reg::R1, self.maps.lost);
        self.asm.look_up();
        self.asm.jump(When::Zero(Reg::R0), end);
        self.asm.set(Reg::R1, 1);
        self.asm.add_atomically(Reg::R0, Reg::R1);
    }

    fn finish(mut self, end: Label) -> Option<Vec<Instruction>> {
        self.asm.place(end);
        self.asm.set(Reg::R0, 0);
        self.asm.exit();
        self.asm.finish()
    }
}

/// An argument of the tracepoint in the program's context.
fn argument(at: i16) -> Field {
    Field {
        offset: 8 * at,
        width: Width::Double,
    }
}

/// The place of a field of the record on the stack.
fn slot(offset: i16) -> i16 {
    RECORD_AT + offset
}

fn word(offset: i16) -> Field {
    Field {
        offset: slot(offset),
        width: Width::Word,
    }
}

fn double(offset: i16) -> Field {
    Field {
        offset: slot(offset),
        width: Width::Double,
    }
}

fn at_spare(width: Width) -> Field {
    Field {
        offset: SPARE_AT,
        width,
    }
}

fn bytes(width: Width) -> i32 {
    match width {
        Width::Half => 2,
        Width::Word => 4,
        Width::Double => 8,
    }
}
