//! The kernel's settings, a sentence each. Sources: Documentation/admin-guide/sysctl/vm.rst,
//! mm/oom_kill.c, mm/util.c `__vm_enough_memory` (6.18).

use super::Setting;
use crate::app::dialog::DialogContext;
use crate::model::memory::percent;
use crate::model::vm_settings::VmSettings;
use crate::text::format;
use crate::text::tone::Tone;

/// Share of RAM in percent: if the kernel keeps more than this, that is a surprise.
const MUCH_KEPT: f64 = 5.0;

pub(super) fn kernel(context: &DialogContext<'_>) -> Vec<Setting> {
    let settings = &*context.cells.snapshot.vm_settings;
    let mut list = vec![
        panic(settings),
        Setting::of(
            "oom_kill_allocating_task",
            settings.kill_allocating_task,
            |value| match value {
                0 => (
                    false,
                    "the highest badness dies, whoever asks for memory".to_owned(),
                ),
                _ => (
                    true,
                    "on the host whoever asks for memory dies, whatever its badness (if it is \
                     immune, the highest \
                     badness); in a cgroup the highest badness still decides"
                        .to_owned(),
                ),
            },
        ),
        Setting::of("oom_dump_tasks", settings.dump_tasks, |value| match value {
            0 => (
                true,
                "the report will not list the candidates: afterwards nobody can see why this \
                 one died"
                    .to_owned(),
            ),
            _ => (
                false,
                "the report lists every candidate, so that it can be explained \
                 afterwards"
                    .to_owned(),
            ),
        }),
        Setting::new(
            "reports",
            "10 in 5 s",
            "fixed in the kernel: in a storm further kills leave one line each, without report \
             or candidates",
        ),
        overcommit(context),
        overcommit_limit(context),
        kept(context),
        reclaim(context),
    ];
    list.extend(thrashing(settings));
    list.extend(policy(settings));
    list
}

/// A BPF program that chooses instead of the kernel. A kernel without such programs needs no line.
fn policy(settings: &VmSettings) -> Option<Setting> {
    settings.bpf_oom_policy.filter(|has| *has)?;
    let means = "this kernel lets a BPF program decide who dies (bpf_oom_ops); if one is attached, which is not seen \
                 here, it may choose another than the highest badness, or free memory without a kill";
    Some(Setting::new("BPF OOM policy", "possible", means).odd(true))
}

fn panic(settings: &VmSettings) -> Setting {
    let after = match settings.panic_reboot {
        Some(0) => " and the machine stays down (kernel.panic 0)".to_owned(),
        Some(seconds) if seconds < 0 => " and the machine reboots at once".to_owned(),
        Some(seconds) => format!(" and the machine reboots after {seconds} s (kernel.panic)"),
        None => String::new(),
    };
    let setting = Setting::of("panic_on_oom", settings.panic_on_oom, |value| match value {
        0 => (
            false,
            "an OOM kills a process, the machine goes on".to_owned(),
        ),
        2 => (
            true,
            format!("every OOM panics the kernel, a cgroup's too{after}"),
        ),
        _ => (
            true,
            format!(
                "a global OOM panics the kernel instead of killing{after}; a cgroup's limit \
                 still kills a process"
            ),
        ),
    });
    if setting.tone == Tone::Watch {
        Setting {
            tone: Tone::Danger,
            ..setting
        }
    } else {
        setting
    }
}

fn overcommit(context: &DialogContext<'_>) -> Setting {
    let settings = &context.cells.snapshot.vm_settings;
    Setting::of("overcommit_memory", settings.overcommit_memory, |value| {
        match value {
            0 => (
                false,
                "only obvious excess is refused; using memory that does not exist ends in an OOM \
                 kill"
                    .to_owned(),
            ),
            1 => (
                true,
                "nothing is ever refused: every shortage ends in the OOM killer".to_owned(),
            ),
            _ => (
                false,
                "requests beyond CommitLimit fail (ENOMEM): programs mostly see an error first; a cgroup's \
                 limit and the kernel's own memory still end in a kill"
                    .to_owned(),
            ),
        }
    })
}

