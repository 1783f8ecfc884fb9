//! [`Draft`]: a configuration file as it would be written, shown before it is.

use std::path::PathBuf;

/// A file that is there, or will be, and what changes in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// The file.
    pub path: PathBuf,
    /// Its text now; `None` if there is no such file.
    pub before: Option<String>,
    /// Its text afterwards.
    pub after: String,
    /// What the user should know: a stronger layer that hides a value.
    pub notes: Vec<String>,
}

/// A line of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Changed<'t> {
    /// Stays.
    Kept(&'t str),
    /// Goes.
    Gone(&'t str),
    /// Comes.
    New(&'t str),
}

impl Draft {
    /// True if nothing would change.
    pub fn is_idle(&self) -> bool {
        self.before.as_deref().unwrap_or_default() == self.after
    }

    /// The lines that change, with one line around each change.
    pub fn diff(&self) -> Vec<Changed<'_>> {
        let before: Vec<_> = self.before.as_deref().unwrap_or_default().lines().collect();
        let after: Vec<_> = self.after.lines().collect();
        let all = changes(&before, &after);
        let is_kept = |at: usize| matches!(all.get(at), None | Some(Changed::Kept(_)));
        let is_near = |at: usize| !(is_kept(at) && is_kept(at + 1) && is_kept(at.wrapping_sub(1)));
        let lines = all.iter().enumerate().filter(|(at, _)| is_near(*at));
        lines.map(|(_, line)| *line).collect()
    }
}

/// Lines that are in both, in order, are kept: each edit touches few lines, so that the first that matches is right.
fn changes<'t>(before: &[&'t str], after: &[&'t str]) -> Vec<Changed<'t>> {
    let mut all = Vec::new();
    let (mut old, mut new) = (0, 0);
    while old < before.len() || new < after.len() {
        match (before.get(old), after.get(new)) {
            (Some(a), Some(b)) if a == b => {
                all.push(Changed::Kept(a));
                (old, new) = (old + 1, new + 1);
            }
            (Some(a), b) if b.is_none() || !after[new..].contains(a) => {
                all.push(Changed::Gone(a));
                old += 1;
            }
            (_, Some(b)) => {
                all.push(Changed::New(b));
                new += 1;
            }
            // One of the two has a line left.
            _ => break,
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::{Changed, Draft};

    #[test]
    fn a_diff_shows_what_changes_and_what_is_beside_it() {
        let draft = |before: Option<&str>, after: &str| Draft {
            path: "c.toml".into(),
            before: before.map(str::to_owned),
            after: after.to_owned(),
            notes: Vec::new(),
        };
        let new = draft(None, "theme = \"dark\"\n");
        assert_eq!(new.diff(), [Changed::New("theme = \"dark\"")]);
        let before = "# mine\n# far\ndelay = 2\nascii = true\n# end\n# far too\n";
        let after = "# mine\n# far\ndelay = 5\nascii = true\n# end\n# far too\n";
        let changed = draft(Some(before), after);
        let expected = [
            Changed::Kept("# far"),
            Changed::Gone("delay = 2"),
            Changed::New("delay = 5"),
            Changed::Kept("ascii = true"),
        ];
        assert_eq!(changed.diff(), expected);
        assert!(!changed.is_idle());
        let gone = draft(Some("delay = 2\nascii = true\n"), "ascii = true\n");
        assert_eq!(gone.diff()[0], Changed::Gone("delay = 2"));
        assert!(draft(None, "").is_idle());
    }
}
