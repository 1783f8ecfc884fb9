//! Which file would take back what systemd keeps of a limit, as soon as the files are loaded again.

use std::path::Path;

use super::directory::Directory;
use crate::linux::killers::unit_files::ConfigRoot;
use crate::model::killers::units::{UnitFile, winners};
use crate::model::systemd::{Kept, Lasting, Store, UnitName};

/// The drop-in that counts after the one in which systemd would keep this property, `None` if that one counts.
pub(crate) fn winner(
    base: &Path,
    unit: &UnitName,
    property: &str,
    lasting: Lasting,
) -> Option<String> {
    let own = own_name(property);
    // Of two files with one name the persistent one counts.
    if lasting == Lasting::Runtime
        && let Ok(directory) = Directory::of(base, unit, Store::Control(Lasting::Persistent))
        && directory.kept(&own) == Kept::File
    {
        return Some(directory.path(&own).display().to_string());
    }
    let root = ConfigRoot::open(base)?;
    let (dirs, owner) = root.unit_dirs(unit.manager);
    let files = root.files_of(&unit.name, &dirs, owner);
    let file = winners(&unit.name, &files, &own, property).pop()?;
    Some(named(file))
}

/// The name of the file in which systemd keeps a property (systemd src/core/unit.c `unit_write_setting`).
pub(crate) fn own_name(property: &str) -> String {
    format!("50-{property}.conf")
}

fn named(file: &UnitFile) -> String {
    match &file.drop_in {
        Some(drop_in) => format!("{}.d/{drop_in}", file.unit),
        None => file.unit.clone(),
    }
}
