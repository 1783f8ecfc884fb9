//! `joined!`: `concat!` that takes constants, for texts of tables that name a file of another table.

/// Bytes of all parts together.
pub const fn length(parts: &[&str]) -> usize {
    let (mut sum, mut part) = (0, 0);
    while part < parts.len() {
        sum += parts[part].len();
        part += 1;
    }
    sum
}

/// The parts one after the other; `LENGTH` is their [`length`].
pub const fn bytes<const LENGTH: usize>(parts: &[&str]) -> [u8; LENGTH] {
    let mut all = [0; LENGTH];
    let (mut end, mut part) = (0, 0);
    while part < parts.len() {
        let (from, mut at) = (parts[part].as_bytes(), 0);
        while at < from.len() {
            all[end] = from[at];
            end += 1;
            at += 1;
        }
        part += 1;
    }
    all
}

/// One `&'static str` of constant parts.
macro_rules! joined {
    ($($part:expr),+ $(,)?) => {
        const {
            const PARTS: &[&str] = &[$($part),+];
            const BYTES: &[u8] = &$crate::text::joined::bytes::<{ $crate::text::joined::length(PARTS) }>(PARTS);
            match std::str::from_utf8(BYTES) {
                Ok(text) => text,
                Err(_) => panic!("whole texts make a whole text"),
            }
        }
    };
}
pub(crate) use joined;

#[cfg(test)]
mod tests {
    #[test]
    fn parts_stand_in_their_order() {
        const NAME: &str = "memory.high";
        assert_eq!(joined!("at ", NAME, " … ", "", "└"), "at memory.high … └");
    }
}
