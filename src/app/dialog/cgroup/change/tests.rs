//! The plan of other limits: order, what is refused, what is shown of the present.

use super::{change_steps, merged, present, unit_of};
use crate::app::dialog::cgroup::plan::{LimitField, fields_of};
use crate::app::input::line::LineInput;
use crate::model::cgroup::{Cgroup, CgroupPath, CgroupVersion, Limits};
use crate::model::plan::step::CgroupStep;

const MIB: u64 = 1 << 20;

fn fields(version: CgroupVersion, typed: &[(&str, &str)]) -> Vec<(&'static LimitField, LineInput)> {
    let text = |file| {
        let found = typed.iter().find(|(name, _)| *name == file);
        found.map_or("", |(_, text)| text)
    };
    fields_of(version)
        .iter()
        .map(|field| (field, LineInput::new(text(field.file))))
        .collect()
}

fn group(max: Option<u64>, memsw: Option<u64>) -> Cgroup {
    let mut group = Cgroup::unread(CgroupPath::new("/web"), None);
    group.usage = Some(80 * MIB);
    group.swap_usage = Some(0);
    group.limits.max = max.map(|mib| mib * MIB);
    group.limits.memsw_max = memsw.map(|mib| mib * MIB);
    group
}

fn plan(
    group: &Cgroup,
    version: CgroupVersion,
    typed: &[(&str, &str)],
) -> Result<Vec<String>, String> {
    let fields = fields(version, typed);
    let steps = change_steps(&group.path, Some(group), &fields, version)?;
    let text = |step| match step {
        CgroupStep::Limit(path, write) => format!("{path} {}={}", write.file, write.value),
        other => format!("{other:?}"),
    };
    Ok(steps.into_iter().map(text).collect())
}

const LIMIT: &str = "memory.limit_in_bytes";
const BOTH: &str = "memory.memsw.limit_in_bytes";

#[test]
fn v1_never_has_memory_and_swap_below_memory_in_between() {
    let v1 = CgroupVersion::V1;
    let first = |group: &Cgroup, limit: &str, both: &str| {
        let steps = plan(group, v1, &[(LIMIT, limit), (BOTH, both)]).expect("a plan");
        assert_eq!(steps.len(), 2);
        steps[0]
            .split(['=', ' '])
            .nth(1)
            .expect("a file")
            .to_owned()
    };
    let held = group(Some(100), Some(100));
    assert_eq!(first(&held, "50M", "50M"), LIMIT, "lowered");
    assert_eq!(first(&held, "200M", "200M"), BOTH, "raised");
    assert_eq!(first(&held, "max", "max"), BOTH, "lifted");
    assert_eq!(first(&group(None, None), "50M", "60M"), LIMIT, "from none");
    assert!(plan(&held, v1, &[(LIMIT, "200M")]).is_err_and(|e| e.contains("change it too")));
    assert!(plan(&held, v1, &[(LIMIT, "max")]).is_err());
    assert!(plan(&held, v1, &[(BOTH, "99M")]).is_err());
    assert!(plan(&held, v1, &[(LIMIT, "90M")]).is_ok());
}

#[test]
fn v2_writes_the_limit_that_kills_last() {
    let typed = [
        ("memory.max", "64M"),
        ("memory.swap.max", "0"),
        ("memory.oom.group", "1"),
    ];
    let steps = plan(&group(Some(100), None), CgroupVersion::V2, &typed);
    assert_eq!(
        steps.expect("a plan"),
        [
            "/web memory.swap.max=0",
            "/web memory.oom.group=1",
            "/web memory.max=67108864"
        ]
    );
}

#[test]
fn nothing_nonsense_and_less_than_a_page_make_no_plan() {
    let held = group(Some(100), None);
    let v2 = CgroupVersion::V2;
    for bad in ["", "100", "lots", "-1", "99999999999999999999"] {
        assert!(plan(&held, v2, &[("memory.max", bad)]).is_err(), "{bad:?}");
    }
    // Half a plan is none.
    let typed = [("memory.max", "64M"), ("memory.oom.group", "2")];
    assert!(plan(&held, v2, &typed).is_err());
    let root = Cgroup::unread(CgroupPath::root(), None);
    assert!(plan(&root, v2, &[("memory.max", "1G")]).is_err());
    let none = change_steps(&held.path, None, &fields(v2, &[("memory.max", "1G")]), v2);
    assert!(none.is_err_and(|e| e.contains("/web is not there")));
}

#[test]
fn what_is_typed_replaces_what_is_there_and_the_rest_stays() {
    let limits = Limits {
        max: Some(5),
        high: Some(4),
        oom_group: true,
        ..Limits::default()
    };
    let typed = [("memory.max", "max"), ("memory.swap.max", "0")];
    let after = merged(limits, &fields(CgroupVersion::V2, &typed));
    assert_eq!(
        (after.max, after.high, after.swap_max),
        (None, Some(4), Some(0))
    );
    assert!(after.oom_group);
}

#[test]
fn what_was_not_read_is_not_shown_as_a_number() {
    let mut held = group(Some(100), None);
    let v1 = fields_of(CgroupVersion::V1);
    let shown =
        |held: &Cgroup| -> Vec<_> { v1.iter().map(|field| present(field, Some(held))).collect() };
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
    assert_eq!(present(&v1[0], None), None);
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
