//! What a line of the body adds to a report.

use std::sync::Arc;

use super::{Draft, Section};
use crate::oomlog::base::CUT;
use crate::oomlog::line::fact::{Body, CpuLine};
use crate::oomlog::report::tasks::Columns;
use crate::oomlog::{Constraint, TaskRow, TaskTable, Trigger, Usage, UsageKind, line};

impl Draft {
    /// Takes a line of the report's body; false if it has no meaning. `last_columns` are those of the log's
    /// last table of tasks.
    pub(crate) fn body(&mut self, line: &str, last_columns: &mut Columns) -> bool {
        let understood = self.understand(line, last_columns);
        self.idle = if understood { 0 } else { self.idle + 1 };
        understood
    }

    fn understand(&mut self, line: &str, last_columns: &mut Columns) -> bool {
        if self.section == Section::Stats && self.stats(line) {
            return true;
        }
        if line.trim_start().starts_with('[') && self.row(line, last_columns) {
            return true;
        }
        let Some(body) = line::body(line) else {
            return self.section == Section::Unknown
                && line::is_stat(line)
                && self.lost_stats(line);
        };
        match body {
            Body::Cpu(cpu) => self.cpu(cpu),
            Body::Cpuset { cpuset, mems } => {
                let report = self.edit();
                report.cpuset.get_or_insert(cpuset);
                report.mems_allowed.get_or_insert(mems);
            }
            Body::LimitOf { task, limit } => {
                let report = self.edit();
                report.constraint = Some(Constraint::Memcg);
                // The rest of a path that was cut is not known.
                report.oom_memcg = Some(limit).filter(|path| !path.ends_with(CUT));
                report.task_memcg = task.or(report.task_memcg.take());
            }
            Body::Usage(usage) => self.usage(usage),
            Body::StatsHead { path, pairs } => self.stats_head(path, pairs),
            Body::MemInfo => self.section = Section::Memory,
            Body::Memory(memory) => {
                // Many other messages look like these lines: they count only inside Mem-Info.
                if !matches!(self.section, Section::Memory | Section::Unknown) {
                    return false;
                }
                self.section = Section::Memory;
                Arc::make_mut(self.edit().memory.get_or_insert_default()).take(memory);
            }
            Body::TableHead(columns) => {
                self.section = Section::Tasks;
                last_columns.clone_from(&columns);
                let table = self.table();
                if table.rows.is_empty() {
                    table.columns = columns;
                }
            }
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
            // The header was lost. The last table of the same log has the same columns; without one, only
            // what all layouts share is read.
            None if !last_columns.0.is_empty() => last_columns.row(line),
            None => TaskRow::without_header(line),
        };
        // Without a header, a line that is no row can look like one: the table lists thread group leaders only.
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

    /// Statistics whose first line is lost: nobody knows of which cgroup.
    fn lost_stats(&mut self, line: &str) -> bool {
        Arc::make_mut(self.edit().memcg.get_or_insert_default()).push_set(None);
        self.section = Section::Stats;
        self.stats(line)
    }

    fn stats_head(&mut self, path: Option<String>, pairs: Vec<(String, u64)>) {
        self.section = Section::Stats;
        let report = self.edit();
        report.constraint.get_or_insert(Constraint::Memcg);
        if report.oom_memcg.is_none() {
            // The first set belongs to the cgroup whose limit ran out.
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

    /// The `CPU:` line. The first one about the asker counts; others belong to messages in between.
    fn cpu(&mut self, cpu: CpuLine) {
        let lost_head = self.section == Section::Unknown && self.report.trigger.is_none();
        let report = self.edit();
        if lost_head {
            report.kernel = cpu.kernel;
            report.trigger = Some(Trigger {
                comm: cpu.comm,
                pid: Some(cpu.pid),
                ..Trigger::default()
            });
            return;
        }
        let Some(trigger) = report.trigger.as_mut() else {
            return;
        };
        // This line has the whole name. The first line may have lost its part before a newline, or may have
        // something of the transport in front.
        let same = cpu.comm == trigger.comm
            || cpu.comm.ends_with(&format!("\n{}", trigger.comm))
            || trigger.comm.ends_with(&cpu.comm);
        if trigger.pid.is_none() && same {
            trigger.pid = Some(cpu.pid);
            trigger.comm = cpu.comm;
            report.kernel = cpu.kernel;
        }
    }
}
