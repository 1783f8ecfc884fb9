//! The conditions of a killer in words, and how far away each is.

use std::time::Duration;

use crate::model::cgroup::CgroupPath;
use crate::model::killers::{Act, Amount, Base, Rule, Share, Trigger, kernel_room};
use crate::model::memory::{Stall, percent};
use crate::model::snapshot::Snapshot;
use crate::model::vm_settings::SwapKind;
use crate::text::format;
use crate::text::tone::{Line, Tone};

/// A memory rule as the header shows it: `avail ≤ 10%`.
pub fn short_rule(rule: &Rule) -> Option<String> {
    match &rule.when {
        Trigger::Low { memory, .. } => Some(format!("avail ≤ {}", amount(*memory, None))),
        Trigger::Eviction { limit, .. } => Some(format!("eviction < {}", amount(*limit, None))),
        Trigger::Ruleset { name, .. } => Some(format!("rule {name}")),
        Trigger::Pressure { .. } | Trigger::Expression { .. } | Trigger::Zram { .. } => None,
    }
}

pub(super) fn line(rule: &Rule, snapshot: &Snapshot) -> Line {
    let act = match rule.act {
        Act::Terminate => "SIGTERM",
        Act::Kill => "SIGKILL",
        Act::AskKernel => "asks the kernel to kill",
        Act::KillGroup => "kills a cgroup",
        Act::KillAll => "kills the whole group, spared or not,",
        Act::KillByReclaim => "kills the group inside that reclaims most",
        Act::KillBySwap => "kills, of all groups with OOMRules=, the one with the most swap",
        Act::Evict => "evicts a pod",
    };
    let mut line = Line::of(Tone::Normal, format!("    {act} when "));
    let condition = match &rule.when {
        Trigger::Low {
            memory,
            swap,
            needs_swap,
            base,
        } => low(*memory, *swap, *needs_swap, *base, rule, snapshot),
        Trigger::Pressure {
            group,
            measure,
            limit,
            lasting,
            memory,
            needs_swap,
        } => {
            let pressed = Pressed {
                group: group.as_ref(),
                measure,
                limit: *limit,
                lasting: *lasting,
            };
            pressed.line(*memory, *needs_swap, snapshot)
        }
        Trigger::Ruleset {
            name,
            group,
            pressure,
            swap_used,
            lasting,
        } => {
            let of = RulesetLine {
                name,
                group,
                pressure: *pressure,
                swap_used: *swap_used,
                lasting: *lasting,
            };
            of.line(rule, snapshot)
        }
        Trigger::Expression { trigger, .. } => super::expression::line(trigger, snapshot),
        Trigger::Eviction { limit, lasting } => eviction(*limit, *lasting, rule, snapshot),
        Trigger::Zram { limit, memory } => zram(*limit, *memory, snapshot),
    };
    line.spans.extend(condition.spans);
    line
}

/// What must be used up until the rule holds, and why it will not hold: the kernel is faster, or there is no swap.
fn distance(rule: &Rule, never: &str, snapshot: &Snapshot) -> Line {
    let memory = &snapshot.memory;
    match rule.when.room(memory) {
        Some(0) => Line::of(Tone::Critical, ": it holds now"),
        Some(room) if room >= kernel_room(memory) => {
            Line::of(Tone::Watch, ": not before the kernel has to kill")
        }
        Some(room) => Line::of(
            Tone::Strong,
            format!(": about {} left", format::long_size(room)),
        ),
        None => Line::of(Tone::Watch, never),
    }
}

/// Said of a rule that wants some swap to be used.
const NO_SWAP: &str = ": never, there is no swap";

