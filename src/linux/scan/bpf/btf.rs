//! Reads the kernel's type information (BTF) in chunks, to find the offsets of structure members and the type
//! ids of kernel functions.
//!
//! Format: Documentation/bpf/btf.rst. The blob is about five megabytes. Only one window of it and the
//! positions of every 16th type are in memory, and only while the program is being assembled.

mod arguments;
mod error;
mod format;
mod window;

pub(crate) use arguments::Argument;
pub(crate) use error::BtfError;
pub(crate) use format::TypeId;
use format::{Head, MAGIC, kind};
pub(super) use window::Blob;
use window::{WINDOW, Window, half, word};

/// Longest chain of typedefs and qualifiers, and deepest nesting of unnamed structures, that is followed.
const DEEPEST: usize = 32;

/// Every 16th type has its position stored; the types between are found by walking from there.
const STRIDE: TypeId = 16;

/// Most members visited to find one. `task_struct` has about three hundred.
const MOST_MEMBERS: u32 = 100_000;

/// A member of a structure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Member {
    /// Bytes from the start of the outermost structure.
    pub(crate) offset: u32,
    /// Size in bytes.
    pub(crate) size: u32,
}

/// The type information of the wanted names.
#[derive(Debug)]
pub(crate) struct Btf<'n, B> {
    window: Window<B>,
    /// Position of every [`STRIDE`]th type, from type 1 on: there are more than a hundred thousand types.
    places: Vec<u64>,
    /// Number of types, without void.
    types: TypeId,
    /// Offsets of the wanted names in the string section, sorted.
    names: Vec<(u32, &'n str)>,
    /// The types with a wanted name: kind, name, id.
    named: Vec<(u32, &'n str, TypeId)>,
    /// Number of members that may still be visited: damaged structures could contain each other.
    budget: u32,
}

impl<'n, B: Blob> Btf<'n, B> {
    /// Finds the wanted names of types, members and functions.
    pub(crate) fn read(blob: B, wanted: &[&'n str]) -> Result<Self, BtfError> {
        let mut wanted = wanted.to_vec();
        wanted.sort_unstable();
        let mut btf = Self {
            window: Window::new(blob),
            places: Vec::new(),
            types: 0,
            names: Vec::new(),
            named: Vec::new(),
            budget: 0,
        };
        let head = btf.window.get(0, 24)?;
        if half(head, 0) != MAGIC {
            return Err(BtfError::Damaged("it does not start with the magic number"));
        }
        let word = |at| u64::from(word(head, at));
        let (base, types, types_len) = (word(4), word(8), word(12));
        let (strings, strings_len) = (word(16), word(20));
        btf.find_names(base + strings, strings_len, &wanted)?;
        btf.find_types(base + types, types_len)?;
        Ok(btf)
    }

    /// `wanted` is sorted.
    fn find_names(&mut self, start: u64, len: u64, wanted: &[&'n str]) -> Result<(), BtfError> {
        let mut at = 0;
        // A string that is cut off at the end of a window is read again with the next window.
        while at < len {
            let most = usize::try_from(len - at).map_or(WINDOW, |rest| rest.min(WINDOW));
            let chunk = self.window.get(start + at, most)?;
            let Some(end) = chunk.iter().rposition(|b| *b == 0) else {
                // The string is longer than any wanted name.
                at += most as u64;
                continue;
            };
            let mut begin = 0;
            for string in chunk.get(..end).unwrap_or_default().split(|b| *b == 0) {
                let found = wanted.binary_search_by(|name| name.as_bytes().cmp(string));
                if let Some(name) = found.ok().and_then(|at| wanted.get(at))
                    && let Ok(offset) = u32::try_from(at + begin)
                {
                    self.names.push((offset, name));
                }
                begin += string.len() as u64 + 1;
            }
            at += end as u64 + 1;
        }
        self.names.sort_unstable();
        Ok(())
    }

    fn find_types(&mut self, start: u64, len: u64) -> Result<(), BtfError> {
        let mut at = start;
        while at < start + len {
            let head = self.head_at(at)?;
            if self.types.is_multiple_of(STRIDE) {
                self.places.push(at);
            }
            self.types =
                (self.types.checked_add(1)).ok_or(BtfError::Damaged("it has too many types"))?;
            if let Some(name) = self.name(head.name) {
                self.named.push((head.kind, name, self.types));
            }
            at = head.end()?;
        }
        Ok(())
    }

    fn name(&self, offset: u32) -> Option<&'n str> {
        let at = self.names.binary_search_by_key(&offset, |(at, _)| *at);
        self.names.get(at.ok()?).map(|(_, name)| *name)
    }

    fn head_at(&mut self, at: u64) -> Result<Head, BtfError> {
        Ok(Head::parse(self.window.get(at, 12)?, at))
    }

    fn head(&mut self, id: TypeId) -> Result<Head, BtfError> {
        // Type 0 is void.
        let index = id.checked_sub(1).filter(|index| *index < self.types);
        let place = index.and_then(|index| self.places.get((index / STRIDE) as usize));
        let (Some(index), Some(place)) = (index, place) else {
            return Err(BtfError::Damaged("a type refers to one that is not there"));
        };
        let mut head = self.head_at(*place)?;
        for _ in 0..index % STRIDE {
            head = self.head_at(head.end()?)?;
        }
        Ok(head)
    }

    /// Follows typedefs and qualifiers.
    fn resolved(&mut self, id: TypeId) -> Result<Head, BtfError> {
        let mut head = self.head(id)?;
        for _ in 0..DEEPEST {
            if !matches!(
                head.kind,
                kind::TYPEDEF | kind::VOLATILE | kind::CONST | kind::RESTRICT | kind::TYPE_TAG
            ) {
                return Ok(head);
            }
            head = self.head(head.size_or_type)?;
        }
        Err(BtfError::Damaged("a chain of types has no end"))
    }

    fn size(&mut self, id: TypeId) -> Result<u32, BtfError> {
        let mut times = 1_u32;
        let mut head = self.resolved(id)?;
        for _ in 0..DEEPEST {
            let one = match head.kind {
                kind::PTR => 8,
                kind::INT | kind::STRUCT | kind::UNION | kind::ENUM | kind::ENUM64 => {
                    head.size_or_type
                }
                kind::ARRAY => {
                    let bytes = self.window.get(head.at + 12, 12)?;
                    let (element, count) = (word(bytes, 0), word(bytes, 8));
                    times = times.saturating_mul(count);
                    head = self.resolved(element)?;
                    continue;
                }
                _ => return Err(BtfError::Damaged("a member has no size")),
            };
            return Ok(times.saturating_mul(one));
        }
        Err(BtfError::Damaged("a chain of arrays has no end"))
    }

    fn named(&self, wanted: u32, name: &str) -> Result<TypeId, BtfError> {
        self.named
            .iter()
            .find(|(kind, own, _)| *kind == wanted && *own == name)
            .map(|(_, _, id)| *id)
            .ok_or_else(|| BtfError::Missing(name.to_owned()))
    }

    /// The type id of a kernel function.
    pub(crate) fn function(&self, name: &str) -> Result<TypeId, BtfError> {
        self.named(kind::FUNC, name)
    }

    /// The size of a structure in bytes.
    pub(crate) fn struct_size(&mut self, name: &str) -> Result<u32, BtfError> {
        let id = self.named(kind::STRUCT, name)?;
        self.size(id)
    }

    /// The value of a name in an enumeration.
    pub(crate) fn constant(&mut self, of: &str, name: &str) -> Result<u32, BtfError> {
        let id = self.named(kind::ENUM, of)?;
        let head = self.head(id)?;
        for at in 0..head.count {
            let bytes = self.window.get(head.at + 12 + 8 * u64::from(at), 8)?;
            let (own, value) = (word(bytes, 0), word(bytes, 4));
            if self.name(own) == Some(name) {
                return Ok(value);
            }
        }
        Err(BtfError::Missing(format!("{name} in {of}")))
    }

    /// The offset and size of a member. `path` descends through nested structures. Members of an unnamed
    /// structure belong to the enclosing structure, as in C.
    pub(crate) fn member(&mut self, of: &str, path: &[&str]) -> Result<Member, BtfError> {
        let missing = || BtfError::Missing(format!("{of}.{}", path.join(".")));
        self.budget = MOST_MEMBERS;
        let mut id = self.named(kind::STRUCT, of)?;
        let mut offset = 0;
        for name in path {
            let (own, inner) = self.direct_member(id, name, 0)?.ok_or_else(missing)?;
            offset = own.saturating_add(offset);
            id = inner;
        }
        Ok(Member {
            offset,
            size: self.size(id)?,
        })
    }

    fn direct_member(
        &mut self,
        id: TypeId,
        name: &str,
        depth: usize,
    ) -> Result<Option<(u32, TypeId)>, BtfError> {
        let head = self.resolved(id)?;
        if !matches!(head.kind, kind::STRUCT | kind::UNION) || depth > DEEPEST {
            return Ok(None);
        }
        for at in 0..head.count {
            let left = self.budget.checked_sub(1);
            self.budget = left.ok_or(BtfError::Damaged("a structure has no end"))?;
            let bytes = self.window.get(head.at + 12 + 12 * u64::from(at), 12)?;
            let (own, inner, bits) = (word(bytes, 0), word(bytes, 4), word(bytes, 8));
            let (bits, is_field) = if head.bit_fields {
                (bits & 0x00ff_ffff, bits >> 24 != 0)
            } else {
                (bits, false)
            };
            if self.name(own) == Some(name) {
                return Ok((!is_field).then_some((bits / 8, inner)));
            }
            if own == 0
                && let Some((offset, inner)) = self.direct_member(inner, name, depth + 1)?
            {
                return Ok(Some((offset.saturating_add(bits / 8), inner)));
            }
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests;
