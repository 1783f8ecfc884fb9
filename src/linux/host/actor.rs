//! Who uses oomtop: `/proc/self/loginuid` and `sessionid` (proc(5), kernel/audit.c), the terminal, the environment.

use std::path::Path;

use crate::model::actor::Actor;

/// What the two files say where nobody has logged in: `(unsigned) -1`.
const NOBODY: u32 = u32::MAX;

/// Longest address that is believed: IPv6 with a zone is shorter.
const ADDRESS: usize = 64;

/// Who uses oomtop. `user` is the name of the effective user; `ssh` is the variable `SSH_CONNECTION`.
#[must_use]
pub fn actor(user: &str, ssh: Option<&str>) -> Actor {
    actor_below(Path::new("/proc/self"), user, ssh)
}

fn actor_below(own: &Path, user: &str, ssh: Option<&str>) -> Actor {
    let number = |file: &str| {
        let text = std::fs::read_to_string(own.join(file)).ok()?;
        let number = text.trim().parse::<u32>().ok()?;
        (number != NOBODY).then_some(number)
    };
    let terminal = std::fs::read_link(own.join("fd/1")).ok();
    let terminal =
        terminal.filter(|path| path.starts_with("/dev") && path != Path::new("/dev/null"));
    let from = ssh.and_then(|ssh| ssh.split_whitespace().next());
    Actor {
        uid: rustix::process::geteuid().as_raw(),
        user: user.to_owned(),
        login_uid: number("loginuid"),
        login_session: number("sessionid"),
        terminal: terminal.map(|path| path.to_string_lossy().into_owned()),
        from: from.filter(|from| from.len() <= ADDRESS).map(str::to_owned),
        pid: std::process::id(),
        run: String::new(),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::actor_below;

    #[test]
    fn nobody_and_no_terminal_are_null() {
        let own = tempfile::tempdir().expect("a directory");
        let unknown = actor_below(own.path(), "root", None);
        assert_eq!((unknown.login_uid, unknown.terminal), (None, None));
        std::fs::create_dir(own.path().join("fd")).expect("made");
        symlink("pipe:[7]", own.path().join("fd/1")).expect("linked");
        std::fs::write(own.path().join("loginuid"), "4294967295").expect("written");
        std::fs::write(own.path().join("sessionid"), "3\n").expect("written");
        let known = actor_below(own.path(), "root", Some("2001:db8::1 50000 2001:db8::2 22"));
        assert_eq!((known.login_uid, known.login_session), (None, Some(3)));
        assert_eq!(known.terminal, None, "a pipe is no terminal");
        assert_eq!(known.from.as_deref(), Some("2001:db8::1"));
    }
}
