//! Programs that kill before the kernel does, and the settings of the kernel, read from fake trees.
#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on fails"
)]

mod more;

use std::time::Duration;

use crate::common::fake_root::{FakeProcess, FakeRoot, Layout};
use crate::common::sampling::{at, sample, sampler};
use oomtop::model::cgroup::CgroupPath;
use oomtop::model::killers::{Act, Amount, Base, Choice, Killer, RunningKiller, Share, Trigger};
use oomtop::model::snapshot::{Needs, Snapshot};
use oomtop::model::vm_settings::{SwapKind, VmSettings};

fn share(percent: u32) -> Amount {
    Amount::Share(Share::percent(percent))
}

fn low(memory: Amount, swap: Amount, needs_swap: bool) -> Trigger {
    Trigger::Low {
        memory,
        swap,
        needs_swap,
        base: Base::Total,
    }
}

pub(super) fn only(snapshot: &Snapshot) -> &RunningKiller {
    match snapshot.killers.as_slice() {
        [one] => one,
        other => panic!("{other:?}"),
    }
}

pub(super) fn with_earlyoom(line: &str) -> FakeRoot {
    let command = line.replace(' ', "\0") + "\0";
    FakeRoot::new().process(77, |p| p.comm("earlyoom").uid(0).cmdline(&command))
}

#[test]
fn earlyoom_by_its_command_line() {
    let snapshot = sample(&with_earlyoom("/usr/bin/earlyoom -r 3600 -m 7,3"));
    let killer = only(&snapshot);
    assert_eq!(
        (killer.killer, killer.id),
        (Killer::Earlyoom, FakeProcess::id(77))
    );
    // No program to read: of what the percentages are is not known.
    let unknown = |memory, swap| match low(memory, swap, false) {
        Trigger::Low {
            memory,
            swap,
            needs_swap,
            ..
        } => Trigger::Low {
            memory,
            swap,
            needs_swap,
            base: Base::Unknown,
        },
        other => other,
    };
    assert_eq!(killer.rules[0].when, unknown(share(7), share(10)));
    assert_eq!(killer.rules[1].when, unknown(share(3), share(5)));
    assert_eq!(
        (killer.rules[0].act, killer.rules[1].act),
        (Act::Terminate, Act::Kill)
    );
    // 4096 of 8192 MiB are available, 512 of 1024 MiB of swap are free.
    // RAM fills before swap.
    let left = 4096 + (512 - 102);
    let room = killer.rules[0]
        .when
        .room(&snapshot.memory)
        .expect("it goes by memory")
        >> 20;
    assert!(room.abs_diff(left) <= 2, "{room} of {left}");
}

#[test]
fn a_users_process_of_that_name_is_not_believed() {
    let root = with_earlyoom("earlyoom");
    root.set_process(77, |p| p.comm("earlyoom").uid(1000).cmdline("earlyoom\0"));
    assert!(sample(&root).killers.is_empty());
    // systemd makes up uids for services.
    root.set_process(77, |p| p.comm("earlyoom").uid(61_500).cmdline("earlyoom\0"));
    assert_eq!(sample(&root).killers.len(), 1);
}

#[test]
fn what_runs_is_seen_at_once_and_its_files_now_and_then() {
    let root = FakeRoot::new().file("etc/nohang.conf", nohang_file(5));
    let mut sampler = sampler(&root);
    let mut sample = |seconds| {
        let snapshot = sampler.sample(&Needs::default(), at(seconds));
        snapshot.expect("a sample").killers.clone()
    };
    assert!(sample(1).is_empty());
    root.set_process(80, |p| {
        p.comm("nohang")
            .uid(0)
            .cmdline("/usr/bin/python3\0/usr/sbin/nohang\0--monitor\0--config\0/etc/nohang.conf\0")
    });
    let first = sample(2);
    assert_eq!(first[0].rules[0].when, low(share(5), share(10), false));
    root.write("etc/nohang.conf", nohang_file(8));
    assert_eq!(sample(4), first, "not read in every sample");
    // A thread reads them: no sample waits for it for long.
    let wanted = low(share(8), share(10), false);
    let mut now = 4;
    let read_again = crate::common::patience::until(|| {
        now += 1;
        sample(now)[0].rules[0].when == wanted
    });
    assert!(read_again);
    root.end_process(80);
    assert!(sample(now + 1).is_empty());
}

