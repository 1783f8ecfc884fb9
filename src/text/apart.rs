//! [`Apart`]: long names in little room that stay different from each other.
//!
//! A name that is cut in the middle keeps both ends. Where names begin alike, end alike and differ between, each keeps what
//! tells it from the others instead: `…blue/orders/wo…worker`.

use std::collections::{BTreeSet, HashMap};

use unicode_segmentation::UnicodeSegmentation as _;

use super::cells::{cells, middle, prefix};

/// Rounds in which names that are still alike are told apart by what comes later in them.
const ROUNDS: usize = 4;

/// What a name keeps that none of the others looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Keeps {
    /// Both ends.
    #[default]
    Ends,
    /// The last levels of a path.
    Last,
}

/// How names are cut that would look the same otherwise.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Apart {
    keeps: Keeps,
    cut: HashMap<String, String>,
}

impl Apart {
    /// Looks at the names that are shown together, each in so many cells.
    pub fn new(
        names: impl IntoIterator<Item = String>,
        keeps: Keeps,
        room: usize,
        ascii: bool,
    ) -> Self {
        let names = names.into_iter().filter(|name| cells(name, ascii) > room);
        let names: BTreeSet<String> = names.collect();
        let mut cut = HashMap::new();
        if room < 8 || names.len() < 2 {
            return Self { keeps, cut };
        }
        for _ in 0..ROUNDS {
            let mut alike: HashMap<String, Vec<&str>> = HashMap::new();
            for name in &names {
                let shown = cut.get(name).cloned();
                let shown = shown.unwrap_or_else(|| keeps.cut(name, room, ascii));
                alike.entry(shown).or_default().push(name);
            }
            let mut is_done = true;
            for names in alike.values().filter(|names| names.len() > 1) {
                is_done = false;
                let from = common(names);
                for name in names {
                    cut.insert((*name).to_owned(), around(name, from, room, ascii));
                }
            }
            if is_done {
                break;
            }
        }
        Self { keeps, cut }
    }

    /// The name in so many cells, as many as [`Self::new`] was told.
    pub fn cut(&self, name: &str, room: usize, ascii: bool) -> String {
        let known = self.cut.get(name).cloned();
        known.unwrap_or_else(|| self.keeps.cut(name, room, ascii))
    }
}

impl Keeps {
    fn cut(self, name: &str, room: usize, ascii: bool) -> String {
        match self {
            Self::Ends => middle(name, room, ascii).into_owned(),
            Self::Last => last(name, room, ascii),
        }
    }
}

/// As many of the last levels as there is room for, or the end of the last one.
fn last(name: &str, room: usize, ascii: bool) -> String {
    if cells(name, ascii) <= room {
        return name.to_owned();
    }
    let fits = |at: &usize| {
        let rest = name.get(*at..).unwrap_or_default();
        cells(rest, ascii) < room
    };
    let levels = name.match_indices('/').map(|(at, _)| at);
    let mut letters = name.grapheme_indices(true).map(|(at, _)| at);
    let from = levels.clone().find(fits).or_else(|| letters.find(fits));
    let from = from.unwrap_or(name.len());
    format!("…{}", name.get(from..).unwrap_or_default())
}

/// Where the first letter stands in which some of these differ.
fn common(names: &[&str]) -> usize {
    let Some((first, rest)) = names.split_first() else {
        return 0;
    };
    let is_same = |at: usize, letter: &str| {
        rest.iter()
            .all(|other| other.get(at..at + letter.len()) == Some(letter))
    };
    let mut letters = first.grapheme_indices(true);
    letters
        .find(|(at, letter)| !is_same(*at, letter))
        .map_or(first.len(), |(at, _)| at)
}

/// The name from the level on in which that letter stands, and its end.
fn around(name: &str, differs: usize, room: usize, ascii: bool) -> String {
    let keep = room - 2;
    let before = name.get(..differs).unwrap_or(name);
    let level = before.rfind('/').map_or(0, |at| at + 1);
    let is_near = cells(before.get(level..).unwrap_or_default(), ascii) <= keep / 3;
    let from = if is_near { level } else { differs };
    let rest = name.get(from..).unwrap_or_default();
    if cells(rest, ascii) < room {
        return format!("…{rest}");
    }
    let (bytes, mut taken) = prefix(rest, keep * 2 / 3, ascii);
    let mut tail = rest.len();
    for (at, grapheme) in rest.grapheme_indices(true).rev() {
        let wide = cells(grapheme, ascii);
        if at < bytes || taken + wide > keep {
            break;
        }
        (taken, tail) = (taken + wide, at);
    }
    let part = |part: Option<&str>| part.unwrap_or_default().to_owned();
    format!("…{}…{}", part(rest.get(..bytes)), part(rest.get(tail..)))
}

#[cfg(test)]
mod tests;
