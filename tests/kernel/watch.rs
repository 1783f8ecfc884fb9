//! `oomtop watch` beside a real kill: what comes before it, and what the hook is told.

use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::common::hog::Hog;
use crate::common::memcg::Memcg;
use crate::common::patience::{PATIENCE, until};

/// A hook that keeps its environment, one file for each event, and then takes its time.
const HOOK: &str = "#!/bin/sh\nenv > \"$KEEP/$OOMTOP_EVENT.new\" && mv \"$KEEP/$OOMTOP_EVENT.new\" \"$KEEP/$OOMTOP_EVENT\"\nsleep 600\n";

fn watch(dir: &Path, args: &[&str]) -> (Child, Receiver<Value>) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_oomtop"))
        .args(["watch", "--json"])
        .args(args)
        .env("OOMTOP_DELAY", "0.2")
        .env("KEEP", dir)
        .stdout(Stdio::piped())
        .spawn()
        .expect("it runs");
    let lines = BufReader::new(child.stdout.take().expect("piped")).lines();
    let (send, events) = channel();
    std::thread::spawn(move || {
        for line in lines.map_while(Result::ok) {
            let event = serde_json::from_str(&line).expect("a line is JSON");
            if send.send(event).is_err() {
                return;
            }
        }
    });
    (child, events)
}

#[test]
fn a_forecast_comes_before_the_kill_and_a_slow_hook_delays_neither() {
    let Some(group) = Memcg::create("watch") else {
        return;
    };
    group.limit(128 << 20);
    let dir = tempfile::tempdir().expect("a directory");
    let hook = dir.path().join("hook");
    std::fs::write(&hook, HOOK).expect("written");
    std::fs::set_permissions(&hook, PermissionsExt::from_mode(0o755)).expect("changed");
    let hook = hook.to_str().expect("text").to_owned();
    let (mut child, events) = watch(dir.path(), &["--forecast", "30s", "--hook", &hook]);
    let name = "$(touch x);`a";
    let mut hog = Hog::start(name).in_group(&group);
    hog.leak(400, Duration::from_millis(60));
    let of_group = |event: &Value| event.to_string().contains(group.path());
    let mut seen = Vec::new();
    while let Ok(event) = events.recv_timeout(PATIENCE) {
        if of_group(&event) {
            seen.push(event);
        }
        if seen.last().is_some_and(|event| event["event"] == "kill") {
            break;
        }
    }
    assert!(hog.is_killed());
    let kinds: Vec<&str> = seen
        .iter()
        .filter_map(|event| event["event"].as_str())
        .collect();
    let at = |kind| kinds.iter().position(|known| *known == kind);
    assert!(
        at("forecast").is_some() && at("forecast") < at("kill"),
        "{seen:#?}"
    );
    assert!(at("band").is_some(), "{seen:#?}");
    let kill = seen.last().expect("the kill");
    assert_eq!(
        (
            &kill["by"],
            &kill["scope"],
            &kill["pid"],
            &kill["comm"],
            &kill["limit_of"]
        ),
        (
            &"kernel".into(),
            &"memcg".into(),
            &hog.pid().into(),
            &name.into(),
            &group.path().into()
        )
    );
    let forecast = seen.iter().find(|event| event["event"] == "forecast");
    let forecast = forecast.expect("found above");
    assert!(
        forecast["seconds_left"]
            .as_f64()
            .is_some_and(|left| left < 30.0)
    );
    // The hook has begun with the first event, and still sleeps.
    let first = dir.path().join(kinds[0]);
    assert!(until(|| first.exists()), "the hook is run");
    let environment = std::fs::read_to_string(&first).expect("text");
    assert!(
        environment.contains(&format!("\nOOMTOP_DOMAIN={}\n", group.path())),
        "{environment}"
    );
    kill_process(Pid::from_child(&child), Signal::TERM).expect("it runs");
    assert_eq!(child.wait().expect("our child").code(), Some(0));
    assert!(!Path::new("x").exists() && !dir.path().join("x").exists());
    // It has gone with oomtop.
    let sleeps = || {
        let processes = std::fs::read_dir("/proc").expect("listed").flatten();
        let keeps = format!("KEEP={}", dir.path().display());
        processes
            .filter_map(|entry| std::fs::read(entry.path().join("environ")).ok())
            .any(|environ| {
                environ
                    .split(|b| *b == 0)
                    .any(|one| one == keeps.as_bytes())
            })
    };
    assert!(until(|| !sleeps()), "the hook has ended");
}

#[test]
fn who_stops_reading_ends_it() {
    let dir = tempfile::tempdir().expect("a directory");
    let Some(group) = Memcg::create("unread") else {
        return;
    };
    group.limit(32 << 20);
    let mut child = Command::new(env!("CARGO_BIN_EXE_oomtop"))
        .arg("watch")
        .env("OOMTOP_DELAY", "0.2")
        .current_dir(dir.path())
        .stdout(Stdio::piped())
        .spawn()
        .expect("it runs");
    drop(child.stdout.take());
    let _hog = Hog::start("unread").in_group(&group).grow(29);
    let ended = until(|| child.try_wait().expect("our child").is_some());
    child.kill().ok();
    assert!(ended);
    assert_eq!(child.wait().expect("our child").code(), Some(0));
}
