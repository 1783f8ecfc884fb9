//! The rules view: the rules of `oomtop protect` in their order, whom each holds, and what is wrong with their files.

use std::sync::Arc;

use super::{Dialog, DialogContext, DialogView, Outcome, Section, step};
use crate::app::input::id::ActionId as Id;
use crate::app::input::scope::KeyScope;
use crate::model::process::score::OomScoreAdj;
use crate::model::rules::book::{RuleBook, Standing};
use crate::model::rules::condition::Condition;
use crate::model::rules::{Rule, RuleId};
use crate::text::format::number_of;
use crate::text::tone::{Line, Tone};

/// Rows of the list.
const ROWS: usize = 10;

/// Rules whose details are measured: the dialog keeps its size while the choice goes through them.
const MEASURED: usize = 64;

/// Most faults that are shown.
const FAULTS: usize = 5;

/// Most processes and rules that a line names.
const NAMED: usize = 6;

/// Most processes that are named with their groups.
const STRAYS: usize = 3;

/// Shows the rules.
#[derive(Debug, Default)]
pub struct RulesDialog {
    book: Option<Arc<RuleBook>>,
    chosen: usize,
}

impl RulesDialog {
    fn rule(&self) -> Option<(RuleId, &Rule, &Standing)> {
        let book = self.book.as_ref()?;
        let id = RuleId(self.chosen);
        Some((id, book.rules.get(id)?, book.standings.get(self.chosen)?))
    }
}

impl Dialog for RulesDialog {
    fn scope(&self) -> KeyScope {
        KeyScope::Rules
    }

    fn on_action(&mut self, action: Id, _: &DialogContext<'_>) -> Outcome {
        let len = self.book.as_ref().map_or(0, |book| book.rules.len());
        let to = match action {
            Id::Home => Some(0),
            Id::End => Some(len.saturating_sub(1)),
            Id::ReadOn => step(self.chosen, len, Id::PageDown),
            action => step(self.chosen, len, action),
        };
        if let Some(to) = to {
            self.chosen = to;
            return Outcome::Stay;
        }
        match action {
            Id::Back | Id::Rules => Outcome::Close,
            Id::Commit => match self.rule() {
                Some((_, _, standing)) if !standing.held.is_empty() => {
                    let pids = standing.held.iter().map(|id| id.pid.to_string());
                    Outcome::Filter(format!("pid:{}", pids.collect::<Vec<_>>().join(",")))
                }
                Some(_) => Outcome::Stay,
                None => Outcome::Close,
            },
            _ => Outcome::Stay,
        }
    }

    fn on_rules(&mut self, book: &Arc<RuleBook>) {
        self.chosen = self.chosen.min(book.rules.len().saturating_sub(1));
        self.book = Some(Arc::clone(book));
    }

    fn view(&self, context: &DialogContext<'_>) -> DialogView {
        let holds = self
            .rule()
            .is_some_and(|(_, _, standing)| standing.holds > 0);
        let hints = context
            .hints(self.scope())
            .on_if(holds, &[Id::Commit], "show these processes")
            .on(&[Id::Up, Id::Down], "choose")
            .leave();
        let view = DialogView {
            title: "Rules of oomtop protect".to_owned(),
            hints,
            steady: true,
            ..DialogView::default()
        };
        let Some(book) = &self.book else {
            return view.text(vec![Line::of(Tone::Dim, "reading …")]);
        };
        let view = view.text(faults(book)).text(unread(book));
        if book.rules.is_empty() {
            return view.text(none(book, context));
        }
        let rules = || book.rules.iter().zip(&book.standings);
        let items = rules().map(|((_, rule), standing)| item(rule, standing));
        let tallest = rules()
            .take(MEASURED)
            .map(|((_, rule), standing)| details(rule, standing, book, context).len())
            .max();
        // The heads, the list, a gap, the details, and who applies them.
        let listed = book.standings.len().min(ROWS + 1);
        let rows = 1 + listed + 1 + tallest.unwrap_or(0) + 1;
        let view = DialogView {
            reserved: u16::try_from(rows).unwrap_or(u16::MAX),
            ..view
        };
        let view = view
            .text(vec![Line::of(
                Tone::Dim,
                "   holds  value     rule; the last one that matches a process holds it",
            )])
            .with(Section::Choices {
                items: items.collect(),
                selected: Some(self.chosen),
                height: ROWS,
            })
            .gap();
        let view = match self.rule() {
            Some((_, rule, standing)) => view.text(details(rule, standing, book, context)),
            None => view,
        };
        view.text(vec![applied(book)])
    }
}

