//! The rows of the view, which of them is selected, and what is unfolded.

use std::collections::HashSet;

use super::rows::{self, Row};
use super::{Domains, Order};
use crate::app::view::list::{Hold, List};
use crate::model::cgroup::CgroupPath;
use crate::model::oom_domain::victim::Scope;
use crate::model::snapshot::{Host, Snapshot};

/// What rows are arranged by: after a change, a place in the old order means nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Arrangement {
    order: Order,
    by: Option<(&'static str, bool)>,
    filter: String,
    unfolded: HashSet<Scope>,
    room: usize,
}

impl Arrangement {
    /// True if a group that becomes empty gets another place because of that.
    fn sinks_when_empty(&self) -> bool {
        match self.by {
            Some((column, _)) => !matches!(
                column,
                "domain" | "limit" | "high" | "max" | "oom" | "kills"
            ),
            None => self.order == Order::Urgency,
        }
    }
}

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
            self.lived = None;
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
        let arrangement = self.arrangement();
        let as_before = self.arrangement.as_ref() == Some(&arrangement);
        let sinks = as_before && arrangement.sinks_when_empty();
        self.arrangement = Some(arrangement);
        let (watches, lived) = (&self.watches, self.lived);
        self.list.set_rows(rows, |row| match row {
            // A group that became empty is no longer urgent and would sink, before it is removed.
            Row::Domain { scope, .. } if sinks && lived == Some(*scope) => {
                let watch = watches.get(scope);
                if watch.is_some_and(|watch| watch.has_victims) {
                    Hold::Firm
                } else {
                    Hold::Staying
                }
            }
            Row::Domain { .. } | Row::Fold { .. } => Hold::Firm,
        });
        self.path = self.selected().and_then(path).cloned();
        self.note_whether_it_lives();
        self.longest = self.longest_name(snapshot, host);
    }

    fn arrangement(&self) -> Arrangement {
        Arrangement {
            order: self.order,
            by: self.by.map(|by| (by.column.id, by.inverted)),
            filter: self.filter.clone(),
            unfolded: self.unfolded.clone(),
            room: self.room,
        }
    }

    /// Records whether somebody in the selected domain can be killed.
    fn note_whether_it_lives(&mut self) {
        let selected = self.selected().filter(|_| !self.is_fold_selected());
        let lives = selected.is_some_and(|scope| self.has_victims(scope));
        if lives || self.lived != selected {
            self.lived = selected.filter(|_| lives);
        }
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
        self.note_whether_it_lives();
    }

    /// True if the selected row is a folded part.
    pub fn is_fold_selected(&self) -> bool {
        self.selected_fold().is_some()
    }

    /// Whether the selected folded part is open; `None` if a domain is selected.
    pub fn selected_fold(&self) -> Option<bool> {
        match self.list.selected_row()? {
            Row::Fold { open, .. } => Some(*open),
            Row::Domain { .. } => None,
        }
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
