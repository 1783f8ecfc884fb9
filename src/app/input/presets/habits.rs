//! Keys that other programs have taught: what is there instead, where the key has no meaning here.

use crate::app::input::key::Key;

/// What is there instead of what htop or top does with the key; `None` if nobody expects anything.
pub fn habit(key: Key) -> Option<&'static str> {
    let what = match key.typed()? {
        'l' => "open files: oomtop lists none; Enter shows what the process holds",
        'w' => "wrapped command line: Enter shows the whole line",
        'e' => "environment: oomtop does not show it; Enter shows what else is known",
        's' => "strace: oomtop traces nothing; Enter shows what is known",
        'i' => "I/O priority: oomtop does not set it; it does not count when memory runs out",
        'x' => "file locks: oomtop does not show them",
        'u' => "user filter: filter by user:NAME",
        'p' => "paths: Enter shows the whole command line",
        'H' => "threads: oomtop shows processes, whose threads share their memory",
        'Y' => "scheduling policy: oomtop does not set it; it does not count when memory runs out",
        'W' => "save: the settings dialog does it",
        'E' | 'X' => "units: oomtop chooses them by size",
        _ => return None,
    };
    Some(what)
}
