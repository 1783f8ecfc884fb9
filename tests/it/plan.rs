//! The inverse of a write restores the state, for any number of plans and wherever a plan failed.

use std::collections::{BTreeMap, BTreeSet};

use crate::common::paper_kernel::PaperKernel;
use crate::common::scene::{MIB, id};
use oomtop::model::cgroup::limits::{LimitFile, LimitPatch, LimitValue, Limits, Unit};
use oomtop::model::cgroup::{CgroupPath, CgroupVersion};
use oomtop::model::killers::oom_policy::Manager;
use oomtop::model::plan::receipt::{FailureKind, PlanReceipt};
use oomtop::model::plan::step::{CgroupStep, LimitWrite, Step, UnitLimit, UnitStep};
use oomtop::model::plan::{Plan, build, execute, inverse};
use oomtop::model::process::score::OomScoreAdj;
use oomtop::model::process::signal::SIGNALS;
use oomtop::model::rules::own::RuleEdit;
use oomtop::model::systemd::drop_in::{DropInWrite, Found, Setting};
use oomtop::model::systemd::oomd::{OomdSetting, OomdValue, UnitOomd};
use oomtop::model::systemd::{Lasting, UnitName};
use proptest::prelude::*;
use proptest::sample::select;

const PATHS: [&str; 6] = ["/", "/a", "/a/b", "/a/b/c", "/new", "/new/in"];

fn path() -> impl Strategy<Value = CgroupPath> {
    select(&PATHS[1..]).prop_map(CgroupPath::new)
}

/// A target; no process has pid 4.
fn target() -> impl Strategy<Value = oomtop::model::process::ProcessId> {
    (1_u32..5).prop_map(id)
}

fn write(version: CgroupVersion) -> impl Strategy<Value = (LimitFile, LimitValue)> {
    let files: Vec<_> = LimitFile::of(version).collect();
    let value = |file: LimitFile| match file.row().unit {
        Unit::Switch(_) => any::<bool>().prop_map(LimitValue::Switch).boxed(),
        Unit::Swappiness(_) => (0_u64..=200).prop_map(LimitValue::Amount).boxed(),
        Unit::Protection(_) => (0_u64..9).prop_map(|n| LimitValue::Amount(n * MIB)).boxed(),
        Unit::Size(_) => prop_oneof![
            6 => (0_u64..9).prop_map(|n| LimitValue::Amount(n * MIB)),
            2 => Just(LimitValue::Unlimited),
            1 => Just(LimitValue::Amount(u64::MAX)),
        ]
        .boxed(),
    };
    select(files).prop_flat_map(move |file| value(file).prop_map(move |value| (file, value)))
}

fn unit() -> UnitName {
    UnitName {
        name: "web.service".to_owned(),
        manager: Manager::System,
    }
}

fn step(version: CgroupVersion) -> impl Strategy<Value = Step> {
    prop_oneof![
        (target(), -1000_i64..=1000).prop_map(|(target, value)| {
            let value = OomScoreAdj::clamped(value);
            Step::Adj { target, value }
        }),
        select(&["a", "b"][..]).prop_map(|name| {
            Step::Rule(RuleEdit {
                path: "/rules.toml".to_owned(),
                block: format!("\n[[rule]]\nname = \"{name}\"\nadj = 5\n"),
                add: true,
                seen: 0,
                tell: Vec::new(),
                made: 0,
            })
        }),
        target().prop_map(|target| Step::Signal {
            target,
            signal: SIGNALS[0]
        }),
        (target(), any::<bool>()).prop_map(|(target, stop)| Step::Stop { target, stop }),
        // Of a group that no plan removes: one that is made again is thawed.
        any::<bool>().prop_map(|frozen| CgroupStep::Freeze(CgroupPath::root(), frozen).into()),
        path().prop_map(|path| CgroupStep::Reclaim(path, MIB).into()),
        path().prop_map(|path| CgroupStep::EnableMemory(path).into()),
        path().prop_map(|path| CgroupStep::Create(path).into()),
        path().prop_map(|path| CgroupStep::Remove(path).into()),
        (target(), path()).prop_map(|(target, path)| CgroupStep::Move(target, path).into()),
        (path(), write(version)).prop_map(|(path, (file, value))| {
            CgroupStep::Limit(path, LimitWrite { file, value }).into()
        }),
        (path(), write(version)).prop_map(|(group, (file, value))| {
            UnitStep::Limit(UnitLimit {
                unit: unit(),
                group,
                write: LimitWrite { file, value },
                lasting: Lasting::Runtime,
                leave: None,
            })
            .into()
        }),
        (select(&OomdSetting::ALL[..]), 0_usize..3).prop_map(|(setting, at)| {
            let word = setting.words().get(at % setting.words().len().max(1));
            let value = word.map_or(
                OomdValue::Scaled(u32::try_from(at).expect("small")),
                |word| OomdValue::Word(word),
            );
            UnitStep::Oomd(UnitOomd {
                unit: unit(),
                group: CgroupPath::new("/a"),
                setting,
                value,
                lasting: Lasting::Runtime,
                leave: None,
            })
            .into()
        }),
        (-1000_i64..=1000, proptest::bool::ANY).prop_map(|(value, is_there)| {
            let text = is_there.then(|| "[Service]\nNice=1\n".to_owned());
            let found = Found {
                directory: text.is_some(),
                text,
            };
            let setting = Setting::ScoreAdjust(OomScoreAdj::clamped(value));
            UnitStep::DropIn(DropInWrite::setting(
                unit(),
                Lasting::Persistent,
                &found,
                setting,
            ))
            .into()
        }),
    ]
}

