//! [`Tally`]: what a log with many kills comes down to: how many, since when, where, who.

use std::collections::HashMap;
use std::fmt::Write as _;

use super::{Totals, killed, printable};
use crate::oomlog::{OomReport, UserspaceKill};
use crate::text::event::scope_word;
use crate::text::wording::short_group;

/// Fewer kills than this need no summary: the list fits on any screen.
const MANY: u64 = 4;
/// Places and names listed.
const NAMED: usize = 5;
/// Places and names told apart. Further ones count as others: a forged log must not fill the memory.
const MOST: usize = 4096;

/// Sums of the kills.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    kills: u64,
    by_programs: u64,
    survivors: u64,
    reports: u64,
    first: Option<String>,
    last: Option<String>,
    places: Counts,
    names: Counts,
    programs: Counts,
}

/// How often each of them came.
#[derive(Debug, Clone, Default)]
struct Counts {
    known: HashMap<String, u64>,
    others: u64,
}

impl Counts {
    fn add(&mut self, name: &str, times: u64) {
        if let Some(count) = self.known.get_mut(name) {
            *count += times;
        } else if self.known.len() < MOST {
            self.known.insert(name.to_owned(), times);
        } else {
            self.others += times;
        }
    }

    /// `php-fpm 40, mysqld 3, others 5`.
    fn words(&self) -> String {
        let mut all: Vec<_> = self.known.iter().collect();
        all.sort_by(|a, b| b.1.cmp(a.1).then_with(|| a.0.cmp(b.0)));
        let (named, rest) = all.split_at(all.len().min(NAMED));
        let rest: u64 = rest.iter().map(|(_, count)| **count).sum();
        // A name with a line break must not begin a line of its own.
        let mut words: Vec<String> = named
            .iter()
            .map(|(name, count)| format!("{} {count}", printable(name)))
            .collect();
        if rest + self.others > 0 {
            words.push(format!("others {}", rest + self.others));
        }
        words.join(", ")
    }
}

impl Tally {
    /// Counts the kills of a report.
    pub fn report(&mut self, report: &OomReport) {
        self.reports += 1;
        let kills = report.kills.len() as u64;
        if kills == 0 {
            return;
        }
        self.stamp(&super::when(report));
        self.kills += kills;
        let group = report.oom_memcg.as_deref().filter(|_| report.is_memcg());
        let place = group.map_or_else(|| scope_word(report).to_owned(), short_group);
        self.places.add(&place, kills);
        for kill in &report.kills {
            self.names.add(&kill.comm, 1);
        }
    }

    /// Counts a kill by another program.
    pub fn userspace(&mut self, kill: &UserspaceKill) {
        if let Some(stamp) = &kill.stamp {
            self.stamp(stamp);
        }
        // One that lives on is in the list, but not among the dead.
        if kill.survived {
            self.survivors += 1;
            return;
        }
        self.kills += 1;
        self.by_programs += 1;
        let name = kill.comm.as_deref().or(kill.cgroup.as_deref());
        self.names.add(name.unwrap_or("?"), 1);
        self.programs.add(kill.killer.name(), 1);
    }

    /// Its part of the totals: kills by other programs than the kernel, and who lived on.
    #[must_use]
    pub fn totals(&self) -> Totals {
        Totals {
            by_programs: self.by_programs,
            survivors: self.survivors,
            ..Totals::default()
        }
    }

    fn stamp(&mut self, stamp: &str) {
        self.first.get_or_insert_with(|| stamp.to_owned());
        self.last = Some(stamp.to_owned());
    }

    /// The summary in front of the reports; `None` for a few kills.
    #[must_use]
    pub fn summary(&self) -> Option<String> {
        (self.kills >= MANY).then_some(())?;
        let mut out = killed(self.kills, self.by_programs, self.reports);
        // Writing to a String cannot fail.
        if let (Some(first), Some(last)) = (&self.first, &self.last) {
            let _ = write!(out, ", the first at {first}, the last at {last}");
        }
        for (title, counts) in [
            ("where", &self.places),
            ("who", &self.names),
            ("by another program", &self.programs),
        ] {
            if !counts.known.is_empty() {
                let _ = write!(out, "\n  {title}: {}", counts.words());
            }
        }
        Some(out.lines().map(|line| printable(line) + "\n").collect())
    }
}

#[cfg(test)]
mod tests {
    use super::{Counts, MOST, Tally};
    use crate::oomlog::{Constraint, Kill, OomReport};

    fn report(stamp: &str, memcg: Option<&str>, names: &[&str]) -> OomReport {
        OomReport {
            stamp: Some(stamp.to_owned()),
            constraint: Some(memcg.map_or(Constraint::None, |_| Constraint::Memcg)),
            oom_memcg: memcg.map(str::to_owned),
            kills: names
                .iter()
                .map(|comm| Kill {
                    comm: (*comm).to_owned(),
                    ..Kill::default()
                })
                .collect(),
            ..OomReport::default()
        }
    }

    #[test]
    fn many_kills_begin_with_how_many_since_when_where_and_who() {
        let mut tally = Tally::default();
        tally.report(&report("10:00", None, &["java", "java"]));
        tally.report(&report("10:01", Some("/a/web.service"), &["nginx"]));
        assert_eq!(tally.summary(), None, "three fit on a screen");
        tally.report(&report("10:02", None, &["java"]));
        tally.report(&report("10:03", None, &[]));
        assert_eq!(
            tally.summary().unwrap(),
            "4 killed in 4 reports, the first at 10:00, the last at 10:02\n  where: host 3, web.service 1\n  \
             who: java 3, nginx 1\n"
        );
    }

    #[test]
    fn a_name_with_a_newline_makes_no_line_and_many_names_are_bounded() {
        let mut tally = Tally::default();
        tally.report(&report(
            "t",
            Some("/g\n  who: init 9"),
            &["a\u{1b}[31m", "b\nOut of memory", "c", "d"],
        ));
        let summary = tally.summary().unwrap();
        assert!(!summary.contains('\u{1b}'), "{summary:?}");
        assert_eq!(summary.lines().count(), 3, "{summary:?}");
        let mut counts = Counts::default();
        (0..MOST + 10).for_each(|n| counts.add(&n.to_string(), 1));
        assert_eq!((counts.known.len(), counts.others), (MOST, 10));
        assert!(
            counts
                .words()
                .ends_with(&format!("others {}", MOST + 10 - 5))
        );
    }
}
