//! Rectangles at many sizes.

use super::{Contents, HeaderLine, Pane, panes};
use ratatui::layout::Rect;

#[test]
fn common_sizes() {
    let contents = Contents {
        events: 3,
        ..Contents::default()
    };
    let p = panes(80, 24, contents);
    assert_eq!(
        (
            p.header.len(),
            p.table_rows.height,
            p.events_rows.height,
            p.footer.y
        ),
        (5, 11, 3, 23)
    );
    let p = panes(120, 36, contents);
    assert_eq!((p.table_rows.height, p.events_rows.height), (21, 3));
    let p = panes(40, 10, contents);
    assert!(p.table_rows.height >= 3);
    for height in 2..24 {
        for alarms in 0..5 {
            let p = panes(300, height, Contents { alarms, ..contents });
            assert!(p.table_rows.height >= 1, "{height} {alarms}");
        }
        let banner = Contents {
            banner: true,
            ..contents
        };
        let p = panes(300, height, banner);
        assert!(p.table_rows.height >= 1, "{height}");
        assert_eq!(p.banner.height, u16::from(height >= 4), "{height}");
    }
}

#[test]
fn alarms_come_before_calm_domains() {
    let shown = |height, alarms, domains| {
        let contents = Contents {
            alarms,
            domains,
            ..Contents::default()
        };
        let lines = panes(80, height, contents).header;
        let is_alarm = |(line, _): &&(HeaderLine, _)| matches!(line, HeaderLine::Alarm(_));
        let is_domain = |(line, _): &&(HeaderLine, _)| matches!(line, HeaderLine::Domain(_));
        let alarms = lines.iter().filter(is_alarm).count();
        (alarms, lines.iter().filter(is_domain).count())
    };
    assert_eq!(
        [24, 20, 8, 7].map(|height| shown(height, 9, 9).0),
        [3, 1, 1, 0]
    );
    assert_eq!(
        [0, 1, 2, 3].map(|alarms| shown(24, alarms, 9)),
        [(0, 2), (1, 2), (2, 1), (3, 0)]
    );
    assert_eq!(shown(24, 0, 1), (0, 1));
    assert_eq!(
        shown(21, 0, 9),
        (0, 0),
        "a low screen has no room for what is calm"
    );
}

#[test]
fn a_wide_screen_has_a_pane_on_the_right() {
    let contents = Contents {
        side_domains: 4,
        domains: 2,
        ..Contents::default()
    };
    for (width, height, side) in [
        (159, 50, 0),
        (160, 21, 0),
        (160, 22, 44),
        (180, 50, 60),
        (200, 50, 72),
        (400, 100, 72),
    ] {
        let p = panes(width, height, contents);
        assert_eq!(p.table_rows.width, width - side, "{width}x{height}");
        let s = p.side;
        assert_eq!(
            s.history.height >= 6 && s.details.height >= 4,
            side > 0,
            "{s:?}"
        );
        let is_domain = |(line, _): &(HeaderLine, _)| matches!(line, HeaderLine::Domain(_));
        assert_eq!(
            p.header.iter().any(is_domain),
            side == 0 && height >= 22,
            "not twice"
        );
        assert_eq!(s.domain_count() >= 2, side > 0, "{s:?}");
    }
    let s = panes(200, 50, contents).side;
    assert_eq!(s.domain_count(), 4);
    assert_eq!(
        s.domain_at((s.domains.x, s.domains.y).into()),
        None,
        "the title"
    );
    assert_eq!(s.domain_at((s.domains.x, s.domains.y + 1).into()), Some(0));
    assert_eq!(s.domain_at((s.domains.x, s.domains.y + 4).into()), Some(1));
    assert_eq!(s.domain_at((s.domains.x - 1, s.domains.y + 4).into()), None);
    let none = Contents {
        side_domains: 0,
        ..contents
    };
    assert_eq!(panes(200, 50, none).side.domains.height, 0);
}

#[test]
fn the_trend_has_three_rows_where_there_is_room_and_no_other_graph() {
    let trend = |width, height, rows| {
        let contents = Contents {
            rows,
            ..Contents::default()
        };
        let header = panes(width, height, contents).header;
        let found = header.iter().find(|(line, _)| *line == HeaderLine::Trend);
        found.map(|(_, area)| area.height)
    };
    assert_eq!(
        [24, 33, 34, 50].map(|height| trend(120, height, None)),
        [1, 1, 3, 3].map(Some)
    );
    assert_eq!(trend(200, 50, None), None, "it stands on the right");
    let p = panes(
        120,
        50,
        Contents {
            rows: Some(9),
            ..Contents::default()
        },
    );
    assert!(p.below.height >= 8, "the history");
    assert_eq!(trend(120, 50, Some(9)), Some(1), "not twice");
}

