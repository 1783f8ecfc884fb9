//! Reads the kernel settings that change what the next OOM does: a few small files, every few seconds.

use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use crate::model::cgroup::limits::LimitFile;
use crate::model::time::Monotonic;
use crate::model::vm_settings::{SwapDevice, SwapKind, VmSettings, ZramUse, parse_swaps};

use crate::linux::SysRoot;
use crate::linux::cgroup::hierarchy::Hierarchy;
use crate::linux::helper::helper;
use crate::linux::kernel_file::{FileBuffer, number, open_dir, signed};
use crate::linux::scan::bpf::has_oom_policy;

/// Time between two readings: these settings change rarely.
const EVERY: Duration = Duration::from_secs(3);

/// Keeps the last reading until it is due again.
#[derive(Debug, Default)]
pub(crate) struct SettingsReader {
    read: Option<(Monotonic, Arc<VmSettings>)>,
    policy: Policy,
}

/// Whether a BPF program may decide who dies. That does not change while the kernel runs; it is looked up aside, for
/// millions of bytes are gone through.
#[derive(Debug, Default)]
enum Policy {
    #[default]
    NotAsked,
    Asked(JoinHandle<Option<bool>>),
    Known(Option<bool>),
}

impl Policy {
    /// What is known by now, or at the end of the search if `whole`.
    fn get(&mut self, root: &SysRoot, whole: bool) -> Option<bool> {
        if matches!(self, Self::NotAsked) {
            let root = root.clone();
            *self = match helper("types", move || has_oom_policy(&root)) {
                Ok(search) => Self::Asked(search),
                // Without a thread now, the next reading tries again.
                Err(_) => Self::NotAsked,
            };
        }
        if let Self::Asked(search) = self
            && (whole || search.is_finished())
            && let Self::Asked(search) = std::mem::take(self)
        {
            *self = Self::Known(search.join().ok().flatten());
        }
        match self {
            Self::Known(policy) => *policy,
            Self::NotAsked | Self::Asked(_) => None,
        }
    }
}

impl SettingsReader {
    /// The settings; reads them again if the last reading is too old. `proc` is the procfs mount. With `whole` it waits
    /// for what is looked up aside.
    pub(crate) fn at(
        &mut self,
        now: Monotonic,
        root: &SysRoot,
        proc: &OwnedFd,
        hierarchy: &Hierarchy,
        buffer: &mut FileBuffer,
        whole: bool,
    ) -> Arc<VmSettings> {
        if let Some((at, settings)) = &self.read
            && now.since(*at) < EVERY
        {
            return Arc::clone(settings);
        }
        let mut settings = read(root, proc, hierarchy, buffer);
        settings.bpf_oom_policy = self.policy.get(root, whole);
        let settings = Arc::new(settings);
        self.read = Some((now, Arc::clone(&settings)));
        settings
    }
}

fn read(
    root: &SysRoot,
    proc: &OwnedFd,
    hierarchy: &Hierarchy,
    buffer: &mut FileBuffer,
) -> VmSettings {
    let mut vm = |name: &str| {
        let path = format!("sys/vm/{name}");
        number(buffer.read_setting(proc, path.as_str()).ok()?)
    };
    let mut settings = VmSettings {
        panic_on_oom: vm("panic_on_oom"),
        kill_allocating_task: vm("oom_kill_allocating_task"),
        dump_tasks: vm("oom_dump_tasks"),
        overcommit_memory: vm("overcommit_memory"),
        overcommit_ratio: vm("overcommit_ratio"),
        overcommit_kbytes: vm("overcommit_kbytes"),
        swappiness: vm("swappiness"),
        min_free_kbytes: vm("min_free_kbytes"),
        watermark_scale_factor: vm("watermark_scale_factor"),
        ..VmSettings::default()
    };
    settings.panic_reboot = buffer
        .read_setting(proc, "sys/kernel/panic")
        .ok()
        .and_then(signed);
    settings.swaps = buffer
        .read_whole(proc, "swaps")
        .ok()
        .map(|text| parse_swaps(&String::from_utf8_lossy(text)));
    if let Ok(base) = open_dir(&root.base) {
        let file = "sys/module/zswap/parameters/enabled";
        settings.zswap = match buffer.read_whole(&base, file).map(<[u8]>::trim_ascii) {
            Ok(b"Y") => Some(true),
            Ok(b"N") => Some(false),
            _ => None,
        };
        let file = "sys/kernel/mm/lru_gen/min_ttl_ms";
        settings.lru_min_ttl_ms = buffer.read_whole(&base, file).ok().and_then(number);
        for device in settings.swaps.iter_mut().flatten() {
            device.zram = zram(device, &base, buffer);
        }
    }
    if hierarchy.version.is_v1()
        && let Ok(dir) = hierarchy.dir()
    {
        let flags = rustix::fs::AtFlags::empty();
        let both = rustix::fs::statat(dir, LimitFile::V1Memsw.name(), flags);
        settings.swap_accounting = Some(both.is_ok());
    }
    settings
}

/// What a zram device holds. The name comes from `/proc/swaps`: only the device's own name is used.
fn zram(device: &SwapDevice, base: &OwnedFd, buffer: &mut FileBuffer) -> Option<ZramUse> {
    let name = device.name.rsplit('/').next()?;
    let digits = name.strip_prefix("zram")?;
    let is_zram = device.kind == SwapKind::Zram && !digits.is_empty();
    (is_zram && digits.bytes().all(|b| b.is_ascii_digit())).then_some(())?;
    let file = format!("sys/block/{name}/mm_stat");
    let text = buffer.read_whole(base, file.as_str()).ok()?;
    ZramUse::parse(std::str::from_utf8(text).ok()?)
}
