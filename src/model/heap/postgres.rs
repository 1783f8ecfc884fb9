//! PostgreSQL: `shared_buffers` by an argument. What stands in its files is not read. (Redis and Valkey write their title over
//! their arguments, so that nothing of `--maxmemory` can be read.)

use super::{HeapBound, Launch, Most, Runtime, number_and_unit};

/// Bytes of a block, the unit of a plain number (`block_size`, fixed when it is built; nearly always this).
const BLOCK: u64 = 8192;

/// `-c shared_buffers=4GB`, `--shared_buffers=4GB`, `-B BLOCKS` (postgres(1), "Parameter Names and Values").
pub(super) fn bound(launch: &Launch) -> Option<HeapBound> {
    if !matches!(launch.program(), "postgres" | "postmaster") {
        return None;
    }
    let mut found = None;
    let mut arguments = launch.arguments.iter().map(String::as_str).peekable();
    while let Some(argument) = arguments.next() {
        let (assignment, source) = match argument {
            "-c" => match arguments.peek() {
                Some(next) => (*next, format!("-c {next}")),
                None => break,
            },
            "-B" => match arguments.peek() {
                Some(next) => {
                    let bytes = next.parse::<u64>().ok().and_then(|n| n.checked_mul(BLOCK));
                    let given = |bytes| (bytes, format!("-B {next}"));
                    found = bytes.map(given).or(found);
                    continue;
                }
                None => break,
            },
            argument => match argument.strip_prefix("--") {
                Some(assignment) => (assignment, argument.to_owned()),
                None => continue,
            },
        };
        let Some((name, value)) = assignment.split_once('=') else {
            continue;
        };
        if name.replace('-', "_") == "shared_buffers"
            && let Some(bytes) = bytes_of(value)
        {
            found = Some((bytes, source));
        }
    }
    let (bytes, source) = found?;
    Some(HeapBound::given(
        Runtime::Postgres,
        Most::Bytes(bytes),
        source,
    ))
}

fn bytes_of(text: &str) -> Option<u64> {
    let (number, unit) = number_and_unit(text.trim_matches('\''))?;
    let factor = match unit.trim() {
        "" => BLOCK,
        "B" => 1,
        "kB" => 1 << 10,
        "MB" => 1 << 20,
        "GB" => 1 << 30,
        "TB" => 1 << 40,
        _ => return None,
    };
    number.checked_mul(factor)
}
