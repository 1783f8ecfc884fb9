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
pub mod units;

pub use crate::oomlog::Killer;
pub use rule::{Act, Amount, Rule, Share, Trigger};
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
        Act, Amount, Choice, Killer, Rule, RunningKiller, Share, Trigger, first_to_act, kernel_room,
    };
    use crate::model::memory::Memory;
    use crate::model::process::ProcessId;

    const GIB: u64 = 1 << 30;

    fn low(memory: u32, swap: u32, needs_swap: bool) -> Trigger {
        Trigger::Low {
            memory: Amount::Share(Share::percent(memory)),
            swap: Amount::Share(Share::percent(swap)),
            needs_swap,
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
            };
            let before = rule.room(&memory);
            memory.available = Some(available.saturating_sub(less));
            proptest::prop_assert!(rule.room(&memory) <= before);
            proptest::prop_assert!(rule.room(&memory) <= Some(kernel_room(&memory)));
        }
    }
}
