//! The COMMAND column: what tells one process from another comes first.

use std::borrow::Cow;
use std::ops::Range;

use crate::model::process::Process;

/// Programs that run a script: the script names the process, not they.
const INTERPRETERS: &[&str] = &[
    "ash", "bash", "busybox", "dash", "env", "ksh", "lua", "node", "perl", "php", "python", "ruby",
    "sh", "tclsh", "zsh",
];

/// How much of the command line is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Commands {
    /// The command line without directories. It begins with the program, also where NAME beside it has that: what is left of
    /// `top -d 1` or `bash /dev/fd/3` says nothing.
    #[default]
    Beside,
    /// The same behind the name, if that is another: where there is no NAME beside it.
    Short,
    /// The command line as it is.
    Whole,
}

/// A command line as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown<'a> {
    /// The text.
    pub text: Cow<'a, str>,
    /// The bytes of the program or of the script that it runs.
    pub name: Range<usize>,
}

impl<'a> Shown<'a> {
    fn plain(text: impl Into<Cow<'a, str>>) -> Self {
        Self {
            text: text.into(),
            name: 0..0,
        }
    }
}

/// The command line of a process. The directories of the program and of the script it runs are left out unless the whole
/// line is wanted. A kernel thread's name is in brackets, as in ps.
pub fn shown(process: &Process, how: Commands) -> Shown<'_> {
    let comm = process.comm.text();
    if process.kernel_thread {
        return Shown::plain(format!("[{comm}]"));
    }
    let Some(line) = process.command.as_deref().filter(|line| !line.is_empty()) else {
        return match how {
            Commands::Beside => Shown::plain(""),
            Commands::Short | Commands::Whole => Shown::plain(comm),
        };
    };
    let (program, rest) = line.split_once(' ').unwrap_or((line, ""));
    let name = base(program);
    let (script, options) = script(name, rest);
    if how == Commands::Whole {
        return whole(line, program, script);
    }
    // `comm` is cut after 15 bytes.
    let is_named = |by: &str| by.trim_start_matches('-').starts_with(&*comm);
    let is_said = comm.is_empty() || is_named(name);
    let mut text = String::new();
    if how == Commands::Short && !is_said && !is_named(script) {
        text = format!("{comm}: ");
    }
    let mut add = |word: &str| {
        if !word.is_empty() {
            if !text.is_empty() && !text.ends_with(' ') {
                text.push(' ');
            }
            let from = text.len();
            text.push_str(word);
            return from..text.len();
        }
        0..0
    };
    let mut strong = add(name);
    let by_script = add(script);
    if !by_script.is_empty() {
        strong = by_script;
    }
    add(options);
    Shown {
        text: text.into(),
        name: strong,
    }
}

/// The whole line, with its name marked.
fn whole<'a>(line: &'a str, program: &str, script: &str) -> Shown<'a> {
    let ends_at = if script.is_empty() {
        program.len()
    } else {
        let rest = line.get(program.len() + 1..).unwrap_or("");
        program.len() + 1 + rest.split(' ').next().map_or(0, str::len)
    };
    let length = if script.is_empty() {
        base(program).len()
    } else {
        script.len()
    };
    Shown {
        text: line.into(),
        name: ends_at.saturating_sub(length)..ends_at,
    }
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

/// What follows the last slash; the whole word where nothing does, or where the path is none of a file with a name of its
/// own: `/`, `x:/`, `/dev/fd/3`, `/proc/self/exe`.
fn base(word: &str) -> &str {
    let is_path = word.starts_with('/') || word.starts_with("./") || word.starts_with("../");
    if ["/dev/", "/proc/"].iter().any(|of| word.starts_with(of)) {
        return word;
    }
    match word.rsplit_once('/') {
        Some((_, name)) if is_path && !name.is_empty() => name,
        _ => word,
    }
}

#[cfg(test)]
mod tests {
    use super::{Commands, shown};
    use crate::model::process::Process;

