//! Reads the kernel's log and the journal for facts about ends.

use std::collections::{BTreeMap, VecDeque};
use std::io::{BufRead as _, BufReader, ErrorKind};
use std::time::{Duration, Instant};

use serde_json::{Map, Value};

use crate::linux::log::journal::Journalctl;
use crate::linux::log::kmsg::{KmsgItem, KmsgReader};
use crate::linux::{ReadError, SysRoot, presence};
use crate::model::time::{BootTime, Now};
use crate::oomlog::analysis::death::{Question, Seen};
use crate::oomlog::witness::{Fact, Says, facts_of, from_journal, from_kernel};
use crate::oomlog::{LogRecord, Monotonic, OomAssembler, OomEvent, Pid, ReportKey};

/// Most facts that are kept; the oldest go first.
const KEPT: usize = 32_768;
/// Most reports and kills of one boot that may still grow.
const GROWING: usize = 64;
/// How long the logs are read.
const WITHIN: Duration = Duration::from_secs(30);
/// Most bytes of a line of the journal; longer ones are left out.
const LINE_MOST: usize = 1 << 20;

/// What the logs say, and how much of them could be read.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    pub(super) facts: VecDeque<Fact>,
    pub(super) seen: Seen,
    /// Sentences.
    pub(super) unreadable: Vec<String>,
    pub(super) left_out: u64,
}

impl Gathered {
    /// Reads both logs.
    pub(super) fn read(question: &Question, since: Option<i64>, root: &SysRoot, now: Now) -> Self {
        let mut gathered = Self {
            seen: Seen {
                boot_at: now.wall_of_boot(BootTime(0)).unix_micros,
                ..Seen::default()
            },
            ..Self::default()
        };
        let oldest = gathered.kernel(root, now);
        if *root == SysRoot::default() {
            let own = match question {
                Question::Pid(pid) => Some(*pid),
                Question::Unit(_) | Question::Name(_) => None,
            };
            gathered.journal(own, since, oldest, presence::boot_id(root).as_deref());
        } else {
            let why = "the journal is not read: the log is not this kernel's";
            gathered.unreadable.push(why.to_owned());
        }
        gathered
    }

    fn add(&mut self, fact: Fact) {
        if self.facts.len() == KEPT {
            self.facts.pop_front();
            self.left_out += 1;
        }
        self.facts.push_back(fact);
    }

    /// Reads the kernel's own log; the stamp of its oldest record.
    fn kernel(&mut self, root: &SysRoot, now: Now) -> Option<Monotonic> {
        let mut oldest = None;
        let wall = |at| now.wall_of(at).unix_micros;
        let mut boot = Boot::default();
        let mut read = || -> Result<(), ReadError> {
            let mut reader = KmsgReader::open(&root.kmsg)?;
            let until = Instant::now() + WITHIN;
            while Instant::now() < until {
                let item = reader.next(Duration::ZERO)?;
                if reader.is_past_start(item.as_ref()) && item.is_none() {
                    break;
                }
                match item {
                    Some(KmsgItem::Record(bytes)) => {
                        let Ok(record) = LogRecord::parse_kmsg(&bytes) else {
                            continue;
                        };
                        oldest = oldest.or(record.at);
                        self.seen.kernel_from = self.seen.kernel_from.or(record.at.map(wall));
                        if let Some(fact) = record.at.and_then(|at| from_kernel(&record, wall(at)))
                        {
                            self.add(fact);
                        }
                        boot.feed(record);
                        boot.settle(wall, |fact| self.add(fact));
                    }
                    Some(KmsgItem::Lost) => self.seen.gap = true,
                    None => break,
                }
            }
            Ok(())
        };
        if let Err(error) = read() {
            self.unreadable.push(error.to_string());
        }
        self.seen.gap |= boot.end(wall, |fact| self.add(fact));
        oldest
    }

    /// Reads the journal. What the kernel's own log has is taken from there.
    fn journal(
        &mut self,
        own: Option<Pid>,
        since: Option<i64>,
        oldest: Option<Monotonic>,
        this_boot: Option<&str>,
    ) {
        let mut call = Journalctl::ends(own).within(WITHIN);
        if let Some(since) = since {
            call = call.since(since);
        }
        let mut journal = Journal {
            own,
            oldest,
            this_boot,
            boot: Boot::default(),
            id: String::new(),
            base: 0,
            heard: false,
        };
        let outcome = call.start().and_then(|reader| {
            let mut reader = BufReader::new(reader);
            let mut line = Vec::new();
            let mut is_cut = false;
            let failed = loop {
                match reader.fill_buf() {
                    Ok([]) => break None,
                    Ok(bytes) => {
                        let end = memchr::memchr(b'\n', bytes);
                        let size = end.unwrap_or(bytes.len());
                        is_cut |= line.len() + size > LINE_MOST;
                        if !is_cut {
                            line.extend_from_slice(bytes.get(..size).unwrap_or_default());
                        }
                        reader.consume(size + usize::from(end.is_some()));
                        if end.is_some() {
                            if !is_cut {
                                journal.line(&line, self);
                            }
                            line.clear();
                            is_cut = false;
                        }
                    }
                    Err(error) if error.kind() == ErrorKind::Interrupted => {}
                    Err(error) => break Some(error),
                }
            };
            match failed {
                None => reader.into_inner().end(),
                Some(error) => {
                    let cut = format!("the journal was not read to its end: {error}");
                    self.unreadable.push(cut);
                    Ok(())
                }
            }
        });
        let heard = journal.heard;
        journal.finish(self);
        // Nothing at all: a journal without such records, or one that this user may not read.
        let outcome = outcome.and_then(|()| {
            if heard {
                return Ok(());
            }
            Journalctl::kills().anchored().map(|_| ())
        });
        match outcome {
            Ok(()) => self.seen.journal = true,
            Err(error) => self.unreadable.push(error.to_string()),
        }
    }
}

