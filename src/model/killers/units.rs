//! Which units enable systemd-oomd: the `ManagedOOM*` settings of unit files and drop-ins.

use std::collections::BTreeMap;
use std::time::Duration;

use super::Share;
use super::systemd::syntax::{assignments, share, span};

/// Most rules of one unit that are looked at.
const MOST_RULES: usize = 64;

/// A unit file or drop-in. If several directories have a file of this name, it is the one that counts
/// (systemd.unit(5): `/etc` before `/run` before `/usr/lib`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnitFile {
    /// The unit: `-.slice`, `user@.service`, `user-.slice`, or a type alone (`service`).
    pub unit: String,
    /// File name of a drop-in; `None` for the unit file itself.
    pub drop_in: Option<String>,
    /// The contents.
    pub text: String,
}

/// The settings of a unit for systemd-oomd (systemd.resource-control(5), since 247).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Managed {
    /// `ManagedOOMSwap=kill`.
    pub swap: bool,
    /// `ManagedOOMMemoryPressure=kill`.
    pub pressure: bool,
    /// `ManagedOOMMemoryPressureLimit=`.
    pub limit: Option<Share>,
    /// `ManagedOOMMemoryPressureDurationSec=` (since 257).
    pub lasting: Option<Duration>,
    /// `OOMRules=` (since 261): names of rules, in their order.
    pub rules: Vec<String>,
}

impl Managed {
    fn apply(&mut self, text: &str) {
        for (section, key, value) in assignments(text) {
            // The keys are valid in `[Slice]`, `[Service]`, `[Scope]`, …, but not in these two sections.
            if matches!(section, "Unit" | "Install") {
                continue;
            }
            match key {
                "ManagedOOMSwap" => self.swap = value == "kill",
                "ManagedOOMMemoryPressure" => self.pressure = value == "kill",
                // 0 and an empty value mean the default in oomd.conf.
                "ManagedOOMMemoryPressureLimit" => {
                    self.limit = share(value).filter(|limit| limit.0 > 0);
                }
                "ManagedOOMMemoryPressureDurationSec" => self.lasting = span(value),
                // An empty list takes back what was set before; names add up, each counts once.
                "OOMRules" if value.is_empty() => self.rules.clear(),
                "OOMRules" => {
                    for name in value.split_whitespace().take(MOST_RULES) {
                        if self.rules.len() < MOST_RULES && !self.rules.iter().any(|r| r == name) {
                            self.rules.push(name.to_owned());
                        }
                    }
                }
                _ => {}
            }
        }
    }

    /// True if systemd-oomd watches the unit.
    #[must_use]
    pub fn is_watched(&self) -> bool {
        self.swap || self.pressure || !self.rules.is_empty()
    }
}

/// The settings of `unit` (the last component of a cgroup path), from all files that apply to it.
///
/// The unit file applies first, then the drop-ins in the order of their names. Of two drop-ins with one name,
/// the one in the more specific directory applies (systemd.unit(5)).
#[must_use]
pub fn managed(unit: &str, files: &[UnitFile]) -> Managed {
    let mut managed = Managed::default();
    for file in applied(unit, files) {
        managed.apply(&file.text);
    }
    managed
}

/// The files that apply to a unit, in this order.
pub(super) fn applied<'f>(unit: &str, files: &'f [UnitFile]) -> Vec<&'f UnitFile> {
    let names = names_of(unit);
    let own = names.iter().find_map(|name| {
        let is_it = |file: &&UnitFile| file.drop_in.is_none() && file.unit == *name;
        files.iter().find(is_it)
    });
    let mut drop_ins: BTreeMap<&str, &UnitFile> = BTreeMap::new();
    // Start with the least specific name: a drop-in of the same name in a more specific directory replaces
    // it.
    for name in names.iter().rev() {
        for file in files.iter().filter(|file| file.unit == *name) {
            if let Some(drop_in) = &file.drop_in {
                drop_ins.insert(drop_in, file);
            }
        }
    }
    own.into_iter().chain(drop_ins.into_values()).collect()
}

/// The drop-ins that assign this key after the drop-in `own` of the unit itself, in the order in which they apply.
#[must_use]
pub fn winners<'f>(unit: &str, files: &'f [UnitFile], own: &str, key: &str) -> Vec<&'f UnitFile> {
    let assigns = |file: &&UnitFile| {
        let mut lines = assignments(&file.text);
        lines.any(|(section, other, _)| other == key && !matches!(section, "Unit" | "Install"))
    };
    let comes_after = |file: &&UnitFile| file.drop_in.as_deref().is_some_and(|name| name > own);
    let applied = applied(unit, files).into_iter();
    applied.filter(comes_after).filter(assigns).collect()
}

