//! The version of earlyoom, the rules that units name, and Talos.

use std::time::Duration;

use super::{only, with_earlyoom, with_oomd};
use crate::common::fake_root::{FakeProcess, FakeRoot};
use crate::common::sampling::sample;
use oomtop::model::cgroup::CgroupPath;
use oomtop::model::killers::{Act, Base, Choice, Killer, Share, Trigger};

#[test]
fn the_running_program_tells_what_its_percentages_are_of() {
    for (program, base, version) in [
        ("\u{7f}ELF earlyoom v1.7\n\0", Base::Total, "version 1.7"),
        ("\u{7f}ELF earlyoom v1.8.2\n\0", Base::User, "version 1.8.2"),
        (
            "\u{7f}ELF earlyoom *** unknown version ***\n\0",
            Base::Unknown,
            "line",
        ),
    ] {
        let root = with_earlyoom("earlyoom -m 7").file("proc/77/exe", program);
        let snapshot = sample(&root);
        let killer = only(&snapshot);
        let Trigger::Low { base: found, .. } = killer.rules[0].when else {
            panic!("{killer:?}")
        };
        assert_eq!(found, base, "{program}");
        assert!(killer.source.ends_with(version), "{killer:?}");
    }
    // What is no file is not opened for long, and tells nothing.
    let root = with_earlyoom("earlyoom");
    std::fs::create_dir(root.path("proc/77/exe")).expect("a directory");
    assert_eq!(only(&sample(&root)).source, "its command line");
}

#[test]
fn rules_of_units_by_their_files() {
    let root = with_oomd()
        .v2_group("web.slice", |g| g)
        .file(
            "etc/systemd/system/web.slice",
            "[Slice]\nOOMRules=20-hot gone 30-masked\n",
        )
        .file(
            "usr/lib/systemd/oomd/rules.d/20-hot.oomrule",
            "[Rule]\nSwapUsageMax=1%\nAction=kill-all\n",
        )
        .file(
            "etc/systemd/oomd/rules.d/20-hot.oomrule",
            "[Rule]\nMemoryPressureAbove=10%\nSwapUsageMax=80%\nAction=kill-by-pgscan\nLastingSec=2s\n",
        )
        .file("etc/systemd/oomd/rules.d/30-masked.oomrule", "")
        .file(
            "usr/lib/systemd/oomd/rules.d/30-masked.oomrule",
            "[Rule]\nSwapUsageMax=1%\nAction=kill-all\n",
        );
    let snapshot = sample(&root);
    let killer = only(&snapshot);
    assert!(!killer.unread, "{killer:?}");
    let rules: Vec<_> = killer.rules.iter().collect();
    let hot = Trigger::Ruleset {
        name: "20-hot".to_owned(),
        group: CgroupPath::new("/web.slice"),
        pressure: Some(Share::percent(10)),
        swap_used: Some(Share::percent(80)),
        lasting: Duration::from_secs(2),
    };
    assert_eq!(rules.last().map(|rule| &rule.when), Some(&hot));
    assert_eq!(rules.last().map(|rule| rule.act), Some(Act::KillByReclaim));
    let nothing: Vec<_> = killer
        .notes
        .iter()
        .filter(|note| note.contains("is in no oomd/rules.d"))
        .collect();
    assert_eq!(nothing.len(), 2, "{killer:?}");
    // systemd before 261 has no such setting.
    let root = root.file("usr/lib/systemd/libsystemd-shared-257.so", "");
    let snapshot = sample(&root);
    let killer = only(&snapshot);
    assert!(
        killer
            .notes
            .iter()
            .any(|note| note.contains("257 does not know"))
    );
    assert!(
        !killer
            .rules
            .iter()
            .any(|rule| matches!(rule.when, Trigger::Ruleset { .. }))
    );
}

/// pid 1 of Talos in its group, and the groups beside it.
fn with_talos() -> FakeRoot {
    FakeRoot::new()
        .process(1, |p| p.comm("init").uid(0).cgroup("/init"))
        .process(2, FakeProcess::kernel_thread)
        .v2_group("init", |g| g)
        .v2_group("podruntime", |g| g)
        .v2_group("kubepods", |g| g)
        .file(
            "etc/os-release",
            "NAME=\"Talos\"\nID=talos\nVERSION_ID=v1.13.6\n",
        )
}

#[test]
fn talos_by_its_groups_its_release_and_its_configuration() {
    let root = with_talos();
    let snapshot = sample(&root);
    let killer = only(&snapshot);
    assert_eq!(
        (killer.killer, killer.choice),
        (Killer::Talos, Choice::Ranking)
    );
    assert_eq!(killer.source, "the defaults of Talos v1.13.6");
    assert!(killer.unread, "its configuration is not there: {killer:?}");
    root.write(
        "system/state/config.yaml",
        "machine:\n  token: zq-secret\n---\nkind: OOMConfig\ntriggerExpression: memory_full_avg10 > 30.0\n",
    );
    let snapshot = sample(&root);
    let killer = only(&snapshot);
    assert!(!killer.unread);
    assert!(!format!("{killer:?}").contains("zq-secret"));
    assert!(
        matches!(&killer.rules[0].when, Trigger::Expression { trigger, .. } if trigger == "memory_full_avg10 > 30.0")
    );
    // Another system whose pid 1 happens to be in a group of that name.
    let other = FakeRoot::new()
        .process(1, |p| p.comm("init").uid(0).cgroup("/init"))
        .v2_group("init", |g| g);
    assert!(sample(&other).killers.is_empty());
}
