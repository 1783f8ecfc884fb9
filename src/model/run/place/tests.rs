//! Places for groups, by what is around oomtop.

use super::{Level, Place, Surroundings, choose, scope_home, unit_around};
use crate::model::cgroup::limits::{LimitFile, LimitPatch, LimitValue};
use crate::model::cgroup::{CgroupPath, CgroupVersion};
use crate::model::plan::step::{CgroupStep, Step};
use crate::model::process::ProcessId;
use crate::model::systemd::CommandUser;

fn path(text: &str) -> CgroupPath {
    CgroupPath::new(text)
}

/// A level in a few letters: `r`oot, `s`hares memory, has `o`thers, `l`imited, `w`ritable.
fn level(name: &str, facts: &str) -> (CgroupPath, Level) {
    let has = |letter| facts.contains(letter);
    let level = Level {
        is_root: has('r'),
        shares_memory: has('s'),
        has_others: has('o'),
        is_limited: has('l'),
        is_writable: has('w'),
    };
    (path(name), level)
}

fn user(uid: u32, without_session: bool) -> CommandUser {
    CommandUser::User {
        uid,
        without_session,
    }
}

fn v2(levels: &[(&str, &str)]) -> Surroundings {
    Surroundings {
        version: CgroupVersion::V2,
        levels: levels
            .iter()
            .map(|(name, facts)| level(name, facts))
            .collect(),
        systemd: false,
        delegated: None,
        user: user(0, false),
    }
}

#[test]
fn without_systemd_it_goes_beside_the_own_group_or_below_the_root() {
    let below = |text| Ok(Place::Below(path(text)));
    assert_eq!(choose(&v2(&[("/", "rsow")])), below("/"));
    assert_eq!(choose(&v2(&[("/a", "ow"), ("/", "rsow")])), below("/"));
    // The kernel wants no processes in the parent.
    let full = v2(&[("/a/b", "ow"), ("/a", "ow"), ("/", "rsow")]);
    assert_eq!(choose(&full), below("/"));
    let shared = v2(&[("/a/b", "ow"), ("/a", "sw"), ("/", "rsow")]);
    assert_eq!(choose(&shared), below("/a"));
}

#[test]
fn it_never_leaves_a_limit() {
    let alone = v2(&[("/box", "lw"), ("/", "rsow")]);
    assert_eq!(choose(&alone), Ok(Place::BesideSelf(path("/box"))));
    let crowded = v2(&[("/box", "low"), ("/", "rsow")]);
    assert!(choose(&crowded).is_err_and(|why| why.contains("a group of its own")));
    let outer = v2(&[("/box/a", "ow"), ("/box", "slw"), ("/", "rsow")]);
    assert_eq!(choose(&outer), Ok(Place::Below(path("/box"))));
}

#[test]
fn where_systemd_runs_only_what_is_delegated_is_used() {
    let scope = "/user.slice/u.slice/run-1.scope";
    let levels = [
        (scope, "ow"),
        ("/user.slice/u.slice", "sw"),
        ("/user.slice", "sw"),
        ("/", "rsow"),
    ];
    let mut around = Surroundings {
        systemd: true,
        ..v2(&levels)
    };
    let refused = choose(&around).expect_err("not delegated");
    assert!(
        refused.contains("systemd-run --scope -p Delegate=yes oomtop run"),
        "{refused}"
    );
    around.user = user(1000, false);
    let refused = choose(&around).expect_err("not delegated");
    assert!(
        refused.contains(": systemd-run --user --scope"),
        "{refused}"
    );
    around.user = user(1000, true);
    let refused = choose(&around).expect_err("not delegated");
    let reached = ": env XDG_RUNTIME_DIR=/run/user/1000 systemd-run --user --scope";
    assert!(refused.contains(reached), "{refused}");
    // A scope that was made for oomtop.
    around.levels[0] = level(scope, "w");
    assert_eq!(choose(&around), Ok(Place::BesideSelf(path(scope))));
    // A group within a delegated unit.
    let inner = format!("{scope}/shell");
    around.levels[0] = level(scope, "sw");
    around.levels.insert(0, level(&inner, "ow"));
    around.delegated = Some(path(scope));
    assert_eq!(choose(&around), Ok(Place::Below(path(scope))));
}