/// The names whose files apply to a unit, the most specific first.
#[must_use]
pub fn names_of(unit: &str) -> Vec<String> {
    let mut names = vec![unit.to_owned()];
    let Some((name, kind)) = unit.rsplit_once('.') else {
        return names;
    };
    let stem = match name.split_once('@') {
        Some((template, _)) => {
            names.push(format!("{template}@.{kind}"));
            template
        }
        None => name,
    };
    // `foo-bar-baz.slice`: `foo-bar-.slice`, `foo-.slice`.
    let mut rest = stem;
    while let Some((prefix, _)) = rest.rsplit_once('-') {
        if !prefix.is_empty() {
            names.push(format!("{prefix}-.{kind}"));
        }
        rest = prefix;
    }
    names.push(kind.to_owned());
    names
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{UnitFile, managed, names_of, winners};
    use crate::model::killers::Share;

    fn file(unit: &str, drop_in: Option<&str>, text: &str) -> UnitFile {
        UnitFile {
            unit: unit.to_owned(),
            drop_in: drop_in.map(str::to_owned),
            text: text.to_owned(),
        }
    }

    #[test]
    fn a_drop_in_that_sorts_later_wins_over_what_systemd_keeps() {
        let sets = "[Service]\nMemoryMax=1G\n";
        let files = [
            file("web.service", None, sets),
            file("web.service", Some("10-early.conf"), sets),
            file("web.service", Some("50-MemoryMax.conf"), sets),
            file(
                "web.service",
                Some("other.conf"),
                "[Service]\nMemoryHigh=1G\n",
            ),
            file("web.service", Some("override.conf"), sets),
            file("service", Some("zz.conf"), sets),
            file("other.service", Some("zzz.conf"), sets),
        ];
        let found = |own: &str| -> Vec<_> {
            let found = winners("web.service", &files, own, "MemoryMax").into_iter();
            found.filter_map(|file| file.drop_in.as_deref()).collect()
        };
        assert_eq!(found("50-MemoryMax.conf"), ["override.conf", "zz.conf"]);
        assert_eq!(found("zzzz.conf"), [""; 0]);
    }

    #[test]
    fn names_from_the_unit_to_its_type() {
        assert_eq!(
            names_of("user@1000.service"),
            ["user@1000.service", "user@.service", "service"]
        );
        assert_eq!(
            names_of("user-1000.slice"),
            ["user-1000.slice", "user-.slice", "slice"]
        );
        assert_eq!(names_of("-.slice"), ["-.slice", "slice"]);
        assert_eq!(names_of("payload"), ["payload"]);
    }

    #[test]
    fn what_fedora_ships() {
        let files = [
            file(
                "-.slice",
                Some("10-oomd.conf"),
                "[Slice]\nManagedOOMSwap=kill\n",
            ),
            file(
                "user@.service",
                Some("10-oomd.conf"),
                "[Service]\nManagedOOMMemoryPressure=kill\nManagedOOMMemoryPressureLimit=50%\n",
            ),
        ];
        let root = managed("-.slice", &files);
        assert!(root.swap && !root.pressure);
        let user = managed("user@1000.service", &files);
        assert!(user.pressure && !user.swap);
        assert_eq!(user.limit, Some(Share::percent(50)));
        assert!(!managed("ssh.service", &files).is_watched());
    }

    #[test]
    fn later_and_more_specific_drop_ins_count() {
        let files = [
            file(
                "web.slice",
                None,
                "[Slice]\nManagedOOMSwap=kill\nManagedOOMMemoryPressure=kill\n",
            ),
            file(
                "slice",
                Some("50.conf"),
                "[Slice]\nManagedOOMMemoryPressureLimit=10%\n",
            ),
            file(
                "web.slice",
                Some("50.conf"),
                "[Slice]\nManagedOOMMemoryPressureLimit=20%\n",
            ),
            file(
                "web.slice",
                Some("60.conf"),
                "[Unit]\nManagedOOMSwap=kill\n[Slice]\nManagedOOMSwap=auto\nManagedOOMMemoryPressureDurationSec=1min 5s\n",
            ),
        ];
        let web = managed("web.slice", &files);
        assert!(!web.swap && web.pressure);
        assert_eq!(web.limit, Some(Share::percent(20)));
        assert_eq!(web.lasting, Some(Duration::from_secs(65)));
    }

    #[test]
    fn rules_add_up_until_they_are_taken_back() {
        let of = |text: &str| {
            let files = [file("a.slice", None, &format!("[Slice]\n{text}"))];
            let managed = managed("a.slice", &files);
            (managed.rules.join(" "), managed.is_watched())
        };
        assert_eq!(
            of("OOMRules=b a\nOOMRules=a c\n"),
            ("b a c".to_owned(), true)
        );
        assert_eq!(of("OOMRules=b\nOOMRules=\n"), (String::new(), false));
        assert!(of("ManagedOOMSwap=auto\nOOMRules=x\n").1);
    }

    proptest::proptest! {
        #[test]
        fn no_name_or_text_panics(unit in "[-@.a\\PC]{0,20}", text in "(\\PC{0,9}|\n|=|\\[|ManagedOOMSwap)*") {
            let _ = managed(&unit, &[file(&unit, None, &text), file("a", Some("b"), &text)]);
        }
    }
}
