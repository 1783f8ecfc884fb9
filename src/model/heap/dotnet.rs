//! .NET: `DOTNET_GCHeapHardLimit` and `DOTNET_GCHeapHardLimitPercent`, both in hexadecimal, with or without `0x` ("Runtime
//! configuration options for garbage collection"). Any program may have the variables from its parent. What
//! `runtimeconfig.json` says, and the default in a container, are not told.

use super::{HeapBound, Launch, Most, Runtime};

pub(super) fn bound(launch: &Launch) -> Option<HeapBound> {
    let value = |name: &str| {
        let spellings = [format!("DOTNET_{name}"), format!("COMPlus_{name}")];
        spellings.iter().find_map(|name| {
            let text = launch.variable(name)?;
            let digits = text.strip_prefix("0x").unwrap_or(text);
            let number = u64::from_str_radix(digits, 16).ok()?;
            Some((number, format!("{name}={text}")))
        })
    };
    let given = |most, source| HeapBound::given(Runtime::Dotnet, most, source);
    if let Some((bytes, source)) = value("GCHeapHardLimit") {
        return Some(given(Most::Bytes(bytes), source));
    }
    let (percent, source) = value("GCHeapHardLimitPercent")?;
    Some(given(Most::Percent(percent as f64), source))
}
