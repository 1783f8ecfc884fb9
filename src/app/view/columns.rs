//! [`Column`]: what a column of any pane is, and which ones fit on the screen.

use crate::text::tone::Tone;

/// Text and tone of one cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cell {
    /// The text, uncut.
    pub text: String,
    /// Its meaning.
    pub tone: Tone,
}

/// A cell of this tone and text.
pub fn cell(tone: Tone, text: impl Into<String>) -> Cell {
    Cell {
        text: text.into(),
        tone,
    }
}

/// How wide a column is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Width {
    /// Exactly so many cells.
    Fixed(u16),
    /// A share of the remaining cells, but at least this many.
    AtLeast(u16),
}

impl Width {
    fn least(self) -> u16 {
        match self {
            Self::Fixed(width) | Self::AtLeast(width) => width,
        }
    }
}

/// Alignment of a cell's text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Align {
    /// Text.
    Left,
    /// Numbers.
    Right,
}

/// A column: `C` makes the cell of a row, `S` tells how rows are sorted by it.
#[derive(Debug)]
pub struct Column<C, S> {
    /// Its name, as `--sort` takes it.
    pub id: &'static str,
    /// Its header.
    pub title: &'static str,
    /// What it shows and what its words mean, for the help and the sort dialog.
    pub doc: &'static str,
    /// Width.
    pub width: Width,
    /// Side.
    pub align: Align,
    /// On a narrow screen, columns with the smallest rank stay longest; 0 stays always.
    pub rank: u8,
    /// How rows are sorted by this column; `()` in a pane with its own order.
    pub sort: S,
    /// Text and tone.
    pub cell: C,
}

impl<C, S> Column<C, S> {
    /// Its header, for a list of columns, with the id where the two differ: `RSS`, `BAD‰ (badness)`.
    pub fn heading(&self) -> String {
        if self.title.is_empty() {
            self.id.to_owned()
        } else if self.title.eq_ignore_ascii_case(self.id) {
            self.title.to_owned()
        } else {
            format!("{} ({})", self.title, self.id)
        }
    }
}

/// A column on the screen.
#[derive(Debug)]
pub struct Placed<C: 'static, S: 'static> {
    /// The column.
    pub column: &'static Column<C, S>,
    /// Its left edge, in cells from the left edge of the pane.
    pub x: u16,
    /// Width in cells, without the blank after the column.
    pub width: u16,
}

/// The columns that fit into `width` cells, from the left.
///
/// Drops the columns of the highest rank first. The remaining cells go to the flexible columns: all to a
/// single one; of two, two thirds to the one of the smaller rank.
pub fn fit<C, S>(columns: &'static [Column<C, S>], width: u16) -> Vec<Placed<C, S>> {
    let needed = |max_rank: u8| -> u16 {
        let shown = columns.iter().filter(|c| c.rank <= max_rank);
        shown
            .map(|c| c.width.least() + 1)
            .sum::<u16>()
            .saturating_sub(1)
    };
    let highest = columns.iter().map(|c| c.rank).max().unwrap_or(0);
    let rank = (0..=highest)
        .rev()
        .find(|rank| needed(*rank) <= width)
        .unwrap_or(0);
    let left_over = width.saturating_sub(needed(rank));
    let shown = columns.iter().filter(|c| c.rank <= rank);
    let flexible = shown
        .clone()
        .filter(|c| matches!(c.width, Width::AtLeast(_)))
        .map(|c| c.rank);
    let (several, first) = (flexible.clone().count() > 1, flexible.min());
    let share = |column: &Column<C, S>| match column.width {
        Width::Fixed(_) => 0,
        Width::AtLeast(_) if !several => left_over,
        Width::AtLeast(_) if Some(column.rank) == first => left_over - left_over / 3,
        Width::AtLeast(_) => left_over / 3,
    };
    let mut x: u16 = 0;
    shown
        .map(|column| {
            let width = column.width.least() + share(column);
            let placed = Placed { column, x, width };
            x = x.saturating_add(width + 1);
            placed
        })
        .collect()
}

/// The column at `x`, in cells from the left edge of the pane; includes the blank after the column.
pub fn at<C, S>(columns: &[Placed<C, S>], x: u16) -> Option<&'static Column<C, S>> {
    columns
        .iter()
        .find(|placed| (placed.x..=placed.x + placed.width).contains(&x))
        .map(|placed| placed.column)
}

#[cfg(test)]
mod tests {
    use super::{Align, Column, Width, at, fit};

    const fn column(id: &'static str, width: Width, rank: u8) -> Column<(), ()> {
        Column {
            id,
            title: id,
            doc: id,
            width,
            align: Align::Left,
            rank,
            sort: (),
            cell: (),
        }
    }

    static COLUMNS: &[Column<(), ()>] = &[
        column("side", Width::AtLeast(6), 2),
        column("number", Width::Fixed(4), 1),
        column("name", Width::AtLeast(10), 0),
    ];

    fn places(width: u16) -> Vec<(&'static str, u16, u16)> {
        let placed = fit(COLUMNS, width);
        placed.iter().map(|p| (p.column.id, p.x, p.width)).collect()
    }

    #[test]
    fn the_least_important_go_first_and_the_rest_fill_the_width() {
        assert_eq!(places(3), [("name", 0, 10)]);
        assert_eq!(places(14), [("name", 0, 14)]);
        assert_eq!(places(15), [("number", 0, 4), ("name", 5, 10)]);
        assert_eq!(
            places(31),
            [("side", 0, 9), ("number", 10, 4), ("name", 15, 16)]
        );
    }

    #[test]
    fn a_column_is_found_by_its_cells_and_the_blank_after_it() {
        let placed = fit(COLUMNS, 31);
        let id = |x| at(&placed, x).map(|column| column.id);
        assert_eq!(
            [id(0), id(9), id(10)],
            [Some("side"), Some("side"), Some("number")]
        );
        assert_eq!([id(31), id(32)], [Some("name"), None]);
    }
}
