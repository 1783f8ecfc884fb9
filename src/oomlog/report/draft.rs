//! A report while it grows: what each fact adds to it.

use std::sync::Arc;

use crate::oomlog::Monotonic;
use crate::oomlog::Pid;
use crate::oomlog::line::fact::{ChosenLine, CpuLine, Fact, Invoked, KilledLine, UsageKind};
use crate::oomlog::record::LogRecord;
use crate::oomlog::report::memcg::Usage;
use crate::oomlog::report::tasks::{Columns, TaskRow};
use crate::oomlog::{
    Constraint, Kill, OomEvent, OomReport, Outcome, ReportKey, TaskTable, Trigger, line,
};

/// Which block of the report the last line belonged to: bare lines mean different things in them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Section {
    Head,
    Memory,
    Stats,
    Tasks,
    Verdict,
}

/// One report under construction.
#[derive(Debug)]
pub(in crate::oomlog) struct Draft {
    /// What is known so far; shared with whoever received it.
    pub(in crate::oomlog) report: Arc<OomReport>,
    /// Who prints it, where the kernel says so.
    pub(in crate::oomlog) caller: Option<String>,
    /// Stamp of its last line.
    pub(in crate::oomlog) last: Option<Monotonic>,
    /// Not shown yet: it may turn out to be a repeat of an earlier report.
    pub(in crate::oomlog) quiet: bool,
    /// Changed since it was shown last.
    pub(in crate::oomlog) changed: bool,
    /// Its `oom-kill:` line was cut by another message.
    pub(in crate::oomlog) cut: bool,
    /// Lines since the last one that said something.
    idle: u32,
    section: Section,
}

/// After so many lines without a meaning a report is over, its end lost. Stack traces and messages in
/// between are shorter.
const MAX_IDLE: u32 = 1000;

impl Draft {
    /// A report that begins with this record. Without an "invoked" line its head was lost or never
    /// printed.
    pub(in crate::oomlog) fn new(
        key: ReportKey,
        record: &LogRecord,
        head: Option<Invoked>,
    ) -> Self {
        let mut report = OomReport {
            key,
            at: record.at,
            stamp: record.stamp.clone(),
            has_header: head.is_some(),
            ..OomReport::default()
        };
        if let Some(head) = head {
            report.nodemask.clone_from(&head.nodemask);
            report.trigger = Some(Trigger {
                comm: head.comm,
                pid: None,
                gfp_mask: head.gfp_mask,
                gfp_flags: head.gfp_flags,
                order: head.order,
                adj: head.adj,
                legacy_adj: head.legacy_adj,
            });
        }
        Self {
            report: Arc::new(report),
            caller: record.caller.clone(),
            last: record.at,
            quiet: false,
            changed: true,
            cut: false,
            idle: 0,
            section: Section::Head,
        }
    }

    /// Nothing was decided yet: lines may still belong to it.
    pub(in crate::oomlog) fn is_pending(&self) -> bool {
        self.report.outcome == Outcome::Pending
    }

    /// Lines without a meaning of their own may still belong to it.
    pub(in crate::oomlog) fn is_open(&self) -> bool {
        self.is_pending() && self.idle < MAX_IDLE
    }

    /// The report, to be changed. Copies what a receiver still holds.
    pub(in crate::oomlog) fn edit(&mut self) -> &mut OomReport {
        self.changed = true;
        Arc::make_mut(&mut self.report)
    }

    /// The report as it is now, for the receiver.
    pub(in crate::oomlog) fn show(&mut self) -> OomEvent {
        self.quiet = false;
        self.changed = false;
        OomEvent::Report(Arc::clone(&self.report))
    }

    /// Keeps the line as it came.
    pub(in crate::oomlog) fn keep(&mut self, record: &LogRecord, line: &str) {
        self.last = record.at.or(self.last);
        Arc::make_mut(&mut self.edit().raw).push(line);
    }

    /// True if another line at `at` can belong to the same burst of printing.
    pub(in crate::oomlog) fn is_fresh(&self, at: Option<Monotonic>, seconds: u64) -> bool {
        match (self.last, at) {
            // A clock that went back is another boot, or the same log again.
            (Some(last), Some(at)) => {
                at.since(last).as_secs() < seconds && last.since(at).as_secs() < 2
            }
            _ => true,
        }
    }

    /// Takes a line of the report's body; false if it says nothing.
    pub(in crate::oomlog) fn body(&mut self, line: &str, last_columns: &mut Columns) -> bool {
        let said = self.understand(line, last_columns);
        self.idle = if said { 0 } else { self.idle + 1 };
        said
    }

