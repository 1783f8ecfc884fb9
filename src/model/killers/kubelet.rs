//! kubelet: its eviction thresholds for memory, from its flags and its configuration file.
//!
//! Kubernetes, "Node-pressure Eviction" and "Kubelet Configuration (v1beta1)": a hard threshold evicts at once, a soft one
//! after its grace period. kubelet looks every ten seconds, and compares what it calls `memory.available`: the capacity
//! minus the working set, which is not `MemAvailable`.

mod thresholds;

use std::time::Duration;

use super::{Act, Amount, Choice, Killer, Rule, RunningKiller, Trigger};
use crate::model::process::ProcessId;
use thresholds::{Given, Source, amount, signals};

pub(super) use thresholds::span;

/// The hard threshold where nothing sets another (pkg/kubelet/eviction/defaults_linux.go).
const DEFAULT: Amount = Amount::Bytes(100 << 20);

/// The signal that this is about.
const MEMORY: &str = "memory.available";

/// How kubelet is started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flavour {
    /// A program of its own.
    Plain,
    /// Inside k3s, which hands it `--eviction-hard` for disks alone: the threshold of memory is gone with that.
    K3s,
}

impl Flavour {
    /// What it means that the list of hard thresholds leaves memory out.
    fn without(self) -> &'static str {
        match self {
            Self::K3s => {
                "k3s sets thresholds for disks alone: nothing is evicted for memory, the kernel kills"
            }
            Self::Plain => {
                "evictionHard names no memory.available, so that it has none: nothing is evicted for memory at once"
            }
        }
    }
}

/// The path that `--config` names, and the directory that `--config-dir` names.
#[must_use]
pub fn files(arguments: &[String]) -> (Option<&str>, Option<&str>) {
    (flag(arguments, "config"), flag(arguments, "config-dir"))
}

/// The arguments that k3s hands to kubelet: `--kubelet-arg` of its command line, and `kubelet-arg` of its file.
#[must_use]
pub fn k3s_arguments(arguments: &[String], file: Option<&str>) -> Vec<String> {
    let mut found: Vec<String> = file
        .map(|text| Source::new(text).list("kubelet-arg"))
        .unwrap_or_default();
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        let Some(rest) = word.trim_start_matches('-').strip_prefix("kubelet-arg") else {
            continue;
        };
        found.extend(match rest.strip_prefix('=') {
            Some(value) => Some(value.to_owned()),
            None if rest.is_empty() => words.next().cloned(),
            None => None,
        });
    }
    let flag = |one: &String| format!("--{}", one.trim_start_matches('-'));
    found.iter().map(flag).collect()
}

/// The last value of a flag: `--name=value` or `--name value`.
fn flag<'a>(arguments: &'a [String], name: &str) -> Option<&'a str> {
    let mut value = None;
    for (at, word) in arguments.iter().enumerate() {
        let Some(rest) = word
            .strip_prefix("--")
            .and_then(|word| word.strip_prefix(name))
        else {
            continue;
        };
        match rest.strip_prefix('=') {
            Some(text) => value = Some(text),
            None if rest.is_empty() => value = arguments.get(at + 1).map(String::as_str).or(value),
            None => {}
        }
    }
    value
}

