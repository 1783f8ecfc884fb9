//! [`PidTable`]: what is kept of each process from one pass to the next.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use crate::domain::process::Pid;

/// Values by pid. Those not asked for in a round are forgotten at its end.
#[derive(Debug)]
pub(crate) struct PidTable<T> {
    kept: HashMap<Pid, Kept<T>, BuildHasherDefault<PidHasher>>,
    round: u64,
}

#[derive(Debug)]
struct Kept<T> {
    round: u64,
    value: T,
}

impl<T> Default for PidTable<T> {
    fn default() -> Self {
        Self {
            kept: HashMap::default(),
            round: 0,
        }
    }
}

impl<T: Default> PidTable<T> {
    /// The value of a pid, made if there is none; keeps it for another round.
    pub(crate) fn keep(&mut self, pid: Pid) -> &mut T {
        let kept = self.kept.entry(pid).or_insert_with(|| Kept {
            round: 0,
            value: T::default(),
        });
        kept.round = self.round;
        &mut kept.value
    }

    /// The value of a pid, if there is one.
    pub(crate) fn get_mut(&mut self, pid: Pid) -> Option<&mut T> {
        self.kept.get_mut(&pid).map(|kept| &mut kept.value)
    }

    /// Forgets a pid.
    pub(crate) fn forget(&mut self, pid: Pid) {
        self.kept.remove(&pid);
    }

    /// Ends the round: forgets every value that was not kept in it.
    pub(crate) fn end_round(&mut self) {
        let round = self.round;
        self.kept.retain(|_, kept| kept.round == round);
        self.round += 1;
    }
}

/// Pids are small numbers that nobody chooses: one multiplication spreads them well enough, and
/// costs a tenth of the standard hash.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct PidHasher(u64);

impl Hasher for PidHasher {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u32(u32::from(*byte));
        }
    }

    fn write_u32(&mut self, number: u32) {
        // 2^64 divided by the golden ratio (Knuth, The Art of Computer Programming 6.4).
        let mixed = (self.0 ^ u64::from(number)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.0 = mixed ^ (mixed >> 32);
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::PidTable;

    #[test]
    fn keeps_what_is_asked_for_and_forgets_the_rest() {
        let mut table = PidTable::<u32>::default();
        *table.keep(1) = 10;
        *table.keep(2) = 20;
        table.end_round();
        assert_eq!(*table.keep(1), 10);
        table.end_round();
        assert_eq!(table.get_mut(2), None);
        assert_eq!(*table.keep(2), 0, "a new one");
        table.forget(2);
        assert_eq!(table.get_mut(2), None);
    }
}
