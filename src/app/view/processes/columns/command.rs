//! The COMMAND column: what tells one process from another comes first.

use std::borrow::Cow;

use crate::model::process::Process;

/// Programs that run a script: the script names the process, not they.
const INTERPRETERS: &[&str] = &[
    "ash", "bash", "busybox", "dash", "env", "ksh", "lua", "node", "perl", "php", "python", "ruby",
    "sh", "tclsh", "zsh",
];

/// The command line without the directories of the program and of the script it runs. The short name stands before it
/// where the command line does not begin with it: a worker that has named itself. A kernel thread's name is in
/// brackets, as in ps.
pub fn short(process: &Process) -> Cow<'_, str> {
    let comm = process.comm.text();
    if process.kernel_thread {
        return format!("[{comm}]").into();
    }
    let Some(line) = process.command.as_deref().filter(|line| !line.is_empty()) else {
        return comm;
    };
    let (program, rest) = line.split_once(' ').unwrap_or((line, ""));
    let name = base(program);
    let (script, options) = script(name, rest);
    // `comm` is cut after 15 bytes.
    let is_named = |by: &str| by.trim_start_matches('-').starts_with(&*comm);
    let prefix = if comm.is_empty() || is_named(name) || is_named(script) {
        String::new()
    } else {
        format!("{comm}: ")
    };
    if prefix.is_empty() && name.len() == program.len() && script.is_empty() {
        return line.into();
    }
    let blank = |text: &str| if text.is_empty() { "" } else { " " };
    let (before, after) = (blank(script), blank(options));
    format!("{prefix}{name}{before}{script}{after}{options}").into()
}

/// The script of an interpreter without its directory, and what follows; no script, and all the rest, for others.
fn script<'a>(program: &str, rest: &'a str) -> (&'a str, &'a str) {
    let version = |c: char| c.is_ascii_digit() || c == '.';
    let program = program.trim_start_matches('-').trim_end_matches(version);
    let (first, options) = rest.split_once(' ').unwrap_or((rest, ""));
    if INTERPRETERS.contains(&program) && first.starts_with('/') {
        (base(first), options)
    } else {
        ("", rest)
    }
}

/// What follows the last slash; the whole word where nothing does, or where the path is none of a file: `/`, `x:/`.
fn base(word: &str) -> &str {
    let is_path = word.starts_with('/') || word.starts_with("./") || word.starts_with("../");
    match word.rsplit_once('/') {
        Some((_, name)) if is_path && !name.is_empty() => name,
        _ => word,
    }
}

#[cfg(test)]
mod tests {
    use super::short;
    use crate::model::process::Process;

    #[test]
    fn the_name_comes_before_the_paths() {
        for (comm, command, shown) in [
            (
                "java",
                "/usr/lib/jvm/bin/java -Xmx4g -jar a.jar",
                "java -Xmx4g -jar a.jar",
            ),
            (
                "python3",
                "/usr/bin/python3 /tmp/w/hog.py --mib 5",
                "python3 hog.py --mib 5",
            ),
            (
                "python3.11",
                "/usr/bin/python3.11 /srv/a.py",
                "python3.11 a.py",
            ),
            // It has named itself.
            (
                "orders-report",
                "/usr/bin/python3 /tmp/hog.py",
                "orders-report: python3 hog.py",
            ),
            ("hog.py", "/usr/bin/python3 /tmp/hog.py", "python3 hog.py"),
            // `comm` is the start of the name, or of what is a title of its own.
            (
                "postgres",
                "postgres: checkpointer",
                "postgres: checkpointer",
            ),
            (
                "a-very-long-nam",
                "/opt/a-very-long-name --x",
                "a-very-long-name --x",
            ),
            ("bash", "-bash", "-bash"),
            ("sh", "sh -c /bin/true /x", "sh -c /bin/true /x"),
            // Paths of others are arguments: they stay whole.
            ("cat", "/bin/cat /var/log/syslog", "cat /var/log/syslog"),
            ("init", "/", "init: /"),
            ("a", "a", "a"),
            ("nginx", "", "nginx"),
            ("", "/x/y z", "y z"),
        ] {
            let process = Process {
                comm: comm.into(),
                command: Some(command.into()),
                ..Process::default()
            };
            assert_eq!(short(&process), shown, "{comm} {command}");
        }
        let thread = Process {
            comm: "kswapd0".into(),
            kernel_thread: true,
            ..Process::default()
        };
        assert_eq!(short(&thread), "[kswapd0]");
    }
}
