//! Who acts first when the host runs out of memory, in a sentence; or that nobody can know.

use crate::model::killers::{Killer, RunningKiller, first_to_act};
use crate::model::snapshot::Snapshot;
use crate::text::format;
use crate::text::tone::{Line, Tone};

pub(super) fn lines(snapshot: &Snapshot) -> Vec<Line> {
    let killers = snapshot.killers.as_slice();
    let unknown = unknown(killers);
    let mut lines = Vec::new();
    match first_to_act(killers, &snapshot.memory) {
        Some((killer, _, room)) => {
            lines.push(known(killer, room, snapshot));
            lines.extend(unknown.map(|names| {
                let text = format!("  Perhaps {names} before: {NOT_READ}.");
                Line::of(Tone::Watch, text)
            }));
        }
        None => lines.push(match unknown {
            Some(names) => Line::of(
                Tone::Watch,
                format!("  Not known: {names} runs, {NOT_READ}."),
            ),
            None => Line::of(Tone::Normal, the_kernel(killers)),
        }),
    }
    lines
}

/// Also true of killers whose settings oomtop never reads.
const NOT_READ: &str = "its thresholds could not be read";

fn known(killer: &RunningKiller, room: u64, snapshot: &Snapshot) -> Line {
    let name = killer.killer.name();
    if room == 0 {
        let text = format!("  {name} acts now, before the kernel.");
        return Line::of(Tone::Critical, text);
    }
    let more = if snapshot.memory.swap_total > 0 {
        " more are used (RAM first, then swap)"
    } else {
        " more are used"
    };
    Line::of(Tone::Watch, format!("  {name}"))
        .add(Tone::Normal, " acts before the kernel: when about ")
        .add(Tone::Strong, format::long_size(room))
        .add(Tone::Normal, more)
}

/// The killers that may act at a moment unknown to oomtop.
fn unknown(killers: &[RunningKiller]) -> Option<String> {
    names(killers, |killer| killer.unread && !killer.dry_run)
}

fn names(killers: &[RunningKiller], of: impl Fn(&RunningKiller) -> bool) -> Option<String> {
    let names: Vec<_> = killers
        .iter()
        .filter(|killer| of(killer))
        .map(|killer| killer.killer.name())
        .collect();
    (!names.is_empty()).then(|| names.join(" or "))
}

/// All thresholds are known, and the kernel has to act before any of them is met.
fn the_kernel(killers: &[RunningKiller]) -> String {
    if killers.is_empty() {
        return format!("  The kernel: {} runs as a service here.", no_killer());
    }
    if let Some(names) = names(killers, RunningKiller::goes_by_pressure) {
        return format!("  The kernel, unless memory pressure makes {names} act.");
    }
    let why = |killer: &RunningKiller| {
        let name = killer.killer.name();
        if killer.dry_run {
            format!("{name} only reports (dry run)")
        } else if killer.rules.is_empty() {
            format!("{name} watches nothing")
        } else {
            format!("{name} has no threshold that is met before")
        }
    };
    let all: Vec<_> = killers.iter().map(why).collect();
    format!("  The kernel: {}.", all.join(", "))
}

