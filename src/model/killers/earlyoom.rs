//! earlyoom(1): thresholds from its command line.

mod release;

use super::{Act, Amount, Choice, Killer, Rule, RunningKiller, Share, Trigger};
use crate::model::process::ProcessId;

pub use release::Release;

/// Default of `-m` and `-s` in percent; earlyoom sends SIGKILL at half of that (earlyoom(1)).
const DEFAULT: f64 = 10.0;

/// The thresholds given for memory or for swap.
#[derive(Default)]
struct Level {
    /// Thresholds of SIGTERM and SIGKILL in percent.
    percent: Option<(f64, f64)>,
    /// Thresholds of SIGTERM and SIGKILL in KiB.
    kib: Option<(f64, f64)>,
}

impl Level {
    fn amounts(&self) -> (Amount, Amount) {
        let share = |percent: f64| Share::from_percent(percent).unwrap_or(Share::percent(100));
        match (self.percent, self.kib.map(|(t, k)| (bytes(t), bytes(k)))) {
            (Some((term, kill)), Some((term_bytes, kill_bytes))) => (
                Amount::Lower(share(term), term_bytes),
                Amount::Lower(share(kill), kill_bytes),
            ),
            (None, Some((term, kill))) => (Amount::Bytes(term), Amount::Bytes(kill)),
            (percent, None) => {
                let (term, kill) = percent.unwrap_or((DEFAULT, DEFAULT / 2.0));
                (Amount::Share(share(term)), Amount::Share(share(kill)))
            }
        }
    }
}

fn bytes(kib: f64) -> u64 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "not negative; `as` saturates"
    )]
    let bytes = (kib * 1024.0) as u64;
    bytes
}

/// The rules of earlyoom with these arguments, without the program name. `release` is that of the running program.
///
/// earlyoom sends SIGTERM when available memory **and** free swap are both at or below their thresholds, and
/// SIGKILL at half of those. Without swap only memory counts (earlyoom(1), 1.2 to 1.9).
#[must_use]
pub fn earlyoom<'a>(
    id: ProcessId,
    release: &Release,
    arguments: impl IntoIterator<Item = &'a str>,
) -> RunningKiller {
    let (mut memory, mut swap) = (Level::default(), Level::default());
    let mut dry_run = false;
    let mut by_rss = false;
    let mut patterns = false;
    let mut asks_kernel = false;
    let mut spares_root = false;
    let mut notes = Vec::new();
    let mut words = arguments.into_iter();
    while let Some(word) = words.next() {
        let (flag, attached) = split(word);
        let mut value = || match attached {
            Some(value) => Some(value),
            None => words.next(),
        };
        match flag {
            "-m" => take(&mut memory.percent, value(), word, &mut notes),
            "-s" => take(&mut swap.percent, value(), word, &mut notes),
            "-M" => take(&mut memory.kib, value(), word, &mut notes),
            "-S" => take(&mut swap.kib, value(), word, &mut notes),
            // These options take a value that is irrelevant here.
            "-r" | "-w" | "-N" | "-P" => {
                value();
            }
            "--prefer" | "--avoid" | "--ignore" => {
                value();
                patterns = true;
            }
            "--dryrun" => dry_run = true,
            "--sort-by-rss" => by_rss = true,
            "--kernel-oom" => asks_kernel = true,
            "--ignore-root-user" => spares_root = true,
            _ => {}
        }
    }
    let (memory, swap) = (memory.amounts(), swap.amounts());
    let rule = |memory, swap, act| Rule {
        when: Trigger::Low {
            memory,
            swap,
            needs_swap: false,
            base: release.base,
        },
        act,
    };
    if spares_root {
        notes.push("it never kills a process of root's (--ignore-root-user)".to_owned());
    }
    RunningKiller {
        killer: Killer::Earlyoom,
        id,
        rules: if asks_kernel {
            vec![rule(memory.0, swap.0, Act::AskKernel)]
        } else {
            vec![
                rule(memory.0, swap.0, Act::Terminate),
                rule(memory.1, swap.1, Act::Kill),
            ]
        },
        choice: match (asks_kernel, patterns, by_rss) {
            (true, ..) => Choice::Kernel,
            (_, true, _) => Choice::ScoreAndPatterns,
            (.., true) => Choice::LargestRss,
            (..) => Choice::HighestScore,
        },
        unread: false,
        dry_run,
        source: match &release.version {
            Some(version) => format!("its command line, version {version}"),
            None => "its command line".to_owned(),
        },
        notes,
        watched: Vec::new(),
        spared: Vec::new(),
        not_for_swap: Vec::new(),
    }
}

