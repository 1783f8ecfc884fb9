//! Entries of a log that take several lines: JSON that is printed with indents (`journalctl -o json-pretty`,
//! `dmesg -J`, the tools of clouds), and `journalctl -o verbose`.

use serde_json::{Deserializer, Map, Value};

use super::prefix::{Stripped, is_zone};
use super::{json, stamp};

/// Most bytes of one entry.
const BYTES_MOST: usize = 1 << 20;
/// Bytes of a value besides its text.
const VALUE_BYTES: usize = 32;
/// Most brackets open at once.
const DEPTH_MOST: usize = 16;
/// Blanks in front of a field of `journalctl -o verbose`.
const INDENT: &str = "    ";

/// A bracket that is open.
#[derive(Debug)]
enum Frame {
    Object(Map<String, Value>),
    Array(Vec<Value>),
}

/// An open bracket and what it is the value of.
#[derive(Debug)]
struct Open {
    frame: Frame,
    key: Option<String>,
    /// Which entry of the log it is.
    serial: u64,
    /// [`Entries::bytes`] without this bracket.
    before: usize,
}

/// The entry of `journalctl -o verbose` that is being read.
#[derive(Debug)]
struct Verbose {
    /// Date in the line in front of the fields; `None` if that line is lost.
    stamp: Option<String>,
    fields: Map<String, Value>,
    last: String,
    serial: u64,
    bytes: usize,
}

/// Gathers the lines of an entry.
#[derive(Debug, Default)]
pub(super) struct Entries {
    open: Vec<Open>,
    /// The first bracket of the entry is lost.
    headless: bool,
    verbose: Option<Verbose>,
    /// What the open brackets hold.
    bytes: usize,
    serial: u64,
}

impl Entries {
    /// Takes a line of an entry; what is complete is appended to `out`. False: it is no line of an entry.
    pub(super) fn line(&mut self, line: &str, out: &mut Vec<Stripped>) -> bool {
        if line.len() > BYTES_MOST {
            self.abandon();
            return false;
        }
        if self.verbose_line(line, out) {
            return true;
        }
        let trimmed = line.trim();
        if !self.begins(trimmed) {
            return false;
        }
        if self.tokens(trimmed, out).is_none() {
            self.abandon();
            return false;
        }
        true
    }

    /// The entry that is not complete yet.
    pub(super) fn is_open(&self) -> Option<u64> {
        let json = self
            .open
            .last()
            .filter(|open| matches!(open.frame, Frame::Object(_)) || open.key.is_some())
            .map(|open| open.serial);
        json.or(self.verbose.as_ref().map(|entry| entry.serial))
    }

    /// Forgets what is not complete.
    pub(super) fn abandon(&mut self) {
        self.forget_json();
        self.verbose = None;
    }

    fn forget_json(&mut self) {
        self.open.clear();
        self.headless = false;
        self.bytes = 0;
    }

    /// The log has ended.
    pub(super) fn finish(&mut self, out: &mut Vec<Stripped>) {
        self.end_verbose(out);
        while !self.open.is_empty() {
            self.close(out);
        }
        self.abandon();
    }

    fn verbose_line(&mut self, line: &str, out: &mut Vec<Stripped>) -> bool {
        let line = line.trim_end_matches(['\r', '\n']);
        if let Some(stamp) = header(line) {
            self.end_verbose(out);
            self.begin_verbose(Some(stamp.to_owned()));
            return true;
        }
        let field = line.strip_prefix(INDENT).and_then(field_of);
        if let Some((key, _)) = field
            && self.verbose.is_none()
            && is_journals(key)
        {
            self.begin_verbose(None);
        }
        let Some(entry) = &mut self.verbose else {
            return false;
        };
        entry.bytes += line.len() + VALUE_BYTES;
        if entry.bytes > BYTES_MOST {
            self.abandon();
            return false;
        }
        match field {
            Some((key, value)) => {
                // The first value counts: a program can only add others.
                entry
                    .fields
                    .entry(key)
                    .or_insert_with(|| Value::String(value.to_owned()));
                key.clone_into(&mut entry.last);
                true
            }
            None if line.starts_with(INDENT) && !entry.last.is_empty() => {
                let indent = INDENT.len() + entry.last.len() + 1;
                let more = line.get(indent..).unwrap_or(line.trim_start());
                if let Some(Value::String(value)) = entry.fields.get_mut(&entry.last) {
                    value.push('\n');
                    value.push_str(more);
                }
                true
            }
            None => {
                self.end_verbose(out);
                false
            }
        }
    }

    fn begin_verbose(&mut self, stamp: Option<String>) {
        self.serial += 1;
        self.forget_json();
        self.verbose = Some(Verbose {
            stamp,
            fields: Map::new(),
            last: String::new(),
            serial: self.serial,
            bytes: 0,
        });
    }

    fn end_verbose(&mut self, out: &mut Vec<Stripped>) {
        let Some(entry) = self.verbose.take() else {
            return;
        };
        let Some(mut stripped) = json::journal(&entry.fields) else {
            return;
        };
        if entry.stamp.is_none() {
            stripped = stripped.unproven();
        }
        stripped.record.stamp = stripped.record.stamp.or(entry.stamp);
        out.push(stripped);
    }

    /// True if the line belongs to an entry or can begin one.
    fn begins(&mut self, line: &str) -> bool {
        if !self.open.is_empty() {
            return true;
        }
        let opens = line.starts_with(['{', '[', '"', '}', ']']) && line.ends_with(['{', '[']);
        if opens && line.bytes().all(|b| !b.is_ascii_digit()) {
            return true;
        }
        let key = line.strip_prefix('"').and_then(|rest| rest.split_once('"'));
        let is_field = key.is_some_and(|(key, rest)| {
            rest.trim_start().starts_with(':') && (json::is_text(key) || is_journals(key))
        });
        if is_field {
            self.push(Frame::Object(Map::new()), None);
            self.headless = true;
        }
        is_field
    }

