//! What the settings panel says of each program that kills before the kernel does: when it acts, whom it takes, and why
//! it will not.

use std::sync::Arc;

use crate::common::changed::{says, scene_with, words};
use crate::common::scene::{GIB, Scene, id, process};
use oomtop::model::cgroup::CgroupPath;
use oomtop::model::killers::earlyoom::{Release, earlyoom};
use oomtop::model::killers::nohang::nohang;
use oomtop::model::killers::systemd::{OomdConf, Ruleset, add_rulesets, systemd_oomd};
use oomtop::model::killers::talos::{self, talos};
use oomtop::model::killers::units::Managed;
use oomtop::model::killers::{Base, RunningKiller};
use oomtop::model::process::TaskState;
use oomtop::model::snapshot::Snapshot;
use oomtop::model::vm_settings::VmSettings;

/// The panel beside this killer, which runs as process 701.
fn panel(killer: &RunningKiller, change: impl Fn(&mut Snapshot)) -> Scene {
    let mut scene = scene_with((220, 60), |snapshot| {
        snapshot.processes.push(process(701, "killer", 4, -900, 1));
        snapshot.killers = Arc::new(vec![killer.clone()]);
        change(snapshot);
    });
    scene.keys("S");
    scene
}

fn early(base: Base, arguments: &[&str]) -> RunningKiller {
    let release = Release {
        version: (base != Base::Unknown).then(|| "1.8.2".to_owned()),
        base,
    };
    earlyoom(id(701), &release, arguments.iter().copied())
}

/// Half of the host's memory, which is 24 GiB, is what processes can have.
fn half_for_processes(snapshot: &mut Snapshot) {
    snapshot.memory.available = Some(4 * GIB);
    snapshot.memory.anon = Some(8 * GIB);
    (snapshot.memory.swap_total, snapshot.memory.swap_free) = (0, 0);
}

#[test]
fn earlyooms_percentages_are_of_what_its_version_takes_them_of() {
    let arguments = ["-m", "10"];
    let total = panel(&early(Base::Total, &arguments), half_for_processes);
    says(
        &total,
        "SIGTERM when available ≤ 10% (2.4 GiB); now 17%: about 1.6 GiB left",
    );
    let user = panel(&early(Base::User, &arguments), half_for_processes);
    says(&user, "set by its command line, version 1.8.2");
    says(
        &user,
        "SIGTERM when available ≤ 10% (1.2 GiB of the 12 GiB that processes can have); now 33%: about 2.8 GiB left",
    );
    // Both while the version is not known, and the nearer one counts.
    let unknown = panel(&early(Base::Unknown, &arguments), half_for_processes);
    says(
        &unknown,
        "SIGTERM when available ≤ 10% (2.4 GiB), from version 1.8 on 1.2 GiB; now 17%: about 1.6 GiB left",
    );
}

#[test]
fn a_rule_that_will_not_hold_says_why() {
    // Memory is short, swap is free.
    let held = panel(&early(Base::Total, &["-m", "30"]), |snapshot| {
        snapshot.memory.available = Some(4 * GIB);
        (snapshot.memory.swap_total, snapshot.memory.swap_free) = (8 * GIB, 8 * GIB);
    });
    says(&held, "left, for free swap holds it back");
    // The kernel has nothing left before the threshold is met.
    let late = panel(&early(Base::Total, &["-m", "0"]), half_for_processes);
    says(&late, "now 17%: not before the kernel has to kill");
    // It stands still.
    let stopped = panel(&early(Base::Total, &["-m", "10"]), |snapshot| {
        half_for_processes(snapshot);
        if let Some(own) = snapshot.processes.last_mut() {
            own.state = TaskState('T');
        }
    });
    says(
        &stopped,
        "it is stopped (SIGSTOP): it kills nobody until it is continued",
    );
    let asks = panel(&early(Base::Total, &["--kernel-oom"]), half_for_processes);
    says(&asks, "asks the kernel to kill when available ≤ 10%");
    says(&asks, "it would choose nobody itself: the kernel does");
}

