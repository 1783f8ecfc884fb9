//! The parts of a recording as files.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;

use rustix::fs::OFlags;

use crate::recording::{Bytes, Header, Recording};
use crate::runtime::record::parts::{numbered, numbers};

/// Most parts that are opened.
const MOST: usize = 1000;

/// One part, as large as it was when it was opened.
#[derive(Debug)]
pub(super) struct Part {
    file: File,
    size: u64,
}

impl Bytes for Part {
    fn size(&self) -> u64 {
        self.size
    }

    fn read_at(&self, at: u64, into: &mut [u8]) -> Result<(), String> {
        self.file
            .read_exact_at(into, at)
            .map_err(|error| error.to_string())
    }
}

/// Opens the recording that this file is the newest part of: the other parts are those beside it with the same id.
///
/// # Errors
/// A sentence with the name of the file.
pub(super) fn open(path: &Path) -> Result<Recording<Part>, String> {
    let newest = part(path).map_err(|why| format!("{} {why}", path.display()))?;
    let header = header(&newest).map_err(|why| format!("{} {why}", path.display()))?;
    let mut parts = vec![(header.segment, newest)];
    let others = numbers(path).unwrap_or_default();
    for number in others.into_iter().rev().take(MOST) {
        // What cannot be read or belongs to another recording is no part of this one; a hole in the numbers is said.
        let Ok(other) = part(&numbered(path, number)) else {
            continue;
        };
        if let Some(theirs) = header_of(&other).filter(|theirs| theirs.id == header.id) {
            parts.push((theirs.segment, other));
        }
    }
    parts.sort_by_key(|(segment, _)| *segment);
    let parts = parts.into_iter().map(|(_, part)| part).collect();
    let recording = Recording::open(parts).map_err(|why| format!("{} {why}", path.display()))?;
    if recording.index().samples().next().is_none() {
        return Err(format!("{} has no whole sample in it", path.display()));
    }
    Ok(recording)
}

fn header(part: &Part) -> Result<Header, String> {
    let mut bytes = vec![0; usize::try_from(part.size).unwrap_or(64).min(64)];
    part.read_at(0, &mut bytes)
        .map_err(|why| format!("cannot be read: {why}"))?;
    Header::parse(&bytes).map_err(|refused| refused.to_string())
}

fn header_of(part: &Part) -> Option<Header> {
    header(part).ok()
}

fn part(path: &Path) -> Result<Part, String> {
    let file = OpenOptions::new()
        .read(true)
        // A pipe without a writer would block.
        .custom_flags(OFlags::NONBLOCK.bits().cast_signed())
        .open(path)
        .map_err(|error| format!("cannot be opened: {error}"))?;
    let meta = file
        .metadata()
        .map_err(|error| format!("cannot be opened: {error}"))?;
    if !meta.is_file() {
        return Err("is no regular file".to_owned());
    }
    Ok(Part {
        file,
        size: meta.len(),
    })
}
