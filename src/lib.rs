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
//!  floor 3   main ── config ─────────────┐        argv, environment, files -> Mode
//!              └──── runtime ────────────┤        tokio, terminal, threads; performs effects
//!                      │      │          │
//!  floor 2             │   ui, output    │        State -> Buffer; values -> printed text and JSON
//!                      │      │          │
//!  floor 1          linux    app ────────┘        kernel I/O      State and update; pure
//!                      │      │
//!                      │     text                 styled lines, sizes, words, report pages
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
//! performer in [`runtime::effects`] carries them out, each ends in another message. What concerns the loop and
//! its terminal (quit, suspend, redraw) is an [`app::msg::Control`] and no effect. A frame is drawn when the inbox
//! is empty and something changed.
//!
//! # Writes
//!
//! Whoever writes to the kernel makes a [`model::plan::Plan`] of typed steps ([`model::plan::build`]) and asks for
//! it with an id ([`app::msg::Effect::Write`]). An [`model::plan::execute::Executor`] carries it out; a receipt with
//! the same id says for each step what was there before and what is there now. [`model::plan::inverse`] computes
//! from the receipts the plan that takes it back: there is no undo code of one kind of write.
//!
//! # Where to add what
//!
//! * A column of the table: a row in `app/view/processes/columns/list.rs`; a new fact besides: a field of
//!   [`model::process::Process`] and the line that reads it in `linux`.
//! * A term of the filter: a variant in `model/filter.rs` and its arm; a number is a row of its `FIELDS`.
//! * A setting: its field of [`app::settings::Settings`] (or of `Values` in `config/settings/mod.rs`) with the default,
//!   and a row in `config/settings/list.rs`. Flag, variable, key of the configuration file, help and `--print-config`
//!   follow; tests name the row of the README and the sample value that are missing.
//! * A subcommand: a file in `config/commands/` (arguments, and the launch they resolve to) and a row of `Command`
//!   there; the compiler asks for the variant of [`config::Mode`] and for its arm in `main.rs`.
//! * A column of the domains view: a row in `app/view/domains/columns/list.rs`; a new fact of a group: a field of
//!   [`model::cgroup::Cgroup`] and the file it is read from in `linux/cgroup/files.rs`. When a group is read is
//!   decided in `linux/cgroup/schedule.rs`.
//! * A container runtime's paths: `model/cgroup/container.rs` and a row in its test; the compiler asks for its words.
//! * Another question to the journal: a method of `Journalctl` in `linux/log/journal.rs`.
//! * An action: a variant of [`app::input::id::ActionId`] and a row in `app/input/actions/list/`: its default keys,
//!   the scopes it exists in, and what it does in each. Help and footer follow; a test compares the README. Whatever
//!   names a key on the screen asks [`app::input::keymap::Keymap`].
//! * A dialog: a file in `app/dialog/`, a variant of [`app::input::scope::KeyScope`] for its keys, the scope in the
//!   rows of the actions it knows, and an action that opens it. It is data
//!   ([`app::dialog::DialogView`]); one renderer draws them all.
//! * A program that kills before the kernel does: a variant of [`model::killers::Killer`] and its log lines
//!   (`oomlog/userspace/`), a file in `model/killers/` that makes [`model::killers::Rule`]s of its settings,
//!   and in `linux/killers/mod.rs` how it is found and which files are read.
//! * A kernel setting of the settings panel: a field of [`model::vm_settings::VmSettings`], its file in
//!   `linux/host/vm_settings.rs`, a sentence in `app/dialog/settings/values.rs` or `swap.rs`.
//! * A field of the BPF record: the field, its place and the row it becomes in `linux/scan/bpf/record.rs`, the member
//!   of the kernel's structure in `linux/scan/bpf/layout/lookup.rs`, the instructions in `linux/scan/bpf/program.rs`;
//!   `tests/linux/backends.rs` compares it with `/proc`.
//! * A field of the JSON document: `output/json.rs` and the files beside it, unit and meaning of null in its
//!   doc comment; a row of the README if it is at the top. `tests/it/golden.rs` shows the whole document and
//!   asks for a value of the field in one of its machines (`tests/common/whole.rs`).
//! * A piece of advice after an OOM: a variant of [`oomlog::analysis::advice::Advice`] and the cause it follows
//!   from; the compiler asks for its sentence (`text/report/advice.rs`) and for the key of the dashboard that
//!   does it, if there is one (`app/dialog/report.rs`).
//! * A page of a report: a file in `text/report/`; the dialog, `explain` and saved reports show it.
//! * A kernel log format: a row in `oomlog/line/mod.rs` and a fixture; a new fact is a variant of `Verdict` or `Body`
//!   in `oomlog/line/fact.rs`, and the compiler names the places that handle it.
//! * A prefix of log lines: none is needed if the kernel's words follow it in other lines (`oomlog/transport/learn.rs`).
//!   One that tells who wrote the line: a method in `oomlog/transport/prefix/`, which calls `claim`, and its forgery in
//!   `tests/it/trust.rs`.
//! * A packing of log files: a variant of `Kind` in `linux/log/text/mod.rs`.
//! * A command that a user may copy: every name in it goes through [`model::shell::quoted`].
//! * Text of others on an output: [`text::tone::printable`], in JSON [`output::safe_json`].
//! * A way to scan processes: an implementation of [`linux::scan::ProcessScan`].
//! * A limit file of a cgroup: a row in `model/cgroup/limits.rs`, and a field of
//!   [`model::cgroup::Limits`] where it holds something new. Reader, dialogs, plans and undo follow.
//! * A kernel write: a variant of [`model::plan::step::Step`]; the compiler names its executor
//!   (`linux/write/executor.rs`), its inverse, what undo says of it and how a dialog shows it.
//! * Another maker of plans (a subcommand, rules): [`model::plan::build`] and [`model::plan::execute::run_all`] with
//!   a [`linux::write::executor::KernelWriter`]. Another way to write (D-Bus): an implementation of
//!   [`model::plan::execute::Executor`].
//! * What runs without a screen: a file in `runtime/` that opens a [`runtime::headless::Session`] and
//!   reads samples and events from it; its `?` ends it at SIGTERM, SIGINT and closed pipes. One that stays
//!   matches on [`runtime::headless::Session::next`].
//! * A terminal to draw on: a back end of ratatui and a [`runtime::screen::TerminalControl`], given to
//!   [`runtime::screen::Dashboard::run`]. `tests/common/driver.rs` does it for tests: keys in, frames and
//!   files of a fake tree out.
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
pub mod output;
pub mod runtime;
pub mod text;
pub mod ui;
