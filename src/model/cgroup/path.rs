//! [`CgroupPath`]: the name of a group, which may hold any byte but `/`, NUL and newline.

use std::borrow::Cow;
use std::fmt::{self, Write as _};
use std::sync::Arc;

/// Bytes that are not UTF-8 are kept as characters from here on, one for each byte. Unicode gives these
/// characters no meaning. A name that holds them is kept byte by byte too, so that two names never look alike.
const FIRST_BYTE: u32 = 0x0010_ff00;

/// A path in the memory hierarchy: absolute, `/` is the outermost group that oomtop can see. It is the path in
/// `/proc/PID/cgroup`, unless the mounted tree reaches beyond the cgroup namespace: then it begins at the root of
/// the mount (`linux/cgroup/namespace.rs`).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CgroupPath(Arc<str>);

impl CgroupPath {
    /// Takes a path without its trailing slashes.
    #[must_use]
    pub fn new(path: &str) -> Self {
        Self::from_bytes(path.as_bytes())
    }

    /// As [`Self::new`]. Two paths are equal only if their bytes are.
    #[must_use]
    pub fn from_bytes(path: &[u8]) -> Self {
        let path = kept(path);
        let path = path.trim_end_matches('/');
        if path.is_empty() {
            Self(Arc::from("/"))
        } else if path.starts_with('/') {
            Self(Arc::from(path))
        } else {
            Self(Arc::from(format!("/{path}")))
        }
    }

    /// The root of the hierarchy.
    #[must_use]
    pub fn root() -> Self {
        Self(Arc::from("/"))
    }

    /// The path as text. A byte that is not UTF-8 is a character without a meaning in it: show paths with
    /// [`fmt::Display`], and open them with [`Self::bytes_of`].
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The bytes of a part of [`Self::as_str`], as the kernel knows them.
    #[must_use]
    pub fn bytes_of(part: &str) -> Cow<'_, [u8]> {
        if !part.chars().any(|c| kept_byte(c).is_some()) {
            return Cow::Borrowed(part.as_bytes());
        }
        let mut bytes = Vec::with_capacity(part.len());
        for c in part.chars() {
            match kept_byte(c) {
                Some(byte) => bytes.push(byte),
                None => bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
            }
        }
        Cow::Owned(bytes)
    }

    /// True for `/`.
    #[must_use]
    pub fn is_root(&self) -> bool {
        &*self.0 == "/"
    }

    /// The part below the root, for joining to a mount point: no leading slash, empty for `/`.
    #[must_use]
    pub fn relative(&self) -> &str {
        self.0.trim_start_matches('/')
    }

    /// The enclosing group; `None` for the root.
    #[must_use]
    pub fn parent(&self) -> Option<Self> {
        if self.is_root() {
            return None;
        }
        let (parent, _) = self.0.rsplit_once('/')?;
        Some(match parent.trim_end_matches('/') {
            "" => Self::root(),
            parent => Self(Arc::from(parent)),
        })
    }

    /// The last component: the unit, scope or container.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or("")
    }

    /// A child of this group; `name` in the bytes of the kernel.
    #[must_use]
    pub fn join(&self, name: impl AsRef<[u8]>) -> Self {
        let name = kept(name.as_ref());
        let name = name.trim_matches('/');
        match (self.is_root(), name) {
            (_, "") => self.clone(),
            (true, name) => Self(Arc::from(format!("/{name}"))),
            (false, name) => Self(Arc::from(format!("{}/{name}", self.0))),
        }
    }

    /// True if `self` is `other` or lies below it.
    #[must_use]
    pub fn is_within(&self, other: &Self) -> bool {
        other.is_root()
            || self
                .0
                .strip_prefix(&*other.0)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }
}

/// Bytes that are not UTF-8 as `\xff`.
impl fmt::Display for CgroupPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.0.chars().any(|c| kept_byte(c).is_some()) {
            return f.pad(&self.0);
        }
        let mut text = String::with_capacity(self.0.len());
        for c in self.0.chars() {
            match kept_byte(c) {
                Some(byte) => write!(text, "\\x{byte:02x}")?,
                None => text.push(c),
            }
        }
        f.pad(&text)
    }
}

impl serde::Serialize for CgroupPath {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// The byte that a character stands for.
fn kept_byte(c: char) -> Option<u8> {
    let byte = u8::try_from(u32::from(c).checked_sub(FIRST_BYTE)?).ok()?;
    (!byte.is_ascii()).then_some(byte)
}

/// The text that stands for these bytes.
fn kept(bytes: &[u8]) -> Cow<'_, str> {
    if let Ok(text) = std::str::from_utf8(bytes)
        && !text.chars().any(|c| kept_byte(c).is_some())
    {
        return Cow::Borrowed(text);
    }
    let mut text = String::with_capacity(bytes.len() * 2);
    let each = |bytes: &[u8], text: &mut String| {
        let chars = bytes.iter().map(|byte| FIRST_BYTE + u32::from(*byte));
        text.extend(chars.filter_map(char::from_u32));
    };
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            match kept_byte(c) {
                Some(_) => each(c.encode_utf8(&mut [0; 4]).as_bytes(), &mut text),
                None => text.push(c),
            }
        }
        each(chunk.invalid(), &mut text);
    }
    Cow::Owned(text)
}

#[cfg(test)]
mod tests {
    use super::CgroupPath;

    #[test]
    fn paths() {
        let p = CgroupPath::new("/a.slice/b.scope/");
        assert_eq!(p.as_str(), "/a.slice/b.scope");
        assert_eq!(p.name(), "b.scope");
        assert_eq!(p.parent(), Some(CgroupPath::new("/a.slice")));
        assert_eq!(
            p.parent().and_then(|p| p.parent()),
            Some(CgroupPath::root())
        );
        assert_eq!(CgroupPath::root().parent(), None);
        assert_eq!(CgroupPath::root().relative(), "");
        assert_eq!(CgroupPath::root().join("x").as_str(), "/x");
        assert!(p.is_within(&CgroupPath::new("/a.slice")));
        assert!(!CgroupPath::new("/a.slicex").is_within(&CgroupPath::new("/a.slice")));
        assert!(p.is_within(&CgroupPath::root()));
    }

    #[test]
    fn a_group_really_named_deleted_is_not_its_sibling() {
        assert_ne!(CgroupPath::new("/web (deleted)"), CgroupPath::new("/web"));
    }

    #[test]
    fn a_name_that_is_not_utf8_is_shown_and_keeps_its_bytes() {
        let path = CgroupPath::from_bytes(b"/t\xff\xfe/caf\xc3\xa9");
        assert_eq!(path.to_string(), "/t\\xff\\xfe/caf\u{e9}");
        assert_eq!(
            CgroupPath::bytes_of(path.as_str()).as_ref(),
            b"/t\xff\xfe/caf\xc3\xa9"
        );
    }

    proptest::proptest! {
        #[test]
        fn every_name_keeps_its_bytes(
            bytes in "[a/\\PC\u{10ff00}-\u{10ffff}]{0,9}", wild: Vec<u8>
        ) {
            for name in [bytes.as_bytes(), &wild] {
                let mut whole = b"/x".to_vec();
                whole.extend_from_slice(name);
                while whole.last() == Some(&b'/') {
                    whole.pop();
                }
                let path = CgroupPath::from_bytes(&whole);
                proptest::prop_assert_eq!(CgroupPath::bytes_of(path.as_str()).into_owned(), whole);
            }
        }
    }
}
