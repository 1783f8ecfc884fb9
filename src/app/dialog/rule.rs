//! The rule dialog: makes a rule of one process, so that what starts later has the value too. Shows the lines and the
//! file they go to before they are written.

use std::sync::Arc;

use super::cgroup::steps::result_lines;
use super::{Dialog, DialogContext, DialogView, Outcome, Pinned, Section, step};
use crate::app::input::id::ActionId as Id;
use crate::app::input::scope::KeyScope;
use crate::app::msg::{Effect, WriteId};
use crate::model::plan::Plan;
use crate::model::plan::receipt::PlanReceipt;
use crate::model::plan::step::Step;
use crate::model::process::ProcessId;
use crate::model::process::protection::Protection;
use crate::model::process::score::OomScoreAdj;
use crate::model::rules::book::{Offer, Resident, RuleBook};
use crate::model::rules::draft::Wish;
use crate::model::rules::own::{RuleEdit, print_of};
use crate::text::format::number_of;
use crate::text::tone::{Line, Tone};

/// Rows of the fullest dialog.
const RESERVED: u16 = 18;

/// Lines of the file above the new ones that are shown.
const CONTEXT: usize = 2;

/// Makes a rule of a pinned process.
#[derive(Debug)]
pub struct RuleDialog {
    target: Pinned,
    value: OomScoreAdj,
    book: Option<Arc<RuleBook>>,
    chosen: usize,
    /// What the process starts is sacrificed.
    sacrifices: bool,
    waiting: Option<WriteId>,
    result: Vec<Line>,
}

impl RuleDialog {
    /// Opens for a process and the value that the rule gives.
    pub fn new(target: Pinned, value: OomScoreAdj) -> Self {
        Self {
            target,
            value,
            book: None,
            chosen: 0,
            sacrifices: false,
            waiting: None,
            result: Vec::new(),
        }
    }

    /// What the dialog must know: rules, and who would be held.
    pub fn request(&self) -> Effect {
        Effect::ReadRules(Some(Wish {
            target: self.target.id,
            value: self.value,
        }))
    }

    fn children(&self) -> Option<OomScoreAdj> {
        let value = Protection::Sacrifice.level().value;
        self.sacrifices.then_some(value)
    }

    fn offer(&self) -> Option<&Offer> {
        self.book.as_ref()?.offers.get(self.chosen)
    }

    /// What would be written.
    fn edit(&self, context: &DialogContext<'_>) -> Option<RuleEdit> {
        let book = self.book.as_ref()?;
        let offer = self.offer()?;
        let told = readers(book, context).filter(|resident| resident.is_usual);
        Some(RuleEdit {
            path: book.own.path.clone(),
            block: offer
                .draft
                .block(&self.target.to_string(), self.value, self.children()),
            add: true,
            seen: print_of(book.own.text.as_deref()),
            tell: told.map(|resident| resident.id).collect(),
            made: 0,
        })
    }

    /// Why nothing can be written, as a sentence.
    fn refusal(&self) -> Option<String> {
        let book = self.book.as_ref()?;
        if let Some(why) = book.unread.as_ref().or(book.own.refused.as_ref()) {
            return Some(why.clone());
        }
        if book.own.path.is_empty() {
            return Some("there is no place for rules here".to_owned());
        }
        if let Some(fault) = book.faults.first() {
            return Some(format!(
                "{fault}: oomtop protect takes no rule until that is mended"
            ));
        }
        if book.offers.is_empty() {
            return Some(format!(
                "{} has ended, its user cannot be read, or no rule holds it (kernel threads, pid 1)",
                self.target
            ));
        }
        if self.offer().is_some_and(|offer| offer.is_there) && !self.sacrifices {
            return Some("a rule does that already".to_owned());
        }
        None
    }
}

