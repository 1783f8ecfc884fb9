//! A bar of blocks: a share at a glance.

/// Cells of the bar.
pub const CELLS: u16 = 6;

/// Eighths of a cell.
const EIGHTHS: [char; 8] = [' ', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];

/// The bar of a share of a whole, both in the same unit. What is not nothing, and no less than a thousandth, shows.
pub fn bar(share: i64, whole: u64) -> String {
    let whole = i128::from(whole.max(1));
    let share = i128::from(share).clamp(0, whole);
    let most = i128::from(CELLS) * 8;
    let eighths = (share * most * 2 / whole + 1) / 2;
    let least = i128::from(share * 1000 >= whole && share > 0);
    let eighths = usize::try_from(eighths.max(least)).unwrap_or(0);
    let mut text = "█".repeat(eighths / 8);
    if let Some(part) = EIGHTHS.get(eighths % 8).filter(|part| **part != ' ') {
        text.push(*part);
    }
    text
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
