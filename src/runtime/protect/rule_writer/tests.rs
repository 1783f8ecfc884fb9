//! Limits of groups that are there: raised, left, unread.

use std::fs;
use std::path::Path;

use super::{RuleWriter, Settled, settle};
use crate::linux::SysRoot;
use crate::model::cgroup::{CgroupPath, CgroupVersion};
use crate::model::process::ProcessId;
use crate::model::rules::RuleId;
use crate::model::rules::census::Holding;
use crate::model::rules::rule_group::{RuleGroup, Transfer};

const MIB: u64 = 1 << 20;

/// Groups of v2 in plain files: each file of a group with its text.
fn writer(root: &Path, groups: &[(&str, &[(&str, &str)])]) -> RuleWriter {
    let tree = root.join("sys/fs/cgroup");
    fs::create_dir_all(&tree).expect("a directory");
    fs::write(tree.join("cgroup.controllers"), "memory\n").expect("a file");
    fs::write(tree.join("cgroup.procs"), "").expect("a file");
    fs::create_dir_all(root.join("proc")).expect("a directory");
    for (group, files) in groups {
        let dir = tree.join(group);
        fs::create_dir_all(&dir).expect("a directory");
        for (file, text) in *files {
            fs::write(dir.join(file), text).expect("a file");
        }
    }
    RuleWriter::new(&SysRoot::under(root), CgroupVersion::V2, None).expect("a writer")
}

fn rule_group(max: Option<u64>, high: Option<u64>) -> RuleGroup {
    let group = CgroupPath::new("/jobs");
    RuleGroup { group, max, high }
}

#[test]
fn both_limits_of_a_group_that_is_there_are_raised_and_never_lowered() {
    let root = tempfile::tempdir().expect("a directory");
    let text = |file: &str| fs::read_to_string(root.path().join("sys/fs/cgroup/jobs").join(file));
    let files = [("memory.max", "1048576"), ("memory.high", "1048576")];
    let mut writer = writer(root.path(), &[("jobs", &files)]);
    let notes = writer.prepare(&rule_group(None, Some(8 * MIB)));
    assert_eq!(notes, Ok(Vec::new()));
    assert_eq!(text("memory.high").expect("a file"), "8388608");
    assert_eq!(text("memory.max").expect("a file"), "1048576");
    let notes = writer
        .prepare(&rule_group(Some(9 * MIB), Some(4 * MIB)))
        .expect("ready");
    assert_eq!(text("memory.max").expect("a file"), "9437184");
    assert_eq!(
        text("memory.high").expect("a file"),
        "8388608",
        "not lowered"
    );
    let [note] = notes.as_slice() else {
        panic!("{notes:?}")
    };
    assert!(
        note.contains("a higher limit than memory_high 4194304"),
        "{note}"
    );
}

#[test]
fn a_limit_that_cannot_be_read_keeps_a_process_and_a_missing_file_does_not() {
    let refusal = |files: &[(&str, &str)], spoil: bool| {
        let root = tempfile::tempdir().expect("a directory");
        let mut writer = writer(root.path(), &[("a", files)]);
        if spoil {
            // Reading it fails, and not because it is missing.
            fs::create_dir(root.path().join("sys/fs/cgroup/a/memory.max")).expect("a directory");
        }
        writer.refusal(&Transfer {
            id: ProcessId {
                pid: 7,
                start_ticks: 1,
            },
            comm: "job".into(),
            from: CgroupPath::new("/a"),
            rule_group: rule_group(None, None),
            holding: Holding {
                rule: RuleId(0),
                descends: None,
                value: None,
            },
        })
    };
    assert_eq!(refusal(&[], false), None);
    assert_eq!(refusal(&[("memory.max", "max\n")], false), None);
    assert!(refusal(&[("memory.max", "4096\n")], false).is_some());
    let said = refusal(&[], true).expect("stays");
    assert!(said.contains("cannot be read"), "{said}");
}

#[test]
fn a_page_more_or_less_is_the_same_limit() {
    assert_eq!(settle(Some(5 * MIB), 5 * MIB + 4095), Settled::Kept);
    assert_eq!(settle(Some(4 * MIB), 5 * MIB), Settled::Raised(4 * MIB));
    assert_eq!(settle(Some(6 * MIB), 5 * MIB), Settled::Left);
    assert_eq!(settle(None, 5 * MIB), Settled::Left);
}
