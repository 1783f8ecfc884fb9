//! The table of tasks in a report: which columns it has, and its rows.
//!
//! The header line tells the columns, never a version number: vendors backport them (`dump_tasks` in
//! `mm/oom_kill.c`). All memory columns are pages except `pgtables_bytes`.

use crate::oomlog::Pid;
use crate::oomlog::base::CUT;

/// Most rows kept of one table; further rows are counted. More than any real table has, and few enough that a
/// forged log cannot fill the memory.
pub(crate) const MAX_TASKS: usize = 32_768;

/// The columns of a table, in order, as the header names them.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize)]
#[serde(transparent)]
pub struct Columns(pub Vec<String>);

/// One row of the table. A column that the kernel does not print is `None`.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize)]
pub struct TaskRow {
    /// Pid in the initial namespace.
    pub pid: Pid,
    /// Uid in the initial user namespace.
    pub uid: Option<u32>,
    /// Thread group id.
    pub tgid: Option<Pid>,
    /// `total_vm` in pages.
    pub total_vm: Option<u64>,
    /// `rss` in pages.
    pub rss: Option<u64>,
    /// `rss_anon` in pages (6.8 and later).
    pub rss_anon: Option<u64>,
    /// `rss_file` in pages (6.8 and later).
    pub rss_file: Option<u64>,
    /// `rss_shmem` in pages (6.8 and later).
    pub rss_shmem: Option<u64>,
    /// `nr_ptes` in pages (3.6 to 4.14).
    pub nr_ptes: Option<u64>,
    /// `nr_pmds` in pages (4.1 to 4.14).
    pub nr_pmds: Option<u64>,
    /// `pgtables_bytes` (4.15 and later).
    pub pgtables_bytes: Option<u64>,
    /// `swapents` in pages.
    pub swapents: Option<u64>,
    /// `oom_score_adj`.
    pub adj: Option<i16>,
    /// Short name; empty if the log has lost it.
    pub comm: String,
}

/// The table of tasks that the kernel could have killed.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize)]
pub struct TaskTable {
    /// Column names in the order of the log.
    pub columns: Columns,
    /// The rows in the order of the log, at most 32 768.
    pub rows: Vec<TaskRow>,
    /// Rows beyond that.
    pub dropped: u64,
}

impl TaskTable {
    /// The row of a process, by its number or that of the thread that the kernel lists for it.
    #[must_use]
    pub fn row(&self, pid: Pid) -> Option<&TaskRow> {
        let is_thread = |row: &&TaskRow| row.pid == pid;
        let is_process = |row: &&TaskRow| row.tgid == Some(pid);
        let rows = &self.rows;
        rows.iter()
            .find(is_thread)
            .or_else(|| rows.iter().find(is_process))
    }

    /// How many rows the log had.
    #[must_use]
    pub fn listed(&self) -> u64 {
        self.rows.len() as u64 + self.dropped
    }

    /// Adds a row, or counts it if there are too many.
    pub(crate) fn push(&mut self, row: TaskRow) {
        if self.rows.len() < MAX_TASKS {
            self.rows.push(row);
        } else {
            self.dropped += 1;
        }
    }
}

impl Columns {
    /// Reads a header line, `[  pid  ]   uid  tgid total_vm … name`.
    pub(crate) fn parse(line: &str) -> Option<Self> {
        let rest = line.trim().strip_prefix('[')?;
        let (first, rest) = rest.split_once(']')?;
        if first.trim() != "pid" {
            return None;
        }
        let mut names = vec!["pid".to_owned()];
        let whole = rest.split_whitespace().filter(|name| !name.ends_with(CUT));
        names.extend(whole.map(str::to_owned));
        let known = ["uid", "tgid", "total_vm"];
        known
            .iter()
            .all(|name| names.iter().any(|n| n == name))
            .then_some(Self(names))
    }

    /// Reads a row: `[   1234]  1000  1234 …  name`. The name is the rest of the line and may hold anything, blanks
    /// and newlines included.
    pub(crate) fn row(&self, line: &str) -> Option<TaskRow> {
        let rest = line.trim_start().strip_prefix('[')?;
        let (pid, mut rest) = rest.split_once(']')?;
        let mut row = TaskRow {
            pid: pid.trim().parse().ok()?,
            ..TaskRow::default()
        };
        for name in self.0.iter().skip(1) {
            if name == "name" {
                // One blank separates the last number from the name. Further blanks belong to the name.
                let comm = rest.strip_prefix(' ').unwrap_or(rest);
                if !comm.starts_with(CUT) {
                    comm.clone_into(&mut row.comm);
                }
                return Some(row);
            }
            rest = rest.trim_start();
            let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
            let (cell, after) = rest.split_at(end);
            if row.set(name, cell).is_none() {
                // The row lost its middle (an overrun ring buffer): the columns before that are good.
                row.total_vm.filter(|_| !cell.is_empty())?;
                if is_number_cut(cell) {
                    return Some(row);
                }
                rest.clone_into(&mut row.comm);
                return Some(row);
            }
            rest = after;
        }
        Some(row)
    }
}

