//! `oomtop record` on a disk that is full for a while.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};

use rustix::process::{Pid, Signal, kill_process};

use crate::common::patience::{PATIENCE, until};
use crate::common::skipped;

/// A file system of one megabyte; gone with this value.
struct Disk(tempfile::TempDir);

impl Disk {
    fn make() -> Option<Self> {
        let dir = tempfile::tempdir().expect("a directory");
        let options = ["-t", "tmpfs", "-o", "size=1m,mode=700", "tmpfs"];
        let done = Command::new("mount").args(options).arg(dir.path()).output();
        let is_there = done.is_ok_and(|done| done.status.success());
        is_there.then_some(Self(dir))
    }

    fn at(&self, name: &str) -> std::path::PathBuf {
        self.0.path().join(name)
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.0.path()).status();
    }
}

fn record(file: &Path) -> (Child, Receiver<String>) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_oomtop"))
        .args(["record", "--every", "100ms", "--max", "10M", "-o"])
        .arg(file)
        .stderr(Stdio::piped())
        .spawn()
        .expect("it runs");
    let errors = BufReader::new(child.stderr.take().expect("piped"));
    let (send, said) = channel();
    std::thread::spawn(move || {
        for line in errors.lines().map_while(Result::ok) {
            send.send(line).ok();
        }
    });
    (child, said)
}

#[test]
fn a_full_disk_is_said_and_the_recording_goes_on_when_there_is_room_again() {
    let Some(disk) = Disk::make() else {
        skipped(
            "a recording on a full disk",
            "no file system can be mounted here",
        );
        return;
    };
    let file = disk.at("r.oomrec");
    let (mut recorder, said) = record(&file);
    let size = || fs::metadata(&file).map_or(0, |meta| meta.len());
    assert!(until(|| size() > 4000), "it records");
    // All the room there is.
    let mut filler = fs::File::create(disk.at("filler")).expect("made");
    while filler.write(&[0; 4096]).is_ok_and(|written| written > 0) {}
    let sentence = said.recv_timeout(PATIENCE).expect("a sentence");
    assert!(
        sentence.contains("nothing is recorded: the disk is full; its parts hold"),
        "{sentence}"
    );
    drop(filler);
    let full = size();
    fs::remove_file(disk.at("filler")).expect("removed");
    let sentence = said.recv_timeout(PATIENCE).expect("another one");
    assert!(sentence.contains("recording goes on"), "{sentence}");
    assert!(until(|| size() > full + 2000), "it records again");
    kill_process(Pid::from_child(&recorder), Signal::TERM).expect("it runs");
    assert_eq!(recorder.wait().expect("our child").code(), Some(0));

    let replay = Command::new(env!("CARGO_BIN_EXE_oomtop"))
        .args(["replay", "--json"])
        .arg(&file)
        .output()
        .expect("it runs");
    assert!(replay.status.success());
    let errors = String::from_utf8_lossy(&replay.stderr);
    assert!(
        errors.contains("were not written: too large, or no room on the disk"),
        "{errors}"
    );
    assert_eq!(
        errors.lines().count(),
        1,
        "nothing else is missing: {errors}"
    );
}
