//! What a verdict adds to a report.

use super::{Draft, Guess, Section, remember};
use crate::oomlog::line::fact::{ChosenLine, Invoked, KilledLine, Verdict};
use crate::oomlog::{Constraint, Kill, LogRecord, Outcome, Pid, Trigger};

impl Draft {
    /// Takes the verdict of `text`, a line of `record`.
    pub(crate) fn decide(&mut self, verdict: Verdict, record: &LogRecord, text: &str) {
        self.has_just_chosen = matches!(verdict, Verdict::Chosen(_) | Verdict::ChosenTail { .. });
        match verdict {
            Verdict::Invoked(head) => self.invoked(head),
            Verdict::Chosen(line) => self.chosen(line),
            Verdict::ChosenTail { comm, pid, uid } => {
                self.cut = false;
                self.choose(pid, comm, Some(uid), None);
            }
            Verdict::Selected {
                message,
                pid,
                comm,
                score,
            } => {
                self.message(Some(message));
                self.choose(pid, comm, None, Some(score));
            }
            Verdict::Killed(line) => self.killed(line, record, text),
            Verdict::SameMemory { pid, comm } if self.report.kills.is_empty() => {
                // The log has lost the line about the victim itself: no other line tells of a death.
                let line = KilledLine {
                    pid,
                    comm,
                    ..KilledLine::default()
                };
                self.killed(line, record, text);
            }
            Verdict::SameMemory { pid, .. } => remember(&mut self.edit().shared_memory, pid),
            Verdict::AlreadyExiting { pid } => remember(&mut self.edit().already_exiting, pid),
            Verdict::Reaped { pid } => self.reaped(pid),
            Verdict::GroupKill { path } => {
                let report = self.edit();
                report.constraint.get_or_insert(Constraint::Memcg);
                report.oom_group = Some(path);
            }
            Verdict::NobodyKillable => {
                let report = self.edit();
                report.outcome = Outcome::NobodyKillable;
                report.nobody_killable = true;
            }
            Verdict::Panic { text } => {
                let report = self.edit();
                report.outcome = Outcome::Panic;
                report.panic = Some(text);
            }
            Verdict::Ignored => self.edit().outcome = Outcome::Ignored,
        }
    }

