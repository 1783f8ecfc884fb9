//! What the actions do in the domains view.

use crate::app::State;
use crate::app::dialog::domain::DomainDialog;
use crate::app::dialog::sort::SortDialog;
use crate::app::input::id::ActionId;
use crate::app::input::scope::KeyScope;
use crate::app::msg::Effect;
use crate::app::view::layout::Pane;
use crate::app::view::processes::columns::column;
use crate::model::cgroup::{CgroupKey, CgroupPath};
use crate::model::oom_domain::victim::Scope;
use crate::model::process::Process;
use crate::text::tone::Tone;

use super::death::Death;
use super::rows::Row;
use super::{Order, Sorting};

impl State {
    /// Shows the domains instead of the process table, or the table again.
    pub(in crate::app) fn toggle_domains(&mut self) -> Vec<Effect> {
        self.domains.open = !self.domains.open;
        self.focus = Pane::Processes;
        self.arrange();
        // Whoever opens the view because a domain fills up means that one.
        if self.domains.open
            && let Some(first) = self.domains.filling().first()
        {
            self.domains.select(*first);
        }
        // The next sample reads all files of the groups on the screen.
        self.request_sample()
    }

    /// Shows the domains with this one selected.
    pub(in crate::app) fn show_domain(&mut self, scope: Scope) -> Vec<Effect> {
        self.domains.open = true;
        self.focus = Pane::Processes;
        self.domains.reveal(scope, &self.snapshot, &self.host);
        self.touch_selection();
        self.arrange();
        self.request_sample()
    }

    /// The next victim of the selected domain: in this view, keys act on that process.
    pub(in crate::app) fn next_victim(&self) -> Option<&Process> {
        let domain = self.snapshot.domain(self.domains.selected()?)?;
        // Whoever the row does not name is nobody's aim.
        let verdict = Death::from_domain(domain, &self.snapshot).verdict()?;
        self.snapshot.process(verdict.victim.id)
    }

    /// Why there is no victim, and where the processes are.
    pub(in crate::app) fn why_no_victim(&self) -> String {
        let domain = self.domains.selected();
        let Some(domain) = domain.and_then(|scope| self.snapshot.domain(scope)) else {
            return "no domain is selected".to_owned();
        };
        let why = match Death::from_domain(domain, &self.snapshot) {
            Death::Empty => return "the selected domain has no processes".to_owned(),
            Death::Hangs => "the kernel kills nobody in the selected domain, its tasks hang",
            Death::Throttles => {
                "the kernel kills nobody in the selected domain, it slows the tasks down"
            }
            Death::Panics => "the kernel kills nobody in the selected domain, it panics",
            Death::Asker => "badness does not decide in the selected domain",
            Death::Dying(_) => "the victim of the selected domain is dying already",
            Death::Nobody => "the selected domain has no process that can be killed",
            // It has ended since.
            Death::Kill(..) => "the next victim of the selected domain is gone",
        };
        let key = self.keymap.name_in(KeyScope::Domains, ActionId::Zoom);
        format!("{why}: {key} shows its processes")
    }

    /// The group of the selected domain, if the domain is a group.
    pub(in crate::app) fn selected_group(&self) -> Option<CgroupPath> {
        if self.domains.is_fold_selected() {
            return None;
        }
        let key = self.domains.selected()?.memcg()?;
        Some(self.snapshot.cgroup(key)?.path.clone())
    }

    /// Shows the processes of this domain, ranked by it.
    pub(in crate::app) fn zoom_to(&mut self, scope: Scope) -> Vec<Effect> {
        self.domains.open = false;
        self.domains.zoomed = false;
        self.focus = Pane::Processes;
        self.table.zoom = Some(scope).filter(|scope| *scope != Scope::Host);
        if let Some(badness) = column("badness") {
            self.table.sort = badness;
            self.table.inverted = false;
        }
        self.arrange();
        self.table.select_row(0, &self.snapshot);
        Vec::new()
    }

