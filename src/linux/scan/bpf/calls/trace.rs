//! What a program at a tracepoint needs: the verifier's answer, the link, and a map of counters.

use std::ffi::CStr;
use std::os::fd::{AsRawFd, OwnedFd};

use rustix::io::Errno;

use super::{
    LICENCE, MAP_CREATE, MAP_TYPE_ARRAY, MapCreate, PROG_LOAD, ProgLoad, Program, address, bpf,
    number, owned,
};
use crate::linux::scan::bpf::assembler::Instruction;
use crate::linux::scan::bpf::btf::TypeId;

const MAP_LOOKUP_ELEM: libc::c_int = 1;
const RAW_TRACEPOINT_OPEN: libc::c_int = 17;
const PROG_TYPE_RAW_TRACEPOINT: u32 = 17;

/// `BPF_LOG_STATS` (include/linux/bpf_verifier.h): only errors and the numbers at the end.
const LOG_STATS: u32 = 4;
/// Bytes of the verifier's log. Errors and numbers take some hundred.
const LOG: u32 = 8192;

#[derive(Default)]
#[repr(C)]
struct MapLookup {
    map_fd: u32,
    padding: u32,
    key: u64,
    value: u64,
    flags: u64,
}

#[derive(Default)]
#[repr(C)]
struct RawTracepointOpen {
    name: u64,
    prog_fd: u32,
    padding: u32,
}

/// The kernel did not take a program.
#[derive(Debug)]
pub(in crate::linux::scan::bpf) struct Rejection {
    pub(in crate::linux::scan::bpf) errno: Errno,
    /// The verifier's complaint; empty if it has none.
    pub(in crate::linux::scan::bpf) said: String,
}

/// A program that the kernel has checked.
#[derive(Debug)]
pub(in crate::linux::scan::bpf) struct Verified {
    program: Program,
    /// Instructions that the verifier looked at on all paths; 0 if it did not say.
    pub(in crate::linux::scan::bpf) instructions: u32,
}

impl Verified {
    /// Lets the kernel verify and load a program for a raw tracepoint. This can take long.
    ///
    /// # Errors
    /// As `Program::load`, with what the verifier said.
    pub(in crate::linux::scan::bpf) fn load(code: &[Instruction]) -> Result<Self, Rejection> {
        let of_tracepoint = ProgLoad {
            prog_type: PROG_TYPE_RAW_TRACEPOINT,
            ..ProgLoad::default()
        };
        Self::check(code, &of_tracepoint)
    }

    /// As [`Self::load`], for a program that walks: see `Program::load`.
    ///
    /// # Errors
    /// As [`Self::load`].
    pub(in crate::linux::scan::bpf) fn walk(
        code: &[Instruction],
        called_by: Option<TypeId>,
    ) -> Result<Self, Rejection> {
        let mut attributes = ProgLoad::default();
        attributes.of_walk(called_by);
        Self::check(code, &attributes)
    }

    /// The program.
    pub(in crate::linux::scan::bpf) fn program(self) -> Program {
        self.program
    }

    fn check(code: &[Instruction], kind: &ProgLoad) -> Result<Self, Rejection> {
        let mut log = vec![0_u8; LOG as usize];
        let mut attributes = ProgLoad {
            instruction_count: u32::try_from(code.len()).unwrap_or(u32::MAX),
            instructions: address(code.as_ptr()),
            licence: address(LICENCE.as_ptr()),
            log_level: LOG_STATS,
            log_size: LOG,
            // The kernel writes a text of at most this size there.
            log_buffer: address(log.as_mut_ptr()),
            prog_type: kind.prog_type,
            prog_flags: kind.prog_flags,
            attach_type: kind.attach_type,
            attach_to: kind.attach_to,
            ..ProgLoad::default()
        };
        let loaded = bpf(PROG_LOAD, &mut attributes);
        let end = log.iter().position(|byte| *byte == 0).unwrap_or(log.len());
        let text = String::from_utf8_lossy(log.get(..end).unwrap_or_default());
        match loaded {
            Ok(descriptor) => Ok(Self {
                program: Program(owned(descriptor)),
                instructions: instructions(&text),
            }),
            Err(errno) => Err(Rejection {
                errno,
                said: complaint(&text).to_owned(),
            }),
        }
    }
}

