//! The parts of a recording as files.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

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

/// Opens the recording that this file is a part of: the other parts are those beside it with the same id, whichever part is
/// named. Returns a sentence too if other recordings are among the files that are named as its parts.
///
/// # Errors
/// A sentence with the name of the file.
pub(super) fn open(path: &Path) -> Result<(Recording<Part>, Option<String>), String> {
    let named = part(path).map_err(|why| format!("{} {why}", path.display()))?;
    let header = header(&named).map_err(|why| format!("{} {why}", path.display()))?;
    // By segment: a copy of a part is no other part.
    let mut parts = BTreeMap::from([(header.segment, named)]);
    let mut others: Vec<String> = Vec::new();
    let base = without_number(path);
    let base = base.as_deref().unwrap_or(path);
    let beside = numbers(base).unwrap_or_default();
    let beside = beside.into_iter().rev().take(MOST);
    let beside = std::iter::once(base.to_owned()).chain(beside.map(|n| numbered(base, n)));
    for file in beside.filter(|file| file != path) {
        // What cannot be read or belongs to another recording is no part of this one; a hole in the numbers is said.
        let Ok(other) = part(&file) else {
            continue;
        };
        match header_of(&other) {
            Some(theirs) if theirs.id == header.id => {
                parts.entry(theirs.segment).or_insert(other);
            }
            Some(_) => others.push(file.display().to_string()),
            None => {}
        }
    }
    let remark = others.first().map(|first| {
        let more = match others.len() - 1 {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        format!("{first}{more} beside it: of another recording, not shown")
    });
    let parts = parts.into_values().collect();
    let recording = Recording::open(parts).map_err(|why| format!("{} {why}", path.display()))?;
    if recording.index().samples().next().is_none() {
        return Err(format!("{} has no whole sample in it", path.display()));
    }
    Ok((recording, remark))
}

/// `FILE` of a part that is named `FILE.N`.
fn without_number(path: &Path) -> Option<PathBuf> {
    let number = path.extension()?.to_str()?;
    let is_number = number.parse::<u32>().is_ok_and(|n| n.to_string() == number);
    is_number.then(|| path.with_extension(""))
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

#[cfg(test)]
mod tests {
    use std::fs;
    use std::sync::Arc;

    use super::open;
    use crate::model::snapshot::{Host, Snapshot};
    use crate::model::time::Now;
    use crate::recording::{Encoder, Header, Item};

    #[test]
    fn any_part_opens_all_and_another_recording_is_named() {
        let dir = tempfile::tempdir().expect("a directory");
        let at = |name: &str| dir.path().join(name);
        let segment = |id: u64, segment: u32| {
            let header = Header {
                id,
                segment,
                unix_micros: 0,
            };
            let mut bytes = header.bytes().to_vec();
            let item = Item::Sample(Arc::new(Snapshot::default()));
            Encoder::new(Host::default()).append(&mut bytes, &item, Now::default());
            bytes
        };
        for (name, bytes) in [
            ("r.1", segment(7, 0)),
            ("r.2", segment(7, 1)),
            // A copy.
            ("r.3", segment(7, 1)),
            ("r", segment(7, 2)),
        ] {
            fs::write(at(name), bytes).expect("written");
        }
        for name in ["r", "r.1", "r.2"] {
            let (recording, others) = open(&at(name)).expect("opens");
            assert_eq!(recording.index().samples().count(), 3, "{name}");
            assert_eq!(others, None);
        }
        fs::write(at("r.9"), segment(8, 0)).expect("written");
        let (_, others) = open(&at("r.1")).expect("opens");
        let others = others.expect("named");
        assert!(
            others.contains("r.9 beside it: of another recording"),
            "{others}"
        );
        assert_eq!(
            open(&at("r.9")).expect("opens").0.index().samples().count(),
            1
        );
    }
}
