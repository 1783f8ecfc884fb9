//! The real binary is stopped, continued and ended by signals, not by keys.

use std::io::{Read as _, Write as _};
use std::time::{Duration, Instant};

use crate::common::patience::until;
use crate::common::pty::{Launch, Session};
use rustix::process::{Pid, Signal, kill_process};
use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};

#[track_caller]
fn first_frame(session: &Session) {
    session.wait_for("the dashboard", |screen| {
        screen.0.alternate_screen() && screen.has("oomtop") && screen.has("COMMAND")
    });
}

/// Parent, state and name of a process.
fn stat(pid: u32) -> Option<(u32, char, String)> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, after) = text.split_once('(')?;
    let (name, fields) = after.rsplit_once(") ")?;
    let mut fields = fields.split(' ');
    let state = fields.next()?.chars().next()?;
    Some((fields.next()?.parse().ok()?, state, name.to_owned()))
}

/// True if a thread of the process sleeps in a write (proc_pid_syscall(5)).
fn writes(pid: u32) -> bool {
    let tasks = std::fs::read_dir(format!("/proc/{pid}/task"));
    tasks.into_iter().flatten().flatten().any(|task| {
        let text = std::fs::read_to_string(task.path().join("syscall")).unwrap_or_default();
        let number = text.split(' ').next().and_then(|n| n.parse().ok());
        number == Some(libc::SYS_write)
    })
}

#[track_caller]
fn wait_until(what: &str, seen: impl FnMut() -> bool) {
    assert!(until(seen), "{what}");
}

#[test]
fn after_stop_and_cont_the_screen_is_taken_again() {
    let mut session = Session::start((120, 36), &[]);
    first_frame(&session);
    for round in 0..2 {
        session.signal(Signal::STOP);
        wait_until("it stops", || {
            stat(session.pid()).is_some_and(|(_, state, _)| state == 'T')
        });
        // SIGSTOP gives no warning: do what a shell does now, set its own modes and write its prompt.
        let mut terminal = session.terminal();
        let mut modes = tcgetattr(&terminal).expect("modes");
        modes.local_modes |= LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG;
        tcsetattr(&terminal, OptionalActions::Now, &modes).expect("set");
        write!(terminal, "\x1b[?1049l\x1b[?25h\x1b[2J\x1b[Hprompt{round}> ").expect("written");
        session.wait_for("the prompt", |screen| {
            screen.has(&format!("prompt{round}>")) && !screen.0.alternate_screen()
        });
        assert!(session.cooked());
        session.signal(Signal::CONT);
        first_frame(&session);
        wait_until("raw again", || !session.cooked());
        session.wait_for("nothing of the shell", |screen| !screen.has("prompt"));
        session.keys("?");
        session.wait_text(": help");
        session.keys("<Esc>");
        session.wait_for("the table", |screen| !screen.has(": help"));
    }
    session.keys("q");
    assert_eq!(session.wait_exit().code, 0);
    session.assert_sane();
}

#[test]
fn tstp_gives_the_shell_back_as_ctrl_z_does() {
    let mut shell = Launch::program("/bin/sh")
        .args(["-i"])
        .env("PS1", "shell> ")
        .env("ENV", "")
        .start();
    shell.wait_text("shell>");
    shell.keys(&format!("'{}'<Enter>", env!("CARGO_BIN_EXE_oomtop")));
    first_frame(&shell);
    let child_of_shell = |pid: &u32| {
        stat(*pid).is_some_and(|(parent, _, name)| parent == shell.pid() && name == "oomtop")
    };
    let listed = std::fs::read_dir("/proc").expect("/proc").flatten();
    let oomtop = listed
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .find(child_of_shell)
        .expect("the shell's child");
    let pid = i32::try_from(oomtop).ok().and_then(Pid::from_raw);
    kill_process(pid.expect("a pid"), Signal::TSTP).expect("sent");
    shell.wait_for("the shell's prompt", |screen| {
        !screen.0.alternate_screen() && screen.has("Stopped") && screen.has("shell>")
    });
    assert!(stat(oomtop).is_some_and(|(_, state, _)| state == 'T'));
    shell.assert_sane();
    shell.keys("clear<Enter>");
    shell.wait_for("a clear screen", |screen| !screen.has("Stopped"));
    shell.keys("fg<Enter>");
    first_frame(&shell);
    shell.keys("q");
    shell.wait_for("the shell after q", |screen| !screen.0.alternate_screen());
    // Until then oomtop may still take keys.
    wait_until("the shell has the terminal", || shell.in_foreground());
    shell.keys("clear; echo status=$?<Enter>");
    shell.wait_text("status=0");
    shell.assert_sane();
}