fn kernel(
    version: CgroupVersion,
    limits: Vec<(LimitFile, LimitValue)>,
    until_denied: Option<usize>,
) -> PaperKernel {
    let swappiness = Limits {
        swappiness: version.is_v1().then_some(60),
        ..Limits::default()
    };
    let overflow = LimitValue::Amount(u64::MAX);
    let limits = limits.into_iter().filter(|(_, value)| *value != overflow);
    let mut set = limits.collect::<LimitPatch>().applied_to(swappiness);
    set.memsw_max = set
        .memsw_max
        .filter(|both| set.max.is_some_and(|max| max <= *both));
    let group = |path: &&str| (CgroupPath::new(path), set);
    let process = |pid, path| (id(pid), (OomScoreAdj::ZERO, CgroupPath::new(path)));
    PaperKernel {
        version,
        processes: BTreeMap::from([process(1, "/a"), process(2, "/a/b"), process(3, "/")]),
        groups: PATHS[..4].iter().map(group).collect(),
        enabled: BTreeSet::new(),
        frozen: BTreeSet::new(),
        stopped: BTreeSet::new(),
        drop_ins: BTreeMap::new(),
        oomd: BTreeMap::new(),
        rules: BTreeMap::new(),
        until_denied,
        deaths: Vec::new(),
    }
}

/// Undoes whatever happened since.
fn undo(kernel: &mut PaperKernel, receipts: &[PlanReceipt]) -> Vec<PlanReceipt> {
    execute::undo(kernel, &inverse::of_write(receipts), &[])
}

fn version() -> impl Strategy<Value = CgroupVersion> {
    select(&[CgroupVersion::V1, CgroupVersion::V2][..])
}

/// A state and plans for it.
fn case() -> impl Strategy<Value = (PaperKernel, Vec<Plan>)> {
    version().prop_flat_map(|version| {
        let limits = proptest::collection::vec(write(version), 0..5);
        let denied = proptest::option::of(0_usize..8);
        let steps = proptest::collection::vec(step(version), 0..8);
        let plans = proptest::collection::vec(steps.prop_map(Plan::from_iter), 0..4);
        (limits, denied, plans)
            .prop_map(move |(limits, denied, plans)| (kernel(version, limits, denied), plans))
    })
}

/// The kernel's state without the parts that undo leaves alone.
fn comparable(kernel: &PaperKernel) -> PaperKernel {
    PaperKernel {
        enabled: BTreeSet::new(),
        until_denied: None,
        deaths: Vec::new(),
        ..kernel.clone()
    }
}

/// The state without the processes that have died meanwhile: nobody can bring those back.
fn among_the_living(before: &PaperKernel, now: &PaperKernel) -> PaperKernel {
    let mut before = comparable(before);
    before
        .processes
        .retain(|id, _| now.processes.contains_key(id));
    before.stopped.retain(|id| now.processes.contains_key(id));
    before
}

/// Where memory control is on, but for groups that the plan removes. One that is made again has it off: only a
/// group without children can be removed, so there is nobody whom the difference concerns.
fn enabled_but_in(kernel: &PaperKernel, plan: &Plan) -> BTreeSet<CgroupPath> {
    let removed = |path: &CgroupPath| {
        let step = Step::from(CgroupStep::Remove(path.clone()));
        plan.steps.contains(&step)
    };
    let enabled = kernel.enabled.iter();
    enabled.filter(|path| !removed(path)).cloned().collect()
}

