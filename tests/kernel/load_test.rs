//! `oomtop run` on the real kernel: the group, its numbers, its end.

use std::ffi::OsStr;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;

use crate::common::memcg::{self, Version};
use crate::common::patience::{beside, until};
use crate::common::{hog, is_root, measured, skipped};

/// The status that tells of an OOM.
const HIT: i32 = 86;

/// A place for the notes and reports of one test.
pub(super) struct Place(pub(super) tempfile::TempDir);

impl Place {
    /// `None`, loudly, where no group can be made.
    pub(super) fn new(test: &str) -> Option<Self> {
        beside();
        if !is_root() {
            skipped(test, "only root may make a memory cgroup");
            return None;
        }
        let Some(mount) = memcg::mount() else {
            skipped(test, "no cgroup hierarchy has the memory controller");
            return None;
        };
        let place = Self(tempfile::tempdir().expect("a directory"));
        let tried = place.run(&[], &["true"]).output().expect("oomtop starts");
        if mount.1 == Version::V2 && tried.status.code() == Some(125) {
            let why = String::from_utf8_lossy(&tried.stderr).into_owned();
            skipped(test, &format!("no group can be made here: {why}"));
            return None;
        }
        Some(place)
    }

    pub(super) fn run<S: AsRef<OsStr>>(&self, options: &[&str], command: &[S]) -> Command {
        let mut run = Command::new(env!("CARGO_BIN_EXE_oomtop"));
        run.args(["run", "--no-tui"])
            .args(options)
            .arg("--")
            .args(command);
        run.env("XDG_RUNTIME_DIR", self.0.path());
        run.env("XDG_CONFIG_HOME", "/nonexistent");
        run.stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        run
    }

    /// Runs a hog that takes so much and ends.
    fn hog(&self, options: &[&str], orders: &str) -> Output {
        let (words, (switch, name)) = hog::command("load-hog");
        let child = self.run(options, &words).env(switch, name).spawn();
        told(child.expect("oomtop starts"), orders)
    }

    pub(super) fn notes(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.0.path().join("oomtop"));
        let entries = entries.into_iter().flatten().flatten();
        entries.map(|entry| entry.path()).collect()
    }
}

/// A test that fails leaves no group behind.
impl Drop for Place {
    fn drop(&mut self) {
        for note in self.notes() {
            let group = fs::read_link(note).unwrap_or_default();
            let dir = dir(&group.to_string_lossy());
            end(&dir);
            until(|| !dir.exists() || fs::remove_dir(&dir).is_ok());
        }
    }
}

fn told(mut child: Child, orders: &str) -> Output {
    let mut input = child.stdin.take().expect("piped");
    // A hog that was killed reads nothing.
    input.write_all(orders.as_bytes()).ok();
    drop(input);
    child.wait_with_output().expect("it ends")
}

/// The JSON report on standard error.
fn report(output: &Output) -> Value {
    let text = String::from_utf8_lossy(&output.stderr);
    // A shell says of its own who was killed.
    let begin = text.find('{').unwrap_or(0);
    serde_json::from_str(&text[begin..]).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// The directory of a group.
pub(super) fn dir(group: &str) -> PathBuf {
    let (mount, _) = memcg::mount().expect("it was there");
    mount.join(group.trim_start_matches('/'))
}

fn number(dir: &Path, v1: &str, v2: &str) -> Option<u64> {
    let file = match memcg::mount()?.1 {
        Version::V1 => v1,
        Version::V2 => v2,
    };
    fs::read_to_string(dir.join(file)).ok()?.trim().parse().ok()
}

fn peak(dir: &Path) -> Option<u64> {
    number(dir, "memory.max_usage_in_bytes", "memory.peak")
}

fn counted(dir: &Path) -> Option<u64> {
    let file = match memcg::mount()?.1 {
        Version::V1 => "memory.oom_control",
        Version::V2 => "memory.events",
    };
    let text = fs::read_to_string(dir.join(file)).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("oom_kill "));
    line?.parse().ok()
}

/// Ends what is in a group.
pub(super) fn end(dir: &Path) {
    let gone = until(|| {
        let text = fs::read_to_string(dir.join("cgroup.procs")).unwrap_or_default();
        for pid in text.lines().filter_map(|line| line.parse().ok()) {
            if let Some(pid) = rustix::process::Pid::from_raw(pid) {
                rustix::process::kill_process(pid, rustix::process::Signal::KILL).ok();
            }
        }
        text.is_empty()
    });
    assert!(gone, "{} does not get empty", dir.display());
}

