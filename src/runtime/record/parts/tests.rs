//! What the files of a recording are after each step.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::{LEAST, Parts, numbered, numbers};
use crate::recording::Header;

const HEADER: Header = Header {
    id: 7,
    segment: 0,
    unix_micros: 0,
};

#[test]
fn nothing_that_exists_is_written_over() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("r");
    fs::write(&path, "mine").expect("a file");
    for goes_on in [false, true] {
        let refused = Parts::begin(&path, HEADER, 1 << 20, goes_on).expect_err("refused");
        assert!(refused.contains("left as it is"), "{refused}");
    }
    assert_eq!(fs::read(&path).expect("a file"), b"mine");
    let link = dir.path().join("link");
    std::os::unix::fs::symlink(dir.path().join("elsewhere"), &link).expect("a link");
    for goes_on in [false, true] {
        Parts::begin(&link, HEADER, 1 << 20, goes_on).expect_err("a link");
    }
    assert!(!dir.path().join("elsewhere").exists());
}

#[test]
fn a_part_that_cannot_be_followed_by_another_is_as_it_was() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("r");
    let mut parts = Parts::begin(&path, HEADER, 4 * LEAST, false).expect("a recording");
    parts.append(b"one").expect("written");
    // No number is left.
    let last = numbered(&path, u32::MAX);
    fs::write(&last, "a stranger").expect("a file");
    parts.next_part(1).expect_err("no number");
    // What is in the way is no file of ours.
    fs::remove_file(&last).expect("removed");
    let fresh = super::beside(&path, "new");
    fs::create_dir(&fresh).expect("a directory");
    parts.next_part(1).expect_err("no name");
    parts.append(b"two").expect("written");
    let whole = [&HEADER.bytes()[..], b"onetwo"].concat();
    assert_eq!(fs::read(&path).expect("there"), whole);
    assert_eq!(numbers(&path).expect("a directory"), Vec::<u32>::new());
    fs::remove_dir(&fresh).expect("removed");
    // A recorder was killed here.
    fs::write(&fresh, HEADER.bytes()).expect("a file");
    parts.next_part(1).expect("another part");
    assert_eq!(fs::read(numbered(&path, 1)).expect("there"), whole);
    let header = Header::parse(&fs::read(&path).expect("there")).expect("a header");
    assert_eq!((header.segment, header.unix_micros), (1, 1));
    assert!(!fresh.exists());
}

#[test]
fn no_append_makes_the_parts_larger_than_allowed_and_what_cannot_be_removed_is_said() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("r");
    let mut parts = Parts::begin(&path, HEADER, 1000, false).expect("a recording");
    parts.append(&[1; 800]).expect("written");
    parts.next_part(0).expect("another part");
    parts.append(&[1; 800]).expect("written");
    assert_eq!(numbers(&path).expect("a directory"), Vec::<u32>::new());
    parts.append(&[1; 800]).expect_err("larger than all of it");
    assert!(parts.bytes() <= 1000);
    parts.next_part(0).expect("another part");
    fs::remove_file(numbered(&path, 1)).expect("there");
    fs::create_dir(numbered(&path, 1)).expect("a directory");
    let error = parts.append(&[1; 800]).expect_err("it is no file");
    assert!(error.to_string().contains("cannot be removed"), "{error}");
}

#[test]
fn the_oldest_parts_go_and_what_is_not_ours_stays() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("r");
    fs::write(numbered(&path, 2), "a stranger").expect("a file");
    let mut parts = Parts::begin(&path, HEADER, 4 * LEAST, true).expect("a recording");
    let mode = fs::metadata(&path).expect("made").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    for _ in 0..40 {
        let quarter = usize::try_from(LEAST / 4).expect("small");
        parts.append(&vec![1; quarter]).expect("written");
        if parts.is_full() {
            parts.next_part(0).expect("another part");
        }
        let on_disk: u64 = fs::read_dir(dir.path())
            .expect("a directory")
            .map(|entry| {
                entry
                    .and_then(|entry| entry.metadata())
                    .expect("a file")
                    .len()
            })
            .sum();
        // The stranger's file does not count.
        assert!(on_disk <= 4 * LEAST + 10, "{on_disk}");
        assert!(parts.bytes() <= on_disk);
    }
    let left = numbers(&path).expect("a directory");
    assert!(left.len() <= 5, "{left:?}");
    assert_eq!(
        fs::read(numbered(&path, 2)).ok().as_deref(),
        Some(&b"a stranger"[..])
    );
    drop(parts);
    Parts::begin(&path, HEADER, 4 * LEAST, false).expect_err("parts are there");
    let parts = Parts::begin(&path, HEADER, 4 * LEAST, true).expect("goes on");
    assert!(parts.full.len() >= 2);
}
