//! The incident dialog: what can be done in the next seconds with a group and a process in it. It lists only what the
//! kernel offers for them, shows the plan of the chosen remedy, and stays open, so that the next remedy is one key away.

mod notes;
mod offer;
mod plan;
mod remedy;
mod view;

use super::by::{self, By};
use super::{Dialog, DialogContext, DialogView, Outcome, Pinned};
use crate::app::input::id::ActionId as Id;
use crate::app::input::key::Key;
use crate::app::input::line::LineInput;
use crate::app::input::scope::KeyScope;
use crate::app::msg::{Effect, WriteId};
use crate::model::cgroup::{CgroupKey, CgroupPath, CgroupVersion};
use crate::model::incident::Survey;
use crate::model::plan::receipt::PlanReceipt;
use crate::model::process::ProcessId;
use crate::model::snapshot::Snapshot;

use offer::{Offers, members};
use remedy::{Remedy, SHARES};

/// Freezes, raises, reclaims, kills.
#[derive(Debug)]
pub struct IncidentDialog {
    /// `None`: the process alone, and the host.
    group: Option<CgroupPath>,
    /// Whom to stop or to kill.
    target: Option<Pinned>,
    /// Whom to expose: the one that grows.
    leaker: Option<Pinned>,
    version: CgroupVersion,
    /// What can be done with the group, once it was looked at.
    survey: Option<Result<Survey, String>>,
    /// `None`: nothing; after a write until something is chosen again.
    chosen: Option<Remedy>,
    /// True until the user has chosen or written anything: then the proposed remedy is chosen, without one the first.
    untouched: bool,
    /// What was best when the dialog opened. If it is no longer offered, nothing is chosen: no other remedy may slip
    /// under the key that confirms.
    proposed: Option<Remedy>,
    amount: Amount,
    /// Who raises the limit, if the group is a unit's.
    by: By,
    /// Enter was pressed on what is asked twice.
    insisted: bool,
    /// Lines scrolled away on a screen too low for all.
    scroll: usize,
    /// The write whose receipt is pending.
    waiting: Option<WriteId>,
    result: Vec<PlanReceipt>,
}

/// How much is raised or reclaimed: one of [`SHARES`], or what was typed.
#[derive(Debug, Clone, Default)]
struct Amount {
    share: usize,
    /// Empty: the share counts.
    typed: LineInput,
}

impl Amount {
    /// As it would be typed.
    fn text(&self) -> String {
        if self.typed.text().trim().is_empty() {
            format!("{}%", SHARES.get(self.share).copied().unwrap_or(10))
        } else {
            self.typed.text().trim().to_owned()
        }
    }

    fn next_share(&mut self) {
        self.share = (self.share + 1) % SHARES.len();
        self.typed = LineInput::default();
    }

    /// Takes a key that belongs to an amount; a letter only behind a number: before one it chooses a remedy.
    fn on_key(&mut self, key: Key) -> bool {
        let is_begun = !self.typed.text().is_empty();
        let fits = match key.typed() {
            Some(c) => {
                c.is_ascii_digit()
                    || matches!(c, '+' | '.')
                    || is_begun && "%kKmMgGtTiIbB".contains(c)
            }
            None => is_begun,
        };
        fits && self.typed.on_key(key)
    }
}

impl IncidentDialog {
    /// Opens for a group and a process in it. The caller must send [`Self::request`] too.
    pub fn new(
        group: Option<CgroupPath>,
        target: Option<Pinned>,
        leaker: Option<Pinned>,
        version: CgroupVersion,
    ) -> Self {
        // Without a group there is nothing to look at.
        let nothing = || Ok(Survey::of_nothing(CgroupPath::root()));
        let survey = group.is_none().then(nothing);
        Self {
            group,
            target,
            leaker,
            version,
            survey,
            chosen: None,
            untouched: true,
            proposed: None,
            amount: Amount::default(),
            by: By::default(),
            insisted: false,
            scroll: 0,
            waiting: None,
            result: Vec::new(),
        }
    }

    /// Proposes to let the one that leaks die before the others: that protects them all, and needs no capability.
    #[must_use]
    pub fn proposing_to_expose(mut self) -> Self {
        self.proposed = Some(Remedy::Expose);
        self
    }

    /// Asks what can be done with the group.
    pub fn request(&self) -> Vec<Effect> {
        self.group.iter().cloned().map(Effect::Survey).collect()
    }

    /// Processes of the group, as far as it was looked at.
    fn members(&self, context: &DialogContext<'_>) -> usize {
        let survey = self.survey.as_ref().and_then(|survey| survey.as_ref().ok());
        let found = survey.map_or(0, |survey| survey.members);
        // More may have started since it was asked for.
        let sampled = self
            .group
            .as_ref()
            .map_or(0, |path| members(path, context.cells.snapshot).count());
        found.max(sampled)
    }

