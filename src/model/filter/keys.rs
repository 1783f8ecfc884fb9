//! The keys of a filter: what stands before the `:` of a term.

/// What a term with a key is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Key {
    Pid,
    Name,
    User,
    Cgroup,
}

/// The keys by the names they go by; the help shows the first.
const KEYS: &[(&[&str], Key)] = &[
    (&["pid"], Key::Pid),
    (&["name"], Key::Name),
    (&["user"], Key::User),
    (&["cgroup", "unit"], Key::Cgroup),
];

/// The key of this name.
pub(super) fn key(name: &str) -> Option<Key> {
    let found = KEYS.iter().find(|(names, _)| names.contains(&name));
    found.map(|(_, key)| *key)
}

/// All names of the keys.
pub(super) fn key_names() -> impl Iterator<Item = &'static str> {
    KEYS.iter().flat_map(|(names, _)| names.iter().copied())
}

/// The keys of terms such as `pid:1`, for the help.
pub fn keys() -> impl Iterator<Item = &'static str> {
    KEYS.iter().filter_map(|(names, _)| names.first().copied())
}
