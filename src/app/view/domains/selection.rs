//! The rows of the view, which of them is selected, and what is unfolded.

use super::Domains;
use super::rows::{self, Row};
use crate::app::view::list::{Hold, List, ListRow};
use crate::model::cgroup::CgroupPath;
use crate::model::oom_domain::victim::Scope;
use crate::model::snapshot::{Host, Snapshot};

impl Domains {
    /// The rows, the selection and what is on the screen.
    pub fn list(&self) -> &List<Row> {
        &self.list
    }

    /// The rows, as last arranged.
    pub fn rows(&self) -> &[Row] {
        self.list.rows()
    }

    /// The selected row.
    pub fn cursor(&self) -> usize {
        self.list.cursor()
    }

    /// The selected domain; for a folded part the one around it.
    pub fn selected(&self) -> Option<Scope> {
        self.list.selected().map(|id| id.scope)
    }

    /// The path of the selected domain; `None` for the host and a set of nodes.
    pub fn selected_path(&self) -> Option<&CgroupPath> {
        self.path.as_ref()
    }

    /// Sets how many rows the screen has room for.
    pub fn set_height(&mut self, rows: usize) {
        self.list.set_height(rows);
    }

    /// Sets how many domains the pane has room for, if the members below are to keep theirs.
    pub(in crate::app) fn set_room(&mut self, rows: usize) {
        self.room = rows;
    }

    /// Puts the rows in order.
    pub fn arrange(&mut self, snapshot: &Snapshot, host: &Host) {
        if !self.open {
            return;
        }
        let path = |scope: Scope| Some(&snapshot.cgroup(scope.memcg()?)?.path);
        if self.selected().and_then(path) != self.path.as_ref() {
            self.list.forget_selected();
        }
        let keep = self.selected();
        let rows = if let Some(by) = self.by {
            let all = rows::matching(snapshot, &self.watches, self.order, &self.filter);
            self.sorted(all, by, snapshot, host)
        } else if self.filter.is_empty() {
            let (watches, unfolded) = (&self.watches, &self.unfolded);
            rows::arrange(snapshot, watches, self.order, unfolded, keep, self.room)
        } else {
            rows::matching(snapshot, &self.watches, self.order, &self.filter)
        };
        let watches = &self.watches;
        self.list.set_rows(rows, |row| {
            let watch = watches.get(&row.id().scope);
            // A group that became empty is no longer urgent and would sink, before it is removed.
            if watch.is_some_and(|watch| watch.has_victims) {
                Hold::Firm
            } else {
                Hold::Staying
            }
        });
        self.path = self.selected().and_then(path).cloned();
        self.longest = self.longest_name(snapshot, host);
    }

    /// Moves the selection by so many rows.
    pub fn move_by(&mut self, rows: isize) {
        self.list.move_by(rows);
        self.note_path();
    }

    /// Selects this domain, if it has a row.
    pub(super) fn select(&mut self, scope: Scope) {
        let mut rows = self.list.rows().iter();
        let is_it = |row: &Row| matches!(row, Row::Domain { scope: own, .. } if *own == scope);
        if let Some(at) = rows.position(is_it) {
            self.list.select(at);
            self.note_path();
        }
    }

    /// Selects what is in this line of the screen; false if there is no row.
    pub fn click(&mut self, line: usize) -> bool {
        let hit = self.list.click(line);
        self.note_path();
        hit
    }

    /// Makes sure that this domain has a row, and selects it.
    pub(super) fn reveal(&mut self, scope: Scope, snapshot: &Snapshot, host: &Host) {
        let path = |scope: Scope| Some(snapshot.cgroup(scope.memcg()?)?.path.clone());
        // The selected domain is never folded away.
        self.list.choose(rows::RowId { scope, fold: false });
        self.path = path(scope);
        self.arrange(snapshot, host);
        if self.selected() != Some(scope) {
            self.filter.clear();
            self.list.choose(rows::RowId { scope, fold: false });
            self.path = path(scope);
            self.arrange(snapshot, host);
        }
    }

    fn note_path(&mut self) {
        let watch = self.selected().and_then(|scope| self.watch(scope));
        self.path = watch.and_then(|watch| watch.path.clone());
    }

    /// True if the selected row is a folded part.
    pub fn is_fold_selected(&self) -> bool {
        matches!(self.list.selected_row(), Some(Row::Fold { .. }))
    }

    /// Shows or hides the calm domains below the selected one, or of the selected folded part.
    pub fn unfold(&mut self, open: bool) {
        let Some(scope) = self.selected() else {
            return;
        };
        if open {
            self.unfolded.insert(scope);
        } else if !self.unfolded.remove(&scope)
            && let Some(Row::Domain {
                parent: Some(parent),
                ..
            }) = self.list.selected_row()
        {
            // The selected domain has nothing unfolded inside it, but it may be one of the calm domains that
            // are unfolded inside its parent: fold those.
            self.unfolded.remove(parent);
        }
    }

    /// True if there is something folded at the selection.
    pub fn has_folded(&self) -> bool {
        let scope = self.selected();
        self.rows().iter().any(
            |row| matches!(row, Row::Fold { parent, open: false, .. } if Some(*parent) == scope),
        )
    }

    /// True if the calm children of this domain are shown.
    pub fn is_unfolded(&self, scope: Scope) -> bool {
        self.unfolded.contains(&scope)
    }
}
