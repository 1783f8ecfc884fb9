//! How a value becomes bytes: [`Coded`], by position and without names, and as the difference to an older value.
//!
//! It is not serde with postcard: a serializer sees no older value, and the difference is what makes a sample small; and the
//! attributes that these types have for JSON (`skip`, `rename`) contradict a format that goes by position.

mod collections;
mod numbers;
mod texts;

use std::collections::{HashMap, HashSet};
use std::num::NonZeroU64;

/// What cannot be bytes of this format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Malformed;

/// A value of a recording.
pub(super) trait Coded: Sized {
    /// Writes the layout, for [`fingerprint`].
    fn describe(to: &mut Layout) {
        // Paths differ from compiler to compiler, names do not.
        let name = std::any::type_name::<Self>();
        to.word(name.rsplit("::").next().unwrap_or(name));
    }

    /// Appends the value.
    fn put(&self, to: &mut Writer);

    /// Reads what [`Self::put`] wrote.
    fn take(from: &mut Reader<'_>) -> Result<Self, Malformed>;

    /// True if the difference to `base` need not be written. Numbers with a point are compared bit by bit.
    fn same(&self, base: &Self) -> bool;

    /// Appends the difference to `base`.
    fn put_change(&self, _base: &Self, to: &mut Writer) {
        self.put(to);
    }

    /// Reads what [`Self::put_change`] wrote against an equal `base`.
    fn take_change(_base: &Self, from: &mut Reader<'_>) -> Result<Self, Malformed> {
        Self::take(from)
    }

    /// Appends the difference of a list to an older one: its length, what both have as differences, then the rest.
    fn put_list_change(items: &[Self], base: &[Self], to: &mut Writer) {
        to.count(items.len());
        for (at, item) in items.iter().enumerate() {
            match base.get(at) {
                Some(base) => item.put_change(base, to),
                None => item.put(to),
            }
        }
    }

    /// Reads what [`Self::put_list_change`] wrote.
    fn take_list_change(base: &[Self], from: &mut Reader<'_>) -> Result<Vec<Self>, Malformed> {
        let count = from.items::<Self>()?;
        let mut items = Vec::with_capacity(count);
        for at in 0..count {
            items.push(match base.get(at) {
                Some(base) => Self::take_change(base, from)?,
                None => Self::take(from)?,
            });
        }
        Ok(items)
    }
}

/// Memory that the values of one frame may take, in bytes: four times the longest payload. A sample of 10 000 processes takes
/// 10 MB.
const ROOM: usize = 256 << 20;

/// Bytes that are written.
#[derive(Debug, Default)]
pub(super) struct Writer {
    pub(super) bytes: Vec<u8>,
    /// Numbers of address spaces: what identifies one in a sample is a kernel pointer, which never leaves the machine.
    spaces: HashMap<NonZeroU64, u64>,
    next_space: u64,
}

impl Writer {
    pub(super) fn byte(&mut self, byte: u8) {
        self.bytes.push(byte);
    }

    /// LEB128: seven bits in a byte, the lowest first, the highest bit set in all but the last.
    pub(super) fn number(&mut self, mut number: u64) {
        loop {
            let [low, ..] = number.to_le_bytes();
            number >>= 7;
            if number == 0 {
                return self.byte(low);
            }
            self.byte(low | 0x80);
        }
    }

    pub(super) fn count(&mut self, count: usize) {
        self.number(count as u64);
    }

    /// The number that stands for an address space from now on, the same in every sample.
    pub(super) fn space(&mut self, space: NonZeroU64) -> u64 {
        let next = &mut self.next_space;
        *self.spaces.entry(space).or_insert_with(|| {
            *next += 1;
            *next
        })
    }

    /// Forgets the address spaces that nobody has any more.
    pub(super) fn keep_spaces(&mut self, used: impl Iterator<Item = NonZeroU64>) {
        let used: HashSet<_> = used.collect();
        self.spaces.retain(|space, _| used.contains(space));
    }
}

/// Bytes that are read.
#[derive(Debug)]
pub(super) struct Reader<'b> {
    left: &'b [u8],
    /// Bytes of memory that may still be taken.
    room: usize,
}

