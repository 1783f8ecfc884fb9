//! What holds for any list, whatever its rows do and whatever the user presses.

use proptest::collection::vec;
use proptest::prelude::{Just, Strategy, any, prop_oneof};
use proptest::sample::subsequence;

use super::{Hold, List, ListRow};

impl ListRow for u8 {
    type Id = Self;

    fn id(&self) -> Self {
        *self
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "what `set_rows` takes")]
fn firm(_: &u8) -> Hold {
    Hold::Firm
}

/// A list of these rows on a screen of this height, with `selected` selected.
fn list(rows: &[u8], height: usize, selected: u8) -> List<u8> {
    let mut list = List::default();
    list.set_height(height);
    list.set_rows(rows.to_vec(), firm);
    list.choose(selected);
    list.set_rows(rows.to_vec(), firm);
    list
}

fn shown(list: &List<u8>) -> Vec<u8> {
    list.visible().map(|(_, row)| *row).collect()
}

#[derive(Debug, Clone)]
enum Step {
    Rows(Vec<u8>),
    Height(usize),
    Move(isize),
    Click(usize),
    Scroll(isize),
    Free(bool),
}

fn step() -> impl Strategy<Value = Step> {
    let rows = subsequence((0..30).collect::<Vec<u8>>(), 0..30).prop_shuffle();
    let far = prop_oneof![Just(isize::MIN), Just(isize::MAX), -12_isize..12];
    prop_oneof![
        3 => rows.prop_map(Step::Rows),
        1 => (0_usize..12).prop_map(Step::Height),
        2 => far.clone().prop_map(Step::Move),
        1 => (0_usize..14).prop_map(Step::Click),
        1 => far.prop_map(Step::Scroll),
        1 => any::<bool>().prop_map(Step::Free),
    ]
}

fn take(list: &mut List<u8>, step: &Step) {
    match step {
        Step::Rows(rows) => list.set_rows(rows.clone(), firm),
        Step::Height(height) => list.set_height(*height),
        Step::Move(by) => list.move_by(*by),
        Step::Click(line) => {
            list.click(*line);
        }
        Step::Scroll(by) => list.scroll_by(*by),
        Step::Free(free) => list.keep_in_view(!free),
    }
}

proptest::proptest! {
    #[test]
    fn the_selection_is_a_row_and_the_window_is_full(steps in vec(step(), 0..40), newest_first: bool) {
        let mut list = if newest_first { List::newest_first() } else { List::default() };
        let mut on_top = true;
        for step in &steps {
            let (before, offset) = ((list.selected(), list.cursor()), list.offset());
            take(&mut list, step);
            let (rows, height) = (list.rows(), list.height);
            proptest::prop_assert_eq!(list.selected(), rows.get(list.cursor()).copied());
            proptest::prop_assert_eq!(list.selected_row().copied(), list.selected());
            proptest::prop_assert_eq!(shown(&list).len(), height.min(rows.len()), "no blanks");
            let shows = match step {
                Step::Rows(_) | Step::Height(_) => list.keeps_in_view,
                Step::Move(_) => true,
                // These steps may leave the selection outside the window.
                Step::Click(_) | Step::Scroll(_) | Step::Free(_) => false,
            };
            if shows && height > 0 && !rows.is_empty() {
                proptest::prop_assert!(!list.is_selection_hidden());
            }
            match step {
                Step::Rows(rows) if newest_first && on_top => {
                    proptest::prop_assert_eq!(list.selected(), rows.first().copied());
                }
                Step::Rows(rows) => {
                    let kept = before.0.filter(|id| rows.contains(id));
                    let neighbour = || rows.get(before.1.min(rows.len().saturating_sub(1))).copied();
                    proptest::prop_assert_eq!(list.selected(), kept.or_else(neighbour));
                }
                Step::Move(by) => {
                    let last = rows.len().saturating_sub(1);
                    let wanted = before.1.saturating_add_signed(*by).min(last);
                    proptest::prop_assert_eq!(list.cursor(), wanted);
                    on_top = wanted == 0;
                }
                Step::Click(line) => {
                    let at = offset + line;
                    let hit = *line < height && at < rows.len();
                    proptest::prop_assert_eq!(list.cursor(), if hit { at } else { before.1 });
                    on_top &= !hit;
                }
                Step::Height(_) | Step::Scroll(_) | Step::Free(_) => {
                    proptest::prop_assert_eq!(list.selected(), before.0);
                }
            }
            on_top |= list.is_empty();
        }
    }
}

#[test]
fn a_row_that_is_gone_leaves_the_selection_to_the_row_in_its_place() {
    let mut list = list(&[1, 2, 3, 4], 10, 2);
    list.set_rows(vec![1, 3, 4], firm);
    assert_eq!(list.selected(), Some(3));
    list.set_rows(vec![1], firm);
    assert_eq!(list.selected(), Some(1));
    list.set_rows(Vec::new(), firm);
    assert_eq!((list.selected(), list.cursor()), (None, 0));
    list.set_rows(vec![7, 8], firm);
    assert_eq!(list.selected(), Some(7));
}

#[test]
fn a_row_that_is_about_to_go_keeps_its_place() {
    let mut list = list(&[1, 2, 3, 4, 5], 10, 2);
    list.set_rows(vec![1, 3, 4, 5, 2], |_| Hold::Staying);
    assert_eq!(list.rows(), [1, 2, 3, 4, 5]);
    assert_eq!((list.selected(), list.cursor()), (Some(2), 1));
    list.set_rows(vec![1, 3, 4, 5], firm);
    assert_eq!(list.selected(), Some(3));
}