/// The rules of a kubelet with these arguments and files; of several files the later one counts. `unread` names a file
/// that could not be read.
#[must_use]
pub fn kubelet(
    id: ProcessId,
    flavour: Flavour,
    arguments: &[String],
    texts: &[String],
    unread: Option<&str>,
) -> RunningKiller {
    let mut given = Given::default();
    for text in texts {
        given.take(&Source::new(text));
    }
    // A flag replaces the whole list of the file.
    if let Some(list) = flag(arguments, "eviction-hard") {
        given.hard = Some(signals(list, '<'));
    } else if flavour == Flavour::K3s && given.hard.is_none() {
        given.hard = Some(Vec::new());
    }
    if let Some(list) = flag(arguments, "eviction-soft") {
        given.soft = signals(list, '<');
    }
    if let Some(list) = flag(arguments, "eviction-soft-grace-period") {
        given.grace = signals(list, '=');
    }
    let mut notes = vec![
        "it looks every 10 s, and counts MemFree + Inactive(file) as available, not MemAvailable: a faster leak meets \
         the kernel first"
            .to_owned(),
    ];
    let mut rules = Vec::new();
    let mut evict = |limit: Amount, lasting| {
        // A threshold of 0 is none.
        if limit != Amount::Bytes(0) {
            rules.push(Rule {
                when: Trigger::Eviction { limit, lasting },
                act: Act::Evict,
            });
        }
    };
    let not_read = |value: &str| format!("its threshold {MEMORY}<{value} could not be read");
    match given.hard.as_deref().map(of_memory) {
        None => evict(DEFAULT, Duration::ZERO),
        Some(None) if given.merges_defaults => evict(DEFAULT, Duration::ZERO),
        Some(None) => notes.push(flavour.without().to_owned()),
        Some(Some(value)) => match amount(value) {
            Some(limit) => evict(limit, Duration::ZERO),
            None => notes.push(not_read(value)),
        },
    }
    if let Some(value) = of_memory(&given.soft) {
        match (amount(value), of_memory(&given.grace).and_then(span)) {
            (Some(limit), Some(lasting)) => evict(limit, lasting),
            (None, _) => notes.push(not_read(value)),
            (_, None) => notes.push(
                "its soft threshold of memory has no grace period: kubelet refuses that".to_owned(),
            ),
        }
    }
    notes.extend(
        unread.map(|path| format!("{path} could not be read: its thresholds may be others")),
    );
    let source = match (flavour, texts.is_empty()) {
        (Flavour::K3s, true) => "k3s's defaults and arguments",
        (Flavour::K3s, false) => "k3s's files and arguments",
        (Flavour::Plain, true) => "its command line",
        (Flavour::Plain, false) => "its configuration file and command line",
    };
    RunningKiller {
        killer: Killer::Kubelet,
        id,
        rules,
        choice: Choice::Pod,
        unread: unread.is_some(),
        dry_run: false,
        source: source.to_owned(),
        notes,
        watched: Vec::new(),
        spared: Vec::new(),
        not_for_swap: Vec::new(),
    }
}

