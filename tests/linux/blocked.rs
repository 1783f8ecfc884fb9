//! One process whose command line cannot be read, because somebody holds its mmap lock: everything else goes on, and
//! the one is named. Needs root and FUSE; skips loudly otherwise.
#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on fails"
)]

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::channel;

use crate::common::own_child::OwnChild;
use crate::common::patience::{PATIENCE, alone, until};
use crate::common::skipped;
use oomtop::linux::SysRoot;
use oomtop::linux::sampler::Sampler;
use oomtop::linux::scan::backend::BackendChoice;
use oomtop::model::snapshot::Needs;
use oomtop::model::time::{Monotonic, Now};

/// The program that makes the process, and its pid.
struct LockHolder {
    program: Child,
    pid: u32,
}

impl LockHolder {
    fn start(test: &str) -> Option<Self> {
        let script =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/blocked/lock_holder.py");
        let child = Command::new("python3")
            .arg(script)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn();
        let Ok(mut program) = child else {
            skipped(test, "there is no python3");
            return None;
        };
        let mut line = String::new();
        let out = program.stdout.take().expect("piped");
        BufReader::new(out).read_line(&mut line).expect("a line");
        let Ok(pid) = line.trim().parse() else {
            skipped(
                test,
                &format!("no read can be blocked here: {}", line.trim()),
            );
            drop(program.stdin.take());
            program.wait().ok();
            return None;
        };
        Some(Self { program, pid })
    }
}

impl Drop for LockHolder {
    fn drop(&mut self) {
        drop(self.program.stdin.take());
        self.program.wait().ok();
    }
}

fn at(second: u64) -> Now {
    Now {
        monotonic: Monotonic(second * 1_000_000),
        ..Now::default()
    }
}

#[test]
fn one_blocked_command_line_holds_nothing_up_and_is_named() {
    let test = "one_blocked_command_line_holds_nothing_up_and_is_named";
    alone();
    let Some(holder) = LockHolder::start(test) else {
        return;
    };
    for choice in [BackendChoice::Auto, BackendChoice::ProcAll] {
        let other = OwnChild::waiting();
        let (blocked, pid) = (holder.pid, other.id().pid);
        let (done, result) = channel();
        // On a thread: a sampler that blocks must fail the test, not hang it.
        std::thread::spawn(move || {
            let sampler = Sampler::with_backend(SysRoot::default(), choice);
            let mut sampler = sampler.expect("a sampler");
            let needs = Needs {
                all_commands: true,
                ..Needs::default()
            };
            let mut second = 1;
            let all_there = until(|| {
                second += 1;
                let snapshot = sampler.sample(&needs, at(second)).expect("a sample");
                let row = |pid| snapshot.processes.iter().find(|p| p.id.pid == pid);
                let named = row(blocked).is_some_and(|row| row.command_blocks.is_some());
                let wrongly = snapshot
                    .processes
                    .iter()
                    .any(|row| row.command_blocks.is_some() && row.id.pid != blocked);
                let read = row(pid).and_then(|row| row.command.clone());
                named && !wrongly && read.is_some_and(|command| command.starts_with("sh"))
            });
            done.send(all_there).ok();
        });
        let seen = result.recv_timeout(PATIENCE * 2);
        assert_eq!(seen, Ok(true), "{choice:?}: {seen:?}");
    }
    // What prints once and ends does so, too.
    let program = Command::new(env!("CARGO_BIN_EXE_oomtop"))
        .args(["--once", "--json"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the binary");
    let (done, output) = channel();
    let id = program.id();
    std::thread::spawn(move || done.send(program.wait_with_output()));
    let Ok(output) = output.recv_timeout(PATIENCE) else {
        let pid = i32::try_from(id)
            .ok()
            .and_then(rustix::process::Pid::from_raw);
        rustix::process::kill_process(pid.expect("a pid"), rustix::process::Signal::KILL).ok();
        panic!("--once --json did not return");
    };
    let output = output.expect("its output");
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let rows = document["processes"].as_array().expect("rows");
    let row = rows.iter().find(|row| row["pid"] == holder.pid);
    let seconds = row.expect("its row")["command_blocks_seconds"].as_f64();
    assert!(seconds.is_some(), "{row:?}");
}
