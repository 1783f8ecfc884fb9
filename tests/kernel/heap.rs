//! The bound of a runtime out of the real `/proc/PID/environ`, against the limit of a real group.

use std::process::{Child, Command};

use crate::common::memcg::Memcg;
use crate::common::pty::Session;

const MIB: u64 = 1 << 20;

struct Sleeper(Child);

impl Drop for Sleeper {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_soft_limit_above_the_hard_one_is_said_in_the_details() {
    let Some(group) = Memcg::create("heap") else {
        return;
    };
    group.limit(48 * MIB);
    let sleeper = Command::new("sleep")
        .arg("1000")
        .env("GOMEMLIMIT", "64MiB")
        .spawn();
    let sleeper = Sleeper(sleeper.expect("sleep"));
    group.add(sleeper.0.id());
    let mut session = Session::start((140, 45), &[]);
    session.wait_for("the table", |screen| screen.has("COMMAND"));
    session.keys(&format!("/pid:{}<Enter>", sleeper.0.id()));
    session.wait_for("its row", |screen| screen.has(" sleep "));
    session.keys("<Home><Enter>");
    session.wait_for("the bound", |screen| {
        screen.has_words(&[
            "aims",
            "to",
            "stay",
            "below",
            "64",
            "MiB",
            "(GOMEMLIMIT=64MiB)",
        ]) && screen.has_words(&["is", "48", "MiB:", "the", "kernel", "kills", "first"])
    });
}