/// The value of the memory signal in a list.
fn of_memory(list: &[(String, String)]) -> Option<&str> {
    let found = list.iter().rev().find(|(signal, _)| signal == MEMORY);
    found.map(|(_, value)| value.as_str())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Flavour, files, k3s_arguments, kubelet};
    use crate::model::killers::{Act, Amount, Choice, RunningKiller, Share, Trigger, first_to_act};
    use crate::model::memory::Memory;
    use crate::model::process::ProcessId;

    fn words(line: &str) -> Vec<String> {
        line.split_whitespace().map(str::to_owned).collect()
    }

    fn of(flavour: Flavour, line: &str, texts: &[&str]) -> RunningKiller {
        let texts: Vec<String> = texts.iter().map(|text| (*text).to_owned()).collect();
        kubelet(ProcessId::default(), flavour, &words(line), &texts, None)
    }

    fn limits(killer: &RunningKiller) -> Vec<(Amount, Duration)> {
        let limit = |rule: &crate::model::killers::Rule| match rule.when {
            Trigger::Eviction { limit, lasting } => {
                assert_eq!(rule.act, Act::Evict);
                (limit, lasting)
            }
            _ => unreachable!("kubelet goes by what is available"),
        };
        killer.rules.iter().map(limit).collect()
    }

    const NOW: Duration = Duration::ZERO;

    #[test]
    fn flags_replace_the_file_and_the_file_replaces_the_default() {
        use Flavour::Plain;
        let default = of(Plain, "--config=/x", &["kind: KubeletConfiguration\n"]);
        assert_eq!(limits(&default), [(Amount::Bytes(100 << 20), NOW)]);
        assert_eq!(default.choice, Choice::Pod);
        let file = "evictionHard:\n  memory.available: \"5%\"\n  nodefs.available: \"10%\"\n";
        let share = Amount::Share(Share::percent(5));
        assert_eq!(limits(&of(Plain, "", &[file])), [(share, NOW)]);
        let both = of(Plain, "--eviction-hard=memory.available<1Gi", &[file]);
        assert_eq!(limits(&both), [(Amount::Bytes(1 << 30), NOW)]);
        let soft = "--eviction-soft memory.available<2Gi --eviction-soft-grace-period memory.available=1m30s";
        assert_eq!(
            limits(&of(Plain, soft, &[])),
            [
                (Amount::Bytes(100 << 20), NOW),
                (Amount::Bytes(2 << 30), Duration::from_secs(90))
            ]
        );
    }

    #[test]
    fn a_list_without_memory_has_no_threshold_of_memory() {
        let disks = "evictionHard:\n  nodefs.available: \"10%\"\n";
        let killer = of(Flavour::Plain, "", &[disks]);
        assert!(killer.rules.is_empty());
        assert!(
            killer
                .notes
                .iter()
                .any(|note| note.contains("names no memory.available"))
        );
        let merged = format!("mergeDefaultEvictionSettings: true\n{disks}");
        assert_eq!(
            limits(&of(Flavour::Plain, "", &[&merged])),
            [(Amount::Bytes(100 << 20), NOW)]
        );
        let off = of(Flavour::Plain, "--eviction-hard=memory.available<0", &[]);
        assert!(off.rules.is_empty());
        let k3s = of(Flavour::K3s, "", &[]);
        assert!(k3s.rules.is_empty());
        assert!(
            k3s.notes
                .iter()
                .any(|note| note.starts_with("k3s sets thresholds for disks alone"))
        );
    }

    #[test]
    fn k3s_hands_arguments_on() {
        let file = "write-kubeconfig-mode: \"0644\"\nkubelet-arg:\n  - \"eviction-hard=memory.available<500Mi\"\n";
        let line = words("server --kubelet-arg=config=/etc/kubelet.yaml --kubelet-arg max-pods=9");
        let handed = k3s_arguments(&line, Some(file));
        assert_eq!(
            handed,
            [
                "--eviction-hard=memory.available<500Mi",
                "--config=/etc/kubelet.yaml",
                "--max-pods=9"
            ]
        );
        assert_eq!(files(&handed), (Some("/etc/kubelet.yaml"), None));
        let killer = kubelet(ProcessId::default(), Flavour::K3s, &handed, &[], None);
        assert_eq!(limits(&killer), [(Amount::Bytes(500 << 20), NOW)]);
    }

    #[test]
    fn what_is_not_read_or_not_understood_is_said() {
        let killer = kubelet(
            ProcessId::default(),
            Flavour::Plain,
            &[],
            &[],
            Some("/etc/k.yaml"),
        );
        assert!(killer.unread);
        assert!(
            killer
                .notes
                .iter()
                .any(|note| note.starts_with("/etc/k.yaml could not be read"))
        );
        let odd = of(Flavour::Plain, "--eviction-hard=memory.available<lots", &[]);
        assert!(odd.rules.is_empty());
        assert!(
            odd.notes
                .iter()
                .any(|note| note.contains("<lots could not be read"))
        );
        let alone = of(Flavour::Plain, "--eviction-soft=memory.available<1Gi", &[]);
        assert!(
            alone
                .notes
                .iter()
                .any(|note| note.contains("no grace period"))
        );
    }

    #[test]
    fn it_acts_before_the_kernel_by_its_own_measure() {
        let memory = Memory {
            total: 100 << 30,
            free: 10 << 30,
            inactive_file: Some(5 << 30),
            available: Some(40 << 30),
            ..Memory::default()
        };
        let killers = [of(
            Flavour::Plain,
            "--eviction-hard=memory.available<1Gi",
            &[],
        )];
        let (_, _, room) = first_to_act(&killers, &memory).expect("kubelet");
        assert_eq!(room, 14 << 30);
    }
}
