//! Files of other programs and of units: which are opened, and what they say of a kill in a unit.

use std::os::unix::fs::PermissionsExt;

use crate::common::fake_root::{FakeProcess, FakeRoot};
use crate::common::sampling::{at, sample, sampler};
use crate::killers::nohang_file;
use oomtop::model::snapshot::Needs;

#[test]
fn nothing_but_a_file_of_root_is_opened_for_nohang() {
    let line = |path: &str| format!("/usr/sbin/nohang\0--config\0{path}\0");
    let root = FakeRoot::new().file("etc/nohang.conf", nohang_file(5));
    let rules = |path: &str, uid: u32| {
        root.set_process(80, |p| p.comm("nohang").uid(uid).cmdline(line(path)));
        sample(&root)
            .killers
            .first()
            .map_or(0, |killer| killer.rules.len())
    };
    assert!(rules("/etc/nohang.conf", 0) > 0);
    assert_eq!(
        rules("/etc/nohang.conf", 33),
        0,
        "another user chose the path"
    );
    let fifo = root.path("etc/fifo");
    let mode = rustix::fs::Mode::from_raw_mode(0o644);
    rustix::fs::mknodat(rustix::fs::CWD, &fifo, rustix::fs::FileType::Fifo, mode, 0)
        .expect("a FIFO");
    // A writer gets ENXIO until somebody opens the other end: nobody did.
    let writer = || {
        let flags = rustix::fs::OFlags::WRONLY | rustix::fs::OFlags::NONBLOCK;
        rustix::fs::open(&fifo, flags, rustix::fs::Mode::empty())
    };
    let looks = std::thread::scope(|scope| {
        let seen = scope.spawn(|| (0..20_000).any(|_| writer().is_ok()));
        for _ in 0..5 {
            assert_eq!(rules("/etc/fifo", 0), 0);
        }
        seen.join().expect("the writer")
    });
    assert!(!looks, "the FIFO was opened");
    root.write("etc/open.conf", nohang_file(5));
    let loose = std::fs::Permissions::from_mode(0o666);
    std::fs::set_permissions(root.path("etc/open.conf"), loose).expect("a mode");
    assert_eq!(rules("/etc/open.conf", 0), 0, "anybody may write it");
}

#[test]
fn the_unit_that_systemd_stops_after_a_kill() {
    let units = [("web", "", true), ("cache", "OOMPolicy=continue\n", false)];
    for (name, setting, stops) in units {
        let unit = format!("system.slice/{name}.service");
        let home = format!("/{unit}");
        let root = FakeRoot::new()
            .file("run/systemd/system/.keep", "")
            .file("usr/lib/systemd/libsystemd-shared-257.so", "")
            .file(
                &format!("etc/systemd/system/{name}.service"),
                format!("[Service]\nExecStart=/bin/x\n{setting}"),
            )
            .v2_group("system.slice", |g| g)
            .v2_group(&unit, |g| g.max("104857600").current(1 << 20))
            .process(10, |p| p.cgroup(&home).parent(1).rss_mib(50))
            .process(11, |p| p.cgroup(&home).parent(10).rss_mib(5))
            .process(13, |p| p.cgroup(&home).parent(1).rss_mib(5))
            .process(12, |p| p.cgroup("/system.slice").rss_mib(5));
        let mut sampler = sampler(&root);
        let whole = Needs {
            complete: true,
            ..Needs::default()
        };
        let snapshot = sampler.sample(&whole, at(1)).expect("a sample");
        let stopped = snapshot.stopped_with(FakeProcess::id(10));
        assert_eq!(stopped.is_some(), stops, "{name}");
        if let Some((key, _)) = stopped {
            assert_eq!(snapshot.cgroup(key).map(|g| g.path.to_string()), Some(home));
            assert_eq!(snapshot.mortals_in(key), 3);
        }
        // The oldest child of systemd is the main process, not one that lost its parent.
        let main = snapshot.units.first().and_then(|unit| unit.main);
        assert_eq!(main, Some(FakeProcess::id(10)), "{name}");
    }
}
