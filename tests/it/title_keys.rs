//! The keys in the titles of panes.

use crate::clicks::click;
use crate::common::scene::Scene;
use oomtop::app::view::title_keys::Title;

#[test]
fn a_click_on_a_key_in_a_title_does_what_the_key_does() {
    let mut seen = 0;
    for (width, height) in [(80, 24), (120, 36), (160, 40), (200, 50)] {
        for pane in ["", "d", "e"] {
            let opened = || {
                let mut scene = Scene::new(width, height);
                scene.keys(pane);
                scene
            };
            let scene = opened();
            let panes = scene.state.panes();
            let side = panes.side;
            for (title, area) in [
                (Title::Table, panes.table_title),
                (Title::Events, panes.events_title),
                (Title::History, side.history),
                (Title::Domains, side.domains),
                (Title::Selected, side.details),
            ] {
                let keys = scene.state.title_keys(title, area);
                assert!(width > 80 || keys.is_empty(), "no room for keys");
                for key in keys {
                    seen += 1;
                    let row = scene
                        .text()
                        .lines()
                        .nth(usize::from(area.y))
                        .map(str::to_owned);
                    let row: String = row.unwrap_or_default().chars().skip(key.x.into()).collect();
                    let words = format!("{}{}", key.key, key.label);
                    assert!(row.starts_with(&format!("{words} ")), "{words}: {row}");
                    for x in [key.x, key.x + key.width - 1] {
                        let (mut clicked, mut pressed) = (opened(), opened());
                        click(&mut clicked, (x, area.y));
                        pressed.keys(&key.key);
                        assert_eq!(
                            clicked.text(),
                            pressed.text(),
                            "{words} at {width}x{height}"
                        );
                        assert_eq!(clicked.control, pressed.control, "{words}");
                    }
                }
            }
        }
    }
    assert!(seen >= 20, "{seen} keys were clicked");
}
