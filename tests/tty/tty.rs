//! The real binary in a real pseudo terminal: whatever ends it, the terminal is sane afterwards.

use std::process::{Command, Stdio};
use std::time::Duration;

use crate::common::hog::Hog;
use crate::common::patience::until;
use crate::common::pty::{Launch, Session};
use rustix::process::Signal;

/// Waits for the first whole frame: the header is there and a sample has been taken.
#[track_caller]
fn first_frame(session: &Session) {
    session.wait_for("the dashboard", |screen| {
        screen.0.alternate_screen() && screen.has("oomtop") && screen.has("COMMAND")
    });
}

fn dashboard() -> Session {
    let session = Session::start((120, 36), &[]);
    first_frame(&session);
    session
}

#[test]
fn q_leaves_the_terminal_as_it_was() {
    let mut session = dashboard();
    assert!(!session.cooked(), "the dashboard reads keys without Enter");
    session.keys("q");
    let exit = session.wait_exit();
    assert_eq!((exit.code, exit.signal), (0, None));
    session.assert_sane();
}

#[test]
fn ctrl_c_and_f10_quit_too() {
    for key in ["<C-c>", "<F10>"] {
        let mut session = dashboard();
        session.keys(key);
        assert_eq!(session.wait_exit().code, 0, "{key}");
        session.assert_sane();
    }
}

#[test]
fn signals_that_end_it_leave_a_sane_terminal() {
    for signal in [Signal::TERM, Signal::INT, Signal::HUP, Signal::QUIT] {
        let mut session = dashboard();
        session.signal(signal);
        let exit = session.wait_exit();
        session.assert_sane();
        // The status that a shell reports.
        let expected = 128 + u32::try_from(signal.as_raw()).expect("a number");
        assert_eq!((exit.code, exit.signal), (expected, None), "{signal:?}");
    }
}

/// True if the process has a handler for SIGTERM (`SigCgt`, proc_pid_status(5)).
fn catches_term(pid: u32) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:"));
    let caught = caught.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    let bit = u32::try_from(Signal::TERM.as_raw() - 1).expect("a number");
    caught.is_some_and(|mask| mask >> bit & 1 == 1)
}

#[test]
fn a_signal_while_it_starts_leaves_a_sane_terminal() {
    // At once; as soon as it catches the signal; as soon as the terminal has other modes.
    for stage in 0..3 {
        let mut session = Session::start((120, 36), &[]);
        let reached = match stage {
            0 => true,
            1 => until(|| catches_term(session.pid())),
            _ => until(|| !session.cooked()),
        };
        assert!(reached, "stage {stage}");
        session.signal(Signal::TERM);
        let exit = session.wait_exit();
        // It may have ended before it took the screen.
        assert!(session.cooked(), "stage {stage}");
        assert!(
            !session.look(|screen| screen.0.alternate_screen()),
            "stage {stage}"
        );
        // Before it catches signals, the terminal is as it was, and the signal itself ends it.
        let by_itself = stage == 0 && exit.signal.is_some();
        assert!(
            by_itself || (exit.code, exit.signal.as_deref()) == (143, None),
            "stage {stage}: {exit:?}"
        );
    }
}

#[test]
fn ctrl_z_gives_the_shell_back_and_fg_the_dashboard() {
    let mut shell = Launch::program("/bin/sh")
        .args(["-i"])
        .env("PS1", "shell> ")
        .env("ENV", "")
        .start();
    shell.wait_text("shell>");
    // Below another program of the same job, as with `cargo run` or in a script.
    let script = format!("'{}'; exit $?", env!("CARGO_BIN_EXE_oomtop"));
    shell.keys(&format!("sh -c \"{script}\"<Enter>"));
    first_frame(&shell);
    for _ in 0..2 {
        shell.keys("<C-z>");
        shell.wait_for("the shell's prompt", |screen| {
            !screen.0.alternate_screen() && screen.has("Stopped") && screen.has("shell>")
        });
        shell.assert_sane();
        shell.keys("echo a$((1+1))b<Enter>");
        shell.wait_text("a2b");
        // Clear the screen, or the next round would find this round's "Stopped".
        shell.keys("clear<Enter>");
        shell.wait_for("a clear screen", |screen| !screen.has("Stopped"));
        shell.keys("fg<Enter>");
        first_frame(&shell);
        assert!(!shell.cooked(), "raw again after fg");
        shell.keys("?");
        shell.wait_for("the help, so keys work after fg", |screen| {
            screen.has(": help")
        });
        shell.keys("<Esc>");
        shell.wait_for("the table", |screen| !screen.has(": help"));
    }
    shell.keys("q");
    shell.wait_for("the shell after q", |screen| !screen.0.alternate_screen());
    // Until the shell has the terminal back, the job may still take keys.
    assert!(
        until(|| shell.in_foreground()),
        "the shell has the terminal"
    );
    shell.keys("clear; echo status=$?<Enter>");
    shell.wait_text("status=0");
    shell.assert_sane();
}

