//! The ledger in words, the same on the screen and in reports.

use crate::oomlog::analysis::ledger::{FreedBy, Kind, Ledger, Outlook, Prospect};
use crate::text::format;
use crate::text::tone::{Line, Tone};

/// The name of a kind, at most 22 letters.
#[must_use]
pub fn name(kind: Kind) -> &'static str {
    match kind {
        Kind::Private => "private memory",
        Kind::Locked => "locked (mlock)",
        Kind::Shared => "memfd, shared mappings",
        Kind::Tmpfs => "tmpfs files",
        Kind::SysV => "SysV segments",
        Kind::Shmem => "tmpfs, shared memory",
        Kind::PageCache => "page cache",
        Kind::Pinned => "page cache that stays",
        Kind::SwapCache => "swap cache",
        Kind::SlabReclaimable => "slab that shrinks",
        Kind::SlabUnreclaimable => "slab that stays",
        Kind::KernelReclaimable => "kernel that shrinks",
        Kind::PageTables => "page tables",
        Kind::Stacks => "kernel stacks",
        Kind::Sockets => "socket buffers",
        Kind::PerCpu => "per-CPU data",
        Kind::Vmalloc => "vmalloc",
        Kind::HugePages => "huge pages set aside",
        Kind::Compressed => "zram and zswap",
        Kind::DmaBuf => "device buffers",
        Kind::OtherKernel => "other kernel memory",
    }
}

/// What it is or what frees it, in at most 35 letters: a row fits on 80 columns.
#[must_use]
pub fn about(kind: Kind) -> &'static str {
    match kind {
        Kind::Private | Kind::Locked => "ends with its process",
        Kind::Shared => "ends with its last user",
        Kind::Tmpfs => "until the files are deleted",
        Kind::SysV => "until ipcrm removes them",
        Kind::Shmem => "files stay, memfd ends with users",
        Kind::PageCache | Kind::SwapCache => "dropped when memory is short",
        Kind::Pinned => "ramfs: until files are deleted",
        Kind::SlabReclaimable => "dentries, inodes",
        Kind::SlabUnreclaimable => "kernel objects, some of processes",
        Kind::KernelReclaimable => "shrinks when memory is short",
        Kind::PageTables => "end with their process",
        Kind::Stacks => "end with their threads",
        Kind::Sockets => "end with the last user of each",
        Kind::PerCpu => "cgroups, network, BPF",
        Kind::Vmalloc => "modules, BPF, drivers",
        Kind::HugePages => "until vm.nr_hugepages is lowered",
        Kind::Compressed => "swapped into RAM: swapoff frees it",
        Kind::DmaBuf => "GPU, cameras",
        Kind::OtherKernel => "pipes, small objects",
    }
}

/// A heading for the kinds that are given back so.
#[must_use]
pub fn heading(how: FreedBy) -> &'static str {
    match how {
        FreedBy::Kill => "The end of its processes frees",
        FreedBy::LastUser => "The last user's end frees",
        FreedBy::Reclaim => "Can be dropped, before anybody is killed",
        FreedBy::Hand => "No kill frees",
    }
}

/// The order of the headings: what no kill frees comes first.
pub const ORDER: [FreedBy; 4] = [
    FreedBy::Hand,
    FreedBy::LastUser,
    FreedBy::Kill,
    FreedBy::Reclaim,
];

/// The verdict as a sentence with its tone. `host` tells what the kernel does when nobody is left to kill.
#[must_use]
pub fn verdict(prospect: &Prospect, host: bool) -> Line {
    let size = format::size;
    let frees = format!(
        "Kills free at most {} of {}",
        size(prospect.by_kill.min(prospect.held())),
        size(prospect.held())
    );
    match prospect.outlook() {
        Outlook::Fine => Line::of(Tone::Good, format!("{frees}.")),
        Outlook::Large => Line::of(
            Tone::Watch,
            format!("{frees}: {} stay, whoever dies.", size(prospect.stays())),
        ),
        Outlook::Hopeless => {
            let end = if host {
                "the kernel will panic"
            } else {
                "its tasks will hang or get ENOMEM"
            };
            Line::of(
                Tone::Critical,
                format!("{frees}: no kill can end this, {end}."),
            )
        }
    }
}

