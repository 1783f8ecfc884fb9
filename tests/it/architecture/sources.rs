//! The source files and the modules they are.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::tokens::test_modules;
use super::uses;

/// The Rust files below a directory of the package, with their text.
pub(super) fn sources(below: &str) -> Vec<(PathBuf, String)> {
    fn walk(dir: &Path, found: &mut Vec<(PathBuf, String)>) {
        for entry in fs::read_dir(dir).expect("a directory").flatten() {
            let path = entry.path();
            // Where cargo-fuzz builds unless told otherwise.
            if path.ends_with("fuzz/target") {
                continue;
            }
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|e| e == "rs") {
                let text = fs::read_to_string(&path).expect("UTF-8");
                found.push((path, text));
            }
        }
    }
    let mut found = Vec::new();
    walk(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join(below),
        &mut found,
    );
    assert!(!found.is_empty(), "no sources below {below}");
    found
}

/// The path of the module in a file below `src`: `crate::model::cgroup`.
fn module(file: &Path) -> uses::Path {
    let below = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let file = file
        .strip_prefix(below)
        .expect("below src")
        .with_extension("");
    let names = file.iter().map(|name| name.to_string_lossy().into_owned());
    let mut path: uses::Path = std::iter::once("crate".to_owned()).chain(names).collect();
    if path
        .last()
        .is_some_and(|name| name == "mod" || name == "lib")
    {
        path.pop();
    }
    path
}

/// The modules of the library, without those that only tests compile.
pub(super) fn modules() -> Vec<(PathBuf, uses::Path, String)> {
    let all = sources("src");
    let only_tests: BTreeSet<uses::Path> = all
        .iter()
        .flat_map(|(file, text)| {
            let child = move |name: &str| [module(file), vec![name.to_owned()]].concat();
            test_modules(text).into_iter().map(child)
        })
        .collect();
    all.into_iter()
        .filter(|(file, _)| !file.ends_with("src/main.rs"))
        .map(|(file, text)| (file.clone(), module(&file), text))
        .filter(|(_, module, _)| !only_tests.contains(module))
        .collect()
}