#[test]
fn nohang_goes_by_pressure_only_while_memory_is_short_and_there_is_swap() {
    let file = "soft_threshold_min_mem = 5 %\nsoft_threshold_min_swap = 10 %\npsi_checking_enabled = True\n\
        psi_metrics = full_avg10\npsi_excess_duration = 30\nsoft_threshold_max_psi = 40\n\
        zram_checking_enabled = True\nsoft_threshold_max_zram = 55 %\n";
    let killer = nohang(id(701), Some("/etc/nohang/nohang.conf"), Some(file));
    let without = panel(&killer, half_for_processes);
    says(
        &without,
        "memory pressure of the host (full avg10) > 40.0% for 30s",
    );
    says(
        &without,
        "while available ≤ 5% (1.2 GiB): about 2.8 GiB left until that counts: never, there is no swap",
    );
    says(
        &without,
        "zram holds at least 55% (13.2 GiB) of RAM: never, there is no zram",
    );
    let with = panel(&killer, |_| {});
    assert!(
        !words(&with).contains("never, there is no swap"),
        "{}",
        words(&with)
    );
}

fn rules(text: &str) -> RunningKiller {
    let managed = Managed {
        rules: vec!["20-hot".to_owned()],
        ..Managed::default()
    };
    let watched = [(CgroupPath::new("/system.slice"), managed)];
    let mut killer = systemd_oomd(id(701), &OomdConf::default(), &watched);
    let sets = [Ruleset::of("20-hot", text)];
    add_rulesets(&mut killer, &watched, &sets, Some(261));
    killer
}

#[test]
fn the_rules_of_systemd_oomd_say_whom_they_take() {
    let both = rules(
        "[Rule]\nMemoryPressureAbove=10%\nSwapUsageMax=80%\nAction=kill-by-pgscan\nLastingSec=2s\n",
    );
    let scene = panel(&both, |_| {});
    says(
        &scene,
        "kills the group inside that reclaims most when the rule 20-hot holds for /system.slice: memory pressure (full avg10) > 10.0% and used swap > 80% (6.4 GiB) for 2s",
    );
    assert!(
        !words(&scene).contains("it would choose"),
        "{}",
        words(&scene)
    );
    says(
        &scene,
        "The kernel, unless memory pressure makes systemd-oomd act.",
    );
    let swap = rules("[Rule]\nSwapUsageMax=80%\nAction=kill-all\n");
    let scene = panel(&swap, |_| {});
    says(
        &scene,
        "kills the whole group, spared or not, when the rule 20-hot holds for /system.slice: used swap > 80%",
    );
    let scene = panel(&swap, half_for_processes);
    says(&scene, "never, there is no swap");
    let nothing = panel(&rules("[Rule]\nSwapUsageMax=80%\n"), |_| {});
    says(
        &nothing,
        "the rule 20-hot of /system.slice does nothing: it sets no Action= that systemd-oomd knows",
    );
}

fn of_talos(config: Option<&str>) -> RunningKiller {
    let release = talos::Release::of_os("ID=talos\nVERSION_ID=v1.12.3\n");
    talos(id(701), release.as_ref(), config)
}

#[test]
fn the_controller_of_talos_says_how_its_trigger_stands_and_whom_it_ranks_first() {
    let scene = panel(&of_talos(Some("")), |snapshot| {
        snapshot.pressure = Some(oomtop::model::memory::Pressure::default());
    });
    says(&scene, "Talos pid 701");
    says(&scene, "set by the defaults of Talos v1.12.3");
    says(&scene, "not now, memory_full_avg10 > 12.0 is at 0.0");
    says(
        &scene,
        "nobody (before 1.14: any group): its ranking gives none more than 0",
    );
    let off = of_talos(Some("kind: OOMConfig\ntriggerExpression: \"false\"\n"));
    says(
        &panel(&off, |_| {}),
        "its trigger is \"false\": it never kills",
    );
    let odd = of_talos(Some("kind: OOMConfig\ntriggerExpression: has(x, [1])\n"));
    says(
        &panel(&odd, |_| {}),
        "not understood here, when it holds is not known",
    );
    let unread = panel(&of_talos(None), |_| {});
    says(&unread, "the machine's configuration could not be read");
}

#[test]
fn a_kernel_with_bpf_policies_says_that_one_may_decide() {
    let with = |policy| {
        let mut scene = scene_with((120, 60), |snapshot| {
            snapshot.vm_settings = Arc::new(VmSettings {
                bpf_oom_policy: policy,
                ..VmSettings::default()
            });
        });
        scene.keys("S");
        words(&scene)
    };
    assert!(with(Some(true)).contains("this kernel lets a BPF program decide who dies"));
    assert!(!with(Some(false)).contains("BPF"));
    assert!(!with(None).contains("BPF OOM"));
}
