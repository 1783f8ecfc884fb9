//! `--print WHAT [NAME]`: what oomtop knows about itself, as text for people and programs. A kind is a variant of
//! [`Printed`] and a file; NAME chooses among the texts of a kind ([`Which`]).

mod completions;
mod config;
mod keys;
mod man;
mod schema;
mod themes;

use std::fmt::Write;

use clap::ValueEnum;
use clap::builder::{PossibleValue, PossibleValuesParser};

use super::environment::Environment;
use super::sources::Sources;
use completions::Shell;
use man::Page;

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
    /// A manual page: oomtop(1), or that of config, rules or recording
    Man,
    /// The completions of a shell
    Completions,
}

/// A kind, and which of its texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Which {
    /// A kind with one text.
    Only(Printed),
    /// A manual page.
    Man(Page),
    /// Completions.
    Completions(Shell),
}

/// Every word that `--print` takes: the kinds, and the names that choose among the texts of a kind.
pub(super) fn words() -> PossibleValuesParser {
    let kinds = Printed::value_variants();
    let kinds = kinds.iter().filter_map(ValueEnum::to_possible_value);
    let name = |name: &'static str, doc: String| PossibleValue::new(name).help(doc);
    let shells = Shell::ALL.map(|shell| {
        let shell = shell.name();
        name(shell, format!("With completions: those of {shell}"))
    });
    // `config` is a kind too.
    let pages = Page::ALL.into_iter().filter(|page| *page != Page::Config);
    let pages = pages.map(|page| name(page.name(), format!("With man: {}", page.about())));
    PossibleValuesParser::new(kinds.chain(shells).chain(pages).collect::<Vec<_>>())
}

impl Which {
    /// What these words ask for.
    ///
    /// # Errors
    /// A sentence about words that do not belong together.
    pub(super) fn of(words: &[String]) -> Result<Self, String> {
        let kind = words.first().map(String::as_str).unwrap_or_default();
        let name = words.get(1).map(String::as_str);
        let kind = Printed::from_str(kind, false)
            .map_err(|_| format!("--print {kind}: this name follows man or completions"))?;
        match (kind, name) {
            (Printed::Man, name) => {
                let page = Page::ALL
                    .into_iter()
                    .find(|page| page.name() == name.unwrap_or("program"));
                let names = Page::ALL.map(Page::name).join(", ");
                page.map(Self::Man)
                    .ok_or_else(|| format!("--print man takes one of {names}"))
            }
            (Printed::Completions, name) => {
                let shell = Shell::ALL
                    .into_iter()
                    .find(|shell| Some(shell.name()) == name);
                let names = Shell::ALL.map(Shell::name).join(", ");
                shell
                    .map(Self::Completions)
                    .ok_or_else(|| format!("--print completions takes one of {names}"))
            }
            (kind, None) => Ok(Self::Only(kind)),
            (_, Some(name)) => Err(format!(
                "--print {} takes no name, not '{name}' either",
                words.first().map(String::as_str).unwrap_or_default()
            )),
        }
    }

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
            Self::Only(Printed::Config) => Ok(config::print(&sources()?)),
            Self::Only(Printed::Keys) => {
                let settings = sources()?.configuration.values.settings;
                Ok(keys::print(settings.keys, &settings.bind))
            }
            Self::Only(Printed::Themes) => Ok(themes::print(environment)),
            Self::Only(Printed::Schema) => Ok(schema::print()),
            // `of` makes no others.
            Self::Only(Printed::Man | Printed::Completions) => Ok(String::new()),
            Self::Man(page) => Ok(page.source()),
            Self::Completions(shell) => Ok(shell.script()),
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
