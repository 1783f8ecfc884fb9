//! Who or what holds the memory of one row: files, segments, processes, slab caches.

use crate::model::ledger::{Account, Cache, Kind, OpenFile, Segment, TmpfsMount};
use crate::model::oom_domain::enclosing::is_member;
use crate::model::oom_domain::victim::Scope;
use crate::model::process::Pid;
use crate::model::snapshot::Snapshot;
use crate::text::format;
use crate::text::tone::{Line, Tone};

/// Rows of one kind.
const MOST: usize = 6;

/// Smaller holders are not named.
const LEAST: u64 = 256 << 10;

fn line(text: impl Into<String>) -> Line {
    Line::of(Tone::Dim, format!("      {}", text.into()))
}

fn sized(bytes: u64, text: &str) -> Line {
    Line::of(Tone::Normal, format!("    {:>7}  ", format::size(bytes))).add(Tone::Dim, text)
}

/// What the rows of one ledger are made of.
#[derive(Debug, Clone, Copy)]
pub(super) struct Holders<'a> {
    pub(super) account: &'a Account,
    pub(super) snapshot: &'a Snapshot,
    pub(super) scope: Scope,
    /// Bytes of a page.
    pub(super) page_size: u64,
}

impl Holders<'_> {
    /// The lines below the row of a kind.
    pub(super) fn lines(&self, kind: Kind) -> Vec<Line> {
        match kind {
            Kind::Tmpfs => self.mounts(),
            Kind::SysV => self.segments(),
            Kind::Shared => self.shared(),
            Kind::Shmem => {
                let mut lines = self.shared();
                let in_sight = [self.mounts(), self.segments()].concat();
                if !in_sight.is_empty() {
                    lines.push(line(
                        "which of them a group is charged for is told nowhere; in sight are:",
                    ));
                }
                lines.extend(in_sight);
                lines
            }
            Kind::SlabUnreclaimable => self.caches(false),
            Kind::SlabReclaimable => self.caches(true),
            _ => Vec::new(),
        }
    }

    /// A process by number and name, as far as it lives.
    fn named(&self, pid: Pid) -> String {
        let process = self.snapshot.processes.iter().find(|p| p.id.pid == pid);
        process.map_or_else(
            || format!("{pid} (gone)"),
            |process| format!("{pid} {}", process.comm),
        )
    }

    fn mounts(&self) -> Vec<Line> {
        let full = self
            .account
            .mounts
            .iter()
            .filter(|mount| mount.used >= LEAST);
        let mut lines = Vec::new();
        for mount in full.take(MOST) {
            lines.push(sized(mount.used, &self.about_mount(mount)));
            for file in mount.files.iter().filter(|file| file.bytes >= LEAST) {
                let size = format::size(file.bytes);
                lines.push(line(format!("     {size:>7}  {}", file.name)));
            }
        }
        lines
    }

    fn about_mount(&self, mount: &TmpfsMount) -> String {
        let limit = mount
            .limit
            .map_or_else(String::new, |limit| format!(" of {}", format::size(limit)));
        let seen = mount.seen_by.map_or_else(String::new, |pid| {
            format!(" in the mounts of {}", self.named(pid))
        });
        format!("{}{limit}{seen}", mount.point)
    }

    fn segments(&self) -> Vec<Line> {
        let of_size = self
            .account
            .segments
            .iter()
            .filter(|segment| segment.resident >= LEAST);
        of_size
            .take(MOST)
            .map(|segment| sized(segment.resident, &self.about_segment(segment)))
            .collect()
    }

    fn about_segment(&self, segment: &Segment) -> String {
        let creator = self.named(segment.creator);
        let user = self.snapshot.user(segment.uid);
        let user = user.map_or_else(|| segment.uid.to_string(), str::to_owned);
        let fate = match segment.attached {
            _ if segment.doomed => "goes with its last user".to_owned(),
            0 => format!("nobody uses it: ipcrm -m {}", segment.id),
            attached => format!("attached {}", format::number_of(attached, "time", "times")),
        };
        format!(
            "segment {} of {user}, made by {creator}: {fate}",
            segment.id
        )
    }

    /// memfds and deleted files that are open, and the processes that map most shared memory.
    fn shared(&self) -> Vec<Line> {
        let open = self.account.open.iter().filter(|file| file.bytes >= LEAST);
        let mut lines: Vec<Line> = open
            .take(MOST)
            .map(|file| sized(file.bytes, &self.about_open(file)))
            .collect();
        let mapped = |pages: u64| pages.saturating_mul(self.page_size);
        let mut users: Vec<_> = self
            .snapshot
            .processes
            .iter()
            .filter(|process| is_member(process, self.scope, self.snapshot))
            .filter_map(|process| Some((process.memory?.shmem, process)))
            .filter(|(pages, _)| mapped(*pages) >= LEAST)
            .collect();
        users.sort_by_key(|(pages, process)| (std::cmp::Reverse(*pages), process.id));
        if !users.is_empty() {
            let users: Vec<String> = users
                .iter()
                .take(4)
                .map(|(pages, process)| {
                    format!(
                        "{} {} {}",
                        process.id.pid,
                        process.comm,
                        format::size(mapped(*pages))
                    )
                })
                .collect();
            lines.push(line(format!("mapped by {}", users.join(", "))));
        }
        lines
    }

    fn about_open(&self, file: &OpenFile) -> String {
        let what = if file.name.starts_with('/') {
            "deleted file"
        } else {
            "memfd"
        };
        format!("{what} {}, open in {}", file.name, self.named(file.held_by))
    }

    fn caches(&self, reclaimable: bool) -> Vec<Line> {
        let kind = |cache: &&Cache| {
            cache.reclaimable.unwrap_or(false) == reclaimable && cache.bytes >= LEAST
        };
        let some = self.account.caches.iter().filter(kind).take(MOST);
        some.map(|cache| sized(cache.bytes, &cache.name)).collect()
    }
}
