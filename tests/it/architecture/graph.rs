//! The modules of the crate, their dependencies, and the circles between them.

use std::collections::{BTreeMap, BTreeSet};

use super::uses::{Mention, Named, Path, named};

/// Which module needs which, and the first line that says so.
#[derive(Debug, Default)]
pub(super) struct Graph {
    pub(super) edges: BTreeMap<(String, String), usize>,
}

impl Graph {
    /// From the sources of all modules, by path: `crate::model::cgroup`.
    pub(super) fn new<'s>(sources: impl IntoIterator<Item = (Path, &'s str)>) -> Self {
        let modules: BTreeMap<Path, Named> = sources
            .into_iter()
            .map(|(module, text)| (module.clone(), named(&module, text)))
            .collect();
        let mut graph = Self::default();
        for (module, named) in &modules {
            for Mention { path, line } in &named.mentions {
                for needed in needs(path, &modules) {
                    if !related(module, needed) {
                        let edge = (module.join("::"), needed.join("::"));
                        graph.edges.entry(edge).or_insert(*line);
                    }
                }
            }
        }
        graph
    }

    /// The edges that are part of a circle: their end leads back to their start.
    pub(super) fn circular(&self) -> BTreeSet<(&str, &str)> {
        let mut needed: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (module, other) in self.edges.keys() {
            needed.entry(module).or_default().push(other);
        }
        let edges = self.edges.keys().map(|(a, b)| (a.as_str(), b.as_str()));
        edges.filter(|(a, b)| reaches(&needed, b, a)).collect()
    }
}

/// `from` needs `to`, or needs one that does.
fn reaches(needed: &BTreeMap<&str, Vec<&str>>, from: &str, to: &str) -> bool {
    let (mut seen, mut open) = (BTreeSet::from([from]), vec![from]);
    while let Some(module) = open.pop() {
        if module == to {
            return true;
        }
        for next in needed.get(module).into_iter().flatten() {
            if seen.insert(*next) {
                open.push(next);
            }
        }
    }
    false
}

/// A module and its own parents and children may know each other.
fn related(a: &[String], b: &[String]) -> bool {
    a.starts_with(b) || b.starts_with(a)
}

/// The module a path leads into, and those it comes from by re-export.
fn needs<'m>(path: &[String], modules: &'m BTreeMap<Path, Named>) -> Vec<&'m Path> {
    let mut found = Vec::new();
    let mut open = vec![path.to_vec()];
    while let Some(path) = open.pop() {
        let lengths = (1..=path.len()).rev();
        let module = lengths.filter_map(|n| modules.get_key_value(&path[..n]));
        let Some((module, named)) = module.into_iter().next() else {
            continue;
        };
        // `crate` alone names no module.
        if module.len() < 2 || found.contains(&module) {
            continue;
        }
        found.push(module);
        let rest = &path[module.len()..];
        for (name, from) in &named.exports {
            if rest.first() == Some(name) {
                open.push(from.iter().chain(&rest[1..]).cloned().collect());
            }
        }
    }
    found
}

#[cfg(test)]
fn circles(sources: &[(&str, &str)]) -> Vec<String> {
    let path = |module: &str| module.split("::").map(str::to_owned).collect();
    let graph = Graph::new(sources.iter().map(|(module, text)| (path(module), *text)));
    let found = graph.circular();
    found.iter().map(|(a, b)| format!("{a} {b}")).collect()
}

#[test]
fn a_circle_of_two_and_one_of_three_are_found() {
    let two = [
        ("crate::a", "use crate::b::B;"),
        ("crate::b", "fn f() { crate::a::g() }"),
    ];
    assert_eq!(circles(&two), ["crate::a crate::b", "crate::b crate::a"]);
    let three = [
        ("crate::a::x", "use super::super::b;"),
        ("crate::b", "pub use crate::{c::C};"),
        ("crate::c", "use crate::a::x::X;"),
        ("crate::d", "use crate::c::C;"),
    ];
    assert_eq!(circles(&three).len(), 3);
}

#[test]
fn parent_and_child_are_no_circle() {
    let family = [
        ("crate::a", "mod b; use b::B;"),
        ("crate::a::b", "use super::A;"),
    ];
    assert_eq!(circles(&family), [""; 0]);
}

#[test]
fn a_circle_through_a_re_export_is_found() {
    let sources = [
        ("crate::a", "use crate::m::B;"),
        ("crate::m", "mod b; pub use b::B;"),
        ("crate::m::b", "use crate::a::A;"),
    ];
    assert_eq!(
        circles(&sources),
        ["crate::a crate::m::b", "crate::m::b crate::a"]
    );
}
