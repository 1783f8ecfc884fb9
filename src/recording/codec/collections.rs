//! Lists, what may be missing, pairs, shared values, and names by number.

use std::collections::HashMap;
use std::hash::BuildHasher;
use std::sync::Arc;

use super::{Coded, Layout, Malformed, Reader, Writer};

/// 0: none. 1: a value. 2: the difference to the older value.
impl<T: Coded + Clone> Coded for Option<T> {
    fn describe(to: &mut Layout) {
        to.word("?");
        T::describe(to);
    }
    fn put(&self, to: &mut Writer) {
        match self {
            None => to.byte(0),
            Some(value) => {
                to.byte(1);
                value.put(to);
            }
        }
    }
    fn take(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        match from.byte()? {
            0 => Ok(None),
            1 => T::take(from).map(Some),
            _ => Err(Malformed),
        }
    }
    fn same(&self, base: &Self) -> bool {
        match (self, base) {
            (None, None) => true,
            (Some(value), Some(base)) => value.same(base),
            _ => false,
        }
    }
    fn put_change(&self, base: &Self, to: &mut Writer) {
        match (self, base) {
            (Some(value), Some(base)) => {
                to.byte(2);
                value.put_change(base, to);
            }
            _ => self.put(to),
        }
    }
    fn take_change(base: &Self, from: &mut Reader<'_>) -> Result<Self, Malformed> {
        match (from.byte()?, base) {
            (0, _) => Ok(None),
            (1, _) => T::take(from).map(Some),
            (2, Some(base)) => T::take_change(base, from).map(Some),
            _ => Err(Malformed),
        }
    }
}

/// The number of items, then each.
impl<T: Coded + Clone> Coded for Vec<T> {
    fn describe(to: &mut Layout) {
        to.word("*");
        T::describe(to);
    }
    fn put(&self, to: &mut Writer) {
        to.count(self.len());
        for item in self {
            item.put(to);
        }
    }
    fn take(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        let count = from.items::<T>()?;
        let mut items = Self::with_capacity(count);
        for _ in 0..count {
            items.push(T::take(from)?);
        }
        Ok(items)
    }
    fn same(&self, base: &Self) -> bool {
        self.len() == base.len() && self.iter().zip(base).all(|(item, base)| item.same(base))
    }
    fn put_change(&self, base: &Self, to: &mut Writer) {
        T::put_list_change(self, base, to);
    }
    fn take_change(base: &Self, from: &mut Reader<'_>) -> Result<Self, Malformed> {
        T::take_list_change(base, from)
    }
}

impl<T: Coded> Coded for Arc<T> {
    fn describe(to: &mut Layout) {
        T::describe(to);
    }
    fn put(&self, to: &mut Writer) {
        T::put(self, to);
    }
    fn take(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        // The two counts in front of it take memory too.
        from.spend(size_of::<T>().saturating_add(16))?;
        T::take(from).map(Self::new)
    }
    fn same(&self, base: &Self) -> bool {
        Arc::ptr_eq(self, base) || T::same(self, base)
    }
    fn put_change(&self, base: &Self, to: &mut Writer) {
        T::put_change(self, base, to);
    }
    fn take_change(base: &Self, from: &mut Reader<'_>) -> Result<Self, Malformed> {
        from.spend(size_of::<T>().saturating_add(16))?;
        T::take_change(base, from).map(Self::new)
    }
}

impl<T: Coded> Coded for Box<T> {
    fn describe(to: &mut Layout) {
        T::describe(to);
    }
    fn put(&self, to: &mut Writer) {
        T::put(self, to);
    }
    fn take(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        from.spend(size_of::<T>())?;
        T::take(from).map(Self::new)
    }
    fn same(&self, base: &Self) -> bool {
        T::same(self, base)
    }
}

impl<A: Coded, B: Coded> Coded for (A, B) {
    fn describe(to: &mut Layout) {
        A::describe(to);
        B::describe(to);
    }
    fn put(&self, to: &mut Writer) {
        self.0.put(to);
        self.1.put(to);
    }
    fn take(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok((A::take(from)?, B::take(from)?))
    }
    fn same(&self, base: &Self) -> bool {
        self.0.same(&base.0) && self.1.same(&base.1)
    }
}

/// By ascending number, so that equal values are equal bytes.
impl<S: BuildHasher + Default> Coded for HashMap<u32, Arc<str>, S> {
    fn put(&self, to: &mut Writer) {
        let mut entries: Vec<_> = self.iter().collect();
        entries.sort_unstable();
        to.count(entries.len());
        for (number, name) in entries {
            number.put(to);
            name.put(to);
        }
    }
    fn take(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        // A table has room for twice as many, and each text its two counts.
        let count = from.items::<[(u32, Arc<str>); 3]>()?;
        let mut entries = Self::default();
        for _ in 0..count {
            entries.insert(u32::take(from)?, Coded::take(from)?);
        }
        Ok(entries)
    }
    fn same(&self, base: &Self) -> bool {
        self == base
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use crate::recording::codec::{Coded, Malformed, Reader, Writer};

    #[test]
    fn a_list_that_claims_more_values_than_there_are_bytes_is_refused_before_it_takes_memory() {
        let mut to = Writer::default();
        to.count(1 << 30);
        to.bytes.resize(100, 0);
        let mut from = Reader::new(&to.bytes);
        assert_eq!(Vec::<u8>::take(&mut from), Err(Malformed));
        let mut from = Reader::new(&to.bytes);
        assert_eq!(Vec::<Option<Arc<str>>>::take(&mut from), Err(Malformed));
    }

    #[test]
    fn a_list_whose_values_take_more_memory_than_a_frame_may_is_refused() {
        let list = |count: usize| {
            let mut to = Writer::default();
            to.count(count);
            to.bytes.resize(to.bytes.len() + count, 0);
            to.bytes
        };
        let small = list(1000);
        let taken = Vec::<Option<(u64, (u64, (u64, (u64, u64))))>>::take(&mut Reader::new(&small));
        assert_eq!(taken.map(|list| list.len()), Ok(1000));
        let large = list(8 << 20);
        let mut from = Reader::new(&large);
        assert_eq!(
            Vec::<Option<(u64, (u64, (u64, (u64, u64))))>>::take(&mut from).err(),
            Some(Malformed)
        );
        // Empty texts, each of which is a pointer, a length and two counts.
        let mut from = Reader::new(&large);
        assert_eq!(
            Vec::<Arc<Arc<Option<u64>>>>::take(&mut from).err(),
            Some(Malformed)
        );
    }
}
