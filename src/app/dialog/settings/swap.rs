//! Swap and its parts, a sentence each.

use super::Setting;
use crate::app::dialog::DialogContext;
use crate::model::cgroup::limits::LimitFile;
use crate::model::vm_settings::{SwapDevice, SwapKind};
use crate::text::format;
use crate::text::tone::Tone;

/// Most devices that are named one by one.
const NAMED: usize = 8;

pub(super) fn settings(context: &DialogContext<'_>) -> Vec<Setting> {
    let snapshot = context.cells.snapshot;
    let settings = &snapshot.vm_settings;
    let has_swap = snapshot.memory.swap_total > 0;
    let mut list = vec![Setting::of("swappiness", settings.swappiness, |value| {
        match value {
            _ if !has_swap => (false, "without swap it has no effect".to_owned()),
            0 => (
                true,
                "on the host private memory is still swapped once the page cache is all but gone, before \
                 an OOM; at a cgroup's limit it is not, and swap does not count in its total"
                    .to_owned(),
            ),
            value if value > 100 => (
                false,
                "private memory is swapped rather than page cache dropped: good for zram, slow \
                 on a disk"
                    .to_owned(),
            ),
            _ => (
                false,
                "private memory and page cache give way in turn; 0..200, the higher the more is \
                 swapped"
                    .to_owned(),
            ),
        }
    })];
    match &settings.swaps {
        None => list.push(Setting::of("swap", None, |_| (false, String::new()))),
        Some(devices) if devices.is_empty() => list.push(none(has_swap)),
        Some(devices) => {
            list.extend(devices.iter().take(NAMED).map(device));
            if devices.len() > NAMED {
                let more = devices.len() - NAMED;
                list.push(Setting::new(
                    "swap",
                    format!("{more} more"),
                    "see /proc/swaps",
                ));
            }
        }
    }
    list.push(match settings.zswap {
        None => Setting::new(
            "zswap",
            "n/a",
            "not in this kernel, or its file cannot be read",
        ),
        Some(true) if !has_swap => Setting::new("zswap", "on", "without swap it has no effect"),
        Some(false) if !has_swap => Setting::new("zswap", "off", "nothing is swapped here"),
        Some(true) => Setting::new(
            "zswap",
            "on",
            "what is swapped is compressed in RAM first: swap in use costs memory too",
        ),
        Some(false) => Setting::new("zswap", "off", "what is swapped leaves RAM for the device"),
    });
    match settings.swap_accounting {
        None => {}
        Some(true) => list.push(Setting::new(
            "swap accounting (v1)",
            "on",
            format!(
                "a group's memory and swap can be limited together ({})",
                LimitFile::V1Memsw.name()
            ),
        )),
        Some(false) => list.push(
            Setting::new(
                "swap accounting (v1)",
                "off",
                "a group's limit holds memory only: at it the group swaps instead of dying, as \
                 long as there is swap \
                 (boot option swapaccount=1 counts it)",
            )
            .odd(has_swap),
        ),
    }
    list
}

/// `/proc/swaps` is empty. In a container it can be empty while meminfo shows the host's swap.
fn none(has_swap: bool) -> Setting {
    let means = if has_swap {
        "meminfo counts swap but no device is listed here: it is the host's, seen from a container"
    } else {
        "private memory has nowhere to go: near the end the code of running programs is dropped and read \
         again (thrashing), then somebody dies"
    };
    Setting::new("swap", "none", means).odd(true)
}

fn device(device: &SwapDevice) -> Setting {
    let value = format!(
        "{} ({})  {}",
        device.name,
        device.kind.name(),
        format::part_of(device.used, device.size)
    );
    let means = match device.kind {
        SwapKind::Zram => zram(device),
        SwapKind::Partition | SwapKind::File => {
            "an OOM comes when it is full; until then a shortage shows as waiting (PSI)".to_owned()
        }
    };
    let full = device.used >= device.size / 10 * 9 && device.size > 0;
    let setting = Setting::new("swap", value, means);
    Setting {
        tone: if full { Tone::Danger } else { setting.tone },
        ..setting
    }
}

/// What is swapped there stays in RAM, compressed.
fn zram(device: &SwapDevice) -> String {
    let takes = match device.zram.filter(|zram| zram.stored > 0) {
        Some(zram) => format!(
            "{} in it take {} of RAM",
            format::long_size(zram.stored),
            format::long_size(zram.takes)
        ),
        None => "how well it compresses is not known, so it counts as no room".to_owned(),
    };
    format!("compressed RAM: {takes}; its nominal size makes every adj weigh more")
}
