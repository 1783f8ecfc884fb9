//! `oomtop run` in a terminal: Ctrl-C, Ctrl-Z, pipelines, and the dashboard over the command.

use std::fs;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process, kill_process_group};

use crate::common::patience::until;
use crate::common::pty::{Launch, Session};
use crate::common::{is_root, memcg, skipped};

/// The binary, with a place for its notes; `None`, loudly, where no group can be made.
fn place(test: &str) -> Option<tempfile::TempDir> {
    if !is_root() {
        skipped(test, "only root may make a memory cgroup");
        return None;
    }
    let place = tempfile::tempdir().expect("a directory");
    let tried = std::process::Command::new(env!("CARGO_BIN_EXE_oomtop"))
        .args(["run", "--no-tui", "true"])
        .env("XDG_RUNTIME_DIR", place.path())
        .output()
        .expect("oomtop starts");
    if tried.status.code() != Some(0) {
        let why = String::from_utf8_lossy(&tried.stderr).into_owned();
        skipped(test, &format!("no group can be made here: {why}"));
        return None;
    }
    Some(place)
}

fn start(place: &tempfile::TempDir, words: &[&str]) -> Session {
    Launch::oomtop()
        .args(words)
        .env("XDG_RUNTIME_DIR", &place.path().to_string_lossy())
        // No line of the report is broken.
        .size(240, 40)
        .start()
}

fn is_tidy(place: &tempfile::TempDir) -> bool {
    fs::read_dir(place.path().join("oomtop")).is_ok_and(|mut notes| notes.next().is_none())
}

/// Processes of this name with this parent, and their states.
fn children(parent: u32, wanted: &str) -> Vec<(u32, char)> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").expect("/proc").flatten() {
        let Some(pid) = entry
            .file_name()
            .to_str()
            .and_then(|name| name.parse().ok())
        else {
            continue;
        };
        let text = fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
        let Some((head, after)) = text.rsplit_once(") ") else {
            continue;
        };
        let mut fields = after.split(' ');
        let state = fields.next().and_then(|state| state.chars().next());
        let above = fields.next().and_then(|number| number.parse().ok());
        if head.ends_with(&format!("({wanted}")) && above == Some(parent) {
            found.push((pid, state.unwrap_or('?')));
        }
    }
    found
}

#[test]
fn ctrl_c_reaches_the_command_once_and_the_report_follows() {
    let Some(place) = place("ctrl_c_reaches_the_command_once_and_the_report_follows") else {
        return;
    };
    // A second SIGINT would be a second line.
    let script = "n=0; trap 'n=$((n+1)); echo told $n' INT; echo ready; \
                  while [ $n = 0 ]; do sleep 0.05; done; sleep 0.3; echo count=$n; exit 7";
    let mut session = start(&place, &["run", "--no-tui", "--", "sh", "-c", script]);
    session.wait_text("ready");
    session.send(b"\x03");
    session.wait_text("count=1");
    session.wait_text("exited with 7");
    assert_eq!(session.wait_exit().code, 7);
    assert!(is_tidy(&place));
}

