//! What a service starts with later: written, loaded, taken back.

use std::path::{Path, PathBuf};

use super::{MAX, limited, machine, sentence, undone, web};
use crate::common::fake_systemd::Manners;
use oomtop::linux::write::executor::KernelWriter;
use oomtop::model::plan::execute::{self, Executor};
use oomtop::model::plan::receipt::{FailureKind, Reading};
use oomtop::model::plan::step::UnitStep;
use oomtop::model::plan::{Plan, inverse};
use oomtop::model::process::score::OomScoreAdj;
use oomtop::model::systemd::Lasting;
use oomtop::model::systemd::drop_in::{DropInWrite, FILE, Found, Setting};

fn adjusted(writer: &mut KernelWriter, value: i64) -> Plan {
    let look = |writer: &mut KernelWriter, write: &DropInWrite| {
        let found = writer.look(&UnitStep::DropIn(write.clone()).into());
        match found {
            Ok(Reading::DropIn(found)) => found,
            other => panic!("{other:?}"),
        }
    };
    let setting = Setting::ScoreAdjust(OomScoreAdj::clamped(value));
    let any = DropInWrite::setting(web(), Lasting::Persistent, &Found::default(), setting);
    let found = look(writer, &any);
    let write = DropInWrite::setting(web(), Lasting::Persistent, &found, setting);
    Plan::from_iter([UnitStep::DropIn(write)])
}

fn directory(base: &Path) -> PathBuf {
    base.join("etc/systemd/system/web.service.d")
}

#[test]
fn a_drop_in_is_written_loaded_and_undone_to_the_last_directory() {
    let (root, systemd, mut writer) = machine();
    let base = root.sys_root().base;
    systemd.loads(-500);
    let plan = adjusted(&mut writer, -500);
    let receipts = [execute::run(&mut writer, &plan)];
    assert_eq!(receipts[0].failure(), None);
    let text = std::fs::read_to_string(directory(&base).join(FILE)).expect("written");
    assert!(text.ends_with("[Service]\nOOMScoreAdjust=-500\n"), "{text}");
    assert_eq!(systemd.reloads(), 1);
    // A file that has changed since it was shown is left alone.
    let file = directory(&base).join(FILE);
    std::fs::write(&file, "[Service]\n").expect("written");
    let again = sentence(&execute::run(&mut writer, &plan)).1;
    assert!(again.contains("has changed since it was shown"), "{again}");
    std::fs::write(&file, text).expect("written");
    undone(&mut writer, &receipts);
    assert!(!directory(&base).exists());
    assert_eq!(systemd.reloads(), 2);
}

/// Whoever wrote it may have failed to have it loaded.
#[test]
fn a_file_that_says_so_already_is_loaded_and_asked_about_and_its_undo_lets_it_stand() {
    let (root, systemd, mut writer) = machine();
    let base = root.sys_root().base;
    systemd.loads(-500);
    let plan = adjusted(&mut writer, -500);
    assert_eq!(execute::run(&mut writer, &plan).failure(), None);
    let again = [execute::run(&mut writer, &plan)];
    assert_eq!(again[0].failure(), None);
    assert_eq!(systemd.reloads(), 2);
    assert!(inverse::of_write(&again).is_empty(), "it was there before");
    systemd.loads(7);
    let (kind, said) = sentence(&execute::run(&mut writer, &plan));
    assert_eq!(kind, FailureKind::NotKept);
    assert!(said.contains("OOMScoreAdjust=7"), "{said}");
    assert!(directory(&base).join(FILE).exists());
}

/// 5 MiB are in use; systemd has a limit of 4 MiB that somebody has lifted past it, and writes it when it loads its files.
#[test]
fn nothing_is_loaded_where_systemd_would_write_a_limit_that_kills() {
    let (root, systemd, mut writer) = machine();
    let base = root.sys_root().base;
    assert_eq!(execute::run(&mut writer, &limited(4 << 20)).failure(), None);
    std::fs::write(base.join(MAX), "max\n").expect("lifted");
    let plan = adjusted(&mut writer, -500);
    let said = sentence(&execute::run(&mut writer, &plan)).1;
    assert!(said.contains("that kills"), "{said}");
    assert_eq!(systemd.reloads(), 0);
    assert!(!directory(&base).exists());
}

#[test]
fn a_manager_that_loads_for_long_is_told_of() {
    let (root, systemd, mut writer) = machine();
    let base = root.sys_root().base;
    let plan = adjusted(&mut writer, -500);
    systemd.behaves(Manners::DoesInSilence);
    let begun = std::time::Instant::now();
    let receipts = [execute::run(&mut writer, &plan)];
    let outcome = &receipts[0].steps[0].outcome;
    assert!(
        matches!(outcome, Ok(Reading::DropInUnread(_))),
        "{outcome:?}"
    );
    assert!(directory(&base).join(FILE).exists());
    // Who asks it again at once would only wait, and all other writes behind it.
    let back = execute::undo(&mut writer, &inverse::of_write(&receipts), &[]);
    let said = sentence(&back[0]).1;
    assert!(
        // Two seconds until it was silent, and two for which that is remembered.
        said.contains("a moment ago") || begun.elapsed().as_secs() >= 4,
        "{said}"
    );
}