    fn understand(&mut self, line: &str, last_columns: &mut Columns) -> bool {
        if self.section == Section::Stats && self.stats(line) {
            return true;
        }
        if line.trim_start().starts_with('[') && self.row(line, last_columns) {
            return true;
        }
        let Some(fact) = line::read(line::BODY_RULES, line) else {
            return false;
        };
        match fact {
            Fact::Cpu(cpu) => self.cpu(cpu),
            Fact::Cpuset { cpuset, mems } => {
                let report = self.edit();
                report.cpuset.get_or_insert(cpuset);
                report.mems_allowed.get_or_insert(mems);
            }
            Fact::LimitOf { task, limit } => {
                let report = self.edit();
                report.constraint = Some(Constraint::Memcg);
                report.oom_memcg = Some(limit);
                report.task_memcg = task.or(report.task_memcg.take());
            }
            Fact::Usage {
                kind,
                usage_kb,
                limit_kb,
                failcnt,
            } => self.usage(Usage {
                kind,
                usage_kb,
                limit_kb,
                failcnt,
            }),
            Fact::StatsHead { path, pairs } => self.stats_head(path, pairs),
            Fact::MemInfo => self.section = Section::Memory,
            // Much of what is printed looks like these: they count only where they belong.
            Fact::Memory(line) if self.section == Section::Memory => {
                Arc::make_mut(self.edit().memory.get_or_insert_default()).take(line);
            }
            Fact::TableHead(columns) => {
                self.section = Section::Tasks;
                last_columns.clone_from(&columns);
                let table = self.table();
                if table.rows.is_empty() {
                    table.columns = columns;
                }
            }
            _ => return false,
        }
        true
    }

    fn table(&mut self) -> &mut TaskTable {
        Arc::make_mut(self.edit().tasks.get_or_insert_default())
    }

    fn row(&mut self, line: &str, last_columns: &Columns) -> bool {
        let known = self.report.tasks.as_ref().map(|table| &table.columns);
        let known = known.filter(|columns| !columns.0.is_empty());
        let known_header = known.is_some();
        let row = match known {
            Some(columns) => columns.row(line),
            // The header was lost: the same kernel printed the table before, or the parts that all
            // layouts share.
            None if !last_columns.0.is_empty() => last_columns.row(line),
            None => TaskRow::without_header(line),
        };
        // Without a header a row must prove that it is one.
        let row = row.filter(|row| known_header || row.tgid == Some(row.pid));
        let Some(row) = row else {
            return false;
        };
        self.section = Section::Tasks;
        self.table().push(row);
        true
    }

    fn stats(&mut self, line: &str) -> bool {
        let words: Vec<&str> = line.split_whitespace().collect();
        let pairs = words.chunks(2).map(|pair| match pair {
            [key, value] if key.starts_with(|c: char| c.is_ascii_lowercase()) => {
                value.parse().ok().map(|value| ((*key).to_owned(), value))
            }
            _ => None,
        });
        let Some(pairs) = pairs.collect::<Option<Vec<(String, u64)>>>() else {
            return false;
        };
        if pairs.is_empty() {
            return false;
        }
        let memcg = Arc::make_mut(self.edit().memcg.get_or_insert_default());
        for (key, value) in pairs {
            memcg.push_stat(key, value);
        }
        true
    }

    fn stats_head(&mut self, path: Option<String>, pairs: Vec<(String, u64)>) {
        self.section = Section::Stats;
        let report = self.edit();
        report.constraint.get_or_insert(Constraint::Memcg);
        if report.oom_memcg.is_none() {
            // The first set is the one of the cgroup whose limit ran out.
            report.oom_memcg.clone_from(&path);
        }
        let memcg = Arc::make_mut(report.memcg.get_or_insert_default());
        memcg.push_set(path);
        for (key, value) in pairs {
            memcg.push_stat(key, value);
        }
    }

    fn usage(&mut self, usage: Usage) {
        let report = self.edit();
        report.constraint.get_or_insert(Constraint::Memcg);
        let memcg = Arc::make_mut(report.memcg.get_or_insert_default());
        if memcg.usage(usage.kind).is_some() {
            return;
        }
        memcg.usage.push(usage);
        if usage.kind == UsageKind::Memory {
            report.usage_kb = Some(usage.usage_kb);
            report.limit_kb = Some(usage.limit_kb);
        }
    }

    /// The first `CPU:` line about the asker; others come from messages in between.
    fn cpu(&mut self, cpu: CpuLine) {
        let report = self.edit();
        let Some(trigger) = report.trigger.as_mut() else {
            return;
        };
        // The name there is whole even where the first line was broken at a newline in it, or
        // begins with what the log's transport left in front.
        let same = cpu.comm == trigger.comm
            || cpu.comm.ends_with(&format!("\n{}", trigger.comm))
            || trigger.comm.ends_with(&cpu.comm);
        if trigger.pid.is_none() && same {
            trigger.pid = Some(cpu.pid);
            trigger.comm = cpu.comm;
            report.kernel = cpu.kernel;
        }
    }