#[test]
fn ctrl_z_stops_both_and_the_shell_continues_both() {
    let Some(place) = place("ctrl_z_stops_both_and_the_shell_continues_both") else {
        return;
    };
    let mut shell = Launch::program("/bin/sh")
        .args(["-i"])
        .env("PS1", "shell> ")
        .env("ENV", "")
        .env("XDG_RUNTIME_DIR", &place.path().to_string_lossy())
        .start();
    shell.wait_text("shell>");
    let line = format!(
        "'{}' run --no-tui -- sleep 1000",
        env!("CARGO_BIN_EXE_oomtop")
    );
    shell.keys(&format!("{line}<Enter>"));
    let mut pids = None;
    shell.eventually("the command runs", || {
        let oomtop = children(shell.pid(), "oomtop").into_iter().next();
        pids = oomtop.and_then(|(oomtop, _)| {
            let (sleep, _) = children(oomtop, "sleep").into_iter().next()?;
            Some((oomtop, sleep))
        });
        pids.is_some()
    });
    let (oomtop, sleep) = pids.expect("both");
    let own = shell.pid();
    let states = || {
        let own = children(own, "oomtop").first().map(|(_, state)| *state);
        let other = children(oomtop, "sleep").first().map(|(_, state)| *state);
        (own, other)
    };
    shell.send(b"\x1a");
    shell.wait_for("the shell's prompt", |screen| screen.has("Stopped"));
    assert!(
        until(|| states() == (Some('T'), Some('T'))),
        "{:?}",
        states()
    );
    shell.keys("fg<Enter>");
    assert!(
        until(|| states() == (Some('S'), Some('S'))),
        "{:?}",
        states()
    );
    shell.send(b"\x03");
    shell.wait_text("ended by signal 2");
    shell.wait_for("the shell", |screen| screen.has("shell>"));
    assert!(until(|| shell.in_foreground()));
    shell.keys("clear; echo status=$?<Enter>");
    assert!(children(oomtop, "sleep").is_empty(), "{sleep} is gone");
    assert!(is_tidy(&place));
}

#[test]
fn the_dashboard_shows_the_group_and_ends_with_the_command() {
    let Some(place) = place("the_dashboard_shows_the_group_and_ends_with_the_command") else {
        return;
    };
    let go = place.path().join("go");
    let script = format!(
        "printf 'from %s\\n' command; while [ ! -e {} ]; do sleep 0.05; done; exit 5",
        go.display()
    );
    for limit in [&["--limit", "64M"][..], &[]] {
        let words = [&["run"], limit, &["--", "sh", "-c", &script]].concat();
        let mut session = start(&place, &words);
        session.wait_for("the command's processes alone", |screen| {
            screen.0.alternate_screen()
                && screen.has("while [ ! -e")
                && !screen
                    .lines()
                    .iter()
                    .any(|line| line.contains("kthreadd") || line.contains(" init"))
        });
        assert!(!session.screen_text().contains("from command"));
        fs::write(&go, "").expect("written");
        session.wait_for("the report", |screen| {
            !screen.0.alternate_screen() && screen.has("exited with 5") && screen.has("Advice")
        });
        session.wait_for("what the command has said", |screen| {
            screen.has("from command")
        });
        assert_eq!(session.wait_exit().code, 5);
        session.assert_sane();
        assert!(is_tidy(&place));
        fs::remove_file(&go).expect("removed");
    }
}

#[test]
fn in_the_dashboard_ctrl_c_is_the_commands_and_q_is_not() {
    let Some(place) = place("in_the_dashboard_ctrl_c_is_the_commands_and_q_is_not") else {
        return;
    };
    let script = "trap 'echo told; exit 9' INT; while :; do sleep 0.05; done";
    let words = ["run", "--limit", "64M", "--", "sh", "-c", script];
    let mut session = start(&place, &words);
    let shown = |session: &Session| {
        session.wait_for("the dashboard", |screen| {
            screen.0.alternate_screen() && screen.has("while :")
        });
    };
    shown(&session);
    session.send(b"\x03");
    session.wait_text("exited with 9");
    assert_eq!(session.wait_exit().code, 9);
    session.assert_sane();
    let mut session = start(&place, &words);
    shown(&session);
    session.keys("q");
    session.wait_for("the command runs on", |screen| {
        !screen.0.alternate_screen() && screen.has("still runs")
    });
    session.send(b"\x03");
    session.wait_text("exited with 9");
    assert_eq!(session.wait_exit().code, 9);
    assert!(is_tidy(&place));
}

