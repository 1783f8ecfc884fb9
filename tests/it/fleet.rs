//! Frames of `oomtop fleet`.

use oomtop::app::fleet::{Msg, Round, State, update};
use oomtop::model::fleet::{Depth, Domain, Health, Host};
use oomtop::ui::canvas::Canvas;
use oomtop::ui::fleet::draw;
use oomtop::ui::theme::Theme;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::common::styled::styled_view;

fn hosts() -> Vec<Host> {
    let host = |name: &str| Host {
        name: name.to_owned(),
        used: Some(0.42),
        left: Some(9e9),
        kills: Some(0.0),
        victim: Some("java of tomcat.service".to_owned()),
        past: (0_u32..11).map(|n| f64::from(n) / 10.0).collect(),
        ..Host::default()
    };
    let web = Domain {
        name: "/system.slice/web.service".to_owned(),
        unit: "web.service".to_owned(),
        urgency: 3,
        used: Some(0.93),
        time_left: Some(41.0),
        victim: Some("python3 or node".to_owned()),
        ..Domain::default()
    };
    let stuck = Domain {
        name: "/batch".to_owned(),
        urgency: 4,
        stuck: true,
        used: Some(1.0),
        ..Domain::default()
    };
    vec![
        Host {
            domains: vec![stuck, web.clone()],
            kills: Some(3.0),
            ..host("db-1.example")
        },
        Host {
            domains: vec![web],
            ..host("a-name-that-is-longer-than-its-column")
        },
        Host {
            health: Health::Down(Some(4000.0)),
            used: None,
            left: None,
            kills: None,
            ..host("gone")
        },
        Host {
            health: Health::Old(130.0),
            ..host("late")
        },
        Host {
            depth: Depth::Shallow,
            left: None,
            past: Vec::new(),
            victim: None,
            ..host("bare\u{1b}[2J")
        },
        host("calm"),
    ]
}

fn answered(asked: u64, outcome: Result<Round, String>) -> Msg {
    Msg::Answered { asked, outcome }
}

fn frame(size: (u16, u16), failure: Option<&str>) -> String {
    let mut state = State::new("http://prometheus:9090".to_owned(), size);
    let round = Round {
        hosts: hosts(),
        ..Round::default()
    };
    update(&mut state, answered(0, Ok(round)));
    if let Some(why) = failure {
        update(&mut state, Msg::Tick(70));
        update(&mut state, answered(70, Err(why.to_owned())));
    }
    let mut buffer = Buffer::empty(Rect::new(0, 0, size.0, size.1));
    draw(
        &state,
        &mut Canvas::new(&mut buffer, &Theme::colours(), false),
    );
    styled_view(&buffer)
}

#[test]
fn hosts_on_a_narrow_and_on_a_wide_screen() {
    insta::assert_snapshot!("fleet_80", frame((80, 18), None));
    insta::assert_snapshot!(
        "fleet_120",
        frame(
            (120, 18),
            Some("http://prometheus:9090 has not answered within 8 s")
        )
    );
}

#[test]
fn no_size_is_too_small() {
    for width in 0..40 {
        for height in 0..20 {
            frame((width, height), None);
        }
    }
}
