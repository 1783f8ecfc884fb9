//! [`OwnFile`]: the file of rules that oomtop writes, and [`RuleEdit`], a change of it. What a person wrote there stays:
//! a rule is added at the end, and taken away where oomtop has put it.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use crate::model::process::ProcessId;

/// What a new file begins with.
const HEAD: &str = "# Rules that oomtop has added. Edit them as you like.\n";

/// The file as it was found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OwnFile {
    /// Its path; empty if there is no place for one.
    pub path: String,
    /// `None`: there is no such file.
    pub text: Option<String>,
    /// Why oomtop may not write it, or would not read it then, as a sentence.
    pub refused: Option<String>,
    /// How many of the rules come before one at the end of this file.
    pub before: usize,
}

/// A rule that is added to a file, or taken away again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleEdit {
    /// The file.
    pub path: String,
    /// The lines of the rule: an empty one first, and a newline at the end.
    pub block: String,
    /// False: the rule is taken away.
    pub add: bool,
    /// [`print_of`] the file that was shown before a rule is added: another one is left alone.
    pub seen: u64,
    /// Running `oomtop protect` that read this file: they are sent SIGHUP.
    pub tell: Vec<ProcessId>,
    /// Directories right above the file that oomtop has made for it: they go with the file if they are empty.
    pub made: u8,
}

impl RuleEdit {
    /// What takes this back. `made`: directories that were made for the file.
    #[must_use]
    pub fn back(&self, made: u8) -> Self {
        Self {
            add: !self.add,
            made,
            ..self.clone()
        }
    }

    /// Name of the file, for a short sentence.
    #[must_use]
    pub fn file(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(&self.path)
    }
}

/// What there is of a rule in its file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RuleFound {
    /// The file holds it.
    pub is_there: bool,
    /// How many running `oomtop protect` were told to read the file.
    pub told: usize,
    /// Directories right above the file that were made for it.
    pub made: u8,
}

/// Tells whether a file is still the one that was shown.
#[must_use]
pub fn print_of(text: Option<&str>) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

/// The file with the rule at its end.
#[must_use]
pub fn with(text: Option<&str>, block: &str) -> String {
    let Some(text) = text else {
        return format!("{HEAD}{block}");
    };
    let newline = if text.is_empty() || text.ends_with('\n') {
        ""
    } else {
        "\n"
    };
    format!("{text}{newline}{block}")
}

/// The file holds these lines as one rule and nothing has been added to the rule.
#[must_use]
pub fn holds(text: &str, block: &str) -> bool {
    at(text, block).is_some()
}

/// The file without the rule; empty if nothing but what oomtop wrote is left. `None` if the rule is not there as oomtop
/// wrote it.
#[must_use]
pub fn without(text: &str, block: &str) -> Option<String> {
    let (before, after) = text.split_at(at(text, block)?);
    let rest = format!("{before}{}", after.get(block.len()..)?);
    Some(if rest.trim_end() == HEAD.trim_end() {
        String::new()
    } else {
        rest
    })
}

/// Where the rule begins: the last place. A key that follows would be one of the rule, and of the rule before it once
/// this one is gone.
fn at(text: &str, block: &str) -> Option<usize> {
    let at = text.rfind(block)?;
    let rest = text.get(at + block.len()..)?;
    let mut lines = rest.lines().map(str::trim_start);
    let next = lines.find(|line| !line.is_empty() && !line.starts_with('#'));
    let is_whole = next.is_none_or(|line| line.starts_with('['));
    let is_line = at == 0 || text.get(..at).is_some_and(|text| text.ends_with('\n'));
    (is_whole && is_line).then_some(at)
}

#[cfg(test)]
mod tests {
    use super::{HEAD, holds, print_of, with, without};

    const BLOCK: &str = "\n# 7 x\n[[rule]]\nname = \"x\"\nadj = 5\n";

    #[test]
    fn a_rule_is_added_at_the_end_and_taken_away_as_it_was() {
        let new = with(None, BLOCK);
        assert_eq!(new, format!("{HEAD}{BLOCK}"));
        assert_eq!(
            without(&new, BLOCK).as_deref(),
            Some(""),
            "a file of oomtop alone"
        );
        for text in ["", "# mine\n", "[[rule]]\nname = \"a\"\nadj = 1\n\n", HEAD] {
            let added = with(Some(text), BLOCK);
            assert!(added.starts_with(text) && holds(&added, BLOCK), "{added}");
            let expected = if text == HEAD { "" } else { text };
            assert_eq!(without(&added, BLOCK).as_deref(), Some(expected));
            // Rules that were added later stay.
            let other = BLOCK.replace('x', "y");
            let both = with(Some(&added), &other);
            assert_eq!(without(&both, BLOCK), Some(with(Some(text), &other)));
        }
        assert_eq!(with(Some("# no newline"), "\nx\n"), "# no newline\n\nx\n");
    }

    #[test]
    fn a_rule_that_somebody_has_edited_is_left_alone() {
        for text in [
            "",
            &BLOCK.replace("= 5", "= 6"),
            &format!("{BLOCK}user = \"root\"\n"),
            &format!("{BLOCK}\n# and\n  user = \"root\"\n"),
            &format!("x = 1 {BLOCK}"),
        ] {
            assert_eq!(without(text, BLOCK), None, "{text}");
        }
        assert!(holds(
            &format!("{BLOCK}\n# more\n[[rule]]\nadj = 1\n"),
            BLOCK
        ));
    }

    #[test]
    fn a_changed_file_has_another_print() {
        let prints = [None, Some(""), Some("a"), Some("a\n")].map(print_of);
        for (at, print) in prints.iter().enumerate() {
            assert_eq!(prints.iter().position(|other| other == print), Some(at));
        }
    }
}