/// One kind of a ledger with its share of used: a row.
#[must_use]
pub fn row(label: &str, bytes: u64, used: u64, about: &str) -> Line {
    let share = if used == 0 {
        String::new()
    } else {
        format!("{:.1}%", crate::model::memory::percent(bytes, used))
    };
    Line::of(Tone::Normal, format!("  {label:<23}"))
        .add(Tone::Strong, format!("{:>7}", format::size(bytes)))
        .add(Tone::Normal, format!("{share:>7}  "))
        .add(Tone::Dim, about)
}

/// All rows, under their headings, and the rest that no counter names. `beneath` gives lines to put below a row.
#[must_use]
pub fn rows(ledger: &Ledger, beneath: impl Fn(Kind) -> Vec<Line>) -> Vec<Line> {
    let mut lines = Vec::new();
    for how in ORDER {
        let entries = ledger.entries.iter();
        let mut some = entries
            .filter(|entry| entry.kind.freed_by() == how)
            .peekable();
        // With counters lost the rest can be of any kind: it comes last, under a heading of its own.
        let uncounted = if how == FreedBy::Hand && !ledger.is_partial() {
            ledger.uncounted()
        } else {
            0
        };
        if some.peek().is_none() && uncounted == 0 {
            continue;
        }
        let mut sum = ledger.freed_by(how);
        sum = sum.saturating_add(uncounted);
        lines.push(
            Line::of(Tone::Accent, heading(how)).add(Tone::Dim, format!("  {}", format::size(sum))),
        );
        for entry in some {
            lines.push(row(
                name(entry.kind),
                entry.bytes,
                ledger.used,
                about(entry.kind),
            ));
            lines.extend(beneath(entry.kind));
        }
        if uncounted > 0 {
            let about = "pipes, unix sockets, drivers";
            lines.push(row("uncounted", uncounted, ledger.used, about));
        }
    }
    let rest = ledger.uncounted();
    if ledger.is_partial() && rest > 0 {
        let size = format!("  {}", format::size(rest));
        lines.push(Line::of(Tone::Accent, "Of a kind that is not known").add(Tone::Dim, size));
        lines.push(row(
            "uncounted",
            rest,
            ledger.used,
            "its counters are missing",
        ));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::{rows, verdict};
    use crate::oomlog::analysis::ledger::{Kind, Ledger, Prospect};

    #[test]
    fn every_byte_that_is_used_has_a_row() {
        let ledger = Ledger::new(
            100 << 20,
            [
                (Kind::Private, Some(30 << 20)),
                (Kind::Tmpfs, Some(50 << 20)),
                (Kind::PageCache, Some(10 << 20)),
            ],
        );
        let lines = rows(&ledger, |_| Vec::new());
        let text: String = lines.iter().map(|line| line.plain() + "\n").collect();
        for row in [
            "No kill frees  60M",
            "  tmpfs files                50M  50.0%  until the files are deleted",
            "  uncounted                  10M  10.0%",
            "The end of its processes frees  30M",
            "Can be dropped, before anybody is killed  10M",
        ] {
            assert!(text.contains(row), "{row}\n{text}");
        }
        for kind in [Kind::HugePages, Kind::Shmem, Kind::SlabUnreclaimable] {
            assert!(super::name(kind).len() <= 22);
            assert!(super::about(kind).len() <= 35);
        }
    }

    #[test]
    fn the_verdict_says_how_it_ends() {
        let full = Prospect {
            limit: 100 << 20,
            used: 99 << 20,
            by_kill: 3 << 20,
            by_reclaim: 0,
            killable: 1,
            members: 1,
        };
        let of = |prospect, host| verdict(prospect, host).plain();
        let text = of(&full, true);
        assert_eq!(
            text,
            "Kills free at most 3.0M of 99M: no kill can end this, the kernel will panic."
        );
        assert!(of(&full, false).contains("hang"));
        let half = Prospect {
            by_kill: 40 << 20,
            ..full
        };
        assert!(of(&half, true).contains("59M stay"));
    }
}
