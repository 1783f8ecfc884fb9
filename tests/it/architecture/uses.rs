//! The paths a module names, in `use` declarations and in its code, resolved to absolute ones.

use std::collections::BTreeMap;

use super::tokens::{Token, program_tokens};

/// Segments, the first of them `crate` or the name of another crate.
pub(super) type Path = Vec<String>;

/// A path that a file names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mention {
    pub(super) path: Path,
    pub(super) line: usize,
}

/// The paths that one file names and re-exports.
#[derive(Debug, Default)]
pub(super) struct Named {
    pub(super) mentions: Vec<Mention>,
    /// Names it re-exports by `pub use`, `*` for all of a module, and where they come from.
    pub(super) exports: Vec<(String, Path)>,
}

/// A leaf of a `use` declaration.
struct Import {
    name: String,
    path: Path,
    line: usize,
    public: bool,
}

/// The paths in the text of `module`, which begins with `crate`.
pub(super) fn named(module: &[String], source: &str) -> Named {
    let tokens = program_tokens(source);
    let scopes = scopes(module, &tokens);
    let (imports, rest) = imports(&tokens, &scopes);
    let mut known: BTreeMap<String, Path> = child_modules(&tokens, &scopes).collect();
    for import in &imports {
        known.insert(import.name.clone(), import.path.clone());
    }
    // A `use` may begin with a name from another `use`, or with a child module.
    let resolved = |path: &Path| match known.get(&path[0]) {
        Some(start) if path.len() > 1 && start != path => {
            start.iter().chain(&path[1..]).cloned().collect()
        }
        _ => path.clone(),
    };
    let mut found = Named::default();
    for import in &imports {
        let (path, line) = (resolved(&import.path), import.line);
        if import.public {
            found.exports.push((import.name.clone(), path.clone()));
        }
        found.mentions.push(Mention { path, line });
    }
    for (at, token) in &rest {
        let path = inline_path(&tokens, *at);
        if path.len() < 2 {
            continue;
        }
        let path = resolved(&absolute(&scopes[*at], &path));
        let line = token.line;
        found.mentions.push(Mention { path, line });
    }
    found
}

/// For every token the module it stands in: inline modules are modules of their own.
fn scopes(module: &[String], tokens: &[Token<'_>]) -> Vec<Path> {
    let mut open: Vec<Option<String>> = Vec::new();
    let mut found = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        match token.text {
            "{" => {
                let inline = at >= 2 && tokens[at - 2].text == "mod";
                open.push(inline.then(|| tokens[at - 1].text.to_owned()));
            }
            "}" => {
                open.pop();
            }
            _ => {}
        }
        found.push(
            module
                .iter()
                .chain(open.iter().flatten())
                .cloned()
                .collect(),
        );
    }
    found
}

fn child_modules(tokens: &[Token<'_>], scopes: &[Path]) -> impl Iterator<Item = (String, Path)> {
    tokens.windows(2).zip(scopes).filter_map(|(pair, scope)| {
        let declared = pair[0].text == "mod" && pair[1].is_word();
        let name = pair[1].text.to_owned();
        let path = scope.iter().cloned().chain([name.clone()]).collect();
        declared.then_some((name, path))
    })
}

/// The `use` declarations, and where the words outside of them are.
fn imports<'t, 's>(
    tokens: &'t [Token<'s>],
    scopes: &[Path],
) -> (Vec<Import>, Vec<(usize, &'t Token<'s>)>) {
    let (mut found, mut rest, mut at) = (Vec::new(), Vec::new(), 0);
    while at < tokens.len() {
        // `use<'a>` bounds what an `impl` captures.
        let is_use = tokens[at].text == "use" && tokens.get(at + 1).is_some_and(|t| t.text != "<");
        if is_use {
            let public = at > 0 && (tokens[at - 1].text == "pub" || is_restricted(&tokens[..at]));
            at += 1;
            let from = found.len();
            let scope = &scopes[at];
            tree(tokens, &mut at, scope, &[], &mut found);
            for import in &mut found[from..] {
                import.public = public;
            }
        } else {
            if tokens[at].is_word() {
                rest.push((at, &tokens[at]));
            }
            at += 1;
        }
    }
    (found, rest)
}