#[test]
fn v1_needs_nothing_but_the_right_to_write() {
    let v1 = |facts| Surroundings {
        version: CgroupVersion::Hybrid,
        systemd: true,
        ..v2(&[("/a", facts)])
    };
    assert_eq!(choose(&v1("ow")), Ok(Place::Below(path("/a"))));
    assert!(choose(&v1("o")).is_err_and(|why| why.contains("read-only")));
    let user = Surroundings {
        user: user(1000, false),
        ..v1("o")
    };
    assert!(choose(&user).is_err_and(|why| why.contains("as root")));
    let none = Surroundings {
        version: CgroupVersion::None,
        ..v2(&[])
    };
    assert!(choose(&none).is_err_and(|why| why.contains("memory controller")));
}

#[test]
fn the_innermost_unit() {
    let unit = |text| unit_around(&path(text)).map(|unit| unit.to_string());
    assert_eq!(
        unit("/a.slice/b.scope/x/y").as_deref(),
        Some("/a.slice/b.scope")
    );
    assert_eq!(unit("/docker/abc"), None);
}

#[test]
fn the_plan_keeps_processes_and_groups_apart_and_limits_before_anybody_enters() {
    let own = ProcessId {
        pid: 7,
        start_ticks: 9,
    };
    let limits = LimitPatch::from_iter([
        (LimitFile::Max, LimitValue::Amount(4096)),
        (LimitFile::SwapMax, LimitValue::Amount(0)),
    ]);
    let place = Place::BesideSelf(path("/s"));
    let plan = place.plan("g", &limits, CgroupVersion::V2, own, false);
    let steps = plan.steps.iter().map(|step| match step {
        Step::Cgroup(CgroupStep::Create(group)) => format!("make {group}"),
        Step::Cgroup(CgroupStep::Move(target, group)) => format!("move {} {group}", target.pid),
        Step::Cgroup(CgroupStep::EnableMemory(group)) => format!("enable {group}"),
        Step::Cgroup(CgroupStep::Limit(_, write)) => {
            format!("{} {}", write.file.name(), write.text())
        }
        other => panic!("{other:?}"),
    });
    let steps: Vec<_> = steps.collect();
    assert_eq!(
        steps,
        [
            "make /s/g-self",
            "move 7 /s/g-self",
            "enable /s",
            "make /s/g",
            &format!("{} 0", LimitFile::SwapMax.name()),
            &format!("{} 4096", LimitFile::Max.name()),
        ]
    );
}

#[test]
fn a_scope_is_no_way_out_of_a_limit() {
    let place = |own: &str, facts: &str, uid: u32| {
        let levels = [
            (own, facts),
            ("/user.slice/user-7.slice", "sl"),
            ("/", "rsow"),
        ];
        let around = Surroundings {
            systemd: true,
            ..v2(&levels)
        };
        scope_home(&around, uid).map(|home| home.slice)
    };
    let some = |text: &str| Some(text.to_owned());
    let session = "/user.slice/user-7.slice/session-3.scope";
    let own = "/user.slice/user-7.slice/user@7.service/app.slice/a.scope";
    // That of the slice stays around it.
    assert_eq!(place(session, "o", 0), some("user-7.slice"));
    assert_eq!(place(session, "o", 7), some("app.slice"));
    assert_eq!(place(own, "o", 7), some("app.slice"));
    for uid in [0, 7] {
        assert_eq!(place(session, "ol", uid), None);
        assert_eq!(place(own, "ol", uid), None);
    }
    assert_eq!(scope_home(&v2(&[("/a", "o"), ("/", "rs")]), 0), None);
}
