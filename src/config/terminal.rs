//! How many colours the terminal has, by what it says of itself.
//!
//! 1. `TERM` is `dumb`, or a VT of DEC (`vt100`, `vt220`): none, unless `CLICOLOR_FORCE` says 16.
//! 2. `COLORTERM` is `truecolor` or `24bit`: all, except on the Linux console, which mixes them down to 16 itself.
//! 3. `TERM` ends in `-direct`: all.
//! 4. The number of colours in the terminfo entry of `TERM` (term(5)).
//! 5. Without an entry, `TERM` says `256color`: 256; else 16.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::environment::Environment;
use crate::ui::theme::Depth;

/// Where the entries are, besides `$TERMINFO`, `~/.terminfo` and `$TERMINFO_DIRS`.
const DIRS: [&str; 4] = [
    "/etc/terminfo",
    "/lib/terminfo",
    "/usr/share/terminfo",
    "/usr/lib/terminfo",
];

/// Largest entry, in bytes: those of ncurses 6.1 and later have 32 KiB at most (term(5)).
const LARGEST: u64 = 32 * 1024;

/// The place of `max_colors` among the numbers of an entry (term.h).
const MAX_COLORS: usize = 13;

impl Environment {
    /// How many colours the terminal has.
    pub(super) fn depth(&self) -> Depth {
        let text = |name: &str| self.variable(name).and_then(|value| value.to_str());
        let term = text("TERM").unwrap_or_default();
        let found = if is_without_colours(term) {
            Depth::None
        } else if term == "linux" {
            Depth::Sixteen
        } else if matches!(text("COLORTERM"), Some("truecolor" | "24bit"))
            || term.ends_with("-direct")
        {
            Depth::True
        } else {
            self.depth_of_entry(term)
        };
        if self.forces_color() {
            found.max(Depth::Sixteen)
        } else {
            found
        }
    }

    fn depth_of_entry(&self, term: &str) -> Depth {
        match self.max_colors(term) {
            Some(0x100_0000..) => Depth::True,
            Some(256..) => Depth::Palette,
            Some(1..) => Depth::Sixteen,
            Some(_) => Depth::None,
            None if term.contains("256color") => Depth::Palette,
            None => Depth::Sixteen,
        }
    }

    /// `max_colors` of the entry, 0 if the entry has none; `None` without an entry.
    fn max_colors(&self, term: &str) -> Option<i32> {
        let first = term.chars().next()?;
        if term.contains('/') {
            return None;
        }
        let own = self.variable("TERMINFO").map(PathBuf::from);
        let home = self.variable("HOME");
        let home = home.map(|home| Path::new(home).join(".terminfo"));
        let more = self.variable("TERMINFO_DIRS");
        let more = more.map(|dirs| std::env::split_paths(dirs).collect::<Vec<_>>());
        let dirs = own.into_iter().chain(home);
        let dirs = dirs.chain(more.into_iter().flatten());
        let mut dirs = dirs.chain(DIRS.map(PathBuf::from));
        // By the letter, or by its number where names of files ignore case.
        let letters = [first.to_string(), format!("{:x}", u32::from(first))];
        dirs.find_map(|dir| {
            letters.iter().find_map(|letter| {
                let entry = read(&dir.join(letter).join(term))?;
                colors(&entry)
            })
        })
    }
}

fn is_without_colours(term: &str) -> bool {
    let is_vt = term.strip_prefix("vt");
    term == "dumb" || is_vt.is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
}

fn read(path: &Path) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let file = File::open(path).ok()?;
    // A device or a FIFO is no entry.
    file.metadata().ok().filter(std::fs::Metadata::is_file)?;
    file.take(LARGEST).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

