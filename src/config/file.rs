//! A configuration file: TOML, one key for each setting. Reads it; only [`super::own_file`] writes the user's, when asked.

use std::fs::Metadata;
use std::io;
use std::path::Path;

use toml::de::{DeTable, DeValue};

use super::bind::{self, Bound};
use super::faults::{Faults, Matters};
use super::layers::{Found, Origin, wrong};
use super::settings::{SETTINGS, setting};
use crate::linux::bounded_file;
use crate::text::suggest::nearest;

/// Largest file that is read, in bytes. A larger file is no configuration.
const LARGEST: u64 = 64 * 1024;

/// The text of the file; `None` if there is no such file.
///
/// # Errors
/// A sentence if the file exists but cannot be read, is not a regular file, is larger than 64 KiB or is not UTF-8.
pub(super) fn read(path: &Path) -> Result<Option<String>, String> {
    read_if(path, |_| Ok(()))
}

/// As [`read`], if `trust` finds nothing wrong with the file that was opened.
///
/// # Errors
/// As [`read`], and what `trust` says.
pub(super) fn read_if(
    path: &Path,
    trust: impl FnOnce(&Metadata) -> Result<(), String>,
) -> Result<Option<String>, String> {
    let say = |why: &str| format!("{}: {why}", path.display());
    let file = match bounded_file::open(path) {
        Ok(file) => file,
        Err(error) if is_missing(&error) => return Ok(None),
        Err(error) => return Err(say(&format!("cannot be read: {error}"))),
    };
    let read = file.metadata().and_then(|metadata| {
        if metadata.is_file() {
            let contents = || {
                let bytes = bounded_file::contents(&file, LARGEST)?;
                Ok(bytes.map_or(Contents::TooLarge, Contents::Bytes))
            };
            trust(&metadata).map_or_else(|why| Ok(Contents::Untrusted(why)), |()| contents())
        } else {
            Ok(Contents::NotAFile)
        }
    });
    match read {
        Ok(Contents::Untrusted(why)) => Err(say(&why)),
        Ok(Contents::Bytes(bytes)) => String::from_utf8(bytes).map(Some).map_err(|error| {
            let valid = error.utf8_error().valid_up_to();
            let line = line(error.as_bytes(), valid);
            format!("{}:{line}: is not UTF-8", path.display())
        }),
        Ok(Contents::NotAFile) => Err(say("is not a regular file")),
        Ok(Contents::TooLarge) => Err(say("is larger than 64 KiB")),
        Err(error) => Err(say(&format!("cannot be read: {error}"))),
    }
}

/// True if this user may not search the directory, so whether the file exists is unknown.
pub(super) fn is_out_of_reach(path: &Path) -> bool {
    std::fs::symlink_metadata(path)
        .is_err_and(|error| error.kind() == io::ErrorKind::PermissionDenied)
}

fn is_missing(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    )
}

enum Contents {
    Bytes(Vec<u8>),
    NotAFile,
    TooLarge,
    Untrusted(String),
}

/// The line that holds byte `at`, from 1.
pub(super) fn line(text: &[u8], at: usize) -> usize {
    let before = text.get(..at).unwrap_or(text);
    1 + memchr::memchr_iter(b'\n', before).count()
}

/// The beginning of a line: it shows the key, which the parser's error does not name.
pub(super) fn quoted(text: &str, line: usize) -> String {
    let line = text.lines().nth(line - 1).unwrap_or_default();
    line.trim().chars().take(60).collect()
}

/// The sentence about a text that is no TOML.
pub(super) fn not_toml(path: &Path, text: &str, error: &toml::de::Error) -> String {
    let at = error.span().map_or(0, |span| span.start);
    let line = line(text.as_bytes(), at);
    let why = error.message().replace('\n', ", ");
    let path = path.display();
    format!("{path}:{line}: {why} in '{}'", quoted(text, line))
}

