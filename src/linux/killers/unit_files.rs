//! Reads systemd's configuration files without systemd: oomd.conf, and unit files with `ManagedOOM` settings.

use std::collections::BTreeMap;
use std::io::Read;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::path::Path;

use rustix::fs::{FileType, Mode, OFlags, ResolveFlags};
use rustix::io::Errno;

use crate::model::killers::oom_policy::Manager;
use crate::model::killers::systemd::{OomdConf, Ruleset};
use crate::model::killers::units::{UnitFile, names_of};

use crate::linux::kernel_file::open_dir;

/// The directories of unit files. If several have a file of one name, the first counts (systemd.unit(5)). The
/// directories of early and late generators included.
const UNIT_DIRS: &[&str] = &[
    "etc/systemd/system.control",
    "run/systemd/system.control",
    "run/systemd/transient",
    "run/systemd/generator.early",
    "etc/systemd/system",
    "run/systemd/system",
    "run/systemd/generator",
    "usr/local/lib/systemd/system",
    "usr/lib/systemd/system",
    "lib/systemd/system",
    "run/systemd/generator.late",
];

/// The directories of the units of a user's manager, in the same order (systemd.unit(5)).
const USER_UNIT_DIRS: &[&str] = &[
    "{home}/.config/systemd/user.control",
    "run/user/{uid}/systemd/user.control",
    "run/user/{uid}/systemd/transient",
    "run/user/{uid}/systemd/generator.early",
    "{home}/.config/systemd/user",
    "etc/systemd/user",
    "run/user/{uid}/systemd/user",
    "run/systemd/user",
    "run/user/{uid}/systemd/generator",
    "{home}/.local/share/systemd/user",
    "usr/local/share/systemd/user",
    "usr/share/systemd/user",
    "usr/local/lib/systemd/user",
    "usr/lib/systemd/user",
    "run/user/{uid}/systemd/generator.late",
];

