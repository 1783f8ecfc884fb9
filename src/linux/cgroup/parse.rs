//! Parses `memory.events` and `memory.stat` of one group.

use crate::linux::kernel_file::{MOST_BYTES, lines, number};
use crate::model::cgroup::{GroupEvents, GroupStat};

/// The lines `key number`.
fn pairs(text: &[u8]) -> impl Iterator<Item = (&[u8], Option<u64>)> {
    lines(text).filter_map(|line| {
        let mut words = line.splitn(2, |b| *b == b' ');
        Some((words.next()?, number(words.next()?)))
    })
}

pub(super) fn parse_events(text: &[u8]) -> GroupEvents {
    let mut events = GroupEvents::default();
    for (key, value) in pairs(text) {
        match key {
            b"high" => events.high = value,
            b"max" => events.max = value,
            b"oom" => events.oom = value,
            b"oom_kill" => events.oom_kill = value,
            b"oom_group_kill" => events.oom_group_kill = value,
            _ => {}
        }
    }
    events
}

/// Takes the lines with this prefix: `total_` on v1, which counts the whole subtree, and none on v2. `None`
/// if the file has no page cache lines.
pub(super) fn parse_stat(text: &[u8], prefix: &str) -> Option<GroupStat> {
    let (mut stat, mut lists) = (GroupStat::default(), 0);
    for (key, value) in pairs(text) {
        let Some((key, value)) = key.strip_prefix(prefix.as_bytes()).zip(value) else {
            continue;
        };
        let bytes = value.min(MOST_BYTES);
        match key {
            b"inactive_file" => (stat.inactive_file, lists) = (bytes, lists + 1),
            b"active_file" => (stat.active_file, lists) = (bytes, lists + 1),
            b"file_dirty" | b"file_writeback" | b"dirty" | b"writeback" => stat.unwritten += bytes,
            b"anon" | b"rss" => stat.anon = Some(bytes),
            b"shmem" => stat.shmem = Some(bytes),
            b"pgscan" => stat.scanned = Some(value),
            b"pgsteal" => stat.stolen = Some(value),
            b"slab_reclaimable" => stat.slab_reclaimable = Some(bytes),
            b"workingset_refault" | b"workingset_refault_anon" | b"workingset_refault_file" => {
                stat.refaults = Some(stat.refaults.unwrap_or(0).saturating_add(value));
            }
            _ => {}
        }
    }
    (lists == 2).then_some(stat)
}

pub(super) fn hundredths(percent: f32) -> u32 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "clamped to 0..=10000"
    )]
    let value = (percent * 100.0).round().clamp(0.0, 10_000.0) as u32;
    value
}

#[cfg(test)]
mod tests {
    use super::{hundredths, parse_events, parse_stat};

    #[test]
    fn events_by_key_with_unknown_ones() {
        let events = parse_events(
            b"low 0\nhigh 3\nmax 9\noom 2\noom_kill 1\noom_group_kill 4\nsock_throttled 5\n",
        );
        assert_eq!((events.high, events.max), (Some(3), Some(9)));
        assert_eq!((events.oom, events.oom_kill), (Some(2), Some(1)));
        assert_eq!(events.oom_group_kill, Some(4));
        assert_eq!(parse_events(b"oom\n\xff 3\n").oom, None);
    }

    #[test]
    fn what_can_be_dropped_is_the_file_lists_with_what_must_be_written() {
        let v2 = b"anon 9\nshmem 7\npgscan 30\npgsteal 20\nfile_dirty 10\nfile_writeback 5\ninactive_file 100\nactive_file 50\n\
                   workingset_refault_anon 3\nworkingset_refault_file 4\n";
        let stat = parse_stat(v2, "").expect("both lists");
        assert_eq!(
            (stat.droppable(), stat.unwritten, stat.refaults),
            (150, 15, Some(7))
        );
        assert_eq!((stat.anon, stat.shmem), (Some(9), Some(7)));
        assert_eq!((stat.scanned, stat.stolen), (Some(30), Some(20)));
        // v1 has its own numbers first and those of the whole subtree after them.
        let v1 =
            b"rss 1\ninactive_file 1\nactive_file 1\ndirty 1\ntotal_rss 6\ntotal_dirty 8\ntotal_inactive_file 100\n\
                   total_active_file 50\n";
        let stat = parse_stat(v1, "total_").expect("both lists");
        assert_eq!(
            (stat.droppable(), stat.unwritten, stat.refaults),
            (150, 8, None)
        );
        assert_eq!((stat.anon, stat.shmem, stat.scanned), (Some(6), None, None));
        let odd =
            b"inactive_file 1\nactive_file 2\nfile_dirty 99999999999999999999\nfile_writeback 50\n";
        assert_eq!(parse_stat(odd, "").map(|s| s.droppable()), Some(3));
        assert_eq!(parse_stat(b"inactive_file 5\n\xff 3\n", ""), None);
    }

    #[test]
    fn pressure_is_kept_in_hundredths() {
        assert_eq!(hundredths(12.34), 1234);
        assert_eq!(hundredths(-1.0), 0);
        assert_eq!(hundredths(f32::NAN), 0);
    }
}
