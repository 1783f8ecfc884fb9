//! Changing the limits of an existing group through the real program: in a cgroup that the test makes, and on a
//! v2 tree of plain files, which works on every machine. Skips loudly what this machine does not allow.

use crate::common::fake_root::FakeRoot;
use crate::common::hog::Hog;
use crate::common::memcg::{Memcg, Version};
use crate::common::pty::Session;
use crate::common::writes::rows_between;
use oomtop::model::cgroup::limits::LimitFile;

const MIB: u64 = 1 << 20;

/// The dialog on the limits of the group that the hog is in.
fn limits_of(group: &Memcg, hog: &Hog) -> Session {
    let mut session = Session::start((120, 40), &[]);
    session.wait_for("the table", |screen| screen.has("COMMAND"));
    session.keys(&format!("/pid:{}<Enter>", hog.pid()));
    session.wait_for("the hog and no other", |screen| {
        let lines = screen.lines();
        let mut table = lines.iter().skip_while(|line| !line.contains("COMMAND"));
        table.nth(1).is_some_and(|row| row.contains(hog.name()))
    });
    session.keys("<Home>c");
    session.wait_for("the cgroup dialog", |screen| screen.has("Cgroup of"));
    session.keys("<Tab><Tab>");
    session.wait_for("the limits as they are", |screen| {
        screen.has_words(&["limits of", group.path(), "now 200 MiB"])
    });
    session
}

/// What the limit files say, the one on swap or on both together too where it is there.
fn files(group: &Memcg) -> [Option<String>; 2] {
    let names = match group.version() {
        Version::V1 => ["memory.limit_in_bytes", "memory.memsw.limit_in_bytes"],
        Version::V2 => ["memory.max", "memory.swap.max"],
    };
    names.map(|name| {
        let text = std::fs::read_to_string(group.dir().join(name)).ok()?;
        Some(text.trim().to_owned())
    })
}

#[test]
fn limits_are_changed_in_the_order_the_kernel_takes_and_undo_restores_them() {
    let Some(group) = Memcg::create("limits") else {
        return;
    };
    group.limit(200 * MIB);
    let before = files(&group);
    let home = crate::common::memcg::of;
    let mut hog = Hog::start("lim-raise").in_group(&group).grow(30);
    for (limit, both) in [("300M", "300M"), ("120M", "150M")] {
        let mut session = limits_of(&group, &hog);
        session.keys(limit);
        // v1 takes no limit above that on memory and swap together: both go up, or both go down.
        let with_both = group.version() == Version::V1 && before[1].is_some();
        if with_both {
            let rows = rows_between(LimitFile::V1Limit, LimitFile::V1Memsw);
            session.keys(&format!("{}{both}", "<Down>".repeat(rows)));
        }
        session.wait_for("the plan", |screen| {
            screen.text().matches(". write ").count() == if with_both { 2 } else { 1 }
        });
        session.keys("<Enter>");
        session.wait_for("the files read back", |screen| screen.has("done  "));
        let bytes = |text: &str| {
            let mib: u64 = text.trim_end_matches('M').parse().ok()?;
            Some((mib * MIB).to_string())
        };
        let now = files(&group);
        assert_eq!(now[0], bytes(limit));
        if with_both {
            assert_eq!(now[1], bytes(both));
        }
        session.keys("<Enter>");
        session.wait_for("the table", |screen| !screen.has("Limits of"));
        session.undo();
        session.eventually("the undo", || files(&group) == before);
        session.wait_for("it is said", |screen| screen.has("restored"));
    }
    assert_eq!(home(hog.pid()).as_deref(), Some(group.path()), "not moved");
    assert_eq!(hog.ended(), None);
}

#[test]
fn a_limit_below_usage_is_refused_on_v1_and_kills_on_v2_after_a_second_enter() {
    let test = "a_limit_below_usage";
    let Some(group) = Memcg::create("below") else {
        return;
    };
    group.limit(200 * MIB);
    let swaps = std::fs::read_to_string("/proc/swaps").unwrap_or_default();
    if group.version() == Version::V1 && swaps.lines().count() > 1 {
        crate::common::skipped(test, "swap could make room");
        return;
    }
    let before = files(&group);
    let mut hog = Hog::start("lim-below").in_group(&group).grow(60);
    let mut session = limits_of(&group, &hog);
    session.keys("20M");
    if group.version() == Version::V1 {
        session.wait_for("the outlook", |screen| screen.has("refused (EBUSY)"));
        session.keys("<Enter>");
        session.wait_for("the kernel's refusal", |screen| {
            screen.has_words(&["failed", "nothing was killed"])
        });
        assert_eq!(files(&group), before);
        assert_eq!(hog.ended(), None);
        session.keys("<Esc>u");
        session.wait_for("nothing to undo", |screen| screen.has("nothing to undo"));
    } else {
        session.wait_for("the outlook", |screen| {
            screen.has_words(&["kills as soon as it is written", hog.name()])
        });
        session.keys("<Enter>");
        session.wait_for("the question", |screen| screen.has("Enter once more"));
        assert_eq!(files(&group), before, "not written yet");
        assert_eq!(hog.ended(), None);
        session.keys("<Enter>");
        assert!(hog.is_killed(), "as it said");
    }
}

/// Plain files kill nobody, but up to the write everything is as on v2, on any machine.
#[test]
fn on_v2_the_victim_is_named_the_file_written_at_the_second_enter_and_restored() {
    // Sizes of nine digits: a plain file keeps what a shorter write leaves of a longer text.
    let root = FakeRoot::new()
        .process(100, |p| p.comm("shop-large").rss_mib(130).cgroup("/shop"))
        .process(101, |p| p.comm("shop-small").rss_mib(20).cgroup("/shop"))
        .v2_group("shop", |g| {
            g.max(&(200 * MIB).to_string())
                .current(150 * MIB)
                .file("memory.swap.max", "0")
        });
    let file = root.path("sys/fs/cgroup/shop/memory.max");
    let limit = || {
        std::fs::read_to_string(&file)
            .map(|text| text.trim().to_owned())
            .ok()
    };
    let path = root.path("");
    let mut session = Session::start((80, 24), &["--root", &path.to_string_lossy()]);
    session.wait_for("the table", |screen| screen.has("shop-large"));
    session.keys("/pid:101<Enter><Home>c");
    session.wait_for("the cgroup dialog", |screen| screen.has("Cgroup of"));
    session.keys("<Tab><Tab>");
    session.wait_for("the limits as they are", |screen| {
        screen.has_words(&["limits of", "/shop", "now 200 MiB"])
    });
    session.keys("100M");
    session.wait_for("the outlook", |screen| {
        screen.has("kills as soon as it is written") && screen.has("100 shop-large dies")
    });
    session.keys("<Enter>");
    session.wait_for("the question", |screen| {
        screen.has("This kills 100 shop-large at once.")
    });
    assert_eq!(limit(), Some((200 * MIB).to_string()));
    session.keys("<Enter>");
    session.wait_for("the file read back", |screen| screen.has("done  "));
    assert_eq!(limit(), Some((100 * MIB).to_string()));
    session.keys("<Enter>");
    session.wait_for("the table", |screen| !screen.has("Limits of"));
    session.undo();
    session.eventually("the undo", || limit() == Some((200 * MIB).to_string()));
}
