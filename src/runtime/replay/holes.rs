//! What is missing from a recording, in words.

use crate::model::time::Wall;
use crate::recording::Missing;
use crate::text::format::{date, number_of};

/// A sentence for each thing that is missing, without a full stop.
pub(super) fn holes(missing: &[Missing], zone: Wall) -> Vec<String> {
    missing
        .iter()
        .map(|missing| sentence(missing, zone))
        .collect()
}

/// Date and time.
pub(super) fn stamp(wall: Wall) -> String {
    format!("{} {wall}", date(wall))
}

pub(super) fn sentence(missing: &Missing, zone: Wall) -> String {
    let at = |unix_micros: i64| {
        stamp(Wall {
            unix_micros,
            ..zone
        })
    };
    match missing {
        Missing::Tail { bytes } => format!(
            "the last {} are incomplete",
            number_of(*bytes, "byte", "bytes")
        ),
        Missing::Damaged {
            bytes,
            frames,
            between,
        } => {
            let size = number_of(*bytes, "byte", "bytes");
            let frames = frames.map_or_else(String::new, |frames| {
                let frames = number_of(u64::from(frames), "frame", "frames");
                format!(" ({frames})")
            });
            match *between {
                (Some(from), Some(to)) => {
                    format!(
                        "{size}{frames} between {} and {} are damaged",
                        at(from),
                        at(to)
                    )
                }
                (None, Some(to)) => format!("{size}{frames} before {} are damaged", at(to)),
                _ => format!("{size}{frames} are damaged"),
            }
        }
        Missing::Samples {
            count,
            between: (from, to),
        } => format!(
            "{} from {} to {} cannot be read: each depends on a missing sample",
            number_of(u64::from(*count), "sample", "samples"),
            at(*from),
            at(*to)
        ),
        Missing::Skipped {
            frames,
            between: (from, to),
        } => format!(
            "{} between {} and {} were not written: too large, or no room on the disk",
            number_of(u64::from(*frames), "frame", "frames"),
            at(*from),
            at(*to)
        ),
        Missing::Segments { count } => format!(
            "{} between two others are missing",
            number_of(u64::from(*count), "part", "parts")
        ),
        Missing::Content { unix_micros } => {
            format!("what happened at {} cannot be read", at(*unix_micros))
        }
    }
}
