//! Reads systemd's configuration files without systemd: oomd.conf, and unit files with `ManagedOOM` settings.

use std::collections::BTreeMap;
use std::io::Read;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use rustix::fs::{Mode, OFlags, ResolveFlags};
use rustix::io::Errno;

use crate::model::killers::systemd::OomdConf;
use crate::model::killers::units::UnitFile;

use crate::linux::kernel_file::open_dir;

/// The directories of unit files. If several have a file of one name, the first counts (systemd.unit(5)). The
/// directories of user managers and of early and late generators are not read.
const UNIT_DIRS: &[&str] = &[
    "etc/systemd/system.control",
    "run/systemd/system.control",
    "run/systemd/transient",
    "etc/systemd/system",
    "run/systemd/system",
    "run/systemd/generator",
    "usr/local/lib/systemd/system",
    "usr/lib/systemd/system",
    "lib/systemd/system",
];

/// The directories of oomd.conf and its drop-ins; the first counts (oomd.conf(5)).
const CONF_DIRS: &[&str] = &[
    "etc/systemd",
    "run/systemd",
    "usr/local/lib/systemd",
    "usr/lib/systemd",
    "lib/systemd",
];

/// Most bytes read of a configuration file; the rest is ignored.
const LARGEST: u64 = 256 << 10;
/// Most files read in one directory.
const MOST_FILES: usize = 4096;

/// A root directory below which configuration is read. Symbolic links are resolved inside it, so that `--root
/// /host` never shows the container's own settings.
pub(crate) struct ConfigRoot<'a> {
    path: &'a Path,
    dir: OwnedFd,
}

impl<'a> ConfigRoot<'a> {
    pub(crate) fn open(path: &'a Path) -> Option<Self> {
        let dir = open_dir(path).ok()?;
        Some(Self { path, dir })
    }

    /// A file as text; `None` if it cannot be read.
    pub(crate) fn text(&self, relative: &str) -> Option<String> {
        // NONBLOCK: a FIFO must not hang the sampler.
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK;
        let relative = relative.trim_start_matches('/');
        let inside = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS;
        let opened = rustix::fs::openat2(self.dir.as_fd(), relative, flags, Mode::empty(), inside);
        let file = match opened {
            // The kernel is older than 5.6, or a container's seccomp filter forbids openat2.
            Err(Errno::NOSYS | Errno::PERM) => {
                rustix::fs::openat(self.dir.as_fd(), relative, flags, Mode::empty())
            }
            other => other,
        };
        let file = std::fs::File::from(file.ok()?);
        if !file.metadata().ok()?.is_file() {
            return None;
        }
        let mut bytes = Vec::new();
        file.take(LARGEST).read_to_end(&mut bytes).ok()?;
        Some(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// The sorted names in a directory; empty if the directory does not exist.
    fn names(&self, relative: &str) -> Vec<String> {
        let listed = std::fs::read_dir(self.path.join(relative));
        let mut names: Vec<String> = listed
            .into_iter()
            .flatten()
            .flatten()
            .take(MOST_FILES)
            .filter_map(|entry| entry.file_name().into_string().ok())
            .collect();
        names.sort_unstable();
        names
    }

    /// The section `[OOM]`, as systemd-oomd reads it at start.
    pub(crate) fn oomd_conf(&self) -> OomdConf {
        let main = CONF_DIRS
            .iter()
            .find_map(|dir| self.text(&format!("{dir}/oomd.conf")));
        let mut drop_ins = BTreeMap::new();
        for dir in CONF_DIRS {
            for name in self.names(&format!("{dir}/oomd.conf.d")) {
                if is_drop_in(&name) && !drop_ins.contains_key(&name) {
                    let text = self.text(&format!("{dir}/oomd.conf.d/{name}"));
                    drop_ins.insert(name, text.unwrap_or_default());
                }
            }
        }
        let files = main.iter().chain(drop_ins.values());
        OomdConf::from_files(files.map(String::as_str))
    }

    /// Unit files and drop-ins with `ManagedOOM` or `OOMRules` settings; of files with one name the one that
    /// counts.
    pub(crate) fn managed_units(&self) -> Vec<UnitFile> {
        let mut found: BTreeMap<(String, Option<String>), String> = BTreeMap::new();
        for dir in UNIT_DIRS {
            for name in self.names(dir) {
                if let Some(unit) = name.strip_suffix(".d") {
                    let below = format!("{dir}/{name}");
                    for drop_in in self.names(&below) {
                        if is_drop_in(&drop_in) {
                            let key = (unit.to_owned(), Some(drop_in.clone()));
                            let text = || self.text(&format!("{below}/{drop_in}"));
                            found
                                .entry(key)
                                .or_insert_with(|| text().unwrap_or_default());
                        }
                    }
                } else if is_unit(&name) {
                    let text = || self.text(&format!("{dir}/{name}"));
                    found
                        .entry((name.clone(), None))
                        .or_insert_with(|| text().unwrap_or_default());
                }
            }
        }
        let speaks =
            |(_, text): &(_, String)| text.contains("ManagedOOM") || text.contains("OOMRules=");
        let unit = |((unit, drop_in), text)| UnitFile {
            unit,
            drop_in,
            text,
        };
        found.into_iter().filter(speaks).map(unit).collect()
    }
}

fn is_drop_in(name: &str) -> bool {
    name.strip_suffix(".conf").is_some()
}

/// True for the unit types that have a cgroup.
fn is_unit(name: &str) -> bool {
    let kinds = [".slice", ".service", ".scope"];
    kinds.iter().any(|kind| name.ends_with(kind))
}
