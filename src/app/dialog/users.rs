//! The users dialog: whose processes the table shows.

use std::collections::BTreeMap;

use super::{Dialog, DialogContext, DialogView, Outcome, Section, step};
use crate::app::input::id::ActionId as Id;
use crate::app::input::scope::KeyScope;
use crate::model::filter::Filter;
use crate::text::format;
use crate::text::tone::{Line, Tone};

/// Rows of the list.
const HEIGHT: usize = 16;

/// Chooses a user.
#[derive(Debug)]
pub struct UsersDialog {
    /// The filter in force.
    filter: Filter,
    /// Name of the user that is chosen; `None` for all.
    chosen: Option<String>,
}

/// A user, and what its processes come to.
#[derive(Debug)]
struct User {
    name: String,
    uid: u32,
    share: Share,
}

#[derive(Debug, Default, Clone, Copy)]
struct Share {
    processes: u64,
    pages: u64,
}

impl Share {
    fn add(&mut self, other: Self) {
        self.processes += other.processes;
        self.pages += other.pages;
    }
}

impl User {
    /// As a filter takes it: by number if the name holds a quote.
    fn term(&self) -> String {
        if self.name.contains('"') {
            self.uid.to_string()
        } else {
            self.name.clone()
        }
    }
}

impl UsersDialog {
    /// Opens at the user of the present filter.
    pub fn new(context: &DialogContext<'_>, filter: &Filter) -> Self {
        let is_it = |user: &User| {
            filter.user().is_some_and(|present| {
                user.name.to_lowercase() == present || user.uid.to_string() == present
            })
        };
        let chosen = users(context).into_iter().find(is_it);
        Self {
            filter: filter.clone(),
            chosen: chosen.map(|user| user.name),
        }
    }

    /// The rows: all users, then each by name.
    fn place(&self, users: &[User]) -> usize {
        let at = |name: &String| users.iter().position(|user| user.name == *name);
        self.chosen.as_ref().and_then(at).map_or(0, |at| at + 1)
    }
}

/// The user of a row; `None` for the row of all.
fn user_at(users: &[User], at: usize) -> Option<&User> {
    at.checked_sub(1).and_then(|at| users.get(at))
}

/// The users of the processes of the sample by name, kernel threads left out.
fn users(context: &DialogContext<'_>) -> Vec<User> {
    let snapshot = context.cells.snapshot;
    let mut shares: BTreeMap<u32, Share> = BTreeMap::new();
    for process in snapshot.processes.iter().filter(|p| !p.kernel_thread) {
        shares.entry(process.uid).or_default().add(Share {
            processes: 1,
            pages: process.charged_pages(),
        });
    }
    let mut users: BTreeMap<String, User> = BTreeMap::new();
    for (uid, share) in shares {
        let name = snapshot.user(uid);
        let name = name.map_or_else(|| uid.to_string(), str::to_owned);
        let user = users.entry(name.clone()).or_insert(User {
            name,
            uid,
            share: Share::default(),
        });
        user.share.add(share);
    }
    users.into_values().collect()
}

impl Dialog for UsersDialog {
    fn scope(&self) -> KeyScope {
        KeyScope::Users
    }

    fn on_action(&mut self, action: Id, context: &DialogContext<'_>) -> Outcome {
        let users = users(context);
        if let Some(at) = step(self.place(&users), users.len() + 1, action) {
            self.chosen = user_at(&users, at).map(|user| user.name.clone());
            return Outcome::Stay;
        }
        match action {
            Id::Commit => {
                // The row that is marked, also if the one chosen has ended.
                let user = user_at(&users, self.place(&users)).map(User::term);
                Outcome::Narrow(Box::new(self.filter.with_user(user.as_deref())))
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
        for user in &users {
            all.add(user.share);
        }
        let mut items = vec![row("all users", all)];
        items.extend(users.iter().map(|user| row(&user.name, user.share)));
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
