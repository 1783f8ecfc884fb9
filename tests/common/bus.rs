//! What a manager of the tests says and understands of D-Bus.

use std::io::Read as _;
use std::os::unix::net::UnixStream;

pub(super) fn says(bytes: &[u8], what: &str) -> bool {
    let what = what.as_bytes();
    bytes.windows(what.len()).any(|part| part == what)
}

pub(super) fn line(stream: &mut UnixStream) -> std::io::Result<Vec<u8>> {
    let mut byte = [0];
    let mut line = Vec::new();
    while byte != [b'\n'] {
        stream.read_exact(&mut byte)?;
        line.extend(byte);
    }
    Ok(line)
}

pub(super) fn reply(kind: u8, serial: u32, more: &[u8], body: &[u8]) -> Vec<u8> {
    let mut bytes = vec![b'l', kind, 1, 1];
    bytes.extend(u32::try_from(body.len()).expect("short").to_le_bytes());
    bytes.extend([9, 0, 0, 0]);
    bytes.extend(u32::try_from(8 + more.len()).expect("short").to_le_bytes());
    bytes.extend([5, 1, b'u', 0]);
    bytes.extend(serial.to_le_bytes());
    bytes.extend(more);
    bytes.resize(bytes.len().next_multiple_of(8), 0);
    bytes.extend(body);
    bytes
}

pub(super) fn denied(serial: u32) -> Vec<u8> {
    refused(serial, b"org.freedesktop.DBus.Error.AccessDenied")
}

pub(super) fn refused(serial: u32, name: &[u8]) -> Vec<u8> {
    let mut more = vec![4, 1, b's', 0];
    more.extend(u32::try_from(name.len()).expect("short").to_le_bytes());
    more.extend(name);
    more.push(0);
    reply(3, serial, &more, &[])
}
