//! What a person can read on a screen, given as rows of cells.

/// The text of the dialog in front: the box whose four corners are all on the screen. A box behind it has lost some.
pub(crate) fn dialog(rows: &[Vec<&str>]) -> Option<String> {
    for (top, row) in rows.iter().enumerate().rev() {
        let Some(left) = row.iter().position(|cell| *cell == "┌") else {
            continue;
        };
        let Some(right) = row.iter().rposition(|cell| *cell == "┐") else {
            continue;
        };
        let below = rows.iter().enumerate().skip(top + 1);
        let mut bottoms = below.filter(|(_, row)| row[left] == "└" && row[right] == "┘");
        let Some((bottom, _)) = bottoms.next() else {
            continue;
        };
        let inside = rows[top..=bottom]
            .iter()
            .map(|row| row[left + 1..right].concat());
        return Some(inside.collect::<Vec<_>>().join(" "));
    }
    None
}

/// The pid stands in the text as a number of its own.
pub(crate) fn names(text: &str, pid: u32) -> bool {
    let mut numbers = text.split(|c: char| !c.is_ascii_digit());
    numbers.any(|number| number.parse() == Ok(pid))
}

/// The text without blanks: long paths are wrapped.
pub(crate) fn dense(text: &str) -> String {
    text.split_whitespace().collect()
}

/// The dialog names the processes; of many it names the first, and says how many there are or how many more.
pub(crate) fn are_named(dialog: &str, pids: &mut Vec<u32>) -> bool {
    pids.sort_unstable();
    pids.dedup();
    let named = pids.iter().filter(|pid| names(dialog, **pid)).count();
    let counted = names(dialog, u32::try_from(pids.len()).expect("small"));
    let mut more = dialog.split(" and ").skip(1).filter_map(|rest| {
        let (number, _) = rest.split_once(" more")?;
        number.parse::<usize>().ok()
    });
    // Not all that a dialog counts are known to the test: oomtop itself is in no group of the test's own.
    named == pids.len()
        || (pids.len() >= 5 && counted)
        || more.any(|more| named + more >= pids.len())
}
