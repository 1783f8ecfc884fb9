//! nohang(8): thresholds from its configuration file.

use std::time::Duration;

use super::{Act, Amount, Base, Choice, Killer, Rule, RunningKiller, Share, Trigger};
use crate::model::process::ProcessId;

/// The rules of nohang with this configuration file. `text` is `None` if the file could not be read: then no
/// threshold is known.
///
/// Pressure and zram count only while `MemAvailable` is at most the threshold of the same level too, and pressure only
/// where there is swap (`check_psi_ex`, `check_zram_ex`, 0.2).
///
/// Only lines `key = value` count. Lines that start with `#`, a blank or `@` set no key (nohang.conf, 0.2).
#[must_use]
pub fn nohang(id: ProcessId, path: Option<&str>, text: Option<&str>) -> RunningKiller {
    let mut notes = Vec::new();
    let source = match (path, text) {
        (Some(path), Some(_)) => path.to_owned(),
        (Some(path), None) => {
            notes.push(format!(
                "{path} could not be read: its thresholds are unknown"
            ));
            path.to_owned()
        }
        (None, _) => {
            notes.push("its command line names no --config: its thresholds are unknown".to_owned());
            "its command line".to_owned()
        }
    };
    let text = text.unwrap_or_default();
    let mut rules = Vec::new();
    for (level, act) in [("soft", Act::Terminate), ("hard", Act::Kill)] {
        let amount = |key: &str| amount(value(text, &format!("{level}_threshold_{key}"))?);
        if let (Some(memory), Some(swap)) = (amount("min_mem"), amount("min_swap")) {
            let when = Trigger::Low {
                memory,
                swap,
                needs_swap: false,
                base: Base::Total,
            };
            rules.push(Rule { when, act });
        }
        if is_on(text, "zram_checking_enabled")
            && let Some(limit) = amount("max_zram")
        {
            let memory = amount("min_mem");
            let when = Trigger::Zram { limit, memory };
            rules.push(Rule { when, act });
        }
        if is_on(text, "psi_checking_enabled") {
            let limit = value(text, &format!("{level}_threshold_max_psi"))
                .and_then(|text| text.parse().ok())
                .and_then(Share::from_percent);
            let lasting = value(text, "psi_excess_duration")
                .and_then(|text| text.parse().ok())
                .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
            if let (Some(limit), Some(lasting), Some(measure)) = (limit, lasting, measure(text)) {
                let when = Trigger::Pressure {
                    group: None,
                    measure,
                    limit,
                    lasting,
                    memory: amount("min_mem"),
                    needs_swap: true,
                };
                rules.push(Rule { when, act });
            }
        }
    }
    if rules.is_empty() && notes.is_empty() {
        notes.push(format!("no thresholds were found in {source}"));
    }
    let unread = rules.is_empty();
    let patterns = text.lines().any(|line| line.starts_with("@BADNESS_ADJ"))
        || is_on(text, "ignore_positive_oom_score_adj");
    RunningKiller {
        killer: Killer::Nohang,
        id,
        rules,
        choice: if patterns {
            Choice::ScoreAndPatterns
        } else {
            Choice::HighestScore
        },
        // Without --config nohang has built-in rules; if no rule was found in the file, it was not understood.
        unread,
        dry_run: false,
        source,
        notes,
        watched: Vec::new(),
        spared: Vec::new(),
        not_for_swap: Vec::new(),
    }
}

/// The path in `--config FILE` or `-c FILE`.
#[must_use]
pub fn config_path<'a>(arguments: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let mut words = arguments.into_iter();
    while let Some(word) = words.next() {
        match word {
            "-c" | "--config" => return words.next(),
            _ => {
                if let Some(path) = word.strip_prefix("--config=") {
                    return Some(path);
                }
            }
        }
    }
    None
}

fn value<'t>(text: &'t str, key: &str) -> Option<&'t str> {
    // If a key is set several times the last one counts, as in nohang.
    text.lines().rev().find_map(|line| {
        let (name, value) = line.split_once('=')?;
        (name.trim_end() == key).then(|| value.trim())
    })
}

fn is_on(text: &str, key: &str) -> bool {
    value(text, key) == Some("True")
}

/// Parses `5 %` or `300 M`.
fn amount(text: &str) -> Option<Amount> {
    if let Some(number) = text.strip_suffix('%') {
        let percent = number.trim().parse().ok()?;
        return Share::from_percent(percent).map(Amount::Share);
    }
    let mib: f64 = text.strip_suffix('M')?.trim().parse().ok()?;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "`as` saturates"
    )]
    let bytes = (mib * 1_048_576.0) as u64;
    (mib.is_finite() && mib >= 0.0).then_some(Amount::Bytes(bytes))
}