impl TaskRow {
    /// The process. `pid` is another of its threads if the main thread has ended: the kernel lists the first
    /// thread that still has the memory (mm/oom_kill.c `dump_task`, `find_lock_task_mm`).
    #[must_use]
    pub fn process(&self) -> Pid {
        self.tgid.unwrap_or(self.pid)
    }

    /// Reads a row of a table whose header was lost: only the columns that every layout since 2.6.36 has (`uid tgid
    /// total_vm rss …numbers… oom_score_adj name`).
    pub(crate) fn without_header(line: &str) -> Option<Self> {
        let rest = line.trim_start().strip_prefix('[')?;
        let (pid, mut rest) = rest.split_once(']')?;
        let mut numbers = Vec::new();
        while numbers.len() < 11 {
            let cell = rest.trim_start();
            let end = cell.find(char::is_whitespace).unwrap_or(cell.len());
            let Some(number) = cell.get(..end).and_then(|c| c.parse::<i64>().ok()) else {
                break;
            };
            numbers.push(number);
            rest = cell.get(end..).unwrap_or_default();
        }
        // A name of digits only.
        let mut comm = rest.strip_prefix(' ').unwrap_or(rest);
        if is_number_cut(comm) {
            return None;
        }
        let digits;
        if comm.is_empty()
            && let Some(name) = numbers.pop()
        {
            digits = name.to_string();
            comm = &digits;
        }
        let [uid, tgid, total_vm, rss, _, _, .., adj] = numbers.as_slice() else {
            return None;
        };
        Some(Self {
            pid: pid.trim().parse().ok()?,
            uid: u32::try_from(*uid).ok(),
            tgid: u32::try_from(*tgid).ok(),
            total_vm: u64::try_from(*total_vm).ok(),
            rss: u64::try_from(*rss).ok(),
            adj: i16::try_from(*adj).ok(),
            comm: comm.to_owned(),
            ..Self::default()
        })
    }

    fn set(&mut self, column: &str, cell: &str) -> Option<()> {
        if column == "oom_score_adj" {
            self.adj = Some(cell.parse().ok()?);
            return Some(());
        }
        let number: i64 = cell.parse().ok()?;
        let positive = u64::try_from(number).ok();
        match column {
            // An unmapped uid prints as -1 or 4294967295.
            "uid" => self.uid = u32::try_from(number).ok(),
            "tgid" => self.tgid = u32::try_from(number).ok(),
            "total_vm" => self.total_vm = positive,
            "rss" => self.rss = positive,
            "rss_anon" => self.rss_anon = positive,
            "rss_file" => self.rss_file = positive,
            "rss_shmem" => self.rss_shmem = positive,
            "nr_ptes" => self.nr_ptes = positive,
            "nr_pmds" => self.nr_pmds = positive,
            "pgtables_bytes" => self.pgtables_bytes = positive,
            "swapents" => self.swapents = positive,
            // `cpu` and `oom_adj` of 2.6.32, and columns of vendors: only the raw text has them.
            _ => {}
        }
        Some(())
    }
}

/// The text is the beginning of a number, or nothing, in front of the mark of a cut.
fn is_number_cut(text: &str) -> bool {
    let begin = text.trim_start().strip_suffix(CUT);
    begin.is_some_and(|begin| begin.bytes().all(|b| b.is_ascii_digit() || b == b'-'))
}

#[cfg(test)]
mod tests {
    use super::Columns;

    #[test]
    fn columns_come_from_the_header() {
        let columns = Columns::parse(
            "[  pid  ]   uid  tgid total_vm      rss rss_anon rss_file rss_shmem pgtables_bytes swapents oom_score_adj name",
        )
        .unwrap();
        let row = columns
            .row("[    212]     0   212     9651     8263     6883     1380         0   114688        7           100 a) (b: c,d")
            .unwrap();
        assert_eq!(
            (row.pid, row.rss_anon, row.pgtables_bytes),
            (212, Some(6883), Some(114_688))
        );
        assert_eq!((row.swapents, row.adj), (Some(7), Some(100)));
        assert_eq!(row.comm, "a) (b: c,d");
        let old =
            Columns::parse("[ pid ]   uid  tgid total_vm      rss cpu oom_adj oom_score_adj name")
                .unwrap();
        let row = old
            .row("[ 1234]    27  1234    10  5   1     -17         -1000  lead trail ")
            .unwrap();
        assert_eq!((row.adj, row.swapents), (Some(-1000), None));
        assert_eq!(row.comm, " lead trail ");
        let damaged = old
            .row("[23093]    48 23093    53756      863   8       0     p-fpm")
            .unwrap();
        assert_eq!(
            (damaged.rss, damaged.adj, damaged.comm.as_str()),
            (Some(863), None, "p-fpm")
        );
    }

    #[test]
    fn what_is_no_header_and_no_row() {
        assert!(Columns::parse("[ pid ] is a word").is_none());
        assert!(Columns::parse("[12] uid tgid total_vm").is_none());
        let columns = Columns::parse("[ pid ]   uid  tgid total_vm rss name").unwrap();
        assert!(columns.row("[ 12 ] 0 12 3").is_none());
        assert!(
            columns
                .row("[<ffffffff8118a1c7>] dump_stack+0x4d/0x66")
                .is_none()
        );
    }
}