/// Splits arguments that contain their value, such as `-m5` and `--prefer=x`.
fn split(word: &str) -> (&str, Option<&str>) {
    if word.starts_with("--") {
        return match word.split_once('=') {
            Some((flag, value)) => (flag, Some(value)),
            None => (word, None),
        };
    }
    match word.get(2..) {
        Some(rest) if word.starts_with('-') && !rest.is_empty() => {
            (word.get(..2).unwrap_or(word), Some(rest))
        }
        _ => (word, None),
    }
}

/// Parses `10` or `10,5`: the threshold of SIGTERM and that of SIGKILL.
fn take(into: &mut Option<(f64, f64)>, text: Option<&str>, word: &str, notes: &mut Vec<String>) {
    let sound = |number: &f64| number.is_finite() && *number >= 0.0;
    let number = |text: &str| text.trim().parse().ok().filter(sound);
    let parsed = text.and_then(|text| {
        let (term, kill): (f64, f64) = if let Some((term, kill)) = text.split_once(',') {
            (number(term)?, number(kill)?)
        } else {
            let term = number(text)?;
            (term, term / 2.0)
        };
        // If SIGKILL has the higher threshold, earlyoom uses it for SIGTERM too.
        Some((term.max(kill), kill))
    });
    match parsed {
        Some(levels) => *into = Some(levels),
        None => notes.push(format!(
            "its option {word} could not be read: the default is shown"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::{Release, earlyoom};
    use crate::model::killers::{Act, Amount, Base, Choice, RunningKiller, Share, Trigger};
    use crate::model::process::ProcessId;

    fn of(line: &str) -> RunningKiller {
        let release = Release::default();
        earlyoom(ProcessId::default(), &release, line.split_whitespace())
    }

    fn levels(line: &str) -> Vec<(Amount, Amount)> {
        of(line)
            .rules
            .iter()
            .map(|rule| match rule.when {
                Trigger::Low { memory, swap, .. } => (memory, swap),
                _ => unreachable!("earlyoom goes by memory"),
            })
            .collect()
    }

    fn share(percent: u32) -> Amount {
        Amount::Share(Share::percent(percent))
    }

    #[test]
    fn defaults_and_levels() {
        assert_eq!(levels(""), [(share(10), share(10)), (share(5), share(5))]);
        assert_eq!(of("").rules[0].act, Act::Terminate);
        assert_eq!(of("").rules[1].act, Act::Kill);
        // From Debian's /etc/default/earlyoom and from the manual.
        assert_eq!(
            levels("-r 3600 -m 4"),
            [(share(4), share(10)), (share(2), share(5))]
        );
        assert_eq!(
            levels("-m 20,18 -s100"),
            [(share(20), share(100)), (share(18), share(50))]
        );
        let small = Amount::Lower(Share::percent(10), 1 << 30);
        assert_eq!(levels("-m 10 -M 1048576")[0].0, small);
        assert_eq!(levels("-S 1024,512")[1].1, Amount::Bytes(512 << 10));
    }

    #[test]
    fn who_it_chooses_and_whether_it_acts() {
        assert_eq!(of("--prefer ^java$").choice, Choice::ScoreAndPatterns);
        assert_eq!(of("--avoid=-m").choice, Choice::ScoreAndPatterns);
        assert_eq!(of("--sort-by-rss").choice, Choice::LargestRss);
        assert!(of("--dryrun -p").dry_run);
        let asks = of("-m 3 --kernel-oom --prefer x");
        assert_eq!((asks.choice, asks.rules.len()), (Choice::Kernel, 1));
        assert_eq!(asks.rules[0].act, Act::AskKernel);
        assert_eq!(of("--ignore-root-user").notes.len(), 1);
        assert_eq!(of("-n -N /x -m 3").choice, Choice::HighestScore);
        assert_eq!(levels("-n -N /x -m 3")[0].0, share(3));
    }

    #[test]
    fn shares_are_of_what_the_running_version_takes_them_of() {
        let release =
            Release::of_program(b"\0earlyoom v1.9.0\n\0mem total: %lld, user mem total: %4lld MiB");
        let killer = earlyoom(ProcessId::default(), &release, []);
        assert!(killer.rules.iter().all(|rule| {
            matches!(
                rule.when,
                Trigger::Low {
                    base: Base::User,
                    ..
                }
            )
        }));
        assert_eq!(killer.source, "its command line, version 1.9.0");
    }

    #[test]
    fn nonsense_is_said_and_the_default_stands() {
        let killer = of("-m lots");
        assert_eq!(killer.notes.len(), 1);
        assert_eq!(levels("-m lots")[0].0, share(10));
        assert_eq!(of("-m").notes.len(), 1);
        assert_eq!(levels("-m 400")[0].0, share(100));
    }

    proptest::proptest! {
        #[test]
        fn no_command_line_panics(words in proptest::collection::vec("\\PC{0,6}|-[mMsS]|[0-9,.]{0,9}", 0..9)) {
            let _ = earlyoom(ProcessId::default(), &Release::default(), words.iter().map(String::as_str));
        }
    }
}
