//! [`BpfScan`]: loads the task walk, runs it, and turns its records into rows.

use std::fs::File;
use std::ops::Range;
use std::path::Path;

use super::btf::BtfError;
use super::calls::Begun;
use super::layout::{Layout, Way};
use super::loading::{Loaded, Loading, Tasks, is_nearly_full, with_room_to_grow};
use super::program::{ALL_PROCESSES, ALL_THREADS};
use super::record::{Threads, Units};
use super::refusal::Refusal;
use super::unlisted::Unlisted;
use crate::linux::ReadError;
use crate::linux::scan::proc::row::{RowReader, cpu_time};
use crate::linux::scan::{ProcessScan, ScanCount, ScanPass, ScanWants, with_room};
use crate::model::cgroup::CgroupVersion;
use crate::model::process::Process;

/// The kernel's type information.
pub(super) const TYPES: &str = "/sys/kernel/btf/vmlinux";

/// After the kernel has refused a larger array, it is asked again after this many walks.
const ASK_AGAIN: u32 = 8;

/// Walks the tasks inside the kernel.
#[derive(Debug)]
pub(crate) struct BpfScan {
    layout: Layout,
    loaded: Loaded,
    /// The program with a larger array, while the kernel checks it.
    larger: Option<Loading>,
    /// Walks before a larger array is asked for again.
    pause: u32,
    /// The next walk of `loaded`, where the kernel runs it and memory is short.
    begun: Option<Begun>,
    /// Tasks have waited for memory in the last seconds.
    pressed: bool,
    tick_nanos: u64,
    /// Reads what the records lack.
    files: RowReader,
    unlisted: Unlisted,
}

/// The records of one walk.
struct Walked {
    /// The indices of the records.
    records: Range<u32>,
    /// True if there are more processes than records.
    is_cut: bool,
    /// True if the first record is as old as [`BpfScan::prepare`].
    first_is_old: bool,
}

impl BpfScan {
    /// Assembles and loads the program, with room for more processes than exist. This can take long: call it on
    /// a thread that nobody waits for.
    ///
    /// # Errors
    /// Why the back end cannot be used; the caller then uses another one.
    pub(crate) fn open(
        files: RowReader,
        version: CgroupVersion,
        ticks_per_second: u64,
        processes: u32,
        way: Way,
    ) -> Result<Self, Refusal> {
        let room = with_room_to_grow(processes);
        Self::with_capacity(files, version, ticks_per_second, room, way)
    }

    fn with_capacity(
        files: RowReader,
        version: CgroupVersion,
        ticks_per_second: u64,
        capacity: u32,
        way: Way,
    ) -> Result<Self, Refusal> {
        const SECOND: u64 = 1_000_000_000;
        if ticks_per_second == 0 || !SECOND.is_multiple_of(ticks_per_second) {
            return Err(Refusal::NotHere("start times cannot be converted"));
        }
        let types = File::open(TYPES).map_err(BtfError::from)?;
        let layout = Layout::read(types, version, way)?;
        let loaded = Loaded::load(&layout, capacity)?;
        Ok(Self {
            layout,
            loaded,
            larger: None,
            pause: 0,
            begun: None,
            pressed: false,
            tick_nanos: SECOND / ticks_per_second,
            files,
            unlisted: Unlisted::default(),
        })
    }