#[test]
fn in_a_tree_it_sinks_and_leaves_the_selection_where_it_was() {
    let mut list = list(&[1, 2, 3, 4, 5], 10, 2);
    list.set_rows(vec![1, 3, 4, 5, 2], |_| Hold::Sinking);
    assert_eq!((list.selected(), list.cursor()), (Some(2), 4));
    list.set_rows(vec![1, 3, 4, 5], firm);
    assert_eq!(list.selected(), Some(3));
}

/// A row of a tree: its number and its depth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Branch(u8, u16);

impl ListRow for Branch {
    type Id = u8;

    fn id(&self) -> u8 {
        self.0
    }

    fn depth(&self) -> u16 {
        self.1
    }
}

/// Each row with the one that it is below, by number.
fn parents(rows: &[Branch]) -> Vec<(u8, Option<u8>)> {
    let parent = |at: usize| {
        let above = rows[..at].iter().rev();
        above
            .map(|row| (row.1, row.0))
            .find(|(depth, _)| *depth < rows[at].1)
            .map(|(_, id)| id)
    };
    let mut all: Vec<_> = (0..rows.len()).map(|at| (rows[at].0, parent(at))).collect();
    all.sort_unstable();
    all
}

proptest::proptest! {
    /// However the others come, go and change places, who is about to go stands where it stood, on the screen too.
    #[test]
    fn who_is_about_to_go_moves_neither_itself_nor_the_view(
        orders in vec(subsequence((0..30).collect::<Vec<u8>>(), 12..30).prop_shuffle(), 1..8),
        selected in 0_u8..30,
        height in 1_usize..12,
    ) {
        let mut list = list(&(0..30).collect::<Vec<u8>>(), height, selected);
        list.keep_in_view(false);
        let (home, mut offset) = (list.cursor(), list.offset());
        for mut rows in orders {
            if !rows.contains(&selected) {
                rows.push(selected);
            }
            list.set_rows(rows.clone(), |_| Hold::Staying);
            proptest::prop_assert_eq!(list.selected(), Some(selected));
            proptest::prop_assert_eq!(list.cursor(), home.min(rows.len() - 1));
            offset = offset.min(rows.len().saturating_sub(height));
            proptest::prop_assert_eq!(list.offset(), offset);
            let others = |rows: &[u8]| rows.iter().copied().filter(|row| *row != selected).collect::<Vec<_>>();
            proptest::prop_assert_eq!(others(list.rows()), others(&rows), "the others stay in order");
        }
    }

    #[test]
    fn no_row_of_a_tree_leaves_the_one_it_is_below(
        depths in vec(vec(0_u16..4, 1..14), 1..5), selected in 0_usize..14,
    ) {
        let mut list = List::default();
        list.set_height(10);
        for depths in depths {
            let mut deepest = 0;
            let rows: Vec<_> = depths.iter().zip(0..).map(|(depth, id)| {
                deepest = (*depth).min(deepest) + 1;
                Branch(id, deepest - 1)
            }).collect();
            list.set_rows(rows.clone(), |_| Hold::Staying);
            proptest::prop_assert_eq!(parents(list.rows()), parents(&rows));
            list.select(selected);
        }
    }
}

#[test]
fn a_row_with_nothing_left_of_it_is_gone_though_it_is_still_there() {
    let mut list = list(&[1, 2, 3, 4], 10, 2);
    list.set_rows(vec![1, 3, 4, 2], |_| Hold::Lost);
    assert_eq!(list.selected(), Some(3));
}

#[test]
fn an_identity_that_is_used_again_is_another_row() {
    let mut list = list(&[1, 2, 3, 4], 10, 2);
    list.forget_selected();
    list.set_rows(vec![1, 3, 4, 2], firm);
    assert_eq!(list.selected(), Some(3));
}

#[test]
fn the_selection_goes_along_when_another_row_tells_of_the_same() {
    let mut list = list(&[1, 2, 3, 4], 10, 2);
    list.hand_over(3, 9);
    list.hand_over(2, 8);
    list.set_rows(vec![9, 8, 1, 4], firm);
    assert_eq!(list.selected(), Some(8));
}

#[test]
fn the_window_moves_with_the_selection_or_stays() {
    let mut list = list(&[1, 2, 3, 4, 5, 6], 2, 1);
    list.set_rows(vec![2, 3, 4, 5, 6, 1], firm);
    assert_eq!((shown(&list), list.window()), (vec![6, 1], Some((5, 6))));
    list.keep_in_view(false);
    list.set_rows(vec![1, 2, 3, 4, 5, 6], firm);
    assert_eq!(shown(&list), [5, 6]);
    assert!(list.is_selection_hidden());
    list.set_height(6);
    assert_eq!((list.offset(), list.window()), (0, None));
}

#[test]
fn a_click_selects_what_is_under_it_and_nothing_else() {
    let mut list = list(&[1, 2, 3, 4, 5, 6], 3, 6);
    assert!(list.click(1));
    assert_eq!(list.selected(), Some(5));
    assert!(!list.click(3), "below the window");
    list.set_height(20);
    assert!(!list.click(6), "below the last row");
    assert_eq!(list.selected(), Some(5));
}