fn faults(book: &RuleBook) -> Vec<Line> {
    if book.faults.is_empty() {
        return Vec::new();
    }
    let mut lines = vec![Line::of(
        Tone::Critical,
        "Something is wrong: oomtop protect takes no rule until it is mended.",
    )];
    let named = book.faults.iter().take(FAULTS);
    lines.extend(named.map(|fault| Line::of(Tone::Critical, format!("  {fault}"))));
    if book.faults.len() > FAULTS {
        let more = book.faults.len() - FAULTS;
        lines.push(Line::of(Tone::Critical, format!("  … and {more} more")));
    }
    lines.push(Line::new());
    lines
}

fn unread(book: &RuleBook) -> Vec<Line> {
    let why = book.unread.iter();
    why.map(|why| Line::of(Tone::Watch, format!("Whom rules hold is unknown: {why}")))
        .collect()
}

fn none(book: &RuleBook, context: &DialogContext<'_>) -> Vec<Line> {
    let adjust = context.keymap.key(Id::Adjust);
    let rule = context.keymap.name_in(KeyScope::Adjust, Id::Rule);
    let mut lines = Vec::new();
    if book.faults.is_empty() {
        lines.push(Line::of(Tone::Normal, "There are no rules."));
    }
    lines.push(Line::of(
        Tone::Dim,
        format!("{adjust}, then {rule} makes a rule of the selected process."),
    ));
    if !book.places.is_empty() {
        let places = book.places.join(", ");
        lines.push(Line::of(Tone::Dim, format!("oomtop looks in {places}")));
    }
    lines
}

fn item(rule: &Rule, standing: &Standing) -> Line {
    let holds = match standing.holds {
        0 => Line::of(Tone::Dim, format!("{:>6}  ", "nobody")),
        holds if is_adrift(standing) => Line::of(Tone::Watch, format!("{holds:>6}  ")),
        holds => Line::of(Tone::Good, format!("{holds:>6}  ")),
    };
    holds
        .add(Tone::Normal, format!("{:<9} ", values(rule)))
        .add(Tone::Strong, rule.title.as_str())
}

/// `-500/+300`: for the processes that match, and for what they start.
fn values(rule: &Rule) -> String {
    let text = |value: Option<OomScoreAdj>| {
        value.map_or_else(|| "-".to_owned(), |value| value.to_string())
    };
    match rule.children {
        None => text(rule.own),
        children => format!("{}/{}", text(rule.own), text(children)),
    }
}

