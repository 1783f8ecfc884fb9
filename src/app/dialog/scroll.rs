//! [`Scroll`]: how far a dialog is scrolled, and the actions that scroll. All dialogs share this.

use super::rows::Page;
use super::{DialogContext, DialogView};
use crate::app::input::id::ActionId;

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

    /// Scrolls the page on the screen; true if the action scrolls.
    pub(super) fn on_action(
        &mut self,
        action: ActionId,
        view: &DialogView,
        context: &DialogContext<'_>,
    ) -> bool {
        let page = Page::of(view, context.screen, context.settings.ascii);
        self.turn(action, page.last_first(), usize::from(page.height))
    }

    /// Runs an action: `last` is the first row of the last page, `page` the rows in a page. If the text
    /// became shorter since the last key, scrolling starts from its new end, so that no key is lost.
    pub(super) fn turn(&mut self, action: ActionId, last: usize, page: usize) -> bool {
        let first = self.first.min(last);
        self.first = match action {
            ActionId::Up => first.saturating_sub(1),
            ActionId::Down => first + 1,
            ActionId::PageUp => first.saturating_sub(page),
            ActionId::PageDown | ActionId::ReadOn => first + page,
            ActionId::Home => 0,
            ActionId::End => last,
            _ => return false,
        }
        .min(last);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::Scroll;
    use crate::app::input::id::ActionId::{
        self, Down, End, Home, PageDown, PageUp, ReadOn, Tag, Up,
    };

    #[test]
    fn no_key_is_swallowed_at_the_end_or_after_it_has_shrunk() {
        let mut scroll = Scroll::default();
        let mut press = |actions: &[ActionId], last| {
            for action in actions {
                assert!(scroll.turn(*action, last, 10), "{action}");
            }
            scroll.first()
        };
        assert_eq!(press(&[End, Up], 25), 24);
        assert_eq!(press(&[Down, Down, Down, Down, Up], 25), 24);
        assert_eq!(press(&[PageDown, PageUp], 25), 15);
        assert_eq!(press(&[Home, ReadOn, ReadOn, PageUp, PageDown], 25), 20);
        assert_eq!(press(&[Up], 5), 4);
        assert_eq!(press(&[End, Home, Up], 25), 0);
        assert!(!scroll.turn(Tag, 25, 10));
    }
}