    /// Reads the brackets, keys and values of a line; `None` if it is no JSON.
    fn tokens(&mut self, line: &str, out: &mut Vec<Stripped>) -> Option<()> {
        let mut rest = line;
        loop {
            rest = rest.trim_start();
            let Some(first) = rest.chars().next() else {
                return Some(());
            };
            if matches!(first, '}' | ']' | ',') {
                rest = rest.get(1..)?;
                if first != ',' {
                    self.close(out);
                }
                continue;
            }
            let mut key = None;
            if first == '"' && !matches!(self.open.last().map(|o| &o.frame), Some(Frame::Array(_)))
            {
                let (name, after) = value(rest)?;
                self.bytes += rest.len() - after.len();
                rest = after.trim_start().strip_prefix(':')?.trim_start();
                key = Some(name.as_str()?.to_owned());
            }
            // A bracket that is not closed in this line.
            if let Some((whole, after)) = value(rest) {
                let text = rest.get(..rest.len() - after.len())?;
                let values = text.bytes().filter(|b| matches!(b, b',' | b'[' | b'{'));
                self.bytes += text.len() + (values.count() + 1) * VALUE_BYTES;
                (self.bytes <= BYTES_MOST).then_some(())?;
                rest = after;
                self.add(key, whole)?;
                continue;
            }
            let frame = match rest.chars().next()? {
                '{' => Frame::Object(Map::new()),
                '[' => Frame::Array(Vec::new()),
                _ => return None,
            };
            rest = rest.get(1..)?;
            self.push(frame, key);
            (self.open.len() <= DEPTH_MOST).then_some(())?;
        }
    }

    fn push(&mut self, frame: Frame, key: Option<String>) {
        self.serial += 1;
        let before = self.bytes;
        self.bytes += VALUE_BYTES + key.as_ref().map_or(0, String::len);
        self.open.push(Open {
            frame,
            key,
            serial: self.serial,
            before,
        });
    }

    fn add(&mut self, key: Option<String>, value: Value) -> Option<()> {
        match (&mut self.open.last_mut()?.frame, key) {
            (Frame::Object(map), Some(key)) => {
                map.insert(key, value);
            }
            (Frame::Array(values), None) => values.push(value),
            _ => return None,
        }
        Some(())
    }

    /// Closes the innermost bracket. An entry with a text is complete; other values belong to what they are in.
    fn close(&mut self, out: &mut Vec<Stripped>) {
        let Some(Open {
            frame, key, before, ..
        }) = self.open.pop()
        else {
            return;
        };
        let headless = std::mem::take(&mut self.headless) && self.open.is_empty();
        let value = match frame {
            Frame::Object(map) => Value::Object(map),
            Frame::Array(values) => Value::Array(values),
        };
        if key.is_some() {
            let _ = self.add(key, value);
            return;
        }
        // What it held goes out or is dropped; what is around it stays open.
        self.bytes = before;
        if let Value::Object(map) = value
            && let Some(records) = json::of_object(map)
        {
            out.extend(records.into_iter().map(
                |record| {
                    if headless { record.unproven() } else { record }
                },
            ));
        }
    }
}

/// The value at the beginning of the text, and what follows.
fn value(text: &str) -> Option<(Value, &str)> {
    let mut values = Deserializer::from_str(text).into_iter::<Value>();
    let value = values.next()?.ok()?;
    Some((value, text.get(values.byte_offset()..)?))
}

/// The date in the line in front of the fields: `Sun 2026-11-22 17:09:46.1 UTC [s=1;i=2;b=3]`. A line of any other
/// form is text of another writer.
fn header(line: &str) -> Option<&str> {
    let (date, cursor) = line.strip_suffix(']')?.split_once(" [s=")?;
    let (id, others) = cursor.split_once(';')?;
    let is_cursor = id.bytes().all(|b| b.is_ascii_alphanumeric()) && others.starts_with("i=");
    let (_, zone) = stamp::wall(date).filter(|_| is_cursor && !line.starts_with(' '))?;
    (zone.is_empty() || is_zone(zone.trim_start())).then_some(date)
}

/// `KEY=value` of the journal.
fn field_of(line: &str) -> Option<(&str, &str)> {
    let (key, value) = line.split_once('=')?;
    let is_key = !key.is_empty()
        && key
            .bytes()
            .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_');
    is_key.then_some((key, value))
}

/// A field that the journal sets, or that every entry of it has.
fn is_journals(key: &str) -> bool {
    key.starts_with('_') || key == "MESSAGE" || key == "PRIORITY" || key.starts_with("SYSLOG_")
}

/// True if the line, or the end of it, is one of an entry that began in an earlier line.
pub(super) fn is_field(line: &[u8]) -> bool {
    let text = line.trim_ascii();
    if let Some(rest) = text.strip_prefix(b"\"") {
        let end = memchr::memchr(b'"', rest).map_or(rest.len(), |end| end + 1);
        let behind = rest.get(end..).unwrap_or_default();
        return behind.trim_ascii_start().starts_with(b":");
    }
    let is_number = |text: &[u8]| !text.is_empty() && text.iter().all(u8::is_ascii_digit);
    is_number(text.strip_suffix(b",").unwrap_or(text))
        || (line.starts_with(INDENT.as_bytes())
            && std::str::from_utf8(text).is_ok_and(|text| field_of(text).is_some()))
}

#[cfg(test)]
mod tests;
