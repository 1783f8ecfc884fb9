//! oomtop is killed by what no program can catch: the terminal is sane again, and nobody stays behind.

use std::fs;

use crate::common::hog::Hog;
use crate::common::memcg::Memcg;
use crate::common::patience::until;
use crate::common::pty::{Launch, Session};
use rustix::process::{Pid, Signal, kill_process, kill_process_group};

#[track_caller]
fn first_frame(session: &Session) {
    session.wait_for("the dashboard", |screen| {
        screen.0.alternate_screen() && screen.has("COMMAND")
    });
}

/// Parent, process group, state and name.
fn stat(pid: u32) -> Option<(u32, u32, char, String)> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, after) = text.split_once('(')?;
    let (name, fields) = after.rsplit_once(") ")?;
    let mut fields = fields.split(' ');
    let state = fields.next()?.chars().next()?;
    let parent = fields.next()?.parse().ok()?;
    Some((parent, fields.next()?.parse().ok()?, state, name.to_owned()))
}

/// The guardian of this oomtop.
#[track_caller]
fn guardian(pid: u32) -> u32 {
    let mut found = None;
    until(|| {
        let listed = fs::read_dir("/proc").expect("/proc").flatten();
        let pids = listed.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
        let is_it = |other: &u32| {
            stat(*other).is_some_and(|(parent, _, _, name)| parent == pid && name == "oomtop-guard")
        };
        found = pids.into_iter().find(is_it);
        found.is_some()
    });
    found.expect("a guardian")
}

#[track_caller]
fn gone(pid: u32) {
    let gone = until(|| stat(pid).is_none_or(|(_, _, state, _)| state == 'Z'));
    assert!(gone, "{pid} {:?} stays behind", stat(pid));
}

fn raw_pid(pid: u32) -> Pid {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
    pid.expect("a pid")
}

#[track_caller]
fn is_sane_after_the_kill(session: &mut Session, guardian: u32) {
    assert_eq!(session.wait_exit().signal.as_deref(), Some("Killed"));
    gone(guardian);
    // The last that the guardian writes; what was written may not have been read yet.
    session.wait_for("why", |screen| screen.has("oomtop: killed"));
    session.assert_sane();
}

#[test]
fn kill_9_leaves_a_sane_terminal() {
    for mouse in ["--mouse", "--no-mouse"] {
        let mut session = Session::start((120, 36), &[mouse]);
        first_frame(&session);
        let guardian = guardian(session.pid());
        session.signal(Signal::KILL);
        is_sane_after_the_kill(&mut session, guardian);
    }
}

#[test]
fn kill_9_of_the_whole_job_leaves_a_sane_terminal() {
    let mut session = Session::start((120, 36), &[]);
    first_frame(&session);
    let guardian = guardian(session.pid());
    let own = |pid| stat(pid).expect("it runs").1;
    assert_ne!(own(guardian), own(session.pid()));
    kill_process_group(raw_pid(own(session.pid())), Signal::KILL).expect("sent");
    is_sane_after_the_kill(&mut session, guardian);
}

#[test]
fn kill_9_while_it_is_stopped_leaves_the_shells_terminal_alone() {
    let mut shell = Launch::program("/bin/sh")
        .args(["-i"])
        .env("PS1", "shell> ")
        .env("ENV", "")
        .start();
    shell.wait_text("shell>");
    shell.keys(&format!("'{}'<Enter>", env!("CARGO_BIN_EXE_oomtop")));
    first_frame(&shell);
    shell.keys("<C-z>");
    shell.wait_for("the shell's prompt", |screen| {
        !screen.0.alternate_screen() && screen.has("Stopped") && screen.has("shell>")
    });
    shell.keys("clear; kill -9 %1; wait; echo again=$((40+2))<Enter>");
    shell.wait_text("again=42");
    assert!(!shell.look(|screen| screen.has("oomtop: killed")));
    shell.assert_sane();
    // And in the foreground: the shell goes on as after any killed program.
    shell.keys(&format!("clear; '{}'<Enter>", env!("CARGO_BIN_EXE_oomtop")));
    first_frame(&shell);
    let listed = fs::read_dir("/proc").expect("/proc").flatten();
    let oomtop = listed
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .find(|pid| {
            stat(*pid).is_some_and(|(parent, _, _, name)| parent == shell.pid() && name == "oomtop")
        })
        .expect("the shell's child");
    kill_process(raw_pid(oomtop), Signal::KILL).expect("sent");
    shell.wait_for("the main screen", |screen| !screen.0.alternate_screen());
    until(|| shell.in_foreground());
    shell.keys("clear; echo status=$?<Enter>");
    shell.wait_text("status=0");
    shell.assert_sane();
}

#[test]
fn nothing_stays_behind_after_any_end() {
    for end in ["q", "TERM", "stopped"] {
        let mut session = Session::start((120, 36), &[]);
        first_frame(&session);
        let guardian = guardian(session.pid());
        match end {
            "q" => session.keys("q"),
            "TERM" => session.signal(Signal::TERM),
            _ => {
                kill_process(raw_pid(guardian), Signal::STOP).expect("sent");
                session.keys("q");
            }
        }
        session.wait_exit();
        // Reaped, and no zombie: oomtop ends it before it ends itself.
        assert_eq!(stat(guardian), None, "{end}");
        session.assert_sane();
        assert!(!String::from_utf8_lossy(&session.raw()).contains("oomtop: killed"));
    }
}

#[test]
fn without_its_guardian_it_works_on() {
    let mut session = Session::start((120, 36), &[]);
    first_frame(&session);
    let guardian = guardian(session.pid());
    kill_process(raw_pid(guardian), Signal::KILL).expect("sent");
    gone(guardian);
    session.keys("?");
    session.wait_text(": help");
    session.keys("<Esc>q");
    assert_eq!(session.wait_exit().code, 0);
    session.assert_sane();
}

#[test]
fn an_oom_kill_leaves_a_sane_terminal() {
    let Some(group) = Memcg::create("guarded") else {
        return;
    };
    group.limit(64 << 20);
    let mut session = Session::start((120, 36), &["--no-self-protect"]);
    first_frame(&session);
    let guardian = guardian(session.pid());
    group.add(session.pid());
    group.add(guardian);
    fs::write(format!("/proc/{}/oom_score_adj", session.pid()), "900").expect("adj");
    let mut hog = Hog::start("hog").in_group(&group);
    hog.leak(70, std::time::Duration::from_millis(1));
    is_sane_after_the_kill(&mut session, guardian);
    assert!(group.oom_kills() >= Some(1));
}
