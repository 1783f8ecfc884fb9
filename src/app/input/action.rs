//! [`Action`]: what a key can do: its name, its default keys, and its effect in each scope.

use crate::app::State;
use crate::app::input::id::ActionId;
use crate::app::input::scope::KeyScope;
use crate::app::msg::Effect;

/// Section of the help that lists an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Group {
    /// Writes something. These actions are off with `--read-only`.
    Act,
    /// Shows something else.
    Look,
    /// Moves around.
    Move,
    /// Another moment of a recording.
    Time,
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
        Self::Time,
        Self::Program,
        Self::Dialog,
    ];

    /// Its heading.
    pub fn title(self) -> &'static str {
        match self {
            Self::Act => "Act",
            Self::Look => "Look",
            Self::Move => "Move",
            Self::Time => "In a replay",
            Self::Program => "Program",
            Self::Dialog => "In dialogs",
        }
    }
}

/// One thing the user can do with a key. Its effect may differ from scope to scope.
#[derive(Debug)]
pub struct Action {
    /// Its name.
    pub id: ActionId,
    /// One line for the help.
    pub doc: &'static str,
    /// Default keys; sentences name the first.
    pub keys: &'static [&'static str],
    /// Section of the help.
    pub group: Group,
    /// Where the action exists, and its effect there. No scope is in two places.
    pub places: &'static [Place],
}

impl Action {
    /// True if the action can change the system: off with `--read-only`.
    pub fn writes(&self) -> bool {
        self.group == Group::Act
    }

    /// The place of the action in this scope; `None` where the action does not exist.
    pub fn place(&self, scope: KeyScope) -> Option<&Place> {
        self.places.iter().find(|p| p.scopes.contains(&scope))
    }

    /// The scopes in which the action exists.
    pub fn scopes(&self) -> impl Iterator<Item = KeyScope> {
        self.places.iter().flat_map(|place| place.scopes).copied()
    }
}

/// Scopes in which an action has the same effect.
#[derive(Debug)]
pub struct Place {
    /// The scopes.
    pub scopes: &'static [KeyScope],
    /// A word or two for the footer there.
    pub label: Label,
    /// Whom the action affects there.
    pub aim: Aim,
    /// What runs the action.
    pub run: Run,
}

/// Whom an action affects. If the selection has just moved by itself, oomtop names the new target before it
/// acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Aim {
    /// No selected row.
    Nobody,
    /// The selected process.
    Selected,
    /// The tagged processes, or the selected one.
    Tagged,
    /// The next victim of the selected domain.
    Victim,
    /// The victim of the selected event.
    Event,
}

/// What the footer calls an action.
#[derive(Debug, Clone, Copy)]
pub enum Label {
    /// Not in the footer.
    Hidden,
    /// Always the same.
    Words(&'static str),
    /// Depends on the state; `None` while there is nothing to do.
    Of(fn(&State) -> Option<String>),
}

/// What runs an action.
#[derive(Debug, Clone, Copy)]
pub enum Run {
    /// This function.
    State(fn(&mut State) -> Vec<Effect>),
    /// The front dialog: `Dialog::on_action`.
    Dialog,
}

impl Place {
    /// A function runs the action in these scopes; the footer does not show it.
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

    /// The front dialog runs the action in these scopes.
    pub(super) const fn dialog(scopes: &'static [KeyScope]) -> Self {
        Self {
            scopes,
            label: Label::Hidden,
            aim: Aim::Nobody,
            run: Run::Dialog,
        }
    }

    /// Sets whom the action affects.
    pub(super) const fn at(self, aim: Aim) -> Self {
        Self { aim, ..self }
    }

    /// Sets the words in the footer.
    pub(super) const fn label(self, words: &'static str) -> Self {
        Self {
            label: Label::Words(words),
            ..self
        }
    }

    /// Sets words in the footer that depend on the state.
    pub(super) const fn label_of(self, words: fn(&State) -> Option<String>) -> Self {
        Self {
            label: Label::Of(words),
            ..self
        }
    }
}