pub(crate) fn nohang_file(percent: u32) -> String {
    format!(
        "  A comment with soft_threshold_min_mem = 50 %\nsoft_threshold_min_mem = {percent} %\n\
         soft_threshold_min_swap = 10 %\nhard_threshold_min_mem = 2 %\nhard_threshold_min_swap = 4 %\n\
         psi_checking_enabled = False\nzram_checking_enabled = False\n"
    )
}

pub(super) fn with_oomd() -> FakeRoot {
    FakeRoot::new()
        .process(90, |p| {
            p.comm("systemd-oomd")
                .uid(998)
                .cgroup("/system.slice/systemd-oomd.service")
        })
        .process(91, |p| {
            p.cgroup("/user.slice/user-1000.slice/user@1000.service/app.slice")
        })
        .v2_group("system.slice", |g| g)
        .v2_group("system.slice/systemd-oomd.service", |g| g)
        .v2_group("user.slice", |g| g)
        .v2_group("user.slice/user-1000.slice", |g| g)
        .v2_group("user.slice/user-1000.slice/user@1000.service", |g| g)
        .v2_group(
            "user.slice/user-1000.slice/user@1000.service/app.slice",
            |g| g,
        )
        .file(
            "usr/lib/systemd/oomd.conf",
            "[OOM]\nSwapUsedLimit=80%\nDefaultMemoryPressureLimit=50%\n",
        )
        .file(
            "usr/lib/systemd/oomd.conf.d/10-a.conf",
            "[OOM]\nSwapUsedLimit=1%\n",
        )
        .file(
            "etc/systemd/oomd.conf.d/10-a.conf",
            "[OOM]\nDefaultMemoryPressureDurationSec=20s\n",
        )
        .file(
            "usr/lib/systemd/system/-.slice.d/10-root.conf",
            "[Slice]\nManagedOOMSwap=kill\n",
        )
        .file(
            "usr/lib/systemd/system/user@.service.d/10-user.conf",
            "[Service]\nManagedOOMMemoryPressure=kill\n",
        )
}

#[test]
fn systemd_oomd_by_its_files_and_units() {
    let root = with_oomd();
    let snapshot = sample(&root);
    let killer = only(&snapshot);
    assert_eq!(
        (killer.killer, killer.choice),
        (Killer::SystemdOomd, Choice::Group)
    );
    let user = CgroupPath::new("/user.slice/user-1000.slice/user@1000.service");
    let pressure = |limit, lasting| Trigger::Pressure {
        group: Some(user.clone()),
        measure: "full avg10",
        limit: Share::percent(limit),
        lasting: Duration::from_secs(lasting),
        memory: None,
        needs_swap: false,
    };
    let rules: Vec<_> = killer.rules.iter().map(|rule| &rule.when).collect();
    // The drop-in in /etc hides the drop-in of the same name in /usr/lib.
    assert_eq!(rules, [&low(share(20), share(20), true), &pressure(50, 20)]);
    assert_eq!(killer.watched, [CgroupPath::root()]);
    // A drop-in as `systemctl set-property --runtime` writes it, and a unit that overrides it.
    root.write(
        "run/systemd/system.control/user@1000.service.d/50-limit.conf",
        "[Service]\nManagedOOMMemoryPressureLimit=12.5%\n",
    );
    root.write(
        "etc/systemd/system/-.slice.d/90-off.conf",
        "[Slice]\nManagedOOMSwap=auto\n",
    );
    let snapshot = sample(&root);
    let killer = only(&snapshot);
    assert_eq!(killer.rules.len(), 1);
    let Trigger::Pressure { limit, .. } = &killer.rules[0].when else {
        panic!("{killer:?}")
    };
    assert_eq!(*limit, Share(1250));
}