#[test]
fn exit_statuses_are_those_of_the_command_or_of_a_shell() {
    let Some(place) = Place::new("exit_statuses_are_those_of_the_command_or_of_a_shell") else {
        return;
    };
    let status = |options: &[&str], command: &[&str]| {
        let output = place.run(options, command).output().expect("it ends");
        output.status.code()
    };
    assert_eq!(status(&[], &["true"]), Some(0));
    assert_eq!(status(&[], &["sh", "-c", "exit 7"]), Some(7));
    assert_eq!(status(&["--fail-on-oom"], &["sh", "-c", "exit 7"]), Some(7));
    assert_eq!(status(&[], &["sh", "-c", "kill -TERM $$"]), Some(128 + 15));
    assert_eq!(status(&[], &["oomtop-has-no-such-program"]), Some(127));
    assert_eq!(status(&[], &["/etc/passwd"]), Some(126));
    assert_eq!(status(&["--limit", "12"], &["true"]), Some(125));
    assert_eq!(status(&["-o", "/nonexistent/x"], &["true"]), Some(125));
    assert_eq!(place.notes(), Vec::<PathBuf>::new());
}

#[test]
fn the_command_has_its_group_limit_and_adj_before_it_begins() {
    let Some(place) = Place::new("the_command_has_its_group_limit_and_adj_before_it_begins") else {
        return;
    };
    let script = "cat /proc/self/cgroup /proc/self/oom_score_adj";
    let options = ["--limit", "64M", "--adj", "+300", "--json"];
    let output = place
        .run(&options, &["sh", "-c", script])
        .output()
        .expect("it ends");
    let said = String::from_utf8_lossy(&output.stdout);
    let report = report(&output);
    let group = report["group"].as_str().expect("its path");
    let name = group.rsplit('/').next().expect("its name");
    assert!(said.contains(name), "{said}");
    assert_eq!(said.lines().last(), Some("300"));
    assert_eq!(report["limit"], 64 << 20);
    assert!(!dir(group).exists(), "{group} is still there");
}

#[test]
fn the_numbers_are_those_of_the_files_of_the_group() {
    let Some(place) = Place::new("the_numbers_are_those_of_the_files_of_the_group") else {
        return;
    };
    let (words, (switch, name)) = hog::command("load-hog");
    for (limit, order, kills) in [
        ("256M", "grow 60\nleak 3 700\n", false),
        ("48M", "grow 80\n", true),
    ] {
        // The hog stays for a while, so that it is seen at its full size; the sleeper keeps the group, so that its files can be read after the report.
        let script = "sleep 1000 </dev/null >/dev/null 2>&1 & \"$@\" >/dev/null; echo $?";
        let mut command = vec![
            "sh".to_owned(),
            "-c".to_owned(),
            script.to_owned(),
            "sh".to_owned(),
        ];
        command.extend(words.clone());
        let options = ["--limit", limit, "--fail-on-oom", "--json"];
        let child = place.run(&options, &command).env(switch, &name).spawn();
        let output = told(child.expect("oomtop starts"), order);
        let report = report(&output);
        let dir = dir(report["group"].as_str().expect("its path"));
        let counters = &report["counters"];
        assert_eq!(counters["peak"].as_u64(), peak(&dir), "{report:#}");
        assert_eq!(counters["kills"].as_u64(), counted(&dir), "{report:#}");
        assert_eq!(report["left"][0]["name"], "sleep", "{report:#}");
        assert_eq!(report["hit"], kills);
        assert_eq!(output.status.code(), Some(if kills { HIT } else { 0 }));
        let held = report["peak"]["unreclaimable"].as_u64().expect("a number");
        if kills {
            assert_eq!(counters["kills"], 1, "{report:#}");
            if report["log_missing"] == "" {
                assert_eq!(report["victims"][0]["name"], "load-hog", "{report:#}");
                assert_eq!(report["unnamed_kills"], 0);
            }
            assert_eq!(report["advice"]["kind"], "more");
        } else {
            assert!((60 << 20..80 << 20).contains(&held), "{report:#}");
            let grown = report["growth"].as_array().expect("processes");
            let hog = grown.iter().find(|grown| grown["name"] == "load-hog");
            assert!(
                hog.is_some_and(|hog| hog["most"].as_u64() > Some(60 << 20)),
                "{report:#}"
            );
        }
        assert!(
            dir.exists() && place.notes().len() == 1,
            "the group has its note"
        );
        end(&dir);
        // The next run tidies up.
        let next = place.run(&[], &["true"]).output().expect("it ends");
        let said = String::from_utf8_lossy(&next.stderr);
        assert!(said.contains("removed the empty cgroup"), "{said}");
        assert!(!dir.exists() && place.notes().is_empty());
    }
}

#[test]
fn it_runs_at_the_advised_limit_and_dies_at_nine_tenths_of_it() {
    const ROUNDS: usize = 4;
    let test = "it_runs_at_the_advised_limit_and_dies_at_nine_tenths_of_it";
    let Some(place) = Place::new(test) else {
        return;
    };
    let order = "grow 40\ngrow 40\n";
    for round in 0..ROUNDS {
        let report = report(&place.hog(&["--json"], order));
        let advised = report["advice"]["bytes"].as_u64().expect("a limit");
        let at = |bytes: u64| {
            let limit = bytes.to_string();
            let output = place.hog(&["--limit", &limit, "--fail-on-oom"], order);
            (
                output.status.code(),
                String::from_utf8_lossy(&output.stderr).into_owned(),
            )
        };
        let (status, said) = at(advised);
        assert_eq!(status, Some(0), "round {round}, {advised} bytes: {said}");
        let (status, said) = at(advised * 9 / 10);
        assert_eq!(status, Some(HIT), "round {round}, {advised} bytes: {said}");
    }
    measured(&format!(
        "the advised limit does and nine tenths of it do not, {ROUNDS} of {ROUNDS}"
    ));
}

