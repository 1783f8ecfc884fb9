//! Programs that kill before the kernel has to: when each one acts, and which acts first.
//!
//! Their settings come from their command lines and files. When they act is computed from the same numbers
//! that they read.

pub mod earlyoom;
pub mod kubelet;
pub mod nohang;
pub mod oom_policy;
mod rule;
mod running;
pub mod systemd;
pub mod talos;
pub mod units;

pub use crate::oomlog::Killer;
pub use rule::{Act, Amount, Base, Rule, Share, Trigger};
pub use running::{Choice, Preference, RunningKiller};

use super::memory::Memory;
use crate::model::oom_domain::headroom::Room;

/// Bytes that must be used up before the kernel has to kill: all obtainable memory and all swap.
#[must_use]
pub fn kernel_room(host: &Memory) -> u64 {
    Room::from_host(host).left()
}

/// The rule that holds first as memory use grows, and the bytes until then, if that is before the kernel has
/// to kill. Programs in a dry run are ignored.
#[must_use]
pub fn first_to_act<'a>(
    killers: &'a [RunningKiller],
    host: &Memory,
) -> Option<(&'a RunningKiller, &'a Rule, u64)> {
    let kernel = kernel_room(host);
    killers
        .iter()
        .filter(|killer| !killer.dry_run)
        .flat_map(|killer| killer.rules.iter().map(move |rule| (killer, rule)))
        .filter_map(|(killer, rule)| Some((killer, rule, rule.when.room(host)?)))
        .filter(|(.., room)| *room < kernel || kernel == 0)
        .min_by_key(|(.., room)| *room)
}

#[cfg(test)]
mod tests {
    use super::{
        Act, Amount, Base, Choice, Killer, Rule, RunningKiller, Share, Trigger, first_to_act,
        kernel_room,
    };
    use crate::model::memory::Memory;
    use crate::model::process::ProcessId;

    const GIB: u64 = 1 << 30;

    fn low(memory: u32, swap: u32, needs_swap: bool) -> Trigger {
        Trigger::Low {
            memory: Amount::Share(Share::percent(memory)),
            swap: Amount::Share(Share::percent(swap)),
            needs_swap,
            base: Base::Total,
        }
    }

    fn killer(killer: Killer, when: Trigger) -> RunningKiller {
        RunningKiller {
            killer,
            id: ProcessId::default(),
            rules: vec![Rule {
                when,
                act: Act::Kill,
            }],
            choice: Choice::HighestScore,
            unread: false,
            dry_run: false,
            source: String::new(),
            notes: Vec::new(),
            watched: Vec::new(),
            spared: Vec::new(),
            not_for_swap: Vec::new(),
        }
    }

    fn host(available: u64, swap_total: u64, swap_free: u64) -> Memory {
        Memory {
            total: 100 * GIB,
            available: Some(available * GIB),
            swap_total: swap_total * GIB,
            swap_free: swap_free * GIB,
            ..Memory::default()
        }
    }

    #[test]
    fn both_memory_and_swap_must_be_low() {
        let rule = low(10, 10, false);
        // RAM fills up first, then all swap except 10 %.
        assert_eq!(rule.room(&host(40, 20, 12)), Some(50 * GIB));
        assert_eq!(rule.room(&host(5, 20, 12)), Some(15 * GIB));
        assert_eq!(rule.room(&host(5, 20, 1)), Some(0));
        assert_eq!(rule.room(&host(40, 0, 0)), Some(30 * GIB));
        assert_eq!(low(10, 10, true).room(&host(5, 0, 0)), None);
        // Swap counts for nothing at 100 %.
        assert_eq!(low(10, 100, false).room(&host(40, 20, 20)), Some(30 * GIB));
    }

