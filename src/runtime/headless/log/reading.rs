//! The reader of `/dev/kmsg`, or of the file that stands for it.

use std::io;
use std::path::Path;
use std::sync::atomic::Ordering;
use std::sync::mpsc::SyncSender;
use std::time::Duration;

use super::{Arrival, BATCH, REST, Reader, Shared, Status, WAIT};
use crate::linux::ReadError;
use crate::linux::host::allocator;
use crate::linux::log::kmsg::{KmsgItem, KmsgReader};
use crate::linux::urgent;
use crate::oomlog::LogRecord;

/// Reads until it shall stop, nobody listens, or the log cannot be read.
pub(super) fn follow(path: &Path, shared: &Shared, send: &SyncSender<Arrival>) {
    let refused = match KmsgReader::open(path).and_then(|reader| read(reader, shared, send)) {
        Ok(()) => return,
        Err(error) => error,
    };
    shared.kernel_off.store(true, Ordering::SeqCst);
    let status = Status::Off(format!("{}: {}", path.display(), short(&refused)));
    let _ = send.send(Arrival::Status(Reader::Kernel, status));
}

/// Bytes in reserve for the lines of some reports that nobody has taken yet.
const RESERVE: usize = 1 << 20;

fn read(
    mut reader: KmsgReader,
    shared: &Shared,
    send: &SyncSender<Arrival>,
) -> Result<(), ReadError> {
    let _in_time = urgent::OWN.join();
    allocator::reserve(RESERVE);
    if let Some(stop) = shared.stopped.as_ref().and_then(|fd| fd.try_clone().ok()) {
        reader.stop_at(stop);
    }
    let mut caught_up = false;
    let mut rests = false;
    let mut skipped = 0_u64;
    let mut told = None;
    let status = |status| Arrival::Status(Reader::Kernel, status);
    if send.send(status(Status::Reading)).is_err() {
        return Ok(());
    }
    let mut batch = Vec::new();
    while !shared.stops() {
        // Before that the read does not wait: where nothing is ready, the history ends.
        let wait = match caught_up && batch.is_empty() {
            false => Duration::ZERO,
            true if rests && reader.waits_for_free() => REST,
            true => WAIT,
        };
        let item = reader.next(wait)?;
        rests = item.is_none();
        let is_past = reader.is_past_start(item.as_ref());
        let mut is_full = !matches!(item, Some(KmsgItem::Record(_)));
        let arrival = match item {
            Some(KmsgItem::Record(bytes)) => {
                let record = LogRecord::parse_kmsg(&bytes).ok();
                skipped += u64::from(record.is_none());
                // On a busy machine it can be long until this thread goes on.
                is_full = record.as_ref().is_some_and(is_awaited);
                if is_full && caught_up {
                    urgent::OWN.memory_is_short();
                }
                batch.extend(record);
                None
            }
            Some(KmsgItem::Lost) => Some(Arrival::Lost),
            None => {
                caught_up = true;
                let remark = remark(&reader, skipped);
                // Said again when it changes.
                (told.as_ref() != Some(&remark)).then(|| {
                    told = Some(remark.clone());
                    status(Status::Live(remark))
                })
            }
        };
        caught_up = caught_up || is_past;
        is_full |= batch.len() >= BATCH || (caught_up && told.is_none());
        if is_full && !batch.is_empty() {
            let records = Arrival::Kernel(std::mem::take(&mut batch));
            if send.send(records).is_err() {
                return Ok(());
            }
        }
        if let Some(arrival) = arrival
            && send.send(arrival).is_err()
        {
            return Ok(());
        }
        if caught_up && told.is_none() {
            let remark = remark(&reader, skipped);
            told = Some(remark.clone());
            if send.send(status(Status::Live(remark))).is_err() {
                return Ok(());
            }
        }
    }
    Ok(())
}

/// The record can be one that is shown as soon as it is there.
fn is_awaited(record: &LogRecord) -> bool {
    let words = ["illed process ", "oom-kill"];
    words.iter().any(|word| record.text.contains(word))
}

/// What is wrong with a log that can be read.
fn remark(reader: &KmsgReader, skipped: u64) -> String {
    match skipped {
        0 if reader.is_empty() => {
            let name = reader.path().display();
            format!("{name} is empty: no kernel writes there, kills are counted but not explained")
        }
        0 => String::new(),
        1 => "1 record was not understood".to_owned(),
        skipped => format!("{skipped} records were not understood"),
    }
}

/// The reason without the path.
fn short(error: &ReadError) -> String {
    match error.source.kind() {
        io::ErrorKind::PermissionDenied => "no permission (needs CAP_SYSLOG or root)".to_owned(),
        io::ErrorKind::NotFound => "not there".to_owned(),
        _ => error.source.to_string(),
    }
}
