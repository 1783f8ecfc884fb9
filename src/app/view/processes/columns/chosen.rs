//! [`ChosenColumns`]: which columns are shown, in which order, and how wide: `pid,user,command:40`.

use std::fmt;

use super::command::Commands;
use super::{COLUMNS, Column, column};

/// Widest that a column may be asked for.
const WIDEST: u16 = 1000;

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

    /// The same with this column shown, at the end, or left out. The last one stays.
    #[must_use]
    pub fn toggled(&self, id: &str) -> Self {
        let mut choices: Vec<Choice> = if self.is_empty() {
            let columns = self.columns().into_iter();
            columns
                .map(|column| Choice {
                    id: column.id,
                    width: None,
                })
                .collect()
        } else {
            self.0.clone()
        };
        match choices.iter().position(|choice| choice.id == id) {
            Some(at) if choices.len() > 1 => {
                choices.remove(at);
            }
            Some(_) => {}
            None => choices.extend(column(id).map(|column| Choice {
                id: column.id,
                width: None,
            })),
        }
        Self(choices)
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
    let near = COLUMNS
        .iter()
        .map(|column| (distance(&name.to_ascii_lowercase(), column.id), column.id))
        .min()
        .filter(|(distance, _)| *distance <= 2);
    let hint = near.map_or_else(String::new, |(_, id)| format!("did you mean '{id}'? "));
    let ids: Vec<_> = COLUMNS.iter().map(|column| column.id).collect();
    format!(
        "there is no column '{name}'; {hint}the columns are {}",
        ids.join(", ")
    )
}

/// Letters to add, remove or change (Levenshtein). Names are short: those that are not have nothing near.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    if a.len() > 20 {
        return a.len();
    }
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut corner = i;
        let mut left = i + 1;
        if let Some(first) = row.first_mut() {
            *first = left;
        }
        for (to, above) in b.iter().zip(row.iter_mut().skip(1)) {
            let changed = corner + usize::from(from != *to);
            corner = *above;
            left = changed.min(*above + 1).min(left + 1);
            *above = left;
        }
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::{ChosenColumns, distance};
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
        assert_eq!(distance("growht", "growth"), 2);
        assert_eq!(distance("", "pid"), 3);
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
        assert_eq!(shown(&more.toggled("threads"), "threads"), Some(false));
        let one = ChosenColumns::parse("pid").expect("a column");
        assert_eq!(one.toggled("pid"), one, "a table has a column");
    }
}
