//! The lines of earlyoom(1), 0.1 to 1.9 (kill.c, main.c, meminfo.c). It writes to its standard error: whether a
//! line has `earlyoom[PID]: ` in front depends on who keeps it.

use super::wording::Claim;
use crate::oomlog::{Killer, Pid};

/// Longest text kept of a line, in characters.
const TEXT_MOST: usize = 256;

/// What a line of earlyoom says.
pub(super) enum Said {
    /// It sends a signal.
    Kill(Claim),
    /// A process did not die of it; of its last one where it does not say which.
    Survived(Option<Pid>),
    /// It sends a stronger signal to its last process.
    Escalates,
    /// Nothing about a kill.
    Nothing,
}

/// What earlyoom knows before it acts.
#[derive(Debug, Default)]
pub(super) struct Earlyoom {
    /// `mem avail: …`, the last one.
    state: Option<String>,
    /// Why it acts.
    reason: Option<String>,
}

impl Earlyoom {
    /// Reads a line without its prefix.
    pub(super) fn line(&mut self, text: &str) -> Said {
        if text.starts_with("mem avail:") {
            self.state = Some(shortened(text));
            // What comes now has a reason of its own.
            self.reason = None;
            return Said::Nothing;
        }
        if let Some(limits) = strip_either(text, ["low memory! ", "Low memory! "]) {
            self.reason = Some(match self.state.take() {
                Some(state) => format!("{state}: {}", shortened(limits)),
                None => shortened(limits),
            });
            return Said::Nothing;
        }
        if let Some(rest) = text.strip_prefix("process ")
            && let Some((pid, rest)) = rest.split_once(' ')
            && rest.starts_with("did not exit")
        {
            return pid
                .parse()
                .map_or(Said::Nothing, |pid| Said::Survived(Some(pid)));
        }
        if text.starts_with("kill failed") || text.starts_with("dryrun, not actually") {
            return Said::Survived(None);
        }
        if text.starts_with("escalating to SIGKILL") {
            return Said::Escalates;
        }
        match sending(text).or_else(|| killing(text)) {
            Some(claim) => Said::Kill(Claim {
                reason: self.reason.clone(),
                ..claim
            }),
            None => Said::Nothing,
        }
    }
}

/// True if only earlyoom writes such a line.
pub(super) fn is_own(text: &str) -> bool {
    sending(text).is_some()
        || killing(text).is_some()
        || text.starts_with("mem avail:")
        || strip_either(text, ["low memory! ", "Low memory! "]).is_some()
        || text.starts_with("escalating to SIGKILL after ")
        || text.starts_with("dryrun, not actually sending any signal")
        || text.starts_with("kill failed: ")
        || (text.starts_with("process ") && text.ends_with(" did not exit"))
}

/// `sending SIGTERM to process %d uid %d "%s": oom_score %d, oom_score_adj %d, VmRSS %lld MiB, …`, before 1.8
/// `badness %d` for the scores, before 1.4 without the uid.
fn sending(text: &str) -> Option<Claim> {
    let rest = strip_either(text, ["sending ", "Sending "])?;
    let (signal, rest) = rest.split_once(" to process ")?;
    let (pid, rest) = rest.split_once(' ')?;
    let (_, rest) = rest.split_once('"')?;
    let (comm, rest) = quoted(rest, "\": ")?;
    signal.starts_with("SIG").then_some(())?;
    claim(pid, comm, signal.to_owned(), rest)
}

/// `killing process %d "%s" with signal %d: badness %d, VmRSS %lu MiB` and its elders: `Killing process '%s' with
/// signal %d, pid: %d, …`, `Killing process: %s, pid: %d, …`, `Killing process %d %s`.
fn killing(text: &str) -> Option<Claim> {
    let rest = strip_either(text, ["killing process", "Killing process"])?;
    if let Some(rest) = rest.strip_prefix(": ") {
        let (comm, rest) = rest.split_once(", pid: ")?;
        let (pid, rest) = rest.split_once(',')?;
        return claim(pid, comm, "SIGKILL".to_owned(), rest);
    }
    let rest = rest.strip_prefix(' ')?;
    if let Some(rest) = rest.strip_prefix('\'') {
        let (comm, rest) = quoted(rest, "' with signal ")?;
        let (number, rest) = rest.get("' with signal ".len()..)?.split_once(", pid: ")?;
        let (pid, rest) = rest.split_once(',')?;
        return claim(pid, comm, signal_name(number), rest);
    }
    let (pid, rest) = rest.split_once(' ')?;
    if let Some(rest) = rest.strip_prefix('"') {
        let (comm, rest) = quoted(rest, "\" with signal ")?;
        let (number, rest) = rest.get("\" with signal ".len()..)?.split_once(':')?;
        return claim(pid, comm, signal_name(number), rest);
    }
    // The oldest form has nothing that only earlyoom writes, so the rest of the line must be one name.
    let is_name = !rest.is_empty() && rest.len() <= 15 && !rest.contains(": ");
    is_name.then_some(())?;
    claim(pid, rest, "SIGKILL".to_owned(), "")
}

fn claim(pid: &str, comm: &str, signal: String, rest: &str) -> Option<Claim> {
    let mib = rest
        .split_once("VmRSS")
        .map(|(_, rss)| rss.trim_start_matches([':', ' ']))
        .and_then(|rss| rss.split(' ').next()?.parse::<u64>().ok());
    Some(Claim {
        pid: Some(pid.trim().parse().ok()?),
        comm: Some(comm.to_owned()),
        signal: Some(signal),
        rss_kb: mib.map(|mib| mib.saturating_mul(1024)),
        ..Claim::new(Killer::Earlyoom)
    })
}

/// The name is quoted but not escaped: what follows the kernel's longest name ends it.
fn quoted<'a>(text: &'a str, end: &str) -> Option<(&'a str, &'a str)> {
    let at = text.find(end)?;
    Some(text.split_at(at))
}

fn signal_name(number: &str) -> String {
    match number.trim() {
        "9" => "SIGKILL".to_owned(),
        "15" => "SIGTERM".to_owned(),
        other => format!("signal {other}"),
    }
}

fn strip_either<'a>(text: &'a str, starts: [&str; 2]) -> Option<&'a str> {
    starts.iter().find_map(|start| text.strip_prefix(start))
}

fn shortened(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    words.join(" ").chars().take(TEXT_MOST).collect()
}
