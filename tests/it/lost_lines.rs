//! Lines of a report are lost: what they told becomes unknown, and nothing else is said in their place.

use crate::common::corpus::reports;
use oomtop::oomlog::OomReport;
use oomtop::oomlog::analysis::ranking::ranking;
use oomtop::oomlog::analysis::verdict::Verdict;

/// The Summary of the last report in these lines.
fn summary(lines: &[&str]) -> (std::sync::Arc<OomReport>, String) {
    let log = lines.join("\n") + "\n";
    let report = reports(log.as_bytes()).pop().expect("a report");
    let page = oomtop::text::report::summary::lines(&report, &[]);
    let text = page.iter().map(|line| line.plain() + "\n").collect();
    (report, text)
}

#[test]
fn a_lost_counter_is_no_zero_and_no_verdict() {
    let line = |anon| {
        summary(&[
            "[    1.000000] a invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0",
            "[    1.000001] memory: usage 98304kB, limit 98304kB, failcnt 9",
            "[    1.000002] Memory cgroup stats for /g:",
            anon,
            "[    1.000004] file 0",
            "[    1.000005] shmem 0",
            "[    1.000006] [  pid  ]   uid  tgid total_vm      rss pgtables_bytes swapents oom_score_adj name",
            "[    1.000007] [      7]     0     7    25600    24000     4096        0             0 a",
            "[    1.000008] Memory cgroup out of memory: Killed process 7 (a) total-vm:102400kB, anon-rss:96000kB, file-rss:0kB, shmem-rss:0kB, UID:0 pgtables:4kB oom_score_adj:0",
        ])
    };
    let (whole, _) = line("[    1.000003] anon 98000000");
    assert!(Verdict::new(&whole).prospect.is_some());
    let (part, text) = line("[    1.000003] other 5");
    assert_eq!(Verdict::new(&part).prospect, None);
    assert!(!text.contains("no kill can end this"), "{text}");
}

#[test]
fn a_group_kill_is_one_report_though_only_warnings_and_errors_are_left() {
    let killed = |at: u32, pid: u32, name: &str| {
        format!(
            "[   12.7{at:02}000] Memory cgroup out of memory: Killed process {pid} ({name}) total-vm:38596kB, anon-rss:27520kB, file-rss:5464kB, shmem-rss:0kB, UID:0 pgtables:108kB oom_score_adj:100"
        )
    };
    let invoked = "[   12.731692] leaker invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=-200";
    let kills = [
        killed(60, 236, "big"),
        killed(62, 235, "small"),
        killed(72, 238, "leaker"),
    ];
    let (report, text) = summary(&[invoked, &kills[0], &kills[1], &kills[2]]);
    assert_eq!(report.kills.len(), 3);
    assert!(text.contains("They may have died together"), "{text}");
    assert!(!text.contains("at most 10 reports"), "{text}");
    // After ten reports in a moment the kernel prints the kill alone: of another OOM.
    let mut flood = vec![invoked; 10];
    flood.extend([kills[0].as_str(), kills[1].as_str()]);
    let (report, _) = summary(&flood);
    assert_eq!(report.kills.len(), 1);
}

#[test]
fn a_child_that_died_for_its_parent_has_the_name_of_that_parent() {
    let (_, text) = summary(&[
        "[ 9000.000020] Memory cgroup out of memory: Kill process 4241 (my app) score 1990 or sacrifice child",
        "[ 9000.000021] Killed process 4300 (child) total-vm:12000kB, anon-rss:100kB, file-rss:0kB, shmem-rss:0kB",
    ]);
    assert!(
        text.contains("in place of its parent 4241 my app"),
        "{text}"
    );
}

#[test]
fn a_node_whose_zone_is_lost_is_not_called_empty() {
    let with = |zone: &[&str]| {
        let mut lines = vec![
            "[   11.000000] a invoked oom-killer: gfp_mask=0x140dca(GFP_HIGHUSER_MOVABLE|__GFP_ZERO), order=0, oom_score_adj=0",
            "[   11.000001] Mem-Info:",
            "[   11.000002]  free:42954 free_pcp:467 free_cma:0",
        ];
        lines.extend(zone);
        lines.extend([
            "[   11.000005] Node 1 DMA32: 453*4kB (U) = 1812kB",
            "[   11.000006] Total swap = 0kB",
            "[   11.000007] 130936 pages RAM",
            "[   11.000008] 13050 pages reserved",
            "[   11.000009] [  pid  ]   uid  tgid total_vm      rss pgtables_bytes swapents oom_score_adj name",
            "[   11.000010] [      7]     0     7    25600    24000     4096        0           500 a",
            "[   11.000011] oom-kill:constraint=CONSTRAINT_CPUSET,nodemask=(null),cpuset=cs,mems_allowed=1,global_oom,task_memcg=/,task=a,pid=7,uid=0",
        ]);
        summary(&lines)
    };
    let (whole, text) = with(&[
        "[   11.000003] Node 1 DMA32 free:1812kB min:2000kB low:2500kB high:3000kB present:262008kB managed:255000kB",
    ]);
    assert!(text.contains("1.8 MiB left"), "{text}");
    assert!(ranking(&whole).is_some());
    let (part, text) = with(&[]);
    assert!(
        !text.contains("0 B left") && text.contains("unknown amount left"),
        "{text}"
    );
    assert!(ranking(&part).is_none(), "the RAM of the node is not known");
}

#[test]
fn without_its_head_a_report_of_free_memory_does_not_say_that_the_host_ran_out() {
    let (_, text) = summary(&[
        "[   37.003795] Node 0 DMA32 free:164520kB min:2628kB low:3284kB high:3940kB present:507772kB managed:455000kB",
        "[   37.003800] Node 0 DMA32: 10*4kB (U) 4*8kB (U) = 164520kB",
        "[   37.006991] 130936 pages RAM",
        "[   37.007465] 13200 pages reserved",
        "[   37.008000] oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),cpuset=/,mems_allowed=0,global_oom,task_memcg=/,task=a,pid=7,uid=0",
    ]);
    assert!(!text.contains("ran out of memory"), "{text}");
    assert!(text.contains("does not say what was asked for"), "{text}");
}
