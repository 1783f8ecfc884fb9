//! Colours that a program puts into the lines it prints: `dmesg`, `journalctl`, `grep`.

/// What begins a colour.
pub(super) const BEGIN: &str = "\u{1b}[";
/// What `tput sgr0` writes in front of the end of a colour.
const CHARSET: &str = "\u{1b}(B";

/// The line as a whole is coloured: it begins with a colour or ends with the end of one, or `grep` has coloured
/// what it found. An escape elsewhere can be part of a name.
pub(super) fn begin_or_end(line: &str) -> bool {
    if memchr::memchr(0x1b, line.as_bytes()).is_none() {
        return false;
    }
    let ends = ["\u{1b}[0m", "\u{1b}[m", "\u{1b}[K", "\u{1b}[27m"];
    line.starts_with(BEGIN)
        || ends.iter().any(|end| line.trim_end().ends_with(end))
        || line.contains("m\u{1b}[K")
}

/// The line without `ESC [ … m`.
pub(super) fn without(line: &str) -> String {
    let mut plain = String::with_capacity(line.len());
    let mut rest = line;
    while let Some((before, after)) = rest.split_once(BEGIN) {
        plain.push_str(before.strip_suffix(CHARSET).unwrap_or(before));
        let end = after
            .find(|c: char| !(c.is_ascii_digit() || matches!(c, ';' | ':')))
            .unwrap_or(after.len());
        rest = after.get(end..).unwrap_or("");
        rest = rest.strip_prefix(['m', 'K']).unwrap_or(rest);
    }
    plain.push_str(rest);
    plain
}

#[cfg(test)]
mod tests {
    use super::super::Stripper;

    #[test]
    fn colours_in_front_of_a_prefix_behind_it_and_around_words() {
        let plain = Stripper::default().strip("Nov 22 17:09:46 n1 kernel: x invoked oom-killer");
        for line in [
            "\u{1b}[32mNov 22 17:09:46 n1 kernel: \u{1b}[0mx invoked oom-killer",
            "Nov 22 17:09:46 n1 kernel: \u{1b}[0;1;33mx invoked oom-killer\u{1b}[0m",
            "Nov 22 17:09:46 n1 kernel: \u{1b}[0;1;39m\u{1b}[0;1;31mx invoked oom-killer",
            "Nov 22 17:09:46 n1 kernel: \u{1b}[0;1;38:5:185mx invoked oom-killer\u{1b}(B\u{1b}[m",
            "Nov 22 17:09:46 n1 \u{1b}[1mkernel:\u{1b}[0m x invoked oom-killer\u{1b}[0m",
            "Nov 22 17:09:46 n1 kernel: x invoked \u{1b}[01;31m\u{1b}[Koom-killer\u{1b}[m\u{1b}[K",
            "Nov 22 17:09:46 n1 kernel: x \u{1b}[01;31m\u{1b}[Kinvoked\u{1b}[m\u{1b}[K oom-killer",
        ] {
            assert_eq!(Stripper::default().strip(line), plain, "{line:?}");
        }
        let name = "Nov 22 17:09:46 n1 kernel: a\u{1b}[31mb invoked oom-killer";
        assert_eq!(
            Stripper::default().strip(name).record.text,
            "a\u{1b}[31mb invoked oom-killer"
        );
    }
}
