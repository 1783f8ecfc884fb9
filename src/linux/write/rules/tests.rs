//! Files of rules, written and left alone.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;

use super::{look, run};
use crate::linux::SysRoot;
use crate::linux::write::pins::Pins;
use crate::linux::write::whole::{HIDDEN, LARGEST};
use crate::model::plan::receipt::{Failure, FailureKind, Reading};
use crate::model::rules::own::{RuleEdit, RuleFound, print_of};

const BLOCK: &str = "\n# 7 x\n[[rule]]\nname = \"x\"\nadj = 5\n";

fn edit(path: &Path, seen: Option<&str>) -> RuleEdit {
    RuleEdit {
        path: path.to_str().expect("text").to_owned(),
        block: BLOCK.to_owned(),
        add: true,
        seen: print_of(seen),
        tell: Vec::new(),
        made: 0,
    }
}

fn done(edit: &RuleEdit) -> Result<Reading, Failure> {
    let root = SysRoot::default();
    run(&root, &Pins::new(root.clone()), edit, &mut Reading::Nothing)
}

/// A directory that root may write rules in: not /tmp itself.
fn directory() -> tempfile::TempDir {
    tempfile::tempdir().expect("a directory")
}

#[test]
fn a_rule_is_added_to_what_a_person_wrote_and_taken_away_again() {
    let dir = directory();
    let path = dir.path().join("new/rules.toml");
    let rule = |is_there, made| {
        let found = RuleFound {
            is_there,
            told: 0,
            made,
        };
        Ok(Reading::Rule(found))
    };
    let new = edit(&path, None);
    assert_eq!(look(&new), rule(false, 0));
    assert_eq!(done(&new), rule(true, 1));
    assert_eq!(look(&new), rule(true, 0));
    assert_eq!(done(&new.back(0)), rule(false, 0));
    assert!(!path.exists(), "nothing but oomtop's was in it");
    let own = "# mine\n[[rule]]\nname = \"a\" # kept\nadj = 1";
    fs::write(&path, own).expect("written");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).expect("changed");
    assert_eq!(done(&edit(&path, Some(own))), rule(true, 0));
    let text = fs::read_to_string(&path).expect("read");
    assert_eq!(text, format!("{own}\n{BLOCK}"));
    assert_eq!(fs::metadata(&path).expect("there").mode() & 0o777, 0o640);
    assert_eq!(done(&edit(&path, None).back(0)), rule(false, 0));
    let text = fs::read_to_string(&path).expect("read");
    assert_eq!(text, format!("{own}\n"));
    let again = done(&edit(&path, None).back(0)).expect_err("gone");
    assert_eq!(again.kind, FailureKind::NoRule);
    let parent = path.parent().expect("a directory");
    assert_eq!(fs::read_dir(parent).expect("listed").count(), 1);
}

#[test]
fn directories_made_for_a_rule_go_with_it_and_all_others_stay() {
    let dir = directory();
    let made_for = |path: &Path| match done(&edit(path, None)) {
        Ok(Reading::Rule(found)) => found.made,
        other => panic!("{other:?}"),
    };
    let path = dir.path().join("etc/oomtop/rules.d/9.toml");
    assert_eq!(made_for(&path), 3);
    done(&edit(&path, None).back(3)).expect("taken out");
    assert!(!dir.path().join("etc").exists(), "all three were oomtop's");
    assert!(dir.path().exists());
    // One of them was there before.
    fs::create_dir(dir.path().join("etc")).expect("made");
    assert_eq!(made_for(&path), 2);
    done(&edit(&path, None).back(2)).expect("taken out");
    assert!(dir.path().join("etc").exists() && !dir.path().join("etc/oomtop").exists());
    // Somebody uses one.
    assert_eq!(made_for(&path), 2);
    fs::write(dir.path().join("etc/oomtop/mine"), "x").expect("written");
    done(&edit(&path, None).back(2)).expect("taken out");
    assert!(dir.path().join("etc/oomtop/mine").exists());
    assert!(!dir.path().join("etc/oomtop/rules.d").exists());
    // A rule of the file stays, and so does its directory.
    assert_eq!(made_for(&path), 1);
    let other = edit(&path, Some(&fs::read_to_string(&path).expect("read")));
    let other = RuleEdit {
        block: BLOCK.replace('x', "y"),
        ..other
    };
    done(&other).expect("a second rule");
    done(&edit(&path, None).back(1)).expect("taken out");
    assert!(path.exists());
    // What is refused leaves nothing behind.
    let refused = dir.path().join("new/rules.toml");
    done(&edit(&refused, Some("shown"))).expect_err("no such text");
    assert!(!dir.path().join("new").exists());
}

#[test]
fn what_was_not_shown_is_left_alone_and_so_is_what_would_not_be_read() {
    let dir = directory();
    let path = dir.path().join("rules.toml");
    fs::write(&path, "# by somebody\n").expect("written");
    let refused = done(&edit(&path, None)).expect_err("changed");
    assert!(refused.sentence.contains("has changed since"), "{refused}");
    let large = "#".repeat(LARGEST - 10);
    fs::write(&path, &large).expect("written");
    let refused = done(&edit(&path, Some(&large))).expect_err("too large");
    assert!(refused.sentence.contains("64 KiB"), "{refused}");
    assert_eq!(fs::read_to_string(&path).expect("read"), large);
    fs::remove_file(&path).expect("removed");
    fs::create_dir(&path).expect("made");
    assert!(done(&edit(&path, None)).is_err());
}

#[test]
fn a_link_stays_and_what_a_killed_run_left_goes() {
    let dir = directory();
    let (real, link) = (dir.path().join("real.toml"), dir.path().join("rules.toml"));
    fs::write(&real, "").expect("written");
    fs::set_permissions(&real, fs::Permissions::from_mode(0o644)).expect("changed");
    fs::write(dir.path().join(format!(".real.toml.{HIDDEN}")), "half").expect("written");
    std::os::unix::fs::symlink("real.toml", &link).expect("linked");
    done(&edit(&link, Some(""))).expect("written");
    assert!(fs::symlink_metadata(&link).expect("there").is_symlink());
    assert_eq!(fs::read_to_string(&real).expect("read"), BLOCK);
    assert_eq!(fs::read_dir(dir.path()).expect("listed").count(), 2);
}

#[test]
fn root_writes_no_rules_where_others_can_change_them() {
    if !rustix::process::geteuid().is_root() {
        let why = "SKIPPED: rules of root, because this is no root";
        std::io::Write::write_fmt(&mut std::io::stderr(), format_args!("{why}\n")).ok();
        return;
    }
    let dir = directory();
    let path = dir.path().join("rules.toml");
    fs::write(&path, "").expect("written");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o666)).expect("changed");
    let refused = done(&edit(&path, Some(""))).expect_err("open");
    assert!(refused.sentence.contains("others than root"), "{refused}");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).expect("changed");
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o777)).expect("changed");
    let refused = done(&edit(&path, Some(""))).expect_err("open");
    assert!(refused.sentence.contains("this directory"), "{refused}");
    assert_eq!(fs::read_to_string(&path).expect("read"), "");
}

#[test]
fn two_at_once_do_not_lose_a_rule() {
    let dir = directory();
    let path = dir.path().join("rules.toml");
    let lock = fs::File::open(dir.path()).expect("opened");
    rustix::fs::flock(&lock, rustix::fs::FlockOperation::LockExclusive).expect("locked");
    let refused = done(&edit(&path, None)).expect_err("locked");
    assert!(refused.sentence.contains("Another oomtop"), "{refused}");
}
