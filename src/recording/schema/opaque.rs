//! Types that keep a rule about what is in them: they are written as what they are made from.

use crate::model::cgroup::CgroupPath;
use crate::model::memory::nodes::NodeSet;
use crate::model::process::comm::Comm;
use crate::model::process::score::OomScoreAdj;
use crate::oomlog::RawLines;
use crate::recording::codec::{Coded, Malformed, Reader, Writer};

/// The bytes of the path.
impl Coded for CgroupPath {
    fn put(&self, to: &mut Writer) {
        let bytes = Self::bytes_of(self.as_str());
        to.count(bytes.len());
        to.bytes.extend(&*bytes);
    }
    fn take(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        let count = from.count()?;
        Ok(Self::from_bytes(from.bytes(count)?))
    }
    fn same(&self, base: &Self) -> bool {
        self == base
    }
}

/// The bytes of the name.
impl Coded for Comm {
    fn put(&self, to: &mut Writer) {
        to.count(self.as_bytes().len());
        to.bytes.extend(self.as_bytes());
    }
    fn take(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        let count = from.count()?;
        Ok(Self::new(from.bytes(count)?))
    }
    fn same(&self, base: &Self) -> bool {
        self == base
    }
}

/// A bit for each node.
impl Coded for NodeSet {
    fn put(&self, to: &mut Writer) {
        to.number(self.bits());
    }
    fn take(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        Self::from_bits(from.number()?).ok_or(Malformed)
    }
    fn same(&self, base: &Self) -> bool {
        self == base
    }
}

impl Coded for OomScoreAdj {
    fn put(&self, to: &mut Writer) {
        self.get().put(to);
    }
    fn take(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        Self::new(i64::from(i16::take(from)?)).ok_or(Malformed)
    }
    fn same(&self, base: &Self) -> bool {
        self == base
    }
}

/// The lines, each with its newline, and how many did not fit.
impl Coded for RawLines {
    fn put(&self, to: &mut Writer) {
        to.count(self.len());
        for line in self.lines() {
            to.bytes.extend(line.as_bytes());
            to.byte(b'\n');
        }
        to.number(self.dropped());
    }
    fn take(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        let text = String::take(from)?;
        Self::restored(text, from.number()?).ok_or(Malformed)
    }
    fn same(&self, base: &Self) -> bool {
        self == base
    }
}
