//! All of `config`, on files, variables and command lines that the tests make.

mod bind;
mod documents;
mod file;
mod layers;

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use super::layers::Configuration;
use super::{Environment, ExplainLaunch, Mode, SampleLaunch, ScreenLaunch, Stop, resolve};
use crate::app::settings::printing::{PrintForm, Printing};
use crate::linux::log::LogSource;
use crate::linux::scan::backend::BackendChoice;

/// Variables, the two files and a command line.
struct Given {
    dir: tempfile::TempDir,
    environment: Environment,
}

impl Given {
    fn new() -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let variables =
            BTreeMap::from([("XDG_CONFIG_HOME".into(), dir.path().join("user").into())]);
        let environment = Environment {
            variables,
            system_file: dir.path().join("etc.toml"),
            terminal: true,
        };
        fs::create_dir_all(dir.path().join("user/oomtop")).expect("a directory");
        Self { dir, environment }
    }

    fn etc(self, text: &str) -> Self {
        fs::write(self.path("etc.toml"), text).expect("written");
        self
    }

    fn user(self, text: &str) -> Self {
        fs::write(self.path("user/oomtop/config.toml"), text).expect("written");
        self
    }

    fn variable(mut self, name: &str, value: &str) -> Self {
        self.environment.variables.insert(name.into(), value.into());
        self
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn resolve(&self, line: &str) -> Result<Mode, Stop> {
        self.warned(line).0
    }

    /// With what it warns of.
    fn warned(&self, line: &str) -> (Result<Mode, Stop>, Vec<String>) {
        let mut warnings = Vec::new();
        let words = line.split_whitespace().map(Into::into);
        let mode = resolve(words, &self.environment, &mut warnings);
        (mode, warnings)
    }

    fn screen(&self, line: &str) -> ScreenLaunch {
        match self.resolve(line) {
            Ok(Mode::Screen(launch)) => *launch,
            other => panic!("{other:?}"),
        }
    }

    /// The configuration with the flags of `line` as the top layer.
    fn configuration(&self, line: &str) -> Configuration {
        use clap::Parser;
        let args = super::Args::try_parse_from(line.split_whitespace()).expect("valid");
        super::sources::read(args.flags, &self.environment)
            .expect("valid")
            .configuration
    }

    /// The error text of a bad configuration, with the directory cut out.
    fn wrong(&self, line: &str) -> String {
        let stop = self.resolve(line).expect_err(line);
        assert_eq!(stop.status, 2, "{line}");
        stop.text
            .replace(&format!("{}/", self.dir.path().display()), "")
    }
}

fn sample(line: &str) -> SampleLaunch {
    match Given::new().resolve(line) {
        Ok(Mode::Samples(launch)) => launch,
        other => panic!("{other:?}"),
    }
}

#[test]
fn options() {
    let launch = sample(
        "oomtop --once -d 0.5 --bands 60,80,90% --root /host --kmsg /k --sort rss --read-only --filter adj<0 --backend proc",
    );
    assert_eq!(launch.settings.delay.as_millis(), 500);
    assert_eq!(launch.settings.filter.text(), "adj<0");
    assert_eq!(launch.root.proc, PathBuf::from("/host/proc"));
    assert_eq!(launch.root.kmsg, PathBuf::from("/k"));
    assert_eq!(launch.backend, BackendChoice::Proc);
    assert!(launch.settings.read_only);
}

#[test]
fn whom_to_list_is_a_filter() {
    let filter = |line: &str| sample(line).settings.filter.text().to_owned();
    assert_eq!(filter("oomtop --once -p 1,22 -p 3"), "pid:1,22,3");
    assert_eq!(
        filter("oomtop --once -F adj<0 -u root -p 7"),
        "adj<0 pid:7 user:root"
    );
    let launch = sample("oomtop -n 1 -s cpu --columns pid,rss:9");
    assert_eq!(launch.settings.sort, Some("cpu"));
    assert_eq!(launch.settings.columns.to_string(), "pid,rss:9");
    let said = Given::new().wrong("oomtop --once --columns pid,usr");
    assert!(
        said.contains("there is no column 'usr'; did you mean 'user'?"),
        "{said}"
    );
}

#[test]
fn a_user_that_there_is_not_is_an_error_and_not_an_empty_table() {
    let given = Given::new();
    fs::create_dir(given.path("etc")).expect("made");
    let users = "root:x:0:0::/:/bin/sh\nmysql:x:113:1::/:/bin/false\n";
    fs::write(given.path("etc/passwd"), users).expect("written");
    let line = |user: &str| {
        let root = given.dir.path().display();
        format!("oomtop --once --root {root} -u {user}")
    };
    for user in ["mysql", "MySQL", "113", "4000000000"] {
        assert!(given.resolve(&line(user)).is_ok(), "{user}");
    }
    assert_eq!(
        given.wrong(&line("mysq")),
        "oomtop: there is no user 'mysq'; did you mean 'mysql'?\n"
    );
    assert_eq!(
        given.wrong(&line("nosuchuser")),
        "oomtop: there is no user 'nosuchuser'; one of a directory service goes by number: id -u nosuchuser\n"
    );
}