#[test]
fn a_slice_set_up_while_memory_is_short_is_seen_before_oomd_kills_in_it() {
    let stalls = "some avg10=42.00 avg60=9.00 avg300=2.00 total=5000\nfull avg10=21.00 avg60=4.00 avg300=1.00 total=4000\n";
    let root = with_oomd().file("proc/pressure/memory", stalls);
    let mut sampler = sampler(&root);
    let first = sampler.sample(&Needs::default(), at(1)).expect("a sample");
    assert!(first.pressure.is_some_and(|p| p.some.avg10 > 40.0));
    let root = root.v2_group("late.slice", |g| g).file(
        "etc/systemd/system/late.slice",
        "[Slice]\nManagedOOMSwap=kill\n",
    );
    let late = CgroupPath::new("/late.slice");
    let mut second = 1;
    let seen = crate::common::patience::until(|| {
        second += 1;
        let snapshot = sampler.sample(&Needs::default(), at(second));
        let snapshot = snapshot.expect("a sample");
        snapshot
            .killers
            .iter()
            .any(|killer| killer.watched.contains(&late))
    });
    assert!(seen, "after {second} samples");
    drop(root);
}

#[test]
fn links_of_the_tree_stay_in_the_tree() {
    let root = with_oomd();
    let dir = root.path("etc/systemd/system");
    std::fs::create_dir_all(&dir).expect("a directory");
    root.write("opt/my.slice", "[Slice]\nManagedOOMSwap=kill\n");
    std::os::unix::fs::symlink("/opt/my.slice", dir.join("system.slice")).expect("a link");
    let snapshot = sample(&root);
    let watched = &only(&snapshot).watched;
    // Before Linux 5.6 an absolute link leads out of the tree, where that file is not.
    let rooted = CgroupPath::root();
    let system = CgroupPath::new("/system.slice");
    assert!(watched.contains(&rooted), "{watched:?}");
    if !watched.contains(&system) {
        crate::common::skipped("links of the tree", "openat2 is refused here");
    }
}

#[test]
fn systemd_oomd_without_files_without_units_and_without_v2() {
    let bare = || FakeRoot::new().process(90, |p| p.comm("systemd-oomd").uid(998));
    let said = |root: &FakeRoot| {
        let snapshot = sample(root);
        let killer = only(&snapshot);
        assert!(killer.rules.is_empty(), "{killer:?}");
        assert!(!killer.unread, "that it kills nobody is known: {killer:?}");
        killer.notes.join(" ")
    };
    assert!(said(&bare()).contains("no unit asks for it"));
    let v1 = FakeRoot::with_layout(Layout::V1).process(90, |p| p.comm("systemd-oomd").uid(998));
    assert!(said(&v1).contains("needs cgroup v2"));
}

#[test]
fn files_that_hang_or_make_no_sense_are_passed_over() {
    let root = with_oomd();
    std::fs::create_dir_all(root.path("usr/lib/systemd/system/x.slice")).expect("a directory");
    let fifo = root.path("etc/systemd/oomd.conf");
    std::fs::create_dir_all(fifo.parent().expect("a parent")).expect("a directory");
    let mode = rustix::fs::Mode::from_raw_mode(0o644);
    rustix::fs::mknodat(rustix::fs::CWD, &fifo, rustix::fs::FileType::Fifo, mode, 0)
        .expect("a FIFO");
    root.write(
        "etc/systemd/system/y.service",
        b"\xff\xfeManagedOOMSwap=kill\0[[[=\n",
    );
    let snapshot = sample(&root);
    assert_eq!(only(&snapshot).rules.len(), 2);
}

