//! A machine of each cgroup version on which every field of the JSON document has a value.

use std::num::NonZeroU64;
use std::sync::Arc;
use std::time::Duration;

use oomtop::app::view::events::EventLog;
use oomtop::model::cgroup::{
    Cgroup, CgroupKey, CgroupPath, CgroupVersion, GroupEvents, GroupStat, Limits,
};
use oomtop::model::event_source::EventSource;
use oomtop::model::kernel::{
    KernelRules, KernelVersion, RssEvidence, RssSource, ScoreFormula, TieBreak,
};
use oomtop::model::killers::oom_policy::{OomPolicy, Unit};
use oomtop::model::killers::{
    Act, Amount, Base, Choice, Killer, Preference, Rule, RunningKiller, Share, Trigger,
};
use oomtop::model::ledger::{
    Account, Cache, Kind, Ledger, OpenFile, Segment, StoredFile, TmpfsMount,
};
use oomtop::model::memory::nodes::NodeSet;
use oomtop::model::oom_domain::victim::{DomainState, Scope, assess};
use oomtop::model::process::TaskState;
use oomtop::model::snapshot::{Host, Snapshot};
use oomtop::model::vm_settings::ZramUse;
use oomtop::oomlog::{Monotonic, OomEvent, TextLog};

use super::scene::{GIB, MIB, host as scene_host, id, process, snapshot as scene_snapshot};
use super::shop::group;

/// A log of a cgroup v2 machine: a group kill, a host out of memory, SysRq-f without a victim, and lines of two
/// programs that kill before the kernel does.
const LOG_V2: &str = include_str!("../fixtures/document/v2.log");
/// A log of an old kernel with cgroup v1 that ends in a panic.
const LOG_V1: &str = include_str!("../fixtures/document/v1.log");

/// A host of this cgroup version: 6.12 with v2, 4.14 with the others.
pub(crate) fn host(version: CgroupVersion) -> Host {
    let is_new = version == CgroupVersion::V2;
    let (major, minor) = if is_new { (6, 12) } else { (4, 14) };
    Host {
        release: format!("{major}.{minor}.9"),
        version: Some(KernelVersion { major, minor }),
        rules: KernelRules {
            score: if is_new {
                ScoreFormula::Scaled
            } else {
                ScoreFormula::Permille
            },
            rss: if is_new {
                RssSource::Status
            } else {
                RssSource::Stat
            },
            rss_evidence: RssEvidence {
                stat: 1,
                status: 40,
            },
            tie: if is_new {
                TieBreak::Later
            } else {
                TieBreak::Earlier
            },
            root_bonus: !is_new,
            page_size: 4096,
            rss_error: 64,
            swap_error: 32,
        },
        cgroups: version,
        own_adj: -100,
        own_pid: Some(4711),
        in_container: true,
        hidepid: true,
        ..scene_host()
    }
}

