//! The flight recorder's format, pure: [`Encoder`] makes frames of samples and events, [`Recording`] and [`Player`] read
//! them back, [`Ring`] keeps the last minutes in memory.
#![doc = ""]
#![doc = include_str!("format.md")]

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
