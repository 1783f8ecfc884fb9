//! [`Hints`]: the bottom line of a dialog: what the user can do, with the keys from the keymap.

use super::DialogContext;
use crate::app::input::id::ActionId;
use crate::app::input::keymap::Keymap;
use crate::app::input::scope::KeyScope;

/// Collects hints.
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
    /// Adds a hint: what the keys of these actions do.
    pub(super) fn on(self, actions: &[ActionId], what: &'static str) -> Self {
        self.typed(actions, "", what)
    }

    /// Adds a hint: what the keys of these actions and these typed characters do.
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
        // An action that the user has left without a key is none to hint at.
        if !keys.is_empty() {
            self.list.push((keys, what));
        }
        self
    }

    /// As [`Self::on`], but only if there is something to do.
    pub(super) fn on_if(self, is_there: bool, actions: &[ActionId], what: &'static str) -> Self {
        if is_there {
            self.on(actions, what)
        } else {
            self
        }
    }

    /// Returns the hints, with the key that leaves at the end.
    pub(super) fn leave(self) -> Vec<(String, &'static str)> {
        self.back("leave").list
    }

    /// Adds the keys that leave, and what they do here. A key for [`ActionId::Close`] is named where its first one works:
    /// the other ones are for hands, not for eyes.
    pub(super) fn back(self, what: &'static str) -> Self {
        let close = self.keymap.key_in(self.scope, ActionId::Close);
        let is_first = close.as_ref() == self.keymap.keys_of(ActionId::Close).first();
        if close.is_some() && is_first {
            self.on(&[ActionId::Back, ActionId::Close], what)
        } else {
            self.on(&[ActionId::Back], what)
        }
    }

    /// Returns the hints.
    pub(super) fn list(self) -> Vec<(String, &'static str)> {
        self.list
    }
}
