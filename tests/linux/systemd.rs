//! Limits by systemd and drop-ins for later, against a manager on a socket below a fake root.

use std::path::{Path, PathBuf};

use crate::common::fake_root::FakeRoot;
use crate::common::fake_systemd::{FakeSystemd, Manners};
use oomtop::linux::write::executor::KernelWriter;
use oomtop::model::cgroup::limits::{LimitFile, LimitPatch, LimitValue, Limits};
use oomtop::model::cgroup::{CgroupPath, CgroupVersion};
use oomtop::model::killers::oom_policy::Manager;
use oomtop::model::plan::execute::{self, Executor};
use oomtop::model::plan::receipt::{FailureKind, PlanReceipt};
use oomtop::model::plan::step::UnitStep;
use oomtop::model::plan::{Plan, build, inverse};
use oomtop::model::process::score::OomScoreAdj;
use oomtop::model::systemd::drop_in::{DropInWrite, FILE, Found, Setting};
use oomtop::model::systemd::{Lasting, UnitName};

const GROUP: &str = "sys/fs/cgroup/system.slice/web.service";

fn web() -> UnitName {
    UnitName {
        name: "web.service".to_owned(),
        manager: Manager::System,
    }
}

/// A machine with the group of web.service, its manager, and who writes there.
fn machine() -> (FakeRoot, FakeSystemd, KernelWriter) {
    let root = FakeRoot::new()
        .v2_group("system.slice", |g| g)
        .v2_group("system.slice/web.service", |g| {
            g.max("max").current(5 << 20)
        });
    let base = root.sys_root().base;
    let systemd = FakeSystemd::start(&base, GROUP);
    let writer = KernelWriter::new(root.sys_root(), CgroupVersion::V2);
    (root, systemd, writer)
}

fn limited(bytes: u64) -> Plan {
    let group = CgroupPath::new("/system.slice/web.service");
    let patch: LimitPatch = [(LimitFile::Max, LimitValue::Amount(bytes))]
        .into_iter()
        .collect();
    let plan = build::change_limits(&group, Some(Limits::default()), &patch).expect("a plan");
    build::by_systemd(plan, &web(), Lasting::Runtime)
}

fn sentence(receipt: &PlanReceipt) -> (FailureKind, String) {
    let failure = receipt.failure().expect("it failed");
    (failure.kind, failure.sentence.clone())
}

fn read(base: &Path, file: &str) -> Option<String> {
    std::fs::read_to_string(base.join(file)).ok()
}

#[test]
fn a_limit_by_systemd_is_read_back_and_its_undo_leaves_nothing() {
    let (root, systemd, mut writer) = machine();
    let base = root.sys_root().base;
    let plan = limited(64 << 20);
    let receipt = execute::run(&mut writer, &plan);
    assert_eq!(receipt.failure(), None);
    let max = format!("{GROUP}/memory.max");
    assert_eq!(read(&base, &max).as_deref(), Some("67108864\n"));
    let kept = base.join("run/systemd/system.control/web.service.d");
    assert!(kept.join("50-MemoryMax.conf").exists());
    let receipts = [receipt];
    let expected = inverse::expectations(&receipts);
    let back = execute::undo(&mut writer, &inverse::of_write(&receipts), &expected);
    assert!(back.iter().all(|plan| plan.failure().is_none()), "{back:?}");
    assert_eq!(read(&base, &max).as_deref(), Some("max\n"));
    assert!(!kept.exists(), "what systemd kept of it is gone");
    assert_eq!(systemd.reloads(), 1);
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
    let kept = "run/systemd/system.control/web.service.d/50-MemoryMax.conf";
    assert_eq!(
        read(&base, kept).as_deref(),
        Some("[Service]\nMemoryMax=33554432\n")
    );
}

#[test]
fn what_was_written_past_systemd_is_restored_too() {
    let (root, _systemd, mut writer) = machine();
    let base = root.sys_root().base;
    let max = format!("{GROUP}/memory.max");
    std::fs::write(base.join(&max), "16777216\n").expect("written");
    let receipts = [execute::run(&mut writer, &limited(64 << 20))];
    let back = execute::undo(&mut writer, &inverse::of_write(&receipts), &[]);
    assert!(back.iter().all(|plan| plan.failure().is_none()), "{back:?}");
    assert_eq!(
        read(&base, &max).map(|text| text.trim().to_owned()),
        Some("16777216".to_owned())
    );
}

#[test]
fn without_systemd_or_with_one_that_does_not_answer_a_sentence_says_so() {
    let (root, systemd, mut writer) = machine();
    let base = root.sys_root().base;
    systemd.behaves(Manners::Denies);
    let (kind, said) = sentence(&execute::run(&mut writer, &limited(64 << 20)));
    assert_eq!(kind, FailureKind::Denied);
    assert!(
        said.contains("does not let this user change web.service"),
        "{said}"
    );
    systemd.behaves(Manners::Silent);
    let (_, said) = sentence(&execute::run(&mut writer, &limited(64 << 20)));
    assert!(said.contains("has not answered within 2 s"), "{said}");
    std::fs::remove_file(base.join("run/systemd/private")).expect("removed");
    let (kind, said) = sentence(&execute::run(&mut writer, &limited(64 << 20)));
    assert_eq!(kind, FailureKind::Denied);
    assert!(said.contains("cannot be reached over D-Bus"), "{said}");
    std::fs::remove_dir(base.join("run/systemd/system")).expect("removed");
    let (_, said) = sentence(&execute::run(&mut writer, &limited(64 << 20)));
    assert!(said.contains("systemd does not run here"), "{said}");
    assert_eq!(
        read(&base, &format!("{GROUP}/memory.max")).as_deref(),
        Some("max\n")
    );
}

fn adjusted(writer: &mut KernelWriter, value: i64) -> Plan {
    let look = |writer: &mut KernelWriter, write: &DropInWrite| {
        let found = writer.look(&UnitStep::DropIn(write.clone()).into());
        match found {
            Ok(oomtop::model::plan::receipt::Reading::DropIn(found)) => found,
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
    // It says so already: nothing is loaded for that. A file that has changed since it was shown is left alone.
    assert_eq!(execute::run(&mut writer, &plan).failure(), None);
    assert_eq!(systemd.reloads(), 1);
    let file = directory(&base).join(FILE);
    std::fs::write(&file, "[Service]\n").expect("written");
    let again = sentence(&execute::run(&mut writer, &plan)).1;
    assert!(again.contains("has changed since it was shown"), "{again}");
    std::fs::write(&file, text).expect("written");
    let plans = inverse::of_write(&receipts);
    let back = execute::undo(&mut writer, &plans, &inverse::expectations(&receipts));
    assert!(back.iter().all(|plan| plan.failure().is_none()), "{back:?}");
    assert!(!directory(&base).exists());
    assert_eq!(systemd.reloads(), 2);
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
    systemd.behaves(Manners::Silent);
    std::fs::remove_file(base.join("run/systemd/private")).expect("removed");
    let receipt = execute::run(&mut writer, &plan);
    assert!(sentence(&receipt).1.contains("cannot be reached"));
    assert!(!directory(&base).exists());
}
