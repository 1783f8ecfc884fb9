//! The fields for limits: of a group to be made, or of one that is there.

use super::{CgroupDialog, change};
use crate::app::dialog::{DialogContext, DialogView, Section};
use crate::app::input::line::LineInput;
use crate::app::input::scope::KeyScope;
use crate::model::cgroup::limits::LimitFile;
use crate::text::tone::{Line, Tone};

/// To make a group: its path, and its limits.
pub(super) fn create_half(
    dialog: &CgroupDialog,
    view: DialogView,
    context: &DialogContext<'_>,
) -> DialogView {
    let mut view = view.with(Section::Field {
        label: if dialog.scope_home().is_some() {
            "new scope"
        } else {
            "new group"
        },
        input: dialog.path.clone(),
        focused: dialog.focus == 0,
        note: None,
        error: None,
    });
    for (at, (file, input)) in dialog.limits.iter().enumerate() {
        let focused = dialog.focus == at + 1;
        view = view.with(Section::Field {
            label: file.name(),
            input: input.clone(),
            focused,
            note: None,
            error: error(*file, input),
        });
    }
    let hint = dialog
        .focus
        .checked_sub(1)
        .and_then(|at| dialog.limits.get(at));
    let path = if dialog.scope_home().is_some() {
        "systemd names the scope by its last part"
    } else {
        "an absolute path below the hierarchy's root"
    };
    let hint = Line::of(Tone::Dim, hint.map_or(path, |(file, _)| file.row().doc));
    let by = dialog
        .unit(context)
        .map(|unit| dialog.by.line(&unit, KeyScope::Cgroup, context));
    view.text(std::iter::once(hint).chain(by).collect())
}

/// The limits of a group that is there.
pub(super) fn limits_half(
    dialog: &CgroupDialog,
    mut view: DialogView,
    context: &DialogContext<'_>,
) -> DialogView {
    let group = dialog.group.as_ref();
    let group = group.and_then(|path| change::group_at(path, context.cells.snapshot));
    for (at, (file, input)) in dialog.changes.iter().enumerate() {
        let now = change::present(*file, group);
        view = view.with(Section::Field {
            label: file.name(),
            input: input.clone(),
            focused: dialog.change_focus == at,
            note: Some(format!("now {}", now.as_deref().unwrap_or("n/a"))),
            error: error(*file, input),
        });
    }
    let hint = dialog.changes.get(dialog.change_focus);
    let by = dialog
        .unit(context)
        .map(|unit| dialog.by.line(&unit, KeyScope::Cgroup, context));
    view.text(
        hint.map(|(file, _)| Line::of(Tone::Dim, file.row().doc))
            .into_iter()
            .chain(by)
            .collect(),
    )
}

/// What is wrong with the typed text.
fn error(file: LimitFile, input: &LineInput) -> Option<String> {
    let parsed = file.parse(input.text());
    parsed.err().map(|error| error.to_string())
}