/// The PSI values that nohang supports, by their PSI names.
fn measure(text: &str) -> Option<&'static str> {
    const MEASURES: [(&str, &str); 6] = [
        ("some_avg10", "some avg10"),
        ("some_avg60", "some avg60"),
        ("some_avg300", "some avg300"),
        ("full_avg10", "full avg10"),
        ("full_avg60", "full avg60"),
        ("full_avg300", "full avg300"),
    ];
    let wanted = value(text, "psi_metrics")?;
    let found = MEASURES.iter().find(|(name, _)| *name == wanted);
    found.map(|(_, measure)| *measure)
}

#[cfg(test)]
mod tests {
    use super::{config_path, nohang};
    use crate::model::killers::{Act, Amount, Choice, Share, Trigger};
    use crate::model::process::ProcessId;

    const FILE: &str = "  Key: soft_threshold_min_mem\n#soft_threshold_min_mem = 50 %\n\
        soft_threshold_min_mem = 5 %\nsoft_threshold_min_swap = 300 M\n\
        hard_threshold_min_mem  = 2 %\nhard_threshold_min_swap = 4 %\n\
        psi_checking_enabled = False\nzram_checking_enabled = False\n";

    #[test]
    fn thresholds_of_the_file() {
        let killer = nohang(ProcessId::default(), Some("/etc/n.conf"), Some(FILE));
        assert_eq!(killer.rules.len(), 2);
        let Trigger::Low { memory, swap, .. } = killer.rules[0].when else {
            unreachable!("memory")
        };
        assert_eq!(memory, Amount::Share(Share::percent(5)));
        assert_eq!(swap, Amount::Bytes(300 << 20));
        assert_eq!(
            (killer.rules[1].act, killer.choice),
            (Act::Kill, Choice::HighestScore)
        );
        assert!(killer.notes.is_empty());
    }

    #[test]
    fn pressure_and_zram_count_where_they_are_on() {
        let file = format!(
            "{FILE}psi_checking_enabled = True\npsi_metrics = full_avg10\npsi_excess_duration = 30\n\
             soft_threshold_max_psi = 40\nhard_threshold_max_psi = 90\nzram_checking_enabled = True\n\
             soft_threshold_max_zram = 55 %\n@BADNESS_ADJ_RE_NAME 200 /// ^Web$\n"
        );
        let killer = nohang(ProcessId::default(), Some("/f"), Some(&file));
        let pressures = killer.rules.iter().filter(|rule| {
            matches!(
                rule.when,
                Trigger::Pressure {
                    measure: "full avg10",
                    ..
                }
            )
        });
        assert_eq!(pressures.count(), 2);
        // Only while memory is short as well, and there is swap.
        assert!(killer.rules.iter().any(|rule| matches!(
            rule.when,
            Trigger::Pressure {
                memory: Some(Amount::Share(Share(500))),
                needs_swap: true,
                ..
            }
        )));
        assert!(killer.rules.iter().any(|rule| matches!(
            rule.when,
            Trigger::Zram {
                memory: Some(Amount::Share(Share(500))),
                ..
            }
        )));
        assert!(
            killer
                .rules
                .iter()
                .any(|r| matches!(r.when, Trigger::Zram { .. }))
        );
        assert_eq!(killer.choice, Choice::ScoreAndPatterns);
    }

    #[test]
    fn what_is_not_known_is_said() {
        for (path, text) in [(None, None), (Some("/f"), None), (Some("/f"), Some(""))] {
            let killer = nohang(ProcessId::default(), path, text);
            assert!(
                killer.rules.is_empty() && killer.notes.len() == 1,
                "{path:?}"
            );
        }
        let words = |line: &'static str| line.split(' ');
        assert_eq!(
            config_path(words("--monitor --config /etc/x")),
            Some("/etc/x")
        );
        assert_eq!(config_path(words("-c")), None);
        assert_eq!(config_path(words("--config=/y --monitor")), Some("/y"));
    }

    proptest::proptest! {
        #[test]
        fn no_file_panics(text in "(\\PC{0,20}|soft_threshold_min_mem|=|%|M|\n| )*") {
            let _ = nohang(ProcessId::default(), Some("/f"), Some(&text));
        }
    }
}
