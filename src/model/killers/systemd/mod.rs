//! systemd-oomd(8): the thresholds in oomd.conf, and the groups of the units that enable it.

mod choice;
mod rulesets;
pub(in crate::model) mod syntax;

use std::time::Duration;

use super::units::Managed;
use super::{Act, Amount, Base, Choice, Killer, Rule, RunningKiller, Share, Trigger};
use crate::model::cgroup::CgroupPath;
use crate::model::process::ProcessId;

pub use choice::swap_choice;
pub use rulesets::{Ruleset, add_rulesets};
use syntax::{assignments, share, span};

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
                base: Base::Total,
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
                memory: None,
                needs_swap: false,
            },
            act: Act::KillGroup,
        });
    }
    let mut notes = Vec::new();
    if watched.iter().all(|(_, managed)| !managed.is_watched()) {
        notes.push(
            "no unit asks for it (ManagedOOMSwap=kill, ManagedOOMMemoryPressure=kill or OOMRules=): it kills nobody"
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
        spared: Vec::new(),
        not_for_swap: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{OomdConf, systemd_oomd};
    use crate::model::cgroup::CgroupPath;
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
                memory: None,
                needs_swap: false,
            }
        );
        assert_eq!(
            systemd_oomd(ProcessId::default(), &conf, &[]).notes.len(),
            1
        );
    }

    proptest::proptest! {
        #[test]
        fn no_text_panics(text in "(\\PC{0,9}|\n|=|\\[OOM\\]|%|‰|[0-9]{1,30}|SwapUsedLimit)*") {
            let _ = OomdConf::from_files([text.as_str()]);
        }
    }
}
