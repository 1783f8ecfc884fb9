//! Talos: the OOM controller inside its pid 1, from the release and the machine's `OOMConfig` document.
//!
//! It evaluates `triggerExpression` several times a second; when that holds, it kills the group to which
//! `cgroupRankingExpression` gives the highest value (internal/app/machined/pkg/controllers/runtime/oom.go, 1.12 to
//! 1.15; the reference of `OOMConfig`).

mod document;
mod expression;
mod outlook;
mod value;

use super::{Act, Choice, Killer, Rule, RunningKiller, Trigger};
use crate::model::process::ProcessId;
use document::Document;

pub use expression::Compared;
pub use outlook::{Pick, Standing, pick, standing};

/// The release of Talos, from os-release(5).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Release {
    /// As Talos writes it: `v1.13.6`.
    text: String,
    numbers: (u32, u32),
}

impl Release {
    /// From the text of os-release; `None` if it is that of another system, or has no version.
    #[must_use]
    pub fn of_os(text: &str) -> Option<Self> {
        let value = |key: &str| {
            let mut lines = text.lines();
            let value = lines.find_map(|line| line.strip_prefix(key)?.strip_prefix('='))?;
            Some(value.trim().trim_matches('"'))
        };
        (value("ID")? == "talos").then_some(())?;
        let text = value("VERSION_ID")?;
        let mut parts = text.strip_prefix('v').unwrap_or(text).split('.');
        let mut number = || parts.next()?.parse().ok();
        Some(Self {
            numbers: (number()?, number()?),
            text: text.to_owned(),
        })
    }
}

/// The first release with the controller, the one with pressure by class, and the one with classes in order.
const SINCE: (u32, u32) = (1, 12);
const BY_CLASSES: (u32, u32) = (1, 13);
const IN_ORDER: (u32, u32) = (1, 14);

/// What triggers where the machine's configuration does not say (pkg/machinery/constants `DefaultOOMTriggerExpression`).
fn default_trigger(release: (u32, u32)) -> String {
    let system_stalls = "multiply_qos_vectors(d_qos_memory_full_total, {System: 8.0, Podruntime: 4.0}) > 3000.0 && \
                         multiply_qos_vectors(qos_memory_full_avg10, {System: 1.0, Podruntime: 1.0}) > 5.0";
    if release < BY_CLASSES {
        "memory_full_avg10 > 12.0 && d_memory_full_avg10 > 0.0 && time_since_trigger > duration(\"500ms\")".to_owned()
    } else if release < IN_ORDER {
        format!(
            "({system_stalls}) || (memory_full_avg10 > 75.0 && time_since_trigger > duration(\"10s\"))"
        )
    } else {
        format!("{system_stalls} && time_since_trigger > duration(\"5s\")")
    }
}

/// The ranking where the configuration does not say (`DefaultOOMCgroupRankingExpression`).
const RANKING: &str = "memory_max.hasValue() ? 0.0 : {Besteffort: 1.0, Burstable: 0.5, Guaranteed: 0.0, \
                       Podruntime: 0.0, System: 0.0}[class] * double(memory_current.orValue(0u))";

/// Asks Talos for its configuration, as a user of it does.
const ASK: &str = "talosctl get machineconfig";

/// The rule of Talos. `release` is `None` if it is not known, `config` if the machine's configuration could not be read.
#[must_use]
pub fn talos(id: ProcessId, release: Option<&Release>, config: Option<&str>) -> RunningKiller {
    if let Some(old) = release.filter(|release| release.numbers < SINCE) {
        let note = format!("Talos {} has no OOM controller (since 1.12)", old.text);
        return RunningKiller::idle(Killer::Talos, id, &note);
    }
    let document = config.and_then(Document::find).unwrap_or_default();
    let mut notes = Vec::new();
    let (numbers, named) = if let Some(release) = release {
        (release.numbers, format!("Talos {}", release.text))
    } else {
        notes.push("its release could not be read: the defaults of 1.14 are shown".to_owned());
        (IN_ORDER, "Talos".to_owned())
    };
    if numbers == BY_CLASSES {
        notes.push(
            "patches of 1.13 differ: later ones take the least important class first, not the highest rank of all"
                .to_owned(),
        );
    }
    if config.is_none() {
        notes.push(format!(
            "the machine's configuration could not be read: an OOMConfig in it changes what is shown ({ASK})"
        ));
    }
    let source = if document.is_set() {
        format!("the OOMConfig of {named}")
    } else {
        format!("the defaults of {named}")
    };
    let trigger = document.trigger.unwrap_or_else(|| default_trigger(numbers));
    if trigger == "false" {
        notes.push("its trigger is \"false\": it never kills".to_owned());
    }
    RunningKiller {
        killer: Killer::Talos,
        id,
        rules: vec![Rule {
            when: Trigger::Expression {
                trigger,
                ranking: document.ranking.unwrap_or_else(|| RANKING.to_owned()),
                by_class: numbers >= IN_ORDER && document.by_class.unwrap_or(true),
            },
            act: Act::KillGroup,
        }],
        choice: Choice::Ranking,
        unread: release.is_none() || config.is_none(),
        dry_run: false,
        source,
        notes,
        watched: Vec::new(),
        spared: Vec::new(),
        not_for_swap: Vec::new(),
    }
}

