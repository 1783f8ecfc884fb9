//! The OOM reports of older boots, from the journal.

use std::io::{self, Read};
use std::sync::Arc;

use crate::app::msg::OlderBoot;
use crate::linux::log::journal::{Boot, Journalctl};
use crate::oomlog::{OomEvent, OomReport, TextLog};

/// Boots read at most.
const BOOTS: u32 = 20;
/// Reports kept of one boot: the newest ones.
const REPORTS: usize = 200;

/// Reads boots -1, -2, … as far back as the journal goes.
///
/// # Errors
/// A sentence if no older boot can be read.
pub(super) fn read() -> Result<Vec<OlderBoot>, String> {
    let mut boots = Vec::new();
    for back in 1..=BOOTS {
        match read_boot(Boot::Before(back)) {
            Ok(reports) => boots.push(OlderBoot {
                boot: -back.cast_signed(),
                reports,
            }),
            Err(reason) if boots.is_empty() => {
                return Err(format!(
                    "no older boot could be read ({reason}): the journal keeps them only where /var/log/journal exists, \
                     for root and the groups adm and systemd-journal"
                ));
            }
            Err(_) => break,
        }
    }
    Ok(boots)
}

fn read_boot(boot: Boot) -> Result<Vec<Arc<OomReport>>, String> {
    let failed = |error: io::Error| format!("journalctl: {error}");
    let mut journal = Journalctl::kernel()
        .boot(boot)
        .start()
        .map_err(|error| failed(error.source))?;
    let mut reports: Vec<Arc<OomReport>> = Vec::new();
    let mut log = TextLog::new();
    let mut events = Vec::new();
    let mut buffer = vec![0; 1 << 18];
    loop {
        let size = journal.read(&mut buffer).map_err(failed)?;
        if size == 0 {
            break;
        }
        log.chunk(buffer.get(..size).unwrap_or_default(), &mut events);
        keep(&mut events, &mut reports);
    }
    log.finish(&mut events);
    keep(&mut events, &mut reports);
    journal
        .end()
        .map(|()| reports)
        .map_err(|error| failed(error.source))
}

/// The newest state of each report.
fn keep(events: &mut Vec<OomEvent>, reports: &mut Vec<Arc<OomReport>>) {
    for event in events.drain(..) {
        let OomEvent::Report(report) = event else {
            continue;
        };
        match reports
            .iter_mut()
            .rev()
            .find(|known| known.key == report.key)
        {
            Some(known) => *known = report,
            None => reports.push(report),
        }
        if reports.len() > REPORTS {
            reports.remove(0);
        }
    }
}
