//! Settings as a command line program sees them: variables, the user's file, flags, what is refused.

use std::fs;
use std::process::{Command, Output, Stdio};

use crate::common::fake_root::FakeRoot;

/// The binary with a configuration file of its own.
struct User {
    home: tempfile::TempDir,
}

impl User {
    fn new(config: &str) -> Self {
        let home = tempfile::tempdir().expect("a directory");
        let dir = home.path().join(".config/oomtop");
        fs::create_dir_all(&dir).expect("a directory");
        fs::write(dir.join("config.toml"), config).expect("written");
        Self { home }
    }

    fn file(&self) -> String {
        let path = self.home.path().join(".config/oomtop/config.toml");
        path.display().to_string()
    }

    fn run(&self, args: &[&str], variables: &[(&str, &str)]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_oomtop"));
        command
            .env_remove("NO_COLOR")
            .env_remove("XDG_CONFIG_HOME")
            .env("HOME", self.home.path())
            .envs(variables.iter().copied())
            .args(args)
            .stdin(Stdio::null());
        command.output().expect("started")
    }

    /// The row of a setting: its value and where it came from.
    fn printed(&self, key: &str, args: &[&str], variables: &[(&str, &str)]) -> String {
        let args: Vec<_> = ["--print", "config"].iter().chain(args).copied().collect();
        let output = self.run(&args, variables);
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        let text = String::from_utf8(output.stdout).expect("UTF-8");
        let row = text.lines().find(|line| line.starts_with(key)).expect(key);
        let words: Vec<_> = row.split_whitespace().skip(1).collect();
        words.join(" ")
    }
}

#[test]
fn a_flag_overrides_a_variable_and_that_the_file() {
    let user = User::new("# mine\ndelay = 2\n");
    let in_file = format!("2 {}:2", user.file());
    assert_eq!(user.printed("delay", &[], &[]), in_file);
    let variable = [("OOMTOP_DELAY", "3")];
    assert_eq!(user.printed("delay", &[], &variable), "3 OOMTOP_DELAY");
    assert_eq!(user.printed("delay", &["-d", "4"], &variable), "4 --delay");
    assert_eq!(user.printed("mouse", &[], &variable), "true built-in");
}

#[test]
fn what_is_wrong_is_told_on_standard_error_with_status_2() {
    let user = User::new("\nsort = \"size\"\n");
    let output = user.run(&["--once"], &[("OOMTOP_MOUSE", "maybe")]);
    assert_eq!(output.status.code(), Some(2));
    assert!(output.stdout.is_empty());
    let text = String::from_utf8(output.stderr).expect("UTF-8");
    let lines: Vec<_> = text.lines().collect();
    let [file, variable] = lines.as_slice() else {
        panic!("{text}");
    };
    let begin = format!("oomtop: {}:2: sort: there is no column 'size'", user.file());
    assert!(file.starts_with(&begin), "{file}");
    assert_eq!(
        *variable,
        "oomtop: OOMTOP_MOUSE: takes true or false, not 'maybe'"
    );
}

/// The file reaches the output, not only the table of settings.
#[test]
fn the_plain_table_obeys_the_file() {
    let fake = FakeRoot::new()
        .process(10, |p| p.rss_mib(8))
        .process(11, |p| p.rss_mib(9));
    let root = fake.sys_root();
    let paths = [
        ("--proc", &root.proc),
        ("--cgroup", &root.cgroup),
        ("--kmsg", &root.kmsg),
    ];
    let mut args = vec!["--once"];
    for (flag, path) in &paths {
        args.extend([flag, path.to_str().expect("UTF-8")]);
    }
    let pids = |config: &str, more: &[&str]| {
        let args: Vec<_> = args.iter().chain(more).copied().collect();
        let output = User::new(config).run(&args, &[]);
        let text = String::from_utf8(output.stdout).expect("UTF-8");
        let pid = |line: &str| line.split_whitespace().find_map(|w| w.parse::<u32>().ok());
        text.lines()
            .skip(2)
            .filter_map(pid)
            .filter(|pid| [10, 11].contains(pid))
            .collect::<Vec<_>>()
    };
    assert_eq!(pids("", &[]), [11, 10], "by badness");
    assert_eq!(pids("sort = \"pid\"", &[]), [10, 11]);
    assert_eq!(pids("sort = \"pid\"\nfilter = \"pid:10\"", &[]), [10]);
    assert_eq!(pids("filter = \"pid:10\"", &["-F", "pid:11"]), [11]);
}

/// After `sudo -u` HOME is still another user's: a closed directory there must not stop oomtop.
#[test]
fn a_home_that_cannot_be_entered_has_no_settings() {
    use std::os::unix::fs::PermissionsExt;
    if rustix::process::geteuid().is_root() {
        println!("SKIPPED: a_home_that_cannot_be_entered because root enters every directory");
        return;
    }
    let user = User::new("delay = 2");
    let config = user.home.path().join(".config");
    let mode = |mode| fs::set_permissions(&config, fs::Permissions::from_mode(mode));
    mode(0o000).expect("changed");
    let printed = user.printed("delay", &[], &[]);
    mode(0o700).expect("changed back");
    assert_eq!(printed, "1 built-in");
    // The file exists but is unreadable: that is an error.
    fs::set_permissions(user.file(), fs::Permissions::from_mode(0o000)).expect("changed");
    let output = user.run(&["--print", "config"], &[]);
    assert_eq!(output.status.code(), Some(2));
    let text = String::from_utf8(output.stderr).expect("UTF-8");
    assert!(text.contains("config.toml: cannot be read: "), "{text}");
}
