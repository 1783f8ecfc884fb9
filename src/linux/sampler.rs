//! [`Sampler`]: takes samples of processes, memory and cgroups.
//!
//! A sampler belongs to one thread, with its buffers and caches. A process or group that cannot be read is
//! missing from the sample; only a `/proc` that cannot be listed is an error.

mod outcome;

use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::model::cgroup::kernel_memory::Seen;
use crate::model::memory::Pressure;
use crate::model::snapshot::{Host, KillCounters, Needs, Snapshot};
use crate::model::time::{Monotonic, Now};

use super::blast::BlastWatch;
use super::helper::thread_time;
use super::host::Facts;
use super::kernel_file::{self, FileBuffer};
use super::killers::KillerWatch;
use super::scan::{ProcessScan, ScanPass, ScanWants};
use super::snapshot_pool::SnapshotPool;
use super::{ReadError, SysRoot};
use crate::linux::assess::{Assessor, Unassessed};
use crate::linux::cgroup::hierarchy::Hierarchy;
use crate::linux::cgroup::own_group::OwnGroup;
use crate::linux::cgroup::table::{CYCLE, CgroupTable, Round};
use crate::linux::frozen;
use crate::linux::host::own_cost::OwnMeter;
use crate::linux::host::users::Users;
use crate::linux::host::vm_settings::SettingsReader;
use crate::linux::host::{meminfo, probe};
use crate::linux::scan::backend::{Backend, BackendChoice};
use crate::linux::scan::bpf::GroupScan;
use crate::linux::scan::history::{ProcessHistory, Sampling};
use crate::linux::scan::{detail::Details, wchan};
use crate::linux::urgent;

/// The slots of removed cgroups are freed once in this many samples.
const COLLECT: u64 = 64;

/// A rise of the host's memory by more bytes than this between two samples may be a group that fills.
const GROWS: u64 = 4 << 20;

/// A sample is believed to be looked at for at least this long, and at most.
const LEAST_AGE: Duration = Duration::from_secs(1);
const MOST_AGE: Duration = Duration::from_secs(5);

/// Takes samples. Keeps state from one sample to the next: cgroup keys, command lines, growth.
pub struct Sampler {
    root: SysRoot,
    host: Host,
    wants: ScanWants,
    /// Error of the swapped pages of a row that was read from files.
    file_swap_error: u64,
    proc: OwnedFd,
    hierarchy: Hierarchy,
    backend: Backend,
    history: ProcessHistory,
    details: Details,
    assessor: Assessor,
    cgroups: CgroupTable,
    group_scan: GroupScan,
    own_group: OwnGroup,
    users: Users,
    own_meter: OwnMeter,
    settings: SettingsReader,
    killers: KillerWatch,
    blast: BlastWatch,
    /// The host's counter of kills in the previous sample.
    kills: Option<u64>,
    /// Bytes that nobody can drop, in the previous sample.
    held: Option<u64>,
    /// Microseconds that the host's tasks had waited for memory, in the previous sample.
    stalled: Option<u64>,
    buffer: FileBuffer,
    snapshots: SnapshotPool,
    /// When the sample before was taken.
    taken: Option<Monotonic>,
    /// Microseconds of a processor that [`Self::prepare`] has cost.
    prepared: u64,
    seq: u64,
}

impl std::fmt::Debug for Sampler {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sampler")
            .field("root", &self.root)
            .field("backend", &self.backend.name())
            .field("seq", &self.seq)
            .finish_non_exhaustive()
    }
}

impl Sampler {
    /// Determines the facts about the host and prepares the first sample. Reads a few processes to learn the
    /// scale of `oom_score`.
    ///
    /// # Errors
    /// If the procfs directory cannot be listed or has no usable `meminfo`.
    pub fn new(root: SysRoot) -> Result<Self, ReadError> {
        Self::with_backend(root, BackendChoice::Auto)
    }

    /// As [`Self::new`], with the given back end.
    ///
    /// # Errors
    /// As [`Self::new`], and if that back end cannot be used here.
    pub fn with_backend(root: SysRoot, choice: BackendChoice) -> Result<Self, ReadError> {
        let hierarchy = Hierarchy::detect(&root);
        let backend = Backend::choose(&root, hierarchy.version, choice)?;
        let group_scan = GroupScan::new(&root, choice.group_walk());
        Self::start(root, hierarchy, backend, group_scan)
    }

