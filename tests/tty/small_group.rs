//! A memory cgroup with little room: oomtop lives in it, or says before it starts how much it needs.

use std::process::{Child, Command, Stdio};

use crate::bounded::private;
use crate::common::memcg::Memcg;
use crate::common::patience::until;
use crate::common::pty::{Launch, Session};

/// Processes outside of the group, which oomtop looks at.
struct Crowd(Vec<Child>);

impl Crowd {
    fn of(count: usize) -> Self {
        let start = |_| {
            let mut command = Command::new("sleep");
            command.arg("600").stdin(Stdio::null());
            command.spawn().expect("a process")
        };
        Self((0..count).map(start).collect())
    }
}

impl Drop for Crowd {
    fn drop(&mut self) {
        for child in &mut self.0 {
            child.kill().ok();
        }
        for child in &mut self.0 {
            child.wait().ok();
        }
    }
}

/// oomtop, started in the group.
fn started_in(group: &Memcg) -> Session {
    Launch::program("/bin/sh")
        .args(["-c", "echo $$ > \"$PROCS\" && exec \"$OOMTOP\" -d 0.1"])
        .env(
            "PROCS",
            group.dir().join("cgroup.procs").to_str().expect("UTF-8"),
        )
        .env("OOMTOP", env!("CARGO_BIN_EXE_oomtop"))
        .start()
}

#[test]
fn it_lives_in_a_small_group_beside_many_processes() {
    let Some(group) = Memcg::create("small") else {
        return;
    };
    let _crowd = Crowd::of(1500);
    // With less, the kernel's own objects for the files of /proc, 4 MiB here, can be in the way for a moment.
    let mib = 12;
    group.limit(mib << 20);
    for _ in 0..2 {
        let mut session = started_in(&group);
        session.wait_text("COMMAND");
        // Every part of the screen, and many samples.
        for keys in [
            "t", "t", "d", "d", "e", "<Down>", "<Enter>", "<Esc>", "e", "S", "<Esc>", "<End>",
            "<Home>",
        ] {
            session.keys(keys);
            // An Esc and a letter in one read are another key.
            session.await_taken();
        }
        session.keys("/sleep<Enter>");
        session.wait_for("the crowd", |screen| {
            screen
                .lines()
                .iter()
                .filter(|line| line.contains(" sleep ") && line.ends_with(" 600"))
                .count()
                > 5
        });
        session.keys("q");
        assert_eq!(session.wait_exit().code, 0, "{mib} MiB");
        session.assert_sane();
        assert_eq!(group.oom_kills(), Some(0), "{mib} MiB");
    }
}

#[test]
fn a_group_that_is_too_small_is_refused_with_what_it_needs() {
    let Some(group) = Memcg::create("tiny") else {
        return;
    };
    group.limit(4 << 20);
    let mut session = started_in(&group);
    let exit = session.wait_exit();
    let said = String::from_utf8_lossy(&session.raw()).into_owned();
    assert_eq!((exit.code, exit.signal), (1, None), "{said}");
    assert!(said.contains("oomtop needs 5.0 MiB more"), "{said}");
    assert!(
        said.contains(group.path()) && said.contains("the limit of 4.0 MiB"),
        "{said}"
    );
    assert!(!said.contains("\x1b[?1049h") && session.cooked());
    assert_eq!(group.oom_kills(), Some(0));
}

#[test]
fn it_has_memory_in_reserve_where_there_is_room() {
    let (Some(small), Some(large)) = (Memcg::create("few"), Memcg::create("many")) else {
        return;
    };
    small.limit(64 << 20);
    large.limit(512 << 20);
    let [without, with] = [&small, &large].map(started_in);
    without.wait_text("COMMAND");
    with.wait_text("COMMAND");
    // The log alone has 4 MiB.
    assert!(
        until(|| private(with.pid()) > private(without.pid()) + (4 << 10)),
        "{} KiB with a reserve, {} without",
        private(with.pid()),
        private(without.pid())
    );
}
