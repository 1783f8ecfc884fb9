//! [`Scroll`]: how far a dialog is scrolled, and the keys that do it: the same in every dialog.

use crossterm::event::{KeyCode, KeyModifiers};

use super::rows::Page;
use super::{DialogContext, DialogView};
use crate::app::input::key::Key;

/// Rows scrolled away at the top.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Scroll {
    first: usize,
}

impl Scroll {
    /// Rows scrolled away at the top, as the last key left it.
    pub(super) fn first(self) -> usize {
        self.first
    }

    /// Takes a key that scrolls what is shown now; true if it is one.
    pub(super) fn on_key(
        &mut self,
        key: Key,
        view: &DialogView,
        context: &DialogContext<'_>,
    ) -> bool {
        let page = Page::of(view, context.screen, context.settings.ascii);
        self.turn(key, page.last_first(), usize::from(page.height))
    }

    /// Takes a key: `last` is the first row of the last page, `page` how many rows one has. What has become
    /// shorter since the last key does not swallow this one.
    pub(super) fn turn(&mut self, key: Key, last: usize, page: usize) -> bool {
        let ctrl = key.modifiers.contains(KeyModifiers::CONTROL);
        let first = self.first.min(last);
        self.first = match key.code {
            KeyCode::Up => first.saturating_sub(1),
            KeyCode::Down => first + 1,
            KeyCode::PageUp => first.saturating_sub(page),
            KeyCode::Char('b') if ctrl => first.saturating_sub(page),
            KeyCode::PageDown | KeyCode::Char(' ') => first + page,
            KeyCode::Char('f') if ctrl => first + page,
            KeyCode::Home | KeyCode::Char('g') => 0,
            KeyCode::End | KeyCode::Char('G') => last,
            _ => return false,
        }
        .min(last);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::Scroll;

    #[test]
    fn no_key_is_swallowed_at_the_end_or_after_it_has_shrunk() {
        let mut scroll = Scroll::default();
        let mut press = |keys: &str, last| {
            for key in keys.split(' ') {
                assert!(scroll.turn(key.parse().expect("a key"), last, 10), "{key}");
            }
            scroll.first()
        };
        assert_eq!(press("End Up", 25), 24);
        assert_eq!(press("Down Down Down Down Up", 25), 24);
        assert_eq!(press("PgDn PgUp", 25), 15);
        assert_eq!(press("Home Space Space Ctrl-b Ctrl-f", 25), 20);
        assert_eq!(press("Up", 5), 4);
        assert_eq!(press("G g Up", 25), 0);
        assert!(!scroll.turn("x".parse().expect("a key"), 25, 10));
    }
}
