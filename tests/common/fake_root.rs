//! [`FakeRoot`]: a `/proc` and cgroup tree in a temporary directory, written as sentences.
//!
//! ```ignore
//! let root = FakeRoot::new()
//!     .process(100, |p| p.comm("java").rss_mib(812).adj(-300).cgroup("/web.slice"))
//!     .pressure(1.5, 0.7)
//!     .v2_group("web.slice", |g| g.max("1073741824").current(5 << 20));
//! let sampler = Sampler::new(root.sys_root());
//! ```
#![allow(
    dead_code,
    reason = "every test crate compiles all of this and uses a part of it"
)]
#![allow(
    clippy::expect_used,
    reason = "a test that cannot build its tree fails"
)]

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use oomtop::linux::SysRoot;
use oomtop::model::process::ProcessId;

/// Which cgroup lines processes get, and where groups are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Layout {
    V1,
    V2,
    Hybrid,
    None,
}

/// A fake tree; removed when dropped.
#[derive(Debug)]
pub(crate) struct FakeRoot {
    dir: tempfile::TempDir,
    layout: Layout,
}

impl Default for FakeRoot {
    fn default() -> Self {
        Self::new()
    }
}

impl FakeRoot {
    /// A cgroup v2 host of 8 GiB, kernel 6.18, with no process and PSI off.
    pub(crate) fn new() -> Self {
        Self::with_layout(Layout::V2)
    }

    pub(crate) fn with_layout(layout: Layout) -> Self {
        let root = Self {
            dir: tempfile::tempdir().expect("a temporary directory"),
            layout,
        };
        root.write("proc/sys/kernel/osrelease", "6.18.2-fake\n");
        root.write("proc/sys/kernel/hostname", "fakehost\n");
        root.write("proc/stat", "cpu  1 2 3\ncpu0 1 2 3\ncpu1 1 2 3\nctxt 5\n");
        root.write("proc/vmstat", "pgfault 77\noom_kill 3\n");
        root.write("dev/kmsg", "");
        fs::create_dir_all(root.path("sys/fs/cgroup")).expect("directories");
        match layout {
            Layout::V2 => {
                root.write("sys/fs/cgroup/cgroup.controllers", "cpu memory pids\n");
                root.write("sys/fs/cgroup/cgroup.procs", "");
            }
            Layout::V1 => root.write("sys/fs/cgroup/memory/cgroup.procs", ""),
            Layout::Hybrid => {
                root.write("sys/fs/cgroup/memory/cgroup.procs", "");
                root.write("sys/fs/cgroup/unified/cgroup.controllers", "cpu pids\n");
            }
            Layout::None => {}
        }
        root.meminfo(8192, Some(4096))
    }

    pub(crate) fn path(&self, below: &str) -> PathBuf {
        self.dir.path().join(below)
    }

    pub(crate) fn sys_root(&self) -> SysRoot {
        SysRoot::under(self.dir.path())
    }

    /// Writes any file, with the directories above it.
    pub(crate) fn write(&self, below: &str, content: impl AsRef<[u8]>) {
        let path = self.path(below);
        fs::create_dir_all(path.parent().expect("a parent")).expect("directories");
        fs::write(path, content).expect("a file");
    }

    pub(crate) fn file(self, below: &str, content: impl AsRef<[u8]>) -> Self {
        self.write(below, content);
        self
    }

    pub(crate) fn without(self, below: &str) -> Self {
        let path = self.path(below);
        if path.is_dir() {
            fs::remove_dir_all(path).expect("removed");
        } else {
            fs::remove_file(path).expect("removed");
        }
        self
    }

    pub(crate) fn meminfo(self, total_mib: u64, available_mib: Option<u64>) -> Self {
        let mut text = format!(
            "MemTotal: {} kB\nMemFree: 1048576 kB\nBuffers: 1024 kB\nCached: 204800 kB\n\
             Shmem: 1024 kB\nSwapTotal: 1048576 kB\nSwapFree: 524288 kB\n",
            total_mib * 1024
        );
        if let Some(mib) = available_mib {
            let _ = writeln!(text, "MemAvailable: {} kB", mib * 1024);
        }
        self.file("proc/meminfo", text)
    }

    pub(crate) fn pressure(self, some: f32, full: f32) -> Self {
        let text = format!(
            "some avg10={some:.2} avg60=0.10 avg300=0.01 total=1000\n\
             full avg10={full:.2} avg60=0.10 avg300=0.01 total=500\n"
        );
        self.file("proc/pressure/memory", text)
    }