/// What a failed plan changed and could not take back, as its receipt has it.
fn is_named(receipt: &PlanReceipt) -> bool {
    receipt.taken_back.iter().any(|back| back.outcome.is_err())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(500) })]

    #[test]
    fn the_inverse_of_any_write_restores_the_state((mut kernel, plans) in case()) {
        let before = comparable(&kernel);
        let receipts = execute::run_all(&mut kernel, &plans);
        kernel.until_denied = None;
        let back = undo(&mut kernel, &receipts);
        // A way back that was denied half way fails where it has been already.
        if !receipts.iter().any(is_named) {
            for receipt in &back {
                prop_assert_eq!(receipt.failure(), None);
            }
        }
        prop_assert_eq!(comparable(&kernel), before);
    }

    /// Processes die and steps are denied anywhere, also on the way back.
    #[test]
    fn a_failed_plan_leaves_nothing_or_names_what_it_left(
        (kernel, plans) in case(),
        deaths in proptest::collection::vec((0_usize..16, target()), 0..4),
    ) {
        let mut kernel = PaperKernel { deaths, ..kernel };
        for plan in &plans {
            let before = kernel.clone();
            let receipt = execute::run(&mut kernel, plan);
            if receipt.failure().is_none() {
                continue;
            }
            let as_before = comparable(&kernel) == among_the_living(&before, &kernel)
                && enabled_but_in(&kernel, plan) == enabled_but_in(&before, plan);
            prop_assert!(as_before || is_named(&receipt), "{receipt:?}");
            // What is named can be tried again with the key that undoes.
            if is_named(&receipt) {
                kernel.until_denied = None;
                kernel.deaths.clear();
                undo(&mut kernel, std::slice::from_ref(&receipt));
                prop_assert_eq!(comparable(&kernel), among_the_living(&before, &kernel));
            }
        }
    }

    /// The plans of the cgroup dialog on a process that dies anywhere in between.
    #[test]
    fn a_group_for_a_dying_process_does_not_stay(
        version in version(),
        after in 0_usize..12,
        limits in proptest::collection::vec(write(CgroupVersion::V2), 0..3),
    ) {
        let mut kernel = kernel(version, Vec::new(), None);
        kernel.deaths = vec![(after, id(1))];
        let before = kernel.clone();
        let limits = limits.into_iter().filter(|(file, value)| {
            file.row().version == version && *value != LimitValue::Amount(u64::MAX)
        });
        let group = CgroupPath::new("/new/in");
        let is_there = |path: &CgroupPath| path.is_root() || before.groups.contains_key(path);
        let plan = build::create(&[id(1)], &group, &limits.collect(), version, is_there, |_| false);
        if let Ok(plan) = plan {
            let receipt = execute::run(&mut kernel, &plan);
            if after == 0 {
                prop_assert_eq!(receipt.steps.len(), 1, "nothing is begun for a dead process");
            }
            if receipt.failure().is_some() {
                prop_assert_eq!(comparable(&kernel), among_the_living(&before, &kernel));
                prop_assert_eq!(&kernel.enabled, &before.enabled);
            }
        }
    }

    /// Another program changes something between a write and its undo.
    #[test]
    fn an_undo_looks_before_it_writes((mut kernel, plans) in case(), other in step(CgroupVersion::V2)) {
        let receipts = execute::run_all(&mut kernel, &plans);
        kernel.until_denied = None;
        let expected = inverse::expectations(&receipts);
        let found: Vec<_> = expected.iter().map(|one| execute::Executor::look(&mut kernel, &one.step).ok()).collect();
        let overwrites = execute::Executor::step(&mut kernel, &other);
        let differs = expected.iter().zip(&found).any(|(one, found)| {
            let now = execute::Executor::look(&mut kernel, &one.step).ok();
            now != *found && now.is_some_and(|now| !now.agrees(&one.left) && !now.agrees(&one.before))
        });
        let before = kernel.clone();
        let back = execute::undo(&mut kernel, &inverse::of_write(&receipts), &expected);
        let asked = back.iter().filter_map(PlanReceipt::failure).any(|why| why.kind == FailureKind::Changed);
        if differs {
            prop_assert!(asked, "{overwrites:?}");
        }
        if asked {
            prop_assert_eq!(comparable(&kernel), comparable(&before));
        }
    }

    /// If the kernel accepts a set of limits, it accepts the builder's steps towards them one by one.
    #[test]
    fn built_plans_are_taken_and_taken_back(
        ((mut kernel, _), file, limits) in (case(), path(), version()).prop_flat_map(|(case, path, _)| {
            let version = case.0.version;
            (Just(case), Just(path), proptest::collection::vec(write(version), 1..5))
        })
    ) {
        kernel.until_denied = None;
        let before = comparable(&kernel);
        let patch: LimitPatch = limits.into_iter().filter(|(_, value)| *value != LimitValue::Amount(u64::MAX)).collect();
        let now = kernel.groups.get(&file).copied();
        let is_there = |path: &CgroupPath| path.is_root() || kernel.groups.contains_key(path);
        let plan = match now {
            Some(_) => build::change_limits(&file, now, &patch),
            None => build::create(&[id(1), id(2)], &file, &patch, kernel.version, is_there, |_| false),
        };
        if let Ok(plan) = plan {
            let receipts = execute::run_all(&mut kernel, &[plan]);
            prop_assert_eq!(receipts[0].failure(), None);
            undo(&mut kernel, &receipts);
            prop_assert_eq!(comparable(&kernel), before);
        }
    }
}
