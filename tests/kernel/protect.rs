//! `oomtop protect` on real processes: what would change, one write, and a storm of children under each way to notice
//! starts. All values are above 0: that needs no privilege.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Output, Stdio};
use std::sync::{Arc, Mutex, PoisonError};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};

use crate::common::hog::adj_of;
use crate::common::patience::{beside, until};

/// A file of rules that root may trust.
struct RuleFile {
    _dir: tempfile::TempDir,
    path: PathBuf,
}

impl RuleFile {
    fn new(text: &str) -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let file = Self {
            path: dir.path().join("rules.toml"),
            _dir: dir,
        };
        file.write(text);
        file
    }

    fn write(&self, text: &str) {
        std::fs::write(&self.path, text).expect("written");
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o600);
        std::fs::set_permissions(&self.path, mode).expect("changed");
    }
}

fn protect(rules: &RuleFile, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_oomtop"));
    command
        .arg("protect")
        .arg("--rules")
        .arg(&rules.path)
        .args(args)
        .env_remove("JOURNAL_STREAM")
        .stdin(Stdio::null());
    command
}

fn run(rules: &RuleFile, args: &[&str]) -> (Option<i32>, String, String) {
    let Output {
        status,
        stdout,
        stderr,
    } = protect(rules, args).output().expect("it runs");
    let text = |bytes| String::from_utf8(bytes).expect("text");
    (status.code(), text(stdout), text(stderr))
}

/// A shell that runs a script, in a process group of its own that ends with this value.
struct Script {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Script {
    /// `name` is in the command line of the shell, not in those of its children.
    fn start(name: &str, script: &str) -> Self {
        beside();
        let mut child = Command::new("sh")
            .args(["-c", script, name])
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("sh");
        Self {
            input: child.stdin.take().expect("piped"),
            output: BufReader::new(child.stdout.take().expect("piped")),
            child,
        }
    }

    fn pid(&self) -> u32 {
        self.child.id()
    }

    fn order(&mut self, line: &str) {
        writeln!(self.input, "{line}").expect("it reads");
    }

    fn answer(&mut self) -> String {
        let mut line = String::new();
        self.output.read_line(&mut line).expect("a line");
        line.trim().to_owned()
    }
}

impl Drop for Script {
    fn drop(&mut self) {
        let group = Pid::from_child(&self.child);
        kill_process_group(group, Signal::KILL).ok();
        self.child.wait().ok();
    }
}

/// A waiting shell.
fn waiting(name: &str) -> Script {
    Script::start(name, "read line; :")
}

/// A supervisor that makes so many children that wait, at each order, and says so.
fn supervisor(name: &str) -> Script {
    let script = "while read count; do i=0; \
        while [ $i -lt $count ]; do sleep 1000 & i=$((i+1)); done; echo made; done";
    Script::start(name, script)
}

/// The living descendants of a process, by the process table.
fn descendants(top: u32) -> Vec<u32> {
    let mut parents = Vec::new();
    for entry in std::fs::read_dir("/proc").expect("listed").flatten() {
        let name = entry.file_name();
        let Some(pid) = name.to_str().and_then(|name| name.parse::<u32>().ok()) else {
            continue;
        };
        let stat = std::fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
        let fields = stat.rsplit_once(") ").map(|(_, fields)| fields.to_owned());
        let parent = fields.and_then(|fields| fields.split(' ').nth(1)?.parse::<u32>().ok());
        parents.extend(parent.map(|parent| (pid, parent)));
    }
    let (mut found, mut open) = (Vec::new(), vec![top]);
    while let Some(parent) = open.pop() {
        let children = parents.iter().filter(|(_, of)| *of == parent);
        for (child, _) in children {
            found.push(*child);
            open.push(*child);
        }
    }
    found
}

/// A running `oomtop protect`.
struct Resident {
    child: Child,
    said: Arc<Mutex<String>>,
}

impl Resident {
    fn start(rules: &RuleFile, args: &[&str]) -> Self {
        let mut child = protect(rules, args)
            .stderr(Stdio::piped())
            .spawn()
            .expect("it starts");
        let said = Arc::new(Mutex::new(String::new()));
        let (mut errors, into) = (child.stderr.take().expect("piped"), Arc::clone(&said));
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(count) = errors.read(&mut bytes) {
                if count == 0 {
                    return;
                }
                let text = String::from_utf8_lossy(&bytes[..count]);
                into.lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .push_str(&text);
            }
        });
        let resident = Self { child, said };
        resident.says("in force");
        resident
    }

    fn said(&self) -> String {
        self.said
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Waits until it has said this.
    fn says(&self, what: &str) {
        assert!(
            until(|| self.said().contains(what)),
            "{what}\n{}",
            self.said()
        );
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).expect("sent");
    }

    /// SIGTERM ends it cleanly.
    fn ends(mut self) {
        self.signal(Signal::TERM);
        let status = self.child.wait().expect("waited for");
        assert_eq!(status.code(), Some(0), "{}", self.said());
    }
}

