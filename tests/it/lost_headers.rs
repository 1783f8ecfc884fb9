//! Two kills in a row where the log has lost the first line of the second OOM, or what announces a group kill.

use std::sync::Arc;

use crate::common::corpus::reports;
use oomtop::oomlog::OomReport;

/// The reports of a log with one first line and two kills, so many milliseconds apart.
fn two_kills(memcg: bool, apart: u32) -> Vec<Arc<OomReport>> {
    let message = if memcg {
        "Memory cgroup out of memory"
    } else {
        "Out of memory"
    };
    let kill = |at: u32, pid: u32| {
        format!(
            "[   12.{at:03}000] {message}: Killed process {pid} (web) total-vm:38596kB, anon-rss:27520kB, \
             file-rss:5464kB, shmem-rss:0kB, UID:0 pgtables:108kB oom_score_adj:0\n"
        )
    };
    let log = format!(
        "[   12.000000] web invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0\n{}{}",
        kill(1, 51),
        kill(1 + apart, 61)
    );
    reports(log.as_bytes())
}

#[test]
fn kills_of_the_host_far_apart_are_two_reports() {
    for (memcg, apart, count) in [
        (false, 5, 1),
        (false, 60, 2),
        (false, 400, 2),
        (true, 5, 1),
        (true, 400, 1),
    ] {
        assert_eq!(two_kills(memcg, apart).len(), count, "{memcg} {apart}");
    }
}

#[test]
fn a_group_that_no_line_names_is_no_certainty() {
    let printed = oomtop::output::explain::report(&two_kills(false, 5)[0], 1);
    assert!(printed.contains("may have died together"), "{printed}");
    assert!(printed.contains("perhaps with its group"), "{printed}");
    assert!(!printed.contains(", with its group"), "{printed}");
}