    /// The text with its name in brackets.
    fn marked(comm: &str, command: &str, how: Commands) -> String {
        let process = Process {
            comm: comm.into(),
            command: Some(command.into()),
            ..Process::default()
        };
        let shown = shown(&process, how);
        let mut text = shown.text.into_owned();
        if !shown.name.is_empty() {
            text.insert(shown.name.end, '>');
            text.insert(shown.name.start, '<');
        }
        text
    }

    #[test]
    fn the_name_comes_before_the_paths() {
        for (comm, command, short, beside, whole) in [
            (
                "java",
                "/usr/lib/jvm/bin/java -Xmx4g -jar a.jar",
                "<java> -Xmx4g -jar a.jar",
                "<java> -Xmx4g -jar a.jar",
                "/usr/lib/jvm/bin/<java> -Xmx4g -jar a.jar",
            ),
            (
                "python3",
                "/usr/bin/python3 /tmp/w/hog.py --mib 5",
                "python3 <hog.py> --mib 5",
                "python3 <hog.py> --mib 5",
                "/usr/bin/python3 /tmp/w/<hog.py> --mib 5",
            ),
            // It has named itself.
            (
                "orders-report",
                "/usr/bin/python3 /tmp/hog.py",
                "orders-report: python3 <hog.py>",
                "python3 <hog.py>",
                "/usr/bin/python3 /tmp/<hog.py>",
            ),
            (
                "hog.py",
                "/usr/bin/python3 /tmp/hog.py",
                "python3 <hog.py>",
                "python3 <hog.py>",
                "/usr/bin/python3 /tmp/<hog.py>",
            ),
            // `comm` is the start of the name, or of what is a title of its own.
            (
                "postgres",
                "postgres: checkpointer",
                "<postgres:> checkpointer",
                "<postgres:> checkpointer",
                "<postgres:> checkpointer",
            ),
            (
                "a-very-long-nam",
                "/opt/a-very-long-name --x",
                "<a-very-long-name> --x",
                "<a-very-long-name> --x",
                "/opt/<a-very-long-name> --x",
            ),
            ("bash", "-bash", "<-bash>", "<-bash>", "<-bash>"),
            // Paths of others are arguments: they stay whole.
            (
                "cat",
                "/bin/cat /var/log/syslog",
                "<cat> /var/log/syslog",
                "<cat> /var/log/syslog",
                "/bin/<cat> /var/log/syslog",
            ),
            // Files without a name of their own.
            (
                "bash",
                "bash /dev/fd/3",
                "bash </dev/fd/3>",
                "bash </dev/fd/3>",
                "bash </dev/fd/3>",
            ),
            (
                "runc",
                "/proc/self/exe init",
                "runc: </proc/self/exe> init",
                "</proc/self/exe> init",
                "</proc/self/exe> init",
            ),
            ("init", "/", "init: </>", "</>", "</>"),
            ("nginx", "", "nginx", "", "nginx"),
            ("", "/x/y z", "<y> z", "<y> z", "/x/<y> z"),
        ] {
            assert_eq!(marked(comm, command, Commands::Short), short);
            assert_eq!(marked(comm, command, Commands::Beside), beside);
            assert_eq!(marked(comm, command, Commands::Whole), whole);
        }
        let thread = Process {
            comm: "kswapd0".into(),
            kernel_thread: true,
            ..Process::default()
        };
        assert_eq!(shown(&thread, Commands::Beside).text, "[kswapd0]");
    }

    proptest::proptest! {
        #[test]
        fn the_marked_name_is_in_the_text(comm in "[a-z ]{0,6}", command in "[a-z/ .-é:]{0,30}") {
            let process = Process {
                comm: comm.as_str().into(),
                command: Some(command.as_str().into()),
                ..Process::default()
            };
            for how in [Commands::Beside, Commands::Short, Commands::Whole] {
                let shown = shown(&process, how);
                proptest::prop_assert!(shown.text.get(shown.name.clone()).is_some(), "{shown:?}");
            }
        }
    }
}
