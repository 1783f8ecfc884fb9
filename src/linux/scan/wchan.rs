//! Which threads of a process wait in the kernel, and where: `stat` and `wchan` of `/proc/PID/task/TID`
//! (`proc_pid_wchan(5)`). Both take no lock of the process.

use std::os::fd::OwnedFd;

use rustix::fs::{Dir, Mode, OFlags};

use crate::linux::kernel_file::FileBuffer;
use crate::model::process::ProcessId;
use crate::model::snapshot::Waiter;

/// Most processes looked at in one sample.
const MOST: usize = 32;

/// Most threads looked at of each.
const THREADS: usize = 64;

/// Letters kept of a function's name.
const LETTERS: usize = 80;

/// Those of these processes that have a thread in state D.
pub(crate) fn read(proc: &OwnedFd, buffer: &mut FileBuffer, waiting: &[ProcessId]) -> Vec<Waiter> {
    let some = waiting.iter().take(MOST);
    some.filter_map(|id| waiter(proc, buffer, *id)).collect()
}

fn waiter(proc: &OwnedFd, buffer: &mut FileBuffer, id: ProcessId) -> Option<Waiter> {
    let path = format!("{}/task", id.pid);
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let tasks = rustix::fs::openat(proc, path.as_str(), flags, Mode::empty()).ok()?;
    let mut found = Waiter {
        id,
        threads: 0,
        place: None,
    };
    for entry in Dir::read_from(&tasks).ok()?.take(THREADS + 2) {
        let name = entry.ok()?.file_name().to_string_lossy().into_owned();
        let stat = buffer.read_single(&tasks, format!("{name}/stat").as_str());
        if !stat.is_ok_and(sleeps) {
            continue;
        }
        found.threads += 1;
        if found.place.is_none() {
            let text = buffer.read_single(&tasks, format!("{name}/wchan").as_str());
            found.place = text.ok().and_then(function);
        }
    }
    (found.threads > 0).then_some(found)
}

/// State D: the letter behind the name, which may hold anything.
fn sleeps(stat: &[u8]) -> bool {
    let end = stat.iter().rposition(|b| *b == b')').unwrap_or(0);
    stat.get(end..).is_some_and(|rest| rest.starts_with(b") D"))
}

/// The name of a function. `0` is one that runs, or that may not be looked at.
fn function(text: &[u8]) -> Option<String> {
    let name = text.trim_ascii();
    let is_name = |b: &u8| b.is_ascii_alphanumeric() || b"_.".contains(b);
    let sound = name != b"0" && !name.is_empty() && name.iter().all(is_name);
    let name = name.get(..LETTERS).unwrap_or(name);
    sound.then(|| String::from_utf8_lossy(name).into_owned())
}

#[cfg(test)]
mod tests {
    use super::read;
    use crate::linux::kernel_file::{FileBuffer, open_dir};
    use crate::model::process::ProcessId;
    use crate::model::snapshot::Waiter;

    #[test]
    fn threads_that_wait_are_counted_and_the_function_is_named_where_it_may_be_read() {
        let dir = tempfile::tempdir().expect("a directory");
        let over_high = "mem_cgroup_handle_over_high";
        for (task, stat, wchan) in [
            ("5/task/5", "5 (a) S 1", "futex_wait"),
            ("5/task/6", "6 (a) D) D 1", over_high),
            ("5/task/7", "7 (a) D 1", over_high),
            ("8/task/8", "8 (b) D 1", "0"),
            ("9/task/9", "9 (c) D 1", "a\u{1b}[1m"),
            ("10/task/10", "10 (d) D 1) S 1", over_high),
        ] {
            let own = dir.path().join(task);
            std::fs::create_dir_all(&own).expect("made");
            std::fs::write(own.join("stat"), stat).expect("written");
            std::fs::write(own.join("wchan"), wchan).expect("written");
        }
        let ids = [5, 8, 9, 10, 11].map(|pid| ProcessId {
            pid,
            start_ticks: 1,
        });
        let proc = open_dir(dir.path()).expect("opened");
        let found = read(&proc, &mut FileBuffer::default(), &ids);
        let waiter = |at: usize, threads, place: Option<&str>| Waiter {
            id: ids[at],
            threads,
            place: place.map(str::to_owned),
        };
        let expected = [
            waiter(0, 2, Some(over_high)),
            waiter(1, 1, None),
            waiter(2, 1, None),
        ];
        assert_eq!(found, expected);
    }
}
