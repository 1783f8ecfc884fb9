//! [`Ruleset`]: the `.oomrule` files of systemd-oomd (261 and later), and the units that name them in `OOMRules=`.

use std::time::Duration;

use super::syntax::{assignments, share, span};
use crate::model::cgroup::CgroupPath;
use crate::model::killers::units::Managed;
use crate::model::killers::{Act, Rule, RunningKiller, Share, Trigger};

/// The first release with `OOMRules=` (oomd.conf(5)).
const SINCE: u32 = 261;

/// Most rules shown of one program.
const MOST: usize = 64;

/// A rule as its file sets it (src/oom/oomd-conf.c `ruleset_load_one`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ruleset {
    /// Name of the file without `.oomrule`.
    pub name: String,
    pressure: Option<Share>,
    swap_used: Option<Share>,
    act: Option<Act>,
    /// `None` for a time without an end.
    lasting: Option<Duration>,
}

impl Ruleset {
    /// From the text of `NAME.oomrule`; as in systemd a value that cannot be read is as if it were not there.
    #[must_use]
    pub fn of(name: &str, text: &str) -> Self {
        let mut rule = Self {
            name: name.to_owned(),
            pressure: None,
            swap_used: None,
            act: None,
            lasting: Some(Duration::ZERO),
        };
        for (section, key, value) in assignments(text) {
            if section != "Rule" {
                continue;
            }
            match key {
                "MemoryPressureAbove" => rule.pressure = share(value).or(rule.pressure),
                "SwapUsageMax" => rule.swap_used = share(value).or(rule.swap_used),
                "LastingSec" if value == "infinity" => rule.lasting = None,
                "LastingSec" => rule.lasting = span(value).or(rule.lasting),
                "Action" => {
                    rule.act = match value {
                        "kill-all" => Some(Act::KillAll),
                        "kill-by-pgscan" => Some(Act::KillByReclaim),
                        "kill-by-swap" => Some(Act::KillBySwap),
                        _ => rule.act,
                    };
                }
                _ => {}
            }
        }
        rule
    }

    /// What it does to `group`, or why systemd-oomd ignores it.
    fn rule(&self, group: &CgroupPath) -> Result<Rule, &'static str> {
        if self.pressure.is_none() && self.swap_used.is_none() {
            return Err("sets neither MemoryPressureAbove= nor SwapUsageMax=");
        }
        let act = self.act.ok_or("sets no Action= that systemd-oomd knows")?;
        let lasting = self.lasting.ok_or("waits for ever (LastingSec=infinity)")?;
        Ok(Rule {
            when: Trigger::Ruleset {
                name: self.name.clone(),
                group: group.clone(),
                pressure: self.pressure,
                swap_used: self.swap_used,
                lasting,
            },
            act,
        })
    }
}

