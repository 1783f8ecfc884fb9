//! Limits of a running unit, what is written beside them, and the way back.

use super::{GROUP, KEPT, MAX, limited, machine, read, sentence, set, undone, web};
use crate::common::fake_systemd::Manners;
use oomtop::model::cgroup::CgroupPath;
use oomtop::model::cgroup::limits::{LimitFile, LimitPatch, LimitValue, Limits};
use oomtop::model::plan::receipt::FailureKind;
use oomtop::model::plan::{build, execute, inverse};
use oomtop::model::systemd::Lasting;

#[test]
fn a_limit_by_systemd_is_read_back_and_its_undo_leaves_nothing() {
    for (lasting, place) in [
        (Lasting::Runtime, KEPT),
        (
            Lasting::Persistent,
            "etc/systemd/system.control/web.service.d",
        ),
    ] {
        let (root, systemd, mut writer) = machine();
        let base = root.sys_root().base;
        let receipt = execute::run(&mut writer, &set(LimitFile::Max, 64 << 20, lasting));
        assert_eq!(receipt.failure(), None);
        assert_eq!(read(&base, MAX).as_deref(), Some("67108864"));
        assert!(base.join(place).join("50-MemoryMax.conf").exists());
        undone(&mut writer, &[receipt]);
        assert_eq!(read(&base, MAX).as_deref(), Some("max"));
        assert_eq!(systemd.property("MemoryMax"), u64::MAX);
        assert!(
            !base.join(place).exists(),
            "what systemd kept of it is gone"
        );
        assert_eq!(systemd.reloads(), 0, "nothing that was not shown");
    }
}

#[test]
fn an_undo_keeps_what_somebody_else_had_set_and_asks_if_it_has_changed_since() {
    let (root, _systemd, mut writer) = machine();
    let base = root.sys_root().base;
    execute::run(&mut writer, &limited(32 << 20));
    let receipts = [execute::run(&mut writer, &limited(64 << 20))];
    execute::run(&mut writer, &limited(48 << 20));
    let plans = inverse::of_write(&receipts);
    let asked = execute::undo(&mut writer, &plans, &inverse::expectations(&receipts));
    assert_eq!(sentence(&asked[0]).0, FailureKind::Changed);
    let back = execute::undo(&mut writer, &plans, &[]);
    assert!(back.iter().all(|plan| plan.failure().is_none()), "{back:?}");
    assert_eq!(
        read(&base, &format!("{KEPT}/50-MemoryMax.conf")).as_deref(),
        Some("[Service]\nMemoryMax=33554432")
    );
}

#[test]
fn what_was_written_past_systemd_is_restored_too() {
    let (root, systemd, mut writer) = machine();
    let base = root.sys_root().base;
    std::fs::write(base.join(MAX), "16777216\n").expect("written");
    let receipts = [execute::run(&mut writer, &limited(64 << 20))];
    undone(&mut writer, &receipts);
    assert_eq!(read(&base, MAX).as_deref(), Some("16777216"));
    assert_eq!(systemd.property("MemoryMax"), u64::MAX);
}

/// systemd writes all of them, whichever it is asked for.
#[test]
fn what_somebody_has_written_into_the_files_beside_it_survives_the_limit_and_its_undo() {
    let (root, _systemd, mut writer) = machine();
    let base = root.sys_root().base;
    let raw = [
        ("memory.high", "33554432"),
        ("memory.low", "4096"),
        ("memory.swap.max", "8192"),
        ("memory.oom.group", "1"),
        ("pids.max", "77"),
    ];
    for (file, text) in raw {
        std::fs::write(base.join(GROUP).join(file), format!("{text}\n")).expect("written");
    }
    let all = || raw.map(|(file, _)| read(&base, &format!("{GROUP}/{file}")).unwrap_or_default());
    let receipts = [execute::run(&mut writer, &limited(64 << 20))];
    assert_eq!(receipts[0].failure(), None);
    assert_eq!(all(), raw.map(|(_, text)| text.to_owned()));
    undone(&mut writer, &receipts);
    assert_eq!(all(), raw.map(|(_, text)| text.to_owned()));
    assert_eq!(read(&base, MAX).as_deref(), Some("max"));
}

/// systemd has no property for `memory.oom.group`: it is written past it, before the limit that may kill.
#[test]
fn a_file_that_systemd_does_not_set_keeps_its_value_beside_the_limit_of_the_same_plan() {
    let (root, _systemd, mut writer) = machine();
    let base = root.sys_root().base;
    let group = CgroupPath::new("/system.slice/web.service");
    let patch: LimitPatch = [
        (LimitFile::Max, LimitValue::Amount(64 << 20)),
        (LimitFile::OomGroup, LimitValue::Switch(true)),
    ]
    .into_iter()
    .collect();
    let plan = build::change_limits(&group, Some(Limits::default()), &patch).expect("a plan");
    let plan = build::by_systemd(plan, &web(), Lasting::Runtime);
    let receipts = [execute::run(&mut writer, &plan)];
    assert_eq!(receipts[0].failure(), None);
    let kills_all = || read(&base, &format!("{GROUP}/memory.oom.group"));
    assert_eq!(kills_all().as_deref(), Some("1"));
    undone(&mut writer, &receipts);
    assert_eq!(kills_all().as_deref(), Some("0"));
    assert_eq!(read(&base, MAX).as_deref(), Some("max"));
}

