//! [`Column`]: what a column of any pane is, and which ones fit on the screen.

use std::ops::Range;

use crate::text::tone::Tone;

/// Text and tone of one cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cell {
    /// The text, uncut.
    pub text: String,
    /// Its meaning.
    pub tone: Tone,
    /// The bytes of the text that stand out: the name in a command line.
    pub strong: Range<usize>,
    /// Its end tells it from others, so it is cut in the middle.
    pub ends: bool,
}

/// A cell of this tone and text.
pub fn cell(tone: Tone, text: impl Into<String>) -> Cell {
    Cell {
        text: text.into(),
        tone,
        strong: 0..0,
        ends: false,
    }
}

/// A cell of a path or a name that begins as others do.
pub fn path_cell(tone: Tone, text: impl Into<String>) -> Cell {
    Cell {
        ends: true,
        ..cell(tone, text)
    }
}

/// How wide a column is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Width {
    /// Exactly so many cells.
    Fixed(u16),
    /// A share of the remaining cells, but at least this many, or what the contents fill.
    AtLeast(u16),
    /// What the contents fill, within these bounds.
    Within(u16, u16),
    /// The same as [`Self::AtLeast`] the first number; columns of less importance come only where it has so many cells
    /// as the second number says.
    Roomy(u16, u16),
}

/// Columns up to this rank may take the room that makes a [`Width::Roomy`] column comfortable.
const WORTH_IT: u8 = 4;

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
    /// The cells without which the column is not shown.
    fn least(&self, wants: Wants<'_>) -> u16 {
        self.cells(self.width, wants)
    }

    /// The same with another width.
    fn cells(&self, width: Width, wants: Wants<'_>) -> u16 {
        let title = u16::try_from(self.title.chars().count()).unwrap_or(u16::MAX);
        match width {
            Width::Fixed(width) => width,
            Width::AtLeast(width) | Width::Roomy(width, _) => {
                let wanted = wants(self.id).map_or(width, |wanted| wanted.max(title));
                width.min(wanted)
            }
            Width::Within(least, most) => {
                let wanted = wants(self.id).unwrap_or(most);
                wanted.max(title).max(least).min(most)
            }
        }
    }

    /// The cells that the column should have before less important columns come.
    fn comfort(&self, wants: Wants<'_>) -> u16 {
        match self.width {
            Width::Roomy(_, comfort) => self.cells(Width::AtLeast(comfort), wants),
            _ => self.least(wants),
        }
    }

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

/// Cells that the contents of a flexible column would fill; a column that is not asked about takes any room.
pub type Wants<'a> = &'a dyn Fn(&str) -> Option<u16>;

/// A column that is to be shown, as somebody asked for it.
#[derive(Debug)]
pub struct Asked<C: 'static, S: 'static> {
    /// The column.
    pub column: &'static Column<C, S>,
    /// Its rank here.
    pub rank: u8,
    /// Exactly so many cells; `None` for its own width.
    pub width: Option<u16>,
    /// Somebody named it: text shrinks before it goes.
    pub named: bool,
}

impl<C, S> Asked<C, S> {
    /// The column as its row says.
    pub fn plain(column: &'static Column<C, S>) -> Self {
        Self {
            column,
            rank: column.rank,
            width: None,
            named: false,
        }
    }

    /// The cells without which it is not shown. Text of a wanted width takes what there is.
    fn least(&self, wants: Wants<'_>) -> u16 {
        match self.width {
            Some(width) if self.is_flexible() => width.min(self.column.least(wants)),
            Some(width) => width,
            None => self.column.least(wants),
        }
    }

    /// The cells that it takes where there are enough.
    fn most(&self, wants: Wants<'_>) -> u16 {
        self.width
            .or_else(|| wants(self.column.id))
            .unwrap_or(u16::MAX)
    }

    fn comfort(&self, wants: Wants<'_>) -> u16 {
        self.width.unwrap_or_else(|| self.column.comfort(wants))
    }

    fn is_flexible(&self) -> bool {
        matches!(self.column.width, Width::AtLeast(_) | Width::Roomy(..))
    }
}

/// The columns that fit into `width` cells, from the left.
///
/// Takes the columns of the smallest rank first; those of the first rank that do not all fit are tried one by one, and
/// so are those of higher ranks. The remaining cells go to the flexible columns: all to a single one; of two, a third to
/// the one of the higher rank. What one of the two does not want goes to the other.
pub fn fit<C, S>(
    columns: &'static [Column<C, S>],
    width: u16,
    wants: Wants<'_>,
) -> Vec<Placed<C, S>> {
    let asked: Vec<_> = columns.iter().map(Asked::plain).collect();
    fit_asked(&asked, width, wants)
}

