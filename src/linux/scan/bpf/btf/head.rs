//! [`Head`]: the first twelve bytes of a type, and what its kind says of those that follow.

use super::BtfError;

/// The kinds of types that are looked at (`BTF_KIND_*`).
pub(super) mod kind {
    pub(in crate::linux::scan::bpf::btf) const INT: u32 = 1;
    pub(in crate::linux::scan::bpf::btf) const PTR: u32 = 2;
    pub(in crate::linux::scan::bpf::btf) const ARRAY: u32 = 3;
    pub(in crate::linux::scan::bpf::btf) const STRUCT: u32 = 4;
    pub(in crate::linux::scan::bpf::btf) const UNION: u32 = 5;
    pub(in crate::linux::scan::bpf::btf) const ENUM: u32 = 6;
    pub(in crate::linux::scan::bpf::btf) const TYPEDEF: u32 = 8;
    pub(in crate::linux::scan::bpf::btf) const VOLATILE: u32 = 9;
    pub(in crate::linux::scan::bpf::btf) const CONST: u32 = 10;
    pub(in crate::linux::scan::bpf::btf) const RESTRICT: u32 = 11;
    pub(in crate::linux::scan::bpf::btf) const FUNC: u32 = 12;
    pub(in crate::linux::scan::bpf::btf) const FUNC_PROTO: u32 = 13;
    pub(in crate::linux::scan::bpf::btf) const VAR: u32 = 14;
    pub(in crate::linux::scan::bpf::btf) const DATASEC: u32 = 15;
    pub(in crate::linux::scan::bpf::btf) const DECL_TAG: u32 = 17;
    pub(in crate::linux::scan::bpf::btf) const TYPE_TAG: u32 = 18;
    pub(in crate::linux::scan::bpf::btf) const ENUM64: u32 = 19;
}

/// One type without what follows it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Head {
    pub(super) at: u64,
    pub(super) name: u32,
    pub(super) kind: u32,
    /// How many members, values or parameters follow.
    pub(super) count: u32,
    /// Member offsets carry a bit-field size.
    pub(super) bit_fields: bool,
    /// Size or type, by kind.
    pub(super) size_or_type: u32,
}

impl Head {
    /// Where the next type begins.
    pub(super) fn end(&self) -> Result<u64, BtfError> {
        Ok(self.at + 12 + u64::from(self.tail()?))
    }

    /// Bytes after the first twelve.
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
