//! [`Assembler`]: writes BPF instructions, with names for registers and jump targets.
//!
//! Encoding: Documentation/bpf/standardization/instruction-set.rst (RFC 9669).

use super::btf::TypeId;
use super::layout::{Field, Width};

/// A register. `R0` holds results, `R1`..`R5` hold arguments and are clobbered by calls, `R6`..`R9` survive
/// calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(dead_code, reason = "the whole register file")]
pub(super) enum Reg {
    R0,
    R1,
    R2,
    R3,
    R4,
    R5,
    R6,
    R7,
    R8,
    R9,
    /// The frame pointer: the end of the stack frame, read-only.
    Frame,
}

/// One instruction as the kernel takes it (`struct bpf_insn`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(C)]
pub(super) struct Instruction {
    opcode: u8,
    /// Destination register in the low half, source in the high half.
    registers: u8,
    offset: i16,
    immediate: i32,
}

/// A place to jump to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Label(usize);

/// The condition of a jump.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum When {
    Always,
    /// The register is 0, or a null pointer.
    Zero(Reg),
    /// The register is not 0.
    NotZero(Reg),
    /// The two are not equal.
    Differ(Reg, Reg),
    /// The two are equal.
    Same(Reg, Reg),
    /// The register does not hold this number.
    IsNot(Reg, i32),
}

/// A helper function of the kernel, by its number in include/uapi/linux/bpf.h. Its result is in `r0`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Helper {
    /// `bpf_ktime_get_ns`: CLOCK_MONOTONIC.
    MonotonicNanos = 5,
    /// `bpf_get_current_pid_tgid`: the process in the upper half, the thread in the lower.
    CurrentPid = 14,
    /// `bpf_get_current_uid_gid`: the user in the lower half.
    CurrentUser = 15,
    /// `bpf_get_current_comm`: `r2` bytes to where `r1` points.
    CurrentName = 16,
    /// `bpf_get_current_task_btf` (5.11 and later): the task itself.
    CurrentTaskItself = 158,
    /// `bpf_get_current_task`, as a number.
    CurrentTask = 35,
    /// `bpf_ringbuf_output`: the `r3` bytes at `r2` to the ring in `r1`; not 0 if it is full.
    RingOutput = 130,
}

/// `bpf_map_lookup_elem` (include/uapi/linux/bpf.h).
const MAP_LOOKUP: i32 = 1;
/// `bpf_probe_read_kernel`, since 5.5.
const READ_KERNEL: i32 = 113;
/// `BPF_PSEUDO_MAP_FD`: the immediate is a descriptor.
const MAP_FD: u8 = 1;
/// `BPF_PSEUDO_KFUNC_CALL`: the immediate is the type number of a kernel function.
const KFUNC: u8 = 2;

const LOAD_MEM: u8 = 0x61;
const STORE_MEM: u8 = 0x63;
const LOAD_64: u8 = 0x18;
const MOVE: u8 = 0xbf;
const SET: u8 = 0xb7;
const ADD: u8 = 0x07;
const ADD_REG: u8 = 0x0f;
const CALL: u8 = 0x85;
const EXIT: u8 = 0x95;
const JUMP: u8 = 0x05;
const JUMP_EQ: u8 = 0x15;
const JUMP_NE: u8 = 0x55;
const JUMP_NE_REG: u8 = 0x5d;
const JUMP_EQ_REG: u8 = 0x1d;
const SHIFT_RIGHT: u8 = 0x77;
const AND: u8 = 0x57;
/// Eight bytes; the immediate 0 says "add".
const ATOMIC_ADD: u8 = 0xdb;

/// A program being written. Jumps may go to labels that are placed later.
#[derive(Debug, Default)]
pub(super) struct Assembler {
    code: Vec<Instruction>,
    /// The instruction index of each label, once placed.
    labels: Vec<Option<usize>>,
    /// Jumps whose offset is not known yet.
    jumps: Vec<(usize, Label)>,
}

