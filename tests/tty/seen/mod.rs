//! Random hands in a real terminal: keys, mouse reports, pastes and new sizes, and a kernel that takes every write.
//!
//! Pids, mounts and cgroups are the test's own: whatever the hands do, they do it to processes of this test.

mod machine;
mod record;
mod session;

use std::process::Command;

use crate::common::hands::Dice;
use crate::common::memcg::{Memcg, Version, mount};
use crate::common::{is_root, measured, say, skipped};

use machine::Machine;
use session::Session;

/// Set inside the namespaces; holds the number of events.
const SWITCH: &str = "OOMTOP_TEST_SEEN_INSIDE";

/// Keys, pastes, mouse reports and new sizes, unless `OOMTOP_TEST_EVENTS` says another number.
const EVENTS: &str = "250";

/// Joins the group in `$0`, then leaves all namespaces that a write could reach others through. The old cgroup mounts
/// go: they show the groups of others.
const LEAVE: &str = r#"
set -e
echo $$ > "$0/cgroup.procs"
exec unshare --pid --mount --cgroup --fork --kill-child --mount-proc sh -ec '
    # Rules of root are below /etc: the hands write some.
    mount -t tmpfs -o mode=755 none /mnt
    cp -a /etc/passwd /etc/group /etc/alternatives /mnt/ 2>/dev/null || :
    mount --bind /mnt /etc
    umount -R -l /sys/fs/cgroup
    mount -t tmpfs none /sys/fs/cgroup
    if [ "$0" = v1 ]; then
        mkdir /sys/fs/cgroup/memory
        mount -t cgroup -o memory none /sys/fs/cgroup/memory
    else
        mount -t cgroup2 none /sys/fs/cgroup
    fi
    exec "$@"
' "$@"
"#;

#[test]
fn every_change_hits_what_the_screen_has_shown() {
    let test = "every_change_hits_what_the_screen_has_shown";
    let Some(group) = Memcg::create("seen") else {
        return;
    };
    let version = match group.version() {
        Version::V1 => "v1",
        Version::V2 => "v2",
    };
    let leave = |program: &[&str]| {
        let mut command = Command::new("sh");
        command.args(["-c", LEAVE]).arg(group.dir()).arg(version);
        command.args(program);
        command
    };
    match leave(&["true"]).output() {
        Ok(output) if output.status.success() => {}
        refused => {
            let why = format!("namespaces of its own are refused: {refused:?}");
            return skipped(test, &why);
        }
    }
    let own = std::env::current_exe().expect("the test's own path");
    let own = own.to_str().expect("a plain path");
    let inside = [own, "seen::inside", "--exact", "--nocapture"];
    let events = std::env::var("OOMTOP_TEST_EVENTS").unwrap_or_else(|_| EVENTS.to_owned());
    let output = leave(&inside).env(SWITCH, events).output();
    let output = output.expect("the test starts again");
    let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (out, err) = (said(&output.stdout), said(&output.stderr));
    assert!(output.status.success(), "{out}\n{err}");
    for line in err.lines().filter_map(|l| l.strip_prefix("MEASURED: ")) {
        measured(line);
    }
}

/// Runs in the namespaces, as their first process. In an ordinary run the switch is not set.
#[test]
fn inside() {
    let Ok(events) = std::env::var(SWITCH) else {
        return;
    };
    assert!(is_root() && std::process::id() == 1, "not in a namespace");
    assert!(mount().is_some(), "no groups inside");
    let events: usize = events.parse().expect("a number of events");
    let seed = std::env::var("OOMTOP_TEST_SEED").ok();
    let seed = seed.map_or(1, |seed| seed.parse().expect("a seed"));
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15_u64.wrapping_mul(seed));
    let mut session = Session::new(Machine::new());
    let mut told = 0;
    while session.events < events {
        // A long run that ends early says how far it came.
        if session.events >= told + 1000 {
            told = session.events;
            say(&format!("{told} events in a real terminal so far"));
        }
        if dice.roll(3) > 0 {
            session.person(&mut dice);
        } else {
            session.bad_connection(&mut dice);
        }
    }
    session.finish();
}
