//! A rule made of a process by keys: it is in the file, a running `oomtop protect` takes it at once, and undo takes exactly
//! it away.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::common::hog::{Hog, adj_of};
use crate::common::patience::until;
use crate::common::pty::Launch;
use crate::common::skipped;

/// Where the rules of the user who runs the test are, in a place of the test's own.
struct Place {
    dir: tempfile::TempDir,
    is_root: bool,
}

const BINARY: &str = env!("CARGO_BIN_EXE_oomtop");

impl Place {
    /// Root's rules are in `/etc`, of which the test shows oomtop another one. `None` where that is not possible.
    fn new() -> Option<Self> {
        let dir = tempfile::tempdir().expect("a directory");
        let is_root = rustix::process::geteuid().is_root();
        if is_root {
            let made = Command::new("unshare").args(["-m", "true"]).status();
            if !made.is_ok_and(|status| status.success()) {
                return None;
            }
            let etc = dir.path().join("etc");
            std::fs::create_dir(&etc).expect("made");
            for name in ["passwd", "group"] {
                std::fs::copy(format!("/etc/{name}"), etc.join(name)).expect("copied");
            }
        }
        Some(Self { dir, is_root })
    }

    fn file(&self) -> PathBuf {
        self.dir.path().join(if self.is_root {
            "etc/oomtop/rules.d/50-oomtop.toml"
        } else {
            "oomtop/rules.toml"
        })
    }

    /// The program and its arguments.
    fn command(&self, args: &[&str]) -> Vec<String> {
        let mut words = Vec::new();
        if self.is_root {
            let script = "mount --bind \"$1\" /etc && shift && exec \"$@\"";
            let etc = self.dir.path().join("etc");
            words.extend(["unshare", "-m", "sh", "-c", script, "sh"].map(str::to_owned));
            words.push(etc.to_str().expect("text").to_owned());
        }
        words.push(BINARY.to_owned());
        words.extend(args.iter().map(|arg| (*arg).to_owned()));
        words
    }

    fn home(&self) -> &str {
        if self.is_root {
            "/nonexistent"
        } else {
            self.dir.path().to_str().expect("text")
        }
    }
}

/// A running `oomtop protect` with the usual files.
struct Resident {
    child: Child,
    said: PathBuf,
}

impl Resident {
    fn start(place: &Place) -> Self {
        let said = place.dir.path().join("said");
        let words = place.command(&["protect", "--every", "3600"]);
        let child = Command::new(&words[0])
            .args(&words[1..])
            .env("XDG_CONFIG_HOME", place.home())
            .env_remove("JOURNAL_STREAM")
            .stdin(Stdio::null())
            .stderr(std::fs::File::create(&said).expect("made"))
            .spawn()
            .expect("it starts");
        let resident = Self { child, said };
        resident.says("in force", 1);
        resident
    }

    fn says(&self, what: &str, times: usize) {
        let said = || read(&self.said);
        assert!(
            until(|| said().matches(what).count() >= times),
            "{}",
            said()
        );
    }
}

impl Drop for Resident {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_default()
}

#[test]
fn a_rule_made_by_keys_is_taken_at_once_and_undo_takes_exactly_it_away() {
    let Some(place) = Place::new() else {
        return skipped("a rule made by keys", "root has no mount namespace here");
    };
    let name = "rule-made";
    let hog = Hog::start(name).grow(8);
    let before = adj_of(hog.pid());
    let resident = Resident::start(&place);
    let words = place.command(&[]);
    let mut session = Launch::program(&words[0])
        .args(&words[1..])
        .env("XDG_CONFIG_HOME", place.home())
        .start();
    session.wait_for("the table", |screen| screen.has("COMMAND"));
    session.keys(&format!("/{name}<Enter>"));
    session.wait_for("the filter", |screen| screen.has("filter: "));
    session.keys("<Home>a");
    session.wait_for("the adjust dialog", |screen| screen.has("Adjust "));
    session.keys("<Down>r");
    session.wait_for("the rule", |screen| {
        screen.has("+ [[rule]]") && screen.has("+ adj = 300") && screen.has("Then SIGHUP to")
    });
    assert!(!place.file().exists(), "nothing is written before Enter");
    session.keys("<Enter>");
    // Kills of other tests may take the place of its notice.
    session.eventually("the rule", || read(&place.file()).contains("adj = 300\n"));
    session.wait_for("its receipt", |screen| !screen.has("Rule of "));
    let text = read(&place.file());
    assert!(
        text.contains("[[rule]]\n") && text.contains("adj = 300\n"),
        "{text}"
    );
    resident.says("read again: 1 rule in force", 1);
    session.eventually("the value", || adj_of(hog.pid()) == Some(300));
    let later = Hog::start(name);
    session.eventually("the value of one that starts later", || {
        adj_of(later.pid()) == Some(300)
    });
    // Somebody adds one by hand: it stays.
    let by_hand = "\n# by hand\n[[rule]]\nname = \"nobody-at-all\"\nadj = 5 # kept\n";
    std::fs::write(place.file(), format!("{text}{by_hand}")).expect("written");
    session.keys("<Esc>R");
    session.wait_for("both rules", |screen| {
        screen.has("nobody-at-all") && screen.has("holds 2")
    });
    session.keys("<Esc>");
    session.undo();
    session.eventually("its undo", || !read(&place.file()).contains(name));
    let left = read(&place.file());
    assert!(left.ends_with(by_hand) && !left.contains(name), "{left}");
    resident.says("read again: 1 rule in force", 2);
    let last = Hog::start(name);
    session.keys("q");
    assert_eq!(session.wait_exit().code, 0);
    assert_eq!(adj_of(last.pid()), before);
}
