//! The ledger of this machine: what this process holds is named, and the rows are no more than what is used.

use std::time::{Duration, Instant};

use oomtop::linux::SysRoot;
use oomtop::linux::ledger::{quick, with_files};
use oomtop::model::cgroup::CgroupPath;
use oomtop::model::cgroup::kernel_memory::MemberKernel;
use oomtop::model::ledger::{FreedBy, Kind, Place};
use rustix::fs::MemfdFlags;

use crate::common::fake_root::{FakeGroup, FakeRoot, Layout};
use crate::common::patience;

const MIB: usize = 1 << 20;

#[test]
fn a_memfd_and_a_file_in_dev_shm_are_named_and_nothing_counts_twice() {
    patience::alone();
    let fd = rustix::fs::memfd_create("ledger-test", MemfdFlags::CLOEXEC).expect("a memfd");
    rustix::io::write(&fd, &vec![1; 8 * MIB]).expect("written");
    let root = SysRoot::default();
    let name = format!("/dev/shm/ledger-test-{}", std::process::id());
    let has_file = std::fs::write(&name, vec![1; 4 * MIB]).is_ok();
    let account = quick(&root, &Place::Host).expect("its counters");
    let until = Instant::now() + Duration::from_mins(1);
    let account = with_files(&root, &Place::Host, account, until);
    std::fs::remove_file(&name).ok();
    let ledger = &account.ledger;
    assert!(
        ledger.excess() <= ledger.used / 50,
        "{} of {}: {:?}",
        ledger.counted(),
        ledger.used,
        ledger.entries
    );
    let own = account.open.iter().find(|file| file.name == "ledger-test");
    let own = own.unwrap_or_else(|| panic!("{:?}", account.open));
    assert_eq!(own.held_by, std::process::id());
    assert!(own.bytes >= 8 << 20, "{own:?}");
    let is_tmpfs = account
        .mounts
        .iter()
        .find(|mount| mount.point == "/dev/shm");
    let Some(mount) = is_tmpfs.filter(|_| has_file) else {
        crate::common::skipped(
            "the file in /dev/shm",
            "there is no tmpfs that may be written to",
        );
        return;
    };
    assert!(mount.used >= 4 << 20, "{mount:?}");
    assert!(ledger.get(Kind::Tmpfs) + ledger.get(Kind::Shared) >= 8 << 20);
}

#[test]
fn a_late_look_at_files_says_what_it_left_out() {
    let root = SysRoot::default();
    let account = quick(&root, &Place::Host).expect("its counters");
    let account = with_files(&root, &Place::Host, account, Instant::now());
    assert!(account.looked_at_files);
    assert_eq!(account.open, []);
}

#[test]
fn a_group_that_is_gone_is_a_sentence_and_a_fake_one_adds_up() {
    let stat = "anon 300\nfile 200\nkernel 100\nshmem 150\nsock 50\nslab_unreclaimable 60\n";
    let root = FakeRoot::new()
        .meminfo(1000, Some(500))
        .v2_group("/shop", |group| {
            group.current(700).file("memory.stat", stat)
        });
    let place = |path: &str| Place::Group {
        path: CgroupPath::new(path),
        members: vec![1, 4711],
        needs: MemberKernel::default(),
    };
    let account = quick(&root.sys_root(), &place("/shop")).expect("its counters");
    assert_eq!(account.ledger.used, 700);
    let sizes = [
        (Kind::Private, 300),
        (Kind::Shmem, 150),
        (Kind::PageCache, 50),
        (Kind::OtherKernel, 40),
    ];
    for (kind, bytes) in sizes {
        assert_eq!(account.ledger.get(kind), bytes, "{kind:?}");
    }
    assert_eq!(account.ledger.uncounted(), 50);
    let gone = quick(&root.sys_root(), &place("/none")).expect_err("gone");
    assert!(gone.contains("/none has no memory.stat"), "{gone}");
    let empty = tempfile::tempdir().expect("a directory");
    let nothing = quick(&SysRoot::under(empty.path()), &Place::Host).expect_err("nothing");
    assert!(nothing.contains("cannot be opened"), "{nothing}");
}

#[test]
fn page_tables_and_stacks_of_v1_members_come_free_with_them() {
    let group = |group: FakeGroup| {
        let stat = "total_rss 300\ntotal_cache 0\ntotal_shmem 0";
        let group = group.current(400).file("memory.stat", stat);
        group.file("memory.kmem.usage_in_bytes", "100")
    };
    let root = FakeRoot::with_layout(Layout::V1).v1_group("/shop", group);
    let kernel = |page_tables, stacks| {
        let place = Place::Group {
            path: CgroupPath::new("/shop"),
            members: vec![],
            needs: MemberKernel {
                page_tables,
                stacks,
                objects: 8,
                is_partial: false,
            },
        };
        let account = quick(&root.sys_root(), &place).expect("its counters");
        let kinds = [Kind::PageTables, Kind::Stacks, Kind::OtherKernel];
        let kill = account.ledger.freed_by(FreedBy::Kill);
        (kinds.map(|kind| account.ledger.get(kind)), kill)
    };
    assert_eq!(kernel(0, 0), ([0, 0, 100], 300));
    assert_eq!(kernel(60, 16), ([60, 16, 24], 376));
    // Page tables of a member that was moved in are charged elsewhere.
    assert_eq!(kernel(500, 16), ([100, 0, 0], 400));
}