fn low(
    low: Amount,
    swap: Amount,
    needs_swap: bool,
    base: Base,
    rule: &Rule,
    snapshot: &Snapshot,
) -> Line {
    let memory = &snapshot.memory;
    let whole = base.whole(memory);
    let mut line = Line::of(Tone::Normal, "available ≤ ");
    let by_user = Base::user_memory(memory);
    // What makes hardly a difference is not told of a program whose version is not known.
    let differs = whole_differs(by_user, memory.total);
    let text = match (base, by_user) {
        (Base::User, Some(user)) if !matches!(low, Amount::Lower(..)) => format!(
            "{} ({} of the {} that processes can have)",
            amount(low, None),
            format::long_size(base.reached_at(low, memory)),
            format::long_size(user)
        ),
        (Base::Unknown, Some(_)) if differs => format!(
            "{}, from version 1.8 on {}",
            amount(low, Some(memory.total)),
            format::long_size(Base::User.reached_at(low, memory))
        ),
        _ => amount(low, Some(whole)),
    };
    line.push(Tone::Normal, text);
    if memory.swap_total > 0 || needs_swap {
        let swap = amount(swap, Some(memory.swap_total));
        line.push(Tone::Normal, format!(" and free swap ≤ {swap}"));
    }
    let available = percent(memory.obtainable(), whole);
    line.push(Tone::Dim, format!("; now {available:.0}%"));
    if memory.swap_total > 0 {
        let free = percent(memory.swap_free, memory.swap_total);
        line.push(Tone::Dim, format!(" and {free:.0}%"));
    }
    let is_low = memory.obtainable() <= base.reached_at(low, memory);
    line.spans.extend(distance(rule, NO_SWAP, snapshot).spans);
    let swap_left = memory.swap_free > swap.of(memory.swap_total);
    if is_low && swap_left {
        line.push(Tone::Watch, ", for free swap holds it back");
    }
    line
}

/// True if less than nine tenths of all memory is what processes can have.
fn whole_differs(by_user: Option<u64>, total: u64) -> bool {
    by_user.is_some_and(|user| user < total / 10 * 9)
}

/// Pressure of a group or of the host above a limit.
struct Pressed<'r> {
    group: Option<&'r CgroupPath>,
    measure: &'r str,
    limit: Share,
    lasting: Duration,
}

impl Pressed<'_> {
    /// The pressure now, in percent.
    fn now(&self, snapshot: &Snapshot) -> Option<f64> {
        match self.group {
            Some(path) if !path.is_root() => snapshot
                .cgroups
                .iter()
                .find(|g| g.present && g.path == *path)
                .and_then(|g| g.pressure)
                .map(|pressure| f64::from(pressure.full) / 100.0),
            _ => host_pressure(snapshot, self.measure),
        }
    }

    fn line(&self, memory: Option<Amount>, needs_swap: bool, snapshot: &Snapshot) -> Line {
        let of = self
            .group
            .map_or_else(|| "the host".to_owned(), ToString::to_string);
        let mut line = Line::of(
            Tone::Normal,
            format!(
                "memory pressure of {of} ({}) > {}{}",
                self.measure,
                format::percent(self.limit.as_percent()),
                for_so_long(self.lasting)
            ),
        );
        line.spans
            .extend(now(self.now(snapshot), self.limit, snapshot).spans);
        line.spans.extend(only_while(memory, snapshot).spans);
        if needs_swap && snapshot.memory.swap_total == 0 {
            line.push(Tone::Watch, NO_SWAP);
        }
        line
    }
}

fn now(pressure: Option<f64>, limit: Share, snapshot: &Snapshot) -> Line {
    match pressure {
        Some(now) => {
            let above = now > limit.as_percent();
            let tone = if above { Tone::Critical } else { Tone::Strong };
            Line::of(tone, format!("; now {}", format::percent(now)))
        }
        None if snapshot.pressure.is_none() => {
            Line::of(Tone::Watch, ": never, this kernel measures no pressure")
        }
        None => Line::of(Tone::Watch, "; now n/a"),
    }
}

/// The second condition of nohang: memory must be short as well.
fn only_while(memory: Option<Amount>, snapshot: &Snapshot) -> Line {
    let Some(low) = memory else {
        return Line::new();
    };
    let host = &snapshot.memory;
    let line = Line::of(
        Tone::Normal,
        format!(", while available ≤ {}", amount(low, Some(host.total))),
    );
    let left = host.obtainable().saturating_sub(low.of(host.total));
    if left == 0 {
        line
    } else {
        let text = format!(": about {} left until that counts", format::long_size(left));
        line.add(Tone::Strong, text)
    }
}

/// A rule of `OOMRules=`.
struct RulesetLine<'r> {
    name: &'r str,
    group: &'r CgroupPath,
    pressure: Option<Share>,
    swap_used: Option<Share>,
    lasting: Duration,
}

