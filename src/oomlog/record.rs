//! [`LogRecord`]: one record of a log, from any transport, and the parser of raw `/dev/kmsg` records.
//!
//! Format: Documentation/ABI/testing/dev-kmsg. The kernel escapes control bytes, bytes above 0x7e and the
//! backslash as `\xNN`. A newline inside one `printk` is `\x0a`, so a process name cannot forge a record.
//! Records that user space wrote to `/dev/kmsg` have a facility other than 0.

use std::fmt;

use crate::oomlog::Monotonic;

/// Whose word a record is, as far as its transport tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Provenance {
    /// The transport names the writer in a field that a program cannot set: raw `/dev/kmsg` records, `dmesg -J`,
    /// the journal's fields that begin with `_`.
    Vouched,
    /// Plain text: any program that can write to the same log could have written it.
    #[default]
    Unproven,
}

/// One record of a log.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LogRecord {
    /// Sequence number, where the transport has one (`/dev/kmsg`). A jump means lost records.
    pub seq: Option<u64>,
    /// Time since boot in microseconds, where the transport has it.
    pub at: Option<Monotonic>,
    /// Wall-clock stamp as the transport printed it, e.g. `Jun 20 12:47:02`.
    pub stamp: Option<String>,
    /// Syslog facility. 0 is the kernel: only those records count as kernel events.
    pub facility: u8,
    /// Whether the transport vouches for that.
    pub provenance: Provenance,
    /// Uid of the program that wrote it, where the journal says so (`_UID`).
    pub uid: Option<u32>,
    /// The task or CPU that printed it, where the kernel says so (`CONFIG_PRINTK_CALLER`): `T123` or `C0`.
    pub caller: Option<String>,
    /// The program that wrote it, where the transport says so, e.g. `systemd-oomd[588]`.
    pub program: Option<String>,
    /// The record continues the one before it (kmsg flag `+`, kernels up to 4.9).
    pub continues: bool,
    /// The text, unescaped. May hold newlines; bytes that are not UTF-8 stay `\xNN`.
    pub text: String,
}

/// Why a record could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BadRecord {
    /// No `;` between the numbers and the text.
    NoText,
    /// Priority, sequence number or time is not a number.
    BadNumber,
    /// A line of the journal is no JSON object.
    NotJson,
}

impl fmt::Display for BadRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoText => "no `;` after the record's numbers",
            Self::BadNumber => "a number of the record cannot be read",
            Self::NotJson => "the line is no JSON object",
        })
    }
}

impl std::error::Error for BadRecord {}

impl LogRecord {
    /// A kernel record with a text and nothing else: a line of a log without stamps.
    #[must_use]
    pub fn bare(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            ..Self::default()
        }
    }

    /// True if the kernel itself wrote it.
    #[must_use]
    pub fn is_kernel(&self) -> bool {
        self.facility == 0
    }

    /// Reads one raw record: `prio,seq,usec,flags[,key=value...];text\n KEY=value\n...`.
    ///
    /// The `KEY=value` lines after the text (device names) are dropped.
    ///
    /// # Errors
    /// [`BadRecord`] if the bytes do not have this shape.
    pub fn parse_kmsg(bytes: &[u8]) -> Result<Self, BadRecord> {
        let semicolon = bytes
            .iter()
            .position(|&b| b == b';')
            .ok_or(BadRecord::NoText)?;
        let (head, rest) = bytes.split_at(semicolon);
        let head = std::str::from_utf8(head).map_err(|_| BadRecord::BadNumber)?;
        let mut fields = head.split(',');
        let mut number = || -> Result<u64, BadRecord> {
            let field = fields.next().ok_or(BadRecord::BadNumber)?;
            field.trim().parse().map_err(|_| BadRecord::BadNumber)
        };
        let (priority, seq, micros) = (number()?, number()?, number()?);
        let flags = fields.next().unwrap_or("-");
        let caller = fields
            .find_map(|field| field.strip_prefix("caller="))
            .map(str::to_owned);
        let body = rest.get(1..).unwrap_or_default();
        let end = body.iter().position(|&b| b == b'\n').unwrap_or(body.len());
        Ok(Self {
            seq: Some(seq),
            at: Some(Monotonic(micros)),
            stamp: None,
            facility: u8::try_from(priority >> 3).unwrap_or(u8::MAX),
            provenance: Provenance::Vouched,
            uid: None,
            caller,
            program: None,
            continues: flags.contains('+'),
            text: unescape(body.get(..end).unwrap_or_default()),
        })
    }
}

/// Undoes the kernel's `\xNN` escapes (`append_char`/`msg_add_ext_text`, kernel/printk/printk.c).
///
/// Bytes that are not UTF-8 stay `\xNN`, so that nothing is lost.
fn unescape(escaped: &[u8]) -> String {
    if !escaped.contains(&b'\\') {
        return lossless_text(escaped);
    }
    let mut bytes = Vec::with_capacity(escaped.len());
    let mut rest = escaped;
    while let [first, tail @ ..] = rest {
        if let [b'\\', b'x', high, low, after @ ..] = rest
            && let (Some(high), Some(low)) = (hex(*high), hex(*low))
        {
            bytes.push(high * 16 + low);
            rest = after;
        } else {
            bytes.push(*first);
            rest = tail;
        }
    }
    lossless_text(&bytes)
}

/// The bytes as text. Those that are not UTF-8 become `\xNN`.
pub(crate) fn lossless_text(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        for byte in chunk.invalid() {
            text.push_str("\\x");
            text.extend(char::from_digit(u32::from(byte >> 4), 16));
            text.extend(char::from_digit(u32::from(byte & 15), 16));
        }
    }
    text
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit)
        .to_digit(16)
        .and_then(|value| u8::try_from(value).ok())
}

#[cfg(test)]
mod tests {
    use super::{BadRecord, LogRecord, Monotonic};

    #[test]
    fn raw_record_with_caller_and_dictionary() {
        let record =
            LogRecord::parse_kmsg(b"4,991,32750821,-,caller=T214;hog: a=b;c\n DEVICE=+usb\n")
                .unwrap();
        assert_eq!(record.seq, Some(991));
        assert_eq!(record.at, Some(Monotonic(32_750_821)));
        assert_eq!(record.caller.as_deref(), Some("T214"));
        assert_eq!(record.text, "hog: a=b;c");
        assert!(record.is_kernel());
    }

    #[test]
    fn user_space_is_another_facility() {
        let record =
            LogRecord::parse_kmsg(b"12,1,2,-;Out of memory: Killed process 1 (a)").unwrap();
        assert_eq!(record.facility, 1);
        assert!(!record.is_kernel());
    }

    #[test]
    fn escapes_become_bytes_and_bad_utf8_stays_visible() {
        let record =
            LogRecord::parse_kmsg(br"4,1,2,+;caf\xc3\xa9\x0ab\x5c\xff\x1b \xzz \x4").unwrap();
        assert_eq!(record.text, "caf\u{e9}\nb\\\\xff\u{1b} \\xzz \\x4");
        assert!(record.continues);
    }

    #[test]
    fn not_records() {
        assert_eq!(LogRecord::parse_kmsg(b""), Err(BadRecord::NoText));
        assert_eq!(LogRecord::parse_kmsg(b"4,1;x"), Err(BadRecord::BadNumber));
        assert_eq!(
            LogRecord::parse_kmsg(b"4,a,2,-;x"),
            Err(BadRecord::BadNumber)
        );
        assert_eq!(
            LogRecord::parse_kmsg(b"\xff,1,2;x"),
            Err(BadRecord::BadNumber)
        );
    }
}