#[test]
fn modes() {
    let mode = |line| Given::new().resolve(line).expect(line);
    assert!(matches!(mode("oomtop"), Mode::Screen(_)));
    for (line, form, count) in [
        ("oomtop --once", PrintForm::Table, Some(1)),
        ("oomtop --once --json", PrintForm::Json, Some(1)),
        ("oomtop --json -n 3", PrintForm::Json, Some(3)),
        ("oomtop -b", PrintForm::Table, None),
        ("oomtop -b -n 2", PrintForm::Table, Some(2)),
        ("oomtop -n 2", PrintForm::Table, Some(2)),
        ("oomtop --csv", PrintForm::Csv, Some(1)),
        ("oomtop --csv -b", PrintForm::Csv, None),
        ("oomtop --plain", PrintForm::Sentences, Some(1)),
    ] {
        let launch = sample(line);
        assert_eq!(launch.printing, Printing { form, count }, "{line}");
    }
    assert!(matches!(mode("oomtop --version --verbose"), Mode::Facts(_)));
    assert!(matches!(mode("oomtop --print config"), Mode::Print(_)));
    let mut piped = Given::new();
    piped.environment.terminal = false;
    assert!(piped.wrong("oomtop").contains("needs a terminal"));
}

#[test]
fn what_makes_no_sense_together_is_one_sentence() {
    for (line, says) in [
        ("oomtop -n 0", "takes a whole number from 1 on"),
        ("oomtop -n x", "takes a whole number from 1 on"),
        (
            "oomtop --csv --json",
            "'--csv' cannot be used with '--json'",
        ),
        ("oomtop --theme nope", "there is no theme 'nope'"),
    ] {
        let said = Given::new().wrong(line);
        assert!(said.contains(says), "{line}: {said}");
    }
}

/// What hands that know htop(1) type.
#[test]
fn the_short_options_of_htop() {
    let launch = Given::new().screen("oomtop -C -M -t -d 2 -s rss -F java");
    assert!(!launch.settings.mouse && launch.settings.tree);
    let configuration = Given::new().configuration("oomtop -C");
    assert!(!configuration.values.color);
}

#[test]
fn the_manual_speaks_of_every_subcommand() {
    use clap::CommandFactory as _;
    let manual = include_str!("../../../assets/manual.md");
    for command in super::Args::command().get_subcommands() {
        let call = format!("`oomtop {}", command.get_name());
        let is_there = [" ", "`"]
            .iter()
            .any(|end| manual.contains(&(call.clone() + end)));
        assert!(
            is_there,
            "assets/manual.md needs a sentence that begins with {call}`"
        );
    }
}

#[test]
fn explain_takes_files_or_a_boot() {
    let launch = |line| match Given::new().resolve(line) {
        Ok(Mode::Explain(ExplainLaunch { source, json, .. })) => (source, json),
        other => panic!("{other:?}"),
    };
    assert_eq!(launch("oomtop explain"), (LogSource::Running, false));
    assert_eq!(
        launch("oomtop explain --json - a.log"),
        (LogSource::Files(vec!["-".into(), "a.log".into()]), true)
    );
    assert_eq!(
        launch("oomtop explain --boot -1"),
        (LogSource::Boot("-1".to_owned()), false)
    );
}

#[test]
fn nonsense_is_refused_with_a_sentence() {
    for line in [
        "oomtop --once -d 0",
        "oomtop --once -d nan",
        "oomtop --once --bands 1,2",
        "oomtop --once --bands 90,80,70",
        "oomtop --once --sort size",
        "oomtop --once --filter rss>x",
        "oomtop --backend magic",
        "oomtop --frobnicate",
        "oomtop extra",
        "oomtop --delay 2 explain",
    ] {
        let text = Given::new().wrong(line);
        assert!(text.len() > 20, "{line}: {text}");
    }
}

#[test]
fn why_is_not_asked_about_nobody() {
    let given = Given::new();
    for name in ["", "  ", "0"] {
        let line = ["oomtop", "why", name].map(Into::into);
        let refused = resolve(line, &given.environment, &mut Vec::new());
        let Err(stop) = refused else {
            panic!("{name:?}: {refused:?}")
        };
        assert_eq!(stop.status, 2, "{name:?}: {}", stop.text);
    }
    assert!(matches!(given.resolve("oomtop why 1"), Ok(Mode::Why(_))));
}

#[test]
fn protect_obeys_the_settings_that_are_about_writes() {
    use super::{ProtectLaunch, ProtectTask};
    let protect = |given: &Given, line: &str| -> ProtectLaunch {
        match given.resolve(line) {
            Ok(Mode::Protect(launch)) => launch,
            other => panic!("{other:?}"),
        }
    };
    let given = Given::new().etc("audit = \"/var/log/a\"");
    let launch = protect(&given, "oomtop protect --once");
    assert_eq!(launch.task, ProtectTask::Once);
    assert_eq!(launch.audit, Some(PathBuf::from("/var/log/a")));
    let places = launch.rules.places().join(" ");
    assert!(places.ends_with("user/oomtop/rules.toml"), "{places}");
    let launch = protect(&given, "oomtop protect --rules x.toml --audit b");
    assert!(matches!(launch.task, ProtectTask::Stay { .. }));
    assert_eq!(launch.rules.places(), ["x.toml"]);
    assert_eq!(launch.audit, Some(PathBuf::from("b")));
    let forbidden = Given::new().user("read_only = true");
    for line in ["oomtop protect", "oomtop protect --once"] {
        assert!(forbidden.wrong(line).contains("read_only forbids"));
    }
    for line in ["oomtop protect --check", "oomtop protect --why 7"] {
        protect(&forbidden, line);
    }
    for line in [
        "oomtop protect --check --once",
        "oomtop protect --why 0",
        "oomtop protect --every 0",
        "oomtop protect --check --every 3",
        "oomtop protect --starts magic",
    ] {
        assert_eq!(given.resolve(line).expect_err(line).status, 2);
    }
}