/// Running `oomtop protect` that take rules from the user's files, and may be sent a signal.
fn readers<'b>(
    book: &'b RuleBook,
    context: &DialogContext<'_>,
) -> impl Iterator<Item = &'b Resident> {
    let uid = context.host.uid;
    book.residents
        .iter()
        .filter(move |resident| resident.uid == Some(uid))
}

impl Dialog for RuleDialog {
    fn scope(&self) -> KeyScope {
        KeyScope::Rule
    }

    fn on_action(&mut self, action: Id, context: &DialogContext<'_>) -> Outcome {
        if action == Id::Back {
            return Outcome::Close;
        }
        if self.waiting.is_some() {
            return Outcome::Stay;
        }
        let offers = self.book.as_ref().map_or(0, |book| book.offers.len());
        if let Some(at) = step(self.chosen, offers, action) {
            self.chosen = at;
            return Outcome::Stay;
        }
        match action {
            Id::Switch => self.sacrifices = !self.sacrifices,
            Id::Commit => {
                let edit = self.edit(context).filter(|_| self.refusal().is_none());
                if let Some(edit) = edit {
                    self.result.clear();
                    return Outcome::Write(vec![Plan::from_iter([Step::Rule(edit)])]);
                }
            }
            _ => {}
        }
        Outcome::Stay
    }

    fn question(&self) -> usize {
        let known = usize::from(self.book.is_some());
        (self.chosen * 2 + usize::from(self.sacrifices)) * 2 + known
    }

    fn asked(&mut self, id: WriteId) {
        self.waiting = Some(id);
    }

    fn waiting(&self) -> Option<WriteId> {
        self.waiting
    }

    /// Those that are told of the rule.
    fn targets(&self) -> Vec<ProcessId> {
        let residents = self.book.iter().flat_map(|book| &book.residents);
        residents.map(|resident| resident.id).collect()
    }

    fn on_written(&mut self, plans: &[PlanReceipt]) -> Outcome {
        self.waiting = None;
        if plans.iter().all(|plan| plan.failure().is_none()) {
            return Outcome::Close;
        }
        self.result = plans.iter().flat_map(result_lines).collect();
        // What was shown may not be there any more.
        self.book = None;
        Outcome::Perform(vec![self.request()])
    }

    fn on_rules(&mut self, book: &Arc<RuleBook>) {
        // Others ask for rules, too.
        if book.target == Some(self.target.id) && self.waiting.is_none() {
            self.book = Some(Arc::clone(book));
            self.chosen = self.chosen.min(book.offers.len().saturating_sub(1));
        }
    }

    fn view(&self, context: &DialogContext<'_>) -> DialogView {
        let refusal = self.refusal();
        let can_write = self.book.is_some() && refusal.is_none();
        let hints = context
            .hints(self.scope())
            .on_if(can_write, &[Id::Commit], "write")
            .on_if(self.offer().is_some(), &[Id::Up, Id::Down], "match")
            .on_if(self.offer().is_some(), &[Id::Switch], "children")
            .leave();
        let view = DialogView {
            title: format!("Rule of {}: oom_score_adj {}", self.target, self.value),
            hints,
            reserved: RESERVED,
            steady: true,
            ..DialogView::default()
        };
        let Some(book) = &self.book else {
            return view
                .text(self.result.clone())
                .text(vec![Line::of(Tone::Dim, "reading the rules …")]);
        };
        let mut view = view.text(refusal.iter().map(|why| cannot(why)).collect());
        if let Some(edit) = self.edit(context) {
            view = view.text(diff(&edit, book));
        }
        if self.waiting.is_some() {
            view = view.text(vec![Line::of(Tone::Dim, "writing …")]);
        }
        view = view.text(self.result.clone());
        if !book.offers.is_empty() {
            view = view.with(Section::Choices {
                items: book.offers.iter().map(|offer| item(offer, book)).collect(),
                selected: Some(self.chosen),
                height: book.offers.len(),
            });
        }
        let Some(offer) = self.offer() else {
            return view;
        };
        view.text(notes(offer, book))
            .text(vec![self.children_line(context), told(book, context)])
    }
}

