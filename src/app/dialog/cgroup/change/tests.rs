//! Existing limits: what the dialog shows of them, and the unit they belong to.

use super::present;
use crate::app::dialog::cgroup::typed::{Fields, fields_of, patch};
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
    let shown = |file: LimitFile, held: &Cgroup| present(file, Some(held));
    for (file, text) in [
        (LimitFile::V1Limit, "100 MiB"),
        (LimitFile::V1Memsw, "no limit"),
        (LimitFile::V1Soft, "no limit"),
        (LimitFile::V1OomControl, "0"),
    ] {
        assert_eq!(shown(file, &held).as_deref(), Some(text), "{file:?}");
    }
    held.swap_usage = None;
    assert_eq!(shown(LimitFile::V1Memsw, &held), None);
    held.usage = None;
    for (file, _) in fields_of(CgroupVersion::V1) {
        assert_eq!(shown(file, &held), None, "{file:?}");
    }
    assert_eq!(present(LimitFile::V1Limit, None), None);
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