#[test]
fn the_dashboard_and_its_command_stop_and_go_on_together() {
    let Some(place) = place("the_dashboard_and_its_command_stop_and_go_on_together") else {
        return;
    };
    let mut shell = Launch::program("/bin/sh")
        .args(["-i"])
        .env("PS1", "shell> ")
        .env("ENV", "")
        .env("XDG_RUNTIME_DIR", &place.path().to_string_lossy())
        .start();
    shell.wait_text("shell>");
    let line = format!("'{}' run -- sleep 1000", env!("CARGO_BIN_EXE_oomtop"));
    shell.keys(&format!("{line}<Enter>"));
    let in_screen = |shell: &Session| {
        shell.wait_for("the dashboard", |screen| {
            screen.0.alternate_screen() && screen.has("sleep")
        });
    };
    in_screen(&shell);
    let (oomtop, _) = *children(shell.pid(), "oomtop").first().expect("it runs");
    let state = || children(oomtop, "sleep").first().map(|(_, state)| *state);
    shell.send(b"\x1a");
    shell.wait_for("the shell's prompt", |screen| {
        !screen.0.alternate_screen() && screen.has("Stopped")
    });
    assert!(until(|| state() == Some('T')), "{:?}", state());
    shell.keys("fg<Enter>");
    in_screen(&shell);
    assert!(until(|| state() == Some('S')), "{:?}", state());
    shell.send(b"\x03");
    shell.wait_text("ended by signal 2");
    assert!(until(|| shell.in_foreground()));
    assert!(is_tidy(&place));
}

#[test]
fn a_signal_to_the_whole_process_group_reaches_the_command_once() {
    let Some(place) = place("a_signal_to_the_whole_process_group_reaches_the_command_once") else {
        return;
    };
    // A shell merges signals that come before it has run its trap. Python writes a byte for each as it is delivered.
    let script = "import os, signal\n\
                  read, write = os.pipe()\n\
                  os.set_blocking(write, False)\n\
                  for number in (signal.SIGINT, signal.SIGTERM): signal.signal(number, lambda *_: None)\n\
                  signal.set_wakeup_fd(write)\n\
                  print('ready', flush=True)\n\
                  got = b''\n\
                  while signal.SIGTERM not in got: got += os.read(read, 1)\n\
                  print('count=%d' % got.count(signal.SIGINT), flush=True)\n\
                  os._exit(7)";
    let mut session = start(&place, &["run", "--no-tui", "--", "python3", "-c", script]);
    session.wait_text("ready");
    let oomtop = i32::try_from(session.pid()).expect("a pid");
    let oomtop = Pid::from_raw(oomtop).expect("a pid");
    // The terminal's leader leads its process group, too.
    kill_process_group(oomtop, Signal::INT).expect("sent");
    session.eventually("both have it", || !is_pending(session.pid(), Signal::INT));
    std::thread::sleep(Duration::from_millis(200));
    // To oomtop alone.
    kill_process(oomtop, Signal::TERM).expect("sent");
    session.wait_text("count=1");
    assert_eq!(session.wait_exit().code, 7);
    assert!(is_tidy(&place));
}

fn is_pending(pid: u32, signal: Signal) -> bool {
    let text = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("ShdPnd:"));
    let mask = line.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_some_and(|mask| mask & (1 << (signal.as_raw() - 1)) != 0)
}

#[test]
fn what_was_said_before_the_dashboard_is_said_after_it() {
    let Some(place) = place("what_was_said_before_the_dashboard_is_said_after_it") else {
        return;
    };
    // No kernel gives this pid.
    let name = "oomtop-run-4194305-7";
    let (mount, _) = memcg::mount().expect("it was there");
    fs::create_dir(mount.join(name)).expect("a group");
    std::os::unix::fs::symlink(format!("/{name}"), place.path().join("oomtop").join(name))
        .expect("its note");
    let mut session = start(&place, &[]);
    session.wait_for("the dashboard", |screen| {
        screen.0.alternate_screen() && screen.has("F1 Help")
    });
    session.keys("q");
    let code = session.wait_exit().code;
    let words = format!("removed the empty cgroup /{name}");
    assert_eq!(
        (code, session.screen_text().matches(&words).count()),
        (0, 2)
    );
    assert!(!mount.join(name).exists() && is_tidy(&place));
}
