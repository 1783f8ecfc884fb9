//! Who wrote a line, as syslog, the journal and logcat name it behind the stamp.

use super::Peeler;
use super::layers::LEVELS;
use crate::oomlog::transport::stamp;

impl Peeler<'_> {
    /// `host kernel: `, `host app[12]: `, `kern.warn kernel: `, `host kernel - - - `.
    pub(super) fn host_and_tag(&mut self) {
        self.rest = behind_level(behind_zone(self.rest));
        // A stamp of the kernel, not the name of a host.
        if stamp::begins_in_brackets(self.rest) {
            return;
        }
        if let Some(rest) = behind_kernel_tag(self.rest, true) {
            self.claim(0);
            self.take(rest);
            return;
        }
        let mut words = self.rest.splitn(3, ' ');
        let (first, second) = (words.next().unwrap_or(""), words.next().unwrap_or(""));
        let rest = words.next().unwrap_or("");
        // A quote begins a field of a table: no tag has one.
        let is_tag = |word: &str, end: &str| word.ends_with(end) && !word.contains('"');
        if is_tag(second, ":") && !second.starts_with("oom") && !first.ends_with(':') {
            // Another program, whose text may claim anything: not a kernel event.
            self.claim_program(second.strip_suffix(':').unwrap_or(second));
            self.take(rest);
        } else if is_tag(first, "]:") {
            self.claim_program(first.strip_suffix(':').unwrap_or(first));
            let at = first.len().min(self.rest.len());
            let rest = self.rest.get(at..).unwrap_or("");
            self.take(rest.strip_prefix(' ').unwrap_or(rest));
        } else if second != "kernel:" && rest.starts_with("kernel: ") && !first.ends_with(':') {
            // `host my kernel: `: a tag of two words is not the kernel's.
            self.claim_program(second);
            self.take(rest.get("kernel: ".len()..).unwrap_or(""));
        }
    }

    /// `app[12]: ` or `host app[12]: ` behind a stamp of the time since boot (`journalctl -o short-monotonic`).
    pub(super) fn program_after_bracket(&mut self) {
        let mut rest = self.rest;
        for _ in 0..2 {
            let Some((word, after)) = rest.split_once(' ') else {
                return;
            };
            if let Some(program) = word.strip_suffix(':').filter(|tag| is_tag_with_pid(tag)) {
                self.claim_program(program);
                self.take(after);
                return;
            }
            if word.is_empty()
                || !word
                    .chars()
                    .all(|c| c.is_alphanumeric() || "-._".contains(c))
            {
                return;
            }
            rest = after;
        }
    }

    /// `kernel: ` or `host kernel: ` without a stamp.
    pub(super) fn kernel_tag(&mut self) -> bool {
        match behind_kernel_tag(self.rest, false) {
            Some(rest) => {
                self.claim(0);
                self.take(rest)
            }
            None => false,
        }
    }

    /// The head of RFC 5424 behind its stamp: `host app pid id [data] text`.
    pub(super) fn rfc5424(&mut self) -> bool {
        let mut words = self.rest.trim_start_matches(' ').splitn(5, ' ');
        let mut next = || words.next();
        let (Some(_host), Some(app), Some(pid), Some(id), Some(rest)) =
            (next(), next(), next(), next(), next())
        else {
            return false;
        };
        let is_pid = pid == "-" || pid.bytes().all(|b| b.is_ascii_digit());
        if !is_pid || id.is_empty() || app.ends_with(':') {
            return false;
        }
        let Some(rest) = behind_data(rest) else {
            return false;
        };
        if app == "kernel" {
            self.claim(0);
        } else {
            self.claim_program(app);
        }
        self.take(rest.trim_start_matches('\u{feff}'))
    }

    /// `    0     0 W kernel  : ` and `W/kernel  (    0): ` of Android's logcat, behind its stamp. logd takes
    /// the words in front of a colon for a tag: `CPU     : 1 PID: 310` was `CPU: 1 PID: 310`.
    pub(super) fn logcat(&mut self) -> bool {
        let rest = self.rest.trim_start_matches(' ');
        let found = threadtime(rest).or_else(|| brief(rest));
        let Some((is_kernel, tag, text)) = found else {
            return false;
        };
        if !is_kernel {
            self.claim_program(tag);
            return self.take(text);
        }
        self.claim(0);
        if !tag.is_empty() && tag != "kernel" {
            self.before = Some(format!("{tag}: "));
        }
        self.take(text)
    }
}

/// Without what ends a stamp: `PM`, the time zone as a name or a number (`journalctl -o short-full`), the year
/// behind it (`date`): `UTC host app: `, `-03 host app: `, `UTC 2026 host app: `.
fn behind_zone(text: &str) -> &str {
    let rest = behind_word(text, |word| matches!(word, "AM" | "PM" | "am" | "pm"));
    let behind = behind_word(rest, is_zone);
    if behind.len() == rest.len() {
        return rest;
    }
    behind_word(behind, |word| {
        word.len() == 4
            && (word.starts_with("19") || word.starts_with("20"))
            && word.bytes().all(|b| b.is_ascii_digit())
    })
}