/// A sample of that host.
pub(crate) fn snapshot(version: CgroupVersion) -> Snapshot {
    let is_v1 = version.is_v1();
    let mut java = process(1892, "java", 900, 100, 2);
    java.command = Some("java -Xmx3g -jar /opt/shop/shop.jar".into());
    java.growth = Some(2.0 * 1_048_576.0);
    java.uid = 998;
    java.address_space = NonZeroU64::new(1);
    let mut twin = process(1894, "java-twin", 900, -1000, 2);
    twin.address_space = NonZeroU64::new(1);
    let mut worker = process(1893, "shop-worker", 900, 90, 2);
    worker.command_blocks = Some(12.0);
    let mut thread = process(2, "kthreadd", 0, 0, 0);
    (thread.kernel_thread, thread.memory) = (true, None);
    let mut unread = process(3333, "unread", 0, 0, 0);
    (unread.memory, unread.unreadable, unread.state) = (None, true, TaskState('D'));
    let processes = vec![java, twin, worker, thread, unread];
    let mut sample = scene_snapshot(9, processes);
    sample.memory.huge_pages = 64 * MIB;
    sample.memory.huge_free = 16 * MIB;
    sample.memory.anon = Some(3 * GIB);
    sample.skipped = 3;
    let mut groups = vec![
        group("/", None, 0, 0),
        group("/docker", Some(0), 2_048, 2_000),
        group(
            &format!("/docker/{}", "4f5e6d7c8b9a0123".repeat(4)),
            Some(1),
            3_584,
            1_900,
        ),
    ];
    for group in &mut groups[1..] {
        filled(group, is_v1);
    }
    sample.domains = assess(
        &sample.processes,
        &groups,
        &sample.memory,
        &KernelRules::default(),
    );
    let host = sample.domains.first().cloned().expect("the host");
    sample.domains.push(DomainState {
        throttles_only: false,
        dying: None,
        scope: Scope::Nodes(NodeSet::parse("0-1").expect("nodes")),
        limit: 4 * GIB,
        ..host
    });
    for domain in &mut sample.domains {
        if let Some(verdict) = &mut domain.verdict {
            verdict.close = true;
        }
    }
    sample.cgroups = Arc::new(groups);
    sample.own_limit = Some(Scope::Memcg(CgroupKey(2)));
    sample.memory.inactive_file = Some(3 * GIB);
    if !is_v1 {
        sample.units = Arc::new(vec![Unit {
            group: CgroupKey(2),
            policy: OomPolicy::Stop,
            main: None,
            adj: None,
            has_old_limit: false,
        }]);
    }
    let settings = Arc::make_mut(&mut sample.vm_settings);
    settings.swap_accounting = is_v1.then_some(true);
    for device in settings.swaps.iter_mut().flatten() {
        device.zram = ZramUse::parse("209715200 40000000 52428800");
    }
    sample.killers = Arc::new(killers());
    sample
}

/// The ledgers of the host and of its innermost group: shared memory of each sort, and what is not told.
pub(crate) fn accounts(snapshot: &Snapshot) -> Vec<Account> {
    let kinds = [
        (Kind::Private, Some(3 * GIB)),
        (Kind::Shmem, Some(GIB)),
        (Kind::PageCache, Some(GIB)),
        (Kind::SlabReclaimable, Some(100 * MIB)),
        (Kind::Sockets, None),
    ];
    let mut host = Account {
        ledger: Ledger::new(6 * GIB, kinds),
        mounts: vec![TmpfsMount {
            point: "/dev/shm".to_owned(),
            seen_by: Some(1892),
            used: 300 * MIB,
            limit: Some(4 * GIB),
            files: vec![StoredFile {
                name: "/model".to_owned(),
                bytes: 64 * MIB,
            }],
        }],
        segments: vec![Segment {
            id: 7,
            resident: 20 * MIB,
            swapped: MIB,
            attached: 0,
            uid: 998,
            creator: 1892,
            doomed: false,
        }],
        open: vec![OpenFile {
            name: "cache".to_owned(),
            bytes: 64 * MIB,
            held_by: 1892,
        }],
        caches: vec![Cache {
            name: "dentry".to_owned(),
            bytes: 30 * MIB,
            reclaimable: Some(true),
        }],
        gaps: vec!["some open memfds (too many descriptors)".to_owned()],
        looked_at_files: true,
        group: None,
    };
    host.divide_shared();
    let group = snapshot.cgroups.get(2).expect("the container");
    let own = Ledger::new(1_500 * MIB, kinds);
    let group = Account {
        group: Some(group.path.clone()),
        ledger: own,
        ..Account::default()
    };
    vec![host, group]
}

