//! [`ChosenColumns`]: which columns are shown, in which order, and how wide: `pid,user,command:40`.

use std::fmt;

use super::command::Commands;
use super::{COLUMNS, Column, column};
use crate::text::suggest::nearest;

/// Widest that a column may be asked for.
pub const WIDEST: u16 = 1000;

/// The columns that somebody asked for; empty: those that are shown by themselves.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ChosenColumns(Vec<Choice>);

/// A column and its width, if that was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Choice {
    /// Id of the column.
    pub id: &'static str,
    /// Exactly so many cells.
    pub width: Option<u16>,
}

impl ChosenColumns {
    /// # Errors
    /// An unknown column, with the nearest name; one that is there twice; a width that is no number from 1 to 1000. The
    /// end of a sentence that begins with where the text is from.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut chosen: Vec<Choice> = Vec::new();
        for word in text.split([',', ' ']).filter(|word| !word.is_empty()) {
            let (name, width) = match word.split_once(':') {
                Some((name, width)) => (name, Some(parse_width(name, width)?)),
                None => (word, None),
            };
            let Some(known) = by_name(name) else {
                return Err(unknown(name));
            };
            if chosen.iter().any(|choice| choice.id == known.id) {
                return Err(format!("names the column '{}' twice", known.id));
            }
            let id = known.id;
            chosen.push(Choice { id, width });
        }
        Ok(Self(chosen))
    }

    /// These columns, each as wide as it is by itself.
    pub fn of(ids: &[&'static str]) -> Self {
        let columns = ids.iter().filter_map(|id| column(id));
        Self(columns.map(Choice::plain).collect())
    }

    /// True if nobody chose.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The columns that were asked for, in order.
    pub fn choices(&self) -> impl Iterator<Item = (&'static Column, Option<u16>)> {
        self.0
            .iter()
            .filter_map(|choice| Some((column(choice.id)?, choice.width)))
    }

    /// How much of command lines is shown beside these columns.
    pub fn commands(&self) -> Commands {
        if self.columns().iter().any(|column| column.id == "name") {
            Commands::Beside
        } else {
            Commands::Short
        }
    }

    /// The columns that are shown, in order: those asked for, or those that are shown by themselves.
    pub fn columns(&self) -> Vec<&'static Column> {
        if self.is_empty() {
            COLUMNS.iter().filter(|c| c.cell.by_default).collect()
        } else {
            self.choices().map(|(column, _)| column).collect()
        }
    }

    /// All columns, each with whether it is shown: those that are, in their order, then the others. What a dialog lists.
    pub fn all(&self) -> Vec<(&'static Column, bool)> {
        let shown = self.columns();
        let is_shown = |column: &&Column| shown.iter().any(|c| std::ptr::eq(*c, *column));
        let others = COLUMNS.iter().filter(|column| !is_shown(column));
        let others = others.map(|column| (column, false));
        let shown_ones = shown.iter().map(|column| (*column, true));
        shown_ones.chain(others).collect()
    }

    /// The width that this column was given; `None` for its own.
    pub fn width(&self, id: &str) -> Option<u16> {
        self.0.iter().find(|choice| choice.id == id)?.width
    }

    /// The same with this column shown, at the end but before the command line, or left out. The last one stays.
    #[must_use]
    pub fn toggled(&self, id: &str) -> Self {
        let mut choices = self.as_asked();
        match choices.iter().position(|choice| choice.id == id) {
            Some(at) if choices.len() > 1 => {
                choices.remove(at);
            }
            Some(_) => {}
            None => {
                let is_command = |choice: &Choice| choice.id == "command";
                let end = choices.len() - usize::from(choices.last().is_some_and(is_command));
                choices.splice(end..end, column(id).map(Choice::plain));
            }
        }
        Self::plainest(choices)
    }

    /// The same with this column one place further to the left or to the right.
    #[must_use]
    pub fn moved(&self, id: &str, right: bool) -> Self {
        let mut choices = self.as_asked();
        let at = choices.iter().position(|choice| choice.id == id);
        let to = at.and_then(|at| at.checked_add_signed(if right { 1 } else { -1 }));
        if let (Some(at), Some(to)) = (at, to.filter(|to| *to < choices.len())) {
            choices.swap(at, to);
        }
        Self::plainest(choices)
    }

    /// The same with this column exactly so wide, from 1 to [`WIDEST`], or as wide as it is by itself. One that is not
    /// shown has no width.
    #[must_use]
    pub fn widened(&self, id: &str, width: Option<u16>) -> Self {
        let mut choices = self.as_asked();
        if let Some(choice) = choices.iter_mut().find(|choice| choice.id == id) {
            choice.width = width.map(|width| width.clamp(1, WIDEST));
        }
        Self::plainest(choices)
    }

    /// The columns as if somebody had asked for each that is shown.
    fn as_asked(&self) -> Vec<Choice> {
        if self.is_empty() {
            self.columns().into_iter().map(Choice::plain).collect()
        } else {
            self.0.clone()
        }
    }

    /// Nobody's choice, if these are the columns that are shown by themselves: then they go on to fold away, and no file
    /// keeps today's list for ever.
    fn plainest(choices: Vec<Choice>) -> Self {
        if choices == Self::default().as_asked() {
            Self::default()
        } else {
            Self(choices)
        }
    }
}

impl Choice {
    fn plain(column: &'static Column) -> Self {
        Self {
            id: column.id,
            width: None,
        }
    }
}

