//! Drafts of real files, and what is written.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::path::PathBuf;

use super::OwnFile;
use crate::config::Environment;
use crate::config::flags::Flags;
use crate::config::layers::{Found, Origin};
use crate::config::settings::setting;

struct Home {
    dir: tempfile::TempDir,
    own: OwnFile,
}

impl Home {
    fn new(etc: &str) -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let system_file = dir.path().join("etc.toml");
        fs::write(&system_file, etc).expect("written");
        let home = dir.path().join("home");
        let environment = Environment {
            variables: BTreeMap::from([
                ("HOME".into(), home.into()),
                ("OOMTOP_MOUSE".into(), "false".into()),
            ]),
            system_file,
            terminal: true,
        };
        let flags = Flags {
            found: vec![Found {
                setting: setting("delay").expect("there"),
                text: "2".to_owned(),
                origin: Origin::Flag("--delay".to_owned()),
            }],
            config: None,
        };
        let own = OwnFile::new(&flags, &environment);
        Self { dir, own }
    }

    fn path(&self) -> PathBuf {
        self.dir.path().join("home/.config/oomtop/config.toml")
    }

    fn has(self, text: &str) -> Self {
        let path = self.path();
        fs::create_dir_all(path.parent().expect("a directory")).expect("made");
        fs::write(path, text).expect("written");
        self
    }

    fn after(&self, changes: &[(&'static str, &str)]) -> String {
        let changes: Vec<_> = changes
            .iter()
            .map(|(key, text)| (*key, (*text).to_owned()))
            .collect();
        self.own.draft(&changes).expect("a draft").after
    }
}

#[test]
fn only_what_differs_from_the_layers_below_is_written() {
    let home = Home::new("delay = 5\n");
    // A default is never written, nor what /etc says.
    assert_eq!(
        home.after(&[("theme", "oomtop"), ("delay", "5"), ("sort", "badness")]),
        ""
    );
    assert_eq!(home.after(&[("delay", "1")]), "delay = 1\n");
    let home = home.has("# mine\ntheme = \"nord\" # cold\nascii = true\n");
    assert_eq!(
        home.after(&[("theme", "oomtop")]),
        "# mine\n# cold\nascii = true\n"
    );
    assert_eq!(
        home.after(&[("theme", "dark"), ("bands", "60,70,80")]),
        "# mine\ntheme = \"dark\" # cold\nascii = true\nbands = [60, 70, 80]\n"
    );
    let draft = home
        .own
        .draft(&[("mouse", "true".into()), ("delay", "2".into())]);
    let expected = [
        "OOMTOP_MOUSE overrides mouse of the file",
        "--delay overrides delay of the file",
    ];
    assert_eq!(draft.expect("a draft").notes, expected);
}

#[test]
fn the_keys_of_the_user_stay_as_they_are() {
    let keys = "# my keys\n[bind]   # all of them\nx = \"signal\"\n\"C-d\" = [\"domains\"]\n";
    let home = Home::new("").has(&format!("theme = \"nord\"\n\n{keys}"));
    assert_eq!(
        home.after(&[("theme", "dark"), ("columns", "pid,rss:8,command")]),
        format!("theme = \"dark\"\ncolumns = \"pid,rss:8,command\"\n\n{keys}")
    );
    assert_eq!(home.after(&[("theme", "oomtop")]), format!("\n{keys}"));
    // A fault in them is said before anything is written.
    let home = Home::new("").has("[bind]\nx = \"sgnal\"\n");
    let wrong = home.own.draft(&[("theme", "dark".into())]);
    let wrong = wrong.expect_err("no action");
    assert!(wrong.contains("did you mean 'signal'?"), "{wrong}");
}

#[test]
fn the_file_is_replaced_as_a_whole_and_stays_what_it_was() {
    let home = Home::new("");
    let draft = home
        .own
        .draft(&[("ascii", "true".into())])
        .expect("a draft");
    assert_eq!(draft.before, None);
    home.own.write(&draft).expect("written");
    assert_eq!(
        fs::read_to_string(home.path()).expect("there"),
        "ascii = true\n"
    );
    // It is there now: the same draft is too old.
    let late = home.own.write(&draft).expect_err("changed");
    assert!(late.contains("has changed since"), "{late}");

    // A link into a directory of dot files, with a mode of its own.
    let real = home.dir.path().join("dotfiles.toml");
    fs::rename(home.path(), &real).expect("moved");
    fs::set_permissions(&real, fs::Permissions::from_mode(0o600)).expect("changed");
    symlink(&real, home.path()).expect("linked");
    let draft = home
        .own
        .draft(&[("ascii", "true".into()), ("theme", "dark".into())]);
    let draft = draft.expect("a draft");
    home.own.write(&draft).expect("written");
    assert!(
        fs::symlink_metadata(home.path())
            .expect("there")
            .is_symlink()
    );
    let text = fs::read_to_string(&real).expect("there");
    assert_eq!(text, "ascii = true\ntheme = \"dark\"\n");
    assert_eq!(fs::metadata(&real).expect("there").mode() & 0o777, 0o600);
    // Nothing else is left beside it.
    assert_eq!(fs::read_dir(home.dir.path()).expect("read").count(), 3);
}

#[test]
fn what_cannot_be_written_is_a_sentence() {
    let home = Home::new("").has("ascii = yes\n");
    let wrong = home
        .own
        .draft(&[("theme", "dark".into())])
        .expect_err("no TOML");
    assert!(wrong.contains("config.toml: "), "{wrong}");
    let nobody = OwnFile::default();
    assert!(nobody.draft(&[]).is_err());
    let home = Home::new("");
    fs::write(home.dir.path().join("home"), "a file").expect("written");
    let draft = home
        .own
        .draft(&[("ascii", "true".into())])
        .expect("a draft");
    let wrong = home.own.write(&draft).expect_err("no directory");
    assert!(wrong.contains("was not written: "), "{wrong}");
}

/// Another user's number, in tests that are root.
const SOMEBODY: u32 = 1000;

#[test]
fn root_writes_nothing_where_a_user_can_swap_the_file_or_a_link() {
    if !rustix::process::geteuid().is_root() {
        let why = "SKIPPED: another user's home, because this is no root";
        std::io::Write::write_fmt(&mut std::io::stderr(), format_args!("{why}\n")).ok();
        return;
    }
    let home = Home::new("").has("ascii = true\n");
    let draft = home.own.draft(&[("theme", "dark".into())]);
    let draft = draft.expect("a draft");
    let roots = home.dir.path().join("roots.toml");
    fs::write(&roots, "ascii = true\n").expect("written");
    let dir = home.path().parent().expect("a directory").to_owned();
    chown(&dir, Some(SOMEBODY), None).expect("given away");
    fs::remove_file(home.path()).expect("removed");
    symlink(&roots, home.path()).expect("linked");
    let refused = home.own.write(&draft).expect_err("another user's");
    assert!(refused.contains("belongs to uid 1000"), "{refused}");
    // Nor a directory that its user could not change.
    fs::remove_dir_all(&dir).expect("removed");
    let config = dir.parent().expect("a directory");
    chown(config, Some(SOMEBODY), None).expect("given away");
    let draft = home.own.draft(&[("theme", "dark".into())]);
    let refused = home.own.write(&draft.expect("a draft"));
    let refused = refused.expect_err("another user's");
    assert!(refused.contains("belongs to uid 1000"), "{refused}");
    assert!(!dir.exists());
    assert_eq!(fs::read_to_string(&roots).expect("there"), "ascii = true\n");
}
