//! The walk over the cgroups: a BPF program that writes one record per group into an array.
//!
//! ```text
//! slot = input.first
//! root = ancestor 0 of the group of this task, in its hierarchy
//! for state in root and all below it:                bpf_iter_css_new/next
//!     skip a group that is removed but still held by its memory
//!     record = array[slot++], or go on if the array is full
//!     record.id = kernfs id, record.… = memcg.…
//! return slot
//! ```
//!
//! On older kernels the kernel runs the loop (`bpf_iter`), and the first record of the array holds the count. Numbers
//! are copied by `bpf_probe_read_kernel`: verifiers differ in which members of a `mem_cgroup` they let a program load.

use super::super::assembler::{Assembler, Helper, Instruction, Label, Reg, When};
use super::super::calls::PARENTS_FIRST;
use super::super::layout::{Field, Width};
use super::layout::{GroupLayout, Own, Visit, Walks};

/// The roles of the registers; all of them survive calls.
const ROOT: Reg = Reg::R6;
/// The group, and from then on its `struct mem_cgroup`.
const GROUP: Reg = Reg::R7;
const RECORD: Reg = Reg::R8;
const SLOT: Reg = Reg::R9;

/// The roles before there is a record, and in a program that is called.
const HIERARCHY: Reg = Reg::R8;
const NUMBER: Reg = Reg::R6;
const COUNTER: Reg = Reg::R9;

/// `CSS_ONLINE` (include/linux/cgroup-defs.h).
const ONLINE: i32 = 1 << 1;

/// The key of the array, at the end of the stack frame.
const KEY: Field = at(-8, Width::Word);

/// The words of the input: the first record, and the number of the hierarchy (v1).
const FIRST: Field = at(0, Width::Word);
const NUMBERED: Field = at(4, Width::Word);

/// The first two fields of [`crate::linux::cgroup::counted::Counted`].
const ID: Field = at(0, Width::Double);
const MEMCG: Field = at(8, Width::Double);

const fn at(offset: i16, width: Width) -> Field {
    Field { offset, width }
}

/// The program for a kernel with this layout; `None` if a jump is too far.
pub(super) fn group_walk(layout: &GroupLayout, array: i32) -> Option<Vec<Instruction>> {
    let mut walk = Walk {
        asm: Assembler::default(),
        layout,
        array,
    };
    match layout.visit {
        Visit::Walks(walks) => {
            let iterator = -8 - i32::try_from(walks.iterator_size.next_multiple_of(8)).ok()?;
            walk.all_groups(&walks, iterator);
        }
        Visit::IsCalled {
            meta,
            group,
            number,
            ..
        } => walk.one_group(meta, group, number),
    }
    walk.asm.finish()
}

struct Walk<'l> {
    asm: Assembler,
    layout: &'l GroupLayout,
    array: i32,
}