/// The directories of oomd.conf, system.conf and user.conf, and of their drop-ins; the first counts (oomd.conf(5)).
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

    /// A root that is open already; `path` names the directories to list.
    pub(crate) fn at(path: &'a Path, dir: OwnedFd) -> Self {
        Self { path, dir }
    }

    /// A file of root's as text; `None` if it cannot be read.
    pub(crate) fn text(&self, relative: &str) -> Option<String> {
        self.text_of(relative, 0)
    }

    /// A regular file that belongs to root or to `owner`, and that nobody else may write; `None` for any other.
    /// Opening a device or a FIFO can have effects: what it is, is known before it is opened.
    fn text_of(&self, relative: &str, owner: u32) -> Option<String> {
        let flags = OFlags::PATH | OFlags::CLOEXEC;
        let relative = relative.trim_start_matches('/');
        let inside = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS;
        let opened = rustix::fs::openat2(self.dir.as_fd(), relative, flags, Mode::empty(), inside);
        let found = match opened {
            // The kernel is older than 5.6, or a container's seccomp filter forbids openat2.
            Err(Errno::NOSYS | Errno::PERM) => {
                rustix::fs::openat(self.dir.as_fd(), relative, flags, Mode::empty())
            }
            other => other,
        };
        let found = found.ok()?;
        let stat = rustix::fs::fstat(&found).ok()?;
        let is_file = FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile;
        let own = rustix::process::geteuid().as_raw();
        let is_trusted = [0, owner, own].contains(&stat.st_uid) && stat.st_mode & 0o002 == 0;
        if !is_file || !is_trusted {
            return None;
        }
        // The same file, whatever the path names by now.
        let again = format!("/proc/self/fd/{}", found.as_raw_fd());
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK;
        let file = rustix::fs::open(again, flags, Mode::empty()).ok()?;
        let mut bytes = Vec::new();
        let file = std::fs::File::from(file);
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
        OomdConf::from_files(self.conf("oomd.conf").iter().map(String::as_str))
    }

    /// The rules of systemd-oomd that units can name (`oomd/rules.d/*.oomrule`; of files with one name the first counts,
    /// and an empty one is none).
    pub(crate) fn oomd_rules(&self) -> Vec<Ruleset> {
        let mut found: BTreeMap<String, String> = BTreeMap::new();
        for dir in CONF_DIRS {
            let dir = format!("{dir}/oomd/rules.d");
            for file in self.names(&dir) {
                if let Some(name) = file.strip_suffix(".oomrule") {
                    let text = || self.text(&format!("{dir}/{file}")).unwrap_or_default();
                    found.entry(name.to_owned()).or_insert_with(text);
                }
            }
        }
        let there = found.iter().filter(|(_, text)| !text.is_empty());
        there.map(|(name, text)| Ruleset::of(name, text)).collect()
    }

    /// system.conf or user.conf and its drop-ins, in the order in which they apply.
    pub(crate) fn manager_conf(&self, manager: Manager) -> Vec<String> {
        self.conf(match manager {
            Manager::System => "system.conf",
            Manager::User(_) => "user.conf",
        })
    }

    /// A configuration file of systemd and its drop-ins, in the order in which they apply.
    fn conf(&self, file: &str) -> Vec<String> {
        let main = CONF_DIRS
            .iter()
            .find_map(|dir| self.text(&format!("{dir}/{file}")));
        let mut drop_ins = BTreeMap::new();
        for dir in CONF_DIRS {
            for name in self.names(&format!("{dir}/{file}.d")) {
                if is_drop_in(&name) && !drop_ins.contains_key(&name) {
                    let text = self.text(&format!("{dir}/{file}.d/{name}"));
                    drop_ins.insert(name, text.unwrap_or_default());
                }
            }
        }
        main.into_iter().chain(drop_ins.into_values()).collect()
    }

    /// The release of systemd, from the name of its library (`libsystemd-shared-252.so`); `None` if it is not
    /// there.
    pub(crate) fn systemd_release(&self) -> Option<u32> {
        let plain = ["usr/lib/systemd", "lib/systemd", "usr/lib64/systemd"];
        // Debian has a directory for each architecture.
        let libraries = self.names("usr/lib");
        let of_machine = libraries.iter().filter(|name| name.contains("-linux-"));
        let of_machine = of_machine.map(|name| format!("usr/lib/{name}/systemd"));
        let mut dirs = plain.map(str::to_owned).into_iter().chain(of_machine);
        dirs.find_map(|dir| {
            self.names(&dir).iter().find_map(|name| {
                let rest = name.strip_prefix("libsystemd-shared-")?;
                let end = rest.find(|c: char| !c.is_ascii_digit())?;
                rest.get(..end)?.parse().ok()
            })
        })
    }

    /// Where a manager looks for unit files, and who besides root may have written them.
    pub(crate) fn unit_dirs(&self, manager: Manager) -> (Vec<String>, u32) {
        match manager {
            Manager::System => (UNIT_DIRS.iter().map(|dir| (*dir).to_owned()).collect(), 0),
            Manager::User(uid) => {
                let home = self.home(uid).unwrap_or_else(|| "nonexistent".to_owned());
                let place = |dir: &&str| {
                    let dir = dir.replace("{home}", home.trim_matches('/'));
                    dir.replace("{uid}", &uid.to_string())
                };
                (USER_UNIT_DIRS.iter().map(place).collect(), uid)
            }
        }
    }

    /// The home directory of a user in passwd(5).
    pub(crate) fn home(&self, uid: u32) -> Option<String> {
        let text = self.text("etc/passwd")?;
        let uid = uid.to_string();
        text.lines().find_map(|line| {
            let fields: Vec<&str> = line.split(':').collect();
            let is_it = fields.get(2) == Some(&uid.as_str());
            fields
                .get(5)
                .filter(|_| is_it)
                .map(|home| (*home).to_owned())
        })
    }

    /// The files of one unit; of files with one name the one that counts.
    pub(crate) fn files_of(&self, unit: &str, dirs: &[String], owner: u32) -> Vec<UnitFile> {
        let mut found: BTreeMap<(String, Option<String>), String> = BTreeMap::new();
        for name in names_of(unit) {
            for dir in dirs {
                if let Some(text) = self.text_of(&format!("{dir}/{name}"), owner) {
                    found.entry((name.clone(), None)).or_insert(text);
                }
                let below = format!("{dir}/{name}.d");
                for drop_in in self
                    .names(&below)
                    .into_iter()
                    .filter(|name| is_drop_in(name))
                {
                    let text = || self.text_of(&format!("{below}/{drop_in}"), owner);
                    found
                        .entry((name.clone(), Some(drop_in.clone())))
                        .or_insert_with(|| text().unwrap_or_default());
                }
            }
        }
        let unit = |((unit, drop_in), text)| UnitFile {
            unit,
            drop_in,
            text,
        };
        found.into_iter().map(unit).collect()
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
            |(_, text): &(_, String)| text.contains("ManagedOOM") || text.contains("OOMRules");
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
