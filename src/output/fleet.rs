//! A fleet as a plain table and as JSON.

use std::fmt::Write as _;

use serde_json::json;

use super::printable;
use super::safe_json::escaped;
use crate::app::fleet::Round;
use crate::text::fleet;

/// One line for each host, the most urgent first.
#[must_use]
pub fn table(round: &Round) -> String {
    let mut text = format!(
        "{:<8} {:<24} {:>5} {:>6} {:>7} {:>4}  {}\n",
        "STATE", "HOST", "USED%", "LEFT", "FULL IN", "K/H", "NEXT VICTIM"
    );
    for host in &round.hosts {
        let line = format!(
            "{:<8} {:<24} {:>5} {:>6} {:>7} {:>4}  {}",
            fleet::state(host).1,
            host.name,
            fleet::used(host.used),
            fleet::left(host),
            fleet::full_in(host.soonest()),
            fleet::kills(host),
            fleet::remark(host)
        );
        text.push_str(printable(&line).trim_end());
        text.push('\n');
    }
    // A String never fails.
    if round.left_out > 0 {
        let _ = writeln!(text, "and {} more", round.left_out);
    }
    for note in &round.notes {
        let _ = writeln!(text, "note: {}", printable(note));
    }
    text
}

/// The whole round: `hosts`, the most urgent first, with `urgency` 0 to 4; shares 0 to 1, sizes in bytes, times in seconds. What
/// is not known is null.
#[must_use]
pub fn json(round: &Round) -> String {
    let hosts: Vec<_> = round
        .hosts
        .iter()
        .map(|host| {
            let mut value = json!(host);
            value["urgency"] = json!(host.urgency());
            value["state"] = json!(fleet::state(host).1);
            value
        })
        .collect();
    let document = json!({
        "hosts": hosts,
        "left_out": round.left_out,
        "notes": round.notes,
        "waited_millis": round.waited_millis,
        "worked_millis": round.worked_millis,
    });
    format!("{}\n", escaped(&format!("{document:#}")))
}
