//! [`Crowd`]: many idle processes that belong to a test.
#![allow(
    dead_code,
    reason = "every test crate compiles all of this and uses a part of it"
)]

use std::process::{Child, Command, Stdio};

/// Ends its processes when dropped, also when the test fails.
#[derive(Debug)]
pub(crate) struct Crowd(pub(crate) Vec<Child>);

impl Crowd {
    /// `None`, with a loud message, where the system does not allow so many processes.
    pub(crate) fn start(test: &str, many: usize) -> Option<Self> {
        super::patience::alone();
        let mut crowd = Self(Vec::with_capacity(many));
        for _ in 0..many {
            let child = Command::new("sleep")
                .arg("3600")
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .spawn();
            match child {
                Ok(child) => crowd.0.push(child),
                Err(error) => {
                    let because =
                        format!("only {} processes can be started: {error}", crowd.0.len());
                    super::skipped(test, &because);
                    return None;
                }
            }
        }
        Some(crowd)
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