/// The same for columns in an order of their own.
pub fn fit_asked<C, S>(asked: &[Asked<C, S>], width: u16, wants: Wants<'_>) -> Vec<Placed<C, S>> {
    let shown = which_fit(asked, width, wants);
    let needed = shown.iter().fold(0_u16, |sum, (_, least)| {
        sum.saturating_add(*least).saturating_add(1)
    });
    let left_over = width.saturating_sub(needed.saturating_sub(1));
    let mut flexible: Vec<_> = shown
        .iter()
        .map(|(asked, _)| *asked)
        .filter(|asked| asked.is_flexible())
        .collect();
    flexible.sort_by_key(|asked| asked.rank);
    let missing = |asked: &Asked<C, S>| asked.most(wants).saturating_sub(asked.least(wants));
    let second = flexible.get(1).map_or(0, |second| {
        let main = flexible.first().map_or(0, |first| missing(first));
        let share = (left_over / 3).max(left_over.saturating_sub(main));
        share.min(missing(second)).min(left_over)
    });
    let extra = |asked: &Asked<C, S>| {
        let place = flexible.iter().position(|f| std::ptr::eq(*f, asked));
        let extra = match place {
            Some(0) => left_over - second,
            Some(1) => second,
            _ => 0,
        };
        match asked.width {
            Some(_) => extra.min(missing(asked)),
            None => extra,
        }
    };
    let mut x: u16 = 0;
    shown
        .iter()
        .map(|(asked, least)| {
            let width = least.saturating_add(extra(asked));
            let column = asked.column;
            let placed = Placed { column, x, width };
            x = x.saturating_add(width).saturating_add(1);
            placed
        })
        .collect()
}

/// Least cells of a column of text that somebody named, where there is not enough room for it.
const SHRUNK: u16 = 8;

/// The columns for which there is room, in their order, with the cells that each has at least.
fn which_fit<'a, C, S>(
    asked: &'a [Asked<C, S>],
    width: u16,
    wants: Wants<'_>,
) -> Vec<(&'a Asked<C, S>, u16)> {
    let mut by_rank: Vec<_> = asked.iter().enumerate().collect();
    by_rank.sort_by_key(|(_, asked)| asked.rank);
    let mut taken = Vec::new();
    let mut used: u16 = 0;
    // What the columns that were taken would like to have besides.
    let mut comfort: u16 = 0;
    for (at, asked) in by_rank {
        let least = asked.least(wants);
        // One blank lies between two columns.
        let end = used
            .saturating_add(u16::from(used > 0))
            .saturating_add(least);
        let reserved = if asked.rank > WORTH_IT { comfort } else { 0 };
        if asked.rank == 0 || end.saturating_add(reserved) <= width {
            used = end;
            comfort += asked.comfort(wants).saturating_sub(least);
            taken.push((at, asked, least));
            continue;
        }
        let left = width.saturating_sub(used).saturating_sub(1);
        if asked.named && asked.is_flexible() && left >= SHRUNK {
            used = width;
            taken.push((at, asked, left));
        }
    }
    taken.sort_by_key(|(at, ..)| *at);
    taken
        .into_iter()
        .map(|(_, asked, least)| (asked, least))
        .collect()
}

/// Widens one column by so many cells, which another one further right gives as far as `keeps` are left to it. What lies
/// between the two moves.
pub fn lend<C, S>(columns: &mut [Placed<C, S>], from: &str, to: &str, cells: u16, keeps: u16) {
    let place = |id: &str| columns.iter().position(|placed| placed.column.id == id);
    let (Some(giver), Some(taker)) = (place(from), place(to)) else {
        return;
    };
    let Some(between) = columns.get_mut(taker..=giver) else {
        return;
    };
    let spare = between.last().map_or(0, |giver| giver.width);
    let cells = cells.min(spare.saturating_sub(keeps));
    for placed in between.iter_mut().skip(1) {
        placed.x += cells;
    }
    if let [taker, .., giver] = between {
        taker.width += cells;
        giver.width -= cells;
    }
}

/// The column at `x`, in cells from the left edge of the pane; includes the blank after the column.
pub fn at<C, S>(columns: &[Placed<C, S>], x: u16) -> Option<&'static Column<C, S>> {
    columns
        .iter()
        .find(|placed| (placed.x..=placed.x + placed.width).contains(&x))
        .map(|placed| placed.column)
}

#[cfg(test)]
mod tests;
