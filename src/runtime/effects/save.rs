//! Saves a report in the working directory; never overwrites a file.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// How many names are tried before giving up.
const MOST: u32 = 1000;

/// Writes `STEM.txt` and `STEM.json`, or `STEM-2.…` if one of the two exists. Returns the names.
///
/// # Errors
/// A sentence with the directory and the system's error.
pub(super) fn save(stem: &str, text: &str, json: &str) -> Result<String, String> {
    let dir = std::env::current_dir().unwrap_or_else(|_| PathBuf::from("."));
    save_in(&dir, stem, text, json).map_err(|error| {
        format!("The report could not be saved in {}: {error}. Start oomtop in a directory you may write.", dir.display())
    })
}

fn save_in(dir: &Path, stem: &str, text: &str, json: &str) -> io::Result<String> {
    for number in 1..MOST {
        let name = if number == 1 {
            stem.to_owned()
        } else {
            format!("{stem}-{number}")
        };
        let (as_text, as_json) = (
            dir.join(format!("{name}.txt")),
            dir.join(format!("{name}.json")),
        );
        if as_json.exists() {
            continue;
        }
        match write_new(&as_text, text) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
            Ok(()) => {
                write_new(&as_json, json)?;
                return Ok(format!("{} and .json", as_text.display()));
            }
        }
    }
    Err(io::Error::new(
        io::ErrorKind::AlreadyExists,
        "too many reports with this name exist",
    ))
}

fn write_new(path: &Path, content: &str) -> io::Result<()> {
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(path)?
        .write_all(content.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::save_in;

    #[test]
    fn never_writes_over_a_file() {
        let dir = tempfile::tempdir().expect("a directory");
        for wanted in ["r.txt", "r-2.txt", "r-3.txt"] {
            let names = save_in(dir.path(), "r", "text", "{}").expect("saved");
            assert!(names.contains(wanted), "{names}");
        }
        assert!(save_in(&dir.path().join("gone"), "r", "", "").is_err());
    }
}
