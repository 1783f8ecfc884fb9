//! The process table: rows, columns, order, filter, marks and tree.

pub mod columns;
mod folding;
pub mod marks;
pub mod preview;
pub mod row;
pub mod table;
pub mod targets;
pub mod tree;
mod wanted;
