//! The functions of the asker's call trace, the innermost first.

use crate::oomlog::OomReport;

/// Most functions read of one trace: real ones have fewer than 60.
const MOST: usize = 128;

/// The functions between `Call Trace:` and what the report prints next, without offsets and without the compiler's
/// suffixes (`.cold`, `.part.0`). Frames marked `?` are left over on the stack and prove nothing: they are skipped.
/// Empty if the log has no trace.
pub fn functions(report: &OomReport) -> impl Iterator<Item = &str> {
    // A long table of tasks is not searched: rows are drawn from what the trace says.
    let lines = report.raw.lines().take_while(|line| !is_table(line));
    let from = lines.skip_while(|line| !begins(line)).skip(1);
    from.take_while(|line| !ends(line))
        .filter_map(function)
        .take(MOST)
}

fn begins(line: &str) -> bool {
    // `Call trace:` on arm64, `Backtrace:` on arm.
    ["Call Trace:", "Call trace:", "Backtrace:"]
        .iter()
        .any(|head| line.contains(head))
}

/// The table of tasks begins, the last part of a report.
fn is_table(line: &str) -> bool {
    let line = line.trim_start();
    ["Tasks state", "[ pid ]", "[  pid  ]"]
        .iter()
        .any(|head| line.starts_with(head))
}

/// The report goes on: registers do not end a trace, they stand within it.
fn ends(line: &str) -> bool {
    let head = line.trim_start();
    is_table(line)
        || [
            "Mem-Info:",
            "Mem-info:",
            "memory: usage",
            "Memory cgroup",
            "Task in ",
            "oom-kill:",
        ]
        .iter()
        .any(|other| head.starts_with(other))
}

/// `do_anonymous_page` of ` do_anonymous_page+0x158/0x6b0`, behind addresses or not.
fn function(line: &str) -> Option<&str> {
    let (before, offset) = line.split_once("+0x")?;
    let size = offset.split_once("/0x")?.1;
    size.starts_with(|c: char| c.is_ascii_hexdigit())
        .then_some(())?;
    let mut words = before.split_whitespace().rev();
    let name = words.next()?;
    (words.next() != Some("?")).then_some(())?;
    // arm prints `(name+0x…` in front of `from (caller…`.
    let name = name.trim_start_matches('(');
    let bare = name.split('.').next().unwrap_or(name);
    (!bare.is_empty()).then_some(bare)
}

#[cfg(test)]
mod tests {
    use super::{function, functions};
    use crate::oomlog::on_paper::report;

    #[test]
    fn frames_of_all_forms_and_only_those_that_are_sure() {
        for (line, name) in [
            (" do_anonymous_page+0x158/0x6b0", Some("do_anonymous_page")),
            (
                "[<ffffffff8118a1c7>] dump_stack+0x4d/0x66",
                Some("dump_stack"),
            ),
            (
                "[c00000037540fb60] [c000000000641d58] out_of_memory+0x118/0x420 (unreliable)",
                Some("out_of_memory"),
            ),
            (" out_of_memory.part.0+0xaf/0x230", Some("out_of_memory")),
            (
                " xfs_file_write_iter+0x7/0x8 [xfs]",
                Some("xfs_file_write_iter"),
            ),
            (" ? lock_acquire+0xc4/0x2e0", None),
            ("RIP: 0033:0x7f1", None),
            ("<TASK>", None),
        ] {
            assert_eq!(function(line), name, "{line}");
        }
    }

    #[test]
    fn the_trace_ends_where_the_report_goes_on() {
        let report = report([
            "a invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0",
            "CPU: 0 PID: 7 Comm: evil+0x1/0x2 Not tainted 6.1.0",
            "Call Trace:",
            " <TASK>",
            " dump_stack+0x1/0x2",
            " pipe_write+0x1/0x2",
            "RIP: 0033:0x7",
            " </TASK>",
            "memory: usage 8kB, limit 8kB, failcnt 1",
            " seq_read+0x1/0x2",
        ]);
        let found: Vec<_> = functions(&report).collect();
        assert_eq!(found, ["dump_stack", "pipe_write"]);
    }
}
