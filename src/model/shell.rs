//! Commands that oomtop suggests: whoever copies one must not run what a group's or a process's name says.

use std::fmt::Write as _;

/// The word as a shell reads it back. What is harmless stays as it is; control characters are written out
/// (`$'\x0a'` of bash, zsh and ksh), since no terminal shows them.
#[must_use]
pub fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_@%+=:,./-".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    if word.chars().all(|c| !c.is_control()) {
        return format!("'{}'", word.replace('\'', r"'\''"));
    }
    let mut out = "$'".to_owned();
    for c in word.chars() {
        if c.is_control() {
            for byte in c.encode_utf8(&mut [0; 4]).bytes() {
                // Writing to a String cannot fail.
                let _ = write!(out, "\\x{byte:02x}");
            }
            continue;
        }
        if matches!(c, '\'' | '\\') {
            out.push('\\');
        }
        out.push(c);
    }
    out.push('\'');
    out
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn what_is_harmless_stays_readable() {
        assert_eq!(
            quoted("/sys/fs/cgroup/web.slice"),
            "/sys/fs/cgroup/web.slice"
        );
        assert_eq!(
            quoted("x'; touch PWN; echo '"),
            r"'x'\''; touch PWN; echo '\'''"
        );
        assert_eq!(quoted("a\nb'"), r"$'a\x0ab\''");
        assert_eq!(quoted("$(id) `id`"), "'$(id) `id`'");
        assert_eq!(quoted(""), "''");
    }
}