#[test]
fn the_kernels_settings() {
    let root = FakeRoot::new()
        .file("proc/sys/vm/panic_on_oom", "1\n")
        .file("proc/sys/kernel/panic", "-1\n")
        .file("proc/sys/vm/oom_kill_allocating_task", "0\n")
        .file("proc/sys/vm/swappiness", "60\n")
        .file("proc/sys/vm/overcommit_ratio", "junk\n")
        .file("sys/module/zswap/parameters/enabled", "Y\n")
        .file(
            "proc/swaps",
            "Filename Type Size Used Priority\n/dev/zram0 partition 1048576 524288 100\n",
        );
    let snapshot = sample(&root);
    let settings = &*snapshot.vm_settings;
    assert_eq!(
        (settings.panic_on_oom, settings.panic_reboot),
        (Some(1), Some(-1))
    );
    assert_eq!(
        (settings.kill_allocating_task, settings.swappiness),
        (Some(0), Some(60))
    );
    assert_eq!(
        (settings.overcommit_ratio, settings.dump_tasks),
        (None, None)
    );
    assert_eq!(
        (settings.zswap, settings.swap_accounting),
        (Some(true), None)
    );
    let swaps = settings.swaps.as_deref().expect("swaps");
    assert_eq!((swaps[0].kind, swaps[0].used), (SwapKind::Zram, 512 << 20));
    // Without files no value is invented.
    assert_eq!(*sample(&FakeRoot::new()).vm_settings, VmSettings::default());
}

#[test]
fn settings_are_read_again_after_a_while_and_swap_accounting_on_v1() {
    let root = FakeRoot::with_layout(Layout::V1).file("proc/sys/vm/panic_on_oom", "0\n");
    let mut sampler = sampler(&root);
    let mut sample = |seconds| {
        let snapshot = sampler.sample(&Needs::default(), at(seconds));
        snapshot.expect("a sample").vm_settings.clone()
    };
    assert_eq!(sample(1).swap_accounting, Some(false));
    root.write("proc/sys/vm/panic_on_oom", "2\n");
    root.write("sys/fs/cgroup/memory/memory.memsw.limit_in_bytes", "1\n");
    let later = sample(10);
    assert_eq!(
        (later.panic_on_oom, later.swap_accounting),
        (Some(2), Some(true))
    );
}

#[test]
fn kubelet_by_its_file_and_k3s_without_a_threshold_of_memory() {
    let command = "/usr/bin/kubelet\0--config=/var/lib/kubelet/config.yaml\0";
    let root = FakeRoot::new()
        .file(
            "var/lib/kubelet/config.yaml",
            "kind: KubeletConfiguration\nevictionHard:\n  memory.available: 500Mi\n",
        )
        .process(77, |p| p.comm("kubelet").uid(0).cmdline(command));
    let snapshot = sample(&root);
    let killer = only(&snapshot);
    assert_eq!(
        (killer.killer, killer.choice),
        (Killer::Kubelet, Choice::Pod)
    );
    let when = Trigger::Eviction {
        limit: Amount::Bytes(500 << 20),
        lasting: Duration::ZERO,
    };
    assert_eq!(killer.rules[0].when, when);
    assert!(!killer.unread);
    root.set_process(77, |p| {
        p.comm("k3s-server")
            .uid(0)
            .cmdline("/usr/local/bin/k3s\0server\0")
    });
    let snapshot = sample(&root);
    let killer = only(&snapshot);
    assert_eq!(killer.killer, Killer::Kubelet);
    assert!(killer.rules.is_empty() && !killer.unread);
    root.write(
        "etc/rancher/k3s/config.yaml",
        "kubelet-arg:\n  - eviction-hard=memory.available<1Gi\n",
    );
    let snapshot = sample(&root);
    assert_eq!(only(&snapshot).rules.len(), 1);
}
