//! Texts: the number of bytes, then UTF-8.

use std::sync::Arc;

use super::{Coded, Malformed, Reader, Writer};

fn text<'b>(from: &mut Reader<'b>) -> Result<&'b str, Malformed> {
    let count = from.count()?;
    std::str::from_utf8(from.bytes(count)?).map_err(|_| Malformed)
}

fn put(text: &str, to: &mut Writer) {
    to.count(text.len());
    to.bytes.extend(text.as_bytes());
}

impl Coded for String {
    fn put(&self, to: &mut Writer) {
        put(self, to);
    }
    fn take(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        text(from).map(str::to_owned)
    }
    fn same(&self, base: &Self) -> bool {
        self == base
    }
}

impl Coded for Arc<str> {
    fn put(&self, to: &mut Writer) {
        put(self, to);
    }
    fn take(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        from.spend(16)?;
        text(from).map(Self::from)
    }
    fn same(&self, base: &Self) -> bool {
        Arc::ptr_eq(self, base) || self == base
    }
}

/// The texts that the program itself has: names of back ends, of a measure of pressure.
const OWN: &[&str] = &[
    "",
    "/proc",
    "/proc, all rows",
    "bpf task walk",
    "bpf task iterator",
    "files",
    "bpf cgroup walk",
    "bpf cgroup iterator",
    "full avg10",
];

/// What is not in the list comes back as `recorded`.
impl Coded for &'static str {
    fn put(&self, to: &mut Writer) {
        put(self, to);
    }
    fn take(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        let text = text(from)?;
        let known = OWN.iter().find(|own| **own == text);
        Ok(known.copied().unwrap_or("recorded"))
    }
    fn same(&self, base: &Self) -> bool {
        self == base
    }
}
