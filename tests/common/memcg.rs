//! A memory cgroup made for one test, on v1 or v2, and removed when the test ends.

use std::fs;
use std::path::{Path, PathBuf};

/// Which files a group has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Version {
    /// `memory.limit_in_bytes`, `memory.memsw.limit_in_bytes`.
    V1,
    /// `memory.max`, `memory.swap.max`.
    V2,
}

/// A group made by a test. Dropping it kills what is in it and removes it.
pub(crate) struct Memcg {
    dir: PathBuf,
    path: String,
    version: Version,
}

impl Memcg {
    /// Makes a group at the top of the hierarchy that has the memory controller. `None`, with a loud
    /// message, where that is not possible.
    pub(crate) fn create(name: &str) -> Option<Self> {
        Self::named(&format!("oomtop-test-{}-{name}", std::process::id()))
    }

    /// The same under a name that people read in a picture.
    pub(crate) fn named(name: &str) -> Option<Self> {
        // Tests that fill groups take their time, and the host's counter includes their kills.
        super::patience::alone();
        let test = &format!("what needs the memory cgroup {name:?}");
        if !super::is_root() {
            super::skipped(test, "only root may make a memory cgroup");
            return None;
        }
        let Some((mount, version)) = mount() else {
            super::skipped(test, "no cgroup hierarchy has the memory controller");
            return None;
        };
        let path = format!("/{name}");
        let dir = mount.join(&path[1..]);
        if version == Version::V2 {
            fs::write(mount.join("cgroup.subtree_control"), "+memory").ok();
        }
        if let Err(error) = fs::create_dir(&dir) {
            super::skipped(test, &format!("{} cannot be made: {error}", dir.display()));
            return None;
        }
        let group = Self { dir, path, version };
        if !group.dir.join(group.limit_file()).exists() {
            super::skipped(test, "a new cgroup has no memory limit file");
            return None;
        }
        Some(group)
    }

    /// A group inside this one, on the same hierarchy.
    pub(crate) fn child(&self, name: &str) -> Self {
        if self.version == Version::V2 {
            fs::write(self.dir.join("cgroup.subtree_control"), "+memory").expect("delegation");
        }
        let dir = self.dir.join(name);
        fs::create_dir(&dir).expect("a child group");
        let path = format!("{}/{name}", self.path);
        let version = self.version;
        Self { dir, path, version }
    }

    /// v1 or v2.
    pub(crate) fn version(&self) -> Version {
        self.version
    }

    /// The path as `/proc/PID/cgroup` shows it.
    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    /// The directory.
    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    fn limit_file(&self) -> &'static str {
        match self.version {
            Version::V1 => "memory.limit_in_bytes",
            Version::V2 => "memory.max",
        }
    }

    /// Sets the limit in bytes, for memory and swap together: a hog must not hide in swap.
    pub(crate) fn limit(&self, bytes: u64) {
        let text = bytes.to_string();
        fs::write(self.dir.join(self.limit_file()), &text).expect("the limit");
        match self.version {
            Version::V1 => fs::write(self.dir.join("memory.memsw.limit_in_bytes"), text).ok(),
            Version::V2 => fs::write(self.dir.join("memory.swap.max"), "0").ok(),
        };
    }

    /// The limit in bytes as the kernel has it.
    pub(crate) fn limit_now(&self) -> Option<u64> {
        let text = fs::read_to_string(self.dir.join(self.limit_file())).ok()?;
        text.trim().parse().ok()
    }

    /// Bytes charged to the group and its descendants.
    pub(crate) fn usage(&self) -> Option<u64> {
        let file = match self.version {
            Version::V1 => "memory.usage_in_bytes",
            Version::V2 => "memory.current",
        };
        let text = fs::read_to_string(self.dir.join(file)).ok()?;
        text.trim().parse().ok()
    }

    /// OOM kills so far: on v1 in this group, on v2 in its descendants too.
    pub(crate) fn oom_kills(&self) -> Option<u64> {
        let file = match self.version {
            Version::V1 => "memory.oom_control",
            Version::V2 => "memory.events",
        };
        let text = fs::read_to_string(self.dir.join(file)).ok()?;
        let count = text.lines().find_map(|l| l.strip_prefix("oom_kill "));
        count?.trim().parse().ok()
    }

    /// Moves a process in.
    pub(crate) fn add(&self, pid: u32) {
        fs::write(self.dir.join("cgroup.procs"), pid.to_string()).expect("the process moves");
    }

    /// Processes in it.
    pub(crate) fn processes(&self) -> Vec<u32> {
        let text = fs::read_to_string(self.dir.join("cgroup.procs")).unwrap_or_default();
        text.lines().filter_map(|line| line.parse().ok()).collect()
    }
}

impl Drop for Memcg {
    fn drop(&mut self) {
        remove(&self.dir);
    }
}

/// Kills what is in `dir` and below, then removes it, children first.
fn remove(dir: &Path) {
    let inside = fs::read_dir(dir).into_iter().flatten().flatten();
    for entry in inside.filter(|e| e.file_type().is_ok_and(|t| t.is_dir())) {
        remove(&entry.path());
    }
    let gone = super::patience::until(|| {
        let procs = fs::read_to_string(dir.join("cgroup.procs")).unwrap_or_default();
        for pid in procs.lines().filter_map(|line| line.parse().ok()) {
            if let Some(pid) = rustix::process::Pid::from_raw(pid) {
                rustix::process::kill_process(pid, rustix::process::Signal::KILL).ok();
            }
        }
        fs::remove_dir(dir).is_ok() || !dir.exists()
    });
    if !gone {
        super::measured(&format!("{} could not be removed", dir.display()));
    }
}

/// Where the memory controller is mounted.
pub(crate) fn mount() -> Option<(PathBuf, Version)> {
    let mounts = fs::read_to_string("/proc/self/mountinfo").ok()?;
    for line in mounts.lines() {
        let (left, right) = line.split_once(" - ")?;
        let point = PathBuf::from(left.split(' ').nth(4)?);
        let mut right = right.split(' ');
        let (kind, options) = (right.next()?, right.nth(1).unwrap_or_default());
        if kind == "cgroup" && options.split(',').any(|o| o == "memory") {
            return Some((point, Version::V1));
        }
        let controllers = point.join("cgroup.controllers");
        if kind == "cgroup2"
            && fs::read_to_string(controllers)
                .is_ok_and(|c| c.split_whitespace().any(|w| w == "memory"))
        {
            return Some((point, Version::V2));
        }
    }
    None
}

/// The path of a process's memory cgroup, from `/proc/PID/cgroup`.
pub(crate) fn of(pid: u32) -> Option<String> {
    let text = fs::read_to_string(format!("/proc/{pid}/cgroup")).ok()?;
    let field = |line: &str| line.splitn(3, ':').nth(2).map(str::to_owned);
    let v1 = text.lines().find(|line| {
        let controllers = line.split(':').nth(1).unwrap_or_default();
        controllers.split(',').any(|c| c == "memory")
    });
    v1.or_else(|| text.lines().find(|line| line.starts_with("0::")))
        .and_then(field)
}
