//! Where systemd is not asked, or does not do it: nothing is written, and a sentence says why.

use super::{GROUP, KEPT, MAX, limited, machine, read, sentence, set};
use crate::common::fake_systemd::Manners;
use oomtop::model::cgroup::limits::LimitFile;
use oomtop::model::killers::oom_policy::Manager;
use oomtop::model::plan::execute;
use oomtop::model::plan::receipt::FailureKind;
use oomtop::model::plan::step::{Step, UnitStep};
use oomtop::model::systemd::Lasting;

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
    assert!(
        said.contains("has not answered within 2 s; nothing was written"),
        "{said}"
    );
    std::fs::remove_file(base.join("run/systemd/private")).expect("removed");
    let (kind, said) = sentence(&execute::run(&mut writer, &limited(64 << 20)));
    assert_eq!(kind, FailureKind::Denied);
    assert!(said.contains("cannot be reached over D-Bus"), "{said}");
    std::fs::remove_dir(base.join("run/systemd/system")).expect("removed");
    let (_, said) = sentence(&execute::run(&mut writer, &limited(64 << 20)));
    assert!(said.contains("systemd does not run here"), "{said}");
    assert_eq!(read(&base, MAX).as_deref(), Some("max"));
}

/// Whoever may make groups can make one of any name.
#[test]
fn a_group_that_only_has_the_name_of_a_unit_is_left_alone() {
    let (root, systemd, mut writer) = machine();
    let base = root.sys_root().base;
    systemd.runs_in("/other.slice/web.service");
    let (_, said) = sentence(&execute::run(&mut writer, &limited(64 << 20)));
    assert!(said.contains("are in /other.slice/web.service"), "{said}");
    systemd.runs_in("");
    let (kind, said) = sentence(&execute::run(&mut writer, &limited(64 << 20)));
    assert_eq!(kind, FailureKind::NoGroup);
    assert!(said.contains("runs no process"), "{said}");
    assert_eq!(read(&base, MAX).as_deref(), Some("max"));
    assert!(!base.join(KEPT).exists());
}

/// 5 MiB are in use, systemd has a limit of 4 MiB that somebody has lifted past it.
#[test]
fn no_limit_is_set_where_systemd_would_write_another_that_kills() {
    let (root, _systemd, mut writer) = machine();
    let base = root.sys_root().base;
    assert_eq!(execute::run(&mut writer, &limited(4 << 20)).failure(), None);
    std::fs::write(base.join(MAX), "max\n").expect("lifted");
    let high = set(LimitFile::High, 64 << 20, Lasting::Runtime);
    let (_, said) = sentence(&execute::run(&mut writer, &high));
    assert!(said.contains("that kills"), "{said}");
    assert_eq!(read(&base, MAX).as_deref(), Some("max"));
    // The limit itself can be set.
    assert_eq!(
        execute::run(&mut writer, &limited(64 << 20)).failure(),
        None
    );
    assert_eq!(execute::run(&mut writer, &high).failure(), None);
}

#[test]
fn no_limit_is_set_where_it_would_lift_one_of_before_systemd_231() {
    let (root, systemd, mut writer) = machine();
    let base = root.sys_root().base;
    systemd.has_old_limit(32 << 20);
    std::fs::write(base.join(MAX), "33554432\n").expect("written");
    let high = set(LimitFile::High, 16 << 20, Lasting::Runtime);
    let (_, said) = sentence(&execute::run(&mut writer, &high));
    assert!(said.contains("has MemoryLimit=33554432"), "{said}");
    assert_eq!(read(&base, MAX).as_deref(), Some("33554432"));
    assert_eq!(
        read(&base, &format!("{GROUP}/memory.high")).as_deref(),
        Some("max")
    );
    // Beside a newer one it does not count.
    execute::run(&mut writer, &limited(32 << 20));
    assert_eq!(execute::run(&mut writer, &high).failure(), None);
}

#[test]
fn a_limit_that_another_file_would_take_back_is_not_set() {
    let text = "[Service]\nMemoryMax=1G\n";
    for (lasting, file, refused) in [
        (
            Lasting::Runtime,
            "etc/systemd/system.control/web.service.d/50-MemoryMax.conf",
            true,
        ),
        (
            Lasting::Persistent,
            "etc/systemd/system.control/web.service.d/50-MemoryMax.conf",
            false,
        ),
        (
            Lasting::Persistent,
            "etc/systemd/system/web.service.d/override.conf",
            true,
        ),
        (
            Lasting::Persistent,
            "etc/systemd/system/web.service.d/10-early.conf",
            false,
        ),
    ] {
        let (root, _systemd, mut writer) = machine();
        let base = root.sys_root().base;
        let path = base.join(file);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("made");
        std::fs::write(&path, text).expect("written");
        let receipt = execute::run(&mut writer, &set(LimitFile::Max, 64 << 20, lasting));
        if refused {
            let (_, said) = sentence(&receipt);
            let name = path.file_name().and_then(|name| name.to_str());
            assert!(said.contains(name.expect("a name")), "{said}");
            assert_eq!(read(&base, MAX).as_deref(), Some("max"), "{file}");
            assert_eq!(read(&base, file).as_deref(), Some(text.trim()));
        } else {
            assert_eq!(receipt.failure(), None, "{file}");
        }
    }
}

#[test]
fn the_manager_of_another_user_is_not_asked() {
    let (root, _systemd, mut writer) = machine();
    let base = root.sys_root().base;
    let uid = rustix::process::geteuid().as_raw() + 1;
    // Whatever that user has put there.
    let bus = base.join(format!("run/user/{uid}/bus"));
    std::fs::create_dir_all(bus.parent().expect("a parent")).expect("made");
    let listener = std::os::unix::net::UnixListener::bind(&bus).expect("bound");
    listener.set_nonblocking(true).expect("set");
    let plan = limited(64 << 20).steps.into_iter().map(|step| match step {
        Step::Unit(UnitStep::Limit(mut limit)) => {
            limit.unit.manager = Manager::User(uid);
            Step::Unit(UnitStep::Limit(limit))
        }
        step => step,
    });
    let (kind, said) = sentence(&execute::run(&mut writer, &plan.collect()));
    assert_eq!(kind, FailureKind::Denied);
    assert!(said.contains(&format!("user {uid}")), "{said}");
    assert!(listener.accept().is_err(), "nobody came");
}
