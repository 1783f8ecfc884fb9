//! Facts about the host, determined once at start.

pub mod actor;
pub(crate) mod allocator;
pub mod descriptors;
pub(super) mod meminfo;
pub(super) mod own_cost;
pub mod own_signals;
pub(super) mod probe;
pub(super) mod rss_evidence;
pub mod self_protection;
pub(crate) mod users;
pub(super) mod vm_settings;

use std::os::fd::{BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::io::Errno;

use crate::model::cgroup::CgroupVersion;
use crate::model::kernel::{
    KernelRules, KernelVersion, RssEvidence, RssSource, ScoreFormula, TieBreak,
};
use crate::model::process::{Pid, Process};
use crate::model::snapshot::Host;
use crate::model::systemd::CommandUser;

use super::SysRoot;
use super::kernel_file::{FileBuffer, count_cpus, number, signed, text};
use crate::linux::cgroup::mounts::mounts;
use crate::linux::host::users::Users;
use crate::linux::scan::proc::{stat_line, status_lines};
use crate::linux::systemd::runs_below;

/// `CAP_SYS_RESOURCE` (include/uapi/linux/capability.h).
const CAP_SYS_RESOURCE: u64 = 1 << 24;

/// Inode of the first pid namespace (`PROC_PID_INIT_INO`, include/linux/proc_ns.h).
const INITIAL_PID_NS: &str = "pid:[4026531836]";

/// Inode of the first user namespace (`PROC_USER_INIT_INO`).
const INITIAL_USER_NS: &str = "user:[4026531837]";

/// `PROC_SUPER_MAGIC` (include/uapi/linux/magic.h).
const PROC_MAGIC: i64 = 0x9fa0;

/// Most processes whose `oom_score` is read before the kernel version decides.
const SCORE_PROBES: usize = 8;

/// An idle process with adj 0 shows about 666 since 5.9 and about 0 before.
const SCALED_FROM: u64 = 600;

/// Reads the facts below one procfs directory.
pub(crate) struct Facts<'a> {
    dir: &'a OwnedFd,
    buffer: FileBuffer,
}

impl<'a> Facts<'a> {
    pub(crate) fn new(dir: &'a OwnedFd) -> Self {
        Self {
            dir,
            buffer: FileBuffer::default(),
        }
    }

    /// All of [`Host`] except `in_container`, which needs the first reading of the cgroups.
    pub(crate) fn host(
        &mut self,
        root: &SysRoot,
        cgroups: CgroupVersion,
        users: &mut Users,
    ) -> Host {
        let uid = rustix::process::geteuid().as_raw();
        let release = self
            .text("sys/kernel/osrelease")
            .or_else(|| sysinfo::System::kernel_version().ok())
            .unwrap_or_default();
        let version = KernelVersion::parse(&release);
        users.learn(uid);
        Host {
            name: self
                .text("sys/kernel/hostname")
                .or_else(|| {
                    // With another root this would be the name of the wrong host.
                    let own = *root == SysRoot::default();
                    own.then(|| sysinfo::System::host_name().ok()).flatten()
                })
                .unwrap_or_default(),
            version,
            rules: self.rules(version),
            release,
            cgroups,
            uid,
            user: users
                .name(uid)
                .map_or_else(|| uid.to_string(), str::to_owned),
            may_lower_adj: self.may_lower_adj(),
            own_adj: self.adj("self").unwrap_or(0),
            own_pid: self.own_pid(),
            in_container: false,
            hidepid: self.hidepid(root),
            ticks_per_second: rustix::param::clock_ticks_per_second(),
            systemd: runs_below(&root.base),
            command_user: own_user(),
        }
    }

    /// True if pid 1 of this `/proc` is the host's init, which the kernel never kills. It may kill a
    /// container's init.
    pub(crate) fn sees_global_init(&mut self) -> bool {
        // kthreadd is pid 2 only in the initial pid namespace. Reading its stat needs no privilege and works
        // for the /proc of another root too. With hidepid it may be invisible: then the pid namespace
        // decides.
        let kthreadd = self
            .bytes("2/stat")
            .is_ok_and(|line| stat_line::parse(line).is_some_and(|s| s.kernel_thread));
        kthreadd
            || self.link("1/ns/pid").as_deref() == Some(INITIAL_PID_NS)
            || (self.own_pid() == Some(std::process::id())
                && self.link("self/ns/pid").as_deref() == Some(INITIAL_PID_NS))
    }

