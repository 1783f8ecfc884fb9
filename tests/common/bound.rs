//! Scenes with keys other than the defaults. Tests name actions; the scene's keymap gives the keys.

use super::scene::{Scene, processes};
use super::writes::{adj, adj_done, changed};
use oomtop::app::input::actions::keymap;
use oomtop::app::input::id::ActionId as Id;
use oomtop::app::msg::Msg;
use oomtop::model::plan::receipt::Reading;
use oomtop::model::process::score::OomScoreAdj;
use oomtop::model::process::{Process, TaskState};

/// A scene with these keys instead of the defaults.
pub(crate) fn bound(mut scene: Scene, overrides: &[(&str, &[&str])]) -> Scene {
    scene.state.keymap = keymap(overrides).unwrap_or_else(|bad| panic!("{bad}"));
    scene
}

/// Presses the keys bound to these actions.
pub(crate) fn does<'s>(scene: &'s mut Scene, actions: &[Id]) -> &'s mut Scene {
    for action in actions {
        let scope = scene.state.key_scope();
        let key = scene.state.keymap.key_in(scope, *action);
        let key = key.unwrap_or_else(|| panic!("{action} has no key in the {}", scope.name()));
        scene.tell(Msg::Key(key));
    }
    scene
}

/// Another program has changed the value that oomtop wrote, then the user pressed undo.
pub(crate) fn asked_again(mut scene: Scene) -> Scene {
    does(&mut scene, &[Id::Adjust, Id::Up, Id::Commit]).answer(vec![adj_done(2456, 0, -200)]);
    let now = Reading::Adj(OomScoreAdj::clamped(77));
    does(&mut scene, &[Id::Undo, Id::Commit]).answer(vec![changed(adj(2456, -200), now)]);
    does(&mut scene, &[Id::Undo]);
    scene
}

/// The processes of the scene; java has just ended.
pub(crate) fn without_java() -> Vec<Process> {
    let mut now = processes();
    for java in now.iter_mut().filter(|p| p.id.pid == 1892) {
        (java.state, java.memory) = (TaskState('Z'), None);
    }
    now
}
