//! A database server short of memory, as a tree of files: `--root` shows the same picture everywhere.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

const PAGE: u64 = 4096;
const MIB: u64 = 1 << 20;

/// One process of the scene; sizes in MiB.
struct Actor {
    pid: u32,
    parent: u32,
    uid: u32,
    comm: &'static str,
    command: &'static str,
    anon: u64,
    file: u64,
    shmem: u64,
    swap: u64,
    adj: i32,
    group: &'static str,
    /// Growth per step in MiB.
    growth: u64,
}

const fn actor(
    pid: u32,
    parent: u32,
    uid: u32,
    comm: &'static str,
    command: &'static str,
) -> Actor {
    Actor {
        pid,
        parent,
        uid,
        comm,
        command,
        anon: 6,
        file: 9,
        shmem: 0,
        swap: 0,
        adj: 0,
        group: "/init.scope",
        growth: 0,
    }
}

#[rustfmt::skip]
const ACTORS: &[Actor] = &[
    Actor { adj: 0, ..actor(1, 0, 0, "systemd", "/sbin/init") },
    Actor { anon: 0, file: 0, ..actor(2, 0, 0, "kthreadd", "") },
    Actor { anon: 0, file: 0, ..actor(61, 2, 0, "kswapd0", "") },
    Actor { anon: 7, adj: -250, group: "/system.slice/systemd-journald.service", ..actor(312, 1, 0, "systemd-journal", "/lib/systemd/systemd-journald") },
    Actor { anon: 3, adj: -1000, group: "/system.slice/systemd-udevd.service", ..actor(338, 1, 0, "systemd-udevd", "/lib/systemd/systemd-udevd") },
    Actor { anon: 2, adj: -900, group: "/system.slice/dbus.service", ..actor(540, 1, 104, "dbus-daemon", "/usr/bin/dbus-daemon --system --nofork --nopidfile --systemd-activation --syslog-only") },
    Actor { anon: 2, adj: -1000, group: "/system.slice/ssh.service", ..actor(611, 1, 0, "sshd", "sshd: /usr/sbin/sshd -D [listener] 0 of 10-100 startups") },
    Actor { anon: 4, group: "/system.slice/cron.service", ..actor(622, 1, 0, "cron", "/usr/sbin/cron -f") },
    Actor { anon: 1, file: 1, group: "/system.slice/earlyoom.service", ..actor(640, 1, 0, "earlyoom", "/usr/bin/earlyoom -m 5 -s 10 -r 3600") },
    Actor { anon: 41, file: 32, adj: -999, group: "/system.slice/containerd.service", ..actor(701, 1, 0, "containerd", "/usr/bin/containerd") },
    Actor { anon: 2350, file: 26, shmem: 230, adj: -400, swap: 12, group: "/system.slice/postgresql.service", ..actor(956, 1, 106, "postgres", "postgres: checkpointer") },
    Actor { anon: 9310, file: 21, swap: 122, growth: 36, group: "/system.slice/mysql.service", ..actor(2456, 1, 107, "mysqld", "/usr/sbin/mysqld --daemonize --pid-file=/run/mysqld/mysqld.pid") },
    Actor { anon: 14, file: 12, adj: -150, group: "/system.slice/nginx.service", ..actor(1204, 1, 0, "nginx", "nginx: master process /usr/sbin/nginx -g daemon on;") },
    Actor { anon: 96, file: 14, adj: -150, group: "/system.slice/nginx.service", ..actor(1205, 1204, 33, "nginx", "nginx: worker process") },
    Actor { anon: 91, file: 14, adj: -150, group: "/system.slice/nginx.service", ..actor(1206, 1204, 33, "nginx", "nginx: worker process") },
    Actor { anon: 2890, file: 31, growth: 3, adj: 100, group: "/system.slice/shop.slice/shop-api.service", ..actor(1892, 1, 998, "java", "java -Xmx4g -XX:+ExitOnOutOfMemoryError -jar /opt/shop/api.jar --server.port=8080") },
    Actor { anon: 410, file: 18, group: "/system.slice/shop.slice/shop-cart.service", ..actor(1911, 1, 998, "node", "node /opt/shop/cart/server.js") },
    Actor { anon: 388, file: 18, growth: 1, group: "/system.slice/shop.slice/shop-cart.service", ..actor(1912, 1911, 998, "node", "node /opt/shop/cart/worker.js 1") },
    Actor { anon: 214, file: 22, group: "/system.slice/docker-4f1c9e7ab0d25c83e6f7a1b2c3d4e5f60718293a4b5c6d7e8f9001122334455a.scope", ..actor(2130, 701, 999, "redis-server", "redis-server *:6379") },
    Actor { anon: 164, file: 11, group: "/system.slice/prometheus.service", ..actor(2201, 1, 997, "prometheus", "/usr/bin/prometheus --storage.tsdb.retention.time=15d") },
    Actor { anon: 11, file: 6, group: "/user.slice/user-1000.slice/session-3.scope", ..actor(3010, 1, 1000, "bash", "-bash") },
    Actor { anon: 1260, file: 3, growth: 6, adj: 200, group: "/user.slice/user-1000.slice/session-3.scope", ..actor(3077, 3010, 1000, "loadtest", "./loadtest --users 500 --ramp 60s --target http://shop.local") },
    Actor { anon: 31, file: 9, group: "/user.slice/user-1000.slice/session-3.scope", ..actor(3102, 3010, 1000, "python3", "python3 -m http.server 8000") },
    Actor { anon: 55, file: 14, adj: 100, group: "/system.slice/backup.service", ..actor(3201, 1, 0, "restic", "restic backup /srv --exclude-caches") },
];

