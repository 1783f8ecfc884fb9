//! A simulated machine: a state with a known sample, driven by keys, drawn without a terminal.

use std::sync::Arc;

use oomtop::app::State;
use oomtop::app::input::key::Key;
use oomtop::app::msg::{Control, Effect, Msg, Reaction, WriteId};
use oomtop::app::settings::Settings;
use oomtop::app::update::update;
use oomtop::model::cgroup::{Cgroup, CgroupKey, CgroupPath, CgroupVersion};
use oomtop::model::event_source::EventSource;
use oomtop::model::kernel::KernelRules;
use oomtop::model::memory::{Memory, Pressure, Stall};
use oomtop::model::oom_domain::victim::assess;
use oomtop::model::process::score::OomScoreAdj;
use oomtop::model::process::{MemoryUse, Process, ProcessId, TaskState};
use oomtop::model::snapshot::{Host, KillCounters, Snapshot};
use oomtop::model::time::{Monotonic, Now, Wall};
use oomtop::model::vm_settings::{VmSettings, parse_swaps};
use oomtop::oomlog::{Constraint, Kill, OomEvent, OomReport, Outcome, ReportKey, Trigger};
use oomtop::ui::Screen;
use oomtop::ui::theme::Theme;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

pub(crate) const MIB: u64 = 1 << 20;
pub(crate) const GIB: u64 = 1 << 30;
/// The machine was booted this long before the scene begins.
const BOOT: u64 = 1_051_440;

/// A moment of the scene.
pub(crate) fn moment(second: u64) -> Now {
    Now {
        monotonic: Monotonic((BOOT + second) * 1_000_000),
        wall: Wall {
            unix_micros: 1_763_820_207_000_000 + i64::try_from(second).expect("small") * 1_000_000,
            ..Wall::default()
        },
        ..Now::default()
    }
}

pub(crate) fn id(pid: u32) -> ProcessId {
    ProcessId {
        pid,
        start_ticks: 1000 + u64::from(pid),
    }
}

/// One process of the scene.
pub(crate) fn process(pid: u32, comm: &str, mib: u64, adj: i64, cgroup: u32) -> Process {
    Process {
        id: id(pid),
        ppid: 1,
        uid: 0,
        comm: comm.into(),
        state: TaskState('S'),
        threads: 1,
        memory: Some(MemoryUse {
            rss: mib * 256,
            anon: mib * 240,
            file: mib * 16,
            shmem: 0,
            swap: 0,
            page_tables: mib / 2,
        }),
        adj: OomScoreAdj::new(adj),
        cgroup: Some(CgroupKey(cgroup)),
        growth: Some(0.0),
        ..Process::default()
    }
}

fn group(path: &str, parent: Option<u32>, max: Option<u64>, usage: u64) -> Cgroup {
    let mut group = Cgroup::unread(CgroupPath::new(path), parent.map(CgroupKey));
    group.limits.max = max;
    group.usage = Some(usage);
    group
}

/// The processes of the scene: a database server with a shop in a container.
pub(crate) fn processes() -> Vec<Process> {
    let mut mysqld = process(2456, "mysqld", 10_137, 0, 2);
    mysqld.uid = 113;
    mysqld.growth = Some(32.0 * 1_048_576.0);
    mysqld.command = Some("/usr/sbin/mysqld --daemonize --pid-file=/run/mysqld/mysqld.pid".into());
    let mut java = process(1892, "java", 3_100, 100, 4);
    java.uid = 998;
    java.growth = Some(2.0 * 1_048_576.0);
    java.command = Some("java -Xmx3g -jar /opt/shop/shop.jar".into());
    let mut worker = process(1893, "shop-worker", 300, 0, 4);
    worker.uid = 998;
    let mut postgres = process(956, "postgres", 2_500, -500, 3);
    postgres.uid = 114;
    let mut init = process(1, "systemd", 11, 0, 1);
    init.global_init = true;
    init.ppid = 0;
    let mut thread = process(2, "kthreadd", 0, 0, 0);
    (thread.kernel_thread, thread.memory, thread.ppid) = (true, None, 0);
    let mut escape = process(3333, "x", 40, 0, 1);
    escape.comm = "\u{1b}[31mred\u{7}".into();
    let mut zombie = process(3400, "defunct", 0, 0, 1);
    (zombie.state, zombie.memory, zombie.ppid) = (TaskState('Z'), None, 3333);
    let sshd = process(700, "sshd", 8, -1000, 1);
    let small =
        (0..24).map(|n| process(4000 + n, &format!("agent-{n:02}"), 30 - u64::from(n), 0, 1));
    [
        mysqld, java, worker, postgres, init, thread, escape, zombie, sshd,
    ]
    .into_iter()
    .chain(small)
    .collect()
}

