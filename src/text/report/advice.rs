//! The advice ("What to do now") in sentences. The dashboard puts a key in front of a step; printed reports
//! put the kind of step there.

use crate::model::cgroup::container::{Kind, nearest_owner, short_id, unit_of};
use crate::model::cgroup::limits::LimitFile;
use crate::model::process::Pid;
use crate::model::recall::Remembered;
use crate::model::systemd::CommandUser;
use crate::oomlog::analysis::advice::{Advice, advice};
use crate::oomlog::analysis::memcg_version::MemcgVersion;
use crate::oomlog::analysis::root_cause::KernelPart;
use crate::oomlog::analysis::verdict::Verdict;
use crate::oomlog::{Kill, OomReport};
use crate::text::format;
use crate::text::tone::{Line, Tone};
use crate::text::wording::set_property;

/// Growth before death that counts as a leak, in bytes per second.
const LEAK: i64 = 1 << 20;

/// Gives the key that takes a step; `None` where no key does.
pub type KeyOf<'a> = &'a dyn Fn(&Advice) -> Option<String>;

/// The steps, each behind its key or its kind.
pub(super) fn lines(
    report: &OomReport,
    verdict: &Verdict,
    remembered: &[(Pid, Remembered)],
    (key, user): (KeyOf<'_>, CommandUser),
) -> Vec<Line> {
    let leak = leaked(report, remembered).map(|kill| {
        let text = format!(
            "{} was growing steadily: look for a leak in it before anything else",
            kill.comm
        );
        line("fix", text)
    });
    let steps = advice(report, verdict);
    let steps = steps.iter().map(|step| match key(step) {
        Some(key) => line(&key, sentence(step, user)),
        None => line(kind(step), sentence(step, user)),
    });
    leak.into_iter().chain(steps).collect()
}

fn line(label: &str, text: String) -> Line {
    Line::of(Tone::Strong, format!("  {label:<8}")).add(Tone::Normal, text)
}

/// The victim, if samples before the kill showed it growing. The log does not record growth.
fn leaked<'a>(report: &'a OomReport, remembered: &[(Pid, Remembered)]) -> Option<&'a Kill> {
    report.kills.first().filter(|kill| {
        let mut known = remembered.iter().filter(|(pid, _)| *pid == kill.pid);
        known.any(|(_, known)| known.growth.is_some_and(|growth| growth > LEAK))
    })
}

/// The kind of step in a word of at most 7 letters.
fn kind(step: &Advice) -> &'static str {
    match step {
        Advice::RaiseLimit { .. } | Advice::LimitAlone { .. } => "limit",
        Advice::Protect { .. } => "protect",
        Advice::FindReport => "look",
        Advice::MakeKillable { .. }
        | Advice::FreeTmpfs
        | Advice::SlowWriters { .. }
        | Advice::FindKernelMemory { .. }
        | Advice::FreeHugePages
        | Advice::AskDrivers
        | Advice::Compact
        | Advice::RelieveZones { .. }
        | Advice::WidenNodes
        | Advice::FindLimit { .. }
        | Advice::FindWhoAsked
        | Advice::FindBpfProgram
        | Advice::RankAgain
        | Advice::AddSwap => "fix",
    }
}