    /// The remedy that Enter would carry out: the chosen one while it is offered. At first the first one.
    fn remedy(&self, offers: &Offers) -> Option<Remedy> {
        if self.untouched && self.chosen.is_none() {
            return match self.proposed {
                Some(proposed) => Some(proposed).filter(|one| offers.has(*one)),
                None => offers.first(),
            };
        }
        self.chosen.filter(|chosen| offers.has(*chosen))
    }

    fn choose(&mut self, remedy: Option<Remedy>) {
        if self.chosen != remedy {
            self.amount = Amount::default();
        }
        self.chosen = remedy;
        self.untouched = false;
        self.insisted = false;
        self.scroll = 0;
    }

    fn commit(&mut self, context: &DialogContext<'_>) -> Outcome {
        let offers = Offers::of(self, context);
        let Some(remedy) = self.remedy(&offers) else {
            // Right after a write Enter closes the dialog.
            return match self.survey {
                Some(_) if !self.untouched => Outcome::Close,
                _ => Outcome::Stay,
            };
        };
        let Ok(plans) = plan::plans(self, remedy, context) else {
            return Outcome::Stay;
        };
        if remedy.is_asked_twice(self.members(context)) && !self.insisted {
            self.choose(Some(remedy));
            self.insisted = true;
            return Outcome::Stay;
        }
        self.choose(None);
        self.result.clear();
        Outcome::Write(plans)
    }
}

impl Dialog for IncidentDialog {
    fn scope(&self) -> KeyScope {
        KeyScope::Incident
    }

    fn on_action(&mut self, action: Id, context: &DialogContext<'_>) -> Outcome {
        if action == Id::Back {
            return Outcome::Close;
        }
        if self.waiting.is_some() {
            return Outcome::Stay;
        }
        let offers = Offers::of(self, context);
        let now = self.remedy(&offers);
        self.insisted &= action == Id::Commit;
        match action {
            Id::Commit => return self.commit(context),
            Id::Switch if now.is_some_and(Remedy::takes_amount) => {
                self.choose(now);
                self.amount.next_share();
            }
            Id::Lasting if now == Some(Remedy::Raise) => {
                let group = self.group.as_ref();
                let Some(unit) = by::unit_of(group, context) else {
                    return Outcome::Say(by::why_no_unit(group, true, context));
                };
                self.by = self.by.next(Some(&unit));
            }
            Id::Up => self.choose(offers.beside(now, -1)),
            Id::Down => self.choose(offers.beside(now, 1)),
            Id::PageDown => self.scroll = (self.scroll + 5).min(100),
            Id::PageUp => self.scroll = self.scroll.saturating_sub(5),
            _ => {}
        }
        Outcome::Stay
    }

    fn on_text(&mut self, key: Key, context: &DialogContext<'_>) -> Outcome {
        if self.waiting.is_some() {
            return Outcome::Stay;
        }
        self.insisted = false;
        let offers = Offers::of(self, context);
        let now = self.remedy(&offers);
        if now.is_some_and(Remedy::takes_amount) && self.amount.on_key(key) {
            // Without the reset of the amount.
            self.chosen = now;
            self.untouched = false;
            return Outcome::Stay;
        }
        let named = key.typed().and_then(|letter| offers.named(letter));
        // What is chosen already stays the same question.
        if named.is_some() && named != now {
            self.choose(named);
        }
        Outcome::Stay
    }

    fn question(&self) -> usize {
        let chosen = self.chosen.map_or(0, |chosen| chosen as usize + 1);
        let asked = (chosen * 2 + usize::from(self.insisted)) * 2;
        (asked + usize::from(self.survey.is_some())) * By::ALL.len() + self.by as usize
    }

    fn on_paste(&mut self, text: &str) {
        if self.chosen.is_some_and(Remedy::takes_amount) {
            self.amount.typed.paste(text);
        }
        self.insisted = false;
    }

    fn asked(&mut self, id: WriteId) {
        self.waiting = Some(id);
    }

    fn waiting(&self) -> Option<WriteId> {
        self.waiting
    }

    fn targets(&self) -> Vec<ProcessId> {
        let both = self.target.iter().chain(&self.leaker);
        both.map(|target| target.id).collect()
    }

    fn group(&self) -> Option<&CgroupPath> {
        self.group.as_ref()
    }

    fn on_written(&mut self, plans: &[PlanReceipt]) -> Outcome {
        self.waiting = None;
        self.result = plans.to_vec();
        // What is offered next depends on what has just been done.
        Outcome::Perform(self.request())
    }

    fn on_survey(&mut self, group: &CgroupPath, survey: &Result<Survey, String>) {
        if self.group.as_ref() == Some(group) {
            self.survey = Some(survey.clone());
        }
    }

    fn wants_groups(&self, snapshot: &Snapshot) -> Vec<CgroupKey> {
        let group = self.group.as_ref();
        let key = group.and_then(|path| offer::key_of(path, snapshot));
        // The room around it decides what a raise is worth.
        let mut wanted = snapshot.limited_around(key);
        wanted.extend(key);
        wanted
    }

    fn view(&self, context: &DialogContext<'_>) -> DialogView {
        view::view(self, context)
    }
}