    /// Finds the scale of `oom_score` from the first small processes with adj 0 among `rows`; `None` if no
    /// such process can be read.
    pub(crate) fn score_formula(
        &mut self,
        rows: impl Iterator<Item = Process>,
        total_pages: u64,
    ) -> Option<ScoreFormula> {
        let small = |p: &Process| {
            p.adj.is_some_and(|adj| adj.get() == 0)
                && p.memory.is_some()
                && !p.state.is_dead()
                && p.charged_pages() < total_pages / 50
                && !p.global_init
        };
        let mut asked = false;
        for process in rows.filter(small).take(SCORE_PROBES) {
            let file = format!("{}/oom_score", process.id.pid);
            let Some(score) = self.bytes(&file).ok().and_then(number) else {
                continue;
            };
            if score >= SCALED_FROM {
                return Some(ScoreFormula::Scaled);
            }
            // The score is also 0 for a process that is not eligible right now (vfork): try others too.
            asked = true;
        }
        asked.then_some(ScoreFormula::Permille)
    }

    /// Corrects the guess by version, which resident size badness reads, with the scores of live processes.
    /// Adjusts the error bound to match.
    pub(crate) fn learn_rss(
        &mut self,
        rules: &mut KernelRules,
        pids: impl Iterator<Item = Pid>,
        total_pages: u64,
    ) {
        let (page_size, formula) = (rules.page_size, rules.score);
        let evidence = rss_evidence::collect(self.dir, pids, page_size, total_pages, formula);
        let source = evidence.source(rules.rss);
        if source != rules.rss {
            rules.rss_error = match source {
                RssSource::Stat => KernelRules::percpu_batch(self.cpus()),
                RssSource::Status => 0,
            };
        }
        (rules.rss, rules.rss_evidence) = (source, evidence);
    }

    /// Largest difference between `VmSwap` and the number that badness reads, in pages. In late 6.12 to 6.19
    /// `status` adds up the per-CPU parts and badness does not, so no file shows the kernel's number.
    pub(crate) fn swap_error(&mut self, version: Option<KernelVersion>, rss: RssSource) -> u64 {
        let exact = version.is_none_or(|v| (v.major, v.minor) >= (6, 12));
        if exact && rss == RssSource::Stat {
            KernelRules::percpu_error(self.cpus())
        } else {
            0
        }
    }

    fn rules(&mut self, version: Option<KernelVersion>) -> KernelRules {
        let at_least = |major, minor| version.is_some_and(|v| v >= KernelVersion { major, minor });
        let cpus = self.cpus();
        let score = if version.is_none() || at_least(5, 9) {
            ScoreFormula::Scaled
        } else {
            ScoreFormula::Permille
        };
        KernelRules {
            score,
            rss: if at_least(7, 0) {
                RssSource::Status
            } else {
                RssSource::Stat
            },
            rss_evidence: RssEvidence::default(),
            tie: tie_of(score),
            page_size: rustix::param::page_size() as u64,
            root_bonus: version.is_some() && at_least(3, 10) && !at_least(4, 17),
            swap_error: 0,
            rss_error: if at_least(7, 0) {
                // Both badness and `status` add up the per-CPU parts.
                0
            } else if version.is_none() || at_least(6, 2) {
                KernelRules::percpu_batch(cpus)
            } else {
                // Each thread caches up to this many pages before it updates the counter
                // (TASK_RSS_EVENTS_THRESH, mm/memory.c with SPLIT_RSS_COUNTING).
                64
            },
        }
    }

    /// Number of CPUs online: the kernel derives the batch size of its per-CPU counters from it.
    pub(crate) fn cpus(&mut self) -> u64 {
        let online = self.bytes("stat").map_or(0, count_cpus);
        if online > 0 {
            return online;
        }
        std::thread::available_parallelism().map_or(1, |n| n.get() as u64)
    }

    fn may_lower_adj(&mut self) -> bool {
        let effective = self
            .bytes("self/status")
            .ok()
            .and_then(|text| status_lines::mask(text, "CapEff"))
            .unwrap_or(0);
        // The kernel checks the capability in the initial user namespace. Root in another user namespace has
        // the bit set too, but without effect here.
        let elsewhere = self
            .link("self/ns/user")
            .is_some_and(|ns| ns != INITIAL_USER_NS);
        effective & CAP_SYS_RESOURCE != 0 && !elsewhere
    }

