//! The lines of `/proc/PID/cgroup`: the group whose memory counts first, the other hierarchies of v1 below one
//! heading.

use super::pair;
use crate::model::snapshot::Snapshot;
use crate::text::format;
use crate::text::tone::Line;

/// Most other hierarchies that are listed. A kernel has about a dozen controllers; named hierarchies come on top.
const OTHERS: usize = 20;

/// `lines` as the kernel writes them: `HIERARCHY:CONTROLLERS:PATH` (cgroups(7)).
pub(super) fn lines(lines: &[String]) -> Vec<Line> {
    // On a v2 or hybrid machine the line `0::` comes too; it counts memory only if no v1 hierarchy does.
    let counting = lines
        .iter()
        .position(|line| controllers(line).split(',').any(|name| name == "memory"))
        .or_else(|| lines.iter().position(|line| line.starts_with("0::")));
    let mut shown: Vec<Line> = counting
        .and_then(|at| lines.get(at))
        .map(|line| pair("  cgroup", line.as_str()))
        .into_iter()
        .collect();
    let others: Vec<_> = lines
        .iter()
        .enumerate()
        .filter(|(at, _)| Some(*at) != counting)
        .map(|(_, line)| line)
        .collect();
    if others.is_empty() {
        return shown;
    }
    let many = format::number_of(others.len() as u64, "hierarchy", "hierarchies");
    let verb = if others.len() == 1 { "does" } else { "do" };
    shown.push(pair(
        "  others",
        format!("{many} that {verb} not count memory:"),
    ));
    shown.extend(
        others
            .iter()
            .take(OTHERS)
            .map(|line| pair("", line.as_str())),
    );
    if others.len() > OTHERS {
        shown.push(pair("", format!("… and {} more", others.len() - OTHERS)));
    }
    shown
}

/// What reads thousands of groups; nothing where their files do, as everywhere.
pub(super) fn read_by(snapshot: &Snapshot) -> Option<Line> {
    let by = snapshot.groups_backend;
    match &snapshot.groups_note {
        Some(note) => Some(pair("  groups", format!("{by} ({note})"))),
        // The kernel sums these up only when somebody reads the file.
        None if by.starts_with("bpf") => Some(pair(
            "  groups",
            format!("{by}; memory.stat and memory.pressure from their files"),
        )),
        None => None,
    }
}

fn controllers(line: &str) -> &str {
    line.split(':').nth(1).unwrap_or("")
}

#[cfg(test)]
mod tests {
    use super::{lines, read_by};
    use crate::model::snapshot::Snapshot;

    #[test]
    fn what_reads_the_groups_is_told_where_it_is_not_just_their_files() {
        let told = |by, note: Option<&str>| {
            let snapshot = Snapshot {
                groups_backend: by,
                groups_note: note.map(Into::into),
                ..Snapshot::default()
            };
            read_by(&snapshot).map(|line| line.plain().trim_end().to_owned())
        };
        assert_eq!(told("files", None), None);
        assert_eq!(
            told("files", Some("the kernel refused it")).as_deref(),
            Some("  groups    files (the kernel refused it)")
        );
        assert_eq!(
            told("bpf cgroup walk", None).as_deref(),
            Some("  groups    bpf cgroup walk; memory.stat and memory.pressure from their files")
        );
    }

    fn said(text: &str) -> Vec<String> {
        let text: Vec<_> = text.lines().map(str::to_owned).collect();
        lines(&text)
            .iter()
            .map(|line| line.plain().trim_end().to_owned())
            .collect()
    }

    #[test]
    fn the_group_that_counts_memory_comes_first_and_the_others_have_one_heading() {
        assert_eq!(said("0::/shop"), ["  cgroup    0::/shop"]);
        assert_eq!(said(""), [""; 0]);
        let hybrid = "3:cpu,cpuacct:/a\n2:hugetlb,memory:/b:memory\n1:name=systemd:/memory\n0::/c";
        assert_eq!(
            said(hybrid),
            [
                "  cgroup    2:hugetlb,memory:/b:memory",
                "  others    3 hierarchies that do not count memory:",
                "            3:cpu,cpuacct:/a",
                "            1:name=systemd:/memory",
                "            0::/c",
            ]
        );
        assert_eq!(
            said("1:cpu:/a\n0::/c"),
            [
                "  cgroup    0::/c",
                "  others    1 hierarchy that does not count memory:",
                "            1:cpu:/a",
            ]
        );
        // Without a memory controller.
        let none = said("1:cpu:/a");
        assert_eq!(
            none[0],
            "  others    1 hierarchy that does not count memory:"
        );
        let many: Vec<_> = (1..40).map(|n| format!("{n}:name=x{n}:/")).collect();
        assert_eq!(
            said(&many.join("\n")).last().map(|l| l.trim()),
            Some("… and 19 more")
        );
    }
}
