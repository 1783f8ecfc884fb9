//! The screen of `oomtop fleet` in a terminal, while Prometheus goes and comes back.

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
    session.wait_text("Connection refused");
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
