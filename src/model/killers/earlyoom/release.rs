//! [`Release`]: which version of earlyoom runs, by what its program file holds.

use crate::model::killers::Base;

/// The version as far as its program file tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Release {
    /// The version as the program prints it, without a `v`; `None` if it was built without one, or was not read.
    pub version: Option<String>,
    /// What it takes percentages of memory of.
    pub base: Base,
}

impl Default for Release {
    /// Of a program that could not be read.
    fn default() -> Self {
        Self {
            version: None,
            base: Base::Unknown,
        }
    }
}

/// What it prints at its start (main.c), and what of that only 1.8 and later print.
const TITLE: &[u8] = b"earlyoom ";
const USER_MEMORY: &[u8] = b"user mem total";

/// The first version with a base of its own: 1.8 (README, Changelog).
const OWN_BASE: (u32, u32) = (1, 8);

/// Most letters of a version.
const LONGEST: usize = 32;

impl Release {
    /// From the bytes of the program. It prints its version first of all, so that the text stands in it; a program that
    /// was built without a version is told by the words for the newer base.
    #[must_use]
    pub fn of_program(bytes: &[u8]) -> Self {
        let version = places(bytes, TITLE).find_map(version_at);
        let is_newer = places(bytes, USER_MEMORY).next().is_some();
        let base = match (is_newer, version.as_deref().and_then(numbers)) {
            (true, _) => Base::User,
            (false, Some(numbers)) if numbers >= OWN_BASE => Base::User,
            (false, Some(_)) => Base::Total,
            (false, None) => Base::Unknown,
        };
        Self { version, base }
    }
}

/// What follows `wanted`, wherever it stands.
fn places<'b>(bytes: &'b [u8], wanted: &'b [u8]) -> impl Iterator<Item = &'b [u8]> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        let at = rest.windows(wanted.len()).position(|w| w == wanted)?;
        rest = rest.get(at + wanted.len()..)?;
        Some(rest)
    })
}

/// A version at the start of these bytes: `v1.8.2`, `1.7-2`.
fn version_at(bytes: &[u8]) -> Option<String> {
    let bytes = bytes.strip_prefix(b"v").unwrap_or(bytes);
    let is_part = |b: &u8| b.is_ascii_alphanumeric() || b".-+~".contains(b);
    let version: Vec<u8> = bytes
        .iter()
        .take(LONGEST)
        .copied()
        .take_while(|b| is_part(b))
        .collect();
    let version = String::from_utf8(version).ok()?;
    numbers(&version).map(|_| version)
}

/// The first two numbers; `None` if it does not begin with two, a dot between.
fn numbers(version: &str) -> Option<(u32, u32)> {
    let (major, rest) = version.split_once('.')?;
    let end = rest
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(rest.len());
    Some((major.parse().ok()?, rest.get(..end)?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::Release;
    use crate::model::killers::Base;

    fn of(text: &str) -> (Option<String>, Base) {
        let bytes = [b"\x7fELF\0earlyoom is not it\0", text.as_bytes(), b"\0tail"].concat();
        let release = Release::of_program(&bytes);
        (release.version, release.base)
    }

    fn known(version: &str, base: Base) -> (Option<String>, Base) {
        (Some(version.to_owned()), base)
    }

    #[test]
    fn the_program_tells_its_version_and_its_base() {
        assert_eq!(of("earlyoom v1.7\n"), known("1.7", Base::Total));
        assert_eq!(of("earlyoom 1.6.2-1\n"), known("1.6.2-1", Base::Total));
        assert_eq!(of("earlyoom v1.8.2\n"), known("1.8.2", Base::User));
        assert_eq!(of("earlyoom v1.10\n"), known("1.10", Base::User));
        assert_eq!(of("earlyoom 2.0\n"), known("2.0", Base::User));
        // Between two versions the words decide.
        let between = "earlyoom v1.7-33-gabcdef\n\0user mem total: %4lld MiB";
        assert_eq!(of(between), known("1.7-33-gabcdef", Base::User));
        let without = "earlyoom *** unknown version ***\n";
        assert_eq!(of(without), (None, Base::Unknown));
        assert_eq!(of(&format!("{without}user mem total")), (None, Base::User));
        assert_eq!(Release::of_program(b""), Release::default());
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_panic(bytes: Vec<u8>, at in 0..40_usize) {
            let mut all = bytes.clone();
            all.truncate(at);
            all.extend_from_slice(b"earlyoom ");
            all.extend(bytes);
            let _ = Release::of_program(&all);
        }
    }
}
