//! Go: `GOMEMLIMIT` (package runtime, "Environment Variables", Go 1.19): bytes with an optional unit of `B`, `KiB`, `MiB`,
//! `GiB` or `TiB`. Any program may have the variable from its parent; only one of Go heeds it, and nothing in `/proc` says
//! which is one.

use super::{HeapBound, Launch, Most, Runtime, number_and_unit};

pub(super) fn bound(launch: &Launch) -> Option<HeapBound> {
    let text = launch.variable("GOMEMLIMIT")?;
    let (number, unit) = number_and_unit(text)?;
    let shift = match unit {
        "" | "B" => 0,
        "KiB" => 10,
        "MiB" => 20,
        "GiB" => 30,
        "TiB" => 40,
        _ => return None,
    };
    let bytes = number.checked_mul(1 << shift)?;
    let source = format!("GOMEMLIMIT={text}");
    Some(HeapBound::given(Runtime::Go, Most::Bytes(bytes), source))
}