    pub(crate) fn process(self, pid: u32, with: impl FnOnce(FakeProcess) -> FakeProcess) -> Self {
        self.set_process(pid, with);
        self
    }

    /// Makes the process, or writes its files again.
    pub(crate) fn set_process(&self, pid: u32, with: impl FnOnce(FakeProcess) -> FakeProcess) {
        with(FakeProcess::new(pid)).write(self);
    }

    pub(crate) fn end_process(&self, pid: u32) {
        fs::remove_dir_all(self.path(&format!("proc/{pid}"))).expect("removed");
    }

    /// A v2 group, `web.slice/db` without a leading slash.
    pub(crate) fn v2_group(self, path: &str, with: impl FnOnce(FakeGroup) -> FakeGroup) -> Self {
        let base = format!("sys/fs/cgroup/{path}");
        with(FakeGroup::v2()).write(&self, &base);
        self
    }

    /// A v1 group in the memory hierarchy.
    pub(crate) fn v1_group(self, path: &str, with: impl FnOnce(FakeGroup) -> FakeGroup) -> Self {
        let base = format!("sys/fs/cgroup/memory/{path}");
        with(FakeGroup::v1()).write(&self, &base);
        self
    }

    /// `proc/self` is this process.
    pub(crate) fn own(self, pid: u32) -> Self {
        std::os::unix::fs::symlink(pid.to_string(), self.path("proc/self")).expect("a link");
        self
    }
}

/// The files of one process.
#[derive(Debug, Clone)]
pub(crate) struct FakeProcess {
    pid: u32,
    comm: Vec<u8>,
    state: char,
    threads: u32,
    ppid: u32,
    flags: u64,
    start: u64,
    uid: u32,
    rss_kib: Option<u64>,
    stat_rss_pages: Option<u64>,
    swap_kib: u64,
    pte_kib: u64,
    adj: Option<i64>,
    score: Option<u32>,
    cgroup: String,
    cmdline: Vec<u8>,
}

impl FakeProcess {
    fn new(pid: u32) -> Self {
        Self {
            pid,
            comm: b"fake".to_vec(),
            state: 'S',
            threads: 3,
            ppid: 1,
            flags: 0x0040_0000,
            start: u64::from(pid) * 10,
            uid: 1000,
            rss_kib: Some(4096),
            stat_rss_pages: None,
            swap_kib: 0,
            pte_kib: 64,
            adj: Some(0),
            score: None,
            cgroup: "/".to_owned(),
            cmdline: b"/bin/fake\0--flag\0".to_vec(),
        }
    }

    /// The identity that the default start time gives.
    pub(crate) fn id(pid: u32) -> ProcessId {
        ProcessId {
            pid,
            start_ticks: u64::from(pid) * 10,
        }
    }

    pub(crate) fn comm(mut self, comm: impl AsRef<[u8]>) -> Self {
        self.comm = comm.as_ref().to_vec();
        self
    }

    pub(crate) fn uid(mut self, uid: u32) -> Self {
        self.uid = uid;
        self
    }

    pub(crate) fn parent(mut self, pid: u32) -> Self {
        self.ppid = pid;
        self
    }

    pub(crate) fn start(mut self, ticks: u64) -> Self {
        self.start = ticks;
        self
    }

    pub(crate) fn rss_mib(mut self, mib: u64) -> Self {
        self.rss_kib = Some(mib * 1024);
        self
    }

    /// Field 24 of stat where it differs from status.
    pub(crate) fn stat_rss_pages(mut self, pages: u64) -> Self {
        self.stat_rss_pages = Some(pages);
        self
    }

    pub(crate) fn swap_mib(mut self, mib: u64) -> Self {
        self.swap_kib = mib * 1024;
        self
    }

    pub(crate) fn adj(mut self, adj: i64) -> Self {
        self.adj = Some(adj);
        self
    }

    pub(crate) fn score(mut self, score: u32) -> Self {
        self.score = Some(score);
        self
    }

    /// As `/proc/PID/cgroup` prints it, with a leading slash.
    pub(crate) fn cgroup(mut self, path: &str) -> Self {
        path.clone_into(&mut self.cgroup);
        self
    }

    pub(crate) fn cmdline(mut self, bytes: impl AsRef<[u8]>) -> Self {
        self.cmdline = bytes.as_ref().to_vec();
        self
    }