/// Ends with `pub(…)`.
fn is_restricted(tokens: &[Token<'_>]) -> bool {
    let open = tokens.iter().rposition(|t| t.text == "(");
    tokens.last().is_some_and(|t| t.text == ")")
        && open.is_some_and(|at| at > 0 && tokens[at - 1].text == "pub")
}

/// One tree of a `use` declaration; leaves `at` behind it.
fn tree(
    tokens: &[Token<'_>],
    at: &mut usize,
    scope: &Path,
    above: &[&str],
    found: &mut Vec<Import>,
) {
    let mut path = above.to_vec();
    let mut alias = None;
    while let Some(token) = tokens.get(*at) {
        match token.text {
            "::" => {}
            "{" => {
                *at += 1;
                while tokens.get(*at).is_some_and(|t| t.text != "}") {
                    tree(tokens, at, scope, &path, found);
                    if tokens.get(*at).is_some_and(|t| t.text == ",") {
                        *at += 1;
                    }
                }
                *at += 1;
                return;
            }
            "as" => {
                *at += 1;
                alias = tokens.get(*at).map(|t| t.text);
            }
            word if token.is_word() || word == "*" => path.push(word),
            _ => break,
        }
        *at += 1;
    }
    let Some(last) = path.last().copied() else {
        return;
    };
    if last == "self" && path.len() > 1 {
        path.pop();
    }
    let name = alias.or(path.last().copied()).unwrap_or(last).to_owned();
    let line = tokens[*at - 1].line;
    let path = absolute(scope, &path);
    let public = false;
    found.push(Import {
        name,
        path,
        line,
        public,
    });
}

/// The path that begins with the word at `at`; empty in the middle of a path.
fn inline_path<'s>(tokens: &[Token<'s>], at: usize) -> Vec<&'s str> {
    if at > 0 && tokens[at - 1].text == "::" {
        return Vec::new();
    }
    let mut path = vec![tokens[at].text];
    let mut next = at + 1;
    while let [sign, word, ..] = &tokens[next..]
        && sign.text == "::"
        && word.is_word()
    {
        path.push(word.text);
        next += 2;
    }
    path
}

/// `self` and `super` replaced by the modules they mean.
fn absolute(scope: &[String], path: &[&str]) -> Path {
    let mut base: Option<Path> = None;
    let mut rest = path;
    while let Some((first, after)) = rest.split_first() {
        match *first {
            "self" => base = base.or_else(|| Some(scope.to_vec())),
            "super" => {
                let mut above = base.unwrap_or_else(|| scope.to_vec());
                above.pop();
                base = Some(above);
            }
            _ => break,
        }
        rest = after;
    }
    let rest = rest.iter().map(|word| (*word).to_owned());
    base.unwrap_or_default().into_iter().chain(rest).collect()
}

#[cfg(test)]
fn paths(module: &str, source: &str) -> Vec<String> {
    let module: Path = module.split("::").map(str::to_owned).collect();
    let found = named(&module, source).mentions;
    found.iter().map(|m| m.path.join("::")).collect()
}

#[test]
fn grouped_and_nested_imports_are_seen() {
    let found = paths(
        "crate::ui",
        "use crate::{linux::{sampler::Sampler, host as machine}, model};\nuse std::{fs, io::{self, Read}};",
    );
    let wanted = [
        "crate::linux::sampler::Sampler",
        "crate::linux::host",
        "crate::model",
        "std::fs",
        "std::io",
        "std::io::Read",
    ];
    assert_eq!(found, wanted);
}

#[test]
fn super_climbs_and_an_inline_module_is_a_step() {
    let source = "use super::super::linux::Scan;\nmod inner { use super::x; fn f() { super::super::y::z() } }";
    let found = paths("crate::app::view", source);
    let wanted = [
        "crate::linux::Scan",
        "crate::app::view::x",
        "crate::app::y::z",
    ];
    assert_eq!(found, wanted);
}

#[test]
fn paths_in_code_begin_with_what_is_imported_or_declared() {
    let source = "mod child;\nuse crate::app::view;\nuse view::gauge::Gauge;\n\
                  fn f() { view::events::tally(); child::go(); crate::linux::scan(); Vec::new(); }";
    let found = paths("crate::ui", source);
    let wanted = [
        "crate::app::view",
        "crate::app::view::gauge::Gauge",
        "crate::app::view::events::tally",
        "crate::ui::child::go",
        "crate::linux::scan",
        "Vec::new",
    ];
    assert_eq!(found, wanted);
}

#[test]
fn public_imports_are_handed_on() {
    let module = vec!["crate".to_owned(), "model".to_owned()];
    let source = "pub use self::a::A;\npub(crate) use b::{B as C, D};\nuse e::E;\nmod b;";
    let found = named(&module, source).exports;
    let found: Vec<_> = found
        .iter()
        .map(|(n, p)| format!("{n}={}", p.join("::")))
        .collect();
    let wanted = [
        "A=crate::model::a::A",
        "C=crate::model::b::B",
        "D=crate::model::b::D",
    ];
    assert_eq!(found, wanted);
}
