//! The kills of older boots, out of the journal.

use std::collections::VecDeque;
use std::ffi::OsStr;
use std::io::{self, Read};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::app::msg::{OlderBoot, OlderBoots};
use crate::linux::log::child::Leash;
use crate::linux::log::journal::{Boot, Journalctl};
use crate::oomlog::{OomEvent, OomReport, TextLog, UserspaceKill};

/// Boots read at most.
const BOOTS: u32 = 20;
/// Reports kept of one boot, and kills by programs, the newest.
const KEPT: usize = 200;
/// How long the reading of all boots may take. Who pressed the key waits for it.
const WITHIN: Duration = Duration::from_mins(1);
/// Most bytes read of one boot's records.
const BYTES: u64 = 1 << 30;

/// Reads boot -1, -2, … as far as the journal goes, and not longer than [`WITHIN`].
///
/// # Errors
/// A sentence when there is not even one.
pub(super) fn read(leash: &Leash) -> Result<OlderBoots, String> {
    read_with(OsStr::new("journalctl"), leash, WITHIN)
}

fn read_with(program: &OsStr, leash: &Leash, within: Duration) -> Result<OlderBoots, String> {
    let end = Instant::now() + within;
    let mut older = OlderBoots::default();
    for back in 1..=BOOTS {
        let left = end.saturating_duration_since(Instant::now());
        let journal = Journalctl::kills()
            .program(program)
            .boot(Boot::Before(back))
            .held_by(leash)
            .most(BYTES)
            .within(left);
        let mut boot = OlderBoot {
            boot: -back.cast_signed(),
            ..OlderBoot::default()
        };
        let error = match read_boot(&journal, &mut boot) {
            Ok(()) => {
                older.boots.push(boot);
                continue;
            }
            Err(error) => error,
        };
        let is_cut = matches!(
            error.kind(),
            io::ErrorKind::TimedOut | io::ErrorKind::FileTooLarge
        );
        if is_cut {
            // What was read is true, but not all.
            older.cut = Some(format!("boot -{back} was not read to its end: {error}"));
            if !boot.reports.is_empty() || !boot.kills.is_empty() {
                older.boots.push(boot);
            }
        }
        if older.boots.is_empty() {
            return Err(refusal(&error, is_cut));
        }
        break;
    }
    Ok(older)
}

/// Why there is no older boot. The first words help; the last of the journal's own may be cut on a narrow screen.
fn refusal(error: &io::Error, is_cut: bool) -> String {
    let error = error.to_string();
    if is_cut {
        return format!(
            "no older boot could be read: try journalctl --list-boots in a shell ({error})"
        );
    }
    // The remedy says all that these many words of journalctl do.
    let detail = if error.contains("No such boot") {
        String::new()
    } else {
        format!(" ({error})")
    };
    format!(
        "no older boot in the journal: it needs /var/log/journal, and root or the group adm or systemd-journal{detail}"
    )
}

fn read_boot(call: &Journalctl, boot: &mut OlderBoot) -> io::Result<()> {
    let mut journal = call.start().map_err(|error| error.source)?;
    let mut kept = Kept::default();
    let outcome = read_all(&mut journal, &mut kept);
    boot.reports = kept.reports.into();
    boot.kills = kept.kills.into();
    outcome?;
    journal.end().map_err(|error| error.source)
}

fn read_all(journal: &mut impl Read, kept: &mut Kept) -> io::Result<()> {
    let mut log = TextLog::new();
    let mut events = Vec::new();
    let mut buffer = vec![0; 1 << 18];
    loop {
        let size = journal.read(&mut buffer)?;
        if size == 0 {
            log.finish(&mut events);
            kept.take(&mut events);
            return Ok(());
        }
        log.chunk(buffer.get(..size).unwrap_or_default(), &mut events);
        kept.take(&mut events);
    }
}

/// The newest state of each report and each kill, the newest of them.
#[derive(Default)]
struct Kept {
    reports: VecDeque<Arc<OomReport>>,
    kills: VecDeque<Arc<UserspaceKill>>,
}

