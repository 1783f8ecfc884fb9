//! The local time zone: from `TZ` if set, else from `/etc/localtime`.

use std::ffi::OsStr;
use std::fs::{File, OpenOptions};
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use jiff::tz::TimeZone;

/// Largest zone file that is read, in bytes. The largest of the zone database has 4 kB.
const LARGEST: u64 = 64 * 1024;

/// The zone of this process. UTC if the zone is not known, as in the C library.
pub(super) fn local() -> TimeZone {
    let dir = std::env::var_os("TZDIR").map_or_else(|| "/usr/share/zoneinfo".into(), PathBuf::from);
    named(std::env::var_os("TZ").as_deref(), &dir)
}

/// Reads the one file that tzset(3) names. The zone database of jiff would be walked before the first frame, and jiff
/// reads a path in `TZ` to its end, even a device.
fn named(tz: Option<&OsStr>, dir: &Path) -> TimeZone {
    let Some(tz) = tz else {
        return file(Path::new("/etc/localtime")).unwrap_or(TimeZone::UTC);
    };
    let name = tz.as_bytes().strip_prefix(b":").unwrap_or(tz.as_bytes());
    if name.is_empty() {
        return TimeZone::UTC;
    }
    // An absolute name replaces the directory.
    let path = dir.join(OsStr::from_bytes(name));
    let rules = || TimeZone::posix(std::str::from_utf8(name).ok()?).ok();
    file(&path).or_else(rules).unwrap_or(TimeZone::UTC)
}

fn file(path: &Path) -> Option<TimeZone> {
    // Before it is opened: opening a device can start something.
    let regular = |file: std::fs::Metadata| file.is_file() && file.len() <= LARGEST;
    if !regular(std::fs::metadata(path).ok()?) {
        return None;
    }
    let flags = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();
    let opened: File = OpenOptions::new()
        .read(true)
        .custom_flags(flags)
        .open(path)
        .ok()?;
    let mut rules = Vec::new();
    opened.take(LARGEST).read_to_end(&mut rules).ok()?;
    TimeZone::tzif("local", &rules).ok()
}

#[cfg(test)]
mod tests {
    use super::named;
    use std::ffi::OsStr;
    use std::path::Path;

    /// Seconds east of UTC on 2026-01-01.
    fn offset(tz: &str, dir: &Path) -> i32 {
        let winter = jiff::Timestamp::from_second(1_767_225_600).expect("a time");
        named(Some(OsStr::new(tz)), dir).to_offset(winter).seconds()
    }

    #[test]
    fn a_zone_is_a_name_a_path_or_a_rule() {
        let dir = tempfile::tempdir().expect("a directory");
        // Version 1 of RFC 9636: no transitions, one type of local time, the abbreviation "X".
        let mut rules = b"TZif".to_vec();
        rules.extend([0; 16]);
        for count in [0_u32, 0, 0, 0, 1, 2] {
            rules.extend(count.to_be_bytes());
        }
        rules.extend(5400_i32.to_be_bytes());
        rules.extend(*b"\0\0X\0");
        std::fs::create_dir(dir.path().join("Sea")).expect("a directory");
        let path = dir.path().join("Sea/Isle");
        std::fs::write(&path, rules).expect("written");
        let path = path.to_str().expect("UTF-8").to_owned();
        for tz in ["Sea/Isle", ":Sea/Isle", &path, &format!(":{path}")] {
            assert_eq!(offset(tz, dir.path()), 5400, "{tz}");
        }
        assert_eq!(offset("CET-1CEST,M3.5.0,M10.5.0/3", dir.path()), 3600);
    }

    #[test]
    fn what_is_no_zone_is_utc_and_is_never_read_to_its_end() {
        let dir = tempfile::tempdir().expect("a directory");
        let fifo = dir.path().join("fifo");
        rustix::fs::mknodat(
            rustix::fs::CWD,
            &fifo,
            rustix::fs::FileType::Fifo,
            rustix::fs::Mode::RWXU,
            0,
        )
        .expect("a FIFO");
        let fifo = fifo.to_str().expect("UTF-8");
        let far = "../../../../../../../../dev/zero";
        for tz in [
            "",
            ":",
            "/dev/zero",
            ":/dev/zero",
            "/dev",
            "no/zone",
            far,
            fifo,
        ] {
            assert_eq!(offset(tz, dir.path()), 0, "{tz}");
        }
    }
}
