//! What systemd-oomd does with a running unit: set, kept, read back and taken back.

use super::{GROUP, KEPT, MAX, machine, read, sentence, undone, web};
use crate::common::fake_systemd::Manners;
use oomtop::model::cgroup::CgroupPath;
use oomtop::model::plan::receipt::{FailureKind, Reading};
use oomtop::model::plan::step::UnitStep;
use oomtop::model::plan::{Plan, execute, inverse};
use oomtop::model::systemd::Lasting;
use oomtop::model::systemd::oomd::{OomdSetting, UnitOomd};

fn plan(values: &[(OomdSetting, &str)]) -> Plan {
    let step = |(setting, typed): &(OomdSetting, &str)| {
        UnitStep::Oomd(UnitOomd {
            unit: web(),
            group: CgroupPath::new("/system.slice/web.service"),
            setting: *setting,
            value: setting.parse(typed).expect("valid").expect("a value"),
            lasting: Lasting::Runtime,
            leave: None,
        })
    };
    values.iter().map(step).collect()
}

fn all() -> Plan {
    plan(&[
        (OomdSetting::PressureLimit, "90%"),
        (OomdSetting::Pressure, "kill"),
        (OomdSetting::Swap, "kill"),
    ])
}

fn word(text: &str) -> Vec<u8> {
    let mut bytes = vec![u8::try_from(text.len()).expect("short"), 0, 0, 0];
    bytes.extend(text.as_bytes());
    bytes.push(0);
    bytes
}

#[test]
fn what_systemd_oomd_does_is_set_read_back_and_its_undo_leaves_nothing() {
    let (root, systemd, mut writer) = machine();
    let base = root.sys_root().base;
    // Somebody has raised the limit past systemd: it must not be lost with a setting that is no limit.
    std::fs::write(base.join(MAX), "67108864\n").expect("written");
    std::fs::write(base.join(GROUP).join("memory.oom.group"), "1\n").expect("written");
    let receipts = [execute::run(&mut writer, &all())];
    assert_eq!(receipts[0].failure(), None);
    assert_eq!(systemd.oomd("ManagedOOMMemoryPressure"), word("kill"));
    assert_eq!(
        systemd.oomd("ManagedOOMMemoryPressureLimit"),
        3_865_470_566_u32.to_le_bytes()
    );
    assert_eq!(systemd.oomd("ManagedOOMSwap"), word("kill"));
    assert!(base.join(KEPT).join("50-ManagedOOMSwap.conf").exists());
    assert_eq!(read(&base, MAX).as_deref(), Some("67108864"));
    assert_eq!(
        read(&base, &format!("{GROUP}/memory.oom.group")).as_deref(),
        Some("1")
    );
    undone(&mut writer, &receipts);
    assert_eq!(systemd.oomd("ManagedOOMMemoryPressure"), word("auto"));
    assert_eq!(systemd.oomd("ManagedOOMMemoryPressureLimit"), [0; 4]);
    assert_eq!(systemd.oomd("ManagedOOMSwap"), word("auto"));
    assert!(!base.join(KEPT).exists(), "what systemd kept of it is gone");
}

#[test]
fn an_undo_asks_if_somebody_has_set_it_since_and_gives_back_what_was_there() {
    let (root, systemd, mut writer) = machine();
    let spare = |word| plan(&[(OomdSetting::Preference, word)]);
    execute::run(&mut writer, &spare("avoid"));
    let receipts = [execute::run(&mut writer, &spare("omit"))];
    // The kernel's attribute is not written by this systemd: systemd-oomd would not see it.
    let Ok(Reading::UnitOomd(now)) = &receipts[0].steps[0].outcome else {
        panic!("{receipts:?}");
    };
    assert!(now.is_pending);
    execute::run(&mut writer, &spare("none"));
    let plans = inverse::of_write(&receipts);
    let asked = execute::undo(&mut writer, &plans, &inverse::expectations(&receipts));
    assert_eq!(sentence(&asked[0]).0, FailureKind::Changed);
    execute::undo(&mut writer, &plans, &[]);
    assert_eq!(systemd.oomd("ManagedOOMPreference"), word("avoid"));
    let kept = root
        .sys_root()
        .base
        .join(KEPT)
        .join("50-ManagedOOMPreference.conf");
    assert!(kept.exists(), "it was there before");
}

#[test]
fn what_is_refused_not_kept_or_unanswered_says_so() {
    for (manners, kind, words) in [
        (
            Manners::Denies,
            FailureKind::Denied,
            "does not let this user change web.service",
        ),
        (
            Manners::KeepsNothing,
            FailureKind::NotKept,
            "has not kept it in",
        ),
        (
            Manners::HangsUp,
            FailureKind::NotKept,
            "it may have done it",
        ),
    ] {
        let (_root, systemd, mut writer) = machine();
        systemd.behaves(manners);
        let step = plan(&[(OomdSetting::Swap, "kill")]);
        let (found, said) = sentence(&execute::run(&mut writer, &step));
        assert_eq!(found, kind, "{said}");
        assert!(said.contains(words), "{said}");
    }
    let (root, _systemd, mut writer) = machine();
    let own = root
        .sys_root()
        .base
        .join("etc/systemd/system/web.service.d");
    std::fs::create_dir_all(&own).expect("made");
    std::fs::write(
        own.join("90-admin.conf"),
        "[Service]\nManagedOOMSwap=auto\n",
    )
    .expect("written");
    let (_, said) = sentence(&execute::run(
        &mut writer,
        &plan(&[(OomdSetting::Swap, "kill")]),
    ));
    assert!(
        said.contains("90-admin.conf sets ManagedOOMSwap="),
        "{said}"
    );
}
