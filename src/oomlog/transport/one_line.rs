//! Logs that were written as one line.

use super::stamp;

/// The lines of a log that was written as one: with `\n` written out, or with carriage returns. A name can hold
/// such signs, so most of the lines must begin with a stamp.
pub(super) fn lines_of(line: &str) -> Option<Vec<&str>> {
    let text = line.trim_end_matches(['\r', '\n']);
    let separator = ["\n", "\r", "\\n"]
        .into_iter()
        .find(|separator| text.contains(separator))?;
    let lines: Vec<&str> = text.split(separator).collect();
    let others = || lines.iter().skip(1).filter(|line| !line.trim().is_empty());
    let stamped = others().filter(|line| stamp::begins(line)).count();
    (stamped > others().count() / 2).then_some(lines)
}

#[cfg(test)]
mod tests {
    use super::lines_of;

    #[test]
    fn lines_in_one_begin_with_stamps() {
        let two = |line| lines_of(line).map(|lines| lines.len());
        assert_eq!(two("[    1.000001] a\\n[    1.000002] b\\n"), Some(3));
        assert_eq!(two("Nov 22 17:09:46 h a\rNov 22 17:09:46 h b\r\n"), Some(2));
        assert_eq!(
            two("{\"log\":\"a\\n\",\"time\":\"2024-01-01T00:00:00Z\"}"),
            None
        );
        assert_eq!(two("Killed process 5 (a\nb\rc) total-vm:1kB\r\n"), None);
    }
}
