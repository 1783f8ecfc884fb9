//! Numbers: whole ones as LEB128 (with a sign in zigzag), those with a point as their bits. The difference of whole
//! numbers is a number.

use std::num::NonZeroU64;
use std::time::Duration;

use super::{Coded, Malformed, Reader, Writer};

/// The sign in the lowest bit, so that small numbers stay short.
fn zigzag(number: i64) -> u64 {
    (number.cast_unsigned() << 1) ^ (number >> 63).cast_unsigned()
}

fn unzigzag(number: u64) -> i64 {
    (number >> 1).cast_signed() ^ -(number & 1).cast_signed()
}

macro_rules! unsigned {
    ($($type:ty),+) => { $(
        impl Coded for $type {
            fn put(&self, to: &mut Writer) {
                to.number(u64::from(*self));
            }
            fn take(from: &mut Reader<'_>) -> Result<Self, Malformed> {
                Self::try_from(from.number()?).map_err(|_| Malformed)
            }
            fn same(&self, base: &Self) -> bool {
                self == base
            }
            fn put_change(&self, base: &Self, to: &mut Writer) {
                let by = u64::from(*self).wrapping_sub(u64::from(*base));
                to.number(zigzag(by.cast_signed()));
            }
            fn take_change(base: &Self, from: &mut Reader<'_>) -> Result<Self, Malformed> {
                let by = unzigzag(from.number()?).cast_unsigned();
                Self::try_from(u64::from(*base).wrapping_add(by)).map_err(|_| Malformed)
            }
        }
    )+ };
}

unsigned!(u8, u32, u64);

macro_rules! signed {
    ($($type:ty),+) => { $(
        impl Coded for $type {
            fn put(&self, to: &mut Writer) {
                to.number(zigzag(i64::from(*self)));
            }
            fn take(from: &mut Reader<'_>) -> Result<Self, Malformed> {
                Self::try_from(unzigzag(from.number()?)).map_err(|_| Malformed)
            }
            fn same(&self, base: &Self) -> bool {
                self == base
            }
            fn put_change(&self, base: &Self, to: &mut Writer) {
                to.number(zigzag(i64::from(*self).wrapping_sub(i64::from(*base))));
            }
            fn take_change(base: &Self, from: &mut Reader<'_>) -> Result<Self, Malformed> {
                let by = unzigzag(from.number()?);
                Self::try_from(i64::from(*base).wrapping_add(by)).map_err(|_| Malformed)
            }
        }
    )+ };
}

signed!(i16, i32, i64);

impl Coded for f32 {
    fn put(&self, to: &mut Writer) {
        to.bytes.extend(self.to_bits().to_le_bytes());
    }
    fn take(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        let bytes = from.bytes(4)?.try_into().map_err(|_| Malformed)?;
        Ok(Self::from_bits(u32::from_le_bytes(bytes)))
    }
    fn same(&self, base: &Self) -> bool {
        self.to_bits() == base.to_bits()
    }
}

impl Coded for f64 {
    fn put(&self, to: &mut Writer) {
        to.bytes.extend(self.to_bits().to_le_bytes());
    }
    fn take(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        let bytes = from.bytes(8)?.try_into().map_err(|_| Malformed)?;
        Ok(Self::from_bits(u64::from_le_bytes(bytes)))
    }
    fn same(&self, base: &Self) -> bool {
        self.to_bits() == base.to_bits()
    }
}

impl Coded for bool {
    fn put(&self, to: &mut Writer) {
        to.byte(u8::from(*self));
    }
    fn take(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        match from.byte()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(Malformed),
        }
    }
    fn same(&self, base: &Self) -> bool {
        self == base
    }
}

impl Coded for char {
    fn put(&self, to: &mut Writer) {
        to.number(u64::from(u32::from(*self)));
    }
    fn take(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        Self::from_u32(u32::take(from)?).ok_or(Malformed)
    }
    fn same(&self, base: &Self) -> bool {
        self == base
    }
}

/// Seconds, then nanoseconds.
impl Coded for Duration {
    fn put(&self, to: &mut Writer) {
        to.number(self.as_secs());
        to.number(u64::from(self.subsec_nanos()));
    }
    fn take(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        let (seconds, nanos) = (from.number()?, u32::take(from)?);
        if nanos >= 1_000_000_000 {
            return Err(Malformed);
        }
        Ok(Self::new(seconds, nanos))
    }
    fn same(&self, base: &Self) -> bool {
        self == base
    }
}

/// An address space, by the number that stands for it in this recording.
impl Coded for NonZeroU64 {
    fn put(&self, to: &mut Writer) {
        let number = to.space(*self);
        to.number(number);
    }
    fn take(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        Self::new(from.number()?).ok_or(Malformed)
    }
    fn same(&self, base: &Self) -> bool {
        self == base
    }
}

#[cfg(test)]
mod tests {
    use super::{Coded, Reader, Writer, unzigzag, zigzag};

    proptest::proptest! {
        #[test]
        fn numbers_come_back(a: u64, b: u64, c: i64, d: i64, e: u32, f: u32) {
            proptest::prop_assert_eq!(unzigzag(zigzag(c)), c);
            let mut to = Writer::default();
            a.put(&mut to);
            a.put_change(&b, &mut to);
            c.put(&mut to);
            c.put_change(&d, &mut to);
            e.put_change(&f, &mut to);
            let bytes = to.bytes;
            let mut from = Reader::new(&bytes);
            proptest::prop_assert_eq!(u64::take(&mut from), Ok(a));
            proptest::prop_assert_eq!(u64::take_change(&b, &mut from), Ok(a));
            proptest::prop_assert_eq!(i64::take(&mut from), Ok(c));
            proptest::prop_assert_eq!(i64::take_change(&d, &mut from), Ok(c));
            proptest::prop_assert_eq!(u32::take_change(&f, &mut from), Ok(e));
            proptest::prop_assert_eq!(from.end(), Ok(()));
        }
    }
}
