//! The program at each tracepoint: a record of the process, unless the task is one of its other threads.

use super::super::assembler::{Assembler, Helper, Instruction, Reg, When};
use super::super::layout::{Field, Width};
use super::Record;
use super::layout::{Point, StartLayout};

/// A new process.
pub(super) const FORKED: u32 = 1;
/// Another program, name or group.
pub(super) const CHANGED: u32 = 2;

/// Survive calls.
const TASK: Reg = Reg::R6;
const PARENT: Reg = Reg::R7;
const PID: Reg = Reg::R8;

const RECORD_BYTES: i16 = 16;
const _: () = assert!(size_of::<Record>() == 16);

/// On the stack: the record, and eight bytes for what is read.
const RECORD_AT: i16 = -RECORD_BYTES;
const SPARE_AT: i16 = RECORD_AT - 8;

/// The descriptors of the maps.
#[derive(Debug, Clone, Copy)]
pub(super) struct Maps {
    pub(super) ring: i32,
    /// One counter of eight bytes.
    pub(super) lost: i32,
}

/// The program; `None` if a jump is too far.
pub(super) fn program(layout: &StartLayout, point: &Point, maps: Maps) -> Option<Vec<Instruction>> {
    let mut asm = Assembler::default();
    let end = asm.label();
    asm.load(TASK, Reg::R1, argument(point.task));
    if let Some(parent) = point.parent {
        asm.load(PARENT, Reg::R1, argument(parent));
    }
    asm.set(Reg::R1, 0);
    asm.store(Reg::Frame, double(SPARE_AT), Reg::R1);
    asm.store(Reg::Frame, double(RECORD_AT), Reg::R1);
    asm.store(Reg::Frame, double(RECORD_AT + 8), Reg::R1);
    let kind = if point.parent.is_some() {
        FORKED
    } else {
        CHANGED
    };
    asm.set(Reg::R1, kind.cast_signed());
    asm.store(Reg::Frame, word(RECORD_AT), Reg::R1);
    fetch(&mut asm, SPARE_AT, TASK, layout.pid.offset);
    asm.load(PID, Reg::Frame, word(SPARE_AT));
    fetch(&mut asm, RECORD_AT + 4, TASK, layout.tgid.offset);
    asm.load(Reg::R1, Reg::Frame, word(RECORD_AT + 4));
    asm.jump(When::Differ(Reg::R1, PID), end);
    if point.parent.is_some() {
        fetch(&mut asm, RECORD_AT + 8, PARENT, layout.tgid.offset);
    }
    asm.map(Reg::R1, maps.ring);
    point_at(&mut asm, Reg::R2, RECORD_AT);
    asm.set(Reg::R3, i32::from(RECORD_BYTES));
    asm.set(Reg::R4, 0);
    asm.help(Helper::RingOutput);
    asm.jump(When::Zero(Reg::R0), end);
    asm.set(Reg::R1, 0);
    asm.store(Reg::Frame, word(SPARE_AT), Reg::R1);
    point_at(&mut asm, Reg::R2, SPARE_AT);
    asm.map(Reg::R1, maps.lost);
    asm.look_up();
    asm.jump(When::Zero(Reg::R0), end);
    asm.set(Reg::R1, 1);
    asm.add_atomically(Reg::R0, Reg::R1);
    asm.place(end);
    asm.set(Reg::R0, 0);
    asm.exit();
    asm.finish()
}

/// Copies four bytes at `from + offset` in the kernel to the stack.
fn fetch(asm: &mut Assembler, stack: i16, from: Reg, offset: i16) {
    point_at(asm, Reg::R1, stack);
    asm.set(Reg::R2, 4);
    asm.copy(Reg::R3, from);
    asm.add(Reg::R3, i32::from(offset));
    asm.read_kernel();
}

fn point_at(asm: &mut Assembler, reg: Reg, stack: i16) {
    asm.copy(reg, Reg::Frame);
    asm.add(reg, i32::from(stack));
}

/// An argument of the tracepoint in the program's context.
fn argument(at: i16) -> Field {
    Field {
        offset: 8 * at,
        width: Width::Double,
    }
}

fn word(offset: i16) -> Field {
    Field {
        offset,
        width: Width::Word,
    }
}

fn double(offset: i16) -> Field {
    Field {
        offset,
        width: Width::Double,
    }
}
