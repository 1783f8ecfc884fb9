//! htop's keys (htop(1) of 3.3, "INTERACTIVE COMMANDS"), and where oomtop's own actions go that had them.

use super::Table;

pub(super) const KEYS: Table = &[
    ("search", &["F3", "/"]),
    ("filter", &["F4", "\\"]),
    ("sort", &["F6", ">", ".", "<", ","]),
    ("sort-right", &["Alt-Right"]),
    ("sort-left", &["Alt-Left"]),
    ("sort-memory", &["M"]),
    ("sort-cpu", &["P"]),
    ("sort-time", &["T"]),
    ("sort-pid", &["N"]),
    ("users", &["u"]),
    ("tag-family", &["c"]),
    ("setup", &["F2", "S"]),
    // These had them.
    ("undo", &["Ctrl-u"]),
    ("cgroup", &["L"]),
    ("settings", &["O"]),
    ("history", &["W"]),
    ("mark", &["B"]),
    ("previous-match", &["Alt-n"]),
];