impl Drop for Resident {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

fn every(pids: &[u32], adj: i32) -> bool {
    until(|| pids.iter().all(|pid| adj_of(*pid) == Some(adj)))
}

#[test]
fn what_would_change_is_shown_then_written_once_and_logged() {
    let supervised = "oomtop-rules-once";
    let rules = RuleFile::new(&format!(
        "[[rule]]\ntitle = \"loses\"\ncommand = \"*{supervised}*\"\nadj = 11\n\
         [[rule]]\ntitle = \"the supervisor\"\ncommand = \"*{supervised}*\"\nadj = 110\nchildren = 710\n"
    ));
    let mut top = supervisor(supervised);
    top.order("3");
    assert_eq!(top.answer(), "made");
    let children = descendants(top.pid());
    assert_eq!(children.len(), 3, "{children:?}");
    let before = adj_of(top.pid());

    let (status, table, errors) = run(&rules, &["--check"]);
    assert_eq!((status, errors.as_str()), (Some(1), ""), "{table}");
    let rows = table.lines().filter(|line| line.contains("the supervisor"));
    assert_eq!(rows.count(), 4, "{table}");
    assert!(table.contains("4 processes would change"), "{table}");
    assert_eq!(adj_of(top.pid()), before, "nothing is written");

    let (status, why, _) = run(&rules, &["--why", &children[0].to_string()]);
    assert_eq!(status, Some(0), "{why}");
    let through = format!("as a descendant of {} sh", top.pid());
    assert!(why.contains(&through), "{why}");
    let (_, why, _) = run(&rules, &["--why", &top.pid().to_string()]);
    assert!(why.contains("loses           loses ("), "{why}");
    let own = std::process::id().to_string();
    assert_eq!(run(&rules, &["--why", &own]).0, Some(1), "no rule");
    assert_eq!(run(&rules, &["--why", "4194305"]).0, Some(2), "no process");

    let log = rules.path.with_file_name("audit");
    let log = log.to_str().expect("text");
    let (status, done, errors) = run(&rules, &["--once", "--audit", log]);
    assert_eq!(status, Some(0), "{done}{errors}");
    assert!(
        done.contains("4 values written; rules hold 4 processes."),
        "{done}"
    );
    assert_eq!(adj_of(top.pid()), Some(110));
    assert!(children.iter().all(|pid| adj_of(*pid) == Some(710)));
    let logged = std::fs::read_to_string(log).expect("the log");
    let events: Vec<serde_json::Value> = logged
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    let steps = events.iter().filter(|line| line["event"] == "step");
    assert_eq!(steps.filter(|step| step["failure"].is_null()).count(), 4);
    assert_eq!(events[0]["steps"].as_array().map(Vec::len), Some(4));
    let (status, table, _) = run(&rules, &["--check"]);
    assert_eq!(status, Some(0), "{table}");
    let (_, done, _) = run(&rules, &["--once"]);
    assert!(done.contains("0 values written"), "{done}");
}

#[test]
fn wrong_rules_write_nothing() {
    let rules = RuleFile::new("[[rule]]\nnmae = \"x\"\n[[rule]]\nadj = 3\n");
    for args in [&["--check"][..], &["--once"], &["--why", "1"], &[]] {
        let (status, out, errors) = run(&rules, args);
        assert_eq!((status, out.as_str()), (Some(2), ""), "{args:?} {errors}");
        assert!(errors.contains("rules.toml:2: nmae: there is no such key; did you mean name?"));
        assert!(errors.contains("rules.toml:3: rule: it would match every process"));
    }
}

/// Whether this way to notice starts can be used here.
fn works(way: &str, rules: &RuleFile) -> bool {
    let resident = Resident::start(rules, &["--starts", way]);
    let said = resident.said();
    let works = way == "scan" || !said.contains("are not used") && !said.contains("is not used");
    if !works {
        println!("SKIPPED: starts by {way}: {said}");
    }
    works
}

/// Two storms: the first before the rules apply, the second after.
fn storm(way: &str) {
    let name = format!("oomtop-storm-{way}");
    let rules = RuleFile::new(&format!(
        "[[rule]]\ntitle = \"storm\"\ncommand = \"*{name}*\"\nadj = 120\nchildren = 720\n"
    ));
    if !works(way, &rules) {
        return;
    }
    let mut top = supervisor(&name);
    top.order("40");
    assert_eq!(top.answer(), "made");
    let resident = Resident::start(&rules, &["--starts", way, "--every", "3600"]);
    assert!(every(&descendants(top.pid()), 720), "from before");
    assert_eq!(adj_of(top.pid()), Some(120));
    top.order("300");
    assert_eq!(top.answer(), "made");
    let children = descendants(top.pid());
    assert_eq!(children.len(), 340);
    assert!(every(&children, 720), "{}", resident.said());
    assert_eq!(adj_of(top.pid()), Some(120));
    if way == "scan" {
        // Whose child an orphan was, is not in the process table.
        return resident.ends();
    }
    // A grandchild whose parent ends at once.
    let mut orphans = Script::start(
        &name,
        "read go; (sh -c 'sleep 1000 & echo $!'); read line; :",
    );
    assert!(every(&[orphans.pid()], 120), "{}", resident.said());
    orphans.order("go");
    let orphan: u32 = orphans.answer().parse().expect("a pid");
    assert!(every(&[orphan], 720), "{}", resident.said());
    // All processes are looked at again: it stays in the family.
    resident.signal(Signal::HUP);
    resident.says("read again");
    assert!(every(&[orphan], 720));
    resident.ends();
}

#[test]
fn tracepoints_give_every_child_of_a_storm_its_value() {
    storm("tracepoints");
}

#[test]
fn the_connector_gives_every_child_of_a_storm_its_value() {
    storm("connector");
}

#[test]
fn a_look_each_second_gives_every_child_of_a_storm_its_value() {
    storm("scan");
}

/// More starts than the kernel has room for while oomtop does not read.
fn overflow(way: &str) {
    let name = format!("oomtop-overflow-{way}");
    let rules = RuleFile::new(&format!(
        "[[rule]]\ncommand = \"*{name}*\"\nchildren = 730\n"
    ));
    if !works(way, &rules) {
        return;
    }
    let mut top = supervisor(&name);
    let mut noise = Script::start(
        "oomtop-noise",
        "read go; i=0; while [ $i -lt 16000 ]; do ( : ); i=$((i+1)); done; echo made; read line",
    );
    let resident = Resident::start(&rules, &["--starts", way, "--every", "3600"]);
    resident.signal(Signal::STOP);
    top.order("20");
    assert_eq!(top.answer(), "made");
    noise.order("go");
    assert_eq!(noise.answer(), "made");
    top.order("20");
    assert_eq!(top.answer(), "made");
    resident.signal(Signal::CONT);
    resident.says("no room for all starts");
    let children = descendants(top.pid());
    assert_eq!(children.len(), 40);
    assert!(every(&children, 730), "{}", resident.said());
    resident.ends();
}

#[test]
fn what_the_tracepoints_lose_is_found_again() {
    overflow("tracepoints");
}

#[test]
fn what_the_connector_loses_is_found_again() {
    overflow("connector");
}

#[test]
fn a_process_that_sets_its_own_value_again_and_again_is_left_alone() {
    let rules =
        RuleFile::new("[[rule]]\ntitle = \"fought\"\ncommand = \"*oomtop-fighter*\"\nadj = 140\n");
    // Higher: it may always do that.
    let fighter = Script::start(
        "oomtop-fighter",
        "while :; do read now < /proc/$$/oom_score_adj; \
         [ $now = 740 ] || echo 740 > /proc/$$/oom_score_adj; sleep 0.02; done",
    );
    let resident = Resident::start(&rules, &["--every", "0.1"]);
    resident.says("left alone from here on");
    let writes = resident.said().matches("oom_score_adj 140").count();
    assert!((1..=3).contains(&writes), "{}", resident.said());
    // Others are not: two of them, one after the other, so that it has looked again.
    for _ in 0..2 {
        let other = waiting("oomtop-fighter");
        assert!(every(&[other.pid()], 140));
    }
    assert!(every(&[fighter.pid()], 740));
    assert_eq!(resident.said().matches("left alone").count(), 1);
    resident.ends();
}

#[test]
fn rules_are_read_again_at_sighup_and_bad_ones_are_not_taken() {
    let rule = |adj: i32| format!("[[rule]]\ncommand = \"*oomtop-reloaded*\"\nadj = {adj}\n");
    let rules = RuleFile::new(&rule(150));
    let first = waiting("oomtop-reloaded");
    let resident = Resident::start(&rules, &[]);
    assert!(every(&[first.pid()], 150));
    rules.write("[[rule]]\ncommand = \"*oomtop-reloaded*\"\nadj = 15O\n");
    resident.signal(Signal::HUP);
    resident.says("the rules from before stay in force");
    assert!(
        resident.said().contains("rules.toml:3"),
        "{}",
        resident.said()
    );
    let second = waiting("oomtop-reloaded");
    assert!(every(&[first.pid(), second.pid()], 150));
    rules.write(&rule(160));
    resident.signal(Signal::HUP);
    resident.says("read again: 1 rule in force");
    assert!(every(&[first.pid(), second.pid()], 160));
    resident.ends();
}
