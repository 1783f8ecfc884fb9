//! One row per line format of the kernel. A new format is one row here and one fixture.
//!
//! Source of the formats: `dump_header`, `oom_kill_process`, `__oom_kill_process`, `oom_reap_task`
//! in `mm/oom_kill.c`; `mem_cgroup_print_oom_*` in mm/memcontrol*.c; `dump_stack_print_info` in
//! `lib/dump_stack.c`; `sysrq_handle_moom` in drivers/tty/sysrq.c, of 2.6.19 to 7.3. Each reader says which
//! versions print its line.

mod chosen;
pub(crate) mod fact;
mod head;
mod killed;
mod mem_info;
mod memcg;
mod orphan;
mod run_together;
mod verdict;

use crate::oomlog::base::CUT;
use crate::oomlog::line::fact::{Body, Verdict};
use crate::oomlog::report::tasks::Columns;

/// One line format, and how it becomes a fact.
struct LineRule<F> {
    /// A piece that every such line holds: a cheap test before the reader is tried.
    holds: &'static str,
    /// The reader; `None` if the line is something else after all.
    read: fn(&str) -> Option<F>,
}

const fn rule<F>(holds: &'static str, read: fn(&str) -> Option<F>) -> LineRule<F> {
    LineRule { holds, read }
}

/// Lines that stand on their own. A process name inside them may hold a newline.
static VERDICTS: &[LineRule<Verdict>] = &[
    rule("oom-killer", head::invoked),
    rule("Killed process ", killed::killed),
    rule("oom-kill:", chosen::chosen),
    rule(",uid=", chosen::chosen_tail),
    rule("ill process ", verdict::selected),
    rule("sharing same memory", verdict::same_memory),
    rule("oom_reaper: reaped process ", verdict::reaped),
    rule("memory.oom.group set", verdict::group_kill),
    rule("is already exiting", verdict::already_exiting),
    rule("no killable processes", verdict::nobody_killable),
    rule("Kernel panic - not syncing: ", verdict::panic),
    rule("OOM request ignored", verdict::ignored),
];

/// Lines that mean something only inside an open report.
static BODIES: &[LineRule<Body>] = &[
    rule("Comm: ", head::cpu),
    rule(", comm: ", head::old_cpu),
    rule(" mems_allowed=", head::cpuset),
    rule("as a result of limit of ", memcg::limit_of),
    rule("Memory limit reached of cgroup ", memcg::limit_reached),
    rule(": usage ", memcg::usage),
    rule("Memory cgroup stats", memcg::stats_head),
    rule("Mem-", mem_info::mem_info),
    rule(":", mem_info::counters),
    rule("hugepages_", mem_info::huge_pages),
    rule("kB", mem_info::zone_or_node),
    rule("lowmem_reserve[]", mem_info::reserve),
    rule("pages", mem_info::pages),
    rule("swap", mem_info::swap),
    rule("KB", mem_info::slab),
    rule("total_vm", |line| Columns::parse(line).map(Body::TableHead)),
];

pub(crate) use orphan::{is_row, is_stat};
pub(crate) use run_together::two_messages;

/// Reads a line that stands on its own.
pub(crate) fn verdict(line: &str) -> Option<Verdict> {
    read(VERDICTS, line)
}

/// Reads a line of a report's body.
pub(crate) fn body(line: &str) -> Option<Body> {
    read(BODIES, line)
}

fn read<F>(rules: &[LineRule<F>], line: &str) -> Option<F> {
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
    let (number, behind) = rest.split_at_checked(end)?;
    (!number.is_empty() && !behind.starts_with(CUT)).then_some(number)
}

/// The value behind `key`, parsed.
fn number_after<N: std::str::FromStr>(squeezed: &str, key: &str) -> Option<N> {
    value_after(squeezed, key)?.parse().ok()
}

/// The size in kB behind a key. Without its unit the line may have been cut inside the number.
fn kb_after(squeezed: &str, key: &str) -> Option<u64> {
    let (_, after) = squeezed.split_once(key)?;
    let (number, rest) = leading_number(after.trim_start_matches([':', '=']))?;
    rest.get(..1)
        .is_some_and(|unit| unit.eq_ignore_ascii_case("k"))
        .then_some(number)
}

/// The text without blanks. Mail programs and consoles break lines between and inside words, so blanks tell
/// nothing.
fn squeeze(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).collect()
}

/// The leading number of a text, and the text behind it; `None` if the number may have been cut.
fn leading_number<N: std::str::FromStr>(text: &str) -> Option<(N, &str)> {
    let text = text.trim_start();
    let end = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (digits, rest) = text.split_at(end);
    let number = digits.parse().ok()?;
    (!rest.starts_with(CUT)).then_some((number, rest))
}
