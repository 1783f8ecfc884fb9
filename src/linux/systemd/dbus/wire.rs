//! The wire format of D-Bus (D-Bus specification, "Marshaling"), as far as systemd's manager is spoken to. What is
//! written is little endian; what is read has the order of bytes that its sender says.

/// The order of bytes in a message: that of the machine, where systemd has written it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    Little,
    Big,
}

impl Order {
    /// The order that the first byte of a message names.
    pub(super) fn of(first: u8) -> Option<Self> {
        match first {
            b'l' => Some(Self::Little),
            b'B' => Some(Self::Big),
            _ => None,
        }
    }

    /// A number of four bytes.
    pub(super) fn u32(self, bytes: [u8; 4]) -> u32 {
        u32::from_le_bytes(self.little(bytes))
    }

    fn little<const N: usize>(self, mut bytes: [u8; N]) -> [u8; N] {
        if self == Self::Big {
            bytes.reverse();
        }
        bytes
    }
}

/// Writes values, each on its boundary.
#[derive(Debug, Default)]
pub(in crate::linux::systemd) struct Writer(pub(super) Vec<u8>);

impl Writer {
    /// Fills up to a multiple of `to`.
    pub(in crate::linux::systemd) fn align(&mut self, to: usize) {
        self.0.resize(self.0.len().next_multiple_of(to), 0);
    }

    pub(in crate::linux::systemd) fn byte(&mut self, value: u8) {
        self.0.push(value);
    }

    pub(in crate::linux::systemd) fn u32(&mut self, value: u32) {
        self.align(4);
        self.0.extend(value.to_le_bytes());
    }

    pub(in crate::linux::systemd) fn u64(&mut self, value: u64) {
        self.align(8);
        self.0.extend(value.to_le_bytes());
    }

    /// A string or an object path.
    pub(in crate::linux::systemd) fn text(&mut self, value: &str) {
        self.u32(u32::try_from(value.len()).unwrap_or(u32::MAX));
        self.0.extend(value.as_bytes());
        self.byte(0);
    }

    /// A signature: the types of what follows.
    pub(in crate::linux::systemd) fn signature(&mut self, value: &str) {
        self.byte(u8::try_from(value.len()).unwrap_or(u8::MAX));
        self.0.extend(value.as_bytes());
        self.byte(0);
    }

    /// An array whose elements begin at a multiple of `element`.
    pub(in crate::linux::systemd) fn array(
        &mut self,
        element: usize,
        fill: impl FnOnce(&mut Self),
    ) {
        self.u32(0);
        let length_at = self.0.len() - 4;
        self.align(element);
        let begin = self.0.len();
        fill(self);
        let length = u32::try_from(self.0.len() - begin).unwrap_or(u32::MAX);
        if let Some(place) = self.0.get_mut(length_at..length_at + 4) {
            place.copy_from_slice(&length.to_le_bytes());
        }
    }
}

/// A value in a variant or in a field of the header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::linux::systemd) enum Value {
    /// `y`, `q`, `u`, `t`, and `b` as 0 or 1.
    Number(u64),
    /// `n`, `i`, `x`.
    Signed(i64),
    /// `s`, `o`, `g`.
    Text(String),
}

/// Reads values. Everything is checked: whoever writes the other end may lie.
#[derive(Debug)]
pub(super) struct Reader<'a> {
    bytes: &'a [u8],
    order: Order,
    at: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8], order: Order) -> Self {
        Self {
            bytes,
            order,
            at: 0,
        }
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.at >= self.bytes.len()
    }

    /// Goes to a multiple of `to`.
    pub(super) fn align(&mut self, to: usize) {
        self.at = self.at.next_multiple_of(to);
    }

    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let end = self.at.checked_add(count)?;
        let taken = self.bytes.get(self.at..end)?;
        self.at = end;
        Some(taken)
    }

    /// The next N bytes, the least first.
    fn fixed<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.align(N);
        let bytes = self.take(N)?.try_into().ok()?;
        Some(self.order.little(bytes))
    }

    pub(super) fn byte(&mut self) -> Option<u8> {
        self.fixed::<1>().map(|[byte]| byte)
    }

    pub(super) fn u32(&mut self) -> Option<u32> {
        self.fixed().map(u32::from_le_bytes)
    }

    /// A string or an object path.
    pub(super) fn text(&mut self) -> Option<&'a str> {
        let length = self.u32()?;
        self.ended(usize::try_from(length).ok()?)
    }

    pub(super) fn signature(&mut self) -> Option<&'a str> {
        let length = self.byte()?;
        self.ended(usize::from(length))
    }

    fn ended(&mut self, length: usize) -> Option<&'a str> {
        let text = self.take(length)?;
        (self.take(1)? == [0]).then_some(())?;
        std::str::from_utf8(text).ok()
    }

    /// A variant with a value of a basic type; `None` for any other.
    pub(super) fn variant(&mut self) -> Option<Value> {
        let number = |value: u64| Some(Value::Number(value));
        match self.signature()? {
            "y" => number(self.byte()?.into()),
            "q" => number(self.fixed().map(u16::from_le_bytes)?.into()),
            "b" | "u" => number(self.u32()?.into()),
            "t" => number(self.fixed().map(u64::from_le_bytes)?),
            "n" => Some(Value::Signed(self.fixed().map(i16::from_le_bytes)?.into())),
            "i" => Some(Value::Signed(self.fixed().map(i32::from_le_bytes)?.into())),
            "x" => Some(Value::Signed(self.fixed().map(i64::from_le_bytes)?)),
            "s" | "o" => Some(Value::Text(self.text()?.to_owned())),
            "g" => Some(Value::Text(self.signature()?.to_owned())),
            _ => None,
        }
    }
}
