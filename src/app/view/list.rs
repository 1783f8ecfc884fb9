//! [`List`]: the rows of a pane, in order, with one selected.
//!
//! The selection is an identity, never a place: each sample ranks the rows again, and new events come in
//! above the selection. A pane builds its rows and gives each an identity ([`ListRow`]). The list decides
//! once, for all panes, where the selection goes, what is on the screen and how far a key or a click moves.

/// A row of a pane.
pub trait ListRow {
    /// Identity of a row, wherever it moves.
    type Id: Copy + Eq;

    /// The identity of this row, unique in the list.
    fn id(&self) -> Self::Id;

    /// How deep the row stands in a tree. Neighbours of one depth may change places.
    fn depth(&self) -> u16 {
        0
    }

    /// No row is moved past this one, nor this one past another: a heading, or what stands for many rows.
    fn is_fixed(&self) -> bool {
        false
    }
}

/// How the selection holds on to a row that is still in the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hold {
    /// The row is what it was.
    Firm,
    /// The row is about to go, and only therefore has another place in the order: it keeps its place. When the row is
    /// gone, the selection passes to the row that is then there.
    Staying,
    /// The row is about to go and moves, because the order is a tree. When the row is gone, the selection returns to
    /// the place that the row had before.
    Sinking,
    /// Nothing is left of what was selected: the selection leaves the row as if it were gone.
    Lost,
}

/// Rows in order, a selection and a window on them.
///
/// If there are rows, one is selected, and the window shows no blanks that a row could fill.
#[derive(Debug, Clone)]
pub struct List<R: ListRow> {
    rows: Vec<R>,
    selected: Option<R::Id>,
    /// Place of the selected row.
    cursor: usize,
    /// Where the selection goes when its row is gone: the place of that row while it was held firmly.
    home: usize,
    /// First row on the screen.
    offset: usize,
    /// Rows the screen has room for.
    height: usize,
    /// The window moves with the selection; otherwise it stays until the user moves it.
    keeps_in_view: bool,
    /// The selection is whichever row is first while the user has not left the first row.
    stays_on_top: bool,
    /// The user has not left the first row. Matters with `stays_on_top` only.
    on_top: bool,
}

impl<R: ListRow> Default for List<R> {
    fn default() -> Self {
        Self {
            rows: Vec::new(),
            selected: None,
            cursor: 0,
            home: 0,
            offset: 0,
            height: 0,
            keeps_in_view: true,
            stays_on_top: false,
            on_top: true,
        }
    }
}

impl<R: ListRow> List<R> {
    /// A list that grows at its top: selects whichever row is first until the user moves.
    pub fn newest_first() -> Self {
        Self {
            stays_on_top: true,
            ..Self::default()
        }
    }

