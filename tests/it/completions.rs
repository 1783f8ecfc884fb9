//! The completions load in the shells, and complete subcommands, options, words and files.

use std::fs;
use std::process::Command;

/// The script for a shell, in a file.
fn script(shell: &str) -> tempfile::NamedTempFile {
    let output = Command::new(env!("CARGO_BIN_EXE_oomtop"))
        .args(["--print", "completions", shell])
        .output()
        .expect("started");
    assert!(
        output.status.success() && output.stderr.is_empty(),
        "{output:?}"
    );
    let file = tempfile::NamedTempFile::new().expect("a file");
    fs::write(file.path(), output.stdout).expect("written");
    file
}

/// What the shell prints; `None` where it is missing, which is said.
fn run(shell: &str, args: &[&str]) -> Option<String> {
    let Ok(output) = Command::new(shell)
        .args(args)
        .env("LC_ALL", "C.UTF-8")
        .output()
    else {
        println!("SKIPPED: completions of {shell} because there is no {shell} here");
        return None;
    };
    assert!(
        output.status.success() && output.stderr.is_empty(),
        "{shell}: {output:?}"
    );
    Some(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// What is typed, and what must be offered.
const CASES: [(&[&str], &[&str]); 7] = [
    (&["r"], &["record", "replay", "run"]),
    (&["--read"], &["--read-only"]),
    (&["--backend", ""], &["auto", "bpf", "proc-all"]),
    (&["--print", "co"], &["config", "completions"]),
    (&["protect", "--starts", "t"], &["tracepoints"]),
    (&["run", "--f"], &["--fail-on-oom"]),
    (&["explain", "--k"], &["--kmsg"]),
];

fn has_all(shell: &str, words: &[&str], offered: &str, wanted: &[&str]) {
    let offered: Vec<_> = offered.split_whitespace().collect();
    for word in wanted {
        assert!(
            offered.contains(word),
            "{shell}: {words:?} offers {offered:?}, not {word}"
        );
    }
}

#[test]
fn bash_completes() {
    let script = script("bash");
    let path = script.path().to_str().expect("UTF-8");
    for (words, wanted) in CASES {
        let line = "source \"$0\"; COMP_WORDS=(oomtop \"$@\"); COMP_CWORD=$#; before=${COMP_WORDS[COMP_CWORD-1]}\n\
            _oomtop oomtop \"${COMP_WORDS[COMP_CWORD]}\" \"$before\"; printf '%s\\n' \"${COMPREPLY[@]}\"";
        let args: Vec<_> = ["--norc", "-c", line, path]
            .iter()
            .chain(words)
            .copied()
            .collect();
        let Some(offered) = run("bash", &args) else {
            return;
        };
        has_all("bash", words, &offered, wanted);
    }
}

#[test]
fn fish_completes() {
    let script = script("fish");
    let text = fs::read_to_string(script.path()).expect("written");
    assert!(
        text.contains("or return 0"),
        "options with values complete nothing: {text}"
    );
    let path = script.path().to_str().expect("UTF-8");
    for (words, wanted) in CASES {
        let line = format!("source {path}; complete -C 'oomtop {}'", words.join(" "));
        let Some(offered) = run("fish", &["--no-config", "-c", &line]) else {
            return;
        };
        has_all("fish", words, &offered, wanted);
    }
}

#[test]
fn zsh_loads_them() {
    let script = script("zsh");
    let path = script.path().to_str().expect("UTF-8");
    let line = "autoload -U compinit; compinit -D -u; source \"$0\"; whence -w _oomtop; print ${_comps[oomtop]}";
    let Some(told) = run("zsh", &["-f", "-c", line, path]) else {
        return;
    };
    assert_eq!(told, "_oomtop: function\n_oomtop\n");
}