    /// Runs the program once. Uses the larger array as soon as the kernel has accepted it, and asks for one long
    /// before this one is full: until then this one goes on.
    fn walk(&mut self, threads: bool) -> Result<Walked, Refusal> {
        match self.larger.as_ref().and_then(Loading::answer) {
            None => {}
            Some(Ok(loaded)) => {
                self.loaded = loaded;
                self.larger = None;
                self.begun = None;
            }
            Some(Err(_)) => {
                self.larger = None;
                self.pause = ASK_AGAIN;
            }
        }
        let capacity = self.loaded.array.capacity();
        let begun = self.begun.take();
        let first_is_old = begun.is_some();
        let written = match &self.loaded.tasks {
            Tasks::Walk(program) => {
                let mut input = [0, if threads { ALL_THREADS } else { ALL_PROCESSES }];
                0..program.run(&mut input).map_err(Refusal::of("task walk"))?
            }
            Tasks::Link(link) => {
                link.run(begun).map_err(Refusal::of("task walk"))?;
                let count = self.loaded.array.get(0).map_or(0, |counter| counter.pid);
                1..count.saturating_add(1)
            }
        };
        self.pause = self.pause.saturating_sub(1);
        if is_nearly_full(capacity, written.end) && self.larger.is_none() && self.pause == 0 {
            self.larger = Loading::start(&self.layout, with_room_to_grow(written.end)).ok();
            if self.larger.is_none() {
                self.pause = ASK_AGAIN;
            }
        }
        Ok(Walked {
            records: written.start..written.end.min(capacity),
            is_cut: written.end > capacity,
            first_is_old,
        })
    }
}

