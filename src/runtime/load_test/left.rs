//! What runs and makers of groups that were killed have left.

use std::path::PathBuf;
use std::sync::mpsc::channel;
use std::thread::Builder;
use std::time::Duration;

use crate::linux::SysRoot;
use crate::linux::runs::notes::{Found, Notes};
use crate::model::shell::quoted;
use crate::runtime::complain;
use crate::text::format::number_of;

/// Removes what runs that were killed have left, and says what cannot be removed; where there is nothing this costs one
/// look at some directories.
pub fn tidy_up() -> Told {
    let runtime = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
    let found = in_time(WITHIN, move || {
        let notes = Notes::find(runtime.as_deref());
        notes.map_or_else(Vec::new, |notes| notes.sweep(&SysRoot::default()))
    });
    if let Some(found) = found {
        Told::now(&found)
    } else {
        Told::say(vec![format!(
            "the notes of groups that killed runs may have left cannot be read: {}",
            silent()
        )])
    }
}

/// How long a directory of notes may take to answer.
const WITHIN: Duration = Duration::from_secs(2);

fn silent() -> String {
    format!(
        "their directory has not answered within {} s (XDG_RUNTIME_DIR, /run/user, /run or /tmp)",
        WITHIN.as_secs()
    )
}

/// Opens the notes, and looks after runs that were killed.
///
/// # Errors
/// A sentence, if nothing can be noted.
pub(super) fn open_notes(runtime: Option<PathBuf>) -> Result<(Notes, Vec<Found>), String> {
    let opened: Option<Result<(Notes, Vec<Found>), String>> = in_time(WITHIN, move || {
        let notes = Notes::open(runtime.as_deref())?;
        let found = notes.sweep(&SysRoot::default());
        Ok((notes, found))
    });
    opened.unwrap_or_else(|| {
        Err(format!(
            "no note can be left of the group for the command: {}; set XDG_RUNTIME_DIR to another one",
            silent()
        ))
    })
}

/// Does it in a thread that nobody waits for if a file system hangs; `None` then.
fn in_time<T: Send + 'static>(
    within: Duration,
    work: impl FnOnce() -> T + Send + 'static,
) -> Option<T> {
    let (answer, wait) = channel();
    let thread = Builder::new().name("notes".to_owned());
    // Nobody may wait for the answer any more.
    let started = thread.spawn(move || answer.send(work()).is_ok());
    started.ok()?;
    wait.recv_timeout(within).ok()
}

/// What was said of runs that were killed.
#[derive(Debug, Default)]
pub struct Told(Vec<String>);

impl Told {
    pub(super) fn now(found: &[Found]) -> Self {
        Self::say(found.iter().map(left_behind).collect())
    }

    fn say(sentences: Vec<String>) -> Self {
        let told = Self(sentences);
        told.again();
        told
    }

    /// Says it again: the dashboard has covered the words, and a terminal drops them with its screen.
    pub fn again(&self) {
        for sentence in &self.0 {
            complain(sentence);
        }
    }
}

fn left_behind(found: &Found) -> String {
    match found {
        Found::Removed(group) => {
            format!("removed the empty cgroup {group} of an earlier oomtop run")
        }
        Found::Held(group, count, command) => format!(
            "{} of an earlier oomtop run still in {group}; this ends them: {command}",
            number_of(*count as u64, "process", "processes")
        ),
        Found::Unfinished(group, 0, place) => format!(
            "an earlier oomtop was killed while it made the cgroup {group}: it is there without a process, perhaps without \
             its limits. This removes it: rmdir {}",
            quoted(place)
        ),
        Found::Unfinished(group, count, _) => format!(
            "an earlier oomtop was killed while it made the cgroup {group}: {} in it, perhaps not all that should be, and \
             perhaps without its limits. Look at it with c in the dashboard",
            match count {
                1 => "1 process is".to_owned(),
                count => format!("{count} processes are"),
            }
        ),
        Found::Stuck(group) => {
            format!("the empty cgroup {group} of an earlier oomtop run cannot be removed")
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;
    use std::time::Duration;

    use super::in_time;

    #[test]
    fn nobody_waits_for_a_file_system_that_hangs() {
        let (let_go, wait) = channel::<()>();
        let hangs = in_time(Duration::from_millis(5), move || wait.recv());
        assert_eq!(hangs, None);
        drop(let_go);
        assert_eq!(in_time(Duration::from_mins(10), || 7), Some(7));
    }
}
