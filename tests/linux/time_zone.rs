//! A time zone that names something without an end.

use std::process::{Command, Stdio};

use crate::common::patience;

#[test]
fn a_time_zone_without_end_does_not_hang() {
    patience::beside();
    for zone in ["/dev/zero", ":/dev/zero", "../../../../../dev/zero"] {
        let mut child = Command::new(env!("CARGO_BIN_EXE_oomtop"))
            .args(["--once"])
            .env("TZ", zone)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("started");
        let mut status = None;
        let ended = patience::until(|| {
            status = child.try_wait().expect("a child");
            status.is_some()
        });
        if !ended {
            child.kill().expect("killed");
            child.wait().expect("ended");
        }
        assert_eq!(
            status.and_then(|status| status.code()),
            Some(0),
            "TZ={zone}"
        );
    }
}