impl fmt::Display for ChosenColumns {
    /// What [`ChosenColumns::parse`] takes.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, choice) in self.0.iter().enumerate() {
            let comma = if at > 0 { "," } else { "" };
            write!(f, "{comma}{}", choice.id)?;
            if let Some(width) = choice.width {
                write!(f, ":{width}")?;
            }
        }
        Ok(())
    }
}

fn parse_width(name: &str, text: &str) -> Result<u16, String> {
    let width = text.parse().ok();
    width
        .filter(|width| (1..=WIDEST).contains(width))
        .ok_or_else(|| format!("takes a width from 1 to {WIDEST} after '{name}:', not '{text}'"))
}

/// The column of this id, of this heading, or of the name that top(1), htop(1) and ps(1) have for it.
pub fn by_name(name: &str) -> Option<&'static Column> {
    const ALIASES: &[(&str, &str)] = &[
        ("comm", "name"),
        ("cmd", "command"),
        ("args", "command"),
        ("cmdline", "command"),
        ("res", "rss"),
        ("mem", "rss"),
        ("%mem", "rss"),
        ("memory", "rss"),
        ("pcpu", "cpu"),
        ("%cpu", "cpu"),
        ("cpu%", "cpu"),
        ("time+", "time"),
        ("stime", "start"),
        ("s", "state"),
        ("stat", "state"),
        ("thr", "threads"),
        ("nlwp", "threads"),
        ("nth", "threads"),
        ("bad", "badness"),
        ("oom", "score"),
        ("oom_score", "score"),
        ("oom_score_adj", "adj"),
        ("unit", "cgroup"),
    ];
    let lower = name.to_ascii_lowercase();
    let alias = ALIASES.iter().find(|(alias, _)| *alias == lower);
    column(alias.map_or(lower.as_str(), |(_, id)| id))
}

/// The end of a sentence about a name that no column has.
pub fn unknown(name: &str) -> String {
    let ids: Vec<_> = COLUMNS.iter().map(|column| column.id).collect();
    let hint = nearest(&name.to_ascii_lowercase(), &ids)
        .map_or_else(String::new, |id| format!("did you mean '{id}'? "));
    format!(
        "there is no column '{name}'; {hint}the columns are {}",
        ids.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::ChosenColumns;
    use crate::app::view::processes::columns::COLUMNS;

    #[test]
    fn what_was_asked_for_is_kept_in_its_order_and_can_be_asked_for_again() {
        let text = "pid,rss:8,command:40";
        let chosen = ChosenColumns::parse(text).expect("columns");
        assert_eq!(chosen.to_string(), text);
        let widths: Vec<_> = chosen.choices().map(|(c, width)| (c.id, width)).collect();
        let expected = [("pid", None), ("rss", Some(8)), ("command", Some(40))];
        assert_eq!(widths, expected);
        let names = ChosenColumns::parse("PID, %CPU TIME+ comm").expect("columns");
        assert_eq!(names.to_string(), "pid,cpu,time,name");
        assert!(ChosenColumns::parse("").expect("none").is_empty());
    }

    #[test]
    fn what_makes_no_sense_is_named_with_what_would() {
        for (text, said) in [
            ("pid,usr", "there is no column 'usr'; did you mean 'user'? "),
            (
                "xyzzy",
                "there is no column 'xyzzy'; the columns are mark, ",
            ),
            ("pid,rss,pid", "names the column 'pid' twice"),
            (
                "pid:0",
                "takes a width from 1 to 1000 after 'pid:', not '0'",
            ),
            (
                "pid:x",
                "takes a width from 1 to 1000 after 'pid:', not 'x'",
            ),
        ] {
            let error = ChosenColumns::parse(text).expect_err(text);
            assert!(error.starts_with(said), "{error}");
        }
    }

    #[test]
    fn a_column_is_shown_and_left_out_again() {
        let none = ChosenColumns::default();
        let all = none.all();
        assert_eq!(all.len(), COLUMNS.len());
        let shown = |chosen: &ChosenColumns, id: &str| {
            let all = chosen.all();
            all.iter()
                .find(|(c, _)| c.id == id)
                .map(|(_, shown)| *shown)
        };
        assert_eq!(shown(&none, "threads"), Some(false));
        let more = none.toggled("threads");
        assert_eq!(shown(&more, "threads"), Some(true));
        assert_eq!(more.toggled("threads"), none, "the list is nobody's again");
        let one = ChosenColumns::parse("pid").expect("a column");
        assert_eq!(one.toggled("pid"), one, "a table has a column");
    }

    #[test]
    fn a_column_is_moved_and_given_a_width() {
        let chosen = ChosenColumns::parse("pid,rss:8,command").expect("columns");
        let text = |chosen: ChosenColumns| chosen.to_string();
        assert_eq!(text(chosen.moved("rss", false)), "rss:8,pid,command");
        assert_eq!(text(chosen.moved("rss", true)), "pid,command,rss:8");
        for (id, right) in [("pid", false), ("command", true), ("user", true)] {
            assert_eq!(chosen.moved(id, right), chosen, "{id}");
        }
        assert_eq!(text(chosen.widened("pid", Some(9))), "pid:9,rss:8,command");
        assert_eq!(text(chosen.widened("rss", None)), "pid,rss,command");
        assert_eq!(text(chosen.widened("rss", Some(0))), "pid,rss:1,command");
        assert_eq!(chosen.widened("user", Some(9)), chosen);
        assert_eq!((chosen.width("rss"), chosen.width("pid")), (Some(8), None));
        // There and back again is no choice.
        let none = ChosenColumns::default();
        let there = none.moved("pid", true);
        assert!(!there.is_empty());
        assert_eq!(there.moved("pid", false), none);
    }
}
