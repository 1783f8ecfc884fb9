//! One row per line format of the kernel: adding a format is one row here and one fixture.
//!
//! Source of the formats: `dump_header`, `oom_kill_process`, `__oom_kill_process`, `oom_reap_task`
//! in `mm/oom_kill.c`; `mem_cgroup_print_oom_*` in mm/memcontrol*.c; `dump_stack_print_info` in
//! `lib/dump_stack.c`; `sysrq_handle_moom` in drivers/tty/sysrq.c, of 2.6.19 to 7.3.

pub(super) mod fact;
pub mod gfp;
mod head;
mod killed;
mod mem_info;
mod memcg;
mod verdict;

use crate::oomlog::line::fact::Fact;
use crate::oomlog::report::tasks::Columns;

/// One line format.
pub(crate) struct LineRule {
    /// Versions that print it.
    #[expect(dead_code, reason = "documents the table; shown by nothing yet")]
    pub(crate) since: &'static str,
    /// A piece the line must hold: a cheap test before the parser is tried.
    pub(crate) holds: &'static str,
    /// The parser; `None` if the line is something else after all.
    pub(crate) read: fn(&str) -> Option<Fact>,
}

const fn rule(
    since: &'static str,
    holds: &'static str,
    read: fn(&str) -> Option<Fact>,
) -> LineRule {
    LineRule { since, holds, read }
}

/// Lines that stand on their own: they may begin a report or belong to any open one. A process name
/// inside them may hold a newline.
pub(crate) static VERDICT_RULES: &[LineRule] = &[
    rule("2.6.19+", "oom-killer", head::invoked),
    rule("2.6.19+", "Killed process ", killed::killed),
    rule("4.19+", "oom-kill:", verdict::chosen),
    rule("4.19+", ",uid=", verdict::chosen_tail),
    rule("2.6.19-5.0", "ill process ", verdict::selected),
    rule("2.6.31-4.3", "sharing same memory", verdict::same_memory),
    rule("4.6+", "oom_reaper: reaped process ", verdict::reaped),
    rule("4.19+", "memory.oom.group set", verdict::group_kill),
    rule("5.10+", "is already exiting", verdict::already_exiting),
    rule("2.6.19+", "no killable processes", verdict::nobody_killable),
    rule("2.6.19+", "Kernel panic - not syncing: ", verdict::panic),
    rule("2.6.36+", "OOM request ignored", verdict::ignored),
];

/// Lines that mean something only inside an open report.
pub(crate) static BODY_RULES: &[LineRule] = &[
    rule("4.9+", "Comm: ", head::cpu),
    rule("2.6.19-3.10", ", comm: ", head::old_cpu),
    rule("2.6.24-4.20", " mems_allowed=", head::cpuset),
    rule("2.6.29-4.20", "as a result of limit of ", memcg::limit_of),
    rule(
        "4.4-4.20",
        "Memory limit reached of cgroup ",
        memcg::limit_reached,
    ),
    rule("2.6.29+", ": usage ", memcg::usage),
    rule("3.10+", "Memory cgroup stats", memcg::stats_head),
    rule("2.6.19+", "Mem-", mem_info::mem_info),
    rule("2.6.19+", ":", mem_info::counters),
    rule("3.9+", "hugepages_", mem_info::huge_pages),
    rule("2.6.19+", "kB", mem_info::zone_or_node),
    rule("2.6.19+", "lowmem_reserve[]", mem_info::reserve),
    rule("2.6.19+", "pages", mem_info::pages),
    rule("2.6.19+", "swap", mem_info::swap),
    rule("4.15+", "KB", mem_info::slab),
    rule("2.6.31+", "total_vm", |line| {
        Columns::parse(line).map(Fact::TableHead)
    }),
];

/// Tries the rules of a table on a line.
pub(crate) fn read(rules: &[LineRule], line: &str) -> Option<Fact> {
    rules
        .iter()
        .filter(|rule| line.contains(rule.holds))
        .find_map(|rule| (rule.read)(line))
}

/// The number behind `key` in text without blanks: `total-vm:123kB` for `total-vm:`.
fn value_after<'a>(squeezed: &'a str, key: &str) -> Option<&'a str> {
    let (_, rest) = squeezed.split_once(key)?;
    let end = rest
        .char_indices()
        .find(|&(i, c)| !(c.is_ascii_digit() || (i == 0 && c == '-')))
        .map_or(rest.len(), |(i, _)| i);
    rest.get(..end).filter(|number| !number.is_empty())
}

/// The same as a number.
fn number_after<N: std::str::FromStr>(squeezed: &str, key: &str) -> Option<N> {
    value_after(squeezed, key)?.parse().ok()
}

/// The line without any blanks: mail programs and consoles break lines between and inside words.
fn squeeze(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).collect()
}

/// The leading number of a text and what follows it.
fn leading_number<N: std::str::FromStr>(text: &str) -> Option<(N, &str)> {
    let text = text.trim_start();
    let end = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (digits, rest) = text.split_at(end);
    Some((digits.parse().ok()?, rest))
}
