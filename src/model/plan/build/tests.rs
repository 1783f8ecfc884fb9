//! The order of the steps, and what makes no plan.

use super::{PlanError, change_limits, create};
use crate::model::cgroup::limits::{LimitFile, LimitPatch, LimitValue, Limits};
use crate::model::cgroup::{CgroupPath, CgroupVersion};
use crate::model::plan::Plan;
use crate::model::plan::step::{CgroupStep, Step};
use crate::model::process::ProcessId;

const MIB: u64 = 1 << 20;
const NONE: LimitValue = LimitValue::Unlimited;

fn web() -> CgroupPath {
    CgroupPath::new("/web")
}

fn mib(mib: u64) -> LimitValue {
    LimitValue::Amount(mib * MIB)
}

fn v1(max: LimitValue, both: LimitValue) -> Limits {
    let patch = LimitPatch::from_iter([(LimitFile::V1Limit, max), (LimitFile::V1Memsw, both)]);
    patch.applied_to(Limits::default())
}

/// Names of the files in the order they are written.
fn files(plan: &Plan) -> Vec<LimitFile> {
    let limit = |step: &Step| match step {
        Step::Cgroup(CgroupStep::Limit(_, write)) => Some(write.file),
        _ => None,
    };
    plan.steps.iter().filter_map(limit).collect()
}

fn change(now: Limits, limits: &[(LimitFile, LimitValue)]) -> Result<Vec<LimitFile>, PlanError> {
    let patch = limits.iter().copied().collect();
    change_limits(&web(), Some(now), &patch).map(|plan| files(&plan))
}

#[test]
fn v1_never_has_memory_and_swap_below_memory_in_between() {
    use LimitFile::{V1Limit, V1Memsw};
    let order = |now, limit, both| change(now, &[(V1Limit, limit), (V1Memsw, both)]);
    let held = v1(mib(100), mib(100));
    assert_eq!(order(held, mib(50), mib(50)), Ok(vec![V1Limit, V1Memsw]));
    assert_eq!(order(held, mib(200), mib(200)), Ok(vec![V1Memsw, V1Limit]));
    assert_eq!(order(held, NONE, NONE), Ok(vec![V1Memsw, V1Limit]));
    let open = v1(NONE, NONE);
    assert_eq!(order(open, mib(50), mib(60)), Ok(vec![V1Limit, V1Memsw]));
    let below = |both| Err(PlanError::BelowHardLimit(V1Memsw, both));
    assert_eq!(change(held, &[(V1Limit, mib(200))]), below(mib(100)));
    assert_eq!(change(held, &[(V1Limit, NONE)]), below(mib(100)));
    assert_eq!(change(held, &[(V1Memsw, mib(99))]), below(mib(99)));
    assert_eq!(change(held, &[(V1Limit, mib(90))]), Ok(vec![V1Limit]));
}

#[test]
fn v2_writes_the_limit_that_kills_last() {
    let typed = [
        (LimitFile::Max, mib(64)),
        (LimitFile::SwapMax, LimitValue::Amount(0)),
        (LimitFile::OomGroup, LimitValue::Switch(true)),
    ];
    let order = change(Limits::default(), &typed);
    let expected = vec![LimitFile::SwapMax, LimitFile::OomGroup, LimitFile::Max];
    assert_eq!(order, Ok(expected));
}

#[test]
fn no_group_no_limits_and_the_root_make_no_plan() {
    let patch = LimitPatch::from_iter([(LimitFile::Max, mib(1))]);
    let missing = change_limits(&web(), None, &patch);
    assert_eq!(missing, Err(PlanError::Missing(web())));
    let empty = change(Limits::default(), &[]);
    assert_eq!(empty, Err(PlanError::NoLimits));
    let root = change_limits(&CgroupPath::root(), Some(Limits::default()), &patch);
    assert_eq!(root, Err(PlanError::Root));
}

#[test]
fn v2_enables_the_controller_from_the_root_down() {
    let limits = LimitPatch::from_iter([(LimitFile::Max, mib(1024))]);
    let id = ProcessId {
        pid: 7,
        start_ticks: 1,
    };
    let is_there = |p: &CgroupPath| p.as_str() == "/app";
    let inner = CgroupPath::new("/app/web/x");
    let plan = create(&[id], &inner, &limits, CgroupVersion::V2, is_there, |_| {
        false
    })
    .expect("a plan");
    let text = |step: &Step| match step {
        Step::Cgroup(CgroupStep::EnableMemory(p)) => format!("enable {p}"),
        Step::Cgroup(CgroupStep::Create(p)) => format!("create {p}"),
        Step::Cgroup(CgroupStep::Limit(p, w)) => {
            format!("limit {p} {}={}", w.file.name(), w.text())
        }
        Step::Cgroup(CgroupStep::Move(_, p)) => format!("move {p}"),
        other => format!("{other:?}"),
    };
    let steps: Vec<_> = plan.steps.iter().map(text).collect();
    assert_eq!(
        steps,
        [
            "enable /",
            "enable /app",
            "create /app/web",
            "enable /app/web",
            "create /app/web/x",
            "limit /app/web/x memory.max=1073741824",
            "move /app/web/x"
        ]
    );
    assert_eq!(plan.destination(), Some(&inner));
    let app = CgroupPath::new("/app");
    let taken = create(&[id], &app, &limits, CgroupVersion::V2, is_there, |_| false);
    assert_eq!(taken, Err(PlanError::Exists(app)));
}
