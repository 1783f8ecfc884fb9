//! [`BackendChoice`], and the back end in use: chosen at start, replaced by plain `/proc` while it fails.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::linux::scan::bpf::{BpfScan, Refusal, Way, usable};
use crate::linux::scan::preferred::Preferred;
use crate::linux::scan::proc::ProcScan;
use crate::linux::scan::proc::row::RowReader;
use crate::linux::scan::{ProcessScan, ScanCount, ScanPass, ScanWants};
use crate::linux::{ReadError, SysRoot};
use crate::model::cgroup::CgroupVersion;
use crate::model::process::Process;

/// The back end that the user asked for (`--backend`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum BackendChoice {
    /// The cheapest that works here.
    #[default]
    Auto,
    /// The BPF task walk, or the BPF iterator where the kernel has no walk; an error if neither works.
    Bpf,
    /// The BPF task iterator (5.8 and later), even where the kernel has the walk; an error if it does not
    /// work.
    BpfIterator,
    /// Plain `/proc`; idle processes are read less often.
    Proc,
    /// Plain `/proc`; every process is read in every sample.
    ProcAll,
}

impl BackendChoice {
    /// How memory cgroups are walked, and whether a sample waits until the program for it is loaded; `None` to read
    /// files alone.
    pub(crate) fn group_walk(self) -> Option<(Way, bool)> {
        match self {
            Self::Auto => Some((Way::Cheapest, false)),
            Self::Bpf => Some((Way::Cheapest, true)),
            Self::BpfIterator => Some((Way::IsCalled, true)),
            Self::Proc | Self::ProcAll => None,
        }
    }
}

/// How long the start waits for the kernel to check the BPF program.
const PATIENCE: Duration = Duration::from_secs(2);

/// The back end in use.
pub(crate) struct Backend {
    proc: PathBuf,
    scan: Box<dyn ProcessScan>,
    /// `None` if no other back end would be better than `scan`.
    preferred: Option<Preferred>,
    note: Option<Arc<str>>,
}

impl Backend {
    /// # Errors
    /// If the requested back end cannot be used, or not even `/proc`.
    pub(crate) fn choose(
        root: &SysRoot,
        version: CgroupVersion,
        choice: BackendChoice,
    ) -> Result<Self, ReadError> {
        let way = match choice {
            BackendChoice::Auto | BackendChoice::Bpf => Some(Way::Cheapest),
            BackendChoice::BpfIterator => Some(Way::IsCalled),
            BackendChoice::Proc | BackendChoice::ProcAll => None,
        };
        let Some(way) = way else {
            let scan = ProcScan::open(root.proc.clone(), choice == BackendChoice::ProcAll)?;
            let note = "the BPF task walk is not used: --backend says so";
            return Ok(Self {
                note: Some(note.into()),
                ..Self::from_scan(root, Box::new(scan))
            });
        };
        let of = root.clone();
        let mut preferred = Preferred::new(move || {
            open_bpf(&of, version, way).map(|scan| Box::new(scan) as Box<dyn ProcessScan>)
        });
        let refusal = match preferred.first(PATIENCE) {
            Ok(scan) => {
                return Ok(Self {
                    preferred: Some(preferred),
                    ..Self::from_scan(root, scan)
                });
            }
            Err(refusal) if choice != BackendChoice::Auto => {
                return Err(ReadError::new(
                    Path::new("bpf"),
                    "the process table",
                    std::io::Error::other(refusal.to_string()),
                    "leave out --backend bpf to read /proc instead",
                ));
            }
            Err(refusal) => refusal,
        };
        let scan = ProcScan::open(root.proc.clone(), false)?;
        let note = format!("the BPF task walk is not used: {refusal}");
        Ok(Self {
            note: Some(note.into()),
            preferred: refusal.may_pass().then_some(preferred),
            ..Self::from_scan(root, Box::new(scan))
        })
    }

    /// Uses this scan, without a fallback.
    pub(crate) fn from_scan(root: &SysRoot, scan: Box<dyn ProcessScan>) -> Self {
        Self {
            proc: root.proc.clone(),
            scan,
            preferred: None,
            note: None,
        }
    }

    /// The short name of the back end.
    pub(crate) fn name(&self) -> &'static str {
        self.scan.name()
    }

    /// See [`ProcessScan::is_approximate`].
    pub(crate) fn is_approximate(&self) -> bool {
        self.scan.is_approximate()
    }

    /// Why the back end is not the cheapest one.
    pub(crate) fn note(&self) -> Option<&Arc<str>> {
        self.note.as_ref()
    }

    /// As [`ProcessScan::scan`]. Switches to `/proc` if the back end fails, and back as soon as it works again.
    pub(crate) fn scan(
        &mut self,
        wants: &ScanWants,
        pass: &ScanPass<'_>,
        table: &mut Vec<Process>,
    ) -> Result<ScanCount, ReadError> {
        match self.preferred.as_mut().and_then(Preferred::again) {
            None => {}
            Some(Ok(scan)) => {
                self.scan = scan;
                self.note = None;
            }
            Some(Err(refusal)) => {
                let note = format!("the BPF task walk is not used: {refusal}");
                self.note = Some(note.into());
                if !refusal.may_pass() {
                    self.preferred = None;
                }
            }
        }
        match (self.scan.scan(wants, pass, table), &mut self.preferred) {
            (Err(error), Some(preferred)) if preferred.is_in_use() => {
                preferred.has_failed();
                self.scan = Box::new(ProcScan::open(self.proc.clone(), false)?);
                let note = format!(
                    "the BPF task walk has failed and is tried again: {}",
                    error.source
                );
                self.note = Some(note.into());
                self.scan.scan(wants, pass, table)
            }
            (result, _) => result,
        }
    }

    /// See [`ProcessScan::prepare`].
    pub(crate) fn prepare(&mut self) {
        self.scan.prepare();
    }
}