/// Groups with a limit: path, `memory.max` in MiB, kills so far.
const LIMITS: &[(&str, u64, u64)] = &[
    ("/system.slice/shop.slice", 4096, 1),
    ("/system.slice/shop.slice/shop-api.service", 3584, 1),
    ("/system.slice/backup.service", 512, 0),
    ("/system.slice/prometheus.service", 1024, 0),
];

/// The tree; removed when dropped.
pub(crate) struct SceneTree {
    dir: tempfile::TempDir,
    step: u64,
}

impl SceneTree {
    /// Writes the scene into a temporary directory.
    pub(crate) fn new() -> Self {
        let dir = tempfile::Builder::new()
            .prefix("oomtop-scene")
            .tempdir()
            .expect("a temporary directory");
        let mut tree = Self { dir, step: 0 };
        tree.fixed();
        tree.advance();
        tree
    }

    /// The directory for `--root`.
    pub(crate) fn root(&self) -> PathBuf {
        self.folder().join("host")
    }

    /// The directory in which [`Self::root`] is called `host`.
    pub(crate) fn folder(&self) -> &Path {
        self.dir.path()
    }

    fn put(&self, path: &str, text: &str) {
        let path: PathBuf = self.root().join(path);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a directory");
        // Rename a complete file into place: the program reads while the scene changes.
        let new = path.with_extension("new");
        fs::write(&new, text).expect("a file of the scene");
        fs::rename(new, path).expect("a file of the scene");
    }

    /// Advances the scene by one second: leaking processes grow.
    pub(crate) fn advance(&mut self) {
        self.step += 1;
        for actor in ACTORS {
            self.process(actor);
        }
        self.memory();
        self.groups();
    }

