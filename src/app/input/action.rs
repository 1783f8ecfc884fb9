//! [`Action`]: what a key can do: its name, its default keys, and where it does what.

use crate::app::State;
use crate::app::input::id::ActionId;
use crate::app::input::scope::KeyScope;
use crate::app::msg::Effect;

/// Part of the help an action is listed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Group {
    /// Writes something: what stands here is off with `--read-only`.
    Act,
    /// Shows something else.
    Look,
    /// Moves around.
    Move,
    /// The program itself.
    Program,
    /// Exists in dialogs and prompts only.
    Dialog,
}

impl Group {
    /// In the order of the help.
    pub const ALL: &[Self] = &[
        Self::Act,
        Self::Look,
        Self::Move,
        Self::Program,
        Self::Dialog,
    ];

    /// Its heading.
    pub fn title(self) -> &'static str {
        match self {
            Self::Act => "Act",
            Self::Look => "Look",
            Self::Move => "Move",
            Self::Program => "Program",
            Self::Dialog => "In dialogs",
        }
    }
}

/// One thing the user can do with a key. What it does may differ from place to place.
#[derive(Debug)]
pub struct Action {
    /// Its name.
    pub id: ActionId,
    /// One line for the help.
    pub doc: &'static str,
    /// Default keys, the one that sentences name first.
    pub keys: &'static [&'static str],
    /// Part of the help.
    pub group: Group,
    /// Where it exists, and what it does there. No scope is in two of them.
    pub places: &'static [Place],
}

impl Action {
    /// True if it can change the system: off with `--read-only`.
    pub fn writes(&self) -> bool {
        self.group == Group::Act
    }

    /// What it is and does in this scope; `None` where it does not exist.
    pub fn place(&self, scope: KeyScope) -> Option<&Place> {
        self.places.iter().find(|p| p.scopes.contains(&scope))
    }

    /// The scopes it exists in.
    pub fn scopes(&self) -> impl Iterator<Item = KeyScope> {
        self.places.iter().flat_map(|place| place.scopes).copied()
    }
}

/// The scopes in which an action does the same.
#[derive(Debug)]
pub struct Place {
    /// Where.
    pub scopes: &'static [KeyScope],
    /// A word or two for the footer there.
    pub label: Label,
    /// Whom it hits there.
    pub aim: Aim,
    /// Does it.
    pub run: Run,
}

/// Whom an action hits: where the selection has just moved by itself, who presses a key is told first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Aim {
    /// Nobody who is selected.
    Nobody,
    /// The selected process.
    Selected,
    /// The tagged processes, or the selected one.
    Tagged,
    /// The next victim of the selected domain.
    Victim,
}

/// What the footer calls an action.
#[derive(Debug, Clone, Copy)]
pub enum Label {
    /// It is not in the footer.
    Hidden,
    /// Always the same.
    Words(&'static str),
    /// As things stand; `None` while there is nothing to do.
    Of(fn(&State) -> Option<String>),
}

/// Who does it.
#[derive(Debug, Clone, Copy)]
pub enum Run {
    /// This function.
    State(fn(&mut State) -> Vec<Effect>),
    /// The front dialog: `Dialog::on_action`.
    Dialog,
}

impl Place {
    /// In these scopes the function does it; it is not in the footer.
    pub(super) const fn new(
        scopes: &'static [KeyScope],
        run: fn(&mut State) -> Vec<Effect>,
    ) -> Self {
        Self {
            scopes,
            label: Label::Hidden,
            aim: Aim::Nobody,
            run: Run::State(run),
        }
    }

    /// In these scopes the front dialog does it.
    pub(super) const fn dialog(scopes: &'static [KeyScope]) -> Self {
        Self {
            scopes,
            label: Label::Hidden,
            aim: Aim::Nobody,
            run: Run::Dialog,
        }
    }

    /// Hits somebody.
    pub(super) const fn at(self, aim: Aim) -> Self {
        Self { aim, ..self }
    }

    /// With these words in the footer.
    pub(super) const fn label(self, words: &'static str) -> Self {
        Self {
            label: Label::Words(words),
            ..self
        }
    }

    /// With words in the footer that depend on the state.
    pub(super) const fn label_of(self, words: fn(&State) -> Option<String>) -> Self {
        Self {
            label: Label::Of(words),
            ..self
        }
    }
}
