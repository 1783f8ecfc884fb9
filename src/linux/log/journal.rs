//! What is asked of the journal: the one place that runs journalctl(1).
//!
//! [`Journalctl`] says what to ask for, [`JournalReader`] is the running program. Matches name trusted fields
//! alone (systemd.journal-fields(7): those that begin with `_`, which no client can set): what any user may
//! write with logger(1) is never printed.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::io;
use std::process::Command;
use std::time::Duration;

use super::child::{Leash, OwnChild};
pub use super::reader::JournalReader;
use super::reader::{Bounds, cannot_read};
use crate::linux::ReadError;
use crate::linux::as_root::as_root;
use crate::oomlog::Killer;

/// Most bytes read of what is no endless stream. All journals together are at most 4 GiB on disk unless
/// somebody asked for more (`SystemMaxUse=`, journald.conf(5)).
const MOST: u64 = 4 << 30;
/// Most records of the past that are read before what is new.
pub const HISTORY: u32 = 2000;
/// How long the question for a single line may take.
const PROBE_WITHIN: Duration = Duration::from_secs(5);
/// Most bytes of an answer of one line.
const PROBE_MOST: u64 = 4 << 20;
/// How long a stream may be silent. Seeking in many files on a slow disk takes seconds.
const SILENCE: Duration = Duration::from_mins(1);

/// Who can tell how a unit ended: pid 1, the managers of users, systemd-coredump, the kernel's audit of processes that
/// dump (`ANOM_ABEND`), kubelet.
const ENDS: &[&[&str]] = &[
    &["_PID=1", "_UID=0"],
    &["_COMM=systemd", "_EXE=/usr/lib/systemd/systemd"],
    &["_COMM=systemd", "_EXE=/lib/systemd/systemd"],
    &["_SYSTEMD_SLICE=system-systemd\\x2dcoredump.slice"],
    &["_TRANSPORT=audit", "_AUDIT_TYPE=1701"],
    &["_SYSTEMD_UNIT=kubelet.service"],
    &["_SYSTEMD_UNIT=k3s.service"],
    &["_SYSTEMD_UNIT=k3s-agent.service"],
];

/// Which boot's journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Boot {
    /// So many boots before this one.
    Before(u32),
    /// An offset or an id as `journalctl --boot` takes it.
    Named(String),
}

impl fmt::Display for Boot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Before(boots) => write!(f, "-{boots}"),
            Self::Named(name) => f.write_str(name),
        }
    }
}

/// Which records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wanted {
    /// What every journal holds: the kernel's and systemd's.
    Anything,
    /// Of the programs that kill.
    Killers,
    /// Theirs and the kernel's.
    Kills,
    /// Theirs, the kernel's, and all that can tell how a unit ended; those of this process too.
    Ends(Option<u32>),
}

/// A call of journalctl for records, one JSON object each.
#[derive(Debug, Clone)]
pub struct Journalctl {
    program: OsString,
    wanted: Wanted,
    boot: Option<Boot>,
    last: Option<u32>,
    since: Option<i64>,
    follow: bool,
    most: u64,
    within: Option<Duration>,
    silence: Duration,
    leash: Leash,
    /// One more match, see [`Self::anchored`].
    anchor: Option<String>,
}

impl Journalctl {
    fn new(wanted: Wanted) -> Self {
        Self {
            program: "journalctl".into(),
            wanted,
            boot: None,
            last: None,
            since: None,
            follow: false,
            most: MOST,
            within: None,
            silence: SILENCE,
            leash: Leash::default(),
            anchor: None,
        }
    }

    /// All records of this boot that can tell of a kill: the kernel's, and those of programs that kill.
    #[must_use]
    pub fn kills() -> Self {
        Self::new(Wanted::Kills)
    }

    /// Only those of programs that kill, for who reads `/dev/kmsg` besides.
    #[must_use]
    pub fn killers() -> Self {
        Self::new(Wanted::Killers)
    }

    /// All records that can tell how a process or a unit ended; `own`: also those that this process wrote, which show
    /// its unit. Of this boot, unless [`Self::since`] asks for more.
    #[must_use]
    pub fn ends(own: Option<u32>) -> Self {
        Self::new(Wanted::Ends(own))
    }

    /// Of all boots since this moment, in microseconds since 1970.
    #[must_use]
    pub fn since(mut self, micros: i64) -> Self {
        self.since = Some(micros);
        self
    }

    /// Of another boot.
    #[must_use]
    pub fn boot(mut self, boot: Boot) -> Self {
        self.boot = Some(boot);
        self
    }

    /// Only the last `lines`.
    #[must_use]
    pub fn last(mut self, lines: u32) -> Self {
        self.last = Some(lines);
        self
    }

    /// And then what is new, without end.
    #[must_use]
    pub fn follow(mut self) -> Self {
        self.follow = true;
        self
    }

    /// Another program that takes the same arguments.
    #[must_use]
    pub fn program(mut self, program: &OsStr) -> Self {
        program.clone_into(&mut self.program);
        self
    }

    /// At most so many bytes of an output that is not followed; more is an error. 4 GiB unless set.
    #[must_use]
    pub fn most(mut self, bytes: u64) -> Self {
        self.most = bytes;
        self
    }

    /// The whole output must end within this time; no bound unless set.
    #[must_use]
    pub fn within(mut self, time: Duration) -> Self {
        self.within = Some(time);
        self
    }