    fn fixed(&self) {
        self.put("proc/sys/kernel/osrelease", "6.12.9-amd64\n");
        self.put("proc/sys/kernel/hostname", "db-03\n");
        self.put(
            "proc/version",
            "Linux version 6.12.9-amd64 (build@db-03) #1 SMP\n",
        );
        self.put("proc/uptime", "1051640.12 4012311.70\n");
        self.put(
            "proc/swaps",
            "Filename\tType\tSize\tUsed\tPriority\n/dev/vda2 partition 8388604 137216 -2\n",
        );
        for (file, value) in [
            ("sys/kernel/panic", 0),
            ("sys/vm/panic_on_oom", 0),
            ("sys/vm/oom_kill_allocating_task", 0),
            ("sys/vm/oom_dump_tasks", 1),
            ("sys/vm/overcommit_memory", 0),
            ("sys/vm/overcommit_ratio", 50),
            ("sys/vm/overcommit_kbytes", 0),
            ("sys/vm/swappiness", 60),
            ("sys/vm/min_free_kbytes", 67_584),
            ("sys/vm/watermark_scale_factor", 10),
        ] {
            self.put(&format!("proc/{file}"), &format!("{value}\n"));
        }
        self.put("sys/module/zswap/parameters/enabled", "N\n");
        let mounts = "25 1 0:22 / /proc rw shared:1 - proc proc rw\n\
                      30 1 0:27 / /sys/fs/cgroup rw shared:2 - cgroup2 cgroup2 rw\n";
        self.put("proc/self/mountinfo", mounts);
        self.put(
            "proc/mounts",
            "proc /proc proc rw 0 0\ncgroup2 /sys/fs/cgroup cgroup2 rw 0 0\n",
        );
        self.put("etc/hostname", "db-03\n");
        let users = [
            ("root", 0),
            ("www-data", 33),
            ("messagebus", 104),
            ("postgres", 106),
            ("mysql", 107),
            ("prometheus", 997),
            ("shop", 998),
            ("redis", 999),
            ("anna", 1000),
        ];
        let passwd = users.iter().fold(String::new(), |mut all, (name, uid)| {
            writeln!(all, "{name}:x:{uid}:{uid}::/:/bin/sh").ok();
            all
        });
        self.put("etc/passwd", &passwd);
        self.put("dev/kmsg", &kernel_log());
    }

    fn process(&self, actor: &Actor) {
        let now = |mib: u64| mib * MIB / PAGE;
        let anon = now(actor.anon + actor.growth * self.step);
        let (file, shmem, swap) = (now(actor.file), now(actor.shmem), now(actor.swap));
        let rss = anon + file + shmem;
        let tables = rss / 490 + 12;
        let kernel = matches!(actor.pid, 2) || actor.parent == 2;
        let dir = format!("proc/{}", actor.pid);
        let (comm, pid, parent) = (actor.comm, actor.pid, actor.parent);
        let flags = if kernel { 0x0020_8040 } else { 0x0040_0100 };
        let start = 400 + u64::from(pid) * 37;
        let (vsize, rss_stat) = if kernel {
            (0, 0)
        } else {
            ((rss + 90_000) * PAGE, rss)
        };
        self.put(
            &format!("{dir}/stat"),
            &format!(
                "{pid} ({comm}) S {parent} {pid} {pid} 0 -1 {flags} 9 0 0 0 90 30 0 0 20 0 4 0 {start} {vsize} \
                 {rss_stat} 18446744073709551615 1 1 0 0 0 0 0 4096 81920 0 0 0 17 1 0 0 0 0 0 1 1 1 1 1 1 1 0\n"
            ),
        );
        self.put(
            &format!("{dir}/statm"),
            &format!("{} {rss_stat} {} 1 0 1 0\n", vsize / PAGE, file + shmem),
        );
        let uid = actor.uid;
        let mut status = format!(
            "Name:\t{comm}\nUmask:\t0022\nState:\tS (sleeping)\nTgid:\t{pid}\nNgid:\t0\nPid:\t{pid}\nPPid:\t{parent}\n\
             TracerPid:\t0\nUid:\t{uid}\t{uid}\t{uid}\t{uid}\nGid:\t{uid}\t{uid}\t{uid}\t{uid}\n"
        );
        if kernel {
            status.push_str("Kthread:\t1\nThreads:\t1\n");
        } else {
            let kb = |pages: u64| pages * 4;
            write!(
                status,
                "Kthread:\t0\nVmPeak:\t{0:8} kB\nVmSize:\t{0:8} kB\nVmRSS:\t{1:8} kB\nRssAnon:\t{2:8} kB\n\
                 RssFile:\t{3:8} kB\nRssShmem:\t{4:8} kB\nVmPTE:\t{5:8} kB\nVmSwap:\t{6:8} kB\nThreads:\t4\n",
                vsize / 1024, kb(rss), kb(anon), kb(file), kb(shmem), kb(tables), kb(swap)
            )
            .ok();
        }
        self.put(&format!("{dir}/status"), &status);
        self.put(&format!("{dir}/comm"), &format!("{comm}\n"));
        self.put(
            &format!("{dir}/cmdline"),
            &format!("{}\0", actor.command.replace(' ', "\0")).replace("\0\0", "\0"),
        );
        self.put(&format!("{dir}/oom_score_adj"), &format!("{}\n", actor.adj));
        self.put(
            &format!("{dir}/oom_adj"),
            &format!("{}\n", actor.adj * 17 / 1000),
        );
        self.put(&format!("{dir}/cgroup"), &format!("0::{}\n", actor.group));
        let total = i64::try_from((24_000 + 8_192) * MIB / PAGE).expect("fits");
        let charged = i64::try_from(rss + swap + tables).expect("fits");
        let badness = charged + i64::from(actor.adj) * (total / 1000);
        let alive = !(kernel || pid == 1 || actor.adj == -1000);
        let score = if alive {
            (1000 + badness * 1000 / total) * 2 / 3
        } else {
            0
        };
        self.put(&format!("{dir}/oom_score"), &format!("{}\n", score.max(0)));
    }

