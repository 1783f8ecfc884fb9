//! The flight recorder's format, pure: [`Encoder`] makes frames of samples and events, [`Recording`] and [`Player`] read
//! them back, [`Ring`] keeps the last minutes in memory.
//!
//! # The file, byte by byte
//!
//! Numbers are little-endian. A file is a header of 64 bytes and then frames, which are only ever appended.
//!
//! | at | bytes | header |
//! |---:|------:|--------|
//! | 0 | 8 | `89 4f 4f 4d 52 45 43 0a` (`\x89OOMREC\n`) |
//! | 8 | 2 | version of the layout ([`VERSION`]); another one is refused |
//! | 10 | 2 | bytes of the header, 64 |
//! | 12 | 4 | CRC-32 of the names of all recorded types and fields in their order; another one is refused |
//! | 16 | 8 | id of the recording, a random number, the same in all its segments |
//! | 24 | 4 | number of the segment, from 0 |
//! | 28 | 8 | when it was made, microseconds since 1970 |
//! | 36 | 24 | version of oomtop, padded with 0 |
//! | 60 | 4 | CRC-32 of bytes 0 to 59 |
//!
//! | at | bytes | frame |
//! |---:|------:|-------|
//! | 0 | 4 | `f7 4f 52 46` |
//! | 4 | 4 | bytes of the payload, at most 16 MiB |
//! | 8 | 1 | kind: 1 whole sample, 2 difference to a sample, 3 event, 4 kill |
//! | 9 | 4 | number of the frame, from 0, over all segments |
//! | 13 | 4 | of a difference: the number of the sample that it is a difference to; otherwise the number of the frame |
//! | 17 | 8 | when it happened, microseconds since 1970 |
//! | 25 | 8 | the same moment, microseconds since boot: what the order goes by, for nobody sets this clock |
//! | 33 | 2 | of a sample: the gauge in hundredths of a percent |
//! | 35 | 2 | how many kills nothing before told of: of a kill, and of a sample whose counters have risen |
//! | 37 | 4 | CRC-32 of bytes 0 to 36 and the payload |
//! | 41 | | the payload, raw DEFLATE, at most 64 MiB once unpacked |
//!
//! Whole samples come once a minute and at the start of each segment; their payload is host, source of events, what wakes
//! oomtop, sample. The payload of an event is the clocks, a byte that says which event, and the event. Nothing is trusted
//! before its checksum.
//!
//! A value is written by position (`schema/` has the order of the fields): whole numbers as LEB128, signed ones in
//! zigzag, those with a point as their bits, texts and lists with their length in front, what may be missing after a byte (0
//! missing, 1 there, 2 a difference), a choice as the byte of its variant. The difference of two structures is a number with a
//! bit for each field, the lowest for the first, and then the difference of each field whose bit is set; that of two whole
//! numbers is their difference in zigzag. The difference of two lists of processes follows the processes, whatever their
//! places (`schema/process_list.rs`). DEFLATE and not Zstandard: in Rust alone there is only a decoder of Zstandard.
//!
//! # What survives
//!
//! No index is written: [`Index`] is found by looking at each frame. What is cut off at the end is counted and said
//! ([`Missing::Tail`]); what is damaged in the middle is skipped up to the next frame whose checksum is right, and the
//! samples that differ from a lost one are left out up to the next whole sample ([`Missing::Damaged`],
//! [`Missing::Samples`]); a jump in the numbers of the frames is frames that never came into the file ([`Missing::Skipped`]).
//!
//! A segment that is full is renamed from `FILE` to `FILE.N`, and the oldest is unlinked when all together are more than
//! allowed. Address spaces are numbered anew: the kernel's pointers are in no file.

mod codec;
mod encoder;
mod frame;
mod header;
mod index;
mod item;
mod player;
mod ring;
mod schema;

pub use encoder::Encoder;
pub use frame::Kind;
pub use header::{Header, Refused, VERSION};
pub use index::{Bytes, Entry, Index, Missing};
pub use item::Item;
pub use player::{Played, Player, Recording};
pub use ring::Ring;
