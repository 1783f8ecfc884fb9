//! oomtop: a terminal dashboard for Linux out-of-memory work.
//!
//! Is an OOM coming? Who dies first? How do I save this process? What just died, and why? How do I limit
//! the culprit? One loop answers: rank, act, watch the kernel.
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
//!                      │   recording              samples and events as bytes, and back; pure, for `runtime` alone
//!                      │      │
//!  floor 0           model ───┘                   values and rules; pure
//!                      │
//!                   oomlog                        the kernel log parser; pure, of nothing else of ours
//! ```
//!
//! `app` and `linux` do not know each other: they meet only in [`runtime`], through [`model`] values.
//! `tests/it/architecture` checks who may import whom, what a pure floor may not name, that only parent and child
//! modules import each other, and that files stay below 400 lines with a median below 150.
//!
//! # The loop
//!
//! Keys, ticks, samples, log events and receipts are [`app::msg::Msg`]s. [`app::update::update`] changes the
//! [`app::State`] and returns [`app::msg::Effect`]s: plain values that a test can compare. Only the
//! performer in [`runtime::effects`] carries them out; each answers with another message. Orders to the loop and
//! its terminal (quit, suspend, redraw) are an [`app::msg::Control`], not an effect. The loop draws a frame when
//! the inbox is empty and something changed.
//!
//! # Writes
//!
//! Every write is a [`model::plan::Plan`] of typed steps ([`model::plan::build`]), requested with an id
//! ([`app::msg::Effect::Write`]). An [`model::plan::execute::Executor`] carries the plan out; a receipt with the
//! same id gives each step's value before and after. [`model::plan::inverse`] computes the undo plan from the
//! receipts, so no kind of write needs undo code of its own.
//!
//! A plan is done whole or not at all ([`model::plan::execute::run`]): a step that fails takes the steps before it
//! back, and the receipt names what stayed. An undo carries what it expects to find and asks if that has changed.
//! A path means the group that was seen: dialogs hold theirs from the moment they open, receipts name those that were
//! written to, and another group that has the path by then is not written to (`linux/write/cgroup/bonds.rs`). Rules mean
//! the path, and steps of systemd the unit.
//! Writes have a thread of their own, made at the start, and kills another, which waits for no systemd; a write whose
//! dialog was closed is not begun.
//!
//! What is a unit's is written by its systemd ([`model::plan::step::UnitStep`], `linux/systemd/`): limits of the running
//! unit over D-Bus, what is only read from files by a drop-in. An answer of systemd is waited for 2 s, by
//! `oomtop run` 10 s, by a dialog, that of an undo too, 25 s or until it is closed ([`linux::patience`]). Their undo removes what they left in
//! files. A process of systemd's tree is moved into a scope that systemd starts. systemd writes all
//! files of a unit's group at once: what somebody had written past it is put back, and where that would come too late,
//! systemd is not asked (`linux/write/unit/limit.rs`).
//!
//! With `--audit FILE` the executor is wrapped in one that logs ([`output::audit`]): what is about to be written is on
//! disk before the first step, each step after it, and a write whose beginning cannot be logged is not made. Once a line
//! is lost no further step is done. The log has a thread of its own: a disk that does not answer holds up a write for
//! two seconds.
//!
//! While a plan makes a group a note tells of it (`linux/runs/notes/unfinished.rs`): a `kill -9` meanwhile leaves none that the
//! next start does not name. Where a right is missing, the dialog also says what is allowed (`app/dialog/instead.rs`).
//!
//! Two files are replaced as a whole or not at all (`linux/write/whole.rs`): that of rules that oomtop makes, where a rule is
//! added at the end and taken out again (`linux/write/rules.rs`), and the user's configuration file, which the settings
//! dialog writes after it has shown the change (`config/own_file/`). Root replaces none where another user can change what
//! is on the way.
//!
//! # What oomtop keeps
//!
//! Who looks at a machine without memory must not need much. Every store has a bound; a new one needs its bound in
//! this table and a test.
//!
//! | store | most | what happens then |
//! |-------|------|-------------------|
//! | memory in reserve (`linux/host/allocator.rs`) | 4 MiB for the log, 1 MiB each for its lines and for samples, 0.5 MiB for frames, where 128 MiB are free | allocations take pages from the kernel again |
//! | rows of events (`app/view/events/keep.rs`) | 2000 entries, 4 MiB, less in a small cgroup | the oldest goes; its kills still count |
//! | tables, memory states and lines of reports (the same file) | the same, or the newest report | the oldest keeps its row and says that they are gone |
//! | one report (`oomlog/report/`) | 1.5 MiB of lines, 32 768 tasks, 32 768 kills | what is left out is counted |
//! | what a reader of text logs holds (`oomlog/transport/`): an entry of several lines, lines whose prefix is not known, one line | 1 MiB, 8 lines or 1 MiB, 8 MiB | the entry is forgotten, lines go on as they are, the rest of a line is dropped |
//! | open reports and late lines (`oomlog/assembler/`) | 8 reports, 16 kills by programs | the oldest finished one takes no more lines |
//! | events on the way to the loop (`runtime/screen/dashboard.rs`) | 64, or 2 of more than 64 kB | the reader of the log waits |
//! | times of kills of earlier logs (`runtime/explain/twice.rs`) | 200 000 | a kill that a later log has too counts again |
//! | records on the way to the assembler (`runtime/headless/log/`) | 256 records | the reader of the log waits |
//! | a line of the log (`linux/log/`) | 256 kB of a file, 1 MiB of the journal | it is split, or dropped and counted |
//! | kills by domain (`app/view/domains/kills.rs`) | 64 reports of a minute | the oldest goes |
//! | writes that can be undone (`app/undo/`) | 1000 writes, 16 384 steps | the oldest cannot be undone any more |
//! | the history of writes (`app/undo/history.rs`) | 1000 writes, 16 384 steps | the oldest are forgotten and counted; `--audit` keeps them |
//! | what was frozen (`app/frozen/`) | 1024 processes and groups | more are not stopped one by one |
//! | collapsed and tagged processes (`app/view/processes/table.rs`) | those of the last sample | an ended process is forgotten |
//! | requests for the user's configuration file (`app/update/file_requests.rs`) | one read, one that waits for it, one write | a newer read takes the place of the one that waits, a second write is refused |
//! | unbound keys that were told about (`app/update/key.rs`) | 64 | no more is said of others |
//! | trends (`app/view/gauge/trend.rs`) | a fixed number of points | the oldest goes |
//! | readings for the graphs (`app/view/gauge/mod.rs`, of each domain `app/view/domains/past.rs`) | 240, 8 of each domain | the oldest goes |
//! | per process (`linux/scan/history.rs`, `linux/scan/proc/`) | the processes of the last sample | an ended process is forgotten |
//! | per group (`linux/cgroup/table.rs`, `app/view/domains/`) | the groups of the last sample | a group that is gone is forgotten |
//! | records of groups (`linux/scan/bpf/groups/`) | two of each group, 192 bytes, and room for as many again | what has no room is read by files |
//! | snapshots (`linux/snapshot_pool.rs`) | 3, and the 2 of the screen | buffers are used again |
//! | the ledger (`linux/ledger/`) | 512 mounts, 4096 segments, 64 open files, 16 slab caches | the smallest are left out |
//! | real-time priority while memory is short (`linux/urgent.rs`) | 16 threads; half a second without a wait (`RLIMIT_RTTIME`); 10 seconds after the last sign | all threads are as others for 15 seconds |
//! | where all threads were before a move (`linux/write/cgroup/homes.rs`) | one look, 4 bytes of each thread, 20 000 groups, and the moves of the 100 ms after it | the next move reads anew; who is in other groups is not moved back |
//! | readings of domains that may be stuck (`model/oom_domain/stuck.rs`) | 5 seconds of each, 16 readings | the oldest goes |
//! | units and PID namespaces of those who die first (`linux/blast/`) | 4096 units, 5 threads, 256 namespaces of the processes of the last sample | units are read again, more namespaces are left out |
//! | how the process of the details was started (`linux/scan/launch.rs`) | 512 arguments, 128 kB, known variables | more is not looked at |
//! | users (`linux/host/users.rs`) | 4096 uids | the screen shows the number |
//! | SIGKILLs and their senders (`model/sigkills.rs`) | 512 | the oldest goes |
//! | kills by tracepoint (`linux/scan/bpf/kills/`) | a ring of 256 kB in the kernel, 1024 victims of a minute | what has no room is counted; the kernel's counters have it |
//! | processes whose details were shown (`app/view/gone.rs`) | 16 | the oldest goes |
//! | victims that samples still show (`app/view/killed.rs`) | 1024, for a minute | others are passed over once the kernel shows it |
//! | facts of `why` (`runtime/why/gather.rs`) | 32 768 facts, 64 reports that grow | the oldest goes and is counted |
//! | processes under rules (`model/rules/census.rs`, `runtime/protect/guard.rs`) | three times those of the last look, and 8192 | all are looked at, those that ended before the look in between are forgotten |
//! | moves into groups of rules (`runtime/protect/move_tries.rs`) | the processes of the last look that a rule moves | an ended process is forgotten |
//! | starts on the way to the rules (`runtime/protect/inbox.rs`) | 8 batches of 512, 256 kB or 2 MiB in the kernel | the kernel says that some were lost, all processes are looked at |
//! | processes of a command under watch (`model/run/growth.rs`) | 4096 | the smallest that has ended is forgotten and counted |
//! | reports of kills in its group (`runtime/load_test/deaths.rs`) | 1024 | the oldest goes, the counter has its kills |
//! | its output while the dashboard is shown (`runtime/load_test/output.rs`) | 64 KiB | the oldest bytes go and are counted |
//! | rules (`config/rules/`) | 1024 rules, 256 files of 64 KiB | an error |
//! | whom rules hold (`model/rules/book.rs`), while a dialog shows it | 4096 processes of each rule | more are counted |
//! | groups whose events are followed (`linux/wake/groups.rs`) | 16 | the others show at the next sample |
//! | domains, processes and rules on a page of metrics (`output/metrics/`) | 128, 20 and 64 | others are counted |
//! | connections of `oomtop metrics` (`runtime/metrics/server.rs`) | 64, heads of 8 kB | the one that has waited longest is closed |
//! | events for the hook of `oomtop watch`, lines for who reads them (`runtime/watch/`) | 64, 1024 | more are counted |
//! | an answer of Prometheus (`runtime/fleet/client.rs`) | 32 MiB, 8 seconds | a sentence, the last answer stays |
//! | a file of certificates for it (`runtime/fleet/tls/`) | 4 MiB | the rest is not read |
//! | commands of a fleet that are stopped (`runtime/fleet/`) | 8 | more are not begun |
//! | hosts and domains of a fleet (`model/fleet/`) | 5000, 16 of each host | more are counted, the calm ones go |
//! | what waits for the recording (`runtime/record/pending.rs`) | 64 events, 1 MiB of reports | it is written at once |
//! | the last minutes beside the screen, with `--record-kills` (`recording/ring.rs`, `runtime/record/keeper.rs`) | 2 MiB and one sample; 32 messages on the way | the oldest minute goes; a message is left out |
//! | a recording on the disk (`runtime/record/parts.rs`) | `--max` | the oldest part is removed |
//! | a frame of a recording (`recording/frame.rs`) | 16 MiB, 64 MiB unpacked, 1 048 576 frames | it is left out and counted; the file is refused |
//! | descriptors, threads (`runtime/screen/`) | 69 files, 9 threads, one more with `--record-kills`, and the helpers for blocked reads | refused at the start |
//!
//! `tests/tty/bounded.rs` looks at all of them together, for half an hour if asked
//! (`OOMTOP_TEST_MINUTES=30`): private memory stays below 14 MiB, and 3 kB for each process of the machine.
//!
//! # Where to add what
//!
//! * A column of the table: a constant in `app/view/processes/columns/` (cell, value for CSV, when it folds) and its place
//!   in `app/view/processes/columns/list.rs`. A new fact also needs a field of
//!   [`model::process::Process`] and the line in `linux` that reads the fact.
//! * A key of a rule: a variant of [`model::rules::condition::Fact`]; the compiler asks for its key, its comparison and
//!   its words. The fact itself is a field of [`model::rules::subject::Subject`], read in `linux/subjects.rs`; what a rule
//!   gives is read in `config/rules/entry.rs`, its group is [`model::rules::rule_group`]. The manual has a row for each.
//! * A field of what is recorded: its place in `recording/schema/` (the compiler asks for it), and another
//!   [`recording::VERSION`] (a test asks for it). Something else that the screen takes in: a variant of [`recording::Item`].
//! * What a rule that is made of a process can match: `model/rules/draft.rs`. Something that the rules view or the rule dialog
//!   shows: a field of [`model::rules::book::RuleBook`].
//! * A way to notice processes that start: a source in `linux/starts/`.
//! * A term of the filter (`model/filter/`): with a key, a variant of `Test` and of `Key`, their arms and a row of `KEYS`; a number
//!   that compares, a variant of `Field`, its arms and a row of `FIELDS`. The help lists the fields; a test asks help
//!   and manual for every key and field.
//! * A setting: its field of [`app::settings::Settings`] (or of `Values` in `config/settings/mod.rs`) with the default,
//!   and a row in `config/settings/list.rs`. Flag, variable, key of the configuration file, help and `--print config`
//!   follow; tests name the row of the manual and the sample value that are missing.
//! * A setting that can change while the screen is shown: also a row of [`app::settings::live::LIVE`], and what
//!   `app/update/configure.rs` does with it.
//! * A theme: a file in `assets/themes/` and its row in `config/themes/mod.rs`; tests look at contrast and at every depth. What
//!   themes give a look: a variant of [`ui::theme::Role`] and its line in each file.
//! * A preset of keys: a variant of [`app::input::presets::Preset`] and a table beside it, of what differs from the rows of actions.
//! * Something to `--print`: a variant of `Printed` in `config/print/mod.rs` and a file there.
//! * A subcommand: a file in `config/commands/` (arguments, and the launch they resolve to) and a row of `Command`
//!   there; the compiler asks for the variant of [`config::Mode`] and for its arm in `main.rs`, a test for a sentence of
//!   the manual (`assets/manual.md`).
//! * A metric: a family in `output/metrics/`; alerts, dashboard and the queries of `model/fleet/ask.rs` name it.
//! * An event of `oomtop watch`: a variant of [`app::lookout::News`]; the compiler asks for its sentence and its facts
//!   (`output/watch.rs`).
//! * A column of the domains view: a row in `app/view/domains/columns/list.rs`. A new fact of a group also needs a
//!   field of [`model::cgroup::Cgroup`] and its file in `linux/cgroup/files.rs`. `linux/cgroup/schedule.rs` decides
//!   how often a group is read.
//! * A number that the kernel counts for each group: its field of `Counted` in `linux/cgroup/counted.rs`, the member in
//!   `linux/scan/bpf/groups/layout.rs`; `tests/linux/counted.rs` compares it with the file.
//! * A container runtime's paths: `model/cgroup/container.rs` and a row in its test; the compiler asks for the
//!   words that name the runtime.
//! * A runtime that bounds its heap: a file in `model/heap/` with its options, a variant of [`model::heap::Runtime`] and
//!   its word in `app/dialog/details/heap.rs`; its variables in `VARIABLES` there, or they are not read.
//! * Another question to the journal: a method of `Journalctl` in `linux/log/journal.rs`.
//! * An action: a variant of [`app::input::id::ActionId`] and a row in `app/input/actions/list/`: its default keys,
//!   the scopes it exists in, and what it does in each. Help and footer follow; a test compares the manual, and
//!   `tests/tty/every_key/` asks what its keys show. Text on
//!   the screen takes the names of keys from [`app::input::keymap::Keymap`].
//! * A dialog: a file in `app/dialog/`, a variant of [`app::input::scope::KeyScope`] for its keys, that scope in the
//!   rows of the actions the dialog knows, and an action that opens it. A dialog is data
//!   ([`app::dialog::DialogView`]); one renderer draws all dialogs.
//! * A program that kills before the kernel does: a variant of [`model::killers::Killer`], its name and its place in
//!   `Killer::ALL` (sentences that name all programs follow), its log lines (`oomlog/userspace/`), a file in `model/killers/` that turns its settings into [`model::killers::Rule`]s,
//!   and in `linux/killers/mod.rs` how to find the program and which files to read.
//! * Which units of systemd are around a group: `oomlog/witness/units.rs` alone decides that.
//! * A kernel setting of the settings panel: a field of [`model::vm_settings::VmSettings`], its file in
//!   `linux/host/vm_settings.rs`, a sentence in `app/dialog/settings/values.rs` or `app/dialog/settings/swap.rs`.
//! * A field of the BPF record: the field, its offset and its target in `Process` in `linux/scan/bpf/record.rs`, the
//!   member of the kernel's structure in `linux/scan/bpf/layout/lookup.rs`, the instructions in
//!   `linux/scan/bpf/program.rs`; `tests/linux/backends.rs` compares the field with `/proc`.
//! * A fact that a tracepoint tells of a victim: the field of `Record` and its place in `linux/scan/bpf/kills/record.rs`,
//!   the member in `linux/scan/bpf/kills/layout.rs`, the instructions in `linux/scan/bpf/kills/program.rs`, the field of
//!   [`model::traced::TracedKill`] and its line in `text/traced.rs`; `tests/vm/mark_victim.py` looks at it on each kernel.
//! * A field of the JSON document: `output/json.rs` and the files beside it, with its unit and the meaning of null
//!   in the doc comment; a top-level field also needs a row of the manual. `tests/it/golden.rs` shows the whole
//!   document and asks for a value of the field on one of the machines in `tests/common/whole.rs`.
//! * A piece of advice after an OOM: a variant of [`oomlog::analysis::advice::Advice`] and the cause that calls for
//!   it; the compiler asks for the sentence (`text/report/advice.rs`) and for the dashboard key that takes the
//!   step, if there is one (`app/dialog/report.rs`).
//! * A record that tells how somebody ended: its reader in `oomlog/witness/`, a variant of [`oomlog::witness::Says`]
//!   (the compiler asks whether it is deadly); a cause of death, a variant of
//!   [`oomlog::analysis::death::Cause`] with its sentence in `text/death.rs`.
//! * What a request for memory was for: a row of function names in `oomlog/analysis/purpose.rs`.
//! * A kind of memory in the ledger: a variant of [`oomlog::analysis::ledger::Kind`]; the compiler asks for what frees
//!   it and for its words (`text/ledger.rs`). Its counter goes into `HostCounts` or `GroupCounts` beside it, which count
//!   each page once, and for a live host into `linux/ledger/`.
//! * A reason to end with a victim: a variant of [`model::blast::Along`], what leads to it in `Spread::follow` there, and
//!   its words in `app/dialog/blast.rs`; `tests/vm/blast.py` compares who was announced with who ended.
//! * Something else that the kernel tells by itself: a descriptor in `linux/wake/`, a variant of [`model::wake::Wake`]
//!   and its field of [`model::wake::WakeSources`]; the settings panel says whether it is there
//!   (`app/dialog/settings/wakes.rs`), `app/update/early.rs` how often it makes a sample.
//! * A thread between the kernel's news and the screen: it joins [`linux::urgent::OWN`] at its start, so that it runs
//!   before all others while memory is short; its name goes into `tests/linux/urgent.rs`. One that may run long without
//!   a wait (a write, a survey) does not join. Another sign that memory is short: `memory_is_short` there.
//! * A way to be stuck: a variant of [`model::oom_domain::stuck::Stuck`] and its signs there; the compiler asks for its
//!   words. A line that must not be overlooked: `app/view/domains/alarm.rs`.
//! * What a report comes down to: [`oomlog::analysis::verdict::Verdict`]. Headline, cause and advice only find words for
//!   it; `tests/it/oom_consistency.rs` compares them over every log at hand.
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
//!   [`model::cgroup::Limits`] if the file holds a new kind of limit. Reader, dialogs, plans and undo follow; a test
//!   keeps every other text from spelling a file's name.
//! * A kernel write: a variant of [`model::plan::step::Step`], or of [`model::plan::step::CgroupStep`]. The compiler
//!   names the executor (`linux/write/executor.rs`; for a group `linux/write/cgroup.rs`, with its errors in
//!   `linux/write/errors.rs`), the inverse (`model/plan/inverse.rs`), the words of undo (`app/undo/changes.rs`, and for
//!   a new field there `app/undo/words.rs`), the lines of a dialog (`app/dialog/cgroup/steps.rs`), and the kernel that
//!   tests write to (`tests/common/paper_kernel.rs`).
//! * A remedy of the incident dialog: a variant of `Remedy` in `app/dialog/incident/remedy.rs`; the compiler asks for
//!   its letter, its plan and its words, `app/dialog/incident/offer.rs` decides where it is listed. What of it stands
//!   still until it is taken back is noted in `app/frozen/taking.rs`.
//! * Another maker of plans (a subcommand, rules): [`model::plan::build`] and [`model::plan::execute::run_all`] with
//!   a [`linux::write::executor::KernelWriter`]. Another way to write: an implementation of
//!   [`model::plan::execute::Executor`].
//! * A property of a running unit: the column `systemd` of `model/cgroup/limits.rs`, where a limit file shows it; any other a
//!   method of `Connected` in `linux/systemd/manager.rs`. What a service takes only at its start: a variant of
//!   [`model::systemd::drop_in::Setting`].
//! * A setting of systemd-oomd for a unit: a variant of [`model::systemd::oomd::OomdSetting`]; dialog, plan and undo follow.
//! * A command without a screen: a file in `runtime/` that opens a [`runtime::headless::Session`] and reads
//!   samples and events from the session; `?` ends the command at SIGTERM, SIGINT and closed pipes. A resident
//!   command matches on [`runtime::headless::Session::next`].
//! * A number of the report of `oomtop run`: a field of [`model::run::report::RunReport`], its reading in
//!   `linux/runs/watcher.rs`, its words in `text/run.rs`, its field in `output/run.rs`. Another place for the group of a
//!   command (a scope of systemd): a variant of [`model::run::place::Place`] and its steps there.
//! * A terminal to draw on: a back end of ratatui and a [`runtime::screen::TerminalControl`], given to
//!   [`runtime::screen::Dashboard::run`]. `tests/common/driver.rs` is an example: keys in, frames and files of a
//!   fake tree out.
//!
//! # Where to add a test
//!
//! * By what the test needs: `tests/it` nothing, `tests/linux` a fake root or processes of its own, `tests/kernel`
//!   root and cgroups, `tests/tty` a pseudo terminal, `tests/kills` long series of kills. `tests/vm` are scenarios for
//!   other kernels, `tests/fuzz` the targets of the fuzzer, `tests/bench` the measurements. Unit tests stand beside the
//!   code; `model/on_paper.rs` and `oomlog/on_paper.rs` build values for them.
//! * A test waits for a condition (`common::patience`), never for a time. A test that looks at the whole machine
//!   calls `patience::alone` first; a test that starts processes calls `patience::beside`.
//! * `tests/common` holds what several of them use, `tests/fixtures` the logs.
//! * A frame snapshot shows only the subject of the test: `common::styled::dialog` cuts a dialog out. A new style
//!   is one row of `common::styled::LOOKS`.
//!
//! # Safety of writes
//!
//! A pid alone never names a target: pids are reused, so a target is a [`model::process::ProcessId`], pid and
//! start time. Writers open the process's directory (or a pidfd) first, compare the start time through that
//! descriptor, write through it and read back. A dialog keeps the target it was opened on and shows what it would
//! write; one key undoes a write.
//!
//! What oomtop or its terminal hangs from is never frozen, and not killed with its group
//! ([`model::incident::spared`]): the dialog does not offer it, and the writer looks again.

pub mod app;
pub mod config;
pub mod linux;
pub mod model;
pub mod oomlog;
pub mod output;
pub mod recording;
pub mod runtime;
pub mod text;
pub mod ui;