/// One step as a sentence without a key, a capital letter or a full stop.
fn sentence(step: &Advice, user: CommandUser) -> String {
    let fixed = match step {
        Advice::MakeKillable { largest, in_cgroup } => {
            let largest = largest
                .as_ref()
                .map_or_else(String::new, |comm| format!(" ({comm} holds most)"));
            return if *in_cgroup {
                format!(
                    "give at least one process there{largest} an adj above -1000, or raise the limit"
                )
            } else {
                format!(
                    "give at least one process{largest} an adj above -1000: otherwise the kernel panics"
                )
            };
        }
        Advice::SlowWriters { version } => return slow_writers(*version),
        Advice::RaiseLimit {
            cgroup,
            limit_kb,
            with_swap_kb,
            version,
        } => {
            return raise(cgroup.as_deref(), *limit_kb, *with_swap_kb, *version, user);
        }
        Advice::LimitAlone { comm, processes } => return limit_alone(comm, *processes),
        Advice::Protect { comm, larger } => {
            return format!("protect {comm} with a lower adj: {larger} held more");
        }
        Advice::FreeTmpfs => {
            "delete files in tmpfs (df -t tmpfs) or segments (ipcs -m), or mount tmpfs with a size=; shared maps and \
             memfds are for their program to shrink"
        }
        Advice::FindKernelMemory {
            part,
            caches,
            in_cgroup,
            version,
        } => return kernel_memory(*part, caches, *in_cgroup, *version),
        Advice::FreeHugePages => "give huge pages back: vm.nr_hugepages",
        Advice::AskDrivers => {
            "look at zramctl, zswap (/sys/kernel/debug/zswap), /proc/vmallocinfo, then ask the drivers: GPU, balloon \
             (virtio), DMA buffers"
        }
        Advice::Compact => "raise vm.min_free_kbytes, or echo 1 > /proc/sys/vm/compact_memory",
        // A smaller ratio keeps more of the lower zones (Documentation/admin-guide/sysctl/vm.rst).
        Advice::RelieveZones { high_memory: true } => {
            "use a 64-bit kernel, or lower vm.lowmem_reserve_ratio: the smaller, the more of the low zones is kept"
        }
        Advice::RelieveZones { high_memory: false } => {
            "keep less memory movable-only (boot options movablecore=, kernelcore=; memory blocks set to \
             online_movable): the kernel's own memory cannot go there"
        }
        Advice::WidenNodes => {
            "widen the cpuset's mems or the memory policy, or move work to other nodes"
        }
        Advice::FindLimit { cgroup: Some(name) } => {
            return format!(
                "look at the limit of cgroup {} and of those around it; a newer kernel says which",
                short_id(name)
            );
        }
        Advice::FindLimit { cgroup: None } => {
            "look for a cgroup limit around the asker; a newer kernel says which"
        }
        Advice::FindWhoAsked => {
            "ask who pressed SysRq-f or wrote to /proc/sysrq-trigger (earlyoom can)"
        }
        Advice::FindBpfProgram => "look at the BPF program that watches memory here: bpftool prog",
        Advice::RankAgain => {
            "set vm.oom_kill_allocating_task to 0: with it any asker dies, and no oom_score_adj but -1000 protects"
        }
        Advice::FindReport => "find the full report in the log above this line",
        Advice::AddSwap => {
            "add some swap or zram: without it only page cache gives way, the code of running programs included, and \
             the host thrashes before it kills"
        }
    };
    fixed.to_owned()
}

/// v1 has nothing that throttles: its soft limit only decides what is reclaimed first.
fn slow_writers(version: Option<MemcgVersion>) -> String {
    let how = match version {
        Some(MemcgVersion::V2) => format!(" ({} throttles)", LimitFile::High.name()),
        Some(MemcgVersion::V1) | None => String::new(),
    };
    format!("slow the cgroup's writes down{how}, or raise its limit")
}

