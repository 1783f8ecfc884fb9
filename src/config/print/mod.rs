//! `--print WHAT`: what oomtop knows about itself, as text for people and programs. A kind is a variant of [`Printed`]
//! and a file.

mod config;
mod keys;
mod schema;
mod themes;

use std::fmt::Write;

use super::environment::Environment;
use super::sources::Sources;

/// What `--print` prints.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Printed {
    /// Each setting, its value and where it came from
    Config,
    /// Each key and what it does
    Keys,
    /// The themes
    Themes,
    /// The JSON Schema of the configuration file
    Schema,
}

impl Printed {
    /// The text. `sources` reads the settings; only kinds that show settings call it, so that a broken file does not
    /// stop the others.
    ///
    /// # Errors
    /// What is wrong with the settings.
    pub(super) fn text(
        self,
        environment: &Environment,
        sources: impl FnOnce() -> Result<Sources, Vec<String>>,
    ) -> Result<String, Vec<String>> {
        match self {
            Self::Config => Ok(config::print(&sources()?)),
            Self::Keys => Ok(keys::print(sources()?.configuration.values.settings.keys)),
            Self::Themes => Ok(themes::print(environment)),
            Self::Schema => Ok(schema::print()),
        }
    }
}

/// Cells side by side, two blanks between them.
fn table<const N: usize>(rows: &[[String; N]]) -> String {
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<_> = (0..N).map(width).collect();
    let mut out = String::new();
    for row in rows {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            // Writing to a String cannot fail.
            let _ = write!(line, "{cell:<width$}  ");
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}
