//! A host of a fleet in words and cells: the same on the screen and in the plain table.

use std::time::Duration;

use crate::model::fleet::{Depth, Domain, Health, Host};
use crate::text::format;
use crate::text::tone::Tone;

/// The state in a word of at most eight letters.
#[must_use]
pub fn state(host: &Host) -> (Tone, &'static str) {
    match (host.health, host.worst()) {
        (Health::Down(_), _) => (Tone::Critical, "DOWN"),
        (Health::Old(_), _) => (Tone::Danger, "OLD"),
        (Health::Unknown, _) => (Tone::Danger, "UNKNOWN"),
        (Health::Fresh, Some(domain)) if domain.stuck => (Tone::Critical, "STUCK"),
        (Health::Fresh, _) => urgency(host.urgency()),
    }
}

/// An urgency of 0 to 4 in a word.
#[must_use]
pub fn urgency(level: u8) -> (Tone, &'static str) {
    match level {
        0 => (Tone::Good, "calm"),
        1 => (Tone::Watch, "watch"),
        2 => (Tone::Watch, "close"),
        3 => (Tone::Danger, "imminent"),
        _ => (Tone::Critical, "OOM"),
    }
}

/// Used share; `-` if it is not known.
#[must_use]
pub fn used(share: Option<f64>) -> String {
    share.map_or_else(unknown, |share| format::percent(share * 100.0))
}

/// Bytes left; `-` if they are not known.
#[must_use]
pub fn left(host: &Host) -> String {
    host.left.map_or_else(unknown, |bytes| {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "saturates"
        )]
        let bytes = bytes as u64;
        format::size(bytes)
    })
}

/// Time until something is full; `-` without growth.
#[must_use]
pub fn full_in(seconds: Option<f64>) -> String {
    seconds
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
        .map_or_else(unknown, format::roughly)
}

/// Kills of the last hour; `-` if nobody counts them.
#[must_use]
pub fn kills(host: &Host) -> String {
    host.kills
        .map_or_else(unknown, |kills| format!("{kills:.0}"))
}

fn unknown() -> String {
    "-".to_owned()
}

/// Why the numbers are no good, or where it is worst and who dies next.
#[must_use]
pub fn remark(host: &Host) -> String {
    let ago = |seconds: f64| {
        let span = Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX);
        format::duration(span)
    };
    match host.health {
        Health::Down(Some(age)) => {
            return format!("no answer for {}", ago(age));
        }
        Health::Down(None) if host.depth == Depth::Shallow => {
            return "node_exporter does not answer".to_owned();
        }
        Health::Unknown => return "answers, but without numbers of oomtop".to_owned(),
        Health::Down(None) => return "no answer within a day".to_owned(),
        Health::Old(age) => return format!("newest sample {} old", ago(age)),
        Health::Fresh => {}
    }
    if host.depth == Depth::Shallow {
        return "no oomtop: only share and kills".to_owned();
    }
    match host.worst() {
        Some(domain) if domain.name != "host" => {
            let victim = domain.victim.as_deref().unwrap_or("nobody known");
            format!("{}: {victim}", called(domain))
        }
        _ => host.victim.clone().unwrap_or_default(),
    }
}

/// A domain by its unit, if it has one.
#[must_use]
pub fn called(domain: &Domain) -> &str {
    if domain.unit.is_empty() {
        &domain.name
    } else {
        &domain.unit
    }
}
