//! One OOM report, from its first line to the complete value.

pub mod assembler;
pub(super) mod draft;
pub mod mem_info;
pub mod memcg;
pub(super) mod open_reports;
pub mod raw;
pub mod tasks;