    /// How long a stream may be silent; a minute unless set.
    #[must_use]
    pub fn silence(mut self, time: Duration) -> Self {
        self.silence = time;
        self
    }

    /// Who can end the program besides its reader.
    #[must_use]
    pub fn held_by(mut self, leash: &Leash) -> Self {
        self.leash = leash.clone();
        self
    }

    fn arguments(&self) -> Vec<String> {
        let mut arguments: Vec<String> = ["-o", "json"].map(str::to_owned).into();
        if self.follow {
            arguments.push("-f".to_owned());
        }
        if let Some(lines) = self.last {
            arguments.extend(["-n".to_owned(), lines.to_string()]);
        }
        match &self.boot {
            Some(boot) => arguments.push(format!("--boot={boot}")),
            None if self.wanted == Wanted::Anything => {}
            None if self.since.is_some() => {}
            None => arguments.push("--boot".to_owned()),
        }
        if let Some(micros) = self.since {
            arguments.push(format!("--since=@{}", micros.div_euclid(1_000_000)));
        }
        // Quiet: a journal without lines prints nothing instead of "-- No entries --".
        arguments.extend(["-q", "--no-pager"].map(str::to_owned));
        let kernel: &[&[&str]] = &[&["_TRANSPORT=kernel"]];
        let proofs = Killer::ALL.iter().map(|killer| killer.proofs());
        let killers = proofs.flatten().copied();
        let own = match self.wanted {
            Wanted::Ends(Some(pid)) => Some(format!("_PID={pid}")),
            _ => None,
        };
        let own: Vec<&str> = own.iter().map(String::as_str).collect();
        let matches: Vec<&[&str]> = match self.wanted {
            Wanted::Anything => kernel.iter().copied().chain([&["_PID=1"][..]]).collect(),
            Wanted::Killers => killers.collect(),
            Wanted::Kills => kernel.iter().copied().chain(killers).collect(),
            Wanted::Ends(_) => {
                let all = kernel.iter().copied().chain(killers);
                let all = all.chain(ENDS.iter().copied());
                all.chain((!own.is_empty()).then_some(own.as_slice()))
                    .collect()
            }
        };
        for (nth, terms) in matches.iter().enumerate() {
            // "+" is or; terms without it must all hold.
            arguments.extend((nth > 0).then(|| "+".to_owned()));
            arguments.extend(terms.iter().map(|term| (*term).to_owned()));
        }
        if let Some(anchor) = &self.anchor {
            arguments.extend(["+".to_owned(), anchor.clone()]);
        }
        arguments
    }

    /// Runs it.
    ///
    /// # Errors
    /// If there is no such program.
    pub fn start(&self) -> Result<JournalReader, ReadError> {
        let mut command = Command::new(&self.program);
        command.args(self.arguments());
        let child = OwnChild::spawn(&mut command, &self.leash).map_err(|error| {
            cannot_read(
                &self.program,
                error,
                as_root("run oomtop as root to read /dev/kmsg"),
            )
        })?;
        let bounds = Bounds {
            bytes: if self.follow { u64::MAX } else { self.most },
            within: self.within,
            silence: self.silence,
        };
        Ok(JournalReader::new(child, &self.program, bounds))
    }

    /// The call as it is to be followed, and the last record of it that there is now, in JSON.
    ///
    /// If the journal has none, the last record of the kernel or of systemd is asked for too: a journalctl (252)
    /// that follows from an empty beginning can miss what comes.
    ///
    /// # Errors
    /// If there is no such program, or it shows this user no record at all: there is no journal, or it may not
    /// be seen. To follow it would wait for ever and say nothing.
    pub fn anchored(&self) -> Result<(Self, Vec<u8>), ReadError> {
        if let Some(line) = self.one_line(self.wanted)? {
            return Ok((self.clone(), line));
        }
        let Some(line) = self.one_line(Wanted::Anything)? else {
            return Err(cannot_read(
                &self.program,
                io::Error::new(
                    io::ErrorKind::NotFound,
                    "it shows no record of the kernel or of systemd to this user",
                ),
                as_root("run oomtop as root, or join the group systemd-journal"),
            ));
        };
        let call = Self {
            anchor: anchor(&line),
            ..self.clone()
        };
        Ok((call, line))
    }

    fn one_line(&self, wanted: Wanted) -> Result<Option<Vec<u8>>, ReadError> {
        let call = Self {
            wanted,
            follow: false,
            last: Some(1),
            most: PROBE_MOST,
            ..self.clone()
        };
        match call.start()?.next(PROBE_WITHIN) {
            Ok(Some(line)) => Ok(Some(line)),
            Ok(None) => Err(cannot_read(
                &self.program,
                io::Error::new(
                    io::ErrorKind::TimedOut,
                    format!("it did not answer within {} s", PROBE_WITHIN.as_secs()),
                ),
                "see whether journalctl -n 1 answers",
            )),
            Err(error) if error.source.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// A match for this record alone: the time at which its sender made it.
fn anchor(line: &[u8]) -> Option<String> {
    let record: serde_json::Value = serde_json::from_slice(line).ok()?;
    let fields = ["_SOURCE_MONOTONIC_TIMESTAMP", "_SOURCE_REALTIME_TIMESTAMP"];
    fields.iter().find_map(|field| {
        let stamp = record.get(field)?.as_str()?;
        let is_number = stamp.bytes().all(|byte| byte.is_ascii_digit());
        (is_number && !stamp.is_empty()).then(|| format!("{field}={stamp}"))
    })
}
