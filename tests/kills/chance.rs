//! [`Chance`]: random numbers that a seed reproduces.

/// A linear feedback generator (xorshift64): good enough to draw plans.
pub(crate) struct Chance(u64);

impl Chance {
    /// The same numbers for the same seed.
    pub(crate) fn of(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 >> 11
    }

    /// 0 .. `end`.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % end as u64).unwrap_or(0)
    }

    /// `least` ..= `most`.
    pub(crate) fn between(&mut self, least: u64, most: u64) -> u64 {
        least + self.next() % (most - least + 1)
    }

    /// An adj from `floor` to 1000; 0, or the floor where it is above, half of the time.
    pub(crate) fn adj(&mut self, floor: i16) -> i16 {
        if self.below(2) == 0 {
            return floor.max(0);
        }
        let span = u64::from((1000 - floor).unsigned_abs());
        floor + i16::try_from(self.between(0, span)).unwrap_or(0)
    }
}
