//! A bar of blocks: a share at a glance.

use crate::text::meter::{eighths, part};

/// Cells of the bar.
pub const CELLS: u16 = 6;

/// The bar of a share of a whole, both in the same unit. A share of at least 1/1000 shows.
pub fn bar(share: i64, whole: u64) -> String {
    let whole = whole.max(1);
    let share = u64::try_from(share).unwrap_or(0).min(whole);
    let shows = u128::from(share) * 1000 >= u128::from(whole);
    #[expect(clippy::cast_precision_loss, reason = "a bar has 48 steps")]
    let percent = share as f64 / whole as f64 * 100.0;
    let filled = if shows { eighths(percent, CELLS) } else { 0 };
    (0..u32::from(CELLS))
        .map_while(|at| part(filled.saturating_sub(at * 8)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::bar;

    #[test]
    fn a_bar_is_as_long_as_the_share() {
        for (share, shown) in [
            (-5, ""),
            (0, ""),
            (1, "▏"),
            (20, "▏"),
            (502, "███"),
            (1000, "██████"),
            (2000, "██████"),
            (250, "█▌"),
        ] {
            assert_eq!(bar(share, 1000), shown, "{share}");
        }
        assert_eq!(bar(1, 100_000), "", "less than a thousandth");
        assert_eq!(bar(i64::MAX, 0), "██████");
    }
}