    #[test]
    fn the_first_to_act_is_the_nearest_rule_before_the_kernel() {
        let killers = [
            killer(Killer::SystemdOomd, low(10, 10, true)),
            killer(Killer::Earlyoom, low(20, 5, false)),
        ];
        let memory = host(40, 20, 20);
        let (first, _, room) = first_to_act(&killers, &memory).expect("one");
        assert_eq!((first.killer, room), (Killer::SystemdOomd, 58 * GIB));
        // A rule that ignores swap holds before a rule that waits for some swap to be used.
        let early = killer(Killer::Earlyoom, low(10, 100, false));
        let late = killer(Killer::SystemdOomd, low(50, 50, true));
        let both = [late, early];
        let (first, _, room) = first_to_act(&both, &memory).expect("one");
        assert_eq!((first.killer, room), (Killer::Earlyoom, 30 * GIB));
        assert_eq!(kernel_room(&memory), 60 * GIB);
        // Thresholds of 0 hold no earlier than the kernel has to kill.
        let late = [killer(Killer::Earlyoom, low(0, 0, false))];
        assert!(first_to_act(&late, &memory).is_none());
        let mut dry = killers;
        dry[0].dry_run = true;
        dry[1].dry_run = true;
        assert!(first_to_act(&dry, &memory).is_none());
    }

    #[test]
    fn a_share_of_what_processes_can_have_is_less_than_one_of_the_total() {
        let mut memory = host(40, 0, 0);
        memory.anon = Some(10 * GIB);
        let at = |memory_amount, base| {
            Trigger::Low {
                memory: memory_amount,
                swap: Amount::Share(Share::percent(10)),
                needs_swap: false,
                base,
            }
            .room(&memory)
        };
        let tenth = Amount::Share(Share::percent(10));
        assert_eq!(at(tenth, Base::Total), Some(30 * GIB));
        // 40 GiB available and 10 anonymous: 10 % of 50 GiB.
        assert_eq!(at(tenth, Base::User), Some(35 * GIB));
        // The earlier of the two while the version is not known.
        assert_eq!(at(tenth, Base::Unknown), Some(30 * GIB));
        // -M 10 GiB is 10 % of MemTotal, and that is 10 % of the base.
        assert_eq!(at(Amount::Bytes(10 * GIB), Base::User), Some(35 * GIB));
        let lower = Amount::Lower(Share::percent(20), 10 * GIB);
        assert_eq!(at(lower, Base::User), Some(35 * GIB));
        // A kernel that does not print AnonPages.
        memory.anon = None;
        assert_eq!(Base::User.whole(&memory), 100 * GIB);
    }

    #[test]
    fn a_rule_about_swap_alone_holds_when_more_is_used_and_never_without_any() {
        let rule = |pressure| Trigger::Ruleset {
            name: "x".to_owned(),
            group: crate::model::cgroup::CgroupPath::new("/a.slice"),
            pressure,
            swap_used: Some(Share::percent(80)),
            lasting: std::time::Duration::ZERO,
        };
        assert_eq!(rule(None).room(&host(40, 20, 12)), Some(48 * GIB));
        assert_eq!(rule(None).room(&host(40, 20, 3)), Some(0));
        assert_eq!(rule(None).room(&host(40, 0, 0)), None);
        assert_eq!(rule(Some(Share::percent(5))).room(&host(40, 20, 3)), None);
    }

    proptest::proptest! {
        #[test]
        fn no_numbers_overflow_and_less_memory_is_never_further(
            total: u64, available: u64, less: u64, swap: u64, free: u64, share in 0..10_000_u32
        ) {
            let mut memory = Memory {
                total, available: Some(available), swap_total: swap, swap_free: free,
                ..Memory::default()
            };
            let rule = Trigger::Low {
                memory: Amount::Share(Share(share)),
                swap: Amount::Share(Share(share)),
                needs_swap: false,
                base: Base::Total,
            };
            let before = rule.room(&memory);
            memory.available = Some(available.saturating_sub(less));
            proptest::prop_assert!(rule.room(&memory) <= before);
            proptest::prop_assert!(rule.room(&memory) <= Some(kernel_room(&memory)));
        }
    }
}