/// `max_colors` of a compiled entry (term(5)), 0 if the entry has no such number; `None` if this is no entry.
fn colors(entry: &[u8]) -> Option<i32> {
    let short = |at: usize| Some(u16::from_le_bytes(entry.get(at..at + 2)?.try_into().ok()?));
    let size = match short(0)? {
        0o432 => 2,
        // Since ncurses 6.1 with numbers of 32 bits.
        0o1036 => 4,
        _ => return None,
    };
    let [names, flags, numbers] = [short(2)?, short(4)?, short(6)?].map(usize::from);
    if numbers <= MAX_COLORS {
        return Some(0);
    }
    // Numbers begin at an even byte.
    let begin = 12 + names + flags;
    let at = begin + begin % 2 + MAX_COLORS * size;
    let bytes = entry.get(at..at + size)?;
    let number = match bytes {
        [a, b] => i32::from(i16::from_le_bytes([*a, *b])),
        bytes => i32::from_le_bytes(bytes.try_into().ok()?),
    };
    Some(number.max(0))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::colors;
    use crate::config::Environment;
    use crate::ui::theme::Depth;

    /// An entry with these numbers.
    fn entry(wide: bool, numbers: &[i32]) -> Vec<u8> {
        let names = b"odd|a terminal\0\0";
        let mut entry = Vec::new();
        let count = u16::try_from(numbers.len()).expect("few");
        let names_len = u16::try_from(names.len()).expect("short");
        let magic = if wide { 0o1036 } else { 0o432 };
        // Three flags: the numbers begin after a byte of padding.
        for number in [magic, names_len, 3, count, 0, 0] {
            entry.extend(u16::to_le_bytes(number));
        }
        entry.extend(names);
        entry.extend([0, 1, 0, 0]);
        for number in numbers {
            if wide {
                entry.extend(number.to_le_bytes());
            } else {
                let number = i16::try_from(*number).expect("small");
                entry.extend(number.to_le_bytes());
            }
        }
        entry
    }

    fn with_colors(number: i32) -> Vec<i32> {
        let mut numbers = vec![-1; 13];
        numbers.push(number);
        numbers
    }

    #[test]
    fn an_entry_says_how_many_colours_there_are() {
        assert_eq!(colors(&entry(false, &with_colors(256))), Some(256));
        assert_eq!(
            colors(&entry(true, &with_colors(0x100_0000))),
            Some(0x100_0000)
        );
        assert_eq!(colors(&entry(false, &with_colors(-1))), Some(0));
        assert_eq!(colors(&entry(false, &[80, 24])), Some(0));
        assert_eq!(colors(b"#!/bin/sh\nexit"), None);
        for wide in [false, true] {
            let whole = entry(wide, &with_colors(8));
            for cut in 0..whole.len() {
                assert_ne!(colors(&whole[..cut]), Some(8), "{cut}");
            }
        }
    }

    #[test]
    fn the_terminal_decides() {
        let dir = tempfile::tempdir().expect("a directory");
        let at = |number: i32, letter: &str, name: &str| {
            let wide = number > i32::from(i16::MAX);
            fs::create_dir_all(dir.path().join(letter)).expect("made");
            let path = dir.path().join(letter).join(name);
            fs::write(path, entry(wide, &with_colors(number))).expect("written");
        };
        at(8, "z", "zeight");
        at(256, "7a", "zmany");
        at(-1, "z", "znone");
        at(0x100_0000, "z", "zall");
        let depth = |variables: &[(&str, &str)]| {
            let own = [("TERMINFO", dir.path().to_str().expect("UTF-8"))];
            let variables = variables.iter().chain(&own);
            let variables = variables.map(|(name, value)| (name.into(), value.into()));
            Environment {
                variables: variables.collect(),
                ..Environment::default()
            }
            .depth()
        };
        let term = |name: &str| depth(&[("TERM", name)]);
        assert_eq!(term("zeight"), Depth::Sixteen);
        assert_eq!(term("zmany"), Depth::Palette);
        assert_eq!(term("znone"), Depth::None);
        assert_eq!(term("zall"), Depth::True);
        assert_eq!(term("zunknown"), Depth::Sixteen);
        assert_eq!(term("zunknown-256color"), Depth::Palette);
        assert_eq!(term("zunknown-direct"), Depth::True);
        assert_eq!(term("../z/zall"), Depth::Sixteen);
        assert_eq!(term("linux"), Depth::Sixteen);
        assert_eq!(term("dumb"), Depth::None);
        assert_eq!(term("vt220"), Depth::None);
        assert_eq!(depth(&[]), Depth::Sixteen);
        let both = |term, color| depth(&[("TERM", term), ("COLORTERM", color)]);
        assert_eq!(both("zeight", "truecolor"), Depth::True);
        assert_eq!(both("zeight", "24bit"), Depth::True);
        assert_eq!(both("zeight", "yes"), Depth::Sixteen);
        assert_eq!(both("dumb", "truecolor"), Depth::None);
        assert_eq!(both("linux", "truecolor"), Depth::Sixteen);
        let forced = |term| depth(&[("TERM", term), ("CLICOLOR_FORCE", "1")]);
        assert_eq!(forced("dumb"), Depth::Sixteen);
        assert_eq!(forced("zmany"), Depth::Palette);
    }
}
