//! What the dialog says of a drop-in that did not stay.

use super::{later, mysql, scene, shows};
use crate::common::writes::{adj_done, failed, receipt};
use oomtop::app::msg::Msg;
use oomtop::model::plan::receipt::{FailureKind, Reading, TakenBack};
use oomtop::model::plan::step::UnitStep;
use oomtop::model::systemd::Lasting;
use oomtop::model::systemd::drop_in::Found;

/// It was there for a moment: neither done nor failed alone tells that.
#[test]
fn a_drop_in_that_was_taken_back_is_called_so() {
    let mut scene = scene(120, 36);
    scene.keys("a Up BackTab");
    scene.tell(Msg::DropIn(
        mysql(),
        Lasting::Persistent,
        Ok(Found::default()),
    ));
    scene.keys("Enter");
    let write = UnitStep::DropIn(later(&Found::default(), Lasting::Persistent));
    let why = "it is written, but systemd did not load its files again";
    let failed = failed(
        write,
        Reading::DropIn(Found::default()),
        FailureKind::NotKept,
        why,
    );
    let mut plan = receipt(vec![failed]);
    plan.taken_back.push(TakenBack {
        step: 0,
        outcome: Ok(()),
    });
    scene.answer(vec![adj_done(2456, 0, -200), plan]);
    shows(
        &scene,
        "taken back write /etc/systemd/system/mysql.service.d/50-oomtop.conf",
    );
    shows(&scene, why);
}