#[test]
fn a_manager_that_refuses_to_load_leaves_a_write_that_can_be_undone() {
    let (root, systemd, mut writer) = machine();
    let base = root.sys_root().base;
    std::fs::create_dir_all(directory(&base)).expect("made");
    let text = "[Service]\nOOMScoreAdjust=-500\n";
    std::fs::write(directory(&base).join(FILE), text).expect("written");
    systemd.loads(-500);
    let plan = adjusted(&mut writer, -600);
    // It answers what it has loaded, which is not this.
    let receipt = execute::run(&mut writer, &plan);
    assert_eq!(sentence(&receipt).0, FailureKind::NotKept);
    assert_eq!(receipt.taken_back.len(), 1, "{receipt:?}");
    let found = std::fs::read_to_string(directory(&base).join(FILE));
    assert_eq!(found.expect("as it was"), text);
}

#[test]
fn an_undo_removes_one_file_and_another_drop_in_that_wins_is_named() {
    let (root, systemd, mut writer) = machine();
    let base = root.sys_root().base;
    std::fs::create_dir_all(directory(&base)).expect("made");
    std::fs::write(
        directory(&base).join("90-admin.conf"),
        "[Service]\nOOMScoreAdjust=7\n",
    )
    .expect("written");
    systemd.loads(7);
    let plan = adjusted(&mut writer, -500);
    let receipts = [execute::run(&mut writer, &plan)];
    let (kind, said) = sentence(&receipts[0]);
    assert_eq!(kind, FailureKind::NotKept);
    assert!(
        said.contains("OOMScoreAdjust=7") && said.contains("another drop-in"),
        "{said}"
    );
    let back = execute::undo(&mut writer, &inverse::of_write(&receipts), &[]);
    assert!(back.iter().all(|plan| plan.failure().is_none()), "{back:?}");
    assert!(!directory(&base).join(FILE).exists());
    assert!(directory(&base).join("90-admin.conf").exists());
}

#[test]
fn a_drop_in_is_not_written_where_systemd_would_not_load_it() {
    let (root, systemd, mut writer) = machine();
    let base = root.sys_root().base;
    let plan = adjusted(&mut writer, -500);
    systemd.is_transient();
    let receipt = execute::run(&mut writer, &plan);
    assert!(sentence(&receipt).1.contains("is transient"));
    systemd.behaves(Manners::Silent);
    std::fs::remove_file(base.join("run/systemd/private")).expect("removed");
    let receipt = execute::run(&mut writer, &plan);
    assert!(sentence(&receipt).1.contains("cannot be reached"));
    assert!(!directory(&base).exists());
}

#[test]
fn a_manager_that_refuses_the_reload_is_told_of_and_the_file_goes_again() {
    let (root, systemd, mut writer) = machine();
    let base = root.sys_root().base;
    systemd.loads(-500);
    let plan = adjusted(&mut writer, -500);
    systemd.behaves(Manners::RefusesToLoad);
    let receipt = execute::run(&mut writer, &plan);
    let (kind, said) = sentence(&receipt);
    assert_eq!(kind, FailureKind::NotKept);
    assert!(
        said.contains("is written, but systemd did not load its files again"),
        "{said}"
    );
    assert!(said.contains("daemon-reload"), "{said}");
    assert!(!directory(&base).join(FILE).exists());
    // It is gone; but that systemd has noticed that nobody can say.
    let back = receipt.way_back(0).expect("it was tried");
    let why = back.as_ref().expect_err("refused as well");
    assert!(
        why.sentence
            .contains("is removed, but systemd did not load"),
        "{why}"
    );
    assert_eq!(systemd.reloads(), 0);
}

/// Anybody who may make groups may call one so.
#[test]
fn a_group_that_only_has_the_name_of_a_unit_gets_no_drop_in() {
    let (root, systemd, mut writer) = machine();
    let base = root.sys_root().base;
    systemd.loads(-500);
    let UnitStep::DropIn(write) = (match &adjusted(&mut writer, -500).steps[0] {
        oomtop::model::plan::step::Step::Unit(step) => step.clone(),
        other => panic!("{other:?}"),
    }) else {
        panic!("a drop-in")
    };
    let seen_in = |group: &str| {
        let group = oomtop::model::cgroup::CgroupPath::new(group);
        Plan::from_iter([UnitStep::DropIn(write.clone().seen_in(Some(group)))])
    };
    let (_, said) = sentence(&execute::run(
        &mut writer,
        &seen_in("/other.slice/web.service"),
    ));
    assert!(said.contains("only has its name"), "{said}");
    assert!(!directory(&base).join(FILE).exists());
    let own = execute::run(&mut writer, &seen_in("/system.slice/web.service"));
    assert_eq!(own.failure(), None);
}
