//! The format of BTF: the head of a type and the length of its tail (Documentation/bpf/btf.rst).

use super::error::BtfError;
use super::window::word;

/// `BTF_MAGIC` (include/uapi/linux/btf.h).
pub(super) const MAGIC: u16 = 0xeb9f;

/// The kinds of types that are used (`BTF_KIND_*`).
pub(super) mod kind {
    pub(in super::super) const INT: u32 = 1;
    pub(in super::super) const PTR: u32 = 2;
    pub(in super::super) const ARRAY: u32 = 3;
    pub(in super::super) const STRUCT: u32 = 4;
    pub(in super::super) const UNION: u32 = 5;
    pub(in super::super) const ENUM: u32 = 6;
    pub(in super::super) const TYPEDEF: u32 = 8;
    pub(in super::super) const VOLATILE: u32 = 9;
    pub(in super::super) const CONST: u32 = 10;
    pub(in super::super) const RESTRICT: u32 = 11;
    pub(in super::super) const FUNC: u32 = 12;
    pub(in super::super) const FUNC_PROTO: u32 = 13;
    pub(in super::super) const VAR: u32 = 14;
    pub(in super::super) const DATASEC: u32 = 15;
    pub(in super::super) const DECL_TAG: u32 = 17;
    pub(in super::super) const TYPE_TAG: u32 = 18;
    pub(in super::super) const ENUM64: u32 = 19;
}

/// The id of a type.
pub(crate) type TypeId = u32;

/// The fixed head of one type.
#[derive(Debug, Clone, Copy)]
pub(super) struct Head {
    pub(super) at: u64,
    pub(super) name: u32,
    pub(super) kind: u32,
    /// Number of members, values or parameters that follow.
    pub(super) count: u32,
    /// True if member offsets contain the size of a bit field.
    pub(super) bit_fields: bool,
    /// Size or type, by kind.
    pub(super) size_or_type: u32,
}

impl Head {
    /// Parses the first twelve bytes of the type at `at` in the blob.
    pub(super) fn parse(bytes: &[u8], at: u64) -> Self {
        let detail = word(bytes, 4);
        Self {
            at,
            name: word(bytes, 0),
            kind: detail >> 24 & 0x1f,
            count: detail & 0xffff,
            bit_fields: detail >> 31 == 1,
            size_or_type: word(bytes, 8),
        }
    }

    /// The position of the next type.
    pub(super) fn end(&self) -> Result<u64, BtfError> {
        Ok(self.at + 12 + u64::from(self.tail()?))
    }

    /// Length of the data after the head, in bytes.
    fn tail(&self) -> Result<u32, BtfError> {
        Ok(match self.kind {
            kind::INT | kind::VAR | kind::DECL_TAG => 4,
            kind::ARRAY => 12,
            kind::STRUCT | kind::UNION | kind::DATASEC | kind::ENUM64 => 12 * self.count,
            kind::ENUM | kind::FUNC_PROTO => 8 * self.count,
            1..=19 => 0,
            _ => return Err(BtfError::Damaged("it has a kind of type not known here")),
        })
    }
}
