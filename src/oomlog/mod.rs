//! Reads the OOM killer's reports out of kernel logs.
//!
//! Text goes in, values come out: who asked for memory, which limit ran out, the table of tasks, whom the
//! kernel chose and who died. Kernels from 2.6.19 to 7.3 and the usual vendors' backports are understood, in
//! every wrapping a log may have: raw `/dev/kmsg` records, `dmesg` and `dmesg -T`, syslog, the journal's text
//! and JSON, container logs, a mail with broken lines.
//!
//! ```
//! use std::collections::BTreeMap;
//! use oomtop::oomlog::{Constraint, OomEvent, TextLog};
//!
//! let log = "\
//! [ 8.000001] java invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0
//! [ 8.000002] memory: usage 524288kB, limit 524288kB, failcnt 21
//! [ 8.000003] oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=/,mems_allowed=0,\
//! oom_memcg=/shop,task_memcg=/shop/web,task=java,pid=812,uid=1000
//! [ 8.000004] Memory cgroup out of memory: Killed process 812 (java) total-vm:900000kB, \
//! anon-rss:510000kB, file-rss:0kB, shmem-rss:0kB, UID:1000 pgtables:1200kB oom_score_adj:0
//! ";
//! let mut reader = TextLog::new();
//! let mut events = Vec::new();
//! reader.chunk(log.as_bytes(), &mut events);
//! reader.finish(&mut events);
//!
//! // A report is emitted again when it grows: the last one of a key counts.
//! let mut reports = BTreeMap::new();
//! for event in events {
//!     if let OomEvent::Report(report) = event {
//!         reports.insert(report.key, report);
//!     }
//! }
//! let report = reports.values().next().ok_or("no report")?;
//! assert_eq!(report.constraint, Some(Constraint::Memcg));
//! assert_eq!((report.oom_memcg.as_deref(), report.limit_kb), (Some("/shop"), Some(524_288)));
//! assert_eq!((report.kills[0].pid, report.kills[0].anon_rss_kb), (812, Some(510_000)));
//! # Ok::<(), &str>(())
//! ```
//!
//! # What to use
//!
//! * [`TextLog`] for a log as text: a file, a pipe, another program's output, in chunks or line by line.
//! * [`OomAssembler`] for records that are records already: [`LogRecord::parse_kmsg`] reads those of
//!   `/dev/kmsg`.
//! * [`analysis`] for what follows from a report: the root cause, the kernel's ranking computed again, who held
//!   the memory, why each zone refused, what the kill freed.
//!
//! Both readers are pure and bounded: no I/O, no clock, no thread, and a forged log cannot fill the memory.
//! They never wait: a report is emitted with its first line and again with each line that adds to it.
//!
//! # What to trust
//!
//! Only records of facility 0 count as the kernel's: a program can write to `/dev/kmsg`, but not as the kernel.
//! Who wrote a line, the outermost prefix says; one inside it can only take trust away, and a line that goes on
//! with another is the word of the same writer. [`Provenance`] tells whether the transport vouches for that: a text
//! log can be forged by whoever writes it. Names and paths are kept as the log has them and may hold control
//! characters. What [`UserspaceKill`] holds is always the word of a program.
//!
//! # How a line becomes a report
//!
//! ```text
//! /dev/kmsg ── LogRecord::parse_kmsg ──────────────┐
//! text log ─── prefixes off ─── lines reassembled ─┴─► line rules ─► Verdict ─► which report ─► OomReport
//!              └ unknown ones learned                          └───► Body ────► the open one ──┘
//!                                                                               └ none: kept as headless
//! ```
//!
//! A line format of the kernel is one row of a table in `line`. A new fact is a variant of `Verdict` (it tells
//! which report it belongs to) or of `Body` (it belongs to the open report); every place that must handle it
//! matches without a catch-all.
//!
//! # A crate of its own
//!
//! This folder needs std, serde, serde_json, memchr and aho-corasick, and nothing else of this program: in a
//! crate of its own, `crate::oomlog::` becomes `crate::`. `tests/it/oom_crate.rs` holds it to that, and to the
//! names below.

pub mod analysis;
mod assembler;
mod base;
mod event;
mod line;
#[cfg(test)]
mod on_paper;
mod record;
mod report;
mod transport;
mod userspace;
pub mod witness;

pub use assembler::OomAssembler;
pub use base::{Monotonic, Pid, ReportKey};
pub use event::OomEvent;
pub use record::{BadRecord, LogRecord, Provenance};
pub use report::mem_info::{FreeBlocks, HugePages, MemoryState, NodeMemory, Slab, Zone};
pub use report::memcg::{MemcgStats, MemcgUse, Usage, UsageKind};
pub use report::raw::RawLines;
pub use report::tasks::{Columns, TaskRow, TaskTable};
pub use report::{Chosen, Constraint, Kill, OomReport, Outcome, Trigger};
pub use transport::TextLog;
pub use userspace::{Killer, UserspaceKill};
