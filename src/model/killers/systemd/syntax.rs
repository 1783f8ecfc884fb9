//! What systemd's files are written in: assignments in sections, shares and time spans.

use std::time::Duration;

use crate::model::killers::Share;

/// `key=value` lines with their section; comments and everything else left out (systemd.syntax(7)).
pub(in crate::model) fn assignments(text: &str) -> impl Iterator<Item = (&str, &str, &str)> {
    let mut section = "";
    text.lines().filter_map(move |line| {
        let line = line.trim();
        if line.starts_with(['#', ';']) {
            return None;
        }
        if let Some(name) = line.strip_prefix('[').and_then(|l| l.strip_suffix(']')) {
            section = name;
            return None;
        }
        let (key, value) = line.split_once('=')?;
        Some((section, key.trim(), value.trim()))
    })
}

/// `60%`, `605‰`, `6050‱`.
pub(in crate::model) fn share(text: &str) -> Option<Share> {
    for (suffix, scale) in [('%', 100.0), ('‰', 10.0), ('‱', 1.0)] {
        if let Some(number) = text.strip_suffix(suffix) {
            let number: f64 = number.trim().parse().ok()?;
            return Share::from_percent(number * scale / 100.0);
        }
    }
    None
}

/// `30s`, `1min 30s`, `90` (seconds): systemd.time(7), as far as people use it for this.
pub(in crate::model::killers) fn span(text: &str) -> Option<Duration> {
    let mut total = Duration::ZERO;
    let mut rest = text.trim();
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let end = rest
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .unwrap_or(rest.len());
        let number: f64 = rest.get(..end)?.parse().ok()?;
        rest = rest.get(end..)?.trim_start();
        let end = rest
            .find(|c: char| !c.is_ascii_alphabetic())
            .unwrap_or(rest.len());
        let seconds = match rest.get(..end)? {
            "" | "s" | "sec" | "second" | "seconds" => 1.0,
            "us" | "usec" => 1e-6,
            "ms" | "msec" => 1e-3,
            "m" | "min" | "minute" | "minutes" => 60.0,
            "h" | "hr" | "hour" | "hours" => 3600.0,
            _ => return None,
        };
        let part = Duration::try_from_secs_f64(number * seconds).ok()?;
        total = total.checked_add(part)?;
        rest = rest.get(end..)?.trim_start();
    }
    Some(total)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{assignments, share, span};
    use crate::model::killers::Share;

    #[test]
    fn assignments_carry_their_section() {
        let text = "a=1\n# b=2\n[One]\n c = 3 = 4 \n;d=5\nnothing\n[Two]\ne=\n";
        let found: Vec<_> = assignments(text).collect();
        assert_eq!(
            found,
            [("", "a", "1"), ("One", "c", "3 = 4"), ("Two", "e", "")]
        );
    }

    #[test]
    fn shares_and_spans() {
        assert_eq!(share("60%"), Some(Share(6000)));
        assert_eq!(share("605‰"), Some(Share(6050)));
        assert_eq!(share("1‱"), Some(Share(1)));
        for bad in ["60", "%", "-1%", "nan%", "200%"] {
            assert_eq!(share(bad), None, "{bad}");
        }
        assert_eq!(span("1min 30s"), Some(Duration::from_secs(90)));
        assert_eq!(span("20"), Some(Duration::from_secs(20)));
        assert_eq!(span("1.5h"), Some(Duration::from_mins(90)));
        for bad in ["", "s", "5 parsecs", "1e9999s", "..s"] {
            assert_eq!(span(bad), None, "{bad}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_panics(text in "(\\PC{0,9}|\n|=|\\[|%|‰|[0-9]{1,30}|min)*") {
            let _ = (span(&text), share(&text), assignments(&text).count());
        }
    }
}