    /// As [`Self::new`], with the given scan of the process table.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn with_scan(root: SysRoot, scan: Box<dyn ProcessScan>) -> Result<Self, ReadError> {
        let hierarchy = Hierarchy::detect(&root);
        let backend = Backend::from_scan(&root, scan);
        let group_scan = GroupScan::new(&root, None);
        Self::start(root, hierarchy, backend, group_scan)
    }

    fn start(
        root: SysRoot,
        hierarchy: Hierarchy,
        backend: Backend,
        group_scan: GroupScan,
    ) -> Result<Self, ReadError> {
        let proc = kernel_file::open_dir(&root.proc).map_err(|errno| {
            ReadError::new(
                &root.proc,
                "the process table",
                errno,
                "give the place of procfs with --proc",
            )
        })?;
        let mut buffer = FileBuffer::default();
        let memory = meminfo::read(&root, &proc, &mut buffer)?;
        let mut users = Users::new(&root.proc);
        let mut facts = Facts::new(&proc);
        let mut host = facts.host(&root, hierarchy.version, &mut users);
        let page_size = host.rules.page_size;
        let assessor = Assessor::new(&root, &proc, facts.cpus());
        let (wants, file_swap_error) = probe::learn(&mut facts, &root, &mut host, &memory);
        host.rules.swap_error = swap_error(&backend, file_swap_error);
        let mut cgroups = CgroupTable::new(page_size);
        let mut own_group = OwnGroup::default();
        own_group.find(&proc, &mut buffer, &hierarchy, &mut cgroups);
        let round = Round {
            seq: 0,
            shown: &[],
            pressed: false,
            grows: false,
            killed: false,
            counted: None,
        };
        cgroups.refresh(&hierarchy, &round);
        host.in_container = own_group.limit(&cgroups.groups(), &memory).is_some();
        Ok(Self {
            group_scan,
            root,
            host,
            wants,
            file_swap_error,
            proc,
            hierarchy,
            backend,
            history: ProcessHistory::default(),
            details: Details::default(),
            assessor,
            cgroups,
            own_group,
            users,
            own_meter: OwnMeter::default(),
            settings: SettingsReader::default(),
            killers: KillerWatch::default(),
            blast: BlastWatch::default(),
            held: None,
            stalled: None,
            kills: None,
            buffer,
            snapshots: SnapshotPool::default(),
            taken: None,
            prepared: 0,
            seq: 0,
        })
    }

    /// The facts found at start.
    #[must_use]
    pub fn host(&self) -> &Host {
        &self.host
    }

    /// Takes one sample. `now` is the time at its start, by the caller's clock.
    ///
    /// Reuses the memory of snapshots that the receiver has dropped.
    ///
    /// # Errors
    /// If `/proc` cannot be listed, or `meminfo` not read. The next call may succeed.
    pub fn sample(&mut self, needs: &Needs, now: Now) -> Result<Arc<Snapshot>, ReadError> {
        let (begin, spent) = (Instant::now(), thread_time());
        let mut snapshot = self.snapshots.take();
        // `take` returns an unshared snapshot: nothing is copied.
        let fresh = Arc::make_mut(&mut snapshot);
        self.fill(fresh, needs, now)?;
        fresh.took_micros = u64::try_from(begin.elapsed().as_micros()).unwrap_or(u64::MAX);
        fresh.spent_micros = thread_time().saturating_sub(spent)
            + self.group_scan.spent()
            + std::mem::take(&mut self.prepared);
        self.snapshots.remember(&snapshot);
        Ok(snapshot)
    }

    /// Does what the next sample would wait for. Call this when the last sample is on its way.
    pub fn prepare(&mut self) {
        let spent = thread_time();
        self.backend.prepare();
        self.prepared = thread_time().saturating_sub(spent);
    }

    fn fill(&mut self, snapshot: &mut Snapshot, needs: &Needs, now: Now) -> Result<(), ReadError> {
        // Release the shared tables first, so that changing them needs no copy.
        snapshot.cgroups = Arc::default();
        snapshot.users = Arc::default();
        let memory = meminfo::read(&self.root, &self.proc, &mut self.buffer)?;
        let pressure = meminfo::pressure(&self.proc, &mut self.buffer);
        self.seq += 1;
        let pass = ScanPass {
            seq: self.seq,
            shown: &needs.visible,
            memory: &memory,
            pressed: pressure.is_some_and(|p| p.some.avg10 > 0.0),
            cpu: needs.cpu,
        };
        self.group_scan.begin(self.cgroups.len());
        let count = self
            .backend
            .scan(&self.wants, &pass, &mut snapshot.processes)?;
        // The back end may be another one from now on.
        self.host.rules.swap_error = swap_error(&self.backend, self.file_swap_error);
        self.complete(snapshot, needs, now);
        if self.seq.is_multiple_of(CYCLE) {
            // Somebody may have moved oomtop.
            self.own_group.find(
                &self.proc,
                &mut self.buffer,
                &self.hierarchy,
                &mut self.cgroups,
            );
        }
        if self.seq.is_multiple_of(COLLECT) {
            let used = snapshot
                .processes
                .iter()
                .filter_map(|process| process.cgroup);
            self.cgroups.collect(used.chain(self.own_group.key()));
        }
        let (kills, reclaim) = meminfo::vmstat(&self.proc, &mut self.buffer);
        let held = meminfo::held(&memory);
        let grows = self.held.is_some_and(|before| held > before + GROWS);
        self.held = Some(held);
        self.read_groups(needs, pressure, kills, grows);
        if self.hierarchy.version.is_v1() {
            let page_size = self.host.rules.page_size;
            let own = self.own_group.key().map_or(Seen::Nowhere, Seen::Below);
            let seen = match (self.host.hidepid, self.wants.global_init) {
                (true, _) => Seen::Nowhere,
                (false, true) => Seen::All,
                (false, false) => own,
            };
            let processes = &snapshot.processes;
            self.cgroups.estimate(processes, &memory, (page_size, seen));
        }
        let cgroups = self.cgroups.groups();
        snapshot.seq = self.seq;
        snapshot.taken = now;
        snapshot.memory = memory;
        snapshot.pressure = pressure;
        snapshot.kills = KillCounters { host: kills };
        snapshot.reclaim = reclaim;
        snapshot.waiting = wchan::read(&self.proc, &mut self.buffer, &needs.waiting);
        let sample = Unassessed {
            proc: &self.proc,
            hierarchy: &self.hierarchy,
            rules: &self.host.rules,
            seq: self.seq,
            cgroups: &cgroups,
            memory: &snapshot.memory,
            shown: self.history.shown_rows(),
            age: self.age(now.monotonic),
            is_approximate: self.backend.is_approximate(),
        };
        (snapshot.domains, snapshot.nodes) = self.assessor.assess(&sample, &mut snapshot.processes);
        self.taken = Some(now.monotonic);
        snapshot.own_limit = self.own_group.limit(&cgroups, &memory);
        self.outcome(snapshot, &cgroups, now.monotonic, needs);
        snapshot.cgroups = cgroups;
        snapshot.users = self.users.names();
        snapshot.detail = needs.detail.and_then(|id| {
            self.details
                .read((&self.root, &self.proc), id, &self.host.rules, &needs.rules)
        });
        snapshot.frozen = frozen::states(&self.root, &self.hierarchy, needs);
        snapshot.own_cost = self.host.own_pid.and_then(|_| {
            let page_size = self.host.rules.page_size;
            self.own_meter.read(&self.proc, &mut self.buffer, page_size)
        });
        snapshot.skipped = count.skipped();
        snapshot.backend = self.backend.name();
        snapshot.backend_note = self.backend.note().cloned();
        snapshot.groups_backend = self.group_scan.name();
        snapshot.groups_note = self.group_scan.note().cloned();
        Ok(())
    }

    /// Largest error of the memory of a row that is neither on the screen nor near the first of an OOM
    /// domain, in pages; 0 if all rows have the numbers of badness.
    #[must_use]
    pub fn unshown_error(&self) -> u64 {
        let is_approximate = self.backend.is_approximate();
        self.assessor
            .unshown_error(&self.host.rules, is_approximate)
    }

    /// How old this sample may become before there is another: as long as the last one did.
    fn age(&self, now: Monotonic) -> Duration {
        let last = self.taken.map(|before| now.since(before));
        last.unwrap_or_default().clamp(LEAST_AGE, MOST_AGE)
    }

    fn read_groups(
        &mut self,
        needs: &Needs,
        pressure: Option<Pressure>,
        kills: Option<u64>,
        grows: bool,
    ) {
        let mut shown: Vec<usize> = needs.groups.iter().map(|key| key.index()).collect();
        shown.sort_unstable();
        // The host's total also counts the stalls of a cgroup at its limit (mm/memcontrol.c
        // `psi_memstall_enter`). While the total does not change, no group stalls.
        let stalled = pressure.map(|p| p.some.total);
        let before = std::mem::replace(&mut self.stalled, stalled);
        let pressed = stalled != before;
        let killed = self.kills.is_some_and(|before| kills > Some(before));
        urgent::OWN.sampled(killed, before, stalled);
        self.cgroups.discover(&self.hierarchy, self.seq);
        let round = Round {
            seq: self.seq,
            shown: &shown,
            pressed,
            grows,
            killed,
            counted: self.group_scan.finish(),
        };
        self.kills = kills;
        self.cgroups.refresh(&self.hierarchy, &round);
    }

    fn complete(&mut self, snapshot: &mut Snapshot, needs: &Needs, now: Now) {
        let sampling = Sampling {
            proc: &self.proc,
            hierarchy: &self.hierarchy,
            seq: self.seq,
            at: now.monotonic,
            boot: now.boot(),
            ticks: self.host.ticks_per_second,
            page_size: self.host.rules.page_size,
        };
        self.history.complete(
            &sampling,
            needs,
            &mut self.cgroups,
            &mut self.users,
            &mut snapshot.processes,
        );
    }
}

/// The walk reads the very counters of badness; files may not show them.
fn swap_error(backend: &Backend, of_files: u64) -> u64 {
    if backend.is_approximate() {
        0
    } else {
        of_files
    }
}
