//! Frames as snapshots, with their styles.

use std::sync::Arc;

use crate::common::scene::{Scene, host, kill_report, processes};
use crate::common::styled::{cropped, dialog, styled_view};
use oomtop::app::msg::Msg;
use oomtop::app::settings::Settings;
use oomtop::model::event_source::EventSource;
use oomtop::oomlog::OomEvent;
use oomtop::ui::theme::Theme;
use ratatui::layout::Rect;

const SIZES: [(u16, u16); 4] = [(40, 10), (80, 24), (120, 36), (200, 50)];

fn check(name: &str, scene: &Scene) {
    insta::assert_snapshot!(name, styled_view(&scene.buffer(&Theme::colours())));
}

/// A kill in the container while oomtop looks on.
fn busy(width: u16, height: u16) -> Scene {
    let mut scene = Scene::new(width, height);
    let path = format!("/docker/{}", "4f5e6d7c8b9a0123".repeat(4));
    scene.tell(Msg::Oom(OomEvent::Report(Arc::new(kill_report(
        2,
        2,
        1892,
        "java",
        Some(&path),
    )))));
    // The notice of the kill gives way to the keys.
    for _ in 0..16 {
        scene.sample(processes());
    }
    scene
}

#[test]
fn main_screen_at_every_size() {
    for (width, height) in SIZES {
        check(&format!("main_{width}x{height}"), &busy(width, height));
    }
}

#[test]
fn dialogs_at_every_size() {
    for (width, height) in SIZES {
        for (name, keys) in [
            ("adjust", "a Up"),
            ("cgroup", "c"),
            ("help", "?"),
            ("details", "Enter"),
            ("signal", "k"),
            ("settings", "S"),
        ] {
            let mut scene = busy(width, height);
            scene.keys(keys);
            scene.tell(Msg::Groups(Ok(Vec::new())));
            let view = styled_view(&dialog(&scene.buffer(&Theme::colours())));
            insta::assert_snapshot!(format!("{name}_{width}x{height}"), view);
        }
    }
}

#[test]
fn without_colour_and_without_unicode() {
    let scene = busy(120, 36);
    insta::assert_snapshot!("mono_120x36", styled_view(&scene.buffer(&Theme::mono())));
    let settings = Settings {
        ascii: true,
        ..Settings::default()
    };
    let mut scene = Scene::with(80, 24, settings, host());
    scene.keys("a");
    let view = scene.text();
    assert!(view.is_ascii(), "{view}");
    insta::assert_snapshot!("ascii_80x24", view);
}

#[test]
fn what_is_missing_is_said() {
    let mut scene = Scene::new(80, 24);
    scene.tell(Msg::Source(EventSource {
        name: "counters only".to_owned(),
        missing: "kills are counted but not explained; /dev/kmsg: no permission".to_owned(),
        caught_up: true,
        ..EventSource::default()
    }));
    scene.tell(Msg::SampleFailed("cannot read /proc".to_owned()));
    // The notes are around the table: above its title, and from the events on.
    let buffer = scene.buffer(&Theme::colours());
    let panes = scene.state.panes();
    let above = Rect {
        height: panes.table_title.bottom(),
        ..panes.screen
    };
    let below = Rect {
        y: panes.events_title.y,
        height: panes.screen.bottom() - panes.events_title.y,
        ..panes.screen
    };
    insta::assert_snapshot!("missing_above_80x24", styled_view(&cropped(&buffer, above)));
    insta::assert_snapshot!("missing_below_80x24", styled_view(&cropped(&buffer, below)));
}

#[test]
fn before_the_first_sample() {
    let state = oomtop::app::State::new(
        Settings::default(),
        host(),
        (80, 24),
        crate::common::scene::moment(0),
    );
    let mut buffer = ratatui::buffer::Buffer::empty(Rect::new(0, 0, 80, 24));
    let theme = Theme::colours();
    oomtop::ui::Screen {
        state: &state,
        theme: &theme,
    }
    .draw(buffer.area, &mut buffer);
    insta::assert_snapshot!("first_80x24", styled_view(&buffer));
}

#[test]
fn no_size_panics_with_anything_open() {
    for width in (0_u16..60).chain([79, 80, 131, 300]) {
        for height in (0_u16..30).chain([50, 100]) {
            // What does not fit makes the trouble: of the larger sizes a quarter is enough.
            if width > 20 && height > 10 && !(width + height).is_multiple_of(4) {
                continue;
            }
            let mut scene = Scene::new(width, height);
            // Each size opens a third of them; the sizes beside it open the others.
            let turn = usize::from(width + height) % 3;
            for keys in [
                "",
                "Esc a",
                "Esc c Tab",
                "Esc ?",
                "Esc k",
                "Esc S End",
                "Esc m End",
                "Esc Enter",
                "Esc / x",
                "Esc e Enter",
            ]
            .into_iter()
            .skip(turn)
            .step_by(3)
            {
                scene.keys(keys);
                scene.buffer(&Theme::colours());
            }
        }
    }
}
