//! [`Deaths`]: those whom the kernel's log names as killed in the group of the command.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::linux::SysRoot;
use crate::model::run::course::Bound;
use crate::model::run::report::Victim;
use crate::oomlog::{OomEvent, OomReport, ReportKey};
use crate::runtime::headless::LogItem;
use crate::runtime::headless::log::{Follow, LogThread};

/// How long the log may take to tell what the kernel has counted.
const PATIENCE: Duration = Duration::from_secs(1);
const LOOK: Duration = Duration::from_millis(5);

/// Most reports that are kept.
const MOST: usize = 1024;

/// Follows the log.
#[derive(Debug)]
pub(super) struct Deaths {
    found: Arc<Mutex<Found>>,
    _log: LogThread,
}

#[derive(Debug, Default)]
struct Found {
    reports: Vec<(ReportKey, Vec<Victim>)>,
    missing: String,
}

impl Deaths {
    /// From here on all reports that name this group are kept.
    pub(super) fn follow(root: &SysRoot, name: String) -> io::Result<Self> {
        let found = Arc::new(Mutex::new(Found::default()));
        let kept = Arc::clone(&found);
        let log = LogThread::spawn(root, Follow::Logs, move |item| {
            let mut found = kept.lock().unwrap_or_else(PoisonError::into_inner);
            match item {
                LogItem::Event(OomEvent::Report(report)) => found.accept(&report, &name),
                LogItem::Source(source) => found.missing = source.missing,
                LogItem::Event(_) | LogItem::Traced(_) => {}
            }
            true
        })?;
        Ok(Self { found, _log: log })
    }

    /// Who died, and what is missing, once the log names as many as the kernel has counted, or does not.
    pub(super) fn settled(&self, counted: u64) -> (Vec<Victim>, String) {
        let begun = Instant::now();
        loop {
            let (victims, missing) = {
                let found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
                let all = found.reports.iter().flat_map(|(_, victims)| victims);
                (all.cloned().collect::<Vec<_>>(), found.missing.clone())
            };
            let named: u64 = victims.iter().map(|victim| victim.counted).sum();
            if named >= counted || begun.elapsed() > PATIENCE {
                return (victims, missing);
            }
            std::thread::sleep(LOOK);
        }
    }
}

impl Found {
    /// No other group is or was called so: the name holds who made it, and when.
    fn accept(&mut self, report: &OomReport, name: &str) {
        let group = report.task_memcg.as_ref().or(report.oom_memcg.as_ref());
        if !group.is_some_and(|group| is_in(group, name)) {
            return;
        }
        let of = whose(report, name);
        let victims = report.kills.iter().map(|kill| Victim {
            pid: kill.pid,
            name: kill.comm.clone(),
            of,
            counted: u64::from(kill.lines.max(1)),
        });
        let victims = victims.collect();
        self.reports.retain(|(key, _)| *key != report.key);
        if self.reports.len() >= MOST {
            // The kernel's counter has it, and the report says how many are not named.
            self.reports.remove(0);
        }
        self.reports.push((report.key, victims));
    }
}

fn is_in(group: &str, name: &str) -> bool {
    group.split('/').any(|part| part == name)
}

/// Whose memory ran out.
fn whose(report: &OomReport, name: &str) -> Option<Bound> {
    match &report.oom_memcg {
        Some(group) if is_in(group, name) => Some(Bound::Group),
        Some(_) => Some(Bound::Around),
        // A cpuset or a memory policy ran out of its nodes: no limit of a group, either.
        None => (report.global_oom || report.constraint.is_some()).then_some(Bound::Host),
    }
}

#[cfg(test)]
mod tests {
    use super::Found;
    use crate::model::run::course::Bound;
    use crate::oomlog::{Constraint, Kill, OomReport};

    fn report(group: &str, pids: &[u32]) -> OomReport {
        let kill = |pid: &u32| Kill {
            pid: *pid,
            lines: 1,
            ..Kill::default()
        };
        OomReport {
            task_memcg: Some(group.to_owned()),
            kills: pids.iter().map(kill).collect(),
            ..OomReport::default()
        }
    }

    #[test]
    fn a_report_that_grows_counts_once_and_others_not_at_all() {
        let mut found = Found::default();
        let name = "oomtop-run-1-2";
        found.accept(&report("/x/oomtop-run-1-22", &[7]), name);
        assert!(found.reports.is_empty());
        found.accept(&report("/x/oomtop-run-1-2/inner", &[7]), name);
        found.accept(&report("/x/oomtop-run-1-2/inner", &[7, 8]), name);
        let pids: Vec<_> = found
            .reports
            .iter()
            .flat_map(|(_, v)| v)
            .map(|v| v.pid)
            .collect();
        assert_eq!(pids, [7, 8]);
    }

    #[test]
    fn a_report_tells_whose_memory_ran_out() {
        let name = "oomtop-run-1-2";
        let told = |oom_memcg: Option<&str>, constraint, global_oom| {
            let mut found = Found::default();
            let report = OomReport {
                oom_memcg: oom_memcg.map(str::to_owned),
                constraint,
                global_oom,
                ..report("/x/oomtop-run-1-2/inner", &[7])
            };
            found.accept(&report, name);
            found.reports[0].1[0].of
        };
        let memcg = Some(Constraint::Memcg);
        assert_eq!(
            told(Some("/x/oomtop-run-1-2"), memcg, false),
            Some(Bound::Group)
        );
        let inner = "/x/oomtop-run-1-2/inner";
        assert_eq!(told(Some(inner), memcg, false), Some(Bound::Group));
        assert_eq!(told(Some("/x"), memcg, false), Some(Bound::Around));
        assert_eq!(told(None, Some(Constraint::None), true), Some(Bound::Host));
        assert_eq!(told(None, None, false), None);
    }
}
