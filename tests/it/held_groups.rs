//! The group of an open dialog is held, as the screen shows it: another one may have its path by the time of the write.

use std::sync::Arc;

use crate::common::scene::{Scene, host};
use crate::common::writes::{done, receipt, writes};
use oomtop::app::msg::{Effect, Msg};
use oomtop::app::settings::Settings;
use oomtop::model::cgroup::limits::{LimitFile, LimitValue};
use oomtop::model::cgroup::{CgroupPath, GroupId};
use oomtop::model::plan::receipt::{PlanReceipt, Reading};
use oomtop::model::plan::step::{CgroupStep, LimitWrite, Step};

type Held = Vec<(CgroupPath, Option<u64>)>;

/// A sample in which all groups are this instance.
fn sampled(scene: &mut Scene, instance: u64) {
    let mut snapshot = (*scene.state.snapshot).clone();
    for group in Arc::make_mut(&mut snapshot.cgroups) {
        group.instance = Some(instance);
    }
    snapshot.seq += 1;
    scene.tell(Msg::Sampled(Arc::new(snapshot)));
}

fn held(scene: &mut Scene) -> Vec<Held> {
    let effects = std::mem::take(&mut scene.effects);
    let hold = |effect: Effect| match effect {
        Effect::HoldGroups(groups) => Some(groups),
        _ => None,
    };
    effects.into_iter().filter_map(hold).collect()
}

#[test]
fn a_dialog_holds_its_group_as_it_was_shown() {
    let mut scene = Scene::with(120, 36, Settings::default(), host());
    for keys in ["Down c", "Down i"] {
        sampled(&mut scene, 7);
        scene.effects.clear();
        scene.keys(keys);
        let opened = held(&mut scene);
        let first = opened.first().and_then(|groups| groups.first());
        assert!(
            first
                .is_some_and(|(path, instance)| path.as_str().starts_with("/docker/")
                    && *instance == Some(7)),
            "{keys}: {opened:?}"
        );
        // The service has started again: nothing is confirmed before the screen has said so.
        sampled(&mut scene, 8);
        let again = held(&mut scene);
        assert_eq!(again.len(), 2, "{keys}: {again:?}");
        assert_eq!(again[0], vec![], "the old one is let go of");
        let first = again[1].first().expect("the new one");
        assert_eq!(first.1, Some(8), "{keys}");
        assert!(scene.text().contains("was made anew"), "{}", scene.text());
        sampled(&mut scene, 8);
        assert_eq!(held(&mut scene), Vec::<Held>::new(), "{keys}: once");
        scene.keys("Esc");
        assert_eq!(held(&mut scene), [vec![]], "{keys}");
        scene.keys("Up");
    }
}

#[test]
fn an_undo_means_the_groups_of_its_write() {
    let mut scene = Scene::with(120, 36, Settings::default(), host());
    let path = CgroupPath::new("/web");
    let file = LimitFile::Max;
    let value = LimitValue::Amount(1 << 30);
    let limit = |value| Step::from(CgroupStep::Limit(path.clone(), LimitWrite { file, value }));
    let was = LimitValue::Unlimited;
    let written = done(limit(value), Reading::Limit(was), Reading::Limit(value));
    let groups = vec![GroupId {
        path: path.clone(),
        instance: 7,
    }];
    scene.keys("a - 1 Enter");
    scene.answer(vec![PlanReceipt {
        groups: groups.clone(),
        ..receipt(vec![written])
    }]);
    scene.keys("Esc u");
    scene.effects.clear();
    scene.keys("Enter");
    let undo = writes(&scene.asked()).remove(0);
    assert_eq!(undo[0].steps, [limit(was)]);
    assert_eq!(undo[0].groups, groups);
}