impl Assembler {
    fn push(&mut self, opcode: u8, to: Reg, from: u8, offset: i16, immediate: i32) {
        self.code.push(Instruction {
            opcode,
            registers: (to as u8) | (from << 4),
            offset,
            immediate,
        });
    }

    /// A new label, not placed yet.
    pub(super) fn label(&mut self) -> Label {
        self.labels.push(None);
        Label(self.labels.len() - 1)
    }

    /// Places `label` at the next instruction.
    pub(super) fn place(&mut self, label: Label) {
        let here = self.code.len();
        if let Some(place) = self.labels.get_mut(label.0) {
            *place = Some(here);
        }
    }

    /// `to = from`
    pub(super) fn copy(&mut self, to: Reg, from: Reg) {
        self.push(MOVE, to, from as u8, 0, 0);
    }

    /// `to = value`
    pub(super) fn set(&mut self, to: Reg, value: i32) {
        self.push(SET, to, 0, 0, value);
    }

    /// `to += value`
    pub(super) fn add(&mut self, to: Reg, value: i32) {
        self.push(ADD, to, 0, 0, value);
    }

    /// `to += from`
    pub(super) fn add_register(&mut self, to: Reg, from: Reg) {
        self.push(ADD_REG, to, from as u8, 0, 0);
    }

    /// `to &= bits`
    pub(super) fn mask(&mut self, to: Reg, bits: i32) {
        self.push(AND, to, 0, 0, bits);
    }

    /// `to >>= bits`, without a sign.
    pub(super) fn shift_right(&mut self, to: Reg, bits: i32) {
        self.push(SHIFT_RIGHT, to, 0, 0, bits);
    }

    /// Adds `value` to the eight bytes that `at` points to, whoever else does so at the same time.
    pub(super) fn add_atomically(&mut self, at: Reg, value: Reg) {
        self.push(ATOMIC_ADD, at, value as u8, 0, 0);
    }

    /// `to = from->field`; a field smaller than eight bytes is zero-extended.
    pub(super) fn load(&mut self, to: Reg, from: Reg, field: Field) {
        self.push(
            LOAD_MEM | size(field.width),
            to,
            from as u8,
            field.offset,
            0,
        );
    }

    /// `to->field = from`
    pub(super) fn store(&mut self, to: Reg, field: Field, from: Reg) {
        self.push(
            STORE_MEM | size(field.width),
            to,
            from as u8,
            field.offset,
            0,
        );
    }

    /// `to = the map behind a descriptor of this process`
    pub(super) fn map(&mut self, to: Reg, descriptor: i32) {
        self.push(LOAD_64, to, MAP_FD, 0, descriptor);
        // The upper half of the 64-bit value.
        self.push(0, Reg::R0, 0, 0, 0);
    }

    /// `r0 = element of the map in r1 with the key that r2 points to`, or null
    pub(super) fn look_up(&mut self) {
        self.push(CALL, Reg::R0, 0, 0, MAP_LOOKUP);
    }

    /// Copies the `r2` bytes at `r3` in the kernel to where `r1` points.
    pub(super) fn read_kernel(&mut self) {
        self.push(CALL, Reg::R0, 0, 0, READ_KERNEL);
    }

    /// Calls a helper: arguments in `r1`.., result in `r0`.
    pub(super) fn help(&mut self, helper: Helper) {
        self.push(CALL, Reg::R0, 0, 0, helper as i32);
    }

    /// Calls a kernel function: arguments in `r1`.., result in `r0`.
    pub(super) fn call(&mut self, function: TypeId) {
        self.push(CALL, Reg::R0, KFUNC, 0, function.cast_signed());
    }