/// The sample of one second of the scene.
pub(crate) fn snapshot(second: u64, processes: Vec<Process>) -> Snapshot {
    let memory = Memory {
        total: 24 * GIB,
        free: 900 * MIB,
        available: Some(6_900 * MIB - second.min(200) * 32 * MIB),
        cache: 5_200 * MIB,
        shmem: Some(300 * MIB),
        slab: Some(800 * MIB),
        anon: Some(16 * GIB),
        dirty: Some(12 * MIB),
        slab_reclaimable: Some(500 * MIB),
        swap_total: 8 * GIB,
        swap_free: 8 * GIB - 330 * MIB,
        swappiness: Some(60),
        committed: Some(26 * GIB),
        commit_limit: Some(32 * GIB),
        ..Memory::default()
    };
    let mut cgroups = vec![
        group("/", None, None, 0),
        group("/system.slice", Some(0), None, 14 * GIB),
        group("/system.slice/mysql.service", Some(1), None, 10 * GIB),
        group("/system.slice/postgresql.service", Some(1), None, 3 * GIB),
        group(
            &format!("/docker/{}", "4f5e6d7c8b9a0123".repeat(4)),
            Some(0),
            Some(3584 * MIB),
            3_400 * MIB,
        ),
    ];
    for group in &mut cgroups {
        group.read_seq = second + 1;
    }
    let domains = assess(&processes, &cgroups, &memory, &KernelRules::default());
    let stall = |avg10| Stall {
        avg10,
        avg60: avg10 / 2.0,
        avg300: 0.1,
        total: 1,
    };
    Snapshot {
        seq: second + 1,
        taken: moment(second),
        took_micros: 4_000,
        processes,
        memory,
        pressure: Some(Pressure {
            some: stall(2.3),
            full: stall(0.4),
        }),
        cgroups: Arc::new(cgroups),
        domains,
        users: Arc::new(
            [
                (0, "root".into()),
                (113, "mysql".into()),
                (114, "postgres".into()),
                (998, "tomcat".into()),
            ]
            .into(),
        ),
        vm_settings: Arc::new(vm_settings()),
        kills: KillCounters { host: Some(1) },
        backend: "proc",
        groups_backend: "files",
        ..Snapshot::default()
    }
}

/// Settings as most machines have them.
pub(crate) fn vm_settings() -> VmSettings {
    VmSettings {
        panic_on_oom: Some(0),
        panic_reboot: Some(0),
        kill_allocating_task: Some(0),
        dump_tasks: Some(1),
        overcommit_memory: Some(0),
        overcommit_ratio: Some(50),
        overcommit_kbytes: Some(0),
        swappiness: Some(60),
        min_free_kbytes: Some(67_584),
        watermark_scale_factor: Some(10),
        lru_min_ttl_ms: Some(0),
        bpf_oom_policy: Some(false),
        swaps: Some(parse_swaps(
            "Filename Type Size Used Priority\n/dev/vda2 partition 8388604 337920 -2\n",
        )),
        zswap: Some(false),
        swap_accounting: None,
    }
}

/// The host of the scene.
pub(crate) fn host() -> Host {
    Host {
        name: "web-03".to_owned(),
        release: "6.12.9".to_owned(),
        rules: KernelRules {
            rss_error: 64,
            ..KernelRules::default()
        },
        cgroups: CgroupVersion::V2,
        user: "root".to_owned(),
        may_lower_adj: true,
        ticks_per_second: 100,
        ..Host::default()
    }
}

/// A kill as the log would tell it.
pub(crate) fn kill_report(
    key: u64,
    second: u64,
    pid: u32,
    comm: &str,
    memcg: Option<&str>,
) -> OomReport {
    let at = Some(moment(second).monotonic);
    OomReport {
        key: ReportKey(key),
        at,
        has_header: true,
        trigger: Some(Trigger {
            comm: "nginx".to_owned(),
            pid: Some(812),
            order: Some(0),
            ..Trigger::default()
        }),
        constraint: Some(if memcg.is_some() {
            Constraint::Memcg
        } else {
            Constraint::None
        }),
        oom_memcg: memcg.map(str::to_owned),
        task_memcg: memcg.map(str::to_owned),
        limit_kb: memcg.map(|_| 3_670_016),
        usage_kb: memcg.map(|_| 3_670_000),
        kills: vec![Kill {
            pid,
            comm: comm.to_owned(),
            at,
            uid: Some(998),
            anon_rss_kb: Some(3_355_443),
            file_rss_kb: Some(10_000),
            shmem_rss_kb: Some(0),
            pgtables_kb: Some(6_600),
            total_vm_kb: Some(9_000_000),
            adj: Some(0),
            lines: 1,
            ..Kill::default()
        }],
        outcome: Outcome::Killed,
        ..OomReport::default()
    }
}

