//! [`PidTable`]: the state of each process kept from one pass to the next.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::{BuildHasherDefault, Hasher};

use crate::model::process::Pid;

/// Room for this many values is never given back.
const SPARE: usize = 4096;

/// Values by pid. A value that is not requested in a round is dropped at the end of the round.
///
/// Bound: one value for each process of the last round, and room for at most four times as many (or [`SPARE`]), so a
/// fork bomb leaves nothing behind.
///
/// The values are in a separate vector, and the hash table holds only their indices: a hash table grows by
/// doubling, and a third of it is empty.
#[derive(Debug)]
pub(crate) struct PidTable<T> {
    places: HashMap<Pid, u32, BuildHasherDefault<PidHasher>>,
    kept: Vec<Kept<T>>,
    round: u64,
}

#[derive(Debug)]
struct Kept<T> {
    pid: Pid,
    round: u64,
    value: T,
}

impl<T> Default for PidTable<T> {
    fn default() -> Self {
        Self {
            places: HashMap::default(),
            kept: Vec::new(),
            round: 0,
        }
    }
}

impl<T: Default> PidTable<T> {
    /// Reserves room for this many pids, so that adding them reallocates nothing.
    pub(crate) fn reserve(&mut self, pids: usize) {
        if let Some(more) = pids.checked_sub(self.kept.len()).filter(|more| *more > 0) {
            // Reserve a little more than requested: new processes come one by one.
            let more = more + pids / 16;
            self.places.reserve(more);
            self.kept.reserve_exact(more);
        }
    }

    /// The value of a pid, created if there is none. Keeps the value for another round.
    pub(crate) fn keep(&mut self, pid: Pid) -> &mut T {
        let next = self.kept.len();
        let place = match self.places.entry(pid) {
            Entry::Occupied(place) => *place.get() as usize,
            Entry::Vacant(vacant) => {
                // There are at most 2^22 pids (`PID_MAX_LIMIT`).
                vacant.insert(u32::try_from(next).unwrap_or(u32::MAX));
                next
            }
        };
        if place >= next {
            self.kept.push(Kept {
                pid,
                round: 0,
                value: T::default(),
            });
        }
        let kept = &mut self.kept[place.min(next)];
        kept.round = self.round;
        &mut kept.value
    }

    /// The value of a pid, if there is one.
    pub(crate) fn get_mut(&mut self, pid: Pid) -> Option<&mut T> {
        let place = *self.places.get(&pid)?;
        self.kept
            .get_mut(place as usize)
            .map(|kept| &mut kept.value)
    }

    /// Drops the value of a pid.
    pub(crate) fn forget(&mut self, pid: Pid) {
        if let Some(place) = self.places.remove(&pid) {
            self.take_out(place);
        }
    }

    /// Removes a value; the last value moves to its place.
    fn take_out(&mut self, place: u32) {
        if (place as usize) < self.kept.len() {
            self.kept.swap_remove(place as usize);
        }
        if let Some(moved) = self.kept.get(place as usize) {
            self.places.insert(moved.pid, place);
        }
    }

    /// Ends the round: drops every value that was not kept in it.
    pub(crate) fn end_round(&mut self) {
        let mut at = 0;
        while let Some(kept) = self.kept.get(at) {
            if kept.round == self.round {
                at += 1;
            } else {
                let pid = kept.pid;
                self.forget(pid);
            }
        }
        self.round += 1;
        let most = (self.kept.len() * 4).max(SPARE);
        if self.kept.capacity() > most {
            self.kept.shrink_to(most / 2);
            self.places.shrink_to(most / 2);
        }
    }
}

/// Pids are small numbers that no attacker chooses: one multiplication hashes them well enough, at a tenth of
/// the cost of the standard hash.
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

    #[test]
    fn a_fork_bomb_leaves_no_room_behind() {
        let mut table = PidTable::<[u64; 16]>::default();
        table.reserve(100_000);
        for pid in 0..100_000 {
            table.keep(pid);
        }
        table.end_round();
        for pid in 0..500 {
            table.keep(pid);
        }
        table.end_round();
        assert_eq!(table.kept.len(), 500);
        let room = (table.kept.capacity(), table.places.capacity());
        assert!(
            room.0 <= super::SPARE && room.1 <= 2 * super::SPARE,
            "{room:?}"
        );
        for pid in 0..500 {
            table.keep(pid);
        }
        table.end_round();
        assert_eq!(room.0, table.kept.capacity(), "no shrinking back and forth");
    }

    #[test]
    fn behaves_as_a_map_whatever_comes_and_goes() {
        let mut table = PidTable::<u64>::default();
        let mut model = std::collections::HashMap::<u32, u64>::new();
        let mut state = 7_u64;
        let mut random = |below: u64| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (state >> 33) % below
        };
        for round in 0..200 {
            let mut kept = std::collections::HashMap::new();
            table.reserve(40);
            for _ in 0..random(60) {
                let pid = u32::try_from(random(80)).expect("small");
                let value = table.keep(pid);
                assert_eq!(
                    *value,
                    model.get(&pid).copied().unwrap_or(0),
                    "{pid} in {round}"
                );
                *value = round + 1;
                model.insert(pid, round + 1);
                kept.insert(pid, round + 1);
            }
            let gone = u32::try_from(random(80)).expect("small");
            table.forget(gone);
            kept.remove(&gone);
            table.end_round();
            model = kept;
            for pid in 0..80 {
                assert_eq!(table.get_mut(pid).copied(), model.get(&pid).copied());
            }
        }
    }
}
