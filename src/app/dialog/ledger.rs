//! The ledger: where the memory of the host or of one domain is, what frees it, and what no kill does.

mod holders;

use holders::Holders;

use std::time::Duration;

use super::scroll::Scroll;
use super::{Dialog, DialogContext, DialogView, Outcome};
use crate::app::input::id::ActionId as Id;
use crate::app::input::scope::KeyScope;
use crate::model::cgroup::container;
use crate::model::cgroup::{CgroupKey, CgroupPath};
use crate::model::ledger::prospect::prospect;
use crate::model::ledger::{Account, FreedBy, Place, Prospect};
use crate::model::oom_domain::victim::Scope;
use crate::model::snapshot::Snapshot;
use crate::model::time::Monotonic;
use crate::text::format;
use crate::text::ledger;
use crate::text::tone::{Line, Tone};

/// After this time a reading that has not ended is named.
const SLOW: Duration = Duration::from_secs(5);

/// Shows one pinned ledger; its numbers keep updating.
#[derive(Debug)]
pub struct LedgerDialog {
    scope: Scope,
    path: Option<CgroupPath>,
    account: Option<Result<Account, String>>,
    opened: Monotonic,
    scroll: Scroll,
}

impl LedgerDialog {
    /// Opens for this domain. The path pins the group: the kernel reuses the key of a removed group.
    pub fn new(scope: Scope, path: Option<CgroupPath>, opened: Monotonic) -> Self {
        Self {
            scope,
            path,
            account: None,
            opened,
            scroll: Scroll::default(),
        }
    }

    /// True while the domain is the one that the page was opened for.
    fn is_there(&self, snapshot: &Snapshot) -> bool {
        match self.scope.memcg() {
            Some(key) => snapshot
                .cgroup(key)
                .is_some_and(|group| group.present && Some(&group.path) == self.path.as_ref()),
            None => true,
        }
    }

    fn place(&self, snapshot: &Snapshot, page_size: u64) -> Option<Place> {
        if self.path.is_none() {
            return Some(Place::Host);
        }
        self.is_there(snapshot).then_some(())?;
        Place::of_group(self.scope, snapshot, page_size)
    }

    fn lines(&self, context: &DialogContext<'_>) -> Vec<Line> {
        let snapshot = context.cells.snapshot;
        if !self.is_there(snapshot) {
            return vec![Line::of(Tone::Watch, "This group is gone.")];
        }
        let account = match &self.account {
            Some(Ok(account)) => account,
            Some(Err(reason)) => return vec![Line::of(Tone::Watch, reason.clone())],
            None => {
                let waited = snapshot.taken.monotonic.since(self.opened);
                let text = if waited < SLOW {
                    "reading …".to_owned()
                } else {
                    let waited = format::duration(waited);
                    format!("Still reading after {waited}: a file of the kernel does not answer.")
                };
                return vec![Line::of(Tone::Dim, text)];
            }
        };
        let mut lines = self.verdict(account, context);
        lines.push(Line::new());
        let holders = Holders {
            account,
            snapshot,
            scope: self.scope,
            page_size: context.host.rules.page_size,
        };
        lines.extend(ledger::rows(&account.ledger, |kind| holders.lines(kind)));
        lines.extend(gaps(account));
        lines
    }

    fn verdict(&self, account: &Account, context: &DialogContext<'_>) -> Vec<Line> {
        let snapshot = context.cells.snapshot;
        let used = account.ledger.used;
        let known = snapshot.domain(self.scope).and_then(|domain| {
            let ledger = Some(&account.ledger).filter(|_| account.group.is_none());
            prospect(domain, snapshot, context.host.rules.page_size, ledger)
        });
        // The rows are shares of what was read: all of the page counts from that.
        let known = known.map(|known| Prospect { used, ..known });
        let mut lines = vec![held(used, known.as_ref())];
        let droppable = account.ledger.freed_by(FreedBy::Reclaim);
        lines.extend(known.and_then(|known| differs(&known, droppable, account.group.is_none())));
        let group = self.scope.memcg().and_then(|key| snapshot.cgroup(key));
        let unwritten = group
            .and_then(|group| group.stat)
            .map_or(0, |stat| stat.unwritten);
        if unwritten > used / 200 {
            let text = format!(
                "{} of the page cache must be written to a disk first: who needs memory waits for that.",
                format::size(unwritten)
            );
            lines.push(Line::of(Tone::Dim, text));
        }
        if let Some(known) = known {
            lines.push(ledger::verdict(&known, self.scope == Scope::Host));
            lines.push(Line::of(
                Tone::Dim,
                format!(
                    "{} of {} can be killed. It is less if they share pages by fork.",
                    known.killable,
                    format::number_of(known.members, "process", "processes"),
                ),
            ));
        } else {
            let why = if account.group.is_some() {
                "its memory.stat has not been read yet, or it has no limit"
            } else {
                "not all processes can be seen from here"
            };
            let text = format!("What a kill frees is not known: {why}.");
            lines.push(Line::of(Tone::Dim, text));
        }
        if account.group.is_some() && context.host.cgroups.is_v1() {
            let text = "Page tables and stacks are those of its processes: v1 counts kernel memory as one number.";
            lines.push(Line::of(Tone::Dim, text));
        }
        let source = match account.group {
            Some(_) if context.host.cgroups.is_v1() => "memory.usage_in_bytes",
            Some(_) => "memory.current",
            None => "MemTotal - MemFree - free lists of CPUs",
        };
        lines.push(Line::of(
            Tone::Dim,
            format!("used is {used} bytes: {source}"),
        ));
        let excess = account.ledger.excess();
        if excess > used / 50 {
            lines.push(Line::of(
                Tone::Watch,
                format!(
                    "The rows are {} more than used: counters changed between two reads, or name pages twice.",
                    format::size(excess)
                ),
            ));
        }
        lines
    }
}

