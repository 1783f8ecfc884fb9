//! The system calls: bpf(2), the mapping of the shared array and of the ring. All `unsafe` code of oomtop is here, in
//! the files below, in `linux/log/child.rs` and in `runtime/screen/abort.rs`.

mod iterator;
mod ring;
mod trace;

use std::ffi::CStr;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

use rustix::io::Errno;
use rustix::mm::{MapFlags, ProtFlags};

use super::assembler::Instruction;
use super::btf::TypeId;
use super::record::Record;
use crate::linux::cgroup::counted::Counted;

pub(super) use iterator::{Begun, PARENTS_FIRST, TaskLink};
pub(super) use ring::{Ring, Woken};
pub(super) use trace::{CounterMap, RawTracepoint, Rejection, Verified};

/// Commands (include/uapi/linux/bpf.h).
const MAP_CREATE: libc::c_int = 0;
const PROG_LOAD: libc::c_int = 5;
const PROG_TEST_RUN: libc::c_int = 10;

const MAP_TYPE_ARRAY: u32 = 2;
const PROG_TYPE_TRACING: u32 = 26;
const PROG_TYPE_SYSCALL: u32 = 31;
const TRACE_ITER: u32 = 28;
/// The map can be mapped into this process, so that reading it needs no system call.
const F_MMAPABLE: u32 = 1 << 10;
/// Required for programs of this type.
const F_SLEEPABLE: u32 = 1 << 4;

/// The kernel functions that the program calls are restricted to programs with a GPL-compatible licence.
const LICENCE: &CStr = c"Dual MIT/GPL";

/// The attributes of each command, up to the last one used. The kernel treats missing attributes as 0.
#[derive(Default)]
#[repr(C)]
struct MapCreate {
    map_type: u32,
    key_size: u32,
    value_size: u32,
    max_entries: u32,
    map_flags: u32,
}

#[derive(Default)]
#[repr(C)]
struct ProgLoad {
    prog_type: u32,
    instruction_count: u32,
    instructions: u64,
    licence: u64,
    log_level: u32,
    log_size: u32,
    log_buffer: u64,
    kernel_version: u32,
    prog_flags: u32,
    name: [u8; 16],
    interface: u32,
    attach_type: u32,
    types_fd: u32,
    function_size: u32,
    functions: u64,
    function_count: u32,
    line_size: u32,
    lines: u64,
    line_count: u32,
    attach_to: u32,
}

#[derive(Default)]
#[repr(C)]
struct TestRun {
    prog_fd: u32,
    result: u32,
    data_size_in: u32,
    data_size_out: u32,
    data_in: u64,
    data_out: u64,
    repeat: u32,
    duration: u32,
    context_size_in: u32,
    context_size_out: u32,
    context_in: u64,
    context_out: u64,
}

#[expect(unsafe_code, reason = "bpf(2) has no safe wrapper")]
fn bpf<T>(command: libc::c_int, attributes: &mut T) -> Result<libc::c_int, Errno> {
    // SAFETY: `attributes` is one of the structures of this module and of `trace`, which have the layout of
    // `union bpf_attr` for their command and no padding; the kernel reads (and for TEST_RUN writes)
    // exactly `size_of::<T>()` bytes of it, which are borrowed exclusively for the call. The
    // addresses inside are of memory that the callers below keep alive and large enough.
    let result = unsafe {
        libc::syscall(
            libc::SYS_bpf,
            command,
            std::ptr::from_mut(attributes),
            size_of::<T>(),
        )
    };
    match libc::c_int::try_from(result) {
        Ok(result) if result >= 0 => Ok(result),
        _ => Err(Errno::from_io_error(&std::io::Error::last_os_error()).unwrap_or(Errno::IO)),
    }
}

#[expect(unsafe_code, reason = "a descriptor comes out of a raw call")]
fn owned(descriptor: libc::c_int) -> OwnedFd {
    // SAFETY: the kernel has just returned it from MAP_CREATE, PROG_LOAD, LINK_CREATE, ITER_CREATE or RAW_TRACEPOINT_OPEN, which give a new
    // descriptor that nobody else owns.
    unsafe { OwnedFd::from_raw_fd(descriptor) }
}

/// An element of a [`SharedArray`].
///
/// # Safety
/// Every bit pattern is a valid value, and the size is a multiple of eight bytes.
#[expect(unsafe_code, reason = "the kernel writes the values")]
pub(super) unsafe trait Element: Copy {}

#[expect(unsafe_code, reason = "the kernel writes it")]
// SAFETY: a structure of numbers of 120 bytes.
unsafe impl Element for Record {}

#[expect(unsafe_code, reason = "the kernel writes it")]
// SAFETY: a structure of numbers of eight bytes.
unsafe impl Element for Counted {}

/// The array that the program writes and oomtop reads.
#[derive(Debug)]
pub(super) struct SharedArray<T = Record> {
    map: OwnedFd,
    start: *const T,
    capacity: u32,
}

// `start` is used only for reading, and only by the single owner of the value.
#[expect(unsafe_code, reason = "it holds an address")]
// SAFETY: the mapping belongs to the process, not to a thread; `SharedArray` is its only owner.
unsafe impl<T: Send> Send for SharedArray<T> {}

