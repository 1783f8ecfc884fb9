//! What systemd-oomd does with a unit, in the dialog of its limits.

use super::{group, limits, mysql, shows};
use crate::common::scene::Scene;
use crate::common::styled::{dialog, styled_view};
use crate::common::writes::{done, one, receipt, writes};
use oomtop::app::msg::{Effect, Msg};
use oomtop::model::plan::receipt::Reading;
use oomtop::model::plan::step::{Step, UnitStep};
use oomtop::model::systemd::oomd::{OomdSetting, OomdValue, UnitOomd, UnitOomdReading};
use oomtop::model::systemd::{Kept, Lasting};
use oomtop::ui::theme::Theme;

fn found() -> Vec<(OomdSetting, OomdValue)> {
    OomdSetting::ALL
        .iter()
        .map(|setting| {
            let word = setting.words().first();
            (
                *setting,
                word.map_or(OomdValue::Scaled(0), |word| OomdValue::Word(word)),
            )
        })
        .collect()
}

/// The page about systemd-oomd of mysql.service.
fn page(width: u16, height: u16) -> Scene {
    let mut scene = limits(width, height);
    scene.keys("Tab");
    assert_eq!(scene.asked(), [Effect::ReadOomd(mysql())]);
    scene.tell(Msg::Oomd(mysql(), Ok(found())));
    scene
}

fn step(setting: OomdSetting, typed: &str, lasting: Lasting) -> Step {
    UnitStep::Oomd(UnitOomd {
        unit: mysql(),
        group: group(),
        setting,
        value: setting.parse(typed).expect("valid").expect("a value"),
        lasting,
        leave: None,
    })
    .into()
}

#[test]
fn the_limit_counts_before_anybody_may_be_killed_and_the_undo_is_offered() {
    let mut scene = page(120, 40);
    scene.types("kill").keys("Down").types("80").keys("BackTab");
    shows(&scene, "now auto");
    shows(&scene, "now 0%, the default");
    shows(
        &scene,
        "systemd-oomd does not run: systemd keeps these values",
    );
    shows(&scene, "kills a whole group with SIGKILL");
    scene.keys("Enter");
    let lasting = Lasting::Persistent;
    let steps = [
        step(OomdSetting::PressureLimit, "80%", lasting),
        step(OomdSetting::Pressure, "kill", lasting),
    ];
    assert_eq!(writes(&scene.asked()), [one(steps.clone())]);
    let reading = |value| {
        Reading::UnitOomd(UnitOomdReading {
            value,
            kept: Kept::Nothing,
            is_pending: false,
        })
    };
    let done = steps.map(|step| {
        let Step::Unit(UnitStep::Oomd(oomd)) = &step else {
            panic!("{step:?}");
        };
        let was = found()
            .into_iter()
            .find(|(setting, _)| *setting == oomd.setting);
        let (before, after) = (reading(was.expect("it").1), reading(oomd.value));
        done(step, before, after)
    });
    scene.answer(vec![receipt(done.to_vec())]);
    shows(
        &scene,
        "done let systemd set ManagedOOMMemoryPressure=kill of mysql.service, for good → kill, was auto",
    );
    scene.keys("Enter");
    shows(
        &scene,
        "2 settings of mysql.service for systemd-oomd set and read back",
    );
    scene.keys("u");
    shows(
        &scene,
        "let systemd set ManagedOOMMemoryPressure=auto of mysql.service, as before, and remove what it keeps",
    );
}

#[test]
fn what_is_no_value_is_said_and_nothing_is_written() {
    let mut scene = page(120, 40);
    scene.types("killed").keys("Enter");
    shows(&scene, "ManagedOOMMemoryPressure: auto or kill");
    assert_eq!(writes(&scene.asked()), Vec::<Vec<_>>::new());
}

#[test]
fn a_systemd_that_does_not_answer_leaves_the_values_unknown() {
    let mut scene = limits(120, 40);
    scene
        .keys("Tab")
        .tell(Msg::Oomd(mysql(), Err("No answer.".to_owned())));
    shows(&scene, "now n/a");
    shows(&scene, "The present values are not known: No answer.");
}

#[test]
fn the_page_about_systemd_oomd() {
    for (width, height) in [(80, 24), (120, 36)] {
        let mut scene = page(width, height);
        scene.types("kill");
        let name = format!("systemd_oomd_{width}x{height}");
        insta::assert_snapshot!(name, styled_view(&dialog(&scene.buffer(&Theme::colours()))));
    }
}