/// What is used, and how much of it is left to kills: the number that the verdict counts from.
fn held(used: u64, known: Option<&Prospect>) -> Line {
    let line = Line::of(Tone::Normal, format!("used {}", format::size(used)));
    match known {
        None => line,
        Some(known) => line.add(
            Tone::Normal,
            format!(
                " = {} held + {} that reclaim frees",
                format::size(known.held()),
                format::size(used - known.held())
            ),
        ),
    }
}

/// Why reclaim frees another part than the rows say that can be dropped; `None` if it is about the same.
fn differs(known: &Prospect, droppable: u64, is_host: bool) -> Option<Line> {
    let Prospect {
        by_reclaim, used, ..
    } = *known;
    let part = by_reclaim.abs_diff(droppable);
    if part <= used / 200 || format::size(by_reclaim) == format::size(droppable) {
        return None;
    }
    let (part, all) = (format::size(part), format::size(droppable));
    let text = match (by_reclaim < droppable, is_host) {
        (true, true) => {
            format!(
                "Of the {all} that can be dropped the kernel keeps about {part} (MemAvailable)."
            )
        }
        (true, false) => {
            format!("Of the {all} that can be dropped {part} is not on the lists of files.")
        }
        (false, _) => {
            format!("{part} of that is shared memory, which goes to swap; {all} can be dropped.")
        }
    };
    Some(Line::of(Tone::Dim, text))
}

/// What could not be read.
fn gaps(account: &Account) -> Vec<Line> {
    let mut lines = Vec::new();
    if !account.looked_at_files {
        lines.push(Line::of(Tone::Dim, "looking for files …"));
    }
    for gap in &account.gaps {
        lines.push(Line::of(Tone::Dim, format!("Not known: {gap}.")));
    }
    if !lines.is_empty() {
        lines.insert(0, Line::new());
    }
    lines
}

impl Dialog for LedgerDialog {
    fn scope(&self) -> KeyScope {
        KeyScope::Ledger
    }

    fn on_action(&mut self, action: Id, context: &DialogContext<'_>) -> Outcome {
        match action {
            Id::Back | Id::Commit | Id::Ledger => return Outcome::Close,
            _ => {
                self.scroll.on_action(action, &self.view(context), context);
            }
        }
        Outcome::Stay
    }

    fn wants_groups(&self, snapshot: &Snapshot) -> Vec<CgroupKey> {
        let own = self.scope.memcg().filter(|_| self.is_there(snapshot));
        own.into_iter().collect()
    }

    fn wants_ledger(&self, snapshot: &Snapshot, page_size: u64) -> Option<Place> {
        self.place(snapshot, page_size)
    }

    fn on_ledger(&mut self, answer: &Result<Account, String>) {
        match answer {
            Ok(account) if account.group != self.path => {}
            // The quick part must not take away the files of the reading before.
            Ok(account) if !account.looked_at_files && self.has_files() => {}
            answer => self.account = Some(answer.clone()),
        }
    }

    fn view(&self, context: &DialogContext<'_>) -> DialogView {
        let name = match &self.path {
            None => format!("host {}", context.host.name),
            Some(path) => container::label(path.as_str()).unwrap_or_else(|| path.to_string()),
        };
        DialogView {
            title: format!("Where the memory is: {name}"),
            hints: context
                .hints(self.scope())
                .on(&[Id::Up, Id::Down, Id::PageUp, Id::PageDown], "scroll")
                .leave(),
            scroll: self.scroll.first(),
            ..DialogView::default()
        }
        .text(self.lines(context))
    }
}

impl LedgerDialog {
    fn has_files(&self) -> bool {
        matches!(&self.account, Some(Ok(account)) if account.looked_at_files)
    }
}
