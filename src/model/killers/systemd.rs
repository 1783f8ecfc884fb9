//! systemd-oomd(8): the thresholds in oomd.conf, and the groups of the units that enable it.

use std::time::Duration;

use super::units::Managed;
use super::{Act, Amount, Choice, Killer, Rule, RunningKiller, Share, Trigger};
use crate::model::cgroup::{Cgroup, CgroupKey, CgroupPath};
use crate::model::process::ProcessId;

/// `[OOM]` of oomd.conf(5), with the defaults of 247 to 261.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OomdConf {
    /// `SwapUsedLimit`: memory and swap both used by more than this.
    pub swap_used: Share,
    /// `DefaultMemoryPressureLimit`.
    pub pressure: Share,
    /// `DefaultMemoryPressureDurationSec`.
    pub lasting: Duration,
}

impl Default for OomdConf {
    fn default() -> Self {
        Self {
            swap_used: Share::percent(90),
            pressure: Share::percent(60),
            lasting: Duration::from_secs(30),
        }
    }
}

impl OomdConf {
    /// Parses the files in the order in which they apply: oomd.conf, then the drop-ins by name.
    #[must_use]
    pub fn from_files<'t>(files: impl IntoIterator<Item = &'t str>) -> Self {
        let default = Self::default();
        let mut conf = default;
        for text in files {
            for (section, key, value) in assignments(text) {
                if section != "OOM" {
                    continue;
                }
                // Like systemd, this ignores invalid values; an empty value resets to the default.
                match key {
                    "SwapUsedLimit" | "SwapUsedLimitPercent" => {
                        set(&mut conf.swap_used, value, share, default.swap_used);
                    }
                    "DefaultMemoryPressureLimit" | "DefaultMemoryPressureLimitPercent" => {
                        set(&mut conf.pressure, value, share, default.pressure);
                    }
                    "DefaultMemoryPressureDurationSec" => {
                        set(&mut conf.lasting, value, span, default.lasting);
                        if conf.lasting.is_zero() {
                            conf.lasting = default.lasting;
                        }
                    }
                    _ => {}
                }
            }
        }
        conf
    }
}

fn set<T>(field: &mut T, text: &str, parse: impl Fn(&str) -> Option<T>, default: T) {
    if text.is_empty() {
        *field = default;
    } else if let Some(value) = parse(text) {
        *field = value;
    }
}

/// The `key=value` lines and their sections, without comments and other lines (systemd.syntax(7)).
pub(super) fn assignments(text: &str) -> impl Iterator<Item = (&str, &str, &str)> {
    let mut section = "";
    text.lines().filter_map(move |line| {
        let line = line.trim();
        if line.starts_with(['#', ';']) {
            return None;
        }
        if let Some(name) = line.strip_prefix('[').and_then(|l| l.strip_suffix(']')) {
            section = name;
            return None;
        }
        let (key, value) = line.split_once('=')?;
        Some((section, key.trim(), value.trim()))
    })
}

/// Parses `60%`, `605‰` or `6050‱`.
pub(super) fn share(text: &str) -> Option<Share> {
    for (suffix, scale) in [('%', 100.0), ('‰', 10.0), ('‱', 1.0)] {
        if let Some(number) = text.strip_suffix(suffix) {
            let number: f64 = number.trim().parse().ok()?;
            return Share::from_percent(number * scale / 100.0);
        }
    }
    None
}

/// Parses `30s`, `1min 30s` or `90` (seconds): the common part of systemd.time(7).
pub(super) fn span(text: &str) -> Option<Duration> {
    let mut total = Duration::ZERO;
    let mut rest = text.trim();
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let end = rest
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .unwrap_or(rest.len());
        let number: f64 = rest.get(..end)?.parse().ok()?;
        rest = rest.get(end..)?.trim_start();
        let end = rest
            .find(|c: char| !c.is_ascii_alphabetic())
            .unwrap_or(rest.len());
        let seconds = match rest.get(..end)? {
            "" | "s" | "sec" | "second" | "seconds" => 1.0,
            "us" | "usec" => 1e-6,
            "ms" | "msec" => 1e-3,
            "m" | "min" | "minute" | "minutes" => 60.0,
            "h" | "hr" | "hour" | "hours" => 3600.0,
            _ => return None,
        };
        let part = Duration::try_from_secs_f64(number * seconds).ok()?;
        total = total.checked_add(part)?;
        rest = rest.get(end..)?.trim_start();
    }
    Some(total)
}

