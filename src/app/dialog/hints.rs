//! [`Hints`]: the bottom line of a dialog: what can be done, with the keys out of the keymap.

use super::DialogContext;
use crate::app::input::id::ActionId;
use crate::app::input::keymap::Keymap;
use crate::app::input::scope::KeyScope;

/// Hints being put together.
#[derive(Debug)]
pub(super) struct Hints<'a> {
    keymap: &'a Keymap,
    scope: KeyScope,
    list: Vec<(String, &'static str)>,
}

impl<'a> DialogContext<'a> {
    /// Begins the hints of a dialog.
    pub(super) fn hints(&self, scope: KeyScope) -> Hints<'a> {
        Hints {
            keymap: self.keymap,
            scope,
            list: Vec::new(),
        }
    }
}

impl Hints<'_> {
    /// The keys of these actions do this.
    pub(super) fn on(self, actions: &[ActionId], what: &'static str) -> Self {
        self.typed(actions, "", what)
    }

    /// The keys of these actions do this, and so do these characters when typed.
    pub(super) fn typed(
        mut self,
        actions: &[ActionId],
        characters: &str,
        what: &'static str,
    ) -> Self {
        let mut keys = self.keymap.hint(self.scope, actions);
        if !keys.is_empty() && !characters.is_empty() {
            keys.push(' ');
        }
        keys.push_str(characters);
        self.list.push((keys, what));
        self
    }

    /// The same, if there is something to do.
    pub(super) fn on_if(self, is_there: bool, actions: &[ActionId], what: &'static str) -> Self {
        if is_there {
            self.on(actions, what)
        } else {
            self
        }
    }

    /// All of them; the last is how to leave.
    pub(super) fn leave(self) -> Vec<(String, &'static str)> {
        self.on(&[ActionId::Back], "leave").list
    }

    /// All of them.
    pub(super) fn list(self) -> Vec<(String, &'static str)> {
        self.list
    }
}