fn details(
    rule: &Rule,
    standing: &Standing,
    book: &RuleBook,
    context: &DialogContext<'_>,
) -> Vec<Line> {
    let mut lines = vec![
        Line::of(Tone::Strong, rule.title.as_str()).add(Tone::Dim, format!("  {}", rule.origin)),
        Line::of(Tone::Dim, "matches ").add(Tone::Normal, conditions(&rule.conditions)),
        Line::of(Tone::Dim, "gives ").add(Tone::Normal, gives(rule)),
    ];
    let snapshot = context.cells.snapshot;
    let names = standing.held.iter().filter_map(|id| snapshot.process(*id));
    let names = names.map(|process| format!("{} {}", process.id.pid, process.comm));
    let held = match standing.holds {
        0 => "holds nobody now".to_owned(),
        holds => {
            let names: Vec<_> = names.take(NAMED).collect();
            let more = holds.saturating_sub(names.len());
            let more = if more > 0 && !names.is_empty() {
                format!(" and {more} more")
            } else {
                String::new()
            };
            let who = if names.is_empty() {
                String::new()
            } else {
                format!(": {}{more}", names.join(", "))
            };
            let count = number_of(holds as u64, "process", "processes");
            format!("holds {count} now{who}")
        }
    };
    lines.push(Line::of(Tone::Normal, held));
    if standing.missing > 0 {
        let verb = if standing.missing == 1 { "does" } else { "do" };
        let text = format!(
            "{} of them {verb} not have that value; oomtop protect writes it",
            standing.missing
        );
        lines.push(Line::of(Tone::Watch, text));
    }
    lines.extend(group_lines(rule, standing, context));
    for (to, count) in standing.lost.iter().take(NAMED) {
        let by = book.rules.get(*to);
        let by = by.map_or_else(String::new, |rule| {
            format!("{} ({})", rule.title, rule.origin)
        });
        lines.push(Line::of(
            Tone::Dim,
            format!("loses {count} that it matches too to {by}"),
        ));
    }
    if rule.is_open_to_all() {
        lines.push(Line::of(
            Tone::Watch,
            "Any user can start a process that it matches and so protects: add a user, unit, cgroup or container that is not everybody's.",
        ));
    }
    lines
}

/// Something is not as the rule says.
fn is_adrift(standing: &Standing) -> bool {
    standing.adrift > 0 || !standing.limits.is_empty()
}

/// Who is not in the group of the rule, and which limits it does not have.
fn group_lines(rule: &Rule, standing: &Standing, context: &DialogContext<'_>) -> Vec<Line> {
    let Some(kept) = &rule.rule_group else {
        return Vec::new();
    };
    let mut lines = Vec::new();
    let snapshot = context.cells.snapshot;
    let named = standing.strays.iter().take(STRAYS).map(|stray| {
        let comm = snapshot.process(stray.id);
        let comm = comm.map_or_else(String::new, |process| format!(" {}", process.comm));
        format!("{}{comm} is in {}", stray.id.pid, stray.at)
    });
    let named: Vec<_> = named.collect();
    if let Some(first) = standing.strays.first() {
        let count = standing.stray_count;
        let more = if count > named.len() { ", …" } else { "" };
        let verb = if count == 1 { "is" } else { "are" };
        let text = format!(
            "{count} of them {verb} not in {}: {}{more}; oomtop protect moves who may be moved, and --why {} tells why one \
             stays",
            kept.group,
            named.join(", "),
            first.id.pid
        );
        lines.push(Line::of(Tone::Watch, text));
    }
    for drift in &standing.limits {
        let then = if drift.is_higher() {
            let key = context.keymap.key(Id::Cgroup);
            format!(
                "oomtop protect lowers no limit of a group that is there: {key} does, on a process in it"
            )
        } else {
            "oomtop protect raises it when it starts or its rules change".to_owned()
        };
        lines.push(Line::of(Tone::Watch, format!("{drift}; {then}")));
    }
    lines
}

fn conditions(conditions: &[Condition]) -> String {
    let words = conditions.iter().map(|condition| {
        let any: Vec<_> = condition.any.iter().map(ToString::to_string).collect();
        format!("{} {}", condition.fact.key(), any.join(" or "))
    });
    words.collect::<Vec<_>>().join(", and ")
}

fn gives(rule: &Rule) -> String {
    let own = rule.own.map_or_else(
        || "nothing to the process itself".to_owned(),
        |value| value.to_string(),
    );
    let values = match rule.children {
        Some(value) => format!("{own}, and {value} to all that it starts"),
        None => own,
    };
    match &rule.rule_group {
        Some(kept) => format!("{values}; keeps them in {kept}"),
        None => values,
    }
}

/// Who applies them.
fn applied(book: &RuleBook) -> Line {
    match book.residents.as_slice() {
        [] => Line::of(
            Tone::Watch,
            "No oomtop protect runs: nobody gives these values to what starts now.",
        ),
        [one] => Line::of(Tone::Dim, format!("oomtop protect runs: {}", one.id.pid)),
        many => Line::of(Tone::Dim, format!("{} oomtop protect run", many.len())),
    }
}