impl<'b> Reader<'b> {
    pub(super) fn new(bytes: &'b [u8]) -> Self {
        Self {
            left: bytes,
            room: ROOM,
        }
    }

    /// Takes so much memory for values: a byte of the file may stand for hundreds.
    pub(super) fn spend(&mut self, bytes: usize) -> Result<(), Malformed> {
        self.room = self.room.checked_sub(bytes).ok_or(Malformed)?;
        Ok(())
    }

    /// How many values follow in a list. The memory for them is taken.
    pub(super) fn items<T>(&mut self) -> Result<usize, Malformed> {
        let count = self.count()?;
        self.spend(count.saturating_mul(size_of::<T>()))?;
        Ok(count)
    }

    pub(super) fn byte(&mut self) -> Result<u8, Malformed> {
        let (first, rest) = self.left.split_first().ok_or(Malformed)?;
        self.left = rest;
        Ok(*first)
    }

    pub(super) fn bytes(&mut self, count: usize) -> Result<&'b [u8], Malformed> {
        let (bytes, rest) = self.left.split_at_checked(count).ok_or(Malformed)?;
        // Most become a text.
        self.spend(count)?;
        self.left = rest;
        Ok(bytes)
    }

    pub(super) fn number(&mut self) -> Result<u64, Malformed> {
        let mut number = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            if shift == 63 && bits > 1 {
                return Err(Malformed);
            }
            number |= bits << shift;
            if byte & 0x80 == 0 {
                return Ok(number);
            }
        }
        Err(Malformed)
    }

    /// A number of things that follow, each of at least one byte: never more than the bytes that are left.
    pub(super) fn count(&mut self) -> Result<usize, Malformed> {
        let count = usize::try_from(self.number()?).map_err(|_| Malformed)?;
        if count > self.left.len() {
            return Err(Malformed);
        }
        Ok(count)
    }

    /// All bytes must have been read.
    pub(super) fn end(&self) -> Result<(), Malformed> {
        if self.left.is_empty() {
            Ok(())
        } else {
            Err(Malformed)
        }
    }
}

/// The names of types and fields in their order, each type once.
#[derive(Debug, Default)]
pub(super) struct Layout {
    text: String,
    seen: HashSet<&'static str>,
}

impl Layout {
    pub(super) fn word(&mut self, word: &str) {
        self.text.push_str(word);
        self.text.push(' ');
    }

    /// True if the type is described for the first time.
    pub(super) fn begins<T>(&mut self, name: &str) -> bool {
        self.word(name);
        self.seen.insert(std::any::type_name::<T>())
    }

    /// Describes the type of a field.
    pub(super) fn field<T, F: Coded>(&mut self, name: &str, _of: fn(&T) -> &F) {
        self.word(name);
        F::describe(self);
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }
}

