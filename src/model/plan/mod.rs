//! Writes as data: what is to be written, step by step, and what came of it.

pub mod step;
