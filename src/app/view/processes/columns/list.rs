//! The order of the columns.

use super::{Column, badness, identity, memory, time};

/// All columns, in the order they are shown.
pub static COLUMNS: &[Column] = &[
    badness::MARK,
    identity::PID,
    identity::PPID,
    identity::USER,
    identity::NAME,
    identity::STATE,
    identity::THREADS,
    badness::ADJ,
    badness::BAR,
    badness::BADNESS,
    badness::SCORE,
    memory::RSS,
    memory::SWAP,
    memory::PAGE_TABLES,
    memory::GROWTH,
    time::CPU,
    time::TIME,
    time::START,
    badness::PROTECTION,
    identity::CGROUP,
    identity::COMMAND,
];
