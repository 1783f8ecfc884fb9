//! Bytes as bad connections deliver them, in the real terminal: joined, split, and late.

use std::time::Duration;

use crate::common::own_child::OwnChild;
use crate::common::patience::until;
use crate::common::pty::Session;
use rustix::process::Signal;

#[track_caller]
fn first_frame(session: &Session) {
    session.wait_for("the dashboard", |screen| {
        screen.0.alternate_screen() && screen.has("oomtop") && screen.has("COMMAND")
    });
}

fn adj(pid: u32) -> String {
    std::fs::read_to_string(format!("/proc/{pid}/oom_score_adj")).unwrap_or_default()
}

/// A dashboard that shows one process of the test and nobody else.
fn only(child: &OwnChild) -> Session {
    let filter = format!("pid:{}", child.id().pid);
    let session = Session::start((120, 36), &["--filter", &filter]);
    session.wait_for("the row of the child", |screen| {
        screen
            .line_with(&format!(" {} ", child.id().pid))
            .is_some_and(|line| line.contains("sh"))
    });
    session
}

fn is_stopped(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit(')')
        .next()
        .is_some_and(|rest| rest.starts_with(" T"))
}

#[test]
fn what_comes_in_one_read_with_an_esc_writes_nothing() {
    let child = OwnChild::waiting();
    let pid = child.id().pid;
    let before = adj(pid);
    for bytes in [
        &b"\x1b\x1b[200~k\r\x1b[201~"[..],
        b"\x1b\x1b[200~[300\r\r\x1b[201~",
        b"\x1b\x1b[B \r\r",
        b"[300\r\r",
        b"k\r\r\r",
    ] {
        let mut session = only(&child);
        session.send(bytes);
        // The help answers a key that comes after all of them, whatever dialog is open.
        std::thread::sleep(Duration::from_millis(60));
        session.keys("<Esc><Esc><Esc><Esc>?");
        session.wait_for("the help", |screen| screen.has(": help"));
        assert_eq!(adj(pid), before, "{bytes:?}");
        assert_eq!(child.state(), Some('S'), "{bytes:?}");
        session.keys("<C-c>");
        assert_eq!(session.wait_exit().code, 0);
        session.assert_sane();
    }
}

#[test]
fn after_a_stall_with_motion_and_a_resize_the_screen_is_whole_and_keys_work() {
    for round in 0..3_u16 {
        let mut session = Session::start((120, 36), &[]);
        first_frame(&session);
        session.signal(Signal::STOP);
        assert!(until(|| is_stopped(session.pid())), "it stops");
        // More reports than one read takes, a key among them, and another size.
        let mut bytes = Vec::new();
        for n in 0..150 {
            bytes.extend(format!("\x1b[<35;{};{}M", 1 + n % 100, 1 + n % 30).bytes());
        }
        bytes.extend(b"d");
        session.send(&bytes);
        session.resize(100 + round, 30);
        session.signal(Signal::CONT);
        session.wait_for("the domains on a whole screen of the new size", |screen| {
            let lines = screen.lines();
            lines.len() == 30
                && screen.has("OOM domains by")
                && lines.last().is_some_and(|line| line.contains("Help"))
        });
        session.keys("<C-c>");
        assert_eq!(session.wait_exit().code, 0);
        session.assert_sane();
    }
}