#[test]
fn the_graph_on_the_right_has_what_domains_and_details_leave_over() {
    let graph = |side_domains, height| {
        let contents = Contents {
            side_domains,
            ..Contents::default()
        };
        panes(200, height, contents).side
    };
    let one = graph(1, 50).history.height;
    assert!(one > graph(9, 50).history.height, "{one}");
    assert_eq!(graph(2, 50).history.height, one, "in steps");
    for domains in 0..20 {
        for height in 22..90 {
            let side = graph(domains, height);
            assert!(side.history.height >= 6, "{domains} {height}");
            assert!(side.details.height >= 4, "{domains} {height}");
        }
    }
}

#[test]
fn members_of_a_domain_have_what_its_list_leaves_over() {
    let contents = |rows| Contents {
        domain_rows: Some(rows),
        ..Contents::default()
    };
    let p = panes(200, 36, contents(4));
    assert_eq!((p.table_rows.height, p.members.height), (7, 14));
    assert_eq!((p.side.edge.height, p.members.width), (0, 200));
    assert_eq!(p.members.y, p.table_rows.bottom());
    let p = panes(120, 36, contents(20));
    assert_eq!((p.table_rows.height, p.members.height), (21, 0));
}

#[test]
fn a_short_table_leaves_its_room_to_domains_events_or_the_history() {
    let of = |width, rows, side_domains, events| {
        let contents = Contents {
            rows: Some(rows),
            side_domains,
            events,
            ..Contents::default()
        };
        panes(width, 50, contents)
    };
    let long = of(200, 300, 5, 3);
    assert_eq!((long.below.height, long.side.domains.height), (0, 11));
    let short = of(200, 9, 5, 3);
    assert_eq!((short.below.height, short.below.width), (7, 128));
    assert_eq!(short.side.domains.height, 0, "not twice");
    assert!(short.table_rows.height >= 16, "room to grow");
    let row = |y: u16| short.domain_below_at((3, short.below.y + y).into());
    assert_eq!(
        [row(1), row(2), row(6), row(7)],
        [None, Some(0), Some(4), None]
    );
    // A process more or less moves nothing.
    assert_eq!(of(200, 10, 5, 3).below, short.below);
    let events = of(200, 9, 1, 30);
    assert!(events.events_rows.height > long.events_rows.height + 8);
    assert!(of(120, 9, 0, 0).below.height >= 8, "the history");
    assert_eq!(of(200, 9, 0, 0).below.height, 0, "that stands on the right");
    assert!(of(200, 9, 0, 0).side.history.height > long.side.history.height);
}

proptest::proptest! {
    #[test]
    fn nothing_overlaps_or_sticks_out(
        width: u16, height: u16, in_events: bool, counts: [usize; 4], lists: [Option<u8>; 2], switches: [bool; 4]
    ) {
        let focus = if in_events { Pane::Events } else { Pane::Processes };
        let [events, alarms, domains, side_domains] = counts;
        let [note, banner, timeline, notice] = switches;
        let [domain_rows, rows] = lists.map(|rows| rows.map(usize::from));
        let p = panes(width, height, Contents { focus, events, note, alarms, domains, side_domains, rows, domain_rows, banner, timeline, notice });
        let mut whole: Vec<_> = p.header.iter().map(|(_, area)| *area).collect();
        whole.push(p.banner);
        let below = [p.timeline, p.notice, p.footer];
        let left = [p.table_title, p.table_head, p.table_rows, p.members, p.below, p.events_title, p.events_note, p.events_rows];
        let right = [p.side.history, p.side.stalls, p.side.domains, p.side.details];
        let mut y = 0;
        let mut stack = |areas: &[Rect]| {
            for area in areas.iter().filter(|area| area.height > 0) {
                assert_eq!(area.y, y, "{area:?}");
                y += area.height;
            }
            y
        };
        let top = stack(&whole);
        let body = stack(&left);
        proptest::prop_assert_eq!(stack(&below), height);
        // The pane on the right fills the body beside the left part.
        if p.side.edge.height > 0 {
            proptest::prop_assert_eq!((p.side.edge.y, p.side.edge.bottom()), (top, body));
            let mut y = top;
            for area in right.iter().filter(|area| area.height > 0) {
                proptest::prop_assert_eq!((area.x, area.y, area.right()), (p.side.edge.right(), y, width));
                y += area.height;
            }
            proptest::prop_assert_eq!(y, body);
            proptest::prop_assert!(left.iter().all(|area| area.height == 0 || area.right() == p.side.edge.x));
        } else {
            proptest::prop_assert!(left.iter().all(|area| area.height == 0 || area.width == width));
        }
    }
}