/// `Committed_AS` of `CommitLimit`, and the origin of the limit (`proc_meminfo(5)`).
fn overcommit_limit(context: &DialogContext<'_>) -> Setting {
    let snapshot = context.cells.snapshot;
    let (memory, settings) = (&snapshot.memory, &snapshot.vm_settings);
    let Some((used, limit)) = memory.committed.zip(memory.commit_limit) else {
        return Setting::of("committed", None, |_| (false, String::new()));
    };
    let from = match (settings.overcommit_kbytes, settings.overcommit_ratio) {
        (Some(kbytes), _) if kbytes > 0 => format!(
            "overcommit_kbytes: {}, and swap",
            format::long_size(kbytes.saturating_mul(1024))
        ),
        (_, Some(ratio)) => format!("overcommit_ratio: {ratio}% of RAM, and swap"),
        _ => "ratio n/a".to_owned(),
    };
    let share = percent(used, limit);
    let binds = settings.overcommit_memory == Some(2);
    let value = format!("{} ({share:.0}%)", format::part_of(used, limit));
    let means = if binds {
        format!("the limit ({from}) binds: at 100% allocations fail")
    } else {
        format!("the limit ({from}) does not bind: it does with overcommit_memory 2 only")
    };
    Setting::new("committed", value, means).odd(binds && share >= 90.0)
}

fn kept(context: &DialogContext<'_>) -> Setting {
    let snapshot = context.cells.snapshot;
    let total = snapshot.memory.total;
    let kbytes = snapshot.vm_settings.min_free_kbytes;
    Setting::of("min_free_kbytes", kbytes, |kbytes| {
        let kept = kbytes.saturating_mul(1024);
        let size = format::long_size(kept);
        if percent(kept, total) >= MUCH_KEPT {
            let much = format!(
                "much: OOMs come with {size} still free, which only the kernel may use ({:.0}% \
                 of RAM)",
                percent(kept, total)
            );
            (true, much)
        } else {
            let text = format!(
                "{size} are kept for the kernel itself: an OOM comes when only that is free"
            );
            (false, text)
        }
    })
}

fn reclaim(context: &DialogContext<'_>) -> Setting {
    let snapshot = context.cells.snapshot;
    let settings = &snapshot.vm_settings;
    let (total, min) = (snapshot.memory.total, settings.min_free_kbytes);
    Setting::of(
        "watermark_scale_factor",
        settings.watermark_scale_factor,
        |factor| {
            let gap = format::long_size(watermark_gap(total, factor, min));
            let text = format!(
                "the kernel begins to free memory in the background about {gap} before a process \
                 must wait for it"
            );
            (false, text)
        },
    )
}

/// Distance of the watermarks: a quarter of `min`, but at least so many 10000ths of RAM (mm/page_alloc.c
/// `__setup_per_zone_wmarks`: `max(min / 4, managed * watermark_scale_factor / 10000)`).
fn watermark_gap(total: u64, factor: u64, min_free_kbytes: Option<u64>) -> u64 {
    let scaled = u128::from(total) * u128::from(factor) / 10_000;
    let quarter = min_free_kbytes.unwrap_or(0).saturating_mul(1024) / 4;
    u64::try_from(scaled).unwrap_or(u64::MAX).max(quarter)
}

/// `lru_gen/min_ttl_ms` (Documentation/admin-guide/mm/multigen_lru.rst).
fn thrashing(settings: &VmSettings) -> Option<Setting> {
    let ttl = settings.lru_min_ttl_ms?;
    Some(Setting::of(
        "lru_gen/min_ttl_ms",
        Some(ttl),
        |ttl| match ttl {
            0 => (
                false,
                "off: the kernel does not kill to prevent thrashing".to_owned(),
            ),
            ttl => (
                true,
                format!(
                    "if what was used in the last {ttl} ms does not fit into RAM, kswapd calls the OOM killer, with swap \
                 free or not"
                ),
            ),
        },
    ))
}

#[cfg(test)]
mod tests {
    use super::watermark_gap;

    #[test]
    fn the_watermarks_are_a_quarter_of_min_apart_at_least() {
        let gib = 1 << 30;
        assert_eq!(watermark_gap(16 * gib, 10, Some(0)), 16 * gib / 1000);
        // 256 MiB / 4 is more than a thousandth of 16 GiB.
        assert_eq!(watermark_gap(16 * gib, 10, Some(256 << 10)), 64 << 20);
        assert_eq!(watermark_gap(u64::MAX, u64::MAX, None), u64::MAX);
    }
}