#[test]
fn without_a_terminal_it_says_what_to_use_instead() {
    let output = Command::new(env!("CARGO_BIN_EXE_oomtop"))
        .stdin(Stdio::null())
        .output()
        .expect("the binary runs");
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(String::from_utf8_lossy(&output.stdout), "");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        said.contains("terminal") && said.contains("--once"),
        "{said:?}"
    );
    assert!(!said.contains('\x1b'), "escape codes in {said:?}");
}

#[test]
fn tiny_terminals_show_something_and_still_quit() {
    for (cols, rows) in [(20, 5), (1, 1), (300, 3), (5, 100)] {
        let mut session = Session::start((cols, rows), &[]);
        session.wait_for("anything at all", |screen| {
            screen.0.alternate_screen() && !screen.text().trim().is_empty()
        });
        // Every dialog and view opens and closes at that size.
        session.keys("?<Esc>ac<Esc>k<Esc>d<Esc>e<Esc><Enter><Esc>/x<Esc>");
        session.keys("<Esc><Esc><C-c>");
        assert_eq!(session.wait_exit().code, 0, "{cols}x{rows}");
        session.assert_sane();
    }
}

#[test]
fn a_storm_of_resizes_ends_in_a_whole_screen() {
    let mut session = dashboard();
    for n in 0..150_u16 {
        session.resize(1 + n * 37 % 200, 1 + n * 23 % 60);
        if n % 10 == 0 {
            session.keys("<Down><PgDn>");
            std::thread::sleep(Duration::from_millis(3));
        }
    }
    session.resize(100, 30);
    session.wait_for("the footer in the last row of 100x30", |screen| {
        let lines = screen.lines();
        lines.len() == 30 && lines[29].contains("Help") && screen.has("oomtop")
    });
    session.keys("q");
    assert_eq!(session.wait_exit().code, 0);
    session.assert_sane();
}

#[test]
fn a_name_made_of_escape_codes_stays_on_its_row() {
    let hog = Hog::start_bytes(b"\x1b[31mQzz\x07\xff");
    let mut session = dashboard();
    session.keys(&format!("/pid:{}<Enter>", hog.pid()));
    session.wait_for("the row of the odd process", |screen| {
        screen
            .line_with(&format!(" {} ", hog.pid()))
            .is_some_and(|line| line.contains("Qzz"))
    });
    session.keys("q");
    session.wait_exit();
    session.assert_sane();
    let raw = session.raw();
    for bad in [&b"\x1b[31mQzz"[..], b"Qzz\x07", b"Qzz\xff"] {
        assert!(
            !raw.windows(bad.len()).any(|w| w == bad),
            "{bad:?} reached the terminal as it is"
        );
    }
}

#[test]
fn the_settings_panel_shows_what_the_kernel_holds() {
    let mut session = Session::start((160, 100), &[]);
    first_frame(&session);
    session.keys("S");
    for name in [
        "panic_on_oom",
        "oom_kill_allocating_task",
        "oom_dump_tasks",
        "overcommit_memory",
        "min_free_kbytes",
        "swappiness",
    ] {
        // A container may hide a file: the panel must not invent a value.
        let file = std::fs::read_to_string(format!("/proc/sys/vm/{name}"));
        let value = file.map_or_else(|_| "n/a".to_owned(), |text| text.trim().to_owned());
        session.wait_for(&format!("{name} {value}"), |screen| {
            screen.lines().iter().any(|line| {
                let after = line.split_once(name).map_or("", |(_, after)| after);
                after.split_whitespace().next() == Some(value.as_str())
            })
        });
    }
    session.keys("<Esc>q");
    assert_eq!(session.wait_exit().code, 0);
    session.assert_sane();
}
