//! [`Filter`]: what `/` takes. Terms are separated by spaces and all must hold.
//!
//! `text` (in the command line or name), `pid:1,2`, `name:java`, `user:mysql`, `cgroup:web`, and comparisons such
//! as `adj<0`, `rss>100M`, `badness>=10`. `!` before a test turns it round, `|` between tests lets either hold. It binds
//! tighter than the blank, as in search engines: `java|node user:root` are the processes of root that are one or the other.

mod either;
mod keys;
mod number;
mod term;
mod test;
mod words;

use crate::model::kernel::KernelRules;
use crate::model::process::Process;
use crate::model::snapshot::Snapshot;
use term::Term;

pub use either::{alternatives, any_of, unquoted};
pub use keys::keys;
pub use number::{comparisons, fields};
pub use words::words;

/// A parsed filter with the text it came from; empty lets everything through.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Filter {
    text: String,
    terms: Vec<Term>,
}

/// What the terms compare a process with.
#[derive(Debug, Clone, Copy)]
pub struct FilterContext<'a> {
    /// The sample the process is from: names of users and groups, size of memory.
    pub snapshot: &'a Snapshot,
    /// Rules of the kernel.
    pub rules: &'a KernelRules,
    /// Total pages of the OOM domain that `badness` is a share of.
    pub total: u64,
}

impl Filter {
    /// # Errors
    /// A sentence about the first term that makes no sense.
    pub fn parse(text: &str) -> Result<Self, String> {
        words(text)
            .iter()
            .map(|word| Term::parse(word))
            .collect::<Result<_, _>>()
            .map(|terms| Self {
                text: text.to_owned(),
                terms,
            })
    }

    /// The text as typed, to be shown and edited.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The user whose processes alone it lets through, by name or number, in small letters.
    pub fn user(&self) -> Option<&str> {
        self.terms
            .iter()
            .find_map(|term| match term.users()?.as_slice() {
                [user] => Some(*user),
                _ => None,
            })
    }

    /// The same filter for another user, or for all of them: `!user:root` and all other terms stay. The name must not hold
    /// a `"`.
    #[must_use]
    pub fn with_user(&self, user: Option<&str>) -> Self {
        let words = words(&self.text);
        let kept = words.into_iter().zip(&self.terms);
        let kept = kept.filter(|(_, term)| term.users().is_none());
        let (mut words, mut terms): (Vec<_>, Vec<_>) =
            kept.map(|(word, term)| (word, term.clone())).unzip();
        if let Some(user) = user {
            let is_parted = user.contains(|c: char| c.is_whitespace() || c == '|');
            let quote = if is_parted { "\"" } else { "" };
            words.push(format!("user:{quote}{user}{quote}"));
            terms.push(Term::of_user(user));
        }
        Self {
            text: words.join(" "),
            terms,
        }
    }

    /// True if it lets everything through.
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    /// True if some term looks at the command line.
    pub fn needs_commands(&self) -> bool {
        self.terms.iter().any(Term::needs_commands)
    }

    /// True if some term looks at the processor time.
    pub fn needs_cpu(&self) -> bool {
        self.terms.iter().any(Term::needs_cpu)
    }

    /// True if the process passes.
    pub fn matches(&self, process: &Process, context: &FilterContext<'_>) -> bool {
        self.terms.iter().all(|term| term.holds(process, context))
    }
}

/// Case-insensitive search; `needle` is lower case already.
pub fn contains(haystack: &str, needle: &str) -> bool {
    if haystack.is_ascii() && needle.is_ascii() {
        // The common case without an allocation.
        needle.is_empty()
            || haystack
                .as_bytes()
                .windows(needle.len())
                .any(|w| w.eq_ignore_ascii_case(needle.as_bytes()))
    } else {
        haystack.to_lowercase().contains(needle)
    }
}

#[cfg(test)]
mod tests;
