//! What the actions of the panes do, if that takes more than a line.

pub(super) mod act;
pub(super) mod back;
pub(super) mod incident;
pub(super) mod look;
pub(super) mod table;
pub(super) mod time;
