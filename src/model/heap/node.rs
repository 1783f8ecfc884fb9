//! Node.js: `--max-old-space-size` in MiB, on the command line or in `NODE_OPTIONS` (doc/api/cli.md). The command line
//! comes last and wins.

use super::{HeapBound, Launch, Most, Runtime};

/// Options whose value may be an argument of its own.
const WITH_VALUE: &[&str] = &[
    "-r",
    "--require",
    "--import",
    "--loader",
    "--experimental-loader",
    "-C",
    "--conditions",
    "--env-file",
    "--env-file-if-exists",
    "--icu-data-dir",
    "--title",
];

pub(super) fn bound(launch: &Launch) -> Option<HeapBound> {
    if !matches!(launch.program(), "node" | "nodejs") {
        return None;
    }
    let variable = launch.variable("NODE_OPTIONS").unwrap_or_default();
    let mut is_value = false;
    // Behind the script stand its own arguments.
    let own = launch.arguments.iter().skip(1).take_while(|argument| {
        let is_own = is_value || argument.starts_with('-');
        is_value = !is_value && WITH_VALUE.contains(&argument.as_str());
        is_own
    });
    let options = variable.split_whitespace().chain(own.map(String::as_str));
    let found: Vec<_> = options.filter_map(option).collect();
    // The percentage takes precedence over the size.
    let share = |bound: &&HeapBound| matches!(bound.most, Most::Percent(_));
    let last = found.iter().rfind(share).or(found.last());
    last.cloned()
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
