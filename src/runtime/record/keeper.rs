//! [`Keeper`]: beside the screen, the last minutes in memory; saved by itself some seconds after a kill, and when asked.
//!
//! It has a thread of its own, and whoever tells it something never waits for it: what has no room is left out, and the next
//! sample is a whole one.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use super::id;
use super::pending::Pending;
use crate::model::snapshot::Host;
use crate::model::time::Now;
use crate::recording::{Header, Item, Kind, Ring};
use crate::runtime::clock;
use crate::text::format::{date, number_of};

/// Bytes that are kept.
const KEPT: usize = 2 << 20;

/// Messages that may wait.
const WAITING: usize = 32;

/// What comes after a kill belongs to it for so long.
const AFTERMATH: Duration = Duration::from_secs(10);

/// Not more than one file in this time by itself, and not more files than this in a session.
const APART: Duration = Duration::from_mins(1);
const FILES: u32 = 50;

/// What it is told.
enum Told {
    Item(Box<Item>, Now),
    Save,
}

/// Tells the thread what happens.
#[derive(Debug, Clone)]
pub(in crate::runtime) struct Keeper(SyncSender<Told>);

/// A file that was saved, or why not, as a sentence.
pub(in crate::runtime) type Saved = Result<String, String>;

impl Keeper {
    /// Starts the thread, which saves in `dir` and tells of that by `tell`.
    ///
    /// # Errors
    /// If it cannot be started.
    pub(in crate::runtime) fn start(
        host: Host,
        dir: PathBuf,
        tell: impl FnMut(Saved) + Send + 'static,
    ) -> io::Result<Self> {
        let (send, told) = sync_channel(WAITING);
        std::thread::Builder::new()
            .name("keeper".to_owned())
            .spawn(move || keep(&told, host, &dir, tell))?;
        Ok(Self(send))
    }

    /// Keeps an item. Never waits.
    pub(in crate::runtime) fn keep(&self, item: Item, now: Now) {
        let _ = self.0.try_send(Told::Item(Box::new(item), now));
    }

    /// Saves what is kept. Never waits; false if it is too far behind.
    pub(in crate::runtime) fn save(&self) -> bool {
        self.0.try_send(Told::Save).is_ok()
    }
}

fn keep(told: &Receiver<Told>, host: Host, dir: &Path, mut tell: impl FnMut(Saved)) {
    let name = host.name.clone();
    let mut ring = Ring::new(host, KEPT);
    let mut pending = Pending::default();
    let mut due: Option<Instant> = None;
    let mut last: Option<Instant> = None;
    let mut by_itself = 0;
    loop {
        let wait = due.map_or(APART, |due| due.saturating_duration_since(Instant::now()));
        let mut asked = false;
        match told.recv_timeout(wait) {
            Ok(Told::Item(item, now)) => {
                let is_sample = matches!(*item, Item::Sample(_));
                let is_much = !is_sample && pending.push((*item).clone(), now);
                if is_sample || is_much {
                    let mut killed = false;
                    for (item, now) in pending.take() {
                        killed |= ring.push(&item, now) == Some(Kind::Kill);
                    }
                    if is_sample {
                        ring.push(&item, now);
                    }
                    if killed && by_itself < FILES {
                        let soonest = Instant::now() + AFTERMATH;
                        let apart = last.map_or(soonest, |last| soonest.max(last + APART));
                        due.get_or_insert(apart);
                    }
                }
            }
            Ok(Told::Save) => asked = true,
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
        let is_due = due.is_some_and(|due| due <= Instant::now());
        if !asked && !is_due {
            continue;
        }
        if is_due {
            due = None;
            last = Some(Instant::now());
            by_itself += 1;
        }
        tell(save(&ring, dir, &name));
    }
}

/// Writes a new file that nobody else can read.
fn save(ring: &Ring, dir: &Path, host: &str) -> Saved {
    if ring.samples() == 0 {
        return Err("nothing is recorded yet".to_owned());
    }
    let now = clock::now();
    let header = Header {
        id: id(now.wall.unix_micros),
        segment: 0,
        unix_micros: now.wall.unix_micros,
    };
    let time = now.wall.to_string().replace(':', "");
    // A host name may hold anything.
    let host: String = host
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || *c == '-')
        .collect();
    let path = dir.join(format!("oomtop-{host}-{}-{time}.oomrec", date(now.wall)));
    let written = || -> io::Result<()> {
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)?;
        for part in ring.file(&header) {
            file.write_all(&part)?;
        }
        Ok(())
    };
    match written() {
        Ok(()) => Ok(format!(
            "{} recorded in {}",
            number_of(ring.samples() as u64, "sample", "samples"),
            path.display()
        )),
        Err(error) => Err(format!(
            "the recording could not be saved as {}: {error}",
            path.display()
        )),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::mpsc::channel;
    use std::time::Duration;

    use super::Keeper;
    use crate::model::snapshot::{Host, Snapshot};
    use crate::model::time::{Monotonic, Now};
    use crate::recording::{Item, Recording};

    #[test]
    fn what_is_kept_is_saved_when_asked_and_an_error_is_a_sentence() {
        let dir = tempfile::tempdir().expect("a directory");
        let host = || Host {
            name: "../web".to_owned(),
            ..Host::default()
        };
        let start = |dir: &std::path::Path| {
            let (send, saved) = channel();
            let keeper = Keeper::start(host(), dir.to_owned(), move |told| {
                let _ = send.send(told);
            });
            (keeper.expect("a thread"), saved)
        };
        let (keeper, saved) = start(dir.path());
        for second in 1..20 {
            let now = Now {
                monotonic: Monotonic(second * 1_000_000),
                ..Now::default()
            };
            let sample = Snapshot {
                seq: second,
                taken: now,
                ..Snapshot::default()
            };
            keeper.keep(Item::Sample(Arc::new(sample)), now);
        }
        assert!(keeper.save());
        let wait = Duration::from_secs(20);
        let told = saved.recv_timeout(wait).expect("told").expect("saved");
        assert!(told.starts_with("19 samples recorded in "), "{told}");
        let file = std::fs::read_dir(dir.path()).expect("a directory").next();
        let file = file.expect("a file").expect("a file").path();
        let recording = Recording::open(vec![std::fs::read(file).expect("read")]);
        let recording = recording.expect("a recording");
        assert_eq!(recording.index().samples().count(), 19);
        let (keeper, saved) = start(&dir.path().join("nowhere"));
        assert!(keeper.save());
        let told = saved.recv_timeout(wait).expect("told");
        assert_eq!(told, Err("nothing is recorded yet".to_owned()));
        keeper.keep(Item::Sample(Arc::new(Snapshot::default())), Now::default());
        assert!(keeper.save());
        let told = saved
            .recv_timeout(wait)
            .expect("told")
            .expect_err("no directory");
        assert!(told.contains("could not be saved"), "{told}");
    }
}
