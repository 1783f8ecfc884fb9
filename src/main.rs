//! The `oomtop` binary.

fn main() {}
