//! What the printed forms say of a domain: the rule and the numbers of the screen.

use std::process::{Command, Stdio};

use crate::common::fake_root::{FakeGroup, FakeRoot};

const MIB: u64 = 1 << 20;

/// 48 MiB of 64 MiB in use, 32 of them files that reclaim drops.
fn cached(group: FakeGroup) -> FakeGroup {
    let files = 32 * MIB;
    let stat = format!(
        "anon {}\nfile {files}\ninactive_file {files}\nactive_file 0\nshmem 0\nfile_dirty 0\nfile_writeback 0\n\
         unevictable 0\nslab_reclaimable 0",
        16 * MIB
    );
    let group = group
        .max(&(64 * MIB).to_string())
        .current(48 * MIB)
        .file("memory.stat", &stat);
    group.file("memory.oom.group", "0")
}

fn said(fake: &FakeRoot, form: &str) -> String {
    let root = fake.sys_root();
    let output = Command::new(env!("CARGO_BIN_EXE_oomtop"))
        .arg(form)
        .arg("--proc")
        .arg(&root.proc)
        .arg("--cgroup")
        .arg(&root.cgroup)
        .arg("--kmsg")
        .arg(&root.kmsg)
        .stdin(Stdio::null())
        .output()
        .expect("started");
    String::from_utf8(output.stdout).expect("UTF-8")
}

#[test]
fn usage_is_what_reclaim_does_not_free() {
    let fake = FakeRoot::new()
        .v2_group("job", cached)
        .process(10, |p| p.rss_mib(16).comm("java").cgroup("/job"));
    let plain = said(&fake, "--plain");
    let sentence = "If the memory of /job runs out, 10 java dies first. 16 of 64 MiB used.";
    assert!(plain.contains(sentence), "{plain}");
    let once = said(&fake, "--once");
    assert!(
        once.contains("next victim of /job: 10 java  16M of 64M"),
        "{once}"
    );
}

#[test]
fn nobody_dies_for_the_reason_that_holds() {
    let empty = FakeRoot::new().v2_group("job", cached);
    let panics = FakeRoot::new()
        .v2_group("job", cached)
        .file("proc/sys/vm/panic_on_oom", "2\n")
        .process(10, |p| p.rss_mib(16).cgroup("/job"));
    let immune = FakeRoot::new()
        .v2_group("job", cached)
        .process(10, |p| p.rss_mib(16).adj(-1000).cgroup("/job"));
    let reasons = [
        (
            empty,
            "nobody dies: it has no processes.",
            "nobody: it has no processes",
        ),
        (panics, "the kernel panics.", "nobody: the kernel panics"),
        (immune, "nobody can be killed.", "nobody can be killed"),
    ];
    for (fake, sentence, cell) in reasons {
        let plain = said(&fake, "--plain");
        let wanted = format!("If the memory of /job runs out, {sentence}");
        assert!(plain.contains(&wanted), "{wanted}: {plain}");
        let once = said(&fake, "--once");
        let wanted = format!("next victim of /job: {cell}");
        assert!(once.contains(&wanted), "{wanted}: {once}");
    }
}