#[test]
fn a_service_that_has_been_stopped_loses_its_limit_all_the_same() {
    let (root, systemd, mut writer) = machine();
    let base = root.sys_root().base;
    let receipts = [execute::run(&mut writer, &limited(64 << 20))];
    std::fs::remove_dir_all(base.join(GROUP)).expect("stopped");
    systemd.runs_in("");
    undone(&mut writer, &receipts);
    assert_eq!(systemd.property("MemoryMax"), u64::MAX);
    assert!(!base.join(KEPT).exists());
    assert!(!base.join(GROUP).exists());
}

/// `MemoryLimit=` counts as long as no newer setting does.
#[test]
fn the_undo_of_a_limit_goes_back_to_the_old_setting() {
    let (root, systemd, mut writer) = machine();
    let base = root.sys_root().base;
    systemd.has_old_limit(32 << 20);
    std::fs::write(base.join(MAX), "33554432\n").expect("written");
    let receipts = [execute::run(&mut writer, &limited(64 << 20))];
    assert_eq!(receipts[0].failure(), None);
    undone(&mut writer, &receipts);
    assert_eq!(read(&base, MAX).as_deref(), Some("33554432"));
}

#[test]
fn a_limit_that_was_set_can_be_undone_whatever_failed_after_it() {
    // It was set, but cannot be read back.
    let (root, systemd, mut writer) = machine();
    let base = root.sys_root().base;
    systemd.behaves(Manners::LosesTheFile);
    let receipts = [execute::run(&mut writer, &limited(64 << 20))];
    assert_eq!(sentence(&receipts[0]).0, FailureKind::NotKept);
    systemd.behaves(Manners::Answers);
    std::fs::write(base.join(MAX), "67108864\n").expect("there again");
    undone(&mut writer, &receipts);
    assert_eq!(systemd.property("MemoryMax"), u64::MAX);

    // It was set, but nobody said so.
    let (root, systemd, mut writer) = machine();
    let base = root.sys_root().base;
    systemd.behaves(Manners::DoesAndHangsUp);
    let receipts = [execute::run(&mut writer, &limited(64 << 20))];
    assert_eq!(receipts[0].failure(), None, "the file shows it");
    assert_eq!(read(&base, MAX).as_deref(), Some("67108864"));

    // Nobody knows.
    let (_root, systemd, mut writer) = machine();
    systemd.behaves(Manners::HangsUp);
    let receipts = [execute::run(&mut writer, &limited(64 << 20))];
    let (kind, said) = sentence(&receipts[0]);
    assert_eq!(kind, FailureKind::NotKept);
    assert!(said.contains("it may have done it"), "{said}");
    assert!(!inverse::of_write(&receipts).is_empty());
}

#[test]
fn what_systemd_keeps_and_cannot_be_removed_is_named() {
    let (root, _systemd, mut writer) = machine();
    let base = root.sys_root().base;
    let receipts = [execute::run(&mut writer, &limited(64 << 20))];
    // systemd writes it once more while the undo sets the property back.
    let elsewhere = base.join("elsewhere");
    std::fs::create_dir(&elsewhere).expect("made");
    std::fs::remove_dir_all(base.join(KEPT)).expect("removed");
    std::os::unix::fs::symlink(&elsewhere, base.join(KEPT)).expect("linked");
    let back = execute::undo(&mut writer, &inverse::of_write(&receipts), &[]);
    let (kind, said) = sentence(&back[0]);
    assert_eq!(kind, FailureKind::NotKept);
    assert!(said.contains(KEPT), "{said}");
    let kept = elsewhere.join("50-MemoryMax.conf");
    assert!(kept.exists(), "a link is not followed to remove something");
}

/// On a read-only /etc it says nothing.
#[test]
fn a_limit_that_systemd_could_not_keep_is_not_called_kept() {
    let (root, systemd, mut writer) = machine();
    let base = root.sys_root().base;
    systemd.behaves(Manners::KeepsNothing);
    let (kind, said) = sentence(&execute::run(&mut writer, &limited(64 << 20)));
    assert_eq!(kind, FailureKind::NotKept);
    assert!(said.contains("has not kept it in"), "{said}");
    assert_eq!(
        read(&base, MAX).as_deref(),
        Some("max"),
        "it was taken back"
    );
}