/// The journal's records, boot after boot.
struct Journal<'a> {
    own: Option<Pid>,
    oldest: Option<Monotonic>,
    this_boot: Option<&'a str>,
    boot: Boot,
    /// Of the boot.
    id: String,
    /// The boot's beginning in microseconds since 1970.
    base: i64,
    /// A record of the kernel or of systemd was among them.
    heard: bool,
}

impl Journal<'_> {
    fn line(&mut self, line: &[u8], gathered: &mut Gathered) {
        let Ok(record) = serde_json::from_slice::<Map<String, Value>>(line) else {
            return;
        };
        let text = |key: &str| record.get(key).and_then(Value::as_str);
        let number = |key: &str| text(key)?.parse::<i64>().ok();
        let id = text("_BOOT_ID").unwrap_or("");
        if id != self.id {
            self.settle_boot(gathered);
            id.clone_into(&mut self.id);
        }
        let stamps = number("__REALTIME_TIMESTAMP").zip(number("__MONOTONIC_TIMESTAMP"));
        if let Some((wall, boot)) = stamps {
            self.base = wall.saturating_sub(boot);
        }
        let is_kernel = text("_TRANSPORT") == Some("kernel");
        self.heard |= is_kernel || text("_PID") == Some("1");
        let base = self.base;
        if let Ok(Some(parsed)) = LogRecord::parse_journal(line) {
            let at = parsed.at;
            let is_known = is_kernel
                && self.this_boot == Some(id)
                && self
                    .oldest
                    .is_some_and(|oldest| at.is_some_and(|at| at >= oldest));
            if is_known {
                return;
            }
            if is_kernel && let Some(at) = at {
                let wall = wall(base, at);
                let from = gathered
                    .seen
                    .kernel_from
                    .map_or(wall, |from| from.min(wall));
                gathered.seen.kernel_from = Some(from);
                if let Some(fact) = from_kernel(&parsed, wall) {
                    gathered.add(fact);
                }
            }
            self.boot.feed(parsed);
            self.boot
                .settle(|at| wall(base, at), |fact| gathered.add(fact));
        }
        if let Some(fact) = from_journal(&record, self.own) {
            // One fact is enough to know the unit.
            let is_same = |last: &Fact| last.says == Says::Lived && last.unit == fact.unit;
            if fact.says == Says::Lived && gathered.facts.back().is_some_and(is_same) {
                gathered.facts.pop_back();
            }
            gathered.add(fact);
        }
    }

    fn settle_boot(&mut self, gathered: &mut Gathered) {
        let base = self.base;
        let boot = std::mem::take(&mut self.boot);
        boot.end(|at| wall(base, at), |fact| gathered.add(fact));
    }

    fn finish(mut self, gathered: &mut Gathered) {
        self.settle_boot(gathered);
    }
}

fn wall(base: i64, at: Monotonic) -> i64 {
    base.saturating_add(i64::try_from(at.0).unwrap_or(i64::MAX))
}

/// The OOM events of one boot; a report becomes facts when it does not grow any more.
#[derive(Default)]
struct Boot {
    assembler: OomAssembler,
    events: Vec<OomEvent>,
    growing: BTreeMap<ReportKey, OomEvent>,
    gap: bool,
}

impl Boot {
    fn feed(&mut self, record: LogRecord) {
        self.assembler.feed(record, &mut self.events);
    }

    /// Takes in what came; the oldest of many becomes facts.
    fn settle(&mut self, wall: impl Fn(Monotonic) -> i64, mut add: impl FnMut(Fact)) {
        for event in self.events.drain(..) {
            let key = match &event {
                OomEvent::Report(report) => report.key,
                OomEvent::Userspace(kill) => kill.key,
                OomEvent::Gap { .. } => {
                    self.gap = true;
                    continue;
                }
            };
            self.growing.insert(key, event);
            if self.growing.len() > GROWING
                && let Some((_, oldest)) = self.growing.pop_first()
            {
                facts_of(&oldest, &wall).into_iter().for_each(&mut add);
            }
        }
    }

    /// The rest of them; true if records were lost.
    fn end(mut self, wall: impl Fn(Monotonic) -> i64, mut add: impl FnMut(Fact)) -> bool {
        self.settle(&wall, &mut add);
        for event in self.growing.into_values() {
            facts_of(&event, &wall).into_iter().for_each(&mut add);
        }
        self.gap
    }
}