    /// The `oom-kill:` line.
    pub(in crate::oomlog) fn chosen(&mut self, line: ChosenLine) {
        self.section = Section::Verdict;
        self.cut = !line.whole;
        let report = self.edit();
        report.constraint = Some(match line.constraint.as_str() {
            // 5.2-rc and 5.3-rc print NONE for memory cgroups as well.
            _ if line.constraint == "CONSTRAINT_NONE" && line.oom_memcg.is_some() => {
                Constraint::Memcg
            }
            "CONSTRAINT_NONE" => Constraint::None,
            "CONSTRAINT_MEMCG" => Constraint::Memcg,
            "CONSTRAINT_CPUSET" => Constraint::Cpuset,
            "CONSTRAINT_MEMORY_POLICY" => Constraint::MemoryPolicy,
            _ => Constraint::Other,
        });
        report.constraint_text = Some(line.constraint);
        report.nodemask = line.nodemask.or(report.nodemask.take());
        report.cpuset = line.cpuset.or(report.cpuset.take());
        report.mems_allowed = line.mems_allowed.or(report.mems_allowed.take());
        report.global_oom = line.global_oom;
        report.oom_memcg = line.oom_memcg.or(report.oom_memcg.take());
        report.task_memcg = line.task_memcg.or(report.task_memcg.take());
        if let (Some(pid), Some(comm)) = (line.pid, line.comm) {
            self.choose(pid, comm, line.uid, None);
        }
    }

    /// Whom the kernel chose, from any of the lines that say so.
    pub(in crate::oomlog) fn choose(
        &mut self,
        pid: u32,
        comm: String,
        uid: Option<u32>,
        score: Option<u64>,
    ) {
        let chosen = self.edit().chosen.get_or_insert_default();
        chosen.pid = pid;
        chosen.comm = comm;
        chosen.uid = uid.or(chosen.uid);
        chosen.score = score.or(chosen.score);
    }

    /// The kernel's words in front of "Kill(ed) process".
    pub(in crate::oomlog) fn message(&mut self, message: Option<String>) {
        let report = self.edit();
        if let Some(message) = message {
            if message.to_ascii_lowercase().starts_with("memory cgroup") {
                report.constraint.get_or_insert(Constraint::Memcg);
            }
            report.message.get_or_insert(message);
        }
    }

    /// A "Killed process" line; a pid printed twice counts once.
    pub(in crate::oomlog) fn killed(&mut self, line: KilledLine, at: Option<Monotonic>) {
        self.section = Section::Verdict;
        self.message(line.message);
        let report = self.edit();
        report.outcome = Outcome::Killed;
        if let Some(kill) = report.kills.iter_mut().find(|kill| kill.pid == line.pid) {
            kill.lines += 1;
            return;
        }
        let row = report.tasks.as_ref().and_then(|table| table.row(line.pid));
        let adj = line.adj.or_else(|| row?.adj);
        let group_member = report.oom_group.is_some();
        // A line broken inside the name shows a blank too many; the other lines have it whole.
        let words = |name: &str| name.split_whitespace().collect::<String>();
        let named = report
            .chosen
            .as_ref()
            .filter(|chosen| chosen.pid == line.pid);
        let comm = match named {
            Some(chosen) if words(&chosen.comm) == words(&line.comm) => chosen.comm.clone(),
            _ => line.comm,
        };
        report.kills.push(Kill {
            pid: line.pid,
            comm,
            at,
            uid: line.uid,
            total_vm_kb: line.total_vm_kb,
            anon_rss_kb: line.anon_rss_kb,
            file_rss_kb: line.file_rss_kb,
            shmem_rss_kb: line.shmem_rss_kb,
            pgtables_kb: line.pgtables_kb,
            adj,
            group_member,
            lines: 1,
            reaped: false,
        });
    }

    /// The reaper took the memory of a process.
    pub(in crate::oomlog) fn reaped(&mut self, pid: u32) {
        let report = self.edit();
        if let Some(kill) = report.kills.iter_mut().find(|kill| kill.pid == pid) {
            kill.reaped = true;
        }
        if !report.reaped.contains(&pid) {
            remember(&mut report.reaped, pid);
        }
    }
}

/// Most pids kept of a list beside the dead themselves.
const MAX_PIDS: usize = 4096;

/// Adds to a list of pids. No kill concerns more processes; a forged log could go on for ever.
pub(in crate::oomlog) fn remember(list: &mut Vec<Pid>, pid: Pid) {
    if list.len() < MAX_PIDS {
        list.push(pid);
    }
}
