//! Messages (D-Bus specification, "Message Format"): method calls out, returns and errors in.

use super::wire::{Order, Reader, Value, Writer};

/// Bytes of the fixed part of a header, with the length of its fields.
pub(super) const FIXED: usize = 16;

/// Most bytes of a message that are read; the answers of the manager are far shorter.
const LARGEST: usize = 1 << 20;

/// What is called.
#[derive(Debug, Clone, Copy)]
pub(in crate::linux::systemd) struct Call<'a> {
    pub(in crate::linux::systemd) destination: &'static str,
    pub(in crate::linux::systemd) path: &'a str,
    pub(in crate::linux::systemd) interface: &'static str,
    pub(in crate::linux::systemd) member: &'static str,
    /// Types of the arguments.
    pub(in crate::linux::systemd) signature: &'static str,
}

impl Call<'_> {
    /// The whole message, with which so many descriptors go.
    pub(super) fn message(&self, serial: u32, descriptors: u32, arguments: &[u8]) -> Vec<u8> {
        let mut message = Writer::default();
        // Little endian, a method call, no flags (nobody is asked for a password), version 1.
        message.0.extend([b'l', 1, 0, 1]);
        message.u32(u32::try_from(arguments.len()).unwrap_or(u32::MAX));
        message.u32(serial);
        message.array(8, |fields| {
            for (code, kind, value) in [
                (1, "o", self.path),
                (2, "s", self.interface),
                (3, "s", self.member),
                (6, "s", self.destination),
                (8, "g", self.signature),
            ] {
                if value.is_empty() {
                    continue;
                }
                fields.align(8);
                fields.byte(code);
                fields.signature(kind);
                if kind == "g" {
                    fields.signature(value);
                } else {
                    fields.text(value);
                }
            }
            if descriptors > 0 {
                fields.align(8);
                fields.byte(9);
                fields.signature("u");
                fields.u32(descriptors);
            }
        });
        message.align(8);
        message.0.extend(arguments);
        message.0
    }
}

/// The arguments of a message as they came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::linux::systemd) struct Body {
    pub(super) order: Order,
    pub(super) bytes: Vec<u8>,
}

impl Body {
    pub(super) fn reader(&self) -> Reader<'_> {
        Reader::new(&self.bytes, self.order)
    }
}

/// What came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Incoming {
    /// The return of a call, with its arguments.
    Return(u32, Body),
    /// The error of a call: its name, and what the other end says.
    Error(u32, String, String),
    /// A signal, or a call: nobody here waits for one.
    Other,
}

/// A length in the fixed part of a header.
fn word(fixed: &[u8; FIXED], at: usize) -> Option<usize> {
    let order = Order::of(fixed[0])?;
    let bytes = fixed.get(at..at + 4)?.try_into().ok()?;
    usize::try_from(order.u32(bytes)).ok()
}

/// Bytes of a message after the fixed part of its header; `None` if that is none of a message that would be read.
pub(super) fn rest_of(fixed: &[u8; FIXED]) -> Option<usize> {
    let [first, _, _, version, ..] = *fixed;
    let (body, fields) = (word(fixed, 4)?, word(fixed, 12)?);
    let is_sane =
        Order::of(first).is_some() && version == 1 && body <= LARGEST && fields <= LARGEST;
    is_sane.then(|| fields.next_multiple_of(8) + body)
}

/// Reads a message; `None` if it is none.
pub(super) fn read(fixed: &[u8; FIXED], rest: &[u8]) -> Option<Incoming> {
    let order = Order::of(fixed[0])?;
    let fields_length = word(fixed, 12)?;
    let mut fields = Reader::new(rest.get(..fields_length)?, order);
    let body = rest.get(fields_length.next_multiple_of(8)..)?;
    let (mut reply_to, mut error, mut signature) = (None, None, None);
    loop {
        fields.align(8);
        if fields.is_at_end() {
            break;
        }
        let code = fields.byte()?;
        match (code, fields.variant()?) {
            (4, Value::Text(name)) => error = Some(name),
            (5, Value::Number(serial)) => reply_to = u32::try_from(serial).ok(),
            (8, Value::Text(types)) => signature = Some(types),
            _ => {}
        }
    }
    let body = Body {
        order,
        bytes: body.to_vec(),
    };
    Some(match fixed[1] {
        2 => Incoming::Return(reply_to?, body),
        3 => {
            // The message is the first argument, if there is one.
            let is_text = signature.is_some_and(|types| types.starts_with('s'));
            let said = is_text.then(|| body.reader().text()).flatten();
            let said = said.unwrap_or_default().to_owned();
            Incoming::Error(reply_to?, error?, said)
        }
        _ => Incoming::Other,
    })
}

#[cfg(test)]
mod tests {
    use super::{Body, Call, FIXED, Incoming, read, rest_of};
    use crate::linux::systemd::dbus::wire::{Order, Value, Writer};

