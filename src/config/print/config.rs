//! `--print config`: each setting, its value and where it came from.
//!
//! The output is not a configuration file on purpose: users would save it and keep today's defaults for ever.

use super::table;
use crate::config::bind::TABLE;
use crate::config::settings::SETTINGS;
use crate::config::sources::Sources;
use crate::text::tone::printable;

/// The settings as a table, then the files.
pub(super) fn print(sources: &Sources) -> String {
    let configuration = &sources.configuration;
    let head = ["SETTING", "VALUE", "FROM"].map(str::to_owned);
    let rows = SETTINGS.iter().map(|setting| {
        let value = match (setting.show)(&configuration.values) {
            none if none.is_empty() => "-".to_owned(),
            shown => shown,
        };
        let origin = configuration.origin(setting).to_string();
        [
            setting.key.to_owned(),
            printable(&value),
            printable(&origin),
        ]
    });
    let keys = sources.keys.iter().map(|bound| {
        [
            format!("{TABLE} {}", printable(&bound.binding.key.to_string())),
            bound.actions(),
            printable(&bound.origin.to_string()),
        ]
    });
    let settings: Vec<_> = std::iter::once(head).chain(rows).chain(keys).collect();
    let files: Vec<_> = sources
        .files
        .iter()
        .map(|file| {
            let state = if file.is_there { "read" } else { "not there" };
            [
                printable(&file.path.display().to_string()),
                state.to_owned(),
            ]
        })
        .collect();
    table(&settings) + "\n" + &table(&files)
}