/// The rules of systemd-oomd with this configuration, for the groups whose units enable it.
///
/// The swap rule holds when available memory **and** free swap are both below 100 % - `SwapUsedLimit` of
/// their totals (src/oom/oomd-manager.c, 249 and later). The pressure rule holds when `full avg10` of a group
/// is above its limit for the whole duration.
#[must_use]
pub fn systemd_oomd(
    id: ProcessId,
    conf: &OomdConf,
    watched: &[(CgroupPath, Managed)],
) -> RunningKiller {
    let mut rules = Vec::new();
    let for_swap: Vec<_> = watched
        .iter()
        .filter(|(_, managed)| managed.swap)
        .map(|(path, _)| path.clone())
        .collect();
    if !for_swap.is_empty() {
        let left = Amount::Share(Share(10_000_u32.saturating_sub(conf.swap_used.0)));
        rules.push(Rule {
            when: Trigger::Low {
                memory: left,
                swap: left,
                needs_swap: true,
            },
            act: Act::KillGroup,
        });
    }
    for (path, managed) in watched.iter().filter(|(_, managed)| managed.pressure) {
        rules.push(Rule {
            when: Trigger::Pressure {
                group: Some(path.clone()),
                measure: "full avg10",
                limit: managed.limit.unwrap_or(conf.pressure),
                lasting: managed.lasting.unwrap_or(conf.lasting),
            },
            act: Act::KillGroup,
        });
    }
    let mut notes = Vec::new();
    if rules.is_empty() {
        notes.push(
            "no unit asks for it (ManagedOOMSwap=kill or ManagedOOMMemoryPressure=kill): it kills nobody"
                .to_owned(),
        );
    }
    RunningKiller {
        killer: Killer::SystemdOomd,
        id,
        rules,
        choice: Choice::Group,
        unread: false,
        dry_run: false,
        source: "oomd.conf and the unit files".to_owned(),
        notes,
        watched: for_swap,
    }
}

/// systemd-oomd ignores groups that use less than one twentieth of all swap (`THRESHOLD_SWAP_USED_PERCENT`,
/// src/oom/oomd-manager.h).
const LEAST_SWAP: u64 = 20;

