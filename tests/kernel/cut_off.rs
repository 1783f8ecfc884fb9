//! SIGKILL at any moment: no file of rules is half written, and no write is missing in the audit log.

mod drop_ins;
mod groups;

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::common::hands::Dice;
use crate::common::hog::adj_of;
use crate::common::measured;
use crate::common::own_child::OwnChild;
use crate::common::patience::{beside, until};
use crate::protect::stage::{RuleFile, protect};
use oomtop::linux::SysRoot;
use oomtop::linux::write::executor::KernelWriter;
use oomtop::model::cgroup::CgroupVersion;
use oomtop::model::plan::execute::Executor as _;
use oomtop::model::plan::step::Step;
use oomtop::model::rules::own::{RuleEdit, print_of};

/// Set for the child that writes rules: the file.
const ORDER: &str = "OOMTOP_TEST_RULES";

/// How often something is killed.
const MOMENTS: usize = 100;

fn edit(path: &str, number: usize, seen: Option<&str>) -> RuleEdit {
    RuleEdit {
        path: path.to_owned(),
        block: format!("\n# oomtop: made of {number} x\n[[rule]]\nname = \"x{number}\"\nadj = 5\n"),
        add: true,
        seen: print_of(seen),
        tell: Vec::new(),
        made: 0,
    }
}

/// How many rules a file has; none of them is cut.
fn rules(path: &Path) -> usize {
    let Ok(text) = std::fs::read_to_string(path) else {
        return 0;
    };
    assert!(text.ends_with("adj = 5\n"), "{text}");
    toml::de::DeTable::parse(&text).expect("whole");
    let names: Vec<_> = text
        .lines()
        .filter(|line| line.starts_with("name = "))
        .collect();
    for (number, name) in names.iter().enumerate() {
        assert_eq!(**name, format!("name = \"x{number}\""));
    }
    assert_eq!(text.matches("[[rule]]").count(), names.len());
    names.len()
}

/// Not a test: the process that adds rules until it is killed, when `ORDER` tells it to.
#[test]
fn writing_child() {
    let Ok(path) = std::env::var(ORDER) else {
        return;
    };
    let mut writer = KernelWriter::new(SysRoot::default(), CgroupVersion::None);
    for number in rules(Path::new(&path)).. {
        let text = std::fs::read_to_string(&path).ok();
        let edit = edit(&path, number, text.as_deref());
        let receipt = writer.step(&Step::Rule(edit.clone()));
        assert_eq!(receipt.failure(), None);
        if number > 20 {
            // Away and back again: a file of a few kilobytes.
            let receipt = writer.step(&Step::Rule(edit.back(0)));
            assert_eq!(receipt.failure(), None);
            return main_loop(&path, number, &mut writer);
        }
    }
}

/// Adds the last rule and takes it away, for ever.
fn main_loop(path: &str, number: usize, writer: &mut KernelWriter) {
    loop {
        let text = std::fs::read_to_string(path).ok();
        let edit = edit(path, number, text.as_deref());
        for step in [edit.clone(), edit.back(0)] {
            assert_eq!(writer.step(&Step::Rule(step)).failure(), None);
        }
    }
}

fn start(path: &Path) -> Child {
    beside();
    Command::new(std::env::current_exe().expect("the test's own path"))
        .args(["cut_off::writing_child", "--exact", "--nocapture"])
        .env(ORDER, path)
        .stdout(Stdio::null())
        .spawn()
        .expect("the test binary starts again")
}

#[test]
fn a_file_of_rules_is_whole_whenever_its_writer_is_killed() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("rules.toml");
    let mut dice = Dice(0x2b1e_55ed);
    let (mut most, mut left_over) = (0, 0);
    // A file worth the name, however slow the machine is.
    let mut child = start(&path);
    assert!(until(|| rules(&path) > 10), "{:?}", child.try_wait());
    child.kill().expect("killed");
    child.wait().expect("reaped");
    for _ in 0..MOMENTS {
        let mut child = start(&path);
        // It has begun, so that most moments are within a write.
        let before = rules(&path);
        let grows = || rules(&path) != before || dir.path().join(".rules.toml.oomtop-new").exists();
        assert!(until(grows), "{:?}", child.try_wait());
        std::thread::sleep(Duration::from_micros(dice.roll(3000) as u64));
        child.kill().expect("killed");
        child.wait().expect("reaped");
        let now = rules(&path);
        assert!(now + 1 >= most, "a rule is lost: {now} of {most}");
        most = most.max(now);
        let names = std::fs::read_dir(dir.path()).expect("listed").count();
        assert!(names <= 2, "one new file at most is left");
        left_over += usize::from(names == 2);
    }
    assert!(left_over > 0, "no moment was within a write");
    println!("{left_over} of {MOMENTS} were killed before the rename");
}

/// The audit log of a run that is killed: what was written is in it, and all lines but the last are whole.
#[test]
fn a_log_has_every_write_of_runs_that_are_killed() {
    let target = OwnChild::waiting();
    let pid = target.id().pid;
    let rules = RuleFile::new("");
    let log = rules.path.with_file_name("audit");
    let mut dice = Dice(0x1eaf_cafe);
    let mut written = 0;
    // Higher and higher: that needs no privilege.
    let wants = |wanted: usize| {
        rules.write(&format!(
            "[[rule]]\nname = \"sh\"\nuser = \"{}\"\ncommand = \"sh -c read line\"\nadj = {wanted}\n",
            rustix::process::geteuid().as_raw()
        ));
        let mut run = protect(&rules, &["--once", "--audit", log.to_str().expect("text")]);
        run.stdout(Stdio::null()).stderr(Stdio::null());
        run
    };
    // How long a whole run takes here and now, once its files are in memory.
    assert!(wants(898).status().expect("it runs").success());
    let begun = Instant::now();
    assert!(wants(899).status().expect("it runs").success());
    let span = usize::try_from(begun.elapsed().as_micros() * 5 / 4).expect("short");
    let mut value = adj_of(pid).expect("an adj");
    assert_eq!(value, 899);
    for round in 0..MOMENTS {
        let mut run = wants(900 + round % 100).spawn().expect("it starts");
        std::thread::sleep(Duration::from_micros(dice.roll(span) as u64));
        run.kill().expect("killed");
        run.wait().expect("reaped");
        let now = adj_of(pid).expect("it lives");
        let text = std::fs::read_to_string(&log).unwrap_or_default();
        let lines: Vec<_> = text
            .lines()
            .map(serde_json::from_str::<serde_json::Value>)
            .collect();
        let now_text = now.to_string();
        let is_logged = lines.iter().flatten().any(|line| {
            let steps = line["steps"].as_array().cloned().unwrap_or_default();
            let is_own =
                |step: &serde_json::Value| step["pid"] == pid && step["value"] == now_text.as_str();
            line["event"] == "begin" && steps.iter().any(is_own)
        });
        assert!(
            now == value || is_logged,
            "round {round}: {value} became {now}\n{text}"
        );
        written += usize::from(now != value);
        value = now;
        // A cut line is ended by the next run; a log may hold no more of them than runs that were killed.
        let cut = lines.iter().filter(|line| line.is_err()).count();
        assert!(cut <= round + 1, "{cut} cut lines");
    }
    assert!(
        written > 0 && written < MOMENTS,
        "{written} of {MOMENTS} were killed after their write"
    );
    measured(&format!(
        "{written} of {MOMENTS} runs were killed after their write"
    ));
}