impl Kept {
    fn take(&mut self, events: &mut Vec<OomEvent>) {
        for event in events.drain(..) {
            match event {
                OomEvent::Report(report) => keep(&mut self.reports, report, |kept| kept.key),
                OomEvent::Userspace(mut kill) => {
                    // That boot had a clock of its own: the stamp of the wall clock is what counts.
                    Arc::make_mut(&mut kill).at = None;
                    keep(&mut self.kills, kill, |kept| kept.key);
                }
                OomEvent::Gap { .. } => {}
            }
        }
    }
}

fn keep<T, K: PartialEq>(kept: &mut VecDeque<T>, new: T, key: impl Fn(&T) -> K) {
    let same = |known: &&mut T| key(known) == key(&new);
    if let Some(known) = kept.iter_mut().rev().find(same) {
        *known = new;
        return;
    }
    if kept.len() == KEPT {
        kept.pop_front();
    }
    kept.push_back(new);
}

#[cfg(test)]
mod tests {
    #![allow(clippy::expect_used, reason = "a test that cannot go on fails")]

    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;
    use std::time::{Duration, Instant};

    use super::read_with;
    use crate::linux::log::child::Leash;

    /// What a journalctl that runs this script gives.
    fn read(script: &str, within: Duration) -> Result<crate::app::msg::OlderBoots, String> {
        let dir = tempfile::tempdir().expect("a directory");
        let program = dir.path().join("journalctl");
        fs::write(&program, format!("#!/bin/sh\n{script}\n")).expect("written");
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).expect("executable");
        read_with(program.as_os_str(), &Leash::default(), within)
    }

    const RECORDS: &str = r#"
echo '{"MESSAGE":"Out of memory: Killed process 9 (x) total-vm:8kB","_TRANSPORT":"kernel","__REALTIME_TIMESTAMP":"5"}'
echo '{"MESSAGE":"Killed /a.slice/b.service due to memory pressure for /a.slice being 9% > 5%","_TRANSPORT":"journal","SYSLOG_IDENTIFIER":"systemd-oomd","_COMM":"systemd-oomd","_UID":"998","_SYSTEMD_UNIT":"systemd-oomd.service","__REALTIME_TIMESTAMP":"6","_SOURCE_MONOTONIC_TIMESTAMP":"7"}'
"#;

    #[test]
    fn a_boot_has_the_kernels_kills_and_those_of_programs() {
        let script = format!(
            "case \"$*\" in *--boot=-1*) {RECORDS};; *) echo no such boot >&2; exit 1;; esac"
        );
        let older = read(&script, Duration::from_mins(1)).expect("a boot");
        assert_eq!(older.boots.len(), 1);
        assert_eq!(older.cut, None);
        let boot = older.boots.first().expect("one");
        assert_eq!((boot.reports.len(), boot.kills.len()), (1, 1));
        let kill = boot.kills.first().expect("one");
        assert_eq!((kill.at, kill.stamp.as_deref()), (None, Some("6")));
    }

    #[test]
    fn a_refusal_is_readable_whole_on_80_columns() {
        let cells = |script: &str| {
            let refused = read(script, Duration::from_mins(1)).expect_err("refused");
            assert!(refused.contains("/var/log/journal"), "{refused}");
            refused.chars().count()
        };
        // Two lines, less what is lost where they are wrapped.
        let most = 2 * 78 - 12;
        let none = "Data from the specified boot (-1) is not available: No such boot ID in journal";
        assert!(cells(&format!("echo '{none}' >&2; exit 1")) <= most);
        assert!(cells("echo 'No journal files were found.' >&2; exit 1") <= most);
    }

    #[test]
    fn a_journal_that_hangs_is_given_up_and_what_it_told_is_kept() {
        let begun = Instant::now();
        let refused = read("exec sleep 1000", Duration::from_millis(200));
        assert!(refused.expect_err("nothing").contains("not ended"));
        let script = format!("{RECORDS}\nexec sleep 1000");
        // The script is heard before the time is up, however loaded the machine is.
        let mut within = Duration::from_millis(500);
        let older = loop {
            match read(&script, within) {
                Ok(older) => break older,
                Err(_) if begun.elapsed() < Duration::from_mins(1) => within *= 2,
                Err(reason) => panic!("{reason}"),
            }
        };
        let cut = older.cut.expect("it says so");
        assert!(cut.contains("not read to its end"), "{cut}");
        assert!(begun.elapsed() < Duration::from_secs(500));
    }
}
