//! Finds a date that does not begin the line: behind the line number of `grep -n`, a file name, the name of a
//! container.

use crate::oomlog::transport::stamp;

/// Most bytes in front of the date.
const MOST: usize = 160;

/// The place of the first date with a time of day, or of the first stamp with a priority, if other text precedes it.
pub(super) fn begin(line: &str) -> Option<usize> {
    let head = line.as_bytes();
    let head = head.get(..head.len().min(MOST))?;
    let time = head.windows(8).position(is_time)?;
    let date = line.get(..time)?;
    // `dmesg -T` has its date in brackets: the bracket belongs to it.
    if let Some(open) = bracket(line, date) {
        return Some(open);
    }
    let start = iso(date)
        .or_else(|| named_month(date))
        .or_else(|| numbers(date))?;
    let before = date.get(..start)?;
    // A date inside a word is part of that word.
    let apart = !before.ends_with(|c: char| c.is_alphanumeric());
    (start > 0 && apart).then(|| priority(before).unwrap_or(start))
}

/// The bracket that opens in front of the date and holds nothing but it; not one that begins the line.
fn bracket(line: &str, date: &str) -> Option<usize> {
    let open = date.rfind('[').filter(|open| *open > 0)?;
    let day = date.get(open + 1..)?;
    let (inside, _) = line.get(open + 1..)?.split_once(']')?;
    // A time of day without a date may be anything.
    let dated = day.bytes().any(|b| b.is_ascii_digit());
    (dated && !day.contains(']') && stamp::is_clock(inside)).then_some(open)
}

fn is_time(window: &[u8]) -> bool {
    matches!(window, [h1, h2, b':', m1, m2, b':', s1, s2]
        if [h1, h2, m1, m2, s1, s2].iter().all(|b| b.is_ascii_digit()))
}

/// `2024-05-26T`, `2024/05/26 `, at the end of the text.
fn iso(date: &str) -> Option<usize> {
    let bytes = date.as_bytes();
    let start = bytes.len().checked_sub(11)?;
    let digit = |b: &u8| b.is_ascii_digit();
    match bytes.get(start..)? {
        [y1, y2, y3, y4, a, m1, m2, b, d1, d2, b'T' | b't' | b' ']
            if [y1, y2, y3, y4, m1, m2, d1, d2].into_iter().all(digit)
                && a == b
                && matches!(a, b'-' | b'/' | b'.') =>
        {
            // `Sun 2026-11-22 17:12:54`: the weekday belongs to it.
            Some(weekday(date, start))
        }
        _ => None,
    }
}

/// `Feb  3 `, `Mon Feb  3 `, `3 Feb `, `03 Feb 2024 ` at the end of the text.
fn named_month(date: &str) -> Option<usize> {
    let words: Vec<&str> = date
        .split(' ')
        .rev()
        .filter(|w| !w.is_empty())
        .take(3)
        .collect();
    let is_day = |word: &str| {
        let digits = word.trim_end_matches(['.', ',']);
        (1..=2).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit())
    };
    let is_year = |word: &str| word.len() == 4 && word.bytes().all(|b| b.is_ascii_digit());
    let last = |word: &str| -> usize { word.as_ptr() as usize - date.as_ptr() as usize };
    match words.as_slice() {
        [day, month, ..] if is_day(day) => {
            let name = month_at_end(month)?;
            let start = last(month) + month.len() - name.len();
            Some(weekday(date, start))
        }
        [month, day, ..] if is_day(day) && month_at_end(month) == Some(month) => Some(last(day)),
        [year, month, day]
            if is_year(year) && is_day(day) && month_at_end(month) == Some(month) =>
        {
            Some(last(day))
        }
        _ => None,
    }
}

/// The letters at the end of a word, if they can be a month's name in any language.
fn month_at_end(word: &str) -> Option<&str> {
    let letters = |c: char| c.is_alphabetic() || c == '.';
    let start = word
        .char_indices()
        .rev()
        .take_while(|(_, c)| letters(*c))
        .last()?
        .0;
    let name = word.get(start..)?;
    (2..=12).contains(&name.chars().count()).then_some(name)
}

/// The weekday in front of a date.
fn weekday(date: &str, start: usize) -> usize {
    let Some(before) = date.get(..start) else {
        return start;
    };
    let words = before.trim_end_matches(' ');
    let gap = before.len() - words.len();
    let letters: usize = words
        .bytes()
        .rev()
        .take_while(u8::is_ascii_alphabetic)
        .count();
    let known = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
    match words.get(words.len() - letters..) {
        Some(name) if gap > 0 && known.contains(&name) => words.len() - letters,
        _ => start,
    }
}

/// `03-04 ` of logcat, at the end of the text.
fn numbers(date: &str) -> Option<usize> {
    let bytes = date.as_bytes();
    let start = bytes.len().checked_sub(6)?;
    match bytes.get(start..)? {
        [m1, m2, b'-', d1, d2, b' '] if [m1, m2, d1, d2].iter().all(|b| b.is_ascii_digit()) => {
            Some(start)
        }
        _ => None,
    }
}

/// The beginning of `<4>` or `<4>1 ` at the end of the text: a priority belongs to the date.
fn priority(before: &str) -> Option<usize> {
    let text = before.strip_suffix("1 ").unwrap_or(before);
    let inside = text.strip_suffix('>')?;
    let open = inside.rfind('<')?;
    let number = inside.get(open + 1..)?;
    (!number.is_empty() && number.bytes().all(|b| b.is_ascii_digit())).then_some(open)
}

#[cfg(test)]
mod tests {
    use super::begin;

    #[test]
    fn dates_behind_other_things() {
        for (before, line) in [
            ("801:", "Feb  3 04:05:06 n1 kernel: x"),
            ("802-", "Feb 13 04:05:06 n1 kernel: x"),
            ("/var/log/kern.log.2.gz:12:", "Feb  3 04:05:06 n1 kernel: x"),
            ("web-1  | ", "2024-05-26T06:17:00.1Z host kernel: x"),
            ("log: ", "Sun 2026-11-22 17:12:54 UTC host kernel: x"),
            ("7: ", "Mon Feb  3 04:05:06 2025 x"),
            ("7: ", "3 Feb 2025 04:05:06 x"),
            ("pod/a ", "<4>1 2024-05-26T06:17:00Z host kernel - - - x"),
            ("1:", "[Sun Nov 22 17:09:46 2026] x"),
            ("logger-1  | ", "[Sun Nov 22 17:09:46 2026] x"),
            ("[pod/a/dmesg] ", "[dim. nov. 22 17:09:46 2026] x"),
            ("dmesg.txt:", "[日 11月 22 17:09:46 2026] x"),
            ("adb: ", "03-04 05:06:07.890     0     0 W kernel  : x"),
        ] {
            assert_eq!(
                begin(&format!("{before}{line}")),
                Some(before.len()),
                "{before}{line}"
            );
        }
        assert_eq!(begin("took 12:00:00 of time"), None);
        assert_eq!(begin("Feb  3 04:05:06 n1 x"), None, "nothing in front");
        assert_eq!(begin("v12024-05-26T06:17:00"), None);
    }
}