/// A state and the effects it asked for.
pub(crate) struct Scene {
    pub(crate) state: State,
    pub(crate) effects: Vec<Effect>,
    /// The last request to the loop.
    pub(crate) control: Option<Control>,
    /// The id of the last requested write.
    pub(crate) write: WriteId,
    second: u64,
}

impl Scene {
    /// Two samples have been taken, the log holds two kills.
    pub(crate) fn new(width: u16, height: u16) -> Self {
        Self::with(width, height, Settings::default(), host())
    }

    pub(crate) fn with(width: u16, height: u16, settings: Settings, host: Host) -> Self {
        let state = State::new(settings, host, (width, height), moment(0));
        let mut scene = Self {
            state,
            effects: Vec::new(),
            control: None,
            write: WriteId::default(),
            second: 0,
        };
        let source = |caught_up| {
            Msg::Source(EventSource {
                name: "/dev/kmsg".to_owned(),
                missing: String::new(),
                caught_up,
                ..EventSource::default()
            })
        };
        scene.tell(source(false));
        let report = kill_report(1, 0, 2211, "stress", None);
        let mut old = OomReport {
            at: Some(Monotonic((BOOT - 400) * 1_000_000)),
            ..report
        };
        old.kills[0].at = old.at;
        scene.tell(Msg::Oom(OomEvent::Report(Arc::new(old))));
        scene.tell(source(true));
        scene.sample(processes());
        scene.sample(processes());
        scene.effects.clear();
        scene
    }

    /// Feeds one message to `update`.
    pub(crate) fn tell(&mut self, msg: Msg) -> &mut Self {
        let Reaction { effects, control } = update(&mut self.state, msg);
        for effect in &effects {
            if let Effect::Write { id, .. } = effect {
                self.write = *id;
            }
        }
        self.effects.extend(effects);
        self.control = control.or(self.control);
        self
    }

    /// A second later there is a sample with these processes.
    pub(crate) fn sample(&mut self, processes: Vec<Process>) -> &mut Self {
        self.second += 1;
        self.tell(Msg::Tick(moment(self.second)));
        self.tell(Msg::Sampled(Arc::new(snapshot(self.second, processes))))
    }

    /// Keys by name, separated by blanks: `a Down Enter`.
    pub(crate) fn keys(&mut self, keys: &str) -> &mut Self {
        for name in keys.split_whitespace() {
            let key: Key = name.parse().unwrap_or_else(|e| panic!("{e}"));
            self.tell(Msg::Key(key));
        }
        self
    }

    /// Types a text, letter by letter.
    pub(crate) fn types(&mut self, text: &str) -> &mut Self {
        for c in text.chars() {
            self.tell(Msg::Key(Key::plain(crossterm::event::KeyCode::Char(c))));
        }
        self
    }

    /// Effects requested since the last call, without requests for samples.
    pub(crate) fn asked(&mut self) -> Vec<Effect> {
        let effects = std::mem::take(&mut self.effects);
        effects
            .into_iter()
            .filter(|e| !matches!(e, Effect::Sample(_) | Effect::Attend(_)))
            .filter(|e| !matches!(e, Effect::Hold(_) | Effect::HoldGroups(_)))
            .collect()
    }

    /// The screen as a buffer.
    pub(crate) fn buffer(&self, theme: &Theme) -> Buffer {
        let (width, height) = self.state.size;
        let area = Rect::new(0, 0, width, height);
        let mut buffer = Buffer::empty(area);
        Screen {
            state: &self.state,
            theme,
        }
        .draw(area, &mut buffer);
        buffer
    }

    /// The screen as text.
    pub(crate) fn text(&self) -> String {
        let buffer = self.buffer(&Theme::mono());
        let width = usize::from(buffer.area.width.max(1));
        let lines: Vec<String> = buffer
            .content()
            .chunks(width)
            .map(|row| {
                let row = row.iter().map(ratatui::buffer::Cell::symbol);
                row.collect::<String>().trim_end().to_owned()
            })
            .collect();
        lines.join("\n")
    }

    /// Pid of the selected row.
    pub(crate) fn selected(&self) -> Option<u32> {
        self.state.table.selected().map(|id| id.pid)
    }
}