impl RulesetLine<'_> {
    fn line(&self, rule: &Rule, snapshot: &Snapshot) -> Line {
        let memory = &snapshot.memory;
        let mut conditions = Vec::new();
        if let Some(limit) = self.pressure {
            let limit = format::percent(limit.as_percent());
            conditions.push(format!("memory pressure (full avg10) > {limit}"));
        }
        if let Some(used) = self.swap_used {
            conditions.push(format!(
                "used swap > {}",
                amount(Amount::Share(used), Some(memory.swap_total))
            ));
        }
        let mut line = Line::of(
            Tone::Normal,
            format!(
                "the rule {} holds for {}: {}{}",
                self.name,
                self.group,
                conditions.join(" and "),
                for_so_long(self.lasting)
            ),
        );
        if let Some(limit) = self.pressure {
            let pressed = Pressed {
                group: Some(self.group),
                measure: "full avg10",
                limit,
                lasting: self.lasting,
            };
            line.spans
                .extend(now(pressed.now(snapshot), limit, snapshot).spans);
        }
        if self.swap_used.is_some() {
            if memory.swap_total == 0 {
                line.push(Tone::Watch, NO_SWAP);
            } else {
                let used = percent(memory.swap_used(), memory.swap_total);
                line.push(Tone::Dim, format!("; now {used:.0}% of swap used"));
                if self.pressure.is_none() {
                    line.spans.extend(distance(rule, NO_SWAP, snapshot).spans);
                }
            }
        }
        line
    }
}

/// ` for 20s`; nothing for at once.
fn for_so_long(lasting: Duration) -> String {
    if lasting.is_zero() {
        String::new()
    } else {
        format!(" for {}", format::duration(lasting))
    }
}

fn zram(limit: Amount, memory: Option<Amount>, snapshot: &Snapshot) -> Line {
    let total = snapshot.memory.total;
    let devices = snapshot.vm_settings.swaps.iter().flatten();
    let zrams: Vec<_> = devices.filter(|swap| swap.kind == SwapKind::Zram).collect();
    let line = Line::of(
        Tone::Normal,
        format!("zram holds at least {} of RAM", amount(limit, Some(total))),
    );
    let takes: Option<u64> = zrams.iter().map(|swap| Some(swap.zram?.takes)).sum();
    let mut line = match takes {
        _ if zrams.is_empty() => line.add(Tone::Watch, ": never, there is no zram"),
        Some(takes) => line.add(Tone::Strong, format!("; now {}", format::long_size(takes))),
        None => line.add(Tone::Watch, "; now n/a"),
    };
    line.spans.extend(only_while(memory, snapshot).spans);
    line
}

/// kubelet's condition, by its own measure.
fn eviction(limit: Amount, lasting: Duration, rule: &Rule, snapshot: &Snapshot) -> Line {
    let memory = &snapshot.memory;
    let wait = for_so_long(lasting);
    let limit = amount(limit, Some(memory.total));
    let now = memory.evictable();
    let now = now.map_or_else(|| "n/a".to_owned(), format::long_size);
    let mut line = Line::of(Tone::Normal, format!("memory.available < {limit}{wait}"))
        .add(Tone::Dim, format!("; now {now}"));
    line.spans.extend(distance(rule, "", snapshot).spans);
    line
}

fn host_pressure(snapshot: &Snapshot, measure: &str) -> Option<f64> {
    let psi = snapshot.pressure?;
    let (kind, span) = measure.split_once(' ')?;
    let Stall {
        avg10,
        avg60,
        avg300,
        ..
    } = if kind == "full" { psi.full } else { psi.some };
    Some(f64::from(match span {
        "avg60" => avg60,
        "avg300" => avg300,
        _ => avg10,
    }))
}

/// `10%`, `300.0 MiB`; a share also in bytes if the total is known.
fn amount(amount: Amount, whole: Option<u64>) -> String {
    let share = |share: Share| {
        let percent = share.as_percent();
        if share.0.is_multiple_of(100) {
            format!("{percent:.0}%")
        } else {
            format!("{percent:.1}%")
        }
    };
    match (amount, whole) {
        (Amount::Bytes(bytes), _) => format::long_size(bytes),
        (Amount::Share(part), Some(whole)) => {
            format!("{} ({})", share(part), format::long_size(part.of(whole)))
        }
        (Amount::Share(part), None) => share(part),
        (Amount::Lower(part, bytes), Some(whole)) => {
            format!(
                "{} (the lower of {} and {})",
                format::long_size(amount.of(whole)),
                share(part),
                format::long_size(bytes)
            )
        }
        (Amount::Lower(part, bytes), None) => {
            format!("{} or {}", share(part), format::long_size(bytes))
        }
    }
}
