//! Units of systemd in the dialogs: who gives a limit, and what a service starts with later.

mod kinds;
mod oomd;
mod reverted;
mod scopes;

use std::sync::Arc;

use crate::common::scene::{Scene, host, id, processes, snapshot};
use crate::common::styled::{dialog, styled_view};
use crate::common::writes::{adj, adj_done, done, failed, one, receipt, writes};
use oomtop::app::msg::{Effect, Msg};
use oomtop::app::settings::Settings;
use oomtop::model::cgroup::limits::{LimitFile, LimitValue};
use oomtop::model::cgroup::{CgroupKey, CgroupPath};
use oomtop::model::killers::oom_policy::{Manager, OomPolicy, Unit};
use oomtop::model::plan::receipt::{FailureKind, Reading};
use oomtop::model::plan::step::{CgroupStep, LimitWrite, Step, UnitLimit, UnitStep};
use oomtop::model::process::ProcessId;
use oomtop::model::process::score::OomScoreAdj;
use oomtop::model::snapshot::Host;
use oomtop::model::systemd::drop_in::{DropInWrite, Found, Setting};
use oomtop::model::systemd::{Kept, Lasting, Left, UnitLimitReading, UnitName};
use oomtop::ui::theme::Theme;

fn mysql() -> UnitName {
    UnitName {
        name: "mysql.service".to_owned(),
        manager: Manager::System,
    }
}

/// A host that systemd runs, as root; mysqld (2456) is selected.
fn scene(width: u16, height: u16) -> Scene {
    let host = Host {
        systemd: true,
        ..host()
    };
    Scene::with(width, height, Settings::default(), host)
}

/// The limits of mysql.service.
fn limits(width: u16, height: u16) -> Scene {
    let mut scene = scene(width, height);
    scene.keys("c").tell(Msg::Groups(Ok(Vec::new())));
    scene.keys("Tab Tab").types("12G");
    scene.effects.clear();
    scene
}

fn write() -> LimitWrite {
    LimitWrite {
        file: LimitFile::Max,
        value: LimitValue::Amount(12 << 30),
    }
}

fn group() -> CgroupPath {
    CgroupPath::new("/system.slice/mysql.service")
}

fn by_systemd(lasting: Lasting) -> Step {
    UnitStep::Limit(UnitLimit {
        unit: mysql(),
        group: group(),
        write: write(),
        lasting,
        leave: None,
    })
    .into()
}

fn shows(scene: &Scene, words: &str) {
    let text = scene.text().replace('│', " ");
    let text: Vec<_> = text.split_whitespace().collect();
    let text = text.join(" ");
    assert!(text.contains(words), "no {words:?} in\n{}", scene.text());
}

#[test]
fn systemd_gives_its_unit_the_limit_for_as_long_as_is_chosen() {
    let mut scene = limits(120, 36);
    shows(
        &scene,
        "let systemd set MemoryMax=12884901888 (12 GiB) of mysql.service, until the next boot",
    );
    scene.keys("Enter");
    assert_eq!(
        writes(&scene.asked()),
        [one([by_systemd(Lasting::Runtime)])]
    );
    let mut scene = limits(120, 36);
    scene.keys("BackTab Enter");
    assert_eq!(
        writes(&scene.asked()),
        [one([by_systemd(Lasting::Persistent)])]
    );
    let mut scene = limits(120, 36);
    scene.keys("BackTab BackTab");
    shows(&scene, "systemd owns this group");
    scene.keys("Enter");
    assert_eq!(
        writes(&scene.asked()),
        [one([CgroupStep::Limit(group(), write())])]
    );
}

#[test]
fn without_systemd_the_file_is_written() {
    let mut scene = Scene::new(120, 36);
    scene.keys("c").tell(Msg::Groups(Ok(Vec::new())));
    scene.keys("Tab Tab").types("12G").keys("BackTab");
    scene.effects.clear();
    scene.keys("Enter");
    assert_eq!(
        writes(&scene.asked()),
        [one([CgroupStep::Limit(group(), write())])]
    );
}

#[test]
fn its_undo_restores_property_and_file() {
    let mut scene = limits(120, 36);
    scene.keys("Enter");
    let value = |property, shown| {
        Reading::UnitLimit(UnitLimitReading {
            property,
            shown,
            kept: Kept::Nothing,
        })
    };
    let (old, raw) = (LimitValue::Unlimited, LimitValue::Amount(11 << 30));
    let now = write().value;
    let done = done(
        by_systemd(Lasting::Runtime),
        value(old, raw),
        value(now, now),
    );
    scene.answer(vec![receipt(vec![done])]);
    shows(&scene, "done let systemd set MemoryMax=");
    scene.keys("Enter").effects.clear();
    scene.keys("u");
    shows(
        &scene,
        "MemoryMax=infinity of mysql.service, as before, and write 11811160064 (11 GiB) to its memory.max past systemd, and \
         remove what it keeps of the new value",
    );
    scene.keys("Enter");
    let by_systemd = UnitStep::Limit(UnitLimit {
        unit: mysql(),
        group: group(),
        write: LimitWrite {
            file: LimitFile::Max,
            value: old,
        },
        lasting: Lasting::Runtime,
        leave: Some(Left {
            shown: raw,
            kept: Kept::Nothing,
        }),
    });
    assert_eq!(writes(&scene.asked()), [one([Step::from(by_systemd)])]);
}

