//! The files of a group that systemd writes together with the one it is asked for: what was in them is put back.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;

use super::{CgroupWriter, write_file};
use crate::linux::kernel_file::{FileBuffer, text};
use crate::linux::killers::preference;
use crate::linux::write::errors::failure;
use crate::model::cgroup::limits::{LimitFile, LimitValue};
use crate::model::cgroup::{CgroupPath, CgroupVersion};
use crate::model::killers::Preference;
use crate::model::plan::receipt::{Failure, FailureKind};
use crate::model::plan::step::{CgroupStep, LimitWrite};

/// Files of one value each that systemd writes and no dialog of oomtop does, in an order the kernel takes.
const OTHERS: &[&str] = &[
    "memory.zswap.max",
    "pids.max",
    "cpu.weight",
    "cpu.max",
    "cpuset.cpus",
    "cpuset.mems",
];

/// One of the files, with its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Beside {
    file: &'static str,
    text: String,
}

impl CgroupWriter {
    /// What is in the files that systemd writes, beside the one that it is asked for. A controller that the group does not
    /// have has none.
    pub(crate) fn beside(
        &self,
        group: &CgroupPath,
        own: Option<LimitFile>,
    ) -> Result<Vec<Beside>, Failure> {
        let dir = self.open(&any_step(group), group)?;
        let limits = LimitFile::of(CgroupVersion::V2).filter(|file| Some(*file) != own);
        let files = limits.map(LimitFile::name).chain(OTHERS.iter().copied());
        let read = |file: &'static str| {
            let read = FileBuffer::default().read_whole(&dir, file).map(text);
            let text = read.ok()?.trim().to_owned();
            Some(Beside { file, text })
        };
        Ok(files.filter_map(read).collect())
    }

    /// Puts back what is another text now.
    pub(crate) fn restore(&self, group: &CgroupPath, before: &[Beside]) -> Result<(), Failure> {
        if before.is_empty() {
            return Ok(());
        }
        let dir = self.open(&any_step(group), group)?;
        let now = |file: &str| {
            let read = FileBuffer::default().read_whole(&dir, file).map(text);
            read.map(|text| text.trim().to_owned())
        };
        let mut lost = Vec::new();
        for Beside { file, text } in before {
            if now(file).as_ref() == Ok(text) {
                continue;
            }
            // An empty write would reach the kernel as none.
            let written = write_file(&dir, file, &format!("{text}\n"));
            if written.is_err() || now(file).as_ref() != Ok(text) {
                lost.push(format!("{file} ({text})"));
            }
        }
        if lost.is_empty() {
            return Ok(());
        }
        Err(failure(
            FailureKind::NotKept,
            format!(
                "systemd has also written what somebody else had set in {group}, and it could not be put back: {}.",
                lost.join(", ")
            ),
        ))
    }

    /// Whom systemd-oomd spares, as the attributes of the group say.
    pub(crate) fn preference(&self, group: &CgroupPath) -> Option<Preference> {
        let relative = self.relative(group).ok()?;
        preference(&self.hierarchy.mount.join(OsStr::from_bytes(&relative)))
    }

    /// Bytes that are charged to the group; `None` if that cannot be read.
    pub(crate) fn usage_of(&self, group: &CgroupPath) -> Option<u64> {
        let dir = self.open(&any_step(group), group).ok()?;
        self.usage(dir)
    }
}

/// For the sentence about a group that cannot be opened.
fn any_step(group: &CgroupPath) -> CgroupStep {
    let file = LimitFile::hard_limit(CgroupVersion::V2);
    let value = LimitValue::Unlimited;
    CgroupStep::Limit(group.clone(), LimitWrite { file, value })
}