impl<T: Element> SharedArray<T> {
    /// # Errors
    /// `EPERM` without `CAP_BPF`, `ENOMEM`, or another error of the system call.
    #[expect(unsafe_code, reason = "a mapping of a descriptor")]
    pub(super) fn create(capacity: u32) -> Result<Self, Errno> {
        let value_size = u32::try_from(size_of::<T>()).map_err(|_| Errno::INVAL)?;
        let map = owned(bpf(
            MAP_CREATE,
            &mut MapCreate {
                map_type: MAP_TYPE_ARRAY,
                key_size: 4,
                value_size,
                max_entries: capacity,
                map_flags: F_MMAPABLE,
            },
        )?);
        // SAFETY: a new mapping at an address of the kernel's choice touches no memory in use. It is
        // `capacity * size_of::<T>()` bytes long, which the kernel refuses if the map is
        // shorter (its elements lie one after the other, `T` being a multiple of 8 bytes), and
        // lasts until `drop`.
        let start = unsafe {
            rustix::mm::mmap(
                std::ptr::null_mut(),
                Self::bytes(capacity),
                ProtFlags::READ,
                MapFlags::SHARED,
                &map,
                0,
            )?
        };
        Ok(Self {
            map,
            start: start.cast_const().cast(),
            capacity,
        })
    }

    fn bytes(capacity: u32) -> usize {
        capacity as usize * size_of::<T>()
    }

    /// Capacity of the array in records.
    pub(super) fn capacity(&self) -> u32 {
        self.capacity
    }

    /// The file descriptor of the map.
    pub(super) fn descriptor(&self) -> i32 {
        self.map.as_raw_fd()
    }

    /// A copy of one record.
    #[expect(unsafe_code, reason = "reads memory shared with the kernel")]
    pub(super) fn get(&self, index: u32) -> Option<T> {
        if index >= self.capacity {
            return None;
        }
        // SAFETY: in bounds of the mapping, and aligned: it starts at a page and a record has a multiple of eight bytes.
        // Volatile, because the kernel writes the array; it does so only inside `Program::run`,
        // `TaskLink::begin` or `TaskLink::run`, which the owner of both does not call at the same time. Every bit pattern is a
        // valid `T`.
        Some(unsafe { self.start.add(index as usize).read_volatile() })
    }
}

impl<T> Drop for SharedArray<T> {
    #[expect(unsafe_code, reason = "ends the mapping")]
    fn drop(&mut self) {
        // SAFETY: address and length are those of the mapping made in `create`; no reference into
        // it exists, since `get` returns copies.
        let _ = unsafe {
            rustix::mm::munmap(
                self.start.cast_mut().cast(),
                self.capacity as usize * size_of::<T>(),
            )
        };
    }
}

impl ProgLoad {
    /// The type of a program that walks, see [`Program::load`].
    fn of_walk(&mut self, called_by: Option<TypeId>) {
        if let Some(function) = called_by {
            self.prog_type = PROG_TYPE_TRACING;
            self.attach_type = TRACE_ITER;
            self.attach_to = function;
        } else {
            self.prog_type = PROG_TYPE_SYSCALL;
            self.prog_flags = F_SLEEPABLE;
        }
    }
}

/// A program in the kernel.
#[derive(Debug)]
pub(super) struct Program(OwnedFd);

impl Program {
    /// Lets the kernel verify and load the program. `called_by` is the type id of the function that a program
    /// of type iterator attaches to; `None` if oomtop runs the program itself. Verification can take long:
    /// call this on a separate thread.
    ///
    /// # Errors
    /// `EPERM` without the capabilities, `EINVAL` or `EACCES` if the verifier rejects the program.
    pub(super) fn load(code: &[Instruction], called_by: Option<TypeId>) -> Result<Self, Errno> {
        let mut attributes = ProgLoad {
            instruction_count: u32::try_from(code.len()).map_err(|_| Errno::TOOBIG)?,
            instructions: address(code.as_ptr()),
            licence: address(LICENCE.as_ptr()),
            ..ProgLoad::default()
        };
        attributes.of_walk(called_by);
        bpf(PROG_LOAD, &mut attributes).map(|descriptor| Self(owned(descriptor)))
    }

    /// Runs the program once and returns its result. Its first argument points to `input`.
    ///
    /// # Errors
    /// The error of the system call.
    pub(super) fn run(&self, input: &mut [u32; 2]) -> Result<u32, Errno> {
        let mut attributes = TestRun {
            prog_fd: number(&self.0)?,
            context_size_in: 8,
            // The kernel copies the input back after the run.
            context_in: address(input.as_mut_ptr()),
            ..TestRun::default()
        };
        bpf(PROG_TEST_RUN, &mut attributes)?;
        Ok(attributes.result)
    }
}

/// A descriptor as the attributes hold it.
fn number(descriptor: &OwnedFd) -> Result<u32, Errno> {
    u32::try_from(descriptor.as_raw_fd()).map_err(|_| Errno::BADF)
}

/// An address as the attributes hold it.
fn address<T>(pointer: *const T) -> u64 {
    pointer.expose_provenance() as u64
}
