//! Existing limits: what the dialog shows of them, and the unit they belong to.

use super::{present, unit_of};
use crate::app::dialog::cgroup::plan::{Fields, fields_of, patch};
use crate::app::input::line::LineInput;
use crate::model::cgroup::limits::LimitFile;
use crate::model::cgroup::{Cgroup, CgroupPath, CgroupVersion};

const MIB: u64 = 1 << 20;

fn typed(version: CgroupVersion, file: LimitFile, text: &str) -> Fields {
    let mut fields = fields_of(version);
    for (known, input) in &mut fields {
        if *known == file {
            *input = LineInput::new(text);
        }
    }
    fields
}

fn group(max: Option<u64>, memsw: Option<u64>) -> Cgroup {
    let mut group = Cgroup::unread(CgroupPath::new("/web"), None);
    group.usage = Some(80 * MIB);
    group.swap_usage = Some(0);
    group.limits.max = max.map(|mib| mib * MIB);
    group.limits.memsw_max = memsw.map(|mib| mib * MIB);
    group
}

#[test]
fn nonsense_and_less_than_a_page_are_told_with_their_file() {
    for bad in ["100", "lots", "-1", "99999999999999999999"] {
        let fields = typed(CgroupVersion::V2, LimitFile::Max, bad);
        assert!(
            patch(&fields).is_err_and(|e| e.starts_with("memory.max: ")),
            "{bad:?}"
        );
    }
    let nothing = typed(CgroupVersion::V2, LimitFile::Max, " ");
    assert!(patch(&nothing).is_ok_and(|patch| patch.is_empty()));
}

#[test]
fn what_was_not_read_is_not_shown_as_a_number() {
    let mut held = group(Some(100), None);
    let v1 = fields_of(CgroupVersion::V1);
    let shown = |held: &Cgroup| -> Vec<_> {
        let files = v1.iter().map(|(file, _)| *file);
        files.map(|file| present(file, Some(held))).collect()
    };
    let some = |text: &str| Some(text.to_owned());
    let expected = [
        some("100 MiB"),
        some("no limit"),
        some("no limit"),
        some("0"),
    ];
    assert_eq!(shown(&held), expected);
    held.swap_usage = None;
    assert_eq!(shown(&held)[1], None);
    held.usage = None;
    assert_eq!(shown(&held), [None, None, None, None]);
    assert_eq!(present(LimitFile::V1Limit, None), None);
}

#[test]
fn the_unit_is_the_innermost_part_that_systemd_named() {
    let unit = |path| unit_of(&CgroupPath::new(path)).map(str::to_owned);
    assert_eq!(
        unit("/system.slice/a.service/sub"),
        Some("a.service".to_owned())
    );
    assert_eq!(unit("/docker/4f5e"), None);
}

#[test]
fn the_soft_limit_of_v1_is_its_own_and_not_that_of_v2_high() {
    let mut held = group(Some(100), None);
    held.limits.soft = Some(64 * MIB);
    let shown = present(LimitFile::V1Soft, Some(&held));
    assert_eq!(shown, Some("64 MiB".to_owned()));
    let fields = typed(CgroupVersion::V1, LimitFile::V1Soft, "32M");
    let after = patch(&fields).expect("a size").applied_to(held.limits);
    assert_eq!((after.soft, after.high), (Some(32 * MIB), None));
}
