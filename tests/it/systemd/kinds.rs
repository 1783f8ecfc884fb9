//! Units of users, scopes, and processes of several services; and what an undo warns of.

use std::sync::Arc;

use super::{limits, mysql, scene, shows, write};
use crate::common::scene::{Scene, host, processes, snapshot};
use crate::common::writes::{adj, done, receipt, writes};
use oomtop::app::msg::{Effect, Msg};
use oomtop::app::settings::Settings;
use oomtop::model::cgroup::CgroupPath;
use oomtop::model::cgroup::limits::LimitValue;
use oomtop::model::plan::receipt::Reading;
use oomtop::model::plan::step::{CgroupStep, Step};
use oomtop::model::process::score::OomScoreAdj;
use oomtop::model::snapshot::Host;
use oomtop::model::systemd::drop_in::Found;
use oomtop::model::systemd::{Kept, Lasting, UnitLimitReading};

const USER: &str = "/user.slice/user-1000.slice/user@1000.service";

/// The host seen by this user; mysqld is in `own`, and postgres, with an adj of 100, in `other`.
fn of_user(uid: u32, own: &str, other: &str) -> Scene {
    let host = Host {
        systemd: true,
        uid,
        ..host()
    };
    let mut scene = Scene::with(120, 40, Settings::default(), host);
    let mut processes = processes();
    for process in &mut processes {
        if process.comm.text() == "postgres" {
            process.adj = OomScoreAdj::new(100);
        }
    }
    let mut sample = snapshot(3, processes);
    let groups = Arc::make_mut(&mut sample.cgroups);
    groups[2].path = CgroupPath::new(own);
    groups[3].path = CgroupPath::new(other);
    scene.tell(Msg::Sampled(Arc::new(sample)));
    scene
}

#[test]
fn a_users_manager_starts_nobody_below_itself_and_forgets_at_the_last_logout() {
    let own = format!("{USER}/app.slice/db.service");
    let manager = format!("{USER}/init.scope");
    for (value, refused) in [("50", true), ("150", false)] {
        let mut scene = of_user(1000, &own, &manager);
        scene.keys("a").types(value).keys("BackTab");
        let asked = scene.asked();
        let Some(Effect::ReadDropIn(unit, Lasting::Persistent)) = asked.last() else {
            panic!("{asked:?}");
        };
        scene.tell(Msg::DropIn(
            unit.clone(),
            Lasting::Persistent,
            Ok(Found::default()),
        ));
        shows(&scene, "until the last logout");
        if refused {
            shows(&scene, "systemd of user 1000 has 100 itself");
        } else {
            shows(&scene, "+ OOMScoreAdjust=150");
        }
        scene.effects.clear();
        scene.keys("Enter");
        assert_eq!(
            writes(&scene.asked()).is_empty(),
            refused,
            "{}",
            scene.text()
        );
    }
}

#[test]
fn systemd_of_another_user_is_not_asked_by_root() {
    let own = format!("{USER}/app.slice/db.service");
    let mut scene = of_user(0, &own, "/other");
    scene.keys("c").tell(Msg::Groups(Ok(Vec::new())));
    scene.keys("Tab Tab").types("12G").effects.clear();
    assert!(!scene.text().contains("by whom"), "{}", scene.text());
    scene.keys("Enter");
    let step: Step = CgroupStep::Limit(CgroupPath::new(&own), write()).into();
    assert_eq!(writes(&scene.asked()).concat()[0].steps, [step]);
}

#[test]
fn a_scope_keeps_nothing_for_longer_than_it_runs() {
    let mut scene = of_user(0, "/user.slice/user-7.slice/session-3.scope", "/other");
    scene.keys("c").tell(Msg::Groups(Ok(Vec::new())));
    scene.keys("Tab Tab").types("12G");
    shows(&scene, "of session-3.scope, while it runs");
    shows(&scene, "[systemd, while it runs] past systemd");
    scene.keys("BackTab");
    shows(&scene, "[past systemd]");
    scene.keys("BackTab");
    shows(&scene, "[systemd, while it runs]");
}

/// The other processes are of another service: there is no one file for all of them.
#[test]
fn nothing_is_left_for_later_where_the_processes_are_of_several_services() {
    let mut scene = scene(120, 40);
    let mut processes = processes();
    for process in &mut processes {
        if process.comm.text() == "postgres" {
            process.ppid = 2456;
        }
    }
    scene.sample(processes);
    scene.keys("a Up BackTab");
    scene.tell(Msg::DropIn(
        mysql(),
        Lasting::Persistent,
        Ok(Found::default()),
    ));
    scene.keys("Tab").effects.clear();
    scene.keys("Enter Enter");
    let written = writes(&scene.asked()).concat();
    let steps: Vec<Step> = written.into_iter().flat_map(|plan| plan.steps).collect();
    assert_eq!(steps, [adj(956, -200), adj(2456, -200)], "{}", scene.text());
    scene.keys("Esc");
}

/// systemd writes its own limit before the one that was set past it is written again.
#[test]
fn an_undo_over_a_lower_limit_of_systemd_warns() {
    let mut scene = limits(120, 40);
    scene.keys("Enter");
    let value = |property, shown| {
        Reading::UnitLimit(UnitLimitReading {
            property,
            shown,
            kept: Kept::Nothing,
        })
    };
    let asked = writes(&scene.asked()).concat();
    let before = value(LimitValue::Amount(4 << 30), LimitValue::Unlimited);
    let after = value(write().value, write().value);
    let done = done(asked[0].steps[0].clone(), before, after);
    scene.answer(vec![receipt(vec![done])]);
    scene.keys("Enter");
    scene.tell(Msg::Sampled(Arc::new(snapshot(9, processes()))));
    scene.keys("u");
    shows(&scene, "back to 4 GiB can kill at once");
}

#[test]
fn who_may_not_is_told_before_the_write_what_will_happen() {
    for keys in ["a Up", "k"] {
        // mysqld runs as uid 113.
        for (uid, words) in [(1000, true), (113, false), (0, false)] {
            let mut scene = of_user(uid, "/a.service", "/b.service");
            scene.keys(keys);
            let text = scene.text().replace('│', " ");
            let text: Vec<_> = text.split_whitespace().collect();
            let text = text.join(" ");
            let said = text.contains("belongs to another user than") && text.contains("sudo");
            assert_eq!(said, words, "{keys} {uid}\n{}", scene.text());
        }
    }
}
