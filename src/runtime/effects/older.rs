//! The OOM reports of older boots, out of the journal.

use std::io::Read;
use std::process::{Command, Stdio};
use std::sync::Arc;

use crate::app::msg::OlderBoot;
use crate::oomlog::{OomEvent, OomReport, TextLog};

/// Boots read at most.
const BOOTS: i32 = 20;
/// Reports kept of one boot, the newest.
const REPORTS: usize = 200;

/// Reads boot -1, -2, … as far as the journal goes.
///
/// # Errors
/// A sentence when there is not even one.
pub(super) fn read() -> Result<Vec<OlderBoot>, String> {
    let mut boots = Vec::new();
    for boot in (-BOOTS..0).rev() {
        match read_boot(boot) {
            Ok(reports) => boots.push(OlderBoot { boot, reports }),
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

fn read_boot(boot: i32) -> Result<Vec<Arc<OomReport>>, String> {
    let mut child = Command::new("journalctl")
        .args([
            "--dmesg",
            "--output=json",
            "--no-pager",
            "--quiet",
            &format!("--boot={boot}"),
        ])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| format!("journalctl: {error}"))?;
    let mut reports: Vec<Arc<OomReport>> = Vec::new();
    let mut log = TextLog::new();
    let mut events = Vec::new();
    let mut buffer = vec![0; 1 << 18];
    if let Some(mut out) = child.stdout.take() {
        while let Ok(size) = out.read(&mut buffer) {
            if size == 0 {
                break;
            }
            log.chunk(buffer.get(..size).unwrap_or_default(), &mut events);
            keep(&mut events, &mut reports);
        }
    }
    log.finish(&mut events);
    keep(&mut events, &mut reports);
    match child.wait() {
        Ok(status) if status.success() => Ok(reports),
        Ok(status) => Err(format!("journalctl: {status}")),
        Err(error) => Err(error.to_string()),
    }
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
