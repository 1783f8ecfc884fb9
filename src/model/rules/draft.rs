//! [`Draft`]: a rule made of one process, and its lines in a file.

use std::fmt::Write as _;

use super::condition::{Condition, Fact};
use super::subject::Subject;
use super::{Origin, Rule};
use crate::model::process::ProcessId;
use crate::model::process::score::OomScoreAdj;
use crate::oomlog::witness::service_of;

/// Programs that run others' programs: their name and executable say nothing of what runs.
const INTERPRETERS: &[&str] = &[
    "python",
    "perl",
    "ruby",
    "node",
    "nodejs",
    "java",
    "php",
    "sh",
    "bash",
    "dash",
    "zsh",
    "ksh",
    "busybox",
    "mono",
    "dotnet",
    "lua",
    "tclsh",
    "deno",
    "bun",
    "qemu-system",
];

/// Letters of a pattern at most: a longer command line is cut, and a `*` ends it.
const LONGEST: usize = 120;

/// Which process gets which value by a rule that shall be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wish {
    /// The process that the rule is made of.
    pub target: ProcessId,
    /// The value of the rule.
    pub value: OomScoreAdj,
}

/// What a rule matches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// What it looks at, and the pattern for it.
    pub matches: Vec<(Fact, String)>,
}

impl Draft {
    /// The conditions; `None` if a pattern is none, which no text of [`drafts`] is.
    fn conditions(&self) -> Option<Vec<Condition>> {
        let condition = |(fact, pattern): &(Fact, String)| {
            let glob = fact.pattern(pattern).ok()?;
            Some(Condition {
                fact: *fact,
                any: vec![glob],
            })
        };
        self.matches.iter().map(condition).collect()
    }

    /// The rule that the lines in the file say.
    #[must_use]
    pub fn rule(&self, value: OomScoreAdj, children: Option<OomScoreAdj>) -> Option<Rule> {
        Some(Rule {
            title: self.words(),
            origin: Origin::default(),
            conditions: self.conditions()?,
            own: Some(value),
            children,
            rule_group: None,
        })
    }

    /// What it matches, in words.
    #[must_use]
    pub fn words(&self) -> String {
        let parts = self.matches.iter();
        let parts = parts.map(|(fact, pattern)| format!("{} {pattern}", fact.key()));
        parts.collect::<Vec<_>>().join(", ")
    }

    /// The lines, with a remark that says of which process the rule was made.
    #[must_use]
    pub fn block(&self, of: &str, value: OomScoreAdj, children: Option<OomScoreAdj>) -> String {
        let of: String = of.chars().filter(|c| !c.is_control()).collect();
        let mut block = format!("\n# oomtop: made of {of}\n[[rule]]\n");
        for (fact, pattern) in &self.matches {
            // Writing to a String cannot fail.
            let _ = writeln!(block, "{} = {}", fact.key(), quoted(pattern));
        }
        let _ = writeln!(block, "adj = {value}");
        if let Some(children) = children {
            let _ = writeln!(block, "children = {children}");
        }
        block
    }
}

/// What a rule for this process can look at, the most fitting first. Each has a user or a unit: without one any user
/// could start a process that the rule protects.
#[must_use]
pub fn drafts(subject: &Subject) -> Vec<Draft> {
    let user = match (&subject.user, subject.uid) {
        (Some(name), _) => Some(name.to_string()),
        (None, uid) => uid.map(|uid| uid.to_string()),
    };
    let Some(user) = user else {
        return Vec::new();
    };
    let by = |fact: Fact, text: &str| {
        let matches = vec![
            (fact, escaped(fact, text)),
            (Fact::User, escaped(Fact::User, &user)),
        ];
        (!text.is_empty()).then_some(Draft { matches })
    };
    let name = subject.name();
    let path = subject.cgroup.as_ref().map_or("", |path| path.as_str());
    let unit =
        service_of(path).filter(|unit| unit.user.is_none() && unit.name.ends_with(".service"));
    let with_name = unit.map(|unit| Draft {
        matches: vec![
            (Fact::Unit, escaped(Fact::Unit, unit.name)),
            (Fact::Name, escaped(Fact::Name, &name)),
        ],
    });
    let whole_unit = unit.map(|unit| Draft {
        matches: vec![(Fact::Unit, escaped(Fact::Unit, unit.name))],
    });
    let exe = subject.exe.as_deref().and_then(|exe| by(Fact::Exe, exe));
    let command = subject
        .command
        .as_deref()
        .and_then(|line| by(Fact::Command, line));
    let is_interpreter = runs_others(subject.exe.as_deref().unwrap_or(&name)) || runs_others(&name);
    let own = if is_interpreter {
        [command, by(Fact::Name, &name), exe]
    } else {
        [by(Fact::Name, &name), exe, command]
    };
    [with_name, whole_unit]
        .into_iter()
        .chain(own)
        .flatten()
        .collect()
}

