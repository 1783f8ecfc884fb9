//! Which columns fit, and how wide each is.

use super::{Align, Column, Width, at, fit};

const fn column(id: &'static str, width: Width, rank: u8) -> Column<(), ()> {
    Column {
        id,
        title: id,
        doc: id,
        width,
        align: Align::Left,
        rank,
        sort: (),
        cell: (),
    }
}

static COLUMNS: &[Column<(), ()>] = &[
    column("side", Width::AtLeast(6), 2),
    column("number", Width::Fixed(4), 1),
    column("name", Width::AtLeast(10), 0),
];

fn places(width: u16) -> Vec<(&'static str, u16, u16)> {
    let placed = fit(COLUMNS, width, &|_| None);
    placed.iter().map(|p| (p.column.id, p.x, p.width)).collect()
}

#[test]
fn the_least_important_go_first_and_the_rest_fill_the_width() {
    assert_eq!(places(3), [("name", 0, 10)]);
    assert_eq!(places(14), [("name", 0, 14)]);
    assert_eq!(places(15), [("number", 0, 4), ("name", 5, 10)]);
    assert_eq!(
        places(31),
        [("side", 0, 9), ("number", 10, 4), ("name", 15, 16)]
    );
}

#[test]
fn less_important_columns_come_where_the_main_one_is_comfortable() {
    static ROOMY: &[Column<(), ()>] = &[
        column("worth", Width::Fixed(4), 4),
        column("rest", Width::Fixed(4), 5),
        column("name", Width::Roomy(10, 20), 0),
    ];
    let ids = |width, wanted| -> Vec<_> {
        let placed = fit(ROOMY, width, &|id| (id == "name").then_some(wanted));
        placed.iter().map(|p| (p.column.id, p.width)).collect()
    };
    assert_eq!(ids(20, 50), [("worth", 4), ("name", 15)]);
    assert_eq!(ids(29, 50), [("worth", 4), ("name", 24)]);
    assert_eq!(ids(30, 50), [("worth", 4), ("rest", 4), ("name", 20)]);
    // It does not want as much as it could have.
    assert_eq!(ids(20, 8), [("worth", 4), ("rest", 4), ("name", 10)]);
}

#[test]
fn a_column_is_as_wide_as_its_contents_within_bounds() {
    static BOUND: &[Column<(), ()>] = &[
        column("n", Width::Within(3, 6), 0),
        column("name", Width::AtLeast(4), 0),
    ];
    let width = |wanted| {
        let placed = fit(BOUND, 40, &|id| (id == "n").then_some(wanted));
        placed.first().map(|p| p.width)
    };
    assert_eq!([0, 3, 5, 9].map(width), [3, 3, 5, 6].map(Some));
}

#[test]
fn the_room_is_shared_by_content() {
    let widths = |side, name| {
        let wants = |id: &str| if id == "side" { side } else { name };
        let placed = fit(COLUMNS, 100, &wants);
        let width = |id| placed.iter().find(|p| p.column.id == id).map(|p| p.width);
        (width("side"), width("name"))
    };
    // 100 cells: 4 and two blanks are taken, 94 are shared.
    for (side, name, expected) in [
        // Nobody says: a third of what is left over, and the rest.
        (None, None, (32, 62)),
        // What the side does not need goes to the name, and the other way round.
        (Some(12), None, (12, 82)),
        (None, Some(20), (74, 20)),
        // Both need more than there is.
        (Some(90), Some(90), (32, 62)),
        // Both are content: the name takes what is left, it is the one that is read.
        (Some(12), Some(20), (12, 82)),
        (Some(1), Some(1), (4, 90)),
    ] {
        let expected = (Some(expected.0), Some(expected.1));
        assert_eq!(widths(side, name), expected, "{side:?} {name:?}");
    }
}

#[test]
fn a_column_that_still_fits_is_not_left_out_with_its_rank() {
    static RANKED: &[Column<(), ()>] = &[
        column("wide", Width::Fixed(12), 1),
        column("small", Width::Fixed(4), 1),
        column("late", Width::Fixed(3), 2),
        column("name", Width::AtLeast(10), 0),
    ];
    let ids = |width| -> Vec<_> {
        let placed = fit(RANKED, width, &|_| None);
        placed.iter().map(|p| p.column.id).collect()
    };
    assert_eq!(ids(10), ["name"]);
    assert_eq!(ids(14), ["late", "name"]);
    assert_eq!(ids(15), ["small", "name"]);
    assert_eq!(ids(19), ["small", "late", "name"]);
    assert_eq!(ids(28), ["wide", "small", "name"]);
    assert_eq!(ids(32), ["wide", "small", "late", "name"]);
}

#[test]
fn text_that_somebody_named_shrinks_before_it_goes() {
    let asked = |id, width| super::Asked {
        column: COLUMNS.iter().find(|c| c.id == id).expect("a column"),
        rank: 1,
        width,
        named: true,
    };
    let widths = |columns: &[super::Asked<(), ()>], width| -> Vec<_> {
        let placed = super::fit_asked(columns, width, &|_| None);
        placed.iter().map(|p| (p.column.id, p.width)).collect()
    };
    let wide = [asked("number", None), asked("name", Some(60))];
    assert_eq!(widths(&wide, 100), [("number", 4), ("name", 60)]);
    assert_eq!(widths(&wide, 40), [("number", 4), ("name", 35)]);
    // Less than the column has by itself.
    assert_eq!(widths(&wide, 14), [("number", 4), ("name", 9)]);
    assert_eq!(widths(&wide, 10), [("number", 4)]);
}

#[test]
fn a_column_lends_its_room_and_what_is_between_moves() {
    let mut placed = fit(COLUMNS, 31, &|_| None);
    super::lend(&mut placed, "name", "side", 9, 12);
    let lent: Vec<_> = placed.iter().map(|p| (p.column.id, p.x, p.width)).collect();
    assert_eq!(lent, [("side", 0, 13), ("number", 14, 4), ("name", 19, 12)]);
}

#[test]
fn a_column_is_found_by_its_cells_and_the_blank_after_it() {
    let placed = fit(COLUMNS, 31, &|_| None);
    let id = |x| at(&placed, x).map(|column| column.id);
    assert_eq!(
        [id(0), id(9), id(10)],
        [Some("side"), Some("side"), Some("number")]
    );
    assert_eq!([id(31), id(32)], [Some("name"), None]);
}