/// What a file says.
#[derive(Debug, Default)]
pub(super) struct Said {
    /// The settings.
    pub(super) settings: Vec<Found>,
    /// The keys of `[bind]`.
    pub(super) keys: Vec<Bound>,
}

/// The values in a file's text. Each bad key and each bad value adds a sentence to `faults`.
pub(super) fn parse(path: &Path, text: &str, faults: &mut Faults) -> Said {
    let origin = |at: usize| Origin::File {
        path: path.to_owned(),
        line: line(text.as_bytes(), at),
    };
    let mut said = Said::default();
    let table = match DeTable::parse(text) {
        Ok(table) => table.into_inner(),
        Err(error) => {
            faults.push(Matters::Always, not_toml(path, text, &error));
            return said;
        }
    };
    let mut entries: Vec<_> = table.iter().collect();
    entries.sort_by_key(|(key, _)| key.span().start);
    for (key, value) in entries {
        let at = origin(key.span().start);
        let key: &str = key.get_ref();
        match (setting(key), plain(value.get_ref()), value.get_ref()) {
            (None, _, DeValue::Table(keys)) if key == bind::TABLE => {
                let mut wrong = Vec::new();
                said.keys = bind::parse(keys, &origin, &mut wrong);
                faults.extend(Matters::OnScreens, wrong);
            }
            (None, _, _) if key == bind::TABLE => {
                let why = "takes a table of keys, such as [bind] and x = \"signal\" below it";
                faults.push(Matters::OnScreens, wrong(&at, key, why));
            }
            (Some(setting), _, DeValue::Table(_)) if setting.key == "keys" => {
                let why = "takes the name of a preset; keys of your own go into [bind]";
                faults.push(setting.matters, wrong(&at, key, why));
            }
            (Some(setting), Ok(text), _) => said.settings.push(Found {
                setting,
                text,
                origin: at,
            }),
            (Some(setting), Err(why), _) => faults.push(setting.matters, wrong(&at, key, &why)),
            (None, _, _) => {
                let is_table = matches!(value.get_ref(), DeValue::Table(_));
                // [bind] misspelled holds keys alone; any other name may hide a setting.
                let matters = if is_table && nearest(key, &[bind::TABLE]).is_some() {
                    Matters::OnScreens
                } else {
                    Matters::Always
                };
                faults.push(matters, wrong(&at, key, &unknown(key, is_table)));
            }
        }
    }
    said
}

/// The end of a sentence about a key that is no setting.
fn unknown(key: &str, is_table: bool) -> String {
    if is_table && let Some(meant) = nearest(key, &[bind::TABLE]) {
        return format!("there is no such setting; did you mean '{meant}'?");
    }
    let settings = SETTINGS.iter().map(|setting| setting.key);
    let keys: Vec<_> = settings.chain([bind::TABLE]).collect();
    match nearest(key, &keys) {
        Some(meant) => format!("there is no such setting; did you mean '{meant}'?"),
        None => format!(
            "there is no such setting; the settings are {}",
            keys.join(", ")
        ),
    }
}

/// The value as a flag would take it; a list becomes text with commas.
fn plain(value: &DeValue<'_>) -> Result<String, String> {
    match value {
        DeValue::Array(items) => {
            let items: Result<Vec<_>, _> =
                items.iter().map(|item| scalar(item.get_ref())).collect();
            Ok(items?.join(","))
        }
        value => scalar(value),
    }
}

fn scalar(value: &DeValue<'_>) -> Result<String, String> {
    match value {
        DeValue::String(text) => Ok(text.clone().into_owned()),
        DeValue::Integer(number) => Ok(number.to_string()),
        DeValue::Float(number) => Ok(number.to_string()),
        DeValue::Boolean(on) => Ok(on.to_string()),
        DeValue::Datetime(_) => Err("takes no date".to_owned()),
        DeValue::Array(_) => Err("takes no list of lists".to_owned()),
        DeValue::Table(_) => Err("takes no table".to_owned()),
    }
}
