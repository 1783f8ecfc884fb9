//! `--print man [PAGE]`: the manual pages, from the tables that the program itself goes by.
//!
//! What is in a table (options, subcommands, keys, columns, settings) is printed from it; the rest is in the `.md` files
//! here, and the layout of recordings in the documentation of the crate (`recording/format.md`).

mod list;
mod markdown;
mod options;
mod program;
mod roff;
mod settings;

#[cfg(test)]
mod tests;

use roff::Roff;

/// The day of the pages' texts.
const DATE: &str = "2026-11-28";

/// A manual page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::config) enum Page {
    /// oomtop(1): options, subcommands, keys, files.
    Program,
    /// oomtop-config(5): the configuration file.
    Config,
    /// oomtop-rules(5): files of rules.
    Rules,
    /// oomtop-recording(5): the layout of recordings.
    Recording,
}

impl Page {
    /// All of them.
    pub(super) const ALL: [Self; 4] = [Self::Program, Self::Config, Self::Rules, Self::Recording];

    /// What `--print man` takes for it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Program => "program",
            Self::Config => "config",
            Self::Rules => "rules",
            Self::Recording => "recording",
        }
    }

    /// Its title.
    pub(super) fn about(self) -> &'static str {
        match self {
            Self::Program => "oomtop(1), also without a name",
            Self::Config => "oomtop-config(5), the configuration file",
            Self::Rules => "oomtop-rules(5), the files of rules",
            Self::Recording => "oomtop-recording(5), the layout of recordings",
        }
    }

    /// Its source for man(1).
    pub(super) fn source(self) -> String {
        match self {
            Self::Program => program::page(),
            Self::Config => settings::page(),
            Self::Rules => {
                let mut roff = Roff::new("oomtop-rules", 5, DATE, "File Formats");
                markdown::append(&mut roff, include_str!("rules.md"));
                roff.source()
            }
            Self::Recording => {
                let mut roff = Roff::new("oomtop-recording", 5, DATE, "File Formats");
                let layout = include_str!("../../../recording/format.md");
                markdown::append(&mut roff, include_str!("recording.md"));
                markdown::append(&mut roff, layout);
                markdown::append(&mut roff, "# See also\n`oomtop`(1)");
                roff.source()
            }
        }
    }
}
