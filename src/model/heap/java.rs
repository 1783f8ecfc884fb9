//! Java: `-Xmx`, `-XX:MaxHeapSize`, `-XX:MaxRAMPercentage` ("The java Command", Oracle; src/hotspot/share/runtime/arguments.cpp).
//!
//! The last of several wins. `JAVA_TOOL_OPTIONS` comes before the command line, `_JAVA_OPTIONS` behind it (arguments.cpp
//! `Arguments::parse_vm_init_args`), and the launcher puts `JDK_JAVA_OPTIONS` before its arguments (JDK 9).

use super::{HeapBound, Launch, Most, Runtime, number_and_unit};

/// Share of the memory without any option: `MaxRAMPercentage`.
const DEFAULT: f64 = 25.0;

/// Share where there is little memory: `MinRAMPercentage`.
const LITTLE: f64 = 50.0;

/// The default of `MaxHeapSize`: 96 MiB, a third more where pointers have 64 bits (`ScaleForWordSize`).
const LEAST: u64 = (96 << 20) / 10 * 13;

/// The default stays below what compressed pointers reach.
const COMPRESSED: u64 = 32 << 30;

/// Options of the launcher whose value is an argument of its own.
const WITH_VALUE: &[&str] = &[
    "-cp",
    "-classpath",
    "--class-path",
    "-p",
    "--module-path",
    "--upgrade-module-path",
    "--add-modules",
    "--enable-native-access",
    "--limit-modules",
    "--add-exports",
    "--add-opens",
    "--add-reads",
    "--patch-module",
    "--source",
];

pub(super) fn bound(launch: &Launch) -> Option<HeapBound> {
    if launch.program() != "java" {
        return None;
    }
    let variable = |name| launch.variable(name).unwrap_or_default().split_whitespace();
    let before = variable("JAVA_TOOL_OPTIONS").chain(variable("JDK_JAVA_OPTIONS"));
    let options = before
        .chain(options_of_the_machine(&launch.arguments))
        .chain(variable("_JAVA_OPTIONS"));
    let (mut size, mut share) = (None, None);
    for option in options {
        let given = |most| HeapBound::given(Runtime::Java, most, option);
        let bytes = option
            .strip_prefix("-Xmx")
            .or_else(|| option.strip_prefix("-XX:MaxHeapSize="));
        if let Some(bytes) = bytes.and_then(bytes_of) {
            size = Some(given(Most::Bytes(bytes)));
        }
        let percent = option.strip_prefix("-XX:MaxRAMPercentage=");
        if let Some(percent) = percent.and_then(|text| text.parse::<f64>().ok()) {
            share = Some(given(Most::Percent(percent)));
        }
    }
    let default = || HeapBound {
        is_default: true,
        ..HeapBound::given(
            Runtime::Java,
            Most::Percent(DEFAULT),
            "the default, MaxRAMPercentage=25",
        )
    };
    let in_file = launch.arguments.iter().any(|argument| {
        let names = ["@", "-XX:Flags=", "-XX:VMOptionsFile="];
        names.iter().any(|name| argument.starts_with(name))
    });
    Some(HeapBound {
        may_differ: in_file,
        ..size.or(share).unwrap_or_else(default)
    })
}

/// The heap for a share of so many bytes (arguments.cpp `Arguments::set_heap_size`): half of a memory that is small,
/// and not less than the default size of a heap in one that is not.
pub(super) fn heap(limit: u64, asked: u64, share: impl Fn(f64) -> u64, is_default: bool) -> u64 {
    let little = share(LITTLE);
    let heap = if little < LEAST {
        little
    } else {
        asked.max(LEAST)
    };
    let most = if is_default { COMPRESSED } else { u64::MAX };
    heap.min(most).min(limit)
}

/// The arguments before the main class, the module or the archive: those behind it are the program's own.
fn options_of_the_machine(arguments: &[String]) -> impl Iterator<Item = &str> {
    let mut is_value = false;
    let mut arguments = arguments.iter().skip(1).map(String::as_str);
    std::iter::from_fn(move || {
        let argument = arguments.next()?;
        let is_option = is_value || argument.starts_with('-') || argument.starts_with('@');
        if !is_option || (!is_value && ["-jar", "-m", "--module"].contains(&argument)) {
            return None;
        }
        is_value = !is_value && WITH_VALUE.contains(&argument);
        Some(argument)
    })
}

/// `2g`, `512M`, `1073741824`.
fn bytes_of(text: &str) -> Option<u64> {
    let (number, unit) = number_and_unit(text)?;
    let shift = match unit {
        "" => 0,
        "k" | "K" => 10,
        "m" | "M" => 20,
        "g" | "G" => 30,
        "t" | "T" => 40,
        _ => return None,
    };
    number.checked_mul(1 << shift)
}