    const GET: Call<'static> = Call {
        destination: "org.freedesktop.systemd1",
        path: "/org/freedesktop/systemd1",
        interface: "org.freedesktop.DBus.Properties",
        member: "Get",
        signature: "ss",
    };

    fn split(message: &[u8]) -> ([u8; FIXED], &[u8]) {
        let (fixed, rest) = message.split_at(FIXED);
        (fixed.try_into().expect("16 bytes"), rest)
    }

    /// A message as the other end writes it.
    fn answer(kind: u8, fields: impl FnOnce(&mut Writer), body: &[u8]) -> Vec<u8> {
        let mut message = Writer(vec![b'l', kind, 1, 1]);
        message.u32(u32::try_from(body.len()).expect("short"));
        message.u32(77);
        message.array(8, fields);
        message.align(8);
        message.0.extend(body);
        message.0
    }

    fn field(fields: &mut Writer, code: u8, kind: &str, fill: impl FnOnce(&mut Writer)) {
        fields.align(8);
        fields.byte(code);
        fields.signature(kind);
        fill(fields);
    }

    #[test]
    fn a_call_has_the_bytes_of_the_specification() {
        let mut arguments = Writer::default();
        arguments.text("a");
        let message = GET.message(1, 0, &arguments.0);
        let (fixed, rest) = split(&message);
        assert_eq!(rest_of(&fixed), Some(rest.len()), "it says how long it is");
        assert_eq!(&message[..12], [b'l', 1, 0, 1, 6, 0, 0, 0, 1, 0, 0, 0]);
        // The first field: the path, of type o.
        assert_eq!(&message[16..24], [1, 1, b'o', 0, 25, 0, 0, 0]);
        assert_eq!(read(&fixed, rest), Some(Incoming::Other));
    }

    #[test]
    fn returns_and_errors_name_the_call_that_they_answer() {
        let done = answer(2, |fields| field(fields, 5, "u", |f| f.u32(9)), &[1, 2, 3]);
        let (fixed, rest) = split(&done);
        let body = Body {
            order: Order::Little,
            bytes: vec![1, 2, 3],
        };
        let wanted = Incoming::Return(9, body);
        assert_eq!(read(&fixed, rest), Some(wanted));
        let mut said = Writer::default();
        said.text("Unit x.service not found.");
        let name = "org.freedesktop.systemd1.NoSuchUnit";
        let fields = |fields: &mut Writer| {
            field(fields, 4, "s", |f| f.text(name));
            field(fields, 5, "u", |f| f.u32(9));
            field(fields, 8, "g", |f| f.signature("s"));
        };
        let failed = answer(3, fields, &said.0);
        let (fixed, rest) = split(&failed);
        let wanted = Incoming::Error(9, name.to_owned(), "Unit x.service not found.".to_owned());
        assert_eq!(read(&fixed, rest), Some(wanted));
    }

    /// What systemd answers on a machine whose numbers begin with their highest byte (s390x).
    #[test]
    fn an_answer_in_the_other_order_of_bytes_is_read() {
        let mut message = vec![b'B', 2, 1, 1, 0, 0, 0, 16, 0, 0, 0, 77, 0, 0, 0, 8];
        message.extend([5, 1, b'u', 0, 0, 0, 0, 9]);
        message.extend([1, b't', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x40, 0, 0, 0]);
        let (fixed, rest) = split(&message);
        assert_eq!(rest_of(&fixed), Some(rest.len()));
        let Some(Incoming::Return(9, body)) = read(&fixed, rest) else {
            panic!("no return of call 9");
        };
        assert_eq!(body.reader().variant(), Some(Value::Number(1 << 30)));
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_panic_or_ask_for_much(
            fixed in proptest::array::uniform16(0..=255u8),
            kind in 0..5u8, length in 0..64u8,
            rest in proptest::collection::vec(0..=255u8, 0..200),
        ) {
            let _ = read(&fixed, &rest);
            proptest::prop_assert!(rest_of(&fixed).is_none_or(|rest| rest <= (2 << 20) + 8));
            // Nearly a message.
            let mut near = fixed;
            for (first, at) in [(b'l', 12), (b'B', 15)] {
                near[..4].copy_from_slice(&[first, kind, 0, 1]);
                near[12..].fill(0);
                near[at] = length;
                let _ = read(&near, &rest);
            }
        }

        #[test]
        fn a_bit_that_flips_is_no_panic(at in 0..400usize, bit in 0..8u8) {
            let mut message = answer(3, |fields| {
                field(fields, 4, "s", |f| f.text("a.b"));
                field(fields, 5, "u", |f| f.u32(9));
                field(fields, 8, "g", |f| f.signature("s"));
            }, &[1, 0, 0, 0, b'x', 0]);
            let at = at % message.len();
            message[at] ^= 1 << bit;
            let (fixed, rest) = split(&message);
            let _ = read(&fixed, rest);
        }
    }
}
