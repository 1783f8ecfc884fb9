//! What the screen and printed output share: styled lines without colours, sizes, words.

pub mod apart;
pub mod cells;
pub mod death;
pub mod deeds;
pub mod event;
pub mod fleet;
pub mod format;
pub mod joined;
pub mod ledger;
pub mod meter;
#[cfg(test)]
mod on_paper;
pub mod report;
pub mod run;
pub mod suggest;
pub mod tone;
pub mod traced;
pub mod wording;
