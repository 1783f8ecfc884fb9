//! oomtop: a terminal dashboard for Linux out-of-memory work.
//!
//! Is an OOM coming, who dies first, how do I save this process, what just died and why, how do I fence
//! it in? One loop answers: rank, act, watch the kernel.
//!
//! # The floors
//!
//! Functional core, imperative shell: state, message, update, view, with the effects made explicit.
//!
//! ```text
//!  floor 3   main ── config ─────────────┐        argv, environment -> Launch
//!              └──── runtime ────────────┤        tokio, terminal, threads; performs effects
//!                      │      │          │
//!  floor 2             │      ui         │        State -> Buffer
//!                      │      │          │
//!  floor 1          linux    app ────────┘        kernel I/O      State and update; pure
//!                      │      │
//!                      │     text                 styled lines, sizes, words
//!                      │      │
//!  floor 0           model ───┘                   values and rules; pure
//!                      │
//!                   oomlog                        the kernel log parser; pure, of nothing else of ours
//! ```
//!
//! `app` and `linux` do not know each other: they meet only in [`runtime`], through [`model`] values.
//! `tests/it/architecture` enforces who may import whom, what a pure floor may not name, that no two files need
//! each other but parent and child, and that no file is longer than 400 lines, their median 150.
//!
//! # The loop
//!
//! Keys, ticks, samples, log events and receipts are [`app::msg::Msg`]s. [`app::update::update`] changes the
//! [`app::State`] and returns [`app::msg::Effect`]s: plain values that a test can compare. Only the
//! performer in [`runtime`] carries them out, each ends in another message. A frame is drawn when the inbox
//! is empty and something changed.
//!
//! # Where to add what
//!
//! * A column of the table: a row in `app/view/processes/columns/list.rs`; a new fact besides: a field of
//!   [`model::process::Process`] and the line that reads it in `linux`.
//! * A column of the domains view: a row in `app/view/domains/columns/list.rs`; a new fact of a group: a field of
//!   [`model::cgroup::Cgroup`] and the file it is read from in `linux/cgroup/files.rs`. When a group is read is
//!   decided in `linux/cgroup/schedule.rs`.
//! * A container runtime's paths: `model/cgroup/container.rs` and a row in its test.
//! * A key or action: a row in `app/input/actions/list.rs`. Help and footer follow; a test compares the README.
//! * A dialog: a file in `app/dialog/` and an action that opens it. It is data
//!   ([`app::dialog::DialogView`]); one renderer draws them all.
//! * A program that kills before the kernel does: a variant of [`model::killers::Killer`] and its log lines
//!   (`oomlog/userspace/`), a file in `model/killers/` that makes [`model::killers::Rule`]s of its settings,
//!   and in `linux/killers/mod.rs` how it is found and which files are read.
//! * A kernel setting of the settings panel: a field of [`model::vm_settings::VmSettings`], its file in
//!   `linux/host/vm_settings.rs`, a sentence in `app/dialog/settings/values.rs` or `swap.rs`.
//! * A field of the BPF record: the field, its place and the row it becomes in `linux/scan/bpf/record.rs`, the member
//!   of the kernel's structure in `linux/scan/bpf/layout.rs`, the instructions in `linux/scan/bpf/program.rs`;
//!   `tests/linux/backends.rs` compares it with `/proc`.
//! * A field of the JSON document: `app/document.rs` and the files beside it, unit and meaning of null in its
//!   doc comment; a row of the README if it is at the top.
//! * A kernel log format: a row in `oomlog/line/` and a fixture.
//! * A way to scan processes: an implementation of [`linux::scan::ProcessScan`].
//! * A kernel write: a variant of [`app::msg::Effect`], a function in `linux`, an arm in `runtime/effects.rs`.
//!
//! # Where to add a test
//!
//! * By what it needs: `tests/it` nothing, `tests/linux` a fake root or own processes, `tests/kernel` root and
//!   cgroups, `tests/tty` a pseudo terminal, `tests/kills` long series of kills; unit tests beside the code, with
//!   `model/on_paper.rs` and `oomlog/on_paper.rs` for values.
//! * It waits for a condition (`common::patience`), never for a time. What looks at the whole machine calls
//!   `patience::alone` first; what starts processes itself calls `patience::beside`.
//! * A frame is a snapshot of what the test is about: `common::styled::dialog` cuts a dialog out. A new style is
//!   one row of `common::styled::LOOKS`.
//!
//! # Safety of writes
//!
//! Nothing is ever bound to a pid alone: a target is a [`model::process::ProcessId`], pid and start time.
//! Writers open the process's directory (or its pidfd) first, compare the start time through it, write
//! through it and read back. A dialog is pinned when it opens and shows what it would write; every write can
//! be undone with one key.

pub mod app;
pub mod config;
pub mod linux;
pub mod model;
pub mod oomlog;
pub mod runtime;
pub mod text;
pub mod ui;
