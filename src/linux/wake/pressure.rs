//! [`PressureTrigger`]: a PSI trigger on the host's memory (Documentation/accounting/psi.rst, "Monitoring for pressure
//! thresholds").

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;

use crate::linux::SysRoot;

/// `PROC_SUPER_MAGIC` (include/uapi/linux/magic.h).
const PROC: u32 = 0x9fa0;

/// A trigger: microseconds of stall within a window of so many microseconds.
struct Threshold {
    text: &'static [u8],
    words: &'static str,
}

/// The first that the kernel takes. Windows shorter than two seconds need `CAP_SYS_RESOURCE` (kernel/sched/psi.c
/// `psi_trigger_create`); on older kernels so does every trigger.
const THRESHOLDS: [Threshold; 2] = [
    Threshold {
        text: b"some 50000 500000\0",
        words: "PSI trigger: tasks wait for memory for 50 ms of half a second",
    },
    Threshold {
        text: b"some 150000 2000000\0",
        words: "PSI trigger: tasks wait for memory for 150 ms of 2 s (shorter needs CAP_SYS_RESOURCE)",
    },
];

/// An open trigger: ready (POLLPRI) at most once in its window.
#[derive(Debug)]
pub(super) struct PressureTrigger {
    file: OwnedFd,
    words: &'static str,
}

impl PressureTrigger {
    /// Sets the trigger, or says why there is none.
    pub(super) fn open(root: &SysRoot) -> Result<Self, String> {
        let path = root.proc.join("pressure/memory");
        let flags = OFlags::RDWR | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let mut last = Errno::INVAL;
        for threshold in THRESHOLDS {
            let file = rustix::fs::open(&path, flags, Mode::empty()).map_err(why)?;
            // An ordinary file of that name takes the text, too, and would keep it.
            let kind = rustix::fs::fstatfs(&file).map_err(why)?.f_type;
            if u32::try_from(kind) != Ok(PROC) {
                return Err("this /proc is none".to_owned());
            }
            match rustix::io::write(&file, threshold.text) {
                Ok(_) => {
                    let words = threshold.words;
                    return Ok(Self { file, words });
                }
                Err(errno) => last = errno,
            }
        }
        Err(why(last))
    }

    pub(super) fn words(&self) -> String {
        self.words.to_owned()
    }
}

impl AsFd for PressureTrigger {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

fn why(errno: Errno) -> String {
    match errno {
        Errno::NOENT => "this kernel has no PSI (CONFIG_PSI), or it is older than 4.20".to_owned(),
        Errno::OPNOTSUPP => "PSI is off: boot with psi=1".to_owned(),
        Errno::ACCESS | Errno::PERM | Errno::INVAL => {
            "no PSI trigger: this kernel wants CAP_SYS_RESOURCE, as older ones do".to_owned()
        }
        Errno::ROFS => "no PSI trigger: /proc is mounted read-only".to_owned(),
        Errno::BUSY => "no PSI trigger: the kernel has one for this file already".to_owned(),
        other => format!("no PSI trigger: {other}"),
    }
}

#[cfg(test)]
mod tests {
    use super::{PressureTrigger, why};
    use crate::linux::SysRoot;
    use rustix::io::Errno;

    #[test]
    fn a_file_that_is_no_kernels_is_left_as_it_is() {
        let dir = tempfile::tempdir().expect("a directory");
        let root = SysRoot::under(dir.path());
        let reason = PressureTrigger::open(&root).expect_err("no file");
        assert!(reason.contains("no PSI"), "{reason}");
        std::fs::create_dir_all(root.proc.join("pressure")).expect("made");
        let file = root.proc.join("pressure/memory");
        let text = "some avg10=0.00 avg60=0.00 avg300=0.00 total=0\n";
        std::fs::write(&file, text).expect("written");
        assert!(PressureTrigger::open(&root).is_err());
        assert_eq!(std::fs::read_to_string(&file).expect("read"), text);
    }

    #[test]
    fn each_refusal_is_a_sentence_of_its_own() {
        let all = [
            Errno::NOENT,
            Errno::OPNOTSUPP,
            Errno::PERM,
            Errno::ROFS,
            Errno::MFILE,
        ];
        let mut told: Vec<_> = all.into_iter().map(why).collect();
        told.dedup();
        assert_eq!(told.len(), all.len());
    }
}