    fn memory(&self) {
        let leaked: u64 = ACTORS.iter().map(|a| a.growth).sum::<u64>() * self.step;
        let kb = |mib: u64| mib * 1024;
        let available = 5150_u64.saturating_sub(leaked);
        let mut text = String::new();
        for (name, mib) in [
            ("MemTotal", 24_000),
            ("MemFree", 610),
            ("MemAvailable", available),
            ("Buffers", 120),
            ("Cached", 5020_u64.saturating_sub(leaked)),
            ("SwapCached", 4),
            ("Active", 9000),
            ("Inactive", 11_000),
            ("Mlocked", 0),
            ("Unevictable", 0),
            ("SwapTotal", 8192),
            ("SwapFree", 8058),
            ("Dirty", 12),
            ("Writeback", 0),
            ("AnonPages", 17_600),
            ("Mapped", 420),
            ("Shmem", 262),
            ("KReclaimable", 510),
            ("Slab", 790),
            ("SReclaimable", 510),
            ("SUnreclaim", 280),
            ("KernelStack", 12),
            ("PageTables", 48),
            ("CommitLimit", 20_192),
            ("Committed_AS", 16_420),
        ] {
            writeln!(text, "{name}:{:>15} kB", kb(mib)).ok();
        }
        self.put("proc/meminfo", &text);
        let psi = "some avg10=2.31 avg60=1.18 avg300=0.42 total=48120031\n\
                   full avg10=0.40 avg60=0.21 avg300=0.08 total=9120443\n";
        self.put("proc/pressure/memory", psi);
        self.put("proc/vmstat", "nr_free_pages 156160\noom_kill 2\n");
        self.put("proc/loadavg", "2.31 1.90 1.44 3/412 3240\n");
    }

    fn groups(&self) {
        let mut paths: Vec<String> = vec![String::new()];
        for actor in ACTORS {
            let mut at = String::new();
            for part in actor.group.split('/').filter(|p| !p.is_empty()) {
                at = format!("{at}/{part}");
                if !paths.contains(&at) {
                    paths.push(at.clone());
                }
            }
        }
        for path in &paths {
            self.group(path);
        }
    }