/// Every limit, counter and number that this version has.
fn filled(group: &mut Cgroup, is_v1: bool) {
    let max = group.limits.max;
    let counters = GroupEvents {
        max: Some(12),
        oom_kill: Some(4),
        ..GroupEvents::default()
    };
    group.swap_usage = Some(5 * MIB);
    group.stat = Some(GroupStat {
        inactive_file: 40 * MIB,
        active_file: 6 * MIB,
        unwritten: MIB,
        refaults: Some(12),
        slab_reclaimable: (!is_v1).then_some(MIB),
        kernel: is_v1.then_some(2 * MIB),
        anon: Some(1_200 * MIB),
        shmem: Some(300 * MIB),
        scanned: (!is_v1).then_some(400),
        stolen: (!is_v1).then_some(300),
    });
    if is_v1 {
        group.limits = Limits {
            max,
            soft: Some(900 * MIB),
            memsw_max: max.map(|max| max + GIB),
            swappiness: Some(10),
            kill_disabled: true,
            ..Limits::default()
        };
        group.events = GroupEvents {
            own_kills: Some(2),
            ..counters
        };
        (group.pressure, group.under_oom) = (None, true);
        return;
    }
    group.limits = Limits {
        max,
        high: Some(900 * MIB),
        low: Some(64 * MIB),
        min: Some(32 * MIB),
        swap_max: Some(GIB),
        oom_group: true,
        ..Limits::default()
    };
    group.events = GroupEvents {
        high: Some(7),
        oom: Some(3),
        own_oom: Some(2),
        oom_group_kill: Some(1),
        ..counters
    };
    if let Some(pressure) = &mut group.pressure {
        (pressure.some, pressure.full) = (4_210, 1_730);
    }
}

/// One of each kind of rule.
fn killers() -> Vec<RunningKiller> {
    let low = Trigger::Low {
        memory: Amount::Share(Share::percent(10)),
        swap: Amount::Lower(Share(50), MIB),
        needs_swap: true,
        base: Base::User,
    };
    let pressure = Trigger::Pressure {
        group: Some(CgroupPath::new("/user.slice")),
        measure: "full avg10",
        limit: Share(6_050),
        lasting: Duration::from_millis(1_500),
        memory: Some(Amount::Share(Share::percent(5))),
        needs_swap: true,
    };
    let zram = Trigger::Zram {
        limit: Amount::Bytes(GIB),
        memory: Some(Amount::Share(Share::percent(5))),
    };
    let ruleset = Trigger::Ruleset {
        name: "20-hot".to_owned(),
        group: CgroupPath::new("/user.slice"),
        pressure: Some(Share::percent(10)),
        swap_used: Some(Share::percent(80)),
        lasting: Duration::from_secs(2),
    };
    let expression = Trigger::Expression {
        trigger: "memory_full_avg10 > 30.0".to_owned(),
        ranking: "double(memory_current.orValue(0u))".to_owned(),
        by_class: true,
    };
    let eviction = Trigger::Eviction {
        limit: Amount::Bytes(100 * MIB),
        lasting: Duration::from_secs(90),
    };
    let rules = [
        (low, Act::Terminate),
        (pressure, Act::KillGroup),
        (zram, Act::Kill),
        (eviction, Act::Evict),
        (ruleset, Act::KillByReclaim),
        (expression, Act::KillGroup),
    ];
    vec![RunningKiller {
        killer: Killer::Nohang,
        id: id(640),
        rules: rules
            .into_iter()
            .map(|(when, act)| Rule { when, act })
            .collect(),
        choice: Choice::ScoreAndPatterns,
        unread: true,
        dry_run: true,
        source: "/etc/nohang/nohang.conf".to_owned(),
        notes: vec!["patterns of names are not evaluated".to_owned()],
        watched: vec![CgroupPath::new("/user.slice")],
        spared: vec![(CgroupPath::new("/user.slice"), Preference::Avoid)],
        not_for_swap: Vec::new(),
    }]
}

/// What the log of that host says, read by the parser.
pub(crate) fn events(version: CgroupVersion) -> EventLog {
    let text = if version.is_v1() { LOG_V1 } else { LOG_V2 };
    let (mut parser, mut found) = (TextLog::new(), Vec::new());
    parser.chunk(text.as_bytes(), &mut found);
    parser.finish(&mut found);
    found.push(OomEvent::Gap {
        at: Some(Monotonic(7_000_000)),
        lost: 18,
    });
    let mut log = EventLog::default();
    log.source = EventSource {
        name: "/dev/kmsg".to_owned(),
        missing: "older records were overwritten".to_owned(),
        caught_up: true,
        unheard: "the journal was not read".to_owned(),
        ..EventSource::default()
    };
    for event in found {
        log.accept(event, &[]);
    }
    log
}