    fn own_pid(&mut self) -> Option<u32> {
        let magic = rustix::fs::fstatfs(self.dir).ok()?.f_type;
        // The type of the field differs between architectures.
        #[allow(clippy::unnecessary_cast, clippy::useless_conversion)]
        let is_proc = magic as i64 == PROC_MAGIC;
        is_proc
            .then(|| self.link("self"))
            .flatten()
            .and_then(|target| target.parse().ok())
    }

    /// True if `/proc` is mounted with hidepid and hides processes from oomtop. It hides none from root or
    /// from the group given by `gid=`.
    fn hidepid(&mut self, root: &SysRoot) -> bool {
        let asked = mounts(root).iter().rev().any(|mount| {
            mount.point == root.proc
                && mount.info.fs_type == "proc"
                && mount
                    .info
                    .super_options
                    .get("hidepid")
                    .is_some_and(|mode| !matches!(mode.as_deref(), None | Some("0" | "off")))
        });
        asked && self.bytes("1/stat").is_err()
    }

    fn adj(&mut self, pid: &str) -> Option<i16> {
        let value = signed(self.bytes(&format!("{pid}/oom_score_adj")).ok()?)?;
        i16::try_from(value).ok()
    }

    fn bytes(&mut self, path: &str) -> Result<&[u8], Errno> {
        self.buffer.read_whole(self.dir, path)
    }

    fn text(&mut self, path: &str) -> Option<String> {
        self.bytes(path)
            .ok()
            .map(text)
            .filter(|text| !text.is_empty())
    }

    fn link(&self, path: &str) -> Option<String> {
        let target = rustix::fs::readlinkat(self.dir, path, Vec::new()).ok()?;
        target.into_string().ok()
    }
}

/// 5.9 made badness signed and, with it, the later of two equal candidates the victim.
pub(crate) fn tie_of(score: ScoreFormula) -> TieBreak {
    match score {
        ScoreFormula::Scaled => TieBreak::Later,
        ScoreFormula::Permille => TieBreak::Earlier,
    }
}

/// True if the pids below this directory are valid for system calls: it is procfs, for the pid namespace that
/// oomtop runs in. Otherwise a signal or a move would hit the wrong process.
pub(crate) fn is_own_namespace(proc: &Path, dir: BorrowedFd<'_>) -> bool {
    #[allow(clippy::unnecessary_cast, clippy::useless_conversion)]
    let is_proc = rustix::fs::fstatfs(dir).is_ok_and(|fs| fs.f_type as i64 == PROC_MAGIC);
    let own = std::process::id();
    let says_self = std::fs::read_link(proc.join("self"))
        .is_ok_and(|target| target.to_str() == Some(own.to_string().as_str()));
    // oomtop can have the same pid in both namespaces: compare the namespaces too.
    let namespace = |base: &Path| std::fs::read_link(base.join("self/ns/pid")).ok();
    is_proc && says_self && namespace(proc) == namespace(Path::new("/proc"))
}

/// Nothing in the environment leads to the manager of this user (systemctl(1) `--user`): `XDG_RUNTIME_DIR` is not set, or it
/// is that of another user, as after su(1).
fn has_no_session(uid: u32) -> bool {
    let dir = std::env::var_os("XDG_RUNTIME_DIR");
    let own = dir.and_then(|dir| std::fs::metadata(dir).ok());
    own.is_none_or(|dir| std::os::unix::fs::MetadataExt::uid(&dir) != uid)
}

/// The user of oomtop.
#[must_use]
pub fn own_user() -> CommandUser {
    let uid = rustix::process::geteuid().as_raw();
    CommandUser::User {
        uid,
        without_session: has_no_session(uid),
    }
}

#[cfg(test)]
mod tests {
    use super::{Facts, is_own_namespace};
    use crate::linux::kernel_file::open_dir;
    use std::os::fd::AsFd;
    use std::path::Path;

    #[test]
    fn the_own_proc_is_told_from_a_directory() {
        let real = open_dir(Path::new("/proc")).unwrap();
        assert!(is_own_namespace(Path::new("/proc"), real.as_fd()));
        assert_eq!(Facts::new(&real).own_pid(), Some(std::process::id()));
        let dir = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink(std::process::id().to_string(), dir.path().join("self"))
            .unwrap();
        let fake = open_dir(dir.path()).unwrap();
        assert!(!is_own_namespace(dir.path(), fake.as_fd()));
        assert_eq!(Facts::new(&fake).own_pid(), None);
    }
}