    /// The first line. Without it the head of the report was lost or never printed.
    fn invoked(&mut self, head: Invoked) {
        let report = self.edit();
        report.has_header = true;
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

    /// The `oom-kill:` line.
    fn chosen(&mut self, line: ChosenLine) {
        self.section = Section::Verdict;
        self.cut = !line.whole;
        let report = self.edit();
        report.constraint = match line.constraint.as_str() {
            "" => report.constraint,
            // 5.2-rc and 5.3-rc print NONE for memory cgroups too.
            "CONSTRAINT_NONE" if line.oom_memcg.is_some() => Some(Constraint::Memcg),
            "CONSTRAINT_NONE" => Some(Constraint::None),
            "CONSTRAINT_MEMCG" => Some(Constraint::Memcg),
            "CONSTRAINT_CPUSET" => Some(Constraint::Cpuset),
            "CONSTRAINT_MEMORY_POLICY" => Some(Constraint::MemoryPolicy),
            _ => Some(Constraint::Other),
        };
        if !line.constraint.is_empty() {
            report.constraint_text = Some(line.constraint);
        }
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

    /// The process that the kernel chose. Several lines name it.
    fn choose(&mut self, pid: Pid, comm: String, uid: Option<u32>, score: Option<u64>) {
        let chosen = self.edit().chosen.get_or_insert_default();
        chosen.pid = pid;
        chosen.comm = comm;
        chosen.uid = uid.or(chosen.uid);
        chosen.score = score.or(chosen.score);
    }

    /// The kernel's words in front of "Kill(ed) process".
    fn message(&mut self, message: Option<String>) {
        let report = self.edit();
        if let Some(message) = message {
            if message.to_ascii_lowercase().starts_with("memory cgroup") {
                report.constraint.get_or_insert(Constraint::Memcg);
            }
            report.message.get_or_insert(message);
        }
    }

    /// A "Killed process" line. A kill that is printed twice counts once.
    fn killed(&mut self, line: KilledLine, record: &LogRecord, text: &str) {
        self.section = Section::Verdict;
        if self.is_refuted_by(line.pid) {
            self.refute();
        }
        self.message(line.message.clone());
        let report = self.edit();
        report.outcome = Outcome::Killed;
        let mut pid = report.process_of(line.pid);
        // A second victim is one of a group, named or not.
        let group = report.oom_group.is_some()
            || report
                .kills
                .iter()
                .any(|kill| kill.pid != pid && kill.thread != Some(pid));
        let mut same = report.kills.iter_mut().filter(|kill| kill.pid == pid);
        if let Some(kill) = same.find(|kill| is_printed_again(kill, &line, group)) {
            kill.lines += 1;
            return;
        }
        if report.kills.iter().any(|kill| kill.pid == pid) {
            // Another kill has this pid. Two kills are never one.
            pid = line.pid;
        }
        let row = report.tasks.as_ref().and_then(|table| table.row(line.pid));
        let is_guess = pid != line.pid && row.is_none();
        let adj = line.adj.or_else(|| row?.adj);
        // A line that was broken inside the name has a blank too many; the line about the choice may not.
        let named = report.chosen.as_ref().filter(|chosen| chosen.pid == pid);
        let comm = match named {
            Some(chosen) if words(&chosen.comm) == words(&line.comm) => chosen.comm.clone(),
            _ => line.comm,
        };
        report.kills.push(Kill {
            pid,
            thread: (pid != line.pid).then_some(line.pid),
            comm,
            at: record.at,
            uid: line.uid,
            total_vm_kb: line.total_vm_kb,
            anon_rss_kb: line.anon_rss_kb,
            file_rss_kb: line.file_rss_kb,
            shmem_rss_kb: line.shmem_rss_kb,
            pgtables_kb: line.pgtables_kb,
            adj,
            group_member: group,
            lines: 1,
            reaped: false,
        });
        if is_guess {
            self.guess = Some(Box::new(Guess {
                pid: line.pid,
                record: LogRecord {
                    text: text.to_owned(),
                    ..record.clone()
                },
            }));
        }
    }

    /// Takes the guess back: the line belongs to another report.
    fn refute(&mut self) {
        let Some(guess) = self.guess.take() else {
            return;
        };
        let report = self.edit();
        report.kills.retain(|kill| kill.thread != Some(guess.pid));
        std::sync::Arc::make_mut(&mut report.raw).take_back(&guess.record.text);
        self.refuted = Some(guess);
    }

    /// The reaper took the memory of a process.
    fn reaped(&mut self, pid: Pid) {
        let report = self.edit();
        let is_it = |kill: &&mut Kill| kill.pid == pid || kill.thread == Some(pid);
        if let Some(kill) = report.kills.iter_mut().find(is_it) {
            kill.reaped = true;
        }
        if !report.reaped.contains(&pid) {
            remember(&mut report.reaped, pid);
        }
    }
}

/// True if the line can name this kill once more: a group kill prints its first victim again, and a log can be
/// pasted twice. Two machines in one log can kill the same pid.
pub(crate) fn is_printed_again(kill: &Kill, line: &KilledLine, in_group: bool) -> bool {
    let (one, two) = (words(&kill.comm), words(&line.comm));
    // A line may have been cut inside the name.
    let same_name = one.starts_with(&two) || two.starts_with(&one);
    // Up to its end the first victim of a group can still map memory.
    let same_size = in_group
        || kill.total_vm_kb.is_none()
        || line.total_vm_kb.is_none()
        || kill.total_vm_kb == line.total_vm_kb;
    let same_thread = kill.thread.unwrap_or(kill.pid) == line.pid || kill.pid == line.pid;
    same_name && same_size && same_thread
}

/// The name without its blanks.
fn words(name: &str) -> String {
    name.split_whitespace().collect()
}
