//! Which columns of the view are on the screen, and rows in the order of one of them.

use std::cmp::Ordering;

use unicode_width::UnicodeWidthStr;

use super::columns::{COLUMNS, DomainCell, DomainSort, PlacedDomainColumn, branch};
use super::rows::Row;
use super::{By, Domains, Sorting, name};
use crate::app::State;
use crate::app::msg::Effect;
use crate::app::view::columns::fit;
use crate::model::oom_domain::victim::Scope;
use crate::model::snapshot::{Host, Snapshot};
use crate::text::tone::Tone;

impl State {
    /// The columns of the domains view that fit into so many cells.
    pub fn domain_columns(&self, width: u16) -> Vec<PlacedDomainColumn> {
        let longest = self.domains.longest;
        let wants = |id: &str| longest.filter(|_| id == "domain");
        fit(COLUMNS, width, &wants)
    }

    /// Sorts the domains; by the same column again the other way round.
    pub(in crate::app) fn sort_domains(&mut self, sorting: Sorting) -> Vec<Effect> {
        let text = match sorting {
            Sorting::Tree(order) => {
                self.domains.order = order;
                self.domains.by = None;
                format!("domains by {}, as a tree", order.name())
            }
            Sorting::Column(column) => {
                let again = self.domains.by;
                let again = again.filter(|by| std::ptr::eq(by.column, column));
                self.domains.by = Some(By {
                    column,
                    inverted: again.is_some_and(|by| !by.inverted),
                });
                format!("domains by {}", column.id)
            }
        };
        self.say(Tone::Normal, text);
        self.arrange()
    }
}

impl Domains {
    /// Cells of the longest name of a group with its branch; the name of the host may be cut. `None` without groups.
    pub(super) fn longest_name(&self, snapshot: &Snapshot, host: &Host) -> Option<u16> {
        // A name that is further down may be cut: measuring thousands would cost more than it gives.
        const MEASURED: usize = 500;
        let rows = self.rows().iter().take(MEASURED);
        let names = rows.filter_map(|row| match row {
            Row::Domain {
                scope,
                parent,
                depth,
                ..
            } if *scope != Scope::Host => {
                let own = name(*scope, *parent, &host.name, snapshot);
                Some(branch(*depth).width() + own.width())
            }
            _ => None,
        });
        names.max().and_then(|cells| u16::try_from(cells).ok())
    }

    /// The rows in the order of a column. What the cell does not know comes last, either way round.
    pub(super) fn sorted(
        &self,
        mut rows: Vec<Row>,
        by: By,
        snapshot: &Snapshot,
        host: &Host,
    ) -> Vec<Row> {
        let key = |row: &Row| {
            let cell = self.cell(row, snapshot, host)?;
            Some(match by.column.sort {
                DomainSort::Text => (0.0, (by.column.cell)(&cell).text),
                DomainSort::Number(number) => (-number(&cell)?, String::new()),
            })
        };
        rows.sort_by_cached_key(|row| Key(key(row), by.inverted));
        rows
    }

    /// What the cells of a row read.
    pub fn cell<'a>(
        &'a self,
        row: &Row,
        snapshot: &'a Snapshot,
        host: &'a Host,
    ) -> Option<DomainCell<'a>> {
        let Row::Domain {
            scope,
            index,
            parent,
            depth,
        } = *row
        else {
            return None;
        };
        // The row may be from an older sample than the domains: never show the numbers of another domain.
        let domain = snapshot.domains.get(index);
        Some(DomainCell {
            domain: domain.filter(|domain| domain.scope == scope)?,
            group: scope.memcg().and_then(|key| snapshot.cgroup(key)),
            watch: self.watch(scope)?,
            parent,
            depth,
            snapshot,
            host,
        })
    }
}

/// A place in the order: number, then text; inverted or not.
struct Key(Option<(f64, String)>, bool);

impl Ord for Key {
    fn cmp(&self, other: &Self) -> Ordering {
        match (&self.0, &other.0) {
            (Some((a, x)), Some((b, y))) => {
                let order = a.total_cmp(b).then_with(|| x.cmp(y));
                if self.1 { order.reverse() } else { order }
            }
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => Ordering::Equal,
        }
    }
}

impl PartialOrd for Key {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Key {}
