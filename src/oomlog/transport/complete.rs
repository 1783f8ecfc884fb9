//! Which lines of a report have all their parts.

/// The line has every part that its kind can have. Lines of older kernels end earlier: there `next` shows
/// that nothing follows.
pub(super) fn is_complete(text: &str, next: &str) -> bool {
    let ends_in_digits = |text: &str| text.ends_with(|c: char| c.is_ascii_digit());
    let text = text.trim_end();
    if text.contains("invoked oom-killer") {
        return ["oom_score_adj=", "oom_adj=", "oomkilladj="]
            .iter()
            .any(|key| text.contains(key))
            && ends_in_digits(text)
            && !next.starts_with("oom_score_adj=");
    }
    if text.contains("oom-kill:constraint=") {
        return text
            .rsplit_once(",uid=")
            .is_some_and(|(_, uid)| !uid.is_empty() && uid.bytes().all(|b| b.is_ascii_digit()));
    }
    if text.contains("Killed process ") {
        let last_key = text.rfind("oom_score_adj:");
        let whole = last_key.is_some() && ends_in_digits(text);
        let older = text.ends_with("kB")
            && ![",", "UID", "pgtables", "oom_score_adj"]
                .iter()
                .any(|key| next.starts_with(key));
        return whole || older;
    }
    name_of_row(text).is_some()
}

/// The name at the end of a whole row of the task table.
pub(super) fn name_of_row(text: &str) -> Option<&str> {
    let (pid, mut rest) = text.trim_start().strip_prefix('[')?.split_once(']')?;
    let _: u32 = pid.trim().parse().ok()?;
    let mut numbers = 0;
    loop {
        let cell = rest.trim_start();
        let end = cell.find(' ').unwrap_or(cell.len());
        let word = cell.get(..end)?;
        if word.is_empty() {
            return None;
        }
        if word.parse::<i64>().is_err() {
            return (numbers >= 7).then_some(cell);
        }
        numbers += 1;
        rest = cell.get(end..)?;
    }
}