impl ProcessScan for BpfScan {
    fn name(&self) -> &'static str {
        match self.loaded.tasks {
            Tasks::Walk(_) => "bpf task walk",
            Tasks::Link(_) => "bpf task iterator",
        }
    }

    fn is_approximate(&self) -> bool {
        true
    }

    fn scan(
        &mut self,
        wants: &ScanWants,
        pass: &ScanPass<'_>,
        table: &mut Vec<Process>,
    ) -> Result<ScanCount, ReadError> {
        table.clear();
        self.pressed = pass.pressed;
        let walked = self.walk(pass.cpu).map_err(|refusal| {
            ReadError::new(
                Path::new("bpf"),
                "the process table",
                std::io::Error::other(refusal.to_string()),
                "use --backend proc",
            )
        })?;
        let units = Units {
            page_size: wants.page_size,
            tick_nanos: self.tick_nanos,
            global_init: wants.global_init,
        };
        let threads = match (&self.layout.cpu, &self.loaded.tasks) {
            (None, _) => Threads::Unknown,
            (Some(_), Tasks::Walk(_)) if pass.cpu => Threads::All,
            (Some(_), _) => Threads::Leaders,
        };
        with_room(table, walked.records.len());
        for record in walked
            .records
            .filter_map(|index| self.loaded.array.get(index))
        {
            let mut row = record.row(units);
            row.cpu = record.cpu(threads, pass.seq);
            if pass.cpu
                && row.cpu.is_none()
                && let Ok(Some(stat)) = self.files.stat(row.id.pid)
            {
                row.cpu = Some(cpu_time(&stat, pass.seq));
            }
            if record.is_leaderless() {
                self.files.living_thread(&mut row, wants);
            }
            table.push(row);
        }
        if walked.first_is_old
            && let Some(row) = table.first_mut()
            && let Ok(Some(fresh)) = self.files.row(row.id.pid, wants)
        {
            *row = fresh;
        }
        self.unlisted
            .complete(&mut self.files, wants, table, walked.is_cut);
        Ok(ScanCount {
            listed: u32::try_from(table.len()).unwrap_or(u32::MAX),
            ..ScanCount::default()
        })
    }

    fn prepare(&mut self) {
        if let (true, None, Tasks::Link(link)) = (self.pressed, &self.begun, &self.loaded.tasks) {
            self.begun = link.begin().ok();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::path::Path;
    use std::time::{Duration, Instant};

    use super::{BpfScan, Way};
    use crate::linux::kernel_file::open_dir;
    use crate::linux::scan::proc::row::RowReader;
    use crate::linux::scan::{ProcessScan, ScanPass, ScanWants};
    use crate::model::cgroup::CgroupVersion;
    use crate::model::kernel::RssSource;
    use crate::model::memory::Memory;

    #[expect(clippy::print_stderr, reason = "a test that is skipped says so")]
    #[test]
    fn an_array_that_is_too_small_loses_no_process_and_is_replaced_while_it_is_in_use() {
        let files = RowReader::new(open_dir(Path::new("/proc")).expect("/proc"));
        let ticks = rustix::param::clock_ticks_per_second();
        let opened = BpfScan::with_capacity(files, CgroupVersion::None, ticks, 3, Way::Cheapest);
        let mut scan = match opened {
            Ok(scan) => scan,
            Err(refusal) => return eprintln!("SKIPPED: no BPF back end here: {refusal}"),
        };
        let wants = ScanWants {
            rss: RssSource::Stat,
            page_size: 4096,
            global_init: false,
        };
        let pass = ScanPass {
            seq: 1,
            shown: &[],
            memory: &Memory::default(),
            pressed: false,
            cpu: true,
        };
        let mut table = Vec::new();
        let own = std::process::id();
        let begun = Instant::now();
        let mut rounds = 0;
        loop {
            scan.scan(&wants, &pass, &mut table).expect("a table");
            let pids: HashSet<_> = table.iter().map(|row| row.id.pid).collect();
            assert_eq!(pids.len(), table.len(), "a pid twice");
            let row = table.iter().find(|row| row.id.pid == own).expect("own row");
            assert!(row.memory.is_some_and(|memory| memory.rss > 0));
            assert!(table.len() > 3 && pids.contains(&1), "{}", table.len());
            rounds += 1;
            if scan.loaded.array.capacity() > 3 {
                break;
            }
            assert!(begun.elapsed() < Duration::from_mins(1), "no larger array");
            std::thread::sleep(Duration::from_millis(2));
        }
        assert!(rounds > 1, "the first walk has to do with the small one");
        assert!(scan.name().starts_with("bpf task "));
    }

    #[expect(clippy::print_stderr, reason = "a test that is skipped says so")]
    #[test]
    fn a_walk_that_was_begun_early_shows_what_is_true_now() {
        let files = RowReader::new(open_dir(Path::new("/proc")).expect("/proc"));
        let ticks = rustix::param::clock_ticks_per_second();
        let opened = BpfScan::with_capacity(files, CgroupVersion::None, ticks, 4096, Way::IsCalled);
        let mut scan = match opened {
            Ok(scan) => scan,
            Err(refusal) => return eprintln!("SKIPPED: no BPF iterator here: {refusal}"),
        };
        let wants = ScanWants {
            rss: RssSource::Stat,
            page_size: 4096,
            global_init: false,
        };
        let memory = Memory::default();
        let pass = |pressed| ScanPass {
            seq: 1,
            shown: &[],
            memory: &memory,
            pressed,
            cpu: false,
        };
        let mut table = Vec::new();
        scan.scan(&wants, &pass(false), &mut table)
            .expect("a table");
        scan.prepare();
        assert!(scan.begun.is_none(), "calm");
        let own = std::process::id();
        let mut child = None;
        for _ in 0..3 {
            scan.scan(&wants, &pass(true), &mut table).expect("a table");
            scan.prepare();
            assert!(scan.begun.is_some(), "short of memory");
            let visited = scan.loaded.array.get(0).map(|counter| counter.pid);
            assert_eq!(visited, Some(1), "it stands after the first");
            let rss = |table: &Vec<crate::model::process::Process>| {
                let row = table.iter().find(|row| row.id.pid == own);
                row.and_then(|row| row.memory).expect("own row").rss
            };
            let before = rss(&table);
            // What happens after the walk has begun.
            let kept = vec![1_u8; 64 << 20];
            let started = std::process::Command::new("sleep").arg("100").spawn();
            let started = started.expect("a child");
            let pid = started.id();
            if let Some(mut ended) = child.replace(started) {
                let _ = (std::process::Child::kill(&mut ended), ended.wait());
            }
            scan.scan(&wants, &pass(true), &mut table).expect("a table");
            assert!(scan.begun.is_none(), "it was used");
            let pids: HashSet<_> = table.iter().map(|row| row.id.pid).collect();
            assert_eq!(pids.len(), table.len(), "a pid twice");
            assert!(pids.contains(&1) && pids.contains(&own) && pids.contains(&pid));
            assert!(rss(&table) > before + (48 << 20) / 4096, "{before}");
            drop(kept);
        }
        if let Some(mut ended) = child {
            let _ = (ended.kill(), ended.wait());
        }
    }
}