fn open_bpf(root: &SysRoot, version: CgroupVersion, way: Way) -> Result<BpfScan, Refusal> {
    let dir = usable(root)?;
    // The link count of /proc is the number of processes.
    let processes = rustix::fs::fstat(&dir).map_or(0, |stat| stat.st_nlink);
    BpfScan::open(
        RowReader::new(dir),
        version,
        rustix::param::clock_ticks_per_second(),
        u32::try_from(processes).unwrap_or(u32::MAX),
        way,
    )
}

#[cfg(test)]
mod tests {
    use super::{Backend, BackendChoice, Preferred, Refusal};
    use crate::linux::scan::{ProcessScan, ScanCount, ScanPass, ScanWants};
    use crate::linux::{ReadError, SysRoot};
    use crate::model::cgroup::CgroupVersion;
    use crate::model::kernel::RssSource;
    use crate::model::memory::Memory;
    use crate::model::process::Process;
    use std::path::Path;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::time::{Duration, Instant};

    /// Works until it is torn.
    struct Fragile(Arc<AtomicBool>);

    impl ProcessScan for Fragile {
        fn name(&self) -> &'static str {
            "fragile"
        }

        fn scan(
            &mut self,
            _: &ScanWants,
            _: &ScanPass<'_>,
            table: &mut Vec<Process>,
        ) -> Result<ScanCount, ReadError> {
            table.clear();
            if !self.0.load(Ordering::SeqCst) {
                return Ok(ScanCount::default());
            }
            Err(ReadError::new(
                Path::new("x"),
                "it",
                std::io::Error::other("torn"),
                "",
            ))
        }
    }

    #[test]
    fn a_way_that_fails_is_left_for_proc_with_a_note_and_used_again_when_it_works() {
        let root = SysRoot::default();
        let torn = Arc::new(AtomicBool::new(false));
        let shared = Arc::clone(&torn);
        let mut preferred = Preferred::new(move || {
            if shared.load(Ordering::SeqCst) {
                return Err(Refusal::TooSlow);
            }
            Ok(Box::new(Fragile(Arc::clone(&shared))) as Box<dyn ProcessScan>)
        });
        preferred.set_pauses(Duration::from_millis(1));
        let scan = preferred.first(Duration::from_mins(1)).expect("it works");
        let mut backend = Backend {
            preferred: Some(preferred),
            ..Backend::from_scan(&root, scan)
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
            cpu: false,
        };
        let mut table = Vec::new();
        let mut scan = |backend: &mut Backend| {
            backend.scan(&wants, &pass, &mut table).expect("a table");
            table.len()
        };
        for _ in 0..2 {
            assert_eq!((scan(&mut backend), backend.name()), (0, "fragile"));
            torn.store(true, Ordering::SeqCst);
            assert!(scan(&mut backend) > 0);
            assert_eq!(backend.name(), "/proc");
            assert!(backend.note().is_some_and(|note| note.contains("torn")));
            // As long as it does not work, /proc goes on, and the note says why.
            let begun = Instant::now();
            let still = |backend: &Backend| {
                let note = backend.note().map(|note| note.contains("still checking"));
                note == Some(true)
            };
            while !still(&backend) {
                assert!(scan(&mut backend) > 0);
                assert!(begun.elapsed() < Duration::from_mins(1), "never asked");
            }
            torn.store(false, Ordering::SeqCst);
            while backend.name() == "/proc" {
                scan(&mut backend);
                assert!(begun.elapsed() < Duration::from_mins(1), "never used again");
            }
            assert_eq!(backend.note(), None);
        }
    }

    #[test]
    fn another_tree_is_never_walked_by_bpf() {
        let dir = tempfile::tempdir().expect("a directory");
        let root = SysRoot::under(dir.path());
        std::fs::create_dir(&root.proc).expect("proc");
        let backend = Backend::choose(&root, CgroupVersion::None, BackendChoice::Auto);
        let backend = backend.expect("plain /proc");
        assert_eq!(backend.name(), "/proc");
        assert!(backend.note().is_some_and(|note| note.contains("another")));
        assert!(Backend::choose(&root, CgroupVersion::None, BackendChoice::Bpf).is_err());
    }
}