/// "neither A, B nor C": every program that is looked for.
fn no_killer() -> String {
    let programs = Killer::ALL.into_iter().filter(|killer| killer.is_program());
    let names: Vec<_> = programs.map(Killer::name).collect();
    match names.split_last() {
        Some((last, [])) => format!("no {last}"),
        Some((last, others)) => format!("neither {} nor {last}", others.join(", ")),
        None => "nothing".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::lines;
    use crate::model::cgroup::CgroupPath;
    use crate::model::killers::earlyoom::{Release, earlyoom};
    use crate::model::killers::nohang::nohang;
    use crate::model::killers::systemd::{OomdConf, systemd_oomd};
    use crate::model::killers::units::Managed;
    use crate::model::killers::{Killer, RunningKiller};
    use crate::model::memory::Memory;
    use crate::model::process::ProcessId;
    use crate::model::snapshot::Snapshot;
    use crate::text::tone::Line;

    fn said(killers: Vec<RunningKiller>) -> String {
        let snapshot = Snapshot {
            memory: Memory {
                total: 100 << 30,
                available: Some(40 << 30),
                ..Memory::default()
            },
            killers: Arc::new(killers),
            ..Snapshot::default()
        };
        let text = |line: &Line| {
            line.spans
                .iter()
                .map(|s| s.text.as_str())
                .collect::<String>()
        };
        let all: Vec<String> = lines(&snapshot).iter().map(text).collect();
        all.join("|")
    }

    fn early(arguments: &[&str]) -> RunningKiller {
        let release = Release::default();
        earlyoom(ProcessId::default(), &release, arguments.iter().copied())
    }

    fn unread(killer: Killer) -> RunningKiller {
        RunningKiller::unread(killer, ProcessId::default(), "its file is not read")
    }

    fn oomd(pressure: bool) -> RunningKiller {
        let managed = Managed {
            pressure,
            swap: !pressure,
            ..Managed::default()
        };
        let watched = [(CgroupPath::new("/system.slice"), managed)];
        systemd_oomd(ProcessId::default(), &OomdConf::default(), &watched)
    }

    #[test]
    fn what_is_not_known_is_not_said_to_be_the_kernel() {
        let not_known =
            |name| format!("  Not known: {name} runs, its thresholds could not be read.");
        assert_eq!(said(vec![unread(Killer::Earlyoom)]), not_known("earlyoom"));
        assert_eq!(said(vec![unread(Killer::Oomd)]), not_known("oomd"));
        let id = ProcessId::default();
        let lost = nohang(id, Some("/etc/nohang/nohang.conf"), None);
        assert_eq!(said(vec![lost.clone()]), not_known("nohang"));
        let empty = nohang(id, Some("/etc/nohang/nohang.conf"), Some("# nothing\n"));
        assert_eq!(said(vec![empty]), not_known("nohang"));
        // The known pressure of one killer says nothing about the other.
        let both = said(vec![oomd(true), lost.clone()]);
        assert_eq!(both, not_known("nohang"));
        // Beside a killer with known thresholds.
        let both = said(vec![early(&["-m", "20"]), lost]);
        assert!(
            both.starts_with("  earlyoom acts before the kernel"),
            "{both}"
        );
        assert!(
            both.ends_with("|  Perhaps nohang before: its thresholds could not be read."),
            "{both}"
        );
    }

    #[test]
    fn who_kills_nobody_leaves_it_to_the_kernel() {
        let dry = early(&["--dryrun"]);
        assert_eq!(
            said(vec![dry.clone()]),
            "  The kernel: earlyoom only reports (dry run)."
        );
        let id = ProcessId::default();
        let idle = RunningKiller::idle(Killer::SystemdOomd, id, "cgroup v1");
        let none = systemd_oomd(id, &OomdConf::default(), &[]);
        for killer in [idle, none] {
            assert_eq!(
                said(vec![killer.clone()]),
                "  The kernel: systemd-oomd watches nothing."
            );
            assert_eq!(
                said(vec![dry.clone(), killer]),
                "  The kernel: earlyoom only reports (dry run), systemd-oomd watches nothing."
            );
        }
        // Without swap, the killer's swap rule never holds.
        assert_eq!(
            said(vec![oomd(false)]),
            "  The kernel: systemd-oomd has no threshold that is met before."
        );
    }

    #[test]
    fn every_program_that_is_looked_for_is_named_where_none_runs() {
        let said = said(Vec::new());
        for killer in Killer::ALL {
            assert_eq!(said.contains(killer.name()), killer.is_program(), "{said}");
        }
        assert!(
            said.contains("neither systemd-oomd, earlyoom, nohang, oomd, kubelet nor Talos runs"),
            "{said}"
        );
    }

    #[test]
    fn pressure_is_named_only_where_a_rule_goes_by_it() {
        assert_eq!(
            said(vec![oomd(true)]),
            "  The kernel, unless memory pressure makes systemd-oomd act."
        );
        let mut dry = oomd(true);
        dry.dry_run = true;
        assert_eq!(
            said(vec![dry]),
            "  The kernel: systemd-oomd only reports (dry run)."
        );
    }
}