fn later(found: &Found, lasting: Lasting) -> DropInWrite {
    let setting = Setting::ScoreAdjust(OomScoreAdj::clamped(-200));
    DropInWrite::setting(mysql(), lasting, found, setting).seen_in(Some(group()))
}

#[test]
fn a_value_for_later_is_shown_as_a_file_and_written_with_the_value_for_now() {
    let mut scene = scene(120, 36);
    scene.keys("a Up BackTab");
    let asked = scene.asked();
    assert_eq!(asked, [Effect::ReadDropIn(mysql(), Lasting::Persistent)]);
    shows(&scene, "reading the drop-in");
    scene.keys("Enter");
    assert_eq!(scene.asked(), [], "nothing is written that was not shown");
    let found = Found::default();
    scene.tell(Msg::DropIn(mysql(), Lasting::Persistent, Ok(found.clone())));
    shows(
        &scene,
        "write /etc/systemd/system/mysql.service.d/50-oomtop.conf",
    );
    shows(&scene, "+ OOMScoreAdjust=-200");
    scene.keys("Enter");
    let write = UnitStep::DropIn(later(&found, Lasting::Persistent));
    let mut wanted = one([adj(2456, -200)]);
    wanted.extend(one([write.clone()]));
    assert_eq!(writes(&scene.asked()), [wanted]);
    let after = Found {
        text: later(&found, Lasting::Persistent).text,
        directory: true,
    };
    let kept = done(write, Reading::DropIn(found), Reading::DropIn(after));
    scene.answer(vec![adj_done(2456, 0, -200), receipt(vec![kept])]);
    assert!(scene.state.dialogs.is_empty(), "{}", scene.text());
    shows(&scene, "mysql.service starts with OOMScoreAdjust=-200");
    scene.effects.clear();
    scene.keys("u");
    shows(
        &scene,
        "remove /etc/systemd/system/mysql.service.d/50-oomtop.conf, then daemon-reload",
    );
    scene.keys("Enter");
    let back = later(&Found::default(), Lasting::Persistent).back(false);
    let undone = writes(&scene.asked());
    let steps: Vec<Step> = undone
        .concat()
        .into_iter()
        .flat_map(|plan| plan.steps)
        .collect();
    assert_eq!(steps, [UnitStep::DropIn(back).into(), adj(2456, 0)]);
}

#[test]
fn an_answer_for_another_choice_or_a_failure_writes_nothing() {
    let mut scene = scene(120, 36);
    scene.keys("a Up BackTab BackTab").effects.clear();
    scene.tell(Msg::DropIn(
        mysql(),
        Lasting::Persistent,
        Ok(Found::default()),
    ));
    scene.keys("Enter");
    assert_eq!(scene.asked(), []);
    let why = "/run/systemd/system/mysql.service.d: no permission; run oomtop as root.";
    scene.tell(Msg::DropIn(mysql(), Lasting::Runtime, Err(why.to_owned())));
    shows(&scene, "no permission");
    scene.keys("Enter");
    assert_eq!(scene.asked(), []);
    // A third press is for what runs now alone.
    scene.keys("BackTab Enter");
    assert_eq!(writes(&scene.asked()), [one([adj(2456, -200)])]);
}

#[test]
fn a_drop_in_that_fails_is_named_and_the_value_for_now_stays() {
    let mut scene = scene(120, 36);
    scene.keys("a Up BackTab");
    scene.tell(Msg::DropIn(
        mysql(),
        Lasting::Persistent,
        Ok(Found::default()),
    ));
    scene.keys("Enter");
    let write = UnitStep::DropIn(later(&Found::default(), Lasting::Persistent));
    let why = "systemd cannot be reached over D-Bus";
    let failed = failed(write, Reading::Nothing, FailureKind::Denied, why);
    scene.answer(vec![adj_done(2456, 0, -200), receipt(vec![failed])]);
    shows(&scene, why);
    shows(&scene, "done 2456 mysqld → -200");
    scene.keys("Esc u");
    shows(&scene, "Undo mysqld -200 → 0");
}