/// A structure by its fields, all of them in this order: the compiler names the ones that are missing. Those
/// after a semicolon are not recorded. Their difference
/// to an older value is a number whose bits say which fields follow.
macro_rules! record {
    ($type:ty { $($field:ident),+ $(,)? $(; $($absent:ident),+)? } $($more:item)*) => {
        impl $crate::recording::codec::Coded for $type {
            $($more)*
            fn describe(to: &mut $crate::recording::codec::Layout) {
                if to.begins::<Self>(stringify!($type)) {
                    $( to.field::<Self, _>(stringify!($field), |of| &of.$field); )+
                }
            }
            fn put(&self, to: &mut $crate::recording::codec::Writer) {
                let Self { $($field),+ $(, $($absent: _),+)? } = self;
                $( $crate::recording::codec::Coded::put($field, to); )+
            }
            fn take(from: &mut $crate::recording::codec::Reader<'_>) -> Result<Self, $crate::recording::codec::Malformed> {
                Ok(Self { $($field: $crate::recording::codec::Coded::take(from)?),+ $(, $($absent: Default::default()),+)? })
            }
            fn same(&self, base: &Self) -> bool {
                true $( && $crate::recording::codec::Coded::same(&self.$field, &base.$field) )+
            }
            fn put_change(&self, base: &Self, to: &mut $crate::recording::codec::Writer) {
                let mut changed = 0_u64;
                let mut bit = 1_u64;
                $(
                    if !$crate::recording::codec::Coded::same(&self.$field, &base.$field) {
                        changed |= bit;
                    }
                    bit <<= 1;
                )+
                let _ = bit;
                to.number(changed);
                $(
                    if changed & 1 == 1 {
                        $crate::recording::codec::Coded::put_change(&self.$field, &base.$field, to);
                    }
                    changed >>= 1;
                )+
                let _ = changed;
            }
            fn take_change(base: &Self, from: &mut $crate::recording::codec::Reader<'_>) -> Result<Self, $crate::recording::codec::Malformed> {
                let mut changed = from.number()?;
                $(
                    let $field = if changed & 1 == 1 {
                        $crate::recording::codec::Coded::take_change(&base.$field, from)?
                    } else {
                        base.$field.clone()
                    };
                    changed >>= 1;
                )+
                // A field that this version does not know.
                if changed != 0 {
                    return Err($crate::recording::codec::Malformed);
                }
                Ok(Self { $($field),+ $(, $($absent: Default::default()),+)? })
            }
        }
    };
}

/// A choice by the number of each variant and what it holds, all of them.
macro_rules! choice {
    ($type:ty { $($tag:literal => $variant:ident $(($($item:ident),+))? $({ $($field:ident),+ })?),+ $(,)? }) => {
        impl $crate::recording::codec::Coded for $type {
            fn describe(to: &mut $crate::recording::codec::Layout) {
                if to.begins::<Self>(stringify!($type)) {
                    $( to.word(stringify!($tag $variant $(($($item),+))? $({ $($field),+ })?)); )+
                }
            }
            fn put(&self, to: &mut $crate::recording::codec::Writer) {
                match self {
                    $(
                        Self::$variant $(($($item),+))? $({ $($field),+ })? => {
                            to.byte($tag);
                            $($( $crate::recording::codec::Coded::put($item, to); )+)?
                            $($( $crate::recording::codec::Coded::put($field, to); )+)?
                        }
                    )+
                }
            }
            fn take(from: &mut $crate::recording::codec::Reader<'_>) -> Result<Self, $crate::recording::codec::Malformed> {
                Ok(match from.byte()? {
                    $(
                        $tag => Self::$variant
                            $(($({ let $item = $crate::recording::codec::Coded::take(from)?; $item }),+))?
                            $({ $($field: $crate::recording::codec::Coded::take(from)?),+ })?,
                    )+
                    _ => return Err($crate::recording::codec::Malformed),
                })
            }
            fn same(&self, base: &Self) -> bool {
                self == base
            }
        }
    };
}

/// A type around one number or text, which is written as that.
macro_rules! single {
    ($type:ident) => {
        impl $crate::recording::codec::Coded for $type {
            fn put(&self, to: &mut $crate::recording::codec::Writer) {
                self.0.put(to);
            }
            fn take(
                from: &mut $crate::recording::codec::Reader<'_>,
            ) -> Result<Self, $crate::recording::codec::Malformed> {
                $crate::recording::codec::Coded::take(from).map(Self)
            }
            fn same(&self, base: &Self) -> bool {
                self.0.same(&base.0)
            }
            fn put_change(&self, base: &Self, to: &mut $crate::recording::codec::Writer) {
                self.0.put_change(&base.0, to);
            }
            fn take_change(
                base: &Self,
                from: &mut $crate::recording::codec::Reader<'_>,
            ) -> Result<Self, $crate::recording::codec::Malformed> {
                $crate::recording::codec::Coded::take_change(&base.0, from).map(Self)
            }
        }
    };
}

pub(super) use {choice, record, single};
