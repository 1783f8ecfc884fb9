//! Node.js: `--max-old-space-size` in MiB, on the command line or in `NODE_OPTIONS` (doc/api/cli.md). The command line
//! comes last and wins.

use super::{HeapBound, Launch, Most, Runtime};

pub(super) fn bound(launch: &Launch) -> Option<HeapBound> {
    if !matches!(launch.program(), "node" | "nodejs") {
        return None;
    }
    let variable = launch.variable("NODE_OPTIONS").unwrap_or_default();
    let own = launch.arguments.iter().skip(1).map(String::as_str);
    // Behind the script stand its own arguments.
    let own = own.take_while(|argument| argument.starts_with('-'));
    let options = variable.split_whitespace().chain(own);
    options.filter_map(option).last()
}

fn option(option: &str) -> Option<HeapBound> {
    // V8 takes both spellings.
    let spelled = option.replace('_', "-");
    let given = |most| HeapBound::given(Runtime::Node, most, option);
    if let Some(mib) = spelled.strip_prefix("--max-old-space-size=") {
        let bytes = mib.parse::<u64>().ok()?.checked_mul(1 << 20)?;
        return Some(given(Most::Bytes(bytes)));
    }
    let percent = spelled.strip_prefix("--max-old-space-size-percentage=")?;
    Some(given(Most::Percent(percent.parse().ok()?)))
}
