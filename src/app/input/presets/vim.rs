//! vim's and less's way to move. There are no sequences of two keys: the first `g` of `gg` goes to the top, and the second
//! stays there. `?` searches as `/` does, and `N` goes back.

use super::Table;

pub(super) const KEYS: Table = &[
    ("up", &["k", "Up"]),
    ("down", &["j", "Down"]),
    ("page-up", &["Ctrl-u", "Ctrl-b", "PgUp"]),
    ("page-down", &["Ctrl-d", "Ctrl-f", "PgDn"]),
    ("unfold", &["l", "Right"]),
    ("fold", &["h", "Left"]),
    ("scroll-right", &["l", "Right"]),
    ("scroll-left", &["h", "Left"]),
    ("next-value", &["l", "Right"]),
    ("previous-value", &["h", "Left"]),
    ("search", &["/", "?", "F3"]),
    ("filter", &["\\", "F4"]),
    // These had them.
    ("help", &["F1"]),
    ("signal", &["x", "F9"]),
    ("next-kill", &["E"]),
    ("previous-kill", &["B"]),
];