#[test]
fn it_leaves_a_terminal_that_takes_no_output() {
    let mut session = Session::start((120, 36), &[]);
    first_frame(&session);
    session.hold(true);
    // Whole frames until every buffer on the way is full: then a thread stays in the write that draws.
    let mut round = 0;
    let full = until(|| {
        // The signal of a resize interrupts the write for a moment: it is looked at for a while after each.
        session.resize(160 + round % 2 * 40, 50);
        round += 1;
        let pid = session.pid();
        (0..100).all(|_| {
            std::thread::sleep(Duration::from_millis(5));
            writes(pid)
        })
    });
    if !full {
        crate::common::skipped(
            "it_leaves_a_terminal_that_takes_no_output",
            "this terminal takes more output than is written here, or it does not tell what a thread waits in",
        );
        return;
    }
    session.keys("q");
    assert!(writes(session.pid()), "what is drawn is still not taken");
    let begun = Instant::now();
    session.signal(Signal::TERM);
    wait_until("it leaves", || !session.alive());
    let took = begun.elapsed();
    crate::common::measured(&format!(
        "a terminal that takes no output is left {took:?} after SIGTERM"
    ));
    assert!(session.cooked(), "the line discipline is still raw");
    session.hold(false);
    assert_eq!(session.wait_exit().code, 128 + 15);
    session.assert_sane();
}

/// Starts `sh -c script` in a terminal of its own, closes the terminal once oomtop has drawn there, and returns what
/// the script wrote to `$STATUS`.
fn status_after_hang_up(script: &str) -> String {
    crate::common::patience::beside();
    let dir = tempfile::tempdir().expect("a directory");
    let told = dir.path().join("status");
    let pair = portable_pty::native_pty_system()
        .openpty(portable_pty::PtySize::default())
        .expect("a pseudo terminal");
    let mut command = portable_pty::CommandBuilder::new("/bin/sh");
    command.args(["-c", script]);
    command.env("OOMTOP", env!("CARGO_BIN_EXE_oomtop"));
    command.env("STATUS", &told);
    command.env("TERM", "xterm-256color");
    command.env("XDG_CONFIG_HOME", "/nonexistent");
    let mut shell = pair.slave.spawn_command(command).expect("a shell");
    drop(pair.slave);
    let mut output = pair.master.try_clone_reader().expect("a reader");
    let (mut raw, mut chunk) = (Vec::new(), [0; 4096]);
    // A whole frame ends with the footer's keys.
    while !String::from_utf8_lossy(&raw).contains("COMMAND") {
        let size = output.read(&mut chunk).expect("output");
        assert!(size > 0, "it ended: {}", String::from_utf8_lossy(&raw));
        raw.extend_from_slice(&chunk[..size]);
    }
    drop((output, pair.master));
    shell.wait().expect("the shell ends");
    std::fs::read_to_string(told)
        .expect("a status")
        .trim()
        .to_owned()
}

#[test]
fn it_leaves_quietly_when_the_terminal_goes_away() {
    for (what, script) in [
        (
            "with SIGHUP",
            r#"trap : HUP; "$OOMTOP"; echo $? > "$STATUS""#,
        ),
        (
            "without SIGHUP",
            r#"trap : HUP; setsid -w "$OOMTOP"; echo $? > "$STATUS""#,
        ),
    ] {
        for _ in 0..3 {
            assert_eq!(status_after_hang_up(script), "129", "{what}");
        }
    }
}

#[test]
fn too_few_descriptors_or_too_little_address_space_leave_a_sane_terminal() {
    let limits = (4..=36).step_by(4).map(|files| format!("-n {files}"));
    // A debug build alone takes 33 MiB: with less the kernel ends it in execve(2), before its first instruction.
    let spaces = [36, 40, 44, 60, 100].map(|mib| format!("-v {}", mib * 1024));
    for limit in limits.chain(spaces) {
        let mut session = Launch::program("/bin/sh")
            .args(["-c", &format!("ulimit {limit}; exec \"$OOMTOP\"")])
            .env("OOMTOP", env!("CARGO_BIN_EXE_oomtop"))
            .start();
        wait_until("a frame, or the end", || {
            !session.alive() || session.look(|screen| screen.has("COMMAND"))
        });
        session.keys("q");
        let exit = session.wait_exit();
        let raw = String::from_utf8_lossy(&session.raw()).into_owned();
        let what = format!("{limit}: {exit:?}: {raw}");
        assert!(session.cooked(), "{what}");
        if raw.contains("\x1b[?1049h") {
            session.assert_sane();
        }
        assert!(!raw.contains("this is a bug"), "{what}");
        // The first allocations of a program, before oomtop can say anything.
        let at_once = raw.contains("memory allocation of") && !raw.contains("\x1b[?1049h");
        assert!(
            // 127: the linker found no room for the libraries.
            matches!(exit.code, 0 | 127)
                || at_once
                || raw.contains("oomtop: ")
                || raw.contains("loading"),
            "{what}"
        );
    }
}