/// Without `[warning] ` in front of the host.
fn behind_level(text: &str) -> &str {
    behind_word(text, |word| {
        let inside = word.strip_prefix('[').and_then(|w| w.strip_suffix(']'));
        inside.is_some_and(|level| LEVELS.contains(&level))
    })
}

/// The text behind its first word, if that is such a word and a host can follow: a host has no colon.
fn behind_word(text: &str, is_such: impl Fn(&str) -> bool) -> &str {
    let Some((word, rest)) = text.split_once(' ') else {
        return text;
    };
    let host_follows = rest
        .split(' ')
        .next()
        .is_some_and(|host| !host.ends_with(':'));
    // No host has such a name.
    let is_sure = word.starts_with(['+', '[']);
    if is_such(word) && (host_follows || is_sure) {
        rest
    } else {
        text
    }
}

/// `UTC`, `ChST`, `-03`, `+0530`.
pub(in crate::oomlog::transport) fn is_zone(word: &str) -> bool {
    if let Some(digits) = word.strip_prefix(['+', '-']) {
        return matches!(digits.len(), 2 | 4) && digits.bytes().all(|b| b.is_ascii_digit());
    }
    let upper = |c: char| c.is_ascii_uppercase();
    (3..=5).contains(&word.len())
        && word.starts_with(upper)
        && word.ends_with(upper)
        && word.bytes().all(|b| b.is_ascii_alphabetic())
}

/// `PID TID L TAG: text`, with pid 0 for the kernel.
fn threadtime(text: &str) -> Option<(bool, &str, &str)> {
    let (pid, rest) = text.split_once(' ')?;
    let (tid, rest) = rest.trim_start_matches(' ').split_once(' ')?;
    let (level, rest) = rest.trim_start_matches(' ').split_once(' ')?;
    let number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if !(number(pid) && number(tid) && is_level(level)) {
        return None;
    }
    let (tag, text) = rest.split_once(": ")?;
    Some((pid == "0", tag.trim_end(), text))
}

/// `L/TAG(PID): text`.
fn brief(text: &str) -> Option<(bool, &str, &str)> {
    let (level, rest) = text.split_once('/')?;
    is_level(level).then_some(())?;
    let (head, text) = rest.split_once("): ")?;
    let (tag, pid) = head.rsplit_once('(')?;
    let tag = tag.trim_end();
    Some((pid.trim() == "0" || tag == "kernel", tag, text))
}

fn is_level(word: &str) -> bool {
    matches!(word, "V" | "D" | "I" | "W" | "E" | "F" | "S")
}

/// The text behind the structured data: `-`, or `[id key="value"]` once or more.
fn behind_data(text: &str) -> Option<&str> {
    if let Some(rest) = text.strip_prefix('-') {
        return Some(rest.strip_prefix(' ').unwrap_or(rest));
    }
    let mut rest = text;
    while let Some(inside) = rest.strip_prefix('[') {
        let mut quoted = false;
        let mut escaped = false;
        let end = inside.find(|c: char| {
            if escaped {
                escaped = false;
                return false;
            }
            match c {
                '\\' => escaped = true,
                '"' => quoted = !quoted,
                ']' => return !quoted,
                _ => {}
            }
            false
        })?;
        rest = inside.get(end + 1..)?;
    }
    (rest.len() < text.len()).then(|| rest.strip_prefix(' ').unwrap_or(rest))
}

/// `systemd-oomd[600]`.
fn is_tag_with_pid(tag: &str) -> bool {
    let inside = tag.strip_suffix(']').and_then(|tag| tag.rsplit_once('['));
    inside.is_some_and(|(name, pid)| {
        !name.is_empty() && !pid.is_empty() && pid.bytes().all(|b| b.is_ascii_digit())
    })
}

/// The text behind the kernel's tag, `kernel: ` (`kernel - - - ` in RFC 5424): the first word, or the second behind
/// a host or `kern.warn`. A third word only behind a stamp and behind such a level.
fn behind_kernel_tag(text: &str, stamped: bool) -> Option<&str> {
    let mut rest = text;
    for place in 0..3 {
        let (word, after) = match rest.split_once(' ') {
            Some(split) => split,
            // `kernel:[ 12.345678] …`
            None => (rest, ""),
        };
        if word == "kernel:" {
            return Some(after);
        }
        if let Some(stamp) = word.strip_prefix("kernel:[") {
            let at = rest.len() - after.len() - usize::from(!after.is_empty()) - stamp.len() - 1;
            return rest.get(at..);
        }
        if word.ends_with(':') || after.is_empty() {
            return None;
        }
        let level = is_facility_and_level(word);
        if place == 1 && !(stamped && level) {
            return None;
        }
        rest = after.trim_start_matches(' ');
    }
    None
}

/// `kern.warn`.
fn is_facility_and_level(word: &str) -> bool {
    word.split_once('.').is_some_and(|(facility, level)| {
        let letters = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_lowercase());
        facility == "kern" && letters(level)
    })
}