/// The group that the swap rule of systemd-oomd would kill: the leaf below `watched` (or the group with
/// `memory.oom.group`) that uses the most swap, if it uses more than a twentieth of all swap. Ignores
/// `ManagedOOMPreference`, which is not read here.
#[must_use]
pub fn swap_choice<'c>(
    watched: &[CgroupPath],
    cgroups: &'c [Cgroup],
    swap_total: u64,
) -> Option<&'c Cgroup> {
    let mut has_child = vec![false; cgroups.len()];
    for parent in cgroups
        .iter()
        .filter(|g| g.present)
        .filter_map(|g| g.parent)
    {
        if let Some(slot) = has_child.get_mut(CgroupKey::index(parent)) {
            *slot = true;
        }
    }
    let candidates = cgroups.iter().zip(has_child).filter(|(group, has_child)| {
        let unit = group.limits.oom_group || !has_child;
        group.present && unit && watched.iter().any(|top| group.path.is_within(top))
    });
    candidates
        .filter_map(|(group, _)| Some((group, group.swap_usage?)))
        .filter(|(_, swap)| *swap > swap_total / LEAST_SWAP)
        .max_by_key(|(_, swap)| *swap)
        .map(|(group, _)| group)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{OomdConf, share, span, swap_choice, systemd_oomd};
    use crate::model::cgroup::{Cgroup, CgroupKey, CgroupPath};
    use crate::model::killers::units::Managed;
    use crate::model::killers::{Amount, Share, Trigger};
    use crate::model::process::ProcessId;

    #[test]
    fn files_in_order_and_nonsense_ignored() {
        let conf = OomdConf::from_files([
            "[OOM]\n#SwapUsedLimit=10%\nSwapUsedLimit=80%\nDefaultMemoryPressureLimit=2000%\n",
            "[Other]\nSwapUsedLimit=1%\n[OOM]\nDefaultMemoryPressureDurationSec=2s\n",
        ]);
        assert_eq!(conf.swap_used, Share::percent(80));
        assert_eq!(conf.pressure, Share::percent(60));
        assert_eq!(conf.lasting, Duration::from_secs(2));
        let reset = OomdConf::from_files(["[OOM]\nSwapUsedLimit=1%\n", "[OOM]\nSwapUsedLimit=\n"]);
        assert_eq!(reset, OomdConf::default());
    }

    #[test]
    fn shares_and_spans() {
        assert_eq!(share("60%"), Some(Share(6000)));
        assert_eq!(share("605‰"), Some(Share(6050)));
        assert_eq!(share("1‱"), Some(Share(1)));
        for bad in ["60", "%", "-1%", "nan%", "200%"] {
            assert_eq!(share(bad), None, "{bad}");
        }
        assert_eq!(span("1min 30s"), Some(Duration::from_secs(90)));
        assert_eq!(span("20"), Some(Duration::from_secs(20)));
        assert_eq!(span("1.5h"), Some(Duration::from_mins(90)));
        for bad in ["", "s", "5 parsecs", "1e9999s", "..s"] {
            assert_eq!(span(bad), None, "{bad}");
        }
    }

    #[test]
    fn rules_of_the_groups_that_ask() {
        let web = CgroupPath::new("/web.slice");
        let pressed = Managed {
            pressure: true,
            limit: Some(Share::percent(5)),
            ..Managed::default()
        };
        let swapped = Managed {
            swap: true,
            ..Managed::default()
        };
        let conf = OomdConf::default();
        let killer = systemd_oomd(
            ProcessId::default(),
            &conf,
            &[(web.clone(), pressed), (CgroupPath::root(), swapped)],
        );
        assert_eq!(killer.rules.len(), 2);
        let Trigger::Low {
            memory, needs_swap, ..
        } = &killer.rules[0].when
        else {
            unreachable!("swap first")
        };
        assert_eq!(
            (*memory, *needs_swap),
            (Amount::Share(Share::percent(10)), true)
        );
        assert_eq!(
            killer.rules[1].when,
            Trigger::Pressure {
                group: Some(web),
                measure: "full avg10",
                limit: Share::percent(5),
                lasting: Duration::from_secs(30),
            }
        );
        assert_eq!(
            systemd_oomd(ProcessId::default(), &conf, &[]).notes.len(),
            1
        );
    }

    #[test]
    fn the_leaf_with_the_most_swap() {
        let group = |path: &str, parent: Option<u32>, swap| {
            let mut group = Cgroup::unread(CgroupPath::new(path), parent.map(CgroupKey));
            group.swap_usage = Some(swap);
            group
        };
        let groups = [
            group("/", None, 900),
            group("/a.slice", Some(0), 500),
            group("/a.slice/x", Some(1), 200),
            group("/a.slice/y", Some(1), 300),
            group("/b.slice", Some(0), 400),
        ];
        let choice = |top: &str, total| {
            swap_choice(&[CgroupPath::new(top)], &groups, total).map(|g| g.path.as_str())
        };
        assert_eq!(choice("/", 1000), Some("/b.slice"));
        assert_eq!(choice("/a.slice", 1000), Some("/a.slice/y"));
        assert_eq!(choice("/", 8000), None);
    }

    proptest::proptest! {
        #[test]
        fn no_text_panics(text in "(\\PC{0,9}|\n|=|\\[OOM\\]|%|‰|[0-9]{1,30}|SwapUsedLimit)*") {
            let _ = OomdConf::from_files([text.as_str()]);
            let _ = span(&text);
        }
    }
}