/// Adds to systemd-oomd the rules that units name; of rules that do nothing it says why. `release` is that of systemd,
/// `None` if unknown: then it is taken for a present one.
pub fn add_rulesets(
    killer: &mut RunningKiller,
    watched: &[(CgroupPath, Managed)],
    sets: &[Ruleset],
    release: Option<u32>,
) {
    let named = || {
        watched
            .iter()
            .filter(|(_, managed)| !managed.rules.is_empty())
    };
    let Some((first, _)) = named().next() else {
        return;
    };
    if let Some(old) = release.filter(|release| *release < SINCE) {
        killer.notes.push(format!(
            "{first} sets OOMRules=, which systemd {old} does not know: it ignores them (since {SINCE})"
        ));
        return;
    }
    let all =
        named().flat_map(|(group, managed)| managed.rules.iter().map(move |name| (group, name)));
    for (group, name) in all.take(MOST) {
        let rule = match sets.iter().find(|set| set.name == *name) {
            Some(set) => set.rule(group),
            None => Err("is in no oomd/rules.d"),
        };
        match rule {
            Ok(rule) => killer.rules.push(rule),
            Err(why) => killer
                .notes
                .push(format!("the rule {name} of {group} does nothing: it {why}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Ruleset, add_rulesets};
    use crate::model::cgroup::CgroupPath;
    use crate::model::killers::systemd::{OomdConf, systemd_oomd};
    use crate::model::killers::units::Managed;
    use crate::model::killers::{Act, RunningKiller, Share, Trigger};
    use crate::model::process::ProcessId;

    fn oomd(names: &[&str], sets: &[Ruleset], release: Option<u32>) -> RunningKiller {
        let managed = Managed {
            rules: names.iter().map(|name| (*name).to_owned()).collect(),
            ..Managed::default()
        };
        let watched = [(CgroupPath::new("/web.slice"), managed)];
        let mut killer = systemd_oomd(ProcessId::default(), &OomdConf::default(), &watched);
        add_rulesets(&mut killer, &watched, sets, release);
        killer
    }

    #[test]
    fn a_rule_that_a_unit_names_is_one_of_its_rules() {
        let text = "[Rule]\nMemoryPressureAbove=25%\nSwapUsageMax=805‰\nLastingSec=10s\nAction=kill-by-swap\n";
        let killer = oomd(&["a"], &[Ruleset::of("a", text)], Some(261));
        assert!(killer.notes.is_empty(), "{killer:?}");
        assert_eq!(killer.rules.len(), 1);
        assert_eq!(killer.rules[0].act, Act::KillBySwap);
        assert_eq!(
            killer.rules[0].when,
            Trigger::Ruleset {
                name: "a".to_owned(),
                group: CgroupPath::new("/web.slice"),
                pressure: Some(Share::percent(25)),
                swap_used: Some(Share(8050)),
                lasting: Duration::from_secs(10),
            }
        );
        // At once, unless it says how long.
        let text =
            "[Rule]\nMemoryPressureAbove=1%\nAction=kill-all\n[Other]\nAction=kill-by-swap\n";
        let killer = oomd(&["a"], &[Ruleset::of("a", text)], None);
        assert_eq!(killer.rules[0].act, Act::KillAll);
        assert!(matches!(
            killer.rules[0].when,
            Trigger::Ruleset {
                lasting: Duration::ZERO,
                ..
            }
        ));
        assert!(killer.goes_by_pressure());
    }

    #[test]
    fn a_rule_that_does_nothing_says_why() {
        let why = |text: &str, release| {
            let killer = oomd(&["a"], &[Ruleset::of("a", text)], release);
            assert!(killer.rules.is_empty(), "{killer:?}");
            killer.notes.join("|")
        };
        let new = Some(261);
        assert!(why("[Rule]\nAction=kill-all\n", new).contains("neither MemoryPressureAbove="));
        assert!(why("[Rule]\nSwapUsageMax=9%\n", new).contains("no Action="));
        let odd = "[Rule]\nSwapUsageMax=9%\nAction=kill_all\n";
        assert!(why(odd, new).contains("no Action="));
        let endless = "[Rule]\nSwapUsageMax=9%\nAction=kill-all\nLastingSec=infinity\n";
        assert!(why(endless, new).contains("waits for ever"));
        let good = "[Rule]\nSwapUsageMax=9%\nAction=kill-all\n";
        assert!(why(good, Some(257)).contains("systemd 257 does not know"));
        let killer = oomd(&["b"], &[Ruleset::of("a", good)], new);
        assert_eq!(
            killer.notes,
            ["the rule b of /web.slice does nothing: it is in no oomd/rules.d"]
        );
    }

    proptest::proptest! {
        #[test]
        fn no_text_panics(text in "(\\PC{0,9}|\n|=|\\[Rule\\]|%|SwapUsageMax|LastingSec|Action|infinity)*") {
            let _ = oomd(&["a"], &[Ruleset::of("a", &text)], None);
        }
    }
}
