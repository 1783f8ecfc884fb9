//! Bars and sparklines as text. A bar is filled in eighths of a cell; both have a fixed axis, so that rest looks like rest.

/// Eighths of a cell, from nearly empty to full.
const EIGHTHS: [&str; 8] = ["▏", "▎", "▍", "▌", "▋", "▊", "▉", "█"];
/// Heights of a sparkline.
const HEIGHTS: [&str; 8] = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];

/// From which share of stalled time on, in percent, a stall is one step higher. One percent of lost time is much
/// already, so the axis is not linear.
const STALLS: [f64; 7] = [0.1, 0.5, 1.0, 5.0, 10.0, 25.0, 50.0];

/// Filled eighths of a bar of so many cells; anything above 0 shows.
pub fn eighths(percent: f64, cells: u16) -> u32 {
    let share = if percent.is_finite() {
        (percent / 100.0).clamp(0.0, 1.0)
    } else {
        0.0
    };
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "between 0 and 8 times the cells"
    )]
    let filled = (share * f64::from(cells) * 8.0).round() as u32;
    if share > 0.0 { filled.max(1) } else { 0 }
}

/// The sign for a cell that is filled so far, in eighths; an empty one has none.
pub fn part(eighths: u32) -> Option<&'static str> {
    EIGHTHS
        .get((eighths.min(8) as usize).checked_sub(1)?)
        .copied()
}

/// The sign for a cell that is filled so far from below, in eighths; an empty one has none.
pub fn rise(eighths: u32) -> Option<&'static str> {
    HEIGHTS
        .get((eighths.min(8) as usize).checked_sub(1)?)
        .copied()
}

/// `████▌···`: a bar of so many cells.
pub fn bar(percent: f64, cells: u16) -> String {
    let filled = eighths(percent, cells);
    (0..u32::from(cells))
        .map(|at| part(filled.saturating_sub(at * 8)).unwrap_or("·"))
        .collect()
}

/// The step of a sparkline for a share in percent, of an axis from 0 to 100.
pub fn height(percent: f64) -> &'static str {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "between 0 and 7; `as` saturates"
    )]
    let level = (percent.clamp(0.0, 99.0) / 100.0 * 8.0) as usize;
    HEIGHTS.get(level).copied().unwrap_or("█")
}

/// The step of a sparkline for a share of stalled time in percent.
pub fn stall(percent: f64) -> &'static str {
    let level = STALLS.iter().filter(|from| percent >= **from).count();
    HEIGHTS.get(level).copied().unwrap_or("█")
}

#[cfg(test)]
mod tests {
    use super::{bar, eighths, height, stall};

    #[test]
    fn bars_fill_in_eighths_and_never_overflow() {
        assert_eq!(eighths(0.0, 10), 0);
        assert_eq!(eighths(0.01, 10), 1);
        assert_eq!(eighths(50.0, 10), 40);
        assert_eq!(eighths(250.0, 10), 80);
        assert_eq!(eighths(f64::NAN, 10), 0);
        let bars = [0.0, 0.01, 44.0, 100.0, 900.0].map(|percent| bar(percent, 5));
        assert_eq!(bars, ["·····", "▏····", "██▎··", "█████", "█████"]);
        assert_eq!(bar(50.0, 0), "");
    }

    #[test]
    fn a_little_stall_is_seen() {
        assert_eq!(
            [0.0, 0.09, 0.1, 1.0, 12.0, 50.0, 900.0].map(stall).concat(),
            "▁▁▂▄▆██"
        );
        assert_eq!([f64::NAN, -1.0].map(stall).concat(), "▁▁");
        assert_eq!(
            [0.0, 50.0, 100.0, 250.0, f64::NAN].map(height).concat(),
            "▁▅██▁"
        );
    }
}