/// What to look at for kernel memory, by its part. Files are named where the version is known.
fn kernel_memory(
    part: Option<KernelPart>,
    caches: &[String],
    in_cgroup: bool,
    version: Option<MemcgVersion>,
) -> String {
    let slab = |caches: &[String]| {
        match (in_cgroup, version, caches) {
        (false, _, [_, ..]) => format!(
            "look at slabtop -sc: does {} keep growing, and which driver or file system owns it",
            caches[0]
        ),
        (false, _, []) => {
            "look at slabtop -sc and /proc/slabinfo: which cache grows, and which driver or file system owns it"
                .to_owned()
        }
        (true, Some(MemcgVersion::V1), _) => {
            "look at its memory.kmem.slabinfo, or at slabtop -sc of the host: which cache grows".to_owned()
        }
        (true, _, _) => "look at slabtop -sc of the host: which cache grows".to_owned(),
    }
    };
    let fixed = match part {
        Some(KernelPart::Slab) => return slab(caches),
        Some(KernelPart::PageTables) => {
            "many processes map the same large memory: fewer of them (a connection pool), or huge pages"
        }
        Some(KernelPart::Stacks) => {
            "too many threads: limit them (pids.max, TasksMax=), and look for who makes them"
        }
        Some(KernelPart::Sockets) => {
            "look at ss -tmn: readers that fall behind, or too large buffers (net.ipv4.tcp_rmem, tcp_wmem, tcp_mem)"
        }
        Some(KernelPart::PerCpu) => {
            "per-CPU data: many cgroups, BPF maps or network devices cost it"
        }
        Some(KernelPart::Vmalloc) => "look at /proc/vmallocinfo: who keeps the large buffers",
        Some(KernelPart::Zswap) if in_cgroup && version == Some(MemcgVersion::V2) => {
            "the pool of zswap counts in the limit: see memory.zswap.max"
        }
        Some(KernelPart::Zswap) => "the pool of zswap is in RAM: see zswap's max_pool_percent",
        None => match (in_cgroup, version) {
            (true, Some(MemcgVersion::V2)) => {
                "look at its memory.stat: slab, sock, pagetables, kernel_stack, percpu; buffers of pipes and drivers are the rest"
            }
            (true, Some(MemcgVersion::V1)) => {
                "look at its memory.kmem.usage_in_bytes and memory.kmem.tcp.usage_in_bytes: slab, stacks, page tables, pipes and sockets are in it"
            }
            (true, None) => "look at what its kernel memory is: slab, sockets, page tables, stacks",
            (false, _) => return slab(caches),
        },
    };
    fixed.to_owned()
}

fn raise(
    cgroup: Option<&str>,
    limit_kb: Option<u64>,
    with_swap_kb: Option<u64>,
    version: Option<MemcgVersion>,
    user: CommandUser,
) -> String {
    let kb = |value: u64| format::long_size(value.saturating_mul(1024));
    let group = cgroup.unwrap_or("the cgroup");
    let name = short_id(group.rsplit('/').next().unwrap_or(group));
    let with_swap =
        with_swap_kb.map_or_else(String::new, |limit| format!(", with swap {}", kb(limit)));
    let now = limit_kb.map_or_else(String::new, |limit| {
        format!(" (now {}{with_swap})", kb(limit))
    });
    let both = with_swap_kb.is_some() && version == Some(MemcgVersion::V1);
    let mut ways = Vec::new();
    // systemd cannot set a limit on memory and swap together.
    if !both && cgroup.is_none_or(|path| unit_of(path).is_some()) {
        ways.push(set_property(cgroup.unwrap_or("/"), user));
    }
    // Without a path the group may be a container's.
    if cgroup.is_none_or(|path| nearest_owner(path).is_some_and(|owner| is_container(owner.kind))) {
        let option = if both {
            "the container's memory and swap options"
        } else {
            "the container's memory option"
        };
        ways.push(option.to_owned());
    }
    if let Some(version) = version {
        let hard = LimitFile::hard_limit(version.into()).name();
        ways.push(if both {
            format!("{} and then {hard}", LimitFile::V1Memsw.name())
        } else {
            hard.to_owned()
        });
    }
    let how = match ways.split_last() {
        Some((last, [])) => format!(": {last}"),
        Some((last, [first])) => format!(": {first}, or {last}"),
        Some((last, others)) => format!(": {}, or {last}", others.join(", ")),
        None => String::new(),
    };
    format!("if {name} needs what it used, raise its limit{now}{how}")
}

/// True for what a container runtime or a machine manager sets limits of, by an option of its own.
fn is_container(kind: Kind) -> bool {
    !matches!(kind, Kind::Unit | Kind::UserUnit | Kind::Monitor)
}

fn limit_alone(comm: &str, processes: u64) -> String {
    if processes > 1 {
        format!(
            "give all {processes} processes of {comm} one memory limit of their own, so only they are killed"
        )
    } else {
        format!("give {comm} its own memory limit, so only it is killed")
    }
}

