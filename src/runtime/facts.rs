//! `--version --verbose`: how this machine is read, and what its kernel counts.

use super::RunError;
use super::headless::{Halt, Session, print};
use crate::linux::SysRoot;
use crate::linux::scan::backend::BackendChoice;
use crate::model::kernel::{KernelRules, RssSource, TieBreak};
use crate::model::snapshot::Needs;
use crate::text::wording;

/// Takes one sample and prints the facts. Returns the exit status.
///
/// # Errors
/// If `/proc` cannot be read, or the output cannot be written (a closed pipe is no error).
pub fn facts(root: &SysRoot, backend: BackendChoice) -> Result<u8, RunError> {
    match facts_text(root, backend).and_then(|text| print(&text)) {
        Ok(()) => Ok(0),
        Err(halt) => halt.status(),
    }
}

fn facts_text(root: &SysRoot, backend: BackendChoice) -> Result<String, Halt> {
    let mut session = Session::new(root.clone(), backend)?;
    let snapshot = session.sample(&Needs::default())?;
    let unshown_error = session.unshown_error()?;
    let host = session.host()?;
    let rules = &host.rules;
    let note = snapshot
        .backend_note
        .as_deref()
        .map_or_else(String::new, |note| format!(" ({note})"));
    let score = wording::score_formula(rules.score);
    let rss = match rules.rss {
        RssSource::Stat => "field 24 of /proc/PID/stat",
        RssSource::Status => "RssAnon + RssFile + RssShmem of /proc/PID/status",
    };
    let unshown = match unshown_error {
        0 => String::new(),
        error => format!(
            "; rows off the screen and far from the top: counters without their per-CPU parts, off by up to {error}"
        ),
    };
    let swapped = match rules.swap_error {
        0 => String::new(),
        error => format!(" ({error} more where swapped out)"),
    };
    let tie = match rules.tie {
        TieBreak::Later => "the later process dies",
        TieBreak::Earlier => "the earlier process dies",
    };
    let lines = [
        format!("oomtop {}", env!("CARGO_PKG_VERSION")),
        format!("kernel         {}", host.release),
        format!("process scan   {}{note}", snapshot.backend),
        format!("cgroups        {}", host.cgroups.name()),
        format!("oom_score      {score}"),
        format!(
            "rss            {rss}, off by up to {} pages of {} bytes{swapped}{unshown}",
            rules.rss_error, rules.page_size
        ),
        format!("               {}", told(rules)),
        format!("tie            {tie}"),
        format!(
            "lower an adj   {}",
            if host.may_lower_adj {
                "allowed (CAP_SYS_RESOURCE)"
            } else {
                "not below what a process inherited (no CAP_SYS_RESOURCE)"
            }
        ),
    ];
    Ok(lines.join("\n") + "\n")
}

/// How oomtop knows which size badness reads.
fn told(rules: &KernelRules) -> String {
    let (stat, status) = (rules.rss_evidence.stat, rules.rss_evidence.status);
    let agree = match rules.rss {
        RssSource::Stat => stat,
        RssSource::Status => status,
    };
    match stat + status {
        0 => "by kernel version: no live process shows a difference".to_owned(),
        all => format!("{agree} of {all} processes whose oom_score shows a difference agree"),
    }
}