    fn group(&self, path: &str) {
        let dir = format!("sys/fs/cgroup{path}");
        let all = "cpuset cpu io memory pids\n";
        self.put(&format!("{dir}/cgroup.controllers"), all);
        let inner = path.is_empty() || path.rsplit('.').next() == Some("slice");
        self.put(
            &format!("{dir}/cgroup.subtree_control"),
            if inner { "memory pids\n" } else { "\n" },
        );
        let inside = |a: &&Actor| a.group == path || a.group.starts_with(&format!("{path}/"));
        let procs = ACTORS
            .iter()
            .filter(|a| a.group == path)
            .fold(String::new(), |mut all, a| {
                writeln!(all, "{}", a.pid).ok();
                all
            });
        self.put(&format!("{dir}/cgroup.procs"), &procs);
        if path.is_empty() {
            return;
        }
        let used: u64 = ACTORS
            .iter()
            .filter(inside)
            .map(|a| a.anon + a.file + a.shmem + a.growth * self.step)
            .sum();
        let limit = LIMITS.iter().find(|(p, ..)| *p == path);
        let max = limit.map_or_else(|| "max".to_owned(), |(_, mib, _)| (mib * MIB).to_string());
        let kills = limit.map_or(0, |l| l.2);
        for (file, text) in [
            ("memory.current", (used * MIB).to_string()),
            ("memory.swap.current", "0".to_owned()),
            ("memory.max", max),
            ("memory.high", "max".to_owned()),
            ("memory.low", "0".to_owned()),
            ("memory.min", "0".to_owned()),
            ("memory.swap.max", "max".to_owned()),
            ("memory.oom.group", "0".to_owned()),
            ("memory.events", format!("low 0\nhigh 0\nmax {}\noom {kills}\noom_kill {kills}\noom_group_kill 0", kills * 31)),
            ("memory.events.local", format!("low 0\nhigh 0\nmax {}\noom {kills}\noom_kill {kills}\noom_group_kill 0", kills * 31)),
            ("memory.pressure", "some avg10=0.00 avg60=0.00 avg300=0.00 total=0\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=0".to_owned()),
            ("cgroup.type", "domain".to_owned()),
            ("cgroup.events", format!("populated {}\nfrozen 0", u8::from(!procs.is_empty()))),
        ] {
            self.put(&format!("{dir}/{file}"), &format!("{text}\n"));
        }
    }
}

/// Two recent kills as records of /dev/kmsg: level and facility, sequence number, microseconds since boot,
/// flags, then the text.
fn kernel_log() -> String {
    let clock = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    let now = u64::try_from(clock.tv_sec).expect("after boot") * 1_000_000;
    let mut out = String::new();
    for (n, (seconds_ago, line)) in LOG.iter().enumerate() {
        let at = now.saturating_sub(seconds_ago * 1_000_000) + n as u64;
        writeln!(out, "4,{},{at},-;{line}", 2101 + n).ok();
    }
    out
}

#[rustfmt::skip]
const LOG: &[(u64, &str)] = &[
    (254, "java invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=100"),
    (254, "memory: usage 3670016kB, limit 3670016kB, failcnt 814"),
    (254, "oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=/,mems_allowed=0,oom_memcg=/system.slice/shop.slice/shop-api.service,task_memcg=/system.slice/shop.slice/shop-api.service,task=java,pid=1716,uid=998"),
    (254, "Memory cgroup out of memory: Killed process 1716 (java) total-vm:6291456kB, anon-rss:3355443kB, file-rss:31744kB, shmem-rss:0kB, UID:998 pgtables:7012kB oom_score_adj:100"),
    (97, "nginx invoked oom-killer: gfp_mask=0x140cca(GFP_HIGHUSER_MOVABLE|__GFP_COMP), order=0, oom_score_adj=-150"),
    (97, "oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),cpuset=/,mems_allowed=0,global_oom,task_memcg=/user.slice/user-1000.slice/session-3.scope,task=loadtest,pid=2987,uid=1000"),
    (97, "Out of memory: Killed process 2987 (loadtest) total-vm:7340032kB, anon-rss:6442450kB, file-rss:2048kB, shmem-rss:0kB, UID:1000 pgtables:12804kB oom_score_adj:300"),
];