    /// Shows the processes of the command that was started with oomtop, as soon as a sample has its group as a domain.
    pub(in crate::app) fn zoom_to_watched(&mut self) {
        let Some(wanted) = &self.zoom_wanted else {
            return;
        };
        let groups = self.snapshot.domains.iter();
        let found = groups.map(|domain| domain.scope).find(|scope| {
            let group = scope.memcg().and_then(|key| self.snapshot.cgroup(key));
            group.is_some_and(|group| group.path == *wanted)
        });
        if let Some(scope) = found {
            self.zoom_wanted = None;
            self.zoom_to(scope);
        }
    }

    /// Zooms to the selected domain; opens a folded part.
    pub(in crate::app) fn zoom_to_selected(&mut self) -> Vec<Effect> {
        match self.domains.selected() {
            Some(_) if self.domains.is_fold_selected() => self.fold_or_unfold(),
            Some(scope) => {
                let effects = self.zoom_to(scope);
                self.domains.zoomed = self.table.zoom.is_some();
                effects
            }
            None => Vec::new(),
        }
    }

    /// Enter: details of the selected domain, or the folded part opens or closes.
    pub(in crate::app) fn domain_details(&mut self) -> Vec<Effect> {
        let Some(scope) = self.domains.selected() else {
            return Vec::new();
        };
        if self.domains.is_fold_selected() {
            return self.fold_or_unfold();
        }
        let group = scope.memcg().and_then(|key| self.snapshot.cgroup(key));
        let path = group.map(|group| group.path.clone());
        let mut effects = self.open(DomainDialog::new(scope, path));
        effects.extend(self.request_sample());
        effects
    }

    fn fold_or_unfold(&mut self) -> Vec<Effect> {
        let Some(scope) = self.domains.selected() else {
            return Vec::new();
        };
        let open = !self.domains.is_unfolded(scope);
        self.unfold(open)
    }

    /// Opens or closes the calm domains at the selection.
    pub(in crate::app) fn unfold(&mut self, open: bool) -> Vec<Effect> {
        if open && !self.domains.has_folded() {
            self.say(Tone::Normal, "nothing is folded here");
        } else {
            self.domains.unfold(open);
            self.arrange();
        }
        Vec::new()
    }

    /// Switches between the order by urgency and the order by path.
    pub(in crate::app) fn other_order(&mut self) -> Vec<Effect> {
        let other = match self.domains.order {
            Order::Urgency => Order::Path,
            Order::Path => Order::Urgency,
        };
        self.sort_domains(Sorting::Tree(other))
    }

    /// Opens the list of columns to sort by.
    pub(in crate::app) fn choose_order(&mut self) -> Vec<Effect> {
        self.open(SortDialog::of_domains(&self.domains))
    }

    /// Turns the order of a column round; without one, the tree changes its order.
    pub(in crate::app) fn invert_domains(&mut self) -> Vec<Effect> {
        match self.domains.by {
            Some(by) => self.sort_domains(Sorting::Column(by.column)),
            None => self.other_order(),
        }
    }

    /// The groups whose files the next sample must all read.
    pub fn shown_groups(&self) -> Vec<CgroupKey> {
        let mut shown: Vec<Scope> = self.domains.leading().into_iter().collect();
        shown.extend(self.domains.filling().into_iter().take(4));
        if self.domains.open {
            let on_screen = self.domains.list().visible();
            shown.extend(on_screen.filter_map(|(_, row)| match row {
                Row::Domain { scope, .. } => Some(*scope),
                Row::Fold { .. } => None,
            }));
        }
        let asked = self.dialogs.iter();
        let asked = asked.flat_map(|dialog| dialog.wants_groups(&self.snapshot));
        let shown = shown.into_iter().filter_map(Scope::memcg);
        let mut keys: Vec<CgroupKey> = shown.chain(asked).collect();
        keys.sort_unstable();
        keys.dedup();
        keys
    }
}