#[test]
fn what_is_left_is_killed_where_that_was_asked() {
    let Some(place) = Place::new("what_is_left_is_killed_where_that_was_asked") else {
        return;
    };
    let script = "sleep 1000 </dev/null >/dev/null 2>&1 &";
    let output = place
        .run(&["--kill-left", "--json"], &["sh", "-c", script])
        .output();
    let report = report(&output.expect("it ends"));
    assert_eq!(report["left_killed"], true, "{report:#}");
    assert!(!dir(report["group"].as_str().expect("its path")).exists());
    assert!(place.notes().is_empty());
}

/// A process that somebody moves into the group is in the group's numbers, and is not of the command.
#[test]
fn who_was_moved_into_the_group_is_not_of_the_command() {
    let Some(place) = Place::new("who_was_moved_into_the_group_is_not_of_the_command") else {
        return;
    };
    let (mount, _) = memcg::mount().expect("it was there");
    let mut older = Command::new("sleep").arg("1000").spawn().expect("sleep");
    let script = "group=$0$(sed -n 's/^[0-9]*:[^:]*memory[^:]*://p; s/^0:://p' /proc/self/cgroup | head -1); \
                  echo $1 >$group/cgroup.procs; sleep 0.6";
    let pid = older.id();
    let words = [
        "sh",
        "-c",
        script,
        &mount.display().to_string(),
        &pid.to_string(),
    ];
    let output = place.run(&["--json"], &words).output().expect("it ends");
    older.kill().expect("it lives");
    older.wait().expect("it ends");
    let report = report(&output);
    let pids = |list: &Value| -> Vec<u64> {
        let all = list.as_array().expect("processes").iter();
        all.filter_map(|one| one["pid"].as_u64()).collect()
    };
    assert_eq!(pids(&report["moved_in"]), [u64::from(pid)], "{report:#}");
    assert!(!pids(&report["growth"]).is_empty(), "{report:#}");
    assert!(
        !pids(&report["growth"]).contains(&u64::from(pid)),
        "{report:#}"
    );
    assert_eq!(pids(&report["left"]), [u64::from(pid)], "{report:#}");
}

#[test]
fn a_signal_to_oomtop_is_the_commands() {
    let Some(place) = Place::new("a_signal_to_oomtop_is_the_commands") else {
        return;
    };
    let script = "trap 'echo told; exit 9' TERM; echo ready; while :; do sleep 0.05; done";
    let mut child = place
        .run(&[], &["sh", "-c", script])
        .spawn()
        .expect("oomtop starts");
    let mut lines =
        std::io::BufRead::lines(std::io::BufReader::new(child.stdout.take().expect("piped")));
    assert_eq!(lines.next().expect("a line").expect("read"), "ready");
    let pid = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).expect("sent");
    assert_eq!(lines.next().expect("a line").expect("read"), "told");
    assert_eq!(child.wait().expect("it ends").code(), Some(9));
    assert!(place.notes().is_empty());
}

/// v1 counts a victim in its own group alone.
#[test]
fn a_kill_in_a_group_below_counts_and_that_group_goes_too() {
    let Some(place) = Place::new("a_kill_in_a_group_below_counts_and_that_group_goes_too") else {
        return;
    };
    let (mount, version) = memcg::mount().expect("it was there");
    if version == Version::V2 {
        skipped(
            "a_kill_in_a_group_below_counts_and_that_group_goes_too",
            "v2 counts it by itself",
        );
        return;
    }
    let (words, (switch, name)) = hog::command("load-hog");
    let script = "own=$0$(sed -n 's/^[0-9]*:[^:]*memory[^:]*://p' /proc/self/cgroup); mkdir $own/inner; \
                  sh -c 'echo $$ >'$own'/inner/cgroup.procs; exec \"$@\" >/dev/null' sh \"$@\"; true";
    let mount = mount.display().to_string();
    let mut command = ["sh", "-c", script, &mount].map(str::to_owned).to_vec();
    command.extend(words);
    let options = ["--limit", "48M", "--fail-on-oom", "--json"];
    let child = place.run(&options, &command).env(switch, &name).spawn();
    let output = told(child.expect("oomtop starts"), "grow 80\n");
    let report = report(&output);
    assert_eq!(report["counters"]["kills"], 1, "{report:#}");
    assert_eq!(output.status.code(), Some(HIT), "{report:#}");
    if report["log_missing"] == "" {
        assert_eq!(report["victims"][0]["of"], "group", "{report:#}");
    }
    assert!(!dir(report["group"].as_str().expect("its path")).exists());
    assert!(place.notes().is_empty());
}
