//! Files of rules, right and wrong.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use super::{Place, RuleFiles, parse, trust};
use crate::model::rules::Rules;
use crate::model::rules::book::Found;

struct Given {
    dir: tempfile::TempDir,
    /// As whom the files are read.
    euid: u32,
}

impl Given {
    fn new() -> Self {
        Self {
            dir: tempfile::tempdir().expect("a directory"),
            euid: rustix::process::geteuid().as_raw(),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn file(self, name: &str, text: &str) -> Self {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("a directory")).expect("made");
        fs::write(&path, text).expect("written");
        fs::set_permissions(path, fs::Permissions::from_mode(0o644)).expect("changed");
        self
    }

    fn files(&self) -> RuleFiles {
        RuleFiles {
            place: Place::Usual {
                system: self.path("rules.toml"),
                directory: self.path("rules.d"),
                user: Some(self.path("user/rules.toml")),
            },
            euid: self.euid,
        }
    }

    fn survey(&self) -> Found {
        self.files().survey()
    }

    fn read(&self) -> Result<Rules, String> {
        let files = self.files();
        let own = format!("{}/", self.dir.path().display());
        files
            .read()
            .map_err(|errors| (errors.join("\n") + "\n").replace(&own, ""))
    }

    fn titles(&self) -> Vec<String> {
        let rules = self.read().expect("rules");
        rules.iter().map(|(_, rule)| rule.title.clone()).collect()
    }
}

fn one(text: &str) -> Rules {
    let given = Given::new().file("rules.toml", text);
    given.read().expect("rules")
}

#[test]
fn nothing_is_no_error() {
    assert!(Given::new().read().expect("no rules").is_empty());
    assert!(one("# nothing yet\n").is_empty());
}

#[test]
fn the_files_come_in_their_order_and_others_are_left_alone() {
    let rule = |name: &str| format!("[[rule]]\nname = \"{name}\"\nadj = 1\n");
    let given = Given::new()
        .file("user/rules.toml", &rule("user"))
        .file("rules.d/20-b.toml", &rule("b"))
        .file("rules.d/10-a.toml", &(rule("a") + &rule("a2")))
        .file("rules.d/10-a.toml~", "nonsense")
        .file("rules.d/.10-a.toml", "nonsense")
        .file("rules.toml", &rule("system"));
    let titles = ["name system", "name a", "name a2", "name b", "name user"];
    assert_eq!(given.titles(), titles);
}

#[test]
fn a_rule_has_values_levels_roles_and_lines() {
    let rules = one(
        "\n[[rule]]\ntitle = \"CI\"\nname = [\"Runner.*\", \"buildkite\"]\nuser = [\"ci\", 1001]\nrole = \"supervisor\"\n\n[[rule]]\nunit = \"mysql.service\"\nrole = \"database\"\nchildren = 0x10\n[[rule]]\nexe = \"/opt/**\"\nchildren = \"default\"\n[[rule]]\nname = \"x\"\nlevel = \"immune\"\n",
    );
    let values: Vec<_> = rules
        .iter()
        .map(|(_, rule)| {
            let number = |adj: Option<crate::model::process::score::OomScoreAdj>| {
                adj.map(crate::model::process::score::OomScoreAdj::get)
            };
            (
                rule.title.as_str(),
                rule.origin.line,
                number(rule.own),
                number(rule.children),
            )
        })
        .collect();
    assert_eq!(
        values,
        [
            ("CI", 2, Some(-500), Some(300)),
            ("unit mysql.service", 8, Some(-400), Some(16)),
            ("exe /opt/**", 12, None, Some(0)),
            ("name x", 15, Some(-1000), None),
        ]
    );
}

#[test]
fn everything_wrong_is_said_at_once_with_file_line_and_what_was_meant() {
    let given = Given::new()
        .file(
            "rules.toml",
            "colour = 1\n[[rule]]\nnmae = \"x\"\nlevle = \"high\"\noom_score_adj = 3\n[[rule]]\nadj = 5\n[[rule]]\nname = \"x\"\n",
        )
        .file(
            "rules.d/a.toml",
            "[[rule]]\nname = \"x[\"\nlevel = \"hihg\"\n[[rule]]\nname = 7\nadj = 2000\nlevel = 5\n[[rule]]\nuser = []\nrole = \"databse\"\nchildren = 1.5\ntitle = \"\"\n[[rule]]\nname = \"x\"\nadj = 1\nlevel = \"high\"\n",
        )
        .file("user/rules.toml", "[rule]\nname = \"x\"\n");
    let keys = "title, name, command, exe, user, unit, cgroup, container, adj, level, role, children, move_to, memory_max, memory_high";
    let facts = "name, command, exe, user, unit, cgroup, container";
    let expected = format!(
        "\
rules.toml:1: colour: there is no such key outside of a rule; each rule begins with [[rule]]
rules.toml:3: nmae: there is no such key; did you mean name? the keys of a rule are {keys}
rules.toml:4: levle: there is no such key; did you mean level? the keys of a rule are {keys}
rules.toml:5: oom_score_adj: there is no such key; did you mean adj? the keys of a rule are {keys}
rules.toml:6: rule: it would match every process; give it at least one of {facts}
rules.toml:8: rule: it sets nothing; give it adj, level, role, children or move_to
rules.d/a.toml:2: name: the pattern 'x[' has a '[' without a ']'; write \\[ for the letter itself
rules.d/a.toml:3: level: there is no level 'hihg'; did you mean high? the levels are immune, high, moderate, default, sacrifice
rules.d/a.toml:5: name: takes a pattern or a list of patterns, each in quotes
rules.d/a.toml:6: adj: takes a whole number from -1000 to 1000, not 2000
rules.d/a.toml:7: level: takes one of immune, high, moderate, default, sacrifice in quotes; for a number: adj = …
rules.d/a.toml:9: user: takes at least one pattern: an empty list matches nothing
rules.d/a.toml:10: role: there is no role 'databse'; did you mean database? the roles are supervisor, database, web server, test program, one-off task
rules.d/a.toml:11: children: takes a whole number from -1000 to 1000, not this
rules.d/a.toml:12: title: takes a text of 1 to 80 letters
rules.d/a.toml:16: level: the rule has adj already; give one of adj, level and role
user/rules.toml:1: rule: is a table: write [[rule]] in a line of its own above each
"
    );
    assert_eq!(given.read().expect_err("wrong"), expected);
}

#[test]
fn broken_toml_names_its_line() {
    let given = Given::new().file("rules.toml", "[[rule]]\nname = \n[[rule]]\nadj = = 1\n");
    let errors = given.read().expect_err("broken");
    assert!(errors.contains("rules.toml:2: "), "{errors}");
    assert!(errors.contains("rules.toml:4: "), "{errors}");
}

#[test]
fn what_is_no_plain_file_is_refused_with_a_sentence() {
    let given = Given::new().file("rules.d/huge.toml", &"#".repeat(70_000));
    fs::create_dir(given.path("rules.d/dir.toml")).expect("made");
    rustix::fs::mknodat(
        rustix::fs::CWD,
        given.path("rules.d/pipe.toml"),
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::from_raw_mode(0o600),
        0,
    )
    .expect("made");
    fs::write(given.path("rules.d/bytes.toml"), b"[[rule]]\n\xff\n").expect("written");
    assert_eq!(
        given.read().expect_err("refused"),
        "\
rules.d/bytes.toml:2: is not UTF-8
rules.d/dir.toml: is not a regular file
rules.d/huge.toml: is larger than 64 KiB
rules.d/pipe.toml: is not a regular file
"
    );
}

/// The file of oomtop, its place among the others, and why it is not written.
#[test]
fn oomtop_writes_a_file_of_its_own_or_the_users() {
    let rule = |name: &str| format!("[[rule]]\nname = \"{name}\"\nadj = 1\n");
    let mut given = Given::new()
        .file("rules.toml", &rule("system"))
        .file("rules.d/10-a.toml", &rule("a"))
        .file("rules.d/60-b.toml", &rule("b"))
        .file("user/rules.toml", &rule("user"));
    given.euid = 1000;
    let own = given.survey().own;
    assert_eq!(
        own.path,
        given.path("user/rules.toml").display().to_string()
    );
    assert_eq!((own.text, own.before), (Some(rule("user")), 4));
    given.euid = 0;
    let own = given.survey().own;
    let path = given.path("rules.d/50-oomtop.toml");
    assert_eq!(own.path, path.display().to_string());
    assert_eq!(own.text, None);
    let is_root = rustix::process::geteuid().is_root();
    assert_eq!(own.refused.is_none(), is_root, "{:?}", own.refused);
    if is_root {
        // Files that are named later come after it, and so does the user's.
        assert_eq!(own.before, 2);
        let given = given.file("rules.d/50-oomtop.toml", &rule("own"));
        assert_eq!(given.survey().own.before, 3);
        fs::set_permissions(given.path("rules.d"), fs::Permissions::from_mode(0o777))
            .expect("changed");
        let refused = given.survey().own.refused.expect("open");
        assert!(refused.contains("others than root"), "{refused}");
    }
    let mut broken = Given::new()
        .file("rules.toml", &rule("system"))
        .file("user/rules.toml", "[[rule]]\nnmae = 1\n");
    broken.euid = 1000;
    let found = broken.survey();
    assert_eq!(found.rules.len(), 1, "what is right is shown");
    assert_eq!(found.own.refused.as_ref(), found.faults.first());
}

#[test]
fn a_file_that_was_named_must_be_there() {
    let files = RuleFiles {
        place: Place::Named(vec!["/nonexistent/rules.toml".into()]),
        euid: 1000,
    };
    let errors = files.read().expect_err("missing");
    assert_eq!(errors, ["/nonexistent/rules.toml: there is no such file"]);
}

/// Root obeys only what root alone can write.
#[test]
fn as_root_a_file_that_others_can_write_is_refused() {
    let given = Given::new().file("rules.toml", "");
    let path = given.path("rules.toml");
    let change = |path: &Path, mode| {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("changed");
        fs::metadata(path).expect("there")
    };
    for (mode, is_open) in [(0o644, false), (0o664, true), (0o646, true), (0o600, false)] {
        let found = change(&path, mode);
        assert_eq!(
            trust::file(&found, 1000),
            Ok(()),
            "an ordinary user's own risk"
        );
        let as_root = trust::file(&found, 0);
        let owner = rustix::process::geteuid().as_raw();
        assert_eq!(as_root.is_err(), is_open || owner != 0, "{mode:o}");
        if owner == 0 && is_open {
            assert!(as_root.expect_err("open").contains("chmod go-w"));
        }
    }
    if rustix::process::geteuid().as_raw() != 0 {
        let found = change(&path, 0o600);
        let refused = trust::file(&found, 0).expect_err("not root's");
        assert!(refused.contains("belongs to uid"), "{refused}");
        let why = "SKIPPED: files of root and their directories, because this is no root";
        std::io::Write::write_fmt(&mut std::io::stderr(), format_args!("{why}\n")).ok();
        return;
    }
    change(&path, 0o644);
    assert!(given.read().is_ok());
    change(given.dir.path(), 0o777);
    let refused = given.read().expect_err("anybody can rename it");
    assert!(refused.contains("this directory"), "{refused}");
    change(given.dir.path(), 0o1777);
    let refused = given.read().expect_err("whoever made it chose it");
    assert!(refused.contains("a directory of root's own"), "{refused}");
    change(given.dir.path(), 0o700);
    std::os::unix::fs::chown(&path, Some(12345), None).expect("given away");
    let refused = given.read().expect_err("another user's");
    assert!(refused.contains("belongs to uid 12345"), "{refused}");
}

/// Whoever can write a directory on the way, or has made a link on it, chooses the file.
#[test]
fn as_root_the_whole_way_to_a_file_is_looked_at() {
    if rustix::process::geteuid().as_raw() != 0 {
        let why = "SKIPPED: ways to files of root, because this is no root";
        std::io::Write::write_fmt(&mut std::io::stderr(), format_args!("{why}\n")).ok();
        return;
    }
    let dir = tempfile::tempdir().expect("a directory");
    let (open, inner) = (dir.path().join("open"), dir.path().join("open/inner"));
    fs::create_dir_all(&inner).expect("made");
    let file = inner.join("rules.toml");
    fs::write(&file, "").expect("written");
    let mode = |path: &Path, mode| {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("changed");
    };
    mode(&inner, 0o755);
    mode(&file, 0o644);
    let link = dir.path().join("link.toml");
    std::os::unix::fs::symlink("open/inner/rules.toml", &link).expect("a link");
    let through = dir.path().join("through");
    std::os::unix::fs::symlink(&inner, &through).expect("a link");
    let ways = [file, link.clone(), through.join("../inner/rules.toml")];
    for (bits, is_right) in [(0o755, true), (0o777, false), (0o1777, true)] {
        mode(&open, bits);
        for way in &ways {
            let found = trust::directories_of(way, 0);
            assert_eq!(
                found.is_ok(),
                is_right,
                "{bits:o} {} {found:?}",
                way.display()
            );
            assert_eq!(trust::directories_of(way, 1000), Ok(()));
        }
    }
    std::os::unix::fs::lchown(&link, Some(12345), None).expect("given away");
    let refused = trust::directories_of(&link, 0).expect_err("another user's");
    assert!(
        refused.contains("this link belongs to uid 12345"),
        "{refused}"
    );
}

proptest::proptest! {
    #[test]
    fn no_text_makes_it_panic(text in "\\PC{0,60}", lines in proptest::collection::vec("(\\[\\[rule\\]\\]|(name|adj|level|children|rule|user) = (\"[*a\\[]{0,3}\"|-?[0-9]{1,5}|\\[\\]|\\{\\}))", 0..8)) {
        for text in [text, lines.join("\n")] {
            let mut errors = Vec::new();
            let rules = parse::parse(Path::new("x"), &text, &mut errors);
            proptest::prop_assert!(rules.is_empty() || rules.iter().all(|rule| !rule.conditions.is_empty()));
        }
    }
}

#[test]
fn a_group_has_a_path_and_limits_that_make_sense() {
    let rule = |keys: &str| format!("[[rule]]\nname = \"a\"\n{keys}\n");
    let right = Given::new().file(
        "rules.toml",
        &rule("move_to = \"jobs/batch\"\nmemory_max = \"2G\""),
    );
    let rules = right.read().expect("right");
    let rule_group = rules
        .iter()
        .next()
        .and_then(|(_, rule)| rule.rule_group.clone());
    let rule_group = rule_group.map(|rule_group| rule_group.to_string());
    assert_eq!(rule_group.as_deref(), Some("/jobs/batch (memory_max 2G)"));
    for (keys, why) in [
        ("memory_max = \"2G\"", "name that with move_to"),
        ("adj = 5\nmemory_max = \"2G\"", "name that with move_to"),
        ("move_to = \"/\"", "is no path of a group"),
        ("move_to = \"/a/../b\"", "is no path of a group"),
        ("move_to = 5", "takes a path"),
        ("move_to = \"/a\"\nmemory_max = 12", "give at least 4M"),
        ("move_to = \"/a\"\nmemory_max = -1", "is below 0"),
        (
            "move_to = \"/a\"\nmemory_max = \"5M\"\nmemory_high = \"6M\"",
            "never slows anything",
        ),
    ] {
        let said = Given::new()
            .file("rules.toml", &rule(keys))
            .read()
            .expect_err(keys);
        assert!(said.contains(why), "{keys}: {said}");
    }
}