impl RuleDialog {
    fn children_line(&self, context: &DialogContext<'_>) -> Line {
        let key = context.keymap.name_in(KeyScope::Rule, Id::Switch);
        let text = match self.children() {
            Some(value) => format!(
                "What it starts is sacrificed: {value}, however deep. {key} lets it inherit the value."
            ),
            None => format!("What it starts inherits the value. {key} sacrifices it instead."),
        };
        Line::of(Tone::Dim, text)
    }
}

fn cannot(why: &str) -> Line {
    Line::of(Tone::Critical, format!("No rule can be written: {why}."))
}

/// The end of the file with the new lines.
fn diff(edit: &RuleEdit, book: &RuleBook) -> Vec<Line> {
    let new = if book.own.text.is_none() {
        "  (a new file)"
    } else {
        ""
    };
    let mut lines =
        vec![Line::of(Tone::Strong, format!("add to {}", edit.path)).add(Tone::Dim, new)];
    let old = book.own.text.as_deref().unwrap_or_default().lines();
    let old: Vec<&str> = old.filter(|line| !line.trim().is_empty()).collect();
    let end = old.iter().skip(old.len().saturating_sub(CONTEXT));
    lines.extend(end.map(|line| Line::of(Tone::Dim, format!("    {line}"))));
    let added = edit.block.lines().filter(|line| !line.is_empty());
    lines.extend(added.map(|line| Line::of(Tone::Good, format!("  + {line}"))));
    lines
}

fn item(offer: &Offer, book: &RuleBook) -> Line {
    let holds = number_of(offer.holds as u64, "process", "processes");
    let line = Line::of(Tone::Normal, format!("{}  ", offer.draft.words()));
    match offer.loses_to.and_then(|id| book.rules.get(id)) {
        _ if offer.is_there => line.add(Tone::Dim, "there is such a rule"),
        Some(rule) => line.add(Tone::Watch, format!("loses to {}", rule.origin)),
        None => line.add(Tone::Dim, holds),
    }
}

/// Who else is held, and who is not.
fn notes(offer: &Offer, book: &RuleBook) -> Vec<Line> {
    let mut lines = Vec::new();
    if let Some(rule) = offer.loses_to.and_then(|id| book.rules.get(id)) {
        lines.push(Line::of(
            Tone::Watch,
            format!(
                "The rule {} ({}) comes later and holds this process all the same.",
                rule.title, rule.origin
            ),
        ));
    }
    match offer.others.as_slice() {
        [] if offer.holds > 1 => lines.push(Line::of(
            Tone::Normal,
            format!("It holds {} of that name now.", offer.holds),
        )),
        [] => {}
        names => lines.push(Line::of(
            Tone::Watch,
            format!("It holds others too, such as {}.", names.join(", ")),
        )),
    }
    lines
}

/// When the rule counts.
fn told(book: &RuleBook, context: &DialogContext<'_>) -> Line {
    let mut usual = readers(book, context).filter(|resident| resident.is_usual);
    let line = |text: String| Line::of(Tone::Dim, text);
    if let Some(first) = usual.next() {
        let more = usual.count();
        let who = if more == 0 {
            format!("oomtop protect ({})", first.id.pid)
        } else {
            format!("{} oomtop protect", more + 1)
        };
        return line(format!("Then SIGHUP to {who}: the rule counts at once."));
    }
    if let Some(other) = book.residents.first() {
        let why = if other.is_usual {
            "runs for another user"
        } else {
            "reads other files (--rules)"
        };
        return Line::of(
            Tone::Watch,
            format!(
                "oomtop protect ({}) {why}: it does not take this rule.",
                other.id.pid
            ),
        );
    }
    line(
        "No oomtop protect runs: the rule counts when one starts, or by oomtop protect --once."
            .to_owned(),
    )
}