#[cfg(test)]
mod tests {
    use super::kind;
    use crate::model::systemd::CommandUser;
    use crate::oomlog::analysis::advice::Advice;
    use crate::oomlog::analysis::memcg_version::MemcgVersion;

    fn sentence(step: &Advice) -> String {
        super::sentence(step, CommandUser::Anybody)
    }

    fn raise(version: Option<MemcgVersion>, with_swap_kb: Option<u64>) -> String {
        sentence(&Advice::RaiseLimit {
            cgroup: Some("/system.slice/web.service".to_owned()),
            limit_kb: Some(65_536),
            with_swap_kb,
            version,
        })
    }

    #[test]
    fn files_are_named_only_where_the_version_is_known() {
        let v1 = raise(Some(MemcgVersion::V1), None);
        assert!(
            v1.ends_with("memory.limit_in_bytes") && !v1.contains("memsw"),
            "{v1}"
        );
        let both = raise(Some(MemcgVersion::V1), Some(81_920));
        assert!(both.contains("(now 64 MiB, with swap 80 MiB)"), "{both}");
        assert!(
            both.contains("memory.memsw.limit_in_bytes and then"),
            "{both}"
        );
        let v2 = raise(Some(MemcgVersion::V2), None);
        assert!(v2.ends_with("memory.max"), "{v2}");
        let unknown = raise(None, None);
        assert!(
            !unknown.contains("memory.max") && !unknown.contains("in_bytes"),
            "{unknown}"
        );
        let slow = |version| sentence(&Advice::SlowWriters { version });
        assert!(slow(Some(MemcgVersion::V2)).contains("memory.high"));
        assert!(!slow(Some(MemcgVersion::V1)).contains("memory.high"));
        assert!(!slow(None).contains("memory.high"));
    }

    #[test]
    fn a_unit_of_a_user_manager_is_set_through_that_manager() {
        let raise = |cgroup: &str, user: CommandUser| {
            let step = Advice::RaiseLimit {
                cgroup: Some(cgroup.to_owned()),
                limit_kb: None,
                with_swap_kb: None,
                version: Some(MemcgVersion::V2),
            };
            super::sentence(&step, user)
        };
        let system = raise("/system.slice/web.service", CommandUser::Anybody);
        assert!(system.contains(": systemctl set-property, "), "{system}");
        let user = "/user.slice/user-1000.slice/user@1000.service/app.slice/app-firefox.service";
        let here = |uid| CommandUser::User {
            uid,
            without_session: false,
        };
        for (whose, command) in [
            (
                CommandUser::Anybody,
                ": env XDG_RUNTIME_DIR=/run/user/1000 systemctl --user set-property, ",
            ),
            (here(1000), ": systemctl --user set-property, "),
            (here(0), ": systemctl --user -M 1000@ set-property, "),
        ] {
            let said = raise(user, whose);
            assert!(said.contains(command), "{said}");
        }
    }

    #[test]
    fn a_smaller_ratio_protects_and_movable_memory_is_no_matter_of_64_bits() {
        let high = sentence(&Advice::RelieveZones { high_memory: true });
        assert!(high.contains("lower vm.lowmem_reserve_ratio"), "{high}");
        assert!(!high.contains("raise"), "{high}");
        let movable = sentence(&Advice::RelieveZones { high_memory: false });
        assert!(movable.contains("movablecore="), "{movable}");
        assert!(
            !movable.contains("64-bit") && !movable.contains("ratio"),
            "{movable}"
        );
    }

    #[test]
    fn many_processes_of_one_name_get_one_limit() {
        let step = |processes| Advice::LimitAlone {
            comm: "worker".to_owned(),
            processes,
        };
        assert_eq!(kind(&step(1)), "limit");
        assert_eq!(
            sentence(&step(1)),
            "give worker its own memory limit, so only it is killed"
        );
        assert!(sentence(&step(12)).contains("all 12 processes of worker"));
    }
}
