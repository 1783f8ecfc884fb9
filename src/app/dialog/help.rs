//! The help: keys from the action table, columns from the column tables, and the meaning of the numbers.

use super::scroll::Scroll;
use super::{Dialog, DialogContext, DialogView, Outcome};
use crate::app::input::action::Group;
use crate::app::input::id::ActionId as Id;
use crate::app::input::scope::KeyScope;
use crate::app::view::domains::columns;
use crate::app::view::processes::columns::COLUMNS;
use crate::model::filter;
use crate::text::tone::{Line, Tone};
use crate::text::wording;

/// Shows the help.
#[derive(Debug, Default)]
pub struct HelpDialog {
    scroll: Scroll,
}

impl Dialog for HelpDialog {
    fn scope(&self) -> KeyScope {
        KeyScope::Help
    }

    fn on_action(&mut self, action: Id, context: &DialogContext<'_>) -> Outcome {
        match action {
            Id::Back | Id::Commit | Id::Help => return Outcome::Close,
            _ => {
                self.scroll.on_action(action, &self.view(context), context);
            }
        }
        Outcome::Stay
    }

    fn view(&self, context: &DialogContext<'_>) -> DialogView {
        DialogView {
            title: format!("oomtop {}: help", env!("CARGO_PKG_VERSION")),
            hints: context
                .hints(self.scope())
                .on(&[Id::Up, Id::Down, Id::PageUp, Id::PageDown], "scroll")
                .leave(),
            scroll: self.scroll.first(),
            ..DialogView::default()
        }
        .text(lines(context))
    }
}

fn lines(context: &DialogContext<'_>) -> Vec<Line> {
    let mut lines = Vec::new();
    for group in Group::ALL {
        lines.push(Line::of(Tone::Accent, group.title()));
        for action in context.keymap.actions().filter(|a| a.group == *group) {
            let keys = context.keymap.keys_of(action.id).iter();
            let keys: Vec<_> = keys.map(ToString::to_string).collect();
            // The user has bound its keys to something else.
            let keys = if keys.is_empty() {
                "-".to_owned()
            } else {
                keys.join(" ")
            };
            let off = action.writes() && context.settings.read_only;
            let keys = Line::of(
                if off { Tone::Dim } else { Tone::Strong },
                format!("  {keys:<22}"),
            );
            let doc = if off {
                format!("{} (off: read-only)", action.doc)
            } else {
                action.doc.to_owned()
            };
            lines.push(keys.add(if off { Tone::Dim } else { Tone::Normal }, doc));
        }
        lines.push(Line::new());
    }
    lines.push(Line::of(Tone::Accent, "Columns"));
    for column in COLUMNS {
        lines.push(
            Line::of(Tone::Strong, format!("  {:<22}", column.heading()))
                .add(Tone::Normal, column.doc),
        );
    }
    lines.push(Line::new());
    let key = |id| context.keymap.key(id);
    let heading = format!("Domains ({})", key(Id::Domains));
    lines.push(Line::of(Tone::Accent, heading));
    for column in columns::COLUMNS {
        lines.push(
            Line::of(Tone::Strong, format!("  {:<22}", column.title)).add(Tone::Normal, column.doc),
        );
    }
    lines.push(Line::of(
        Tone::Normal,
        format!(
            "  {}, {} and {} act on the next victim of the selected row.",
            key(Id::Adjust),
            key(Id::Cgroup),
            key(Id::Signal)
        ),
    ));
    lines.push(Line::new());
    lines.push(Line::of(Tone::Accent, "Filter"));
    lines.extend(filter_terms());
    lines.push(Line::new());
    lines.push(Line::of(Tone::Accent, "What the kernel counts"));
    let score = format!(
        "SCORE is the same on a coarser scale, the file /proc/PID/oom_score. On this kernel: {}.",
        wording::score_formula(context.cells.rules.score)
    );
    for fact in [
        "Badness is rss + swap + page tables, plus oom_score_adj thousandths of the OOM domain; BAD‰ is its share.",
        "The domain is RAM + swap, or a cgroup's limit: the order inside a group can differ from the host's.",
        "Nice values, run time, children and root do not count (they did, long ago).",
        &score,
        "Never chosen: adj -1000, the host's pid 1 (a container's init is not), kernel threads.",
    ] {
        lines.push(Line::of(Tone::Normal, format!("  {fact}")));
    }
    lines
}

/// The terms of the filter. The examples are written here; a test asks for one of every key.
fn filter_terms() -> Vec<Line> {
    let examples = "adj<0  badness>=10";
    let others: Vec<_> = filter::fields()
        .filter(|field| !examples.contains(field))
        .collect();
    let signs: Vec<_> = filter::comparisons().collect();
    let numbers = format!("also {}; {}", others.join(", "), signs.join(" "));
    let terms = [
        (
            "text",
            "in the command line or name; \"in quotes\" with blanks and signs",
        ),
        ("name:java", "in the name"),
        ("pid:1,812  user:mysql", "these processes, this user"),
        ("cgroup:web", "in the path of the memory cgroup"),
        (examples, &numbers),
        ("!term", "not; terms separated by spaces must all hold"),
        (
            "java|node",
            "either; user:mysql|postgres: either user, in quotes a | is a sign",
        ),
    ];
    let line = |(term, doc)| Line::of(Tone::Strong, format!("  {term:<26}")).add(Tone::Normal, doc);
    terms.map(line).into()
}
