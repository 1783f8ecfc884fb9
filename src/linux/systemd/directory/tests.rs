//! Drop-ins are written whole, removed alone, and reached over no link.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use super::{DRAFT, Directory};
use crate::model::killers::oom_policy::Manager;
use crate::model::plan::receipt::FailureKind;
use crate::model::systemd::drop_in::{FILE, Found};
use crate::model::systemd::{Kept, Lasting, Store, UnitName};

const KEPT: &str = "50-MemoryMax.conf";

fn web() -> UnitName {
    UnitName {
        name: "web.service".to_owned(),
        manager: Manager::System,
    }
}

fn own(base: &Path) -> (Directory, PathBuf) {
    let directory = Directory::of(base, &web(), Store::Own(Lasting::Persistent));
    let path = base.join("etc/systemd/system/web.service.d");
    (directory.expect("of the system"), path)
}

fn control(base: &Path) -> (Directory, PathBuf) {
    let directory = Directory::of(base, &web(), Store::Control(Lasting::Runtime));
    let path = base.join("run/systemd/system.control/web.service.d");
    (directory.expect("of the system"), path)
}

#[test]
fn a_file_is_put_whole_and_taken_away_with_the_directory_that_was_made_for_it() {
    let base = tempfile::tempdir().expect("a directory");
    let (directory, path) = own(base.path());
    assert_eq!(directory.look(FILE), Ok(Found::default()));
    directory.put(FILE, "[Service]\n").expect("written");
    directory
        .put(FILE, "[Service]\nA=b\n")
        .expect("written again");
    let found = directory.look(FILE).expect("read");
    assert_eq!(found.text.as_deref(), Some("[Service]\nA=b\n"));
    assert_eq!(fs::read_dir(&path).expect("listed").count(), 1, "no draft");
    fs::write(path.join("admin.conf"), "").expect("written");
    directory.remove(FILE, true).expect("removed");
    assert!(path.join("admin.conf").exists());
    fs::remove_file(path.join("admin.conf")).expect("removed");
    directory
        .remove(FILE, true)
        .expect("nothing left to remove");
    assert!(!path.exists());
}

#[test]
fn the_draft_of_a_run_that_was_killed_goes_with_the_next_write_or_its_undo() {
    let base = tempfile::tempdir().expect("a directory");
    let (directory, path) = own(base.path());
    let draft = path.join(format!("{FILE}{DRAFT}"));
    for undo in [false, true] {
        fs::create_dir_all(&path).expect("made");
        fs::write(&draft, "[Serv").expect("half a file");
        if undo {
            directory.remove(FILE, true).expect("removed");
            assert!(!path.exists(), "nothing is left");
        } else {
            directory.put(FILE, "[Service]\n").expect("written");
            assert!(!draft.exists());
        }
    }
}

#[test]
fn a_link_anywhere_on_the_way_is_followed_neither_to_read_nor_to_write_nor_to_remove() {
    for name in [
        "etc",
        "etc/systemd",
        "etc/systemd/system",
        "etc/systemd/system/web.service.d",
    ] {
        let base = tempfile::tempdir().expect("a directory");
        let elsewhere = tempfile::tempdir().expect("a directory");
        let (directory, path) = own(base.path());
        // Everything is there, behind the link.
        let rest = path.strip_prefix(base.path().join(name)).expect("below");
        let behind = elsewhere.path().join(rest);
        fs::create_dir_all(&behind).expect("made");
        fs::write(behind.join(FILE), "precious").expect("written");
        let link = base.path().join(name);
        fs::create_dir_all(link.parent().expect("a parent")).expect("made");
        symlink(elsewhere.path(), &link).expect("linked");
        for failure in [
            directory.look(FILE).map(drop),
            directory.put(FILE, "[Service]\n"),
            directory.remove(FILE, true),
        ] {
            let failure = failure.expect_err("refused");
            assert!(failure.sentence.contains("it is a link"), "{failure}");
            assert!(failure.sentence.contains(name), "{failure}");
        }
        assert_eq!(directory.kept(FILE), Kept::File, "not oomtop's to remove");
        let text = fs::read_to_string(behind.join(FILE)).expect("still there");
        assert_eq!(text, "precious");
    }
}

#[test]
fn a_link_or_a_pipe_in_the_place_of_the_file_is_left_alone() {
    let base = tempfile::tempdir().expect("a directory");
    let (directory, path) = own(base.path());
    fs::create_dir_all(&path).expect("made");
    symlink("/etc/passwd", path.join(FILE)).expect("linked");
    assert!(directory.look(FILE).is_err());
    fs::remove_file(path.join(FILE)).expect("removed");
    let mode = rustix::fs::Mode::RWXU;
    rustix::fs::mknodat(
        rustix::fs::CWD,
        path.join(FILE),
        rustix::fs::FileType::Fifo,
        mode,
        0,
    )
    .expect("a pipe");
    assert!(directory.look(FILE).is_err());
}

#[test]
fn what_systemd_kept_before_stays() {
    let base = tempfile::tempdir().expect("a directory");
    let (directory, path) = control(base.path());
    let file = path.join(KEPT);
    assert_eq!(directory.kept(KEPT), Kept::Nothing);
    let make = || {
        fs::create_dir_all(&path).expect("made");
        fs::write(&file, "").expect("written");
    };
    make();
    directory.forget(KEPT, Kept::File).expect("nothing to do");
    assert!(file.exists());
    directory.forget(KEPT, Kept::Directory).expect("removed");
    assert_eq!(directory.kept(KEPT), Kept::Directory);
    make();
    directory.forget(KEPT, Kept::Nothing).expect("removed");
    assert_eq!(directory.kept(KEPT), Kept::Nothing);
}

#[test]
fn what_cannot_be_forgotten_is_named() {
    let base = tempfile::tempdir().expect("a directory");
    let (directory, path) = control(base.path());
    // A directory cannot be unlinked, not even by root.
    fs::create_dir_all(path.join(KEPT)).expect("made");
    let failure = directory.forget(KEPT, Kept::Nothing).expect_err("it fails");
    let named = path.join(KEPT).display().to_string();
    assert!(failure.sentence.contains(&named), "{failure}");
}

#[test]
fn nobody_writes_into_the_home_of_another_user() {
    let base = tempfile::tempdir().expect("a directory");
    let unit = UnitName {
        manager: Manager::User(rustix::process::geteuid().as_raw() + 1),
        ..web()
    };
    for store in [
        Store::Own(Lasting::Persistent),
        Store::Control(Lasting::Runtime),
        Store::Transient,
    ] {
        let failure = Directory::of(base.path(), &unit, store).expect_err("refused");
        assert_eq!(failure.kind, FailureKind::Denied);
    }
}
