//! A term of a filter: one test, or several of which one must hold (`java|node`).

use super::FilterContext;
use super::either::alternatives;
use super::keys::Key;
use super::test::Test;
use crate::model::process::Process;

/// Tests of which one must hold; at least one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Term(Vec<Alternative>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Alternative {
    negated: bool,
    test: Test,
}

impl Term {
    /// # Errors
    /// A sentence about the first alternative that makes no sense.
    pub(super) fn parse(word: &str) -> Result<Self, String> {
        // `user:mysql|postgres` are two users: the key counts until another one.
        let mut key = None;
        alternatives(word)
            .map(|alternative| Alternative::parse(alternative, &mut key))
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// The term that only the processes of a user pass.
    pub(super) fn of_user(user: &str) -> Self {
        Self(vec![Alternative {
            negated: false,
            test: Test::User(user.to_lowercase()),
        }])
    }

    /// The users whose processes alone pass; `None` if the term is about something else too.
    pub(super) fn users(&self) -> Option<Vec<&str>> {
        self.0.iter().map(Alternative::user).collect()
    }

    /// True if some alternative looks at the command line.
    pub(super) fn needs_commands(&self) -> bool {
        self.0.iter().any(|a| a.test.needs_command())
    }

    /// True if some alternative looks at the processor time.
    pub(super) fn needs_cpu(&self) -> bool {
        self.0.iter().any(|a| a.test.needs_cpu())
    }

    pub(super) fn holds(&self, process: &Process, context: &FilterContext<'_>) -> bool {
        let holds = |a: &Alternative| a.test.holds(process, context) != a.negated;
        self.0.iter().any(holds)
    }
}

impl Alternative {
    fn parse(word: &str, key: &mut Option<Key>) -> Result<Self, String> {
        let (negated, word) = match word.strip_prefix('!') {
            Some(rest) if !rest.is_empty() => (true, rest),
            _ => (false, word),
        };
        let test = Test::parse(word, key)?;
        Ok(Self { negated, test })
    }

    /// The user whose processes alone pass.
    fn user(&self) -> Option<&str> {
        match &self.test {
            Test::User(user) if !self.negated => Some(user),
            _ => None,
        }
    }
}