/// A text with its blanks and line ends made one blank each.
fn on_one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::{Release, talos};
    use crate::model::killers::{RunningKiller, Trigger};
    use crate::model::process::ProcessId;

    fn of(version: &str, config: Option<&str>) -> RunningKiller {
        let os = format!("NAME=\"Talos\"\nID=talos\nVERSION_ID={version}\n");
        let release = Release::of_os(&os);
        assert!(release.is_some(), "{version}");
        talos(ProcessId::default(), release.as_ref(), config)
    }

    fn rule(killer: &RunningKiller) -> (&str, &str, bool) {
        match &killer.rules[0].when {
            Trigger::Expression {
                trigger,
                ranking,
                by_class,
            } => (trigger, ranking, *by_class),
            _ => unreachable!("Talos goes by an expression"),
        }
    }

    #[test]
    fn each_release_has_its_defaults() {
        let of_release = |version: &str| {
            let killer = of(version, Some("machine: {}\n"));
            let differs = version.starts_with("v1.13");
            assert!(
                !killer.unread && killer.notes.len() == usize::from(differs),
                "{killer:?}"
            );
            assert_eq!(killer.source, format!("the defaults of Talos {version}"));
            let (trigger, _, by_class) = rule(&killer);
            (trigger.to_owned(), by_class)
        };
        let (old, in_order) = of_release("v1.12.4");
        assert!(old.starts_with("memory_full_avg10 > 12.0") && !in_order);
        let (middle, in_order) = of_release("v1.13.6");
        assert!(middle.contains("memory_full_avg10 > 75.0") && !in_order);
        let (new, in_order) = of_release("v1.15.0-alpha.1");
        assert!(!new.contains("75.0") && in_order);
        let none = of("v1.11.2", None);
        assert!(none.rules.is_empty() && !none.unread);
        assert!(none.notes[0].contains("has no OOM controller"));
        assert_eq!(Release::of_os("ID=debian\nVERSION_ID=\"12\"\n"), None);
    }

    #[test]
    fn the_machines_document_replaces_what_it_names() {
        let config = "version: v1alpha1\nmachine:\n  token: secret\n---\napiVersion: v1alpha1\nkind: OOMConfig\n\
            triggerExpression: |-\n    memory_full_avg10 > 30.0 &&\n      time_since_trigger > duration(\"9s\")\n\
            strictCgroupClassOrdering: false\n---\nkind: Other\ntriggerExpression: 'no'\n";
        let killer = of("v1.14.0", Some(config));
        let (trigger, ranking, by_class) = rule(&killer);
        assert_eq!(
            trigger,
            "memory_full_avg10 > 30.0 && time_since_trigger > duration(\"9s\")"
        );
        assert!(ranking.contains("memory_current") && !by_class);
        assert_eq!(killer.source, "the OOMConfig of Talos v1.14.0");
        let off = "kind: OOMConfig\ntriggerExpression: \"false\"\ncgroupRankingExpression: '0.0'\n";
        let killer = of("v1.12.1", Some(off));
        assert_eq!(rule(&killer), ("false", "0.0", false));
        assert!(killer.notes[0].contains("it never kills"));
    }

    #[test]
    fn what_could_not_be_read_is_said() {
        let killer = of("v1.14.0", None);
        assert!(killer.unread);
        assert!(killer.notes[0].contains("could not be read"), "{killer:?}");
        let killer = talos(ProcessId::default(), None, Some(""));
        assert!(killer.unread && killer.notes[0].contains("release could not be read"));
    }
}