    pub(crate) fn zombie(self) -> Self {
        let mut ended = self.dead_leader();
        ended.threads = 1;
        ended
    }

    /// The main thread has ended, the others live: `status` and `cmdline` show no memory.
    pub(crate) fn dead_leader(mut self) -> Self {
        self.state = 'Z';
        self.rss_kib = None;
        self.cmdline.clear();
        self
    }

    pub(crate) fn kernel_thread(mut self) -> Self {
        self.flags |= 0x0020_0000;
        self.rss_kib = None;
        self
    }

    fn write(&self, root: &FakeRoot) {
        let base = format!("proc/{}", self.pid);
        let page_kib = rustix::param::page_size() as u64 / 1024;
        let rss_kib = self.rss_kib.unwrap_or(0);
        let pages = self.stat_rss_pages.unwrap_or(rss_kib / page_kib);
        let mut stat = format!("{} (", self.pid).into_bytes();
        stat.extend(&self.comm);
        stat.extend(
            format!(
                ") {} {} 1 1 0 -1 {} 5 0 0 0 1 2 0 0 20 0 {} 0 {} 99999 {pages} 184467 1 1\n",
                self.state, self.ppid, self.flags, self.threads, self.start
            )
            .as_bytes(),
        );
        root.write(&format!("{base}/stat"), stat);
        let mut status = b"Name:\t".to_vec();
        status.extend(&self.comm);
        status.extend(format!("\nUid:\t{0}\t{0}\t{0}\t{0}\n", self.uid).as_bytes());
        if self.rss_kib.is_some() {
            status.extend(
                format!(
                    "VmRSS:\t{rss_kib} kB\nRssAnon:\t{rss_kib} kB\nRssFile:\t0 kB\nRssShmem:\t0 kB\n\
                     VmPTE:\t{} kB\nVmSwap:\t{} kB\n",
                    self.pte_kib, self.swap_kib
                )
                .as_bytes(),
            );
        }
        status.extend(format!("Threads:\t{}\n", self.threads).as_bytes());
        root.write(&format!("{base}/status"), status);
        if let Some(adj) = self.adj {
            root.write(&format!("{base}/oom_score_adj"), format!("{adj}\n"));
        }
        if let Some(score) = self.score {
            root.write(&format!("{base}/oom_score"), format!("{score}\n"));
        }
        root.write(&format!("{base}/cmdline"), &self.cmdline);
        let path = &self.cgroup;
        let lines = match root.layout {
            Layout::V1 => format!("4:memory:{path}\n3:cpu,cpuacct:/\n"),
            Layout::Hybrid => format!("9:name=systemd:/x\n4:memory:{path}\n0::/\n"),
            Layout::V2 => format!("0::{path}\n"),
            Layout::None => "9:name=systemd:/x\n".to_owned(),
        };
        root.write(&format!("{base}/cgroup"), lines);
    }
}

/// The files of one group.
#[derive(Debug, Clone)]
pub(crate) struct FakeGroup {
    files: Vec<(String, String)>,
    max: &'static str,
    current: &'static str,
}

impl FakeGroup {
    fn v2() -> Self {
        Self {
            files: vec![
                ("cgroup.procs".into(), String::new()),
                ("cgroup.controllers".into(), "memory\n".into()),
            ],
            max: "memory.max",
            current: "memory.current",
        }
        .max("max")
        .current(0)
    }

    fn v1() -> Self {
        Self {
            files: vec![("cgroup.procs".into(), String::new())],
            max: "memory.limit_in_bytes",
            current: "memory.usage_in_bytes",
        }
        .max("9223372036854771712")
        .current(0)
    }

    /// The limit, as the file prints it.
    pub(crate) fn max(self, text: &str) -> Self {
        let file = self.max;
        self.file(file, text)
    }

    pub(crate) fn current(self, bytes: u64) -> Self {
        let file = self.current;
        self.file(file, &bytes.to_string())
    }

    /// Any other file of the group.
    pub(crate) fn file(mut self, name: &str, text: &str) -> Self {
        self.files.retain(|(n, _)| n != name);
        self.files.push((name.to_owned(), format!("{text}\n")));
        self
    }

    fn write(&self, root: &FakeRoot, base: &str) {
        for (name, text) in &self.files {
            root.write(&format!("{base}/{name}"), text);
        }
    }
}
