//! A process of systemd's tree that is moved: into a scope that systemd starts.

use std::sync::Arc;

use super::shows;
use crate::common::scene::{Scene, host, processes, snapshot};
use crate::common::writes::{done, one, receipt, writes};
use oomtop::app::msg::Msg;
use oomtop::app::settings::Settings;
use oomtop::model::cgroup::CgroupPath;
use oomtop::model::cgroup::limits::{LimitFile, LimitValue};
use oomtop::model::killers::oom_policy::Manager;
use oomtop::model::plan::receipt::Reading;
use oomtop::model::plan::step::{CgroupStep, LimitWrite, ScopeStart, Step, UnitStep};
use oomtop::model::snapshot::Host;
use oomtop::model::systemd::UnitName;

const SESSION: &str = "/user.slice/user-7.slice/session-3.scope";

/// mysqld (2456) runs in this group, and the dialog to move it is open with a limit of 12 GiB.
fn moving(uid: u32, from: &str) -> Scene {
    let host = Host {
        systemd: true,
        uid,
        ..host()
    };
    let mut scene = Scene::with(120, 44, Settings::default(), host);
    let mut sample = snapshot(3, processes());
    Arc::make_mut(&mut sample.cgroups)[2].path = CgroupPath::new(from);
    scene.tell(Msg::Sampled(Arc::new(sample)));
    scene.keys("c").tell(Msg::Groups(Ok(Vec::new())));
    scene.types("12G");
    scene.effects.clear();
    scene
}

fn scope(manager: Manager, slice: &str, parent: &str) -> Step {
    let name = "oomtop-mysqld-2456.scope";
    UnitStep::Scope(ScopeStart {
        targets: vec![crate::common::scene::id(2456)],
        unit: UnitName {
            name: name.to_owned(),
            manager,
        },
        slice: slice.to_owned(),
        group: CgroupPath::new(&format!("{parent}/{name}")),
        limits: vec![LimitWrite {
            file: LimitFile::Max,
            value: LimitValue::Amount(12 << 30),
        }],
    })
    .into()
}

#[test]
fn systemd_starts_a_scope_around_it_where_its_slice_is() {
    let user = "/user.slice/user-7.slice";
    let mut scene = moving(0, SESSION);
    shows(
        &scene,
        "let systemd start oomtop-mysqld-2456.scope in user-7.slice with process 2456 with MemoryMax=12884901888 (12 GiB)",
    );
    shows(
        &scene,
        "The process leaves its unit session-3.scope: a stop of that no longer ends it",
    );
    scene.keys("Enter");
    let own = scope(Manager::System, "user-7.slice", user);
    assert_eq!(writes(&scene.asked()), [one([own.clone()])]);
    // Its undo is a move back; the scope ends by itself.
    let home = Reading::Home(CgroupPath::new(SESSION), None);
    let now = Reading::Group(CgroupPath::new(&format!("{user}/oomtop-mysqld-2456.scope")));
    scene.answer(vec![receipt(vec![done(own, home, now)])]);
    shows(&scene, "done let systemd start oomtop-mysqld-2456.scope");
    scene.keys("Enter").effects.clear();
    scene.keys("u");
    scene.keys("Enter");
    let back = CgroupStep::Move(crate::common::scene::id(2456), CgroupPath::new(SESSION));
    assert_eq!(writes(&scene.asked()), [one([back])]);
    // A user asks the own manager.
    let mut scene = moving(7, SESSION);
    scene.keys("Enter");
    let own = scope(
        Manager::User(7),
        "app.slice",
        &format!("{user}/user@7.service/app.slice"),
    );
    assert_eq!(writes(&scene.asked()), [one([own])]);
}

#[test]
fn past_systemd_a_group_is_made_and_outside_its_units_too() {
    let mut scene = moving(0, SESSION);
    scene.keys("BackTab");
    shows(&scene, "make the group /oomtop-mysqld-2456");
    shows(&scene, "systemd loses sight of it");
    for from in ["/docker/4f5e", "/mine"] {
        let scene = moving(0, from);
        shows(&scene, "make the group /oomtop-mysqld-2456");
        assert!(!scene.text().contains("past systemd"));
    }
}

#[test]
fn a_name_that_systemd_would_not_take_is_said() {
    let mut scene = moving(0, SESSION);
    scene.keys("Up").types(" x");
    shows(&scene, "a scope is named by letters, digits and :-_.@");
    scene.keys("Enter");
    assert!(writes(&scene.asked()).is_empty());
}
