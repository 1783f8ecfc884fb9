//! The screen of `oomtop fleet` in a terminal, while Prometheus goes and comes back.

use crate::common::patience::until;
use crate::common::prometheus::{FakePrometheus, hosts, send};
use crate::common::pty::Launch;

#[test]
fn ctrl_c_ends_the_command_that_enter_has_run_and_not_the_fleet() {
    let server = FakePrometheus::start(0, hosts(3));
    let url = server.url();
    let args = ["fleet", "--prometheus", &url, "--command", "cat - HOST"];
    let mut session = Launch::oomtop().args(args).size(80, 24).start();
    session.wait_text("4 hosts");
    for (round, key) in (1..).zip([b"\x03", b"\x1c"]) {
        session.send(b"\r");
        session.eventually("the terminal is lent", || session.cooked());
        session.send(b"hello\n");
        // Once from the terminal, once from the program, below those of the round before.
        session.wait_for("the program", |screen| {
            screen.text().matches("hello").count() == 2 * round
        });
        session.send(key);
        session.wait_text("cat has ended with signal");
        session.wait_text("4 hosts");
    }
    session.send(b"q");
    assert_eq!(session.wait_exit().code, 0);
    session.assert_sane();
}

#[test]
fn the_screen_lives_without_prometheus_and_enter_hands_the_host_to_a_command() {
    let dir = tempfile::tempdir().expect("a directory");
    let server = FakePrometheus::start(0, hosts(50));
    let (url, port) = (server.url(), server.address.port());
    let command = format!("touch {}/HOST;x", dir.path().display());
    let args = [
        "fleet",
        "--every",
        "1",
        "--prometheus",
        &url,
        "--command",
        &command,
    ];
    let mut session = Launch::oomtop().args(args).size(80, 24).start();
    session.wait_for("the hosts", |screen| {
        let first = screen.line_with("imminent node-000");
        screen.has("51 hosts") && first.is_some_and(|line| line.contains("~30s"))
    });
    session.wait_text("Domains of node-000");
    session.send(b"\x1b[B\x1b[B");
    session.wait_text("Domains of node-002");
    session.send(b"\r");
    // No shell reads the words: the semicolon is part of the name.
    let made = dir.path().join("node-002;x");
    session.eventually("the command runs", || made.exists());
    session.wait_text("Domains of node-002");
    drop(server);
    session.wait_text("nothing listens at this port");
    session.wait_for("the last answer", |screen| {
        screen.has("as of ") && screen.has("imminent node-000")
    });
    session.resize(120, 36);
    session.wait_text("30 MIN");
    let wrong = FakePrometheus::start(
        port,
        std::sync::Arc::new(|_, stream| send(stream, "200 OK", b"<html>\x1b[2JLogin")),
    );
    session.wait_text("is this the address of a Prometheus?");
    drop(wrong);
    let _back = FakePrometheus::start(port, hosts(40));
    session.wait_for("the new answer", |screen| {
        screen.has("41 hosts") && !screen.has("as of ")
    });
    session.send(b"q");
    assert_eq!(session.wait_exit().code, 0);
    session.assert_sane();
}

#[test]
fn a_command_that_is_stopped_gives_the_terminal_back_and_enter_goes_on_with_it() {
    let server = FakePrometheus::start(0, hosts(3));
    let url = server.url();
    let args = ["fleet", "--prometheus", &url, "--command", "cat - HOST"];
    let mut session = Launch::oomtop().args(args).size(100, 24).start();
    session.wait_text("4 hosts");
    session.send(b"\r");
    session.eventually("the terminal is lent", || session.cooked());
    session.send(b"hello\n");
    session.wait_for("the program", |screen| {
        screen.text().matches("hello").count() == 2
    });
    session.send(b"\x1a");
    session.wait_text("cat for node-000 is stopped: Enter on node-000 goes on with it");
    assert!(!session.cooked(), "the fleet has the terminal");
    // Another host has nothing to go on with; this one has.
    session.send(b"\r");
    session.eventually("the terminal is lent again", || session.cooked());
    session.send(b"there\n");
    session.wait_for("the same program", |screen| {
        screen.text().matches("there").count() == 2
    });
    session.send(b"\x03");
    session.wait_text("cat has ended with signal");
    session.send(b"q");
    assert_eq!(session.wait_exit().code, 0);
    session.assert_sane();
}

#[test]
fn help_filter_and_order_are_at_hand_and_ctrl_z_stops_the_fleet() {
    let server = FakePrometheus::start(0, hosts(30));
    let mut shell = Launch::program("/bin/sh")
        .args(["-i"])
        .env("PS1", "shell> ")
        .env("ENV", "")
        .size(80, 24)
        .start();
    shell.wait_text("shell>");
    let binary = env!("CARGO_BIN_EXE_oomtop");
    shell.keys(&format!(
        "{binary} fleet --prometheus {}<Enter>",
        server.url()
    ));
    shell.wait_text("31 hosts");
    shell.wait_text("F1 Help");
    shell.keys("?");
    shell.wait_text("any key: back");
    shell.keys("x/node-01<Enter>");
    shell.wait_for("ten hosts", |screen| {
        screen.has("filter: node-01") && screen.has("node-019") && !screen.has("node-020")
    });
    shell.keys("<C-z>");
    shell.wait_for("the shell", |screen| {
        !screen.0.alternate_screen() && screen.has("Stopped") && screen.has("shell>")
    });
    shell.assert_sane();
    shell.keys("clear; fg<Enter>");
    shell.wait_text("node-019");
    shell.keys("<Esc>>");
    shell.wait_for("by name", |screen| {
        screen.has("node-000")
            && screen
                .0
                .contents()
                .lines()
                .nth(2)
                .is_some_and(|row| row.contains("bare"))
    });
    shell.keys("q");
    shell.wait_for("the shell", |screen| !screen.0.alternate_screen());
    assert!(
        until(|| shell.in_foreground()),
        "the shell has the terminal"
    );
    shell.assert_sane();
}
