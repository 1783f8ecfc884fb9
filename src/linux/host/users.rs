//! User names by uid.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Most uids remembered. A user namespace can bring any number of them.
const MOST: usize = 4096;

/// Names looked up so far. An unknown uid has no entry: the screen shows the number.
///
/// Bound: [`MOST`] uids, and the user list. Beyond that a uid is not looked up, and the screen shows its number.
#[derive(Debug, Default)]
pub(crate) struct Users {
    names: Arc<HashMap<u32, Arc<str>>>,
    asked: HashSet<u32>,
    /// The whole user list, as last read.
    all: HashMap<u32, Arc<str>>,
    /// The user list of another root; `None` for the users of this system.
    passwd: Option<PathBuf>,
}

impl Users {
    /// The users of the system that `proc` belongs to: this one, or another root. In a container with the
    /// host's `/proc` at `/host/proc` the uids are the host's, so the names come from the host's user list.
    pub(crate) fn new(proc: &Path) -> Self {
        let other = Self::other(proc);
        Self {
            passwd: other,
            ..Self::default()
        }
    }

    /// The names of all users of the system that `proc` belongs to, sorted; those of a directory service that does not
    /// list them are missing.
    pub(crate) fn known(proc: &Path) -> Vec<Arc<str>> {
        let mut names: Vec<_> = everybody(Self::other(proc).as_deref())
            .into_values()
            .collect();
        names.sort_unstable();
        names
    }

    /// The user list of another root.
    fn other(proc: &Path) -> Option<PathBuf> {
        let beside = proc.parent().map(|root| root.join("etc/passwd"));
        beside.filter(|passwd| proc != Path::new("/proc") && passwd.is_file())
    }

    /// Looks up the name of a uid that was not looked up before; reads the user list only then.
    pub(crate) fn learn(&mut self, uid: u32) {
        let is_full = self.asked.len() >= MOST;
        if is_full || !self.asked.insert(uid) {
            return;
        }
        if !self.all.contains_key(&uid) {
            self.all = everybody(self.passwd.as_deref());
        }
        if let Some(name) = self.all.get(&uid) {
            Arc::make_mut(&mut self.names).insert(uid, Arc::clone(name));
        }
    }

    pub(crate) fn name(&self, uid: u32) -> Option<&str> {
        self.names.get(&uid).map(|name| &**name)
    }

    /// The names as a snapshot holds them.
    pub(crate) fn names(&self) -> Arc<HashMap<u32, Arc<str>>> {
        Arc::clone(&self.names)
    }
}

/// The list of the sysinfo crate, plus the users it leaves out: those with the shell `/bin/false` (many
/// databases) and those above 65535.
fn everybody(other: Option<&Path>) -> HashMap<u32, Arc<str>> {
    if let Some(passwd) = other {
        return parse(&std::fs::read(passwd).unwrap_or_default());
    }
    let passwd = std::fs::read("/etc/passwd").unwrap_or_default();
    let mut all = parse(&passwd);
    if let Ok(users) = sysinfo::Users::new_with_refreshed_list() {
        for user in &users {
            all.insert(**user.id(), Arc::from(user.name()));
        }
    }
    all
}

/// Parses passwd(5): name, password, uid, …. If a uid has several names, the first counts.
fn parse(passwd: &[u8]) -> HashMap<u32, Arc<str>> {
    let mut users = HashMap::new();
    for line in String::from_utf8_lossy(passwd).lines() {
        let mut fields = line.split(':');
        let (Some(name), Some(uid)) = (fields.next(), fields.nth(1)) else {
            continue;
        };
        if let Ok(uid) = uid.parse() {
            users.entry(uid).or_insert_with(|| Arc::from(name));
        }
    }
    users
}

#[cfg(test)]
mod tests {
    use super::{Users, parse};

    #[test]
    fn users_that_cannot_log_in_have_names_too() {
        let all = parse(
            b"root:x:0:0::/root:/bin/sh\ntoor:x:0:0\nmysql:x:105:1::/:/bin/false\nbad\n\n:\xff\n",
        );
        assert_eq!(all.get(&105).map(|n| &**n), Some("mysql"));
        assert_eq!(all.get(&0).map(|n| &**n), Some("root"));
    }

    #[test]
    fn another_root_has_its_own_users() {
        let root = tempfile::tempdir().unwrap();
        let mut users = Users::new(&root.path().join("proc"));
        users.learn(0);
        assert_eq!(users.name(0), Some("root"), "without a list, this system's");
        std::fs::create_dir(root.path().join("etc")).unwrap();
        std::fs::write(root.path().join("etc/passwd"), "boss:x:0:0::/:/bin/sh\n").unwrap();
        let mut users = Users::new(&root.path().join("proc"));
        users.learn(0);
        assert_eq!(users.name(0), Some("boss"));
    }

    #[test]
    fn uids_without_end_are_not_all_remembered() {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir(root.path().join("etc")).unwrap();
        std::fs::write(root.path().join("etc/passwd"), "boss:x:0:0::/:/bin/sh\n").unwrap();
        let mut users = Users::new(&root.path().join("proc"));
        for uid in 0..20_000 {
            users.learn(uid);
        }
        assert_eq!(users.name(0), Some("boss"));
        assert_eq!(users.asked.len(), super::MOST);
    }

    #[test]
    fn an_unknown_user_is_asked_for_once() {
        let mut users = Users::default();
        users.learn(4_000_000_000);
        assert_eq!(users.name(4_000_000_000), None);
        users.learn(0);
        assert_eq!(users.name(0), Some("root"));
    }
}