impl Walk<'_> {
    /// The program that loops by itself. `iterator` is the stack offset of the loop's state.
    fn all_groups(&mut self, walks: &Walks, iterator: i32) {
        let (next, end, out) = (self.asm.label(), self.asm.label(), self.asm.label());
        self.asm.load(SLOT, Reg::R1, FIRST);
        self.asm.load(HIERARCHY, Reg::R1, NUMBERED);
        self.asm.call(walks.rcu_lock);
        self.root(walks, out);
        self.point_at_stack(Reg::R1, iterator);
        // The state of the group itself is its first member.
        self.asm.copy(Reg::R2, ROOT);
        self.asm.set(Reg::R3, PARENTS_FIRST.cast_signed());
        self.asm.call(walks.iter_new);
        self.asm.place(next);
        self.point_at_stack(Reg::R1, iterator);
        self.asm.call(walks.iter_next);
        self.asm.jump(When::Zero(Reg::R0), end);
        self.asm.load(GROUP, Reg::R0, walks.state_group);
        self.asm.load(Reg::R1, Reg::R0, walks.state_flags);
        self.asm.mask(Reg::R1, ONLINE);
        self.asm.jump(When::Zero(Reg::R1), next);
        self.asm.store(Reg::Frame, KEY, SLOT);
        self.look_up();
        // Count even without room: the caller then knows how many records are needed.
        self.asm.add(SLOT, 1);
        self.asm.jump(When::Zero(Reg::R0), next);
        self.record(next);
        self.asm.jump(When::Always, next);
        self.asm.place(end);
        self.point_at_stack(Reg::R1, iterator);
        self.asm.call(walks.iter_destroy);
        self.asm.copy(Reg::R1, ROOT);
        self.asm.call(walks.release);
        self.asm.place(out);
        self.asm.call(walks.rcu_unlock);
        self.asm.copy(Reg::R0, SLOT);
        self.asm.exit();
    }

    /// Finds the root of the hierarchy and holds it; jumps to `out` without it.
    fn root(&mut self, walks: &Walks, out: Label) {
        self.asm.help(Helper::CurrentTaskItself);
        self.asm.copy(Reg::R1, Reg::R0);
        match walks.own {
            Own::Default(path) => {
                for field in path {
                    self.asm.load(Reg::R1, Reg::R1, field);
                }
                self.asm.set(Reg::R2, 0);
                self.asm.call(walks.ancestor);
                self.asm.copy(ROOT, Reg::R0);
            }
            Own::Numbered(find) => {
                self.asm.copy(Reg::R2, HIERARCHY);
                self.asm.call(find);
                self.asm.jump(When::Zero(Reg::R0), out);
                self.asm.copy(GROUP, Reg::R0);
                self.asm.copy(Reg::R1, Reg::R0);
                self.asm.set(Reg::R2, 0);
                self.asm.call(walks.ancestor);
                self.asm.copy(ROOT, Reg::R0);
                self.asm.copy(Reg::R1, GROUP);
                self.asm.call(walks.release);
            }
        }
        self.asm.jump(When::Zero(ROOT), out);
    }

    /// The program that the kernel calls for each group that is not removed. The first record holds the count.
    fn one_group(&mut self, meta: Field, group: Field, number: Field) {
        let (counted, end) = (self.asm.label(), self.asm.label());
        self.asm.load(Reg::R2, Reg::R1, meta);
        self.asm.load(NUMBER, Reg::R2, number);
        self.asm.load(GROUP, Reg::R1, group);
        // The kernel calls the program once more at the end, without a group.
        self.asm.jump(When::Zero(GROUP), end);
        self.asm.set(Reg::R1, 0);
        self.asm.store(Reg::Frame, KEY, Reg::R1);
        self.look_up();
        self.asm.jump(When::Zero(Reg::R0), end);
        self.asm.copy(COUNTER, Reg::R0);
        self.asm.jump(When::NotZero(NUMBER), counted);
        self.asm.set(Reg::R1, 0);
        self.asm.store(COUNTER, ID, Reg::R1);
        self.asm.place(counted);
        self.asm.load(Reg::R1, COUNTER, ID);
        self.asm.add(Reg::R1, 1);
        self.asm.store(COUNTER, ID, Reg::R1);
        self.asm.store(Reg::Frame, KEY, Reg::R1);
        self.look_up();
        self.asm.jump(When::Zero(Reg::R0), end);
        self.record(end);
        self.asm.place(end);
        self.asm.set(Reg::R0, 0);
        self.asm.exit();
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

    /// Fills the record that `r0` points to; jumps to `done` if the memory controller does not count the group.
    fn record(&mut self, done: Label) {
        self.asm.copy(RECORD, Reg::R0);
        self.asm.load(Reg::R1, GROUP, self.layout.node);
        self.asm.load(Reg::R1, Reg::R1, self.layout.id);
        self.asm.store(RECORD, ID, Reg::R1);
        self.asm.load(GROUP, GROUP, self.layout.memcg);
        self.asm.store(RECORD, MEMCG, GROUP);
        self.asm.jump(When::Zero(GROUP), done);
        for copying in &self.layout.copies {
            self.asm.copy(Reg::R1, RECORD);
            self.asm.add(Reg::R1, copying.to);
            self.asm.set(Reg::R2, copying.size);
            self.asm.copy(Reg::R3, GROUP);
            self.asm.add(Reg::R3, copying.from);
            self.asm.read_kernel();
        }
    }
}
