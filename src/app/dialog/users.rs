//! The users dialog: whose processes the table shows.

use std::collections::BTreeMap;

use super::{Dialog, DialogContext, DialogView, Outcome, Section, step};
use crate::app::input::id::ActionId as Id;
use crate::app::input::scope::KeyScope;
use crate::text::format;
use crate::text::tone::{Line, Tone};

/// Rows of the list.
const HEIGHT: usize = 16;

/// Chooses a user.
#[derive(Debug)]
pub struct UsersDialog {
    /// The filter without a user.
    rest: String,
    /// Name of the user that is chosen; `None` for all.
    chosen: Option<String>,
}

/// What the processes of a user come to.
#[derive(Debug, Default, Clone, Copy)]
struct Share {
    processes: u64,
    pages: u64,
}

impl UsersDialog {
    /// Opens at the user of the present filter.
    pub fn new(context: &DialogContext<'_>, filter: &str) -> Self {
        let is_user = |term: &&str| term.starts_with("user:");
        let present = filter.split_whitespace().find(is_user);
        let present = present.and_then(|term| term.strip_prefix("user:"));
        let rest: Vec<_> = filter
            .split_whitespace()
            .filter(|term| !is_user(term))
            .collect();
        let known = users(context);
        let chosen = known.keys().find(|name| Some(name.as_str()) == present);
        Self {
            rest: rest.join(" "),
            chosen: chosen.cloned(),
        }
    }

    /// The rows: all users, then each by name.
    fn place(&self, users: &BTreeMap<String, Share>) -> usize {
        let at = |name: &String| users.keys().position(|user| user == name);
        self.chosen.as_ref().and_then(at).map_or(0, |at| at + 1)
    }
}

/// The users of the processes of the sample, kernel threads left out.
fn users(context: &DialogContext<'_>) -> BTreeMap<String, Share> {
    let snapshot = context.cells.snapshot;
    let mut users: BTreeMap<String, Share> = BTreeMap::new();
    for process in snapshot.processes.iter().filter(|p| !p.kernel_thread) {
        let name = snapshot.user(process.uid);
        let name = name.map_or_else(|| process.uid.to_string(), str::to_owned);
        let share = users.entry(name).or_default();
        share.processes += 1;
        share.pages += process.charged_pages();
    }
    users
}

impl Dialog for UsersDialog {
    fn scope(&self) -> KeyScope {
        KeyScope::Users
    }

    fn on_action(&mut self, action: Id, context: &DialogContext<'_>) -> Outcome {
        let users = users(context);
        if let Some(at) = step(self.place(&users), users.len() + 1, action) {
            let user = at.checked_sub(1).and_then(|at| users.keys().nth(at));
            self.chosen = user.cloned();
            return Outcome::Stay;
        }
        match action {
            Id::Commit => {
                let user = self.chosen.as_ref().map(|name| format!("user:{name}"));
                let terms = [self.rest.clone(), user.unwrap_or_default()];
                Outcome::Filter(terms.join(" ").trim().to_owned())
            }
            Id::Back | Id::Users => Outcome::Close,
            _ => Outcome::Stay,
        }
    }

    fn view(&self, context: &DialogContext<'_>) -> DialogView {
        let users = users(context);
        let page = context.cells.rules.page_size;
        let row = |name: &str, share: Share| {
            let count = format::number_of(share.processes, "process", "processes");
            let size = format::size(share.pages.saturating_mul(page));
            Line::of(Tone::Strong, format!("{name:<20} "))
                .add(Tone::Normal, format!("{count:>15} {size:>8}"))
        };
        let mut all = Share::default();
        for share in users.values() {
            all.processes += share.processes;
            all.pages += share.pages;
        }
        let mut items = vec![row("all users", all)];
        items.extend(users.iter().map(|(name, share)| row(name, *share)));
        DialogView {
            title: "Whose processes".to_owned(),
            hints: context
                .hints(self.scope())
                .on(&[Id::Commit], "show them")
                .on(&[Id::Up, Id::Down], "choose")
                .leave(),
            ..DialogView::default()
        }
        .with(Section::Choices {
            height: items.len().min(HEIGHT),
            items,
            selected: Some(self.place(&users)),
        })
        .text(vec![Line::of(
            Tone::Dim,
            "memory: resident, swapped out and page tables, as badness counts it",
        )])
    }
}