    /// The rows in order.
    pub fn rows(&self) -> &[R] {
        &self.rows
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// True without any row.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// What is selected; `None` without any row.
    pub fn selected(&self) -> Option<R::Id> {
        self.selected
    }

    /// The selected row.
    pub fn selected_row(&self) -> Option<&R> {
        let row = self.rows.get(self.cursor)?;
        (self.selected == Some(row.id())).then_some(row)
    }

    /// Place of the selected row, 0 = first.
    pub fn cursor(&self) -> usize {
        self.cursor
    }

    /// Place of the first row on the screen.
    pub fn offset(&self) -> usize {
        self.offset
    }

    /// The rows on the screen, each with its place.
    pub fn visible(&self) -> impl Iterator<Item = (usize, &R)> {
        let rows = self.rows.iter().enumerate();
        rows.skip(self.offset).take(self.height)
    }

    /// First and last row on the screen, counted from 1; `None` if all rows fit.
    pub fn window(&self) -> Option<(usize, usize)> {
        let last = (self.offset + self.height).min(self.rows.len());
        (self.rows.len() > self.height).then_some((self.offset + 1, last))
    }

    /// True if the selected row is outside of the window.
    pub fn is_selection_hidden(&self) -> bool {
        self.cursor < self.offset || self.cursor >= self.offset + self.height
    }

    /// Takes the rows of a new sample, order or filter. `hold` is asked about the selected row, if it is
    /// still there. The selection of a row that is gone passes to the row that is now in its place.
    pub fn set_rows(&mut self, rows: Vec<R>, hold: impl FnOnce(&R) -> Hold) {
        self.rows = rows;
        let found = self.place_of_selected();
        let kept = found.and_then(|at| Some((at, hold(self.rows.get(at)?))));
        self.cursor = match kept {
            _ if self.is_on_top() => 0,
            Some((at, Hold::Firm | Hold::Sinking)) => at,
            Some((at, Hold::Staying)) => self.put_back(at),
            Some((_, Hold::Lost)) | None => self.home.min(self.last()),
        };
        self.selected = self.rows.get(self.cursor).map(R::id);
        if !matches!(kept, Some((_, Hold::Staying | Hold::Sinking))) {
            self.home = self.cursor;
        }
        self.on_top |= self.rows.is_empty();
        self.settle_window();
    }

    /// Moves the row in this place to the place it had while it was held firmly, past rows of its own depth; returns
    /// where it is now.
    fn put_back(&mut self, at: usize) -> usize {
        let home = self.home.min(self.last());
        let Some(depth) = self.rows.get(at).map(R::depth) else {
            return at;
        };
        let between = self.rows.get(home.min(at)..=home.max(at));
        let is_level = between.is_some_and(|rows| {
            let is_level = |row: &R| row.depth() == depth && !row.is_fixed();
            rows.iter().all(is_level)
        });
        // What is below the row, or below the one that it would follow, must not be torn off.
        let below = self.rows.get(home.max(at) + 1);
        if !is_level || below.is_some_and(|row| row.depth() > depth) {
            return at;
        }
        if let Some(between) = self.rows.get_mut(home.min(at)..=home.max(at)) {
            if home < at {
                between.rotate_right(1);
            } else {
                between.rotate_left(1);
            }
        }
        home
    }

    fn place_of_selected(&self) -> Option<usize> {
        let id = self.selected?;
        let is_it = |row: &R| row.id() == id;
        // Most samples do not move the selected row.
        if self.rows.get(self.cursor).is_some_and(is_it) {
            return Some(self.cursor);
        }
        self.rows.iter().position(is_it)
    }

    /// Sets how many rows the screen has room for.
    pub fn set_height(&mut self, height: usize) {
        self.height = height;
        self.settle_window();
    }

    /// Sets whether the selection is whichever row is first while the user has not left the first row.
    pub fn stay_on_top(&mut self, stays: bool) {
        self.stays_on_top = stays;
    }

    /// The next rows are more than before by the user's wish, for example without a filter: the selection stays on its
    /// row, also if that was the first.
    pub fn widen(&mut self) {
        self.on_top = false;
    }

    /// True while the selection is whichever row is first.
    pub fn is_on_top(&self) -> bool {
        self.stays_on_top && self.on_top
    }

    /// Sets whether the window moves with the selection when rows move; if not, only the user moves it.
    pub fn keep_in_view(&mut self, keeps: bool) {
        self.keeps_in_view = keeps;
    }

    /// Selects this row as soon as [`Self::set_rows`] has it.
    pub fn choose(&mut self, id: R::Id) {
        self.selected = Some(id);
        self.on_top = false;
    }

    /// The selected row has ended and something else has its identity now: the next rows do not contain it.
    pub fn forget_selected(&mut self) {
        self.selected = None;
    }

    /// The row `new` replaces `old` from the next [`Self::set_rows`] on: the selection goes along.
    pub fn hand_over(&mut self, old: R::Id, new: R::Id) {
        if self.selected == Some(old) {
            self.selected = Some(new);
        }
    }

    /// Selects the row in this place, or the last one, and scrolls to it.
    pub fn select(&mut self, at: usize) {
        self.cursor = at.min(self.last());
        self.home = self.cursor;
        self.on_top = self.cursor == 0;
        self.selected = self.rows.get(self.cursor).map(R::id);
        self.show_selected();
        self.clamp_window();
    }

    /// Moves the selection by so many rows, as far as there are any: `isize::MIN` goes to the first row,
    /// `isize::MAX` to the last.
    pub fn move_by(&mut self, rows: isize) {
        self.select(self.cursor.saturating_add_signed(rows));
    }

    /// Selects the row in this line of the screen, 0 = the topmost; false if there is none.
    pub fn click(&mut self, line: usize) -> bool {
        let at = self.offset + line;
        let hit = line < self.height && at < self.rows.len();
        if hit {
            self.select(at);
            // A click means this row, not its position.
            self.on_top = false;
        }
        hit
    }

    /// Moves the window, not the selection.
    pub fn scroll_by(&mut self, rows: isize) {
        self.offset = self.offset.saturating_add_signed(rows);
        self.clamp_window();
    }

    fn last(&self) -> usize {
        self.rows.len().saturating_sub(1)
    }

    fn settle_window(&mut self) {
        if self.keeps_in_view {
            self.show_selected();
        }
        self.clamp_window();
    }

    fn show_selected(&mut self) {
        let height = self.height.max(1);
        // The cursor is in the window for every offset from `first` to the cursor itself.
        let first = (self.cursor + 1).saturating_sub(height);
        self.offset = self.offset.clamp(first, self.cursor);
    }

    fn clamp_window(&mut self) {
        let most = self.rows.len().saturating_sub(self.height.max(1));
        self.offset = self.offset.min(most);
    }
}

#[cfg(test)]
mod tests;