#[test]
fn frames() {
    for (width, height) in [(80, 24), (120, 36)] {
        let mut scene = limits(width, height);
        scene.keys("BackTab");
        let view = styled_view(&dialog(&scene.buffer(&Theme::colours())));
        insta::assert_snapshot!(format!("unit_limit_{width}x{height}"), view);
        let mut scene = self::scene(width, height);
        scene.keys("a Up BackTab");
        let found = Found {
            text: Some("[Service]\nOOMScoreAdjust=300\nOOMPolicy=continue\n".to_owned()),
            directory: true,
        };
        scene.tell(Msg::DropIn(mysql(), Lasting::Persistent, Ok(found)));
        let view = styled_view(&dialog(&scene.buffer(&Theme::colours())));
        insta::assert_snapshot!(format!("for_later_{width}x{height}"), view);
    }
}

/// A sample in which mysql.service is a unit with this policy.
fn tell_unit(
    scene: &mut Scene,
    policy: OomPolicy,
    main: Option<ProcessId>,
    adj: Option<OomScoreAdj>,
) {
    let mut groups = scene.state.snapshot.cgroups.iter();
    let at = groups.position(|known| known.path == group());
    let mut sample = snapshot(3, processes());
    sample.units = Arc::new(vec![Unit {
        group: CgroupKey(u32::try_from(at.expect("the unit")).expect("small")),
        policy,
        main,
        adj,
        has_old_limit: adj.is_some(),
    }]);
    scene.tell(Msg::Sampled(Arc::new(sample)));
}

#[test]
fn a_process_that_differs_from_its_unit_and_an_old_name_are_named() {
    let mut scene = scene(120, 36);
    let says = OomScoreAdj::new(-500);
    tell_unit(&mut scene, OomPolicy::Continue, Some(id(2456)), says);
    scene.keys("Enter");
    shows(
        &scene,
        "mysql.service says OOMScoreAdjust=-500 (its files are read once a minute), the process has 0",
    );
    shows(&scene, "write MemoryMax=");
    scene.effects.clear();
    scene.keys("o");
    assert_eq!(scene.asked(), [], "its others live on anyway");
    // What a service starts itself may have another value on purpose.
    tell_unit(&mut scene, OomPolicy::Continue, Some(id(1)), says);
    assert!(!scene.text().contains("drift"), "{}", scene.text());
}

#[test]
fn with_its_main_process_a_service_ends_whatever_its_policy_is() {
    let mut scene = scene(120, 36);
    tell_unit(&mut scene, OomPolicy::Stop, Some(id(2456)), None);
    scene.keys("Enter").effects.clear();
    assert!(
        !scene.text().contains("keep the others"),
        "{}",
        scene.text()
    );
    scene.keys("o");
    assert_eq!(scene.asked(), []);
}

#[test]
fn the_others_of_a_service_are_kept_by_a_drop_in_that_is_shown_first() {
    let mut scene = scene(120, 36);
    tell_unit(&mut scene, OomPolicy::Stop, None, None);
    scene.keys("Enter");
    shows(&scene, "keep the others");
    scene.effects.clear();
    scene.keys("o Enter");
    let asked = scene.asked();
    assert_eq!(asked, [Effect::ReadDropIn(mysql(), Lasting::Persistent)]);
    scene.keys("BackTab");
    let asked = scene.asked();
    assert_eq!(asked, [Effect::ReadDropIn(mysql(), Lasting::Runtime)]);
    let found = Found::default();
    scene.tell(Msg::DropIn(mysql(), Lasting::Runtime, Ok(found.clone())));
    shows(
        &scene,
        "write /run/systemd/system/mysql.service.d/50-oomtop.conf",
    );
    shows(&scene, "+ OOMPolicy=continue");
    shows(&scene, "it counts at once");
    let setting = Setting::Policy(OomPolicy::Continue);
    let write = DropInWrite::setting(mysql(), Lasting::Runtime, &found, setting);
    let write = write.seen_in(Some(group()));
    scene.keys("Enter");
    assert_eq!(
        writes(&scene.asked()),
        [one([UnitStep::DropIn(write.clone())])]
    );
    // Its receipt is awaited: a second offer would lose it.
    scene.effects.clear();
    scene.keys("o");
    assert_eq!(scene.asked(), []);
    let after = Found {
        text: write.text.clone(),
        directory: true,
    };
    let kept = done(
        UnitStep::DropIn(write.clone()),
        Reading::DropIn(found),
        Reading::DropIn(after),
    );
    scene.answer(vec![receipt(vec![kept])]);
    shows(
        &scene,
        "done write /run/systemd/system/mysql.service.d/50-oomtop.conf",
    );
    scene.keys("Esc Esc").effects.clear();
    scene.keys("u Enter");
    assert_eq!(
        writes(&scene.asked()),
        [one([UnitStep::DropIn(write.back(false))])]
    );
}