    /// Jumps to `label` if `when` holds.
    pub(super) fn jump(&mut self, when: When, label: Label) {
        self.jumps.push((self.code.len(), label));
        match when {
            When::Always => self.push(JUMP, Reg::R0, 0, 0, 0),
            When::Zero(reg) => self.push(JUMP_EQ, reg, 0, 0, 0),
            When::NotZero(reg) => self.push(JUMP_NE, reg, 0, 0, 0),
            When::Differ(a, b) => self.push(JUMP_NE_REG, a, b as u8, 0, 0),
            When::Same(a, b) => self.push(JUMP_EQ_REG, a, b as u8, 0, 0),
            When::IsNot(reg, number) => self.push(JUMP_NE, reg, 0, 0, number),
        }
    }

    /// Ends the program with `r0` as its result.
    pub(super) fn exit(&mut self) {
        self.push(EXIT, Reg::R0, 0, 0, 0);
    }

    /// The finished program; `None` if a label was never placed, or a jump is too far.
    pub(super) fn finish(mut self) -> Option<Vec<Instruction>> {
        for (at, label) in self.jumps {
            let target = (*self.labels.get(label.0)?)?;
            // Jump offsets are relative to the next instruction.
            let distance = i64::try_from(target).ok()? - i64::try_from(at).ok()? - 1;
            self.code.get_mut(at)?.offset = i16::try_from(distance).ok()?;
        }
        Some(self.code)
    }
}

/// The size bits of a load or store.
fn size(width: Width) -> u8 {
    match width {
        Width::Word => 0x00,
        Width::Half => 0x08,
        Width::Double => 0x18,
    }
}

#[cfg(test)]
mod tests {
    use super::{Assembler, Helper, Instruction, Reg, When};
    use crate::linux::scan::bpf::layout::{Field, Width};

    fn bytes(code: &[Instruction]) -> Vec<(u8, u8, i16, i32)> {
        code.iter()
            .map(|i| (i.opcode, i.registers, i.offset, i.immediate))
            .collect()
    }

    #[test]
    fn encodes_as_the_standard_says() {
        let mut asm = Assembler::default();
        let field = |offset, width| Field { offset, width };
        asm.load(Reg::R1, Reg::R6, field(8, Width::Half));
        asm.load(Reg::R2, Reg::R6, field(16, Width::Double));
        asm.store(Reg::Frame, field(-4, Width::Word), Reg::R9);
        asm.map(Reg::R1, 7);
        asm.call(300);
        asm.exit();
        assert_eq!(
            bytes(&asm.finish().expect("complete")),
            [
                (0x69, 0x61, 8, 0),
                (0x79, 0x62, 16, 0),
                (0x63, 0x9a, -4, 0),
                (0x18, 0x11, 0, 7),
                (0, 0, 0, 0),
                (0x85, 0x20, 0, 300),
                (0x95, 0, 0, 0),
            ]
        );
    }

    #[test]
    fn counts_shifts_and_compares_with_a_number() {
        let mut asm = Assembler::default();
        let end = asm.label();
        asm.jump(When::IsNot(Reg::R2, 9), end);
        asm.shift_right(Reg::R0, 32);
        asm.add_atomically(Reg::R0, Reg::R1);
        asm.help(Helper::RingOutput);
        asm.place(end);
        assert_eq!(
            bytes(&asm.finish().expect("complete")),
            [
                (0x55, 0x02, 3, 9),
                (0x77, 0x00, 0, 32),
                (0xdb, 0x10, 0, 0),
                (0x85, 0x00, 0, 130),
            ]
        );
    }

    #[test]
    fn jumps_both_ways_and_never_to_nowhere() {
        let mut asm = Assembler::default();
        let (back, ahead) = (asm.label(), asm.label());
        asm.place(back);
        asm.set(Reg::R0, 1);
        asm.jump(When::Zero(Reg::R0), ahead);
        asm.jump(When::Always, back);
        asm.place(ahead);
        asm.exit();
        let code = asm.finish().expect("complete");
        assert_eq!((code[1].offset, code[2].offset), (1, -3));
        let mut asm = Assembler::default();
        let nowhere = asm.label();
        asm.jump(When::Always, nowhere);
        assert_eq!(asm.finish(), None);
    }
}