/// The number in `processed 412 insns (limit 1000000) …`.
fn instructions(log: &str) -> u32 {
    let lines = log.lines().rev();
    let mut found = lines.filter_map(|line| line.strip_prefix("processed ")?.split(' ').next());
    found.next().and_then(|n| n.parse().ok()).unwrap_or(0)
}

/// The last line that is not one of the numbers at the end.
fn complaint(log: &str) -> &str {
    let is_number = |line: &str| {
        ["processed ", "verification time", "stack depth"]
            .iter()
            .any(|begin| line.starts_with(begin))
    };
    let mut lines = log.lines().rev().map(str::trim);
    lines
        .find(|line| !line.is_empty() && !is_number(line))
        .unwrap_or("")
}

/// A program that the kernel calls at a tracepoint, as long as this value lives.
#[derive(Debug)]
pub(in crate::linux::scan::bpf) struct RawTracepoint {
    _link: OwnedFd,
}

impl RawTracepoint {
    /// # Errors
    /// `ENOENT` if the kernel has no such tracepoint, `EINVAL` if the program reads more arguments than it has.
    pub(in crate::linux::scan::bpf) fn attach(
        program: &Verified,
        name: &CStr,
    ) -> Result<Self, Errno> {
        let mut attributes = RawTracepointOpen {
            name: address(name.as_ptr()),
            prog_fd: number(&program.program.0)?,
            padding: 0,
        };
        // The link keeps the program loaded.
        let descriptor = bpf(RAW_TRACEPOINT_OPEN, &mut attributes)?;
        Ok(Self {
            _link: owned(descriptor),
        })
    }
}

/// CounterMap that programs raise and oomtop reads.
#[derive(Debug)]
pub(in crate::linux::scan::bpf) struct CounterMap(OwnedFd);

impl CounterMap {
    /// # Errors
    /// `EPERM` without `CAP_BPF`, `ENOMEM`, or another error of the system call.
    pub(in crate::linux::scan::bpf) fn create(counters: u32) -> Result<Self, Errno> {
        let mut attributes = MapCreate {
            map_type: MAP_TYPE_ARRAY,
            key_size: 4,
            value_size: 8,
            max_entries: counters,
            map_flags: 0,
        };
        bpf(MAP_CREATE, &mut attributes).map(|descriptor| Self(owned(descriptor)))
    }

    /// The file descriptor of the map.
    pub(in crate::linux::scan::bpf) fn descriptor(&self) -> i32 {
        self.0.as_raw_fd()
    }

    /// One of the counters; 0 if it cannot be read.
    pub(in crate::linux::scan::bpf) fn get(&self, index: u32) -> u64 {
        let mut value = 0_u64;
        let mut attributes = MapLookup {
            map_fd: number(&self.0).unwrap_or(0),
            key: address(&raw const index),
            // The kernel writes the eight bytes of the value there.
            value: address(&raw mut value),
            ..MapLookup::default()
        };
        match bpf(MAP_LOOKUP_ELEM, &mut attributes) {
            Ok(_) => value,
            Err(_) => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{complaint, instructions};

    #[test]
    fn what_the_verifier_says_is_read_from_its_log() {
        let good = "verification time 312 usec\nstack depth 168\nprocessed 231 insns (limit 1000000) max_states_per_insn 0 total_states 4 peak_states 4 mark_read 2\n";
        assert_eq!((instructions(good), complaint(good)), (231, ""));
        let bad = "R3 !read_ok\nprocessed 12 insns (limit 1000000) max_states_per_insn 0 total_states 0\n";
        assert_eq!((instructions(bad), complaint(bad)), (12, "R3 !read_ok"));
        assert_eq!((instructions(""), complaint("")), (0, ""));
    }
}