/// `/usr/bin/python3.12` runs programs of others.
fn runs_others(exe: &str) -> bool {
    let file = exe.rsplit('/').next().unwrap_or(exe);
    let name = file.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.' || c == '-');
    INTERPRETERS.contains(&name)
}

/// A pattern that matches this text alone, or what begins with it where the text is long.
fn escaped(fact: Fact, text: &str) -> String {
    let mut pattern = String::new();
    for (at, letter) in text.chars().enumerate() {
        match letter {
            _ if at == LONGEST => {
                // In a path one star ends at a slash.
                pattern.push_str(if fact == Fact::Exe { "**" } else { "*" });
                break;
            }
            // A file of TOML holds none.
            letter if letter.is_control() => pattern.push('?'),
            letter => {
                if matches!(letter, '*' | '?' | '[' | '\\') {
                    pattern.push('\\');
                }
                pattern.push(letter);
            }
        }
    }
    pattern
}

/// A basic string of TOML.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for letter in text.chars() {
        if matches!(letter, '"' | '\\') {
            quoted.push('\\');
        }
        quoted.push(letter);
    }
    quoted + "\""
}

#[cfg(test)]
mod tests {
    use super::{Draft, drafts};
    use crate::model::cgroup::CgroupPath;
    use crate::model::process::score::OomScoreAdj;
    use crate::model::rules::subject::Subject;

    fn words(subject: &Subject) -> Vec<String> {
        drafts(subject).iter().map(Draft::words).collect()
    }

    fn of(comm: &str, exe: &str, command: &str, cgroup: &str) -> Subject {
        Subject {
            comm: comm.into(),
            uid: Some(114),
            user: Some("postgres".into()),
            exe: Some(exe.to_owned()),
            command: Some(command.to_owned()),
            cgroup: Some(CgroupPath::new(cgroup)),
            ..Subject::default()
        }
    }

    #[test]
    fn a_service_by_its_unit_and_others_by_name_and_user() {
        let line = "postgres: writer";
        let service = of(
            "postgres",
            "/usr/lib/pg/postgres",
            line,
            "/system.slice/pg.service/a",
        );
        assert_eq!(
            words(&service),
            [
                "unit pg.service, name postgres",
                "unit pg.service",
                "name postgres, user postgres",
                "exe /usr/lib/pg/postgres, user postgres",
                "command postgres: writer, user postgres",
            ]
        );
        // A user names the units of his own manager.
        let own = "/user.slice/user-7.slice/user@7.service/app.slice/pg.service";
        let own = of("postgres", "/usr/lib/pg/postgres", line, own);
        assert_eq!(words(&own)[0], "name postgres, user postgres");
        let script = of("python3", "/usr/bin/python3.12", "python3 /opt/job.py", "/");
        assert_eq!(
            words(&script)[0],
            "command python3 /opt/job.py, user postgres"
        );
        let nobody = Subject {
            uid: None,
            user: None,
            ..script
        };
        assert_eq!(words(&nobody), [] as [&str; 0]);
    }

    #[test]
    fn every_draft_matches_the_process_it_was_made_of_whatever_it_is_called() {
        let long = "x".repeat(500);
        for name in [
            "a*b?c[d]\\e",
            "\"quoted\" \\",
            "\u{fffd}x",
            "tab\tnew\nline",
            &long,
        ] {
            let command = format!("{name} --flag\u{1b}[2J {name}");
            let subject = of(
                name,
                &format!("/opt/{name}"),
                &command,
                "/system.slice/a\\x2db.service",
            );
            let all = drafts(&subject);
            assert_eq!(all.len(), 5);
            for draft in all {
                let rule = draft.rule(OomScoreAdj::IMMUNE, None).expect("patterns");
                assert!(rule.matches(&subject), "{}", draft.words());
                assert!(!rule.is_open_to_all(), "{}", draft.words());
                let block = draft.block("7 x\ny", OomScoreAdj::IMMUNE, None);
                assert!(
                    block
                        .lines()
                        .all(|line| !line.contains(|c: char| c.is_control()))
                );
                assert_eq!(block.lines().count(), 4 + draft.matches.len(), "{block}");
            }
        }
    }
}
