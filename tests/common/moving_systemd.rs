//! [`MovingSystemd`]: a manager that takes orders for scopes and moves whom it is told to into a group of the test, a moment
//! after it has said yes, as the real one does.

use std::fs;
use std::io::{IoSliceMut, Write as _};
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, recvmsg};

use super::bus::{line, refused, reply, says};

/// What it knows of the scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scope {
    Unknown,
    Waiting,
    Active,
}

/// What is done right before processes are moved.
type Hook = Box<dyn FnOnce() + Send>;

struct State {
    scope: Scope,
    /// How long an order waits for its turn.
    pause: Duration,
    hook: Option<Hook>,
    /// How many processes each order named.
    orders: Vec<usize>,
}

/// The manager. Its threads end with the test.
#[derive(Clone)]
pub(crate) struct MovingSystemd {
    /// The directory of the scope's group, and the path that it tells.
    dir: PathBuf,
    path: String,
    /// 252: it is told by number, and moves whoever has the number by then.
    by_number: bool,
    state: Arc<Mutex<State>>,
}

/// Whom to move.
enum Who {
    Number(u32),
    Descriptor(OwnedFd),
}

impl Who {
    /// The present pid of the process; -1 if it is reaped.
    fn pid(&self) -> String {
        match self {
            Self::Number(pid) => pid.to_string(),
            Self::Descriptor(pidfd) => {
                let info = fs::read_to_string(format!("/proc/self/fdinfo/{}", pidfd.as_raw_fd()));
                let info = info.unwrap_or_default();
                let pid = info.lines().find_map(|line| line.strip_prefix("Pid:"));
                pid.unwrap_or("-1").trim().to_owned()
            }
        }
    }
}

impl MovingSystemd {
    /// Listens below `base`; the scope has this directory and path.
    pub(crate) fn start(base: &Path, dir: PathBuf, path: String, by_number: bool) -> Self {
        fs::create_dir_all(base.join("run/systemd/system")).expect("made");
        let socket = UnixListener::bind(base.join("run/systemd/private")).expect("bound");
        let own = Self {
            dir,
            path,
            by_number,
            state: Arc::new(Mutex::new(State {
                scope: Scope::Unknown,
                pause: Duration::ZERO,
                hook: None,
                orders: Vec::new(),
            })),
        };
        let server = own.clone();
        std::thread::spawn(move || {
            for stream in socket.incoming().flatten() {
                let server = server.clone();
                std::thread::spawn(move || server.serve(stream));
            }
        });
        own
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("whole")
    }

    /// How long the next orders wait for their turn, and what is done right before it.
    pub(crate) fn waits(&self, pause: Duration, hook: Option<Hook>) {
        let mut state = self.state();
        state.pause = pause;
        state.hook = hook;
    }

    /// How many processes each order named.
    pub(crate) fn orders(&self) -> Vec<usize> {
        self.state().orders.clone()
    }

    /// The scope has ended. Its group must be empty.
    pub(crate) fn forget(&self) {
        fs::remove_dir(&self.dir).ok();
        self.state().scope = Scope::Unknown;
    }

    fn serve(&self, mut stream: UnixStream) -> std::io::Result<()> {
        line(&mut stream)?;
        stream.write_all(b"OK 00112233445566778899aabbccddeeff\r\n")?;
        while says(&line(&mut stream)?, "NEGOTIATE_UNIX_FD") {
            stream.write_all(b"AGREE_UNIX_FD\r\n")?;
        }
        loop {
            let mut descriptors = Vec::new();
            let fixed = receive(&stream, 16, &mut descriptors)?;
            let word = |at: usize| u32::from_le_bytes(fixed[at..at + 4].try_into().expect("four"));
            let (body, serial, fields) = (word(4) as usize, word(8), word(12) as usize);
            let fields = fields.next_multiple_of(8);
            let rest = receive(&stream, fields + body, &mut descriptors)?;
            let (head, body) = rest.split_at(fields);
            let answer = if says(head, "StartTransientUnit") {
                self.order(serial, body, descriptors)
            } else if says(head, "Ping") {
                reply(2, serial, &[], &[])
            } else {
                reply(2, serial, &[], &text(self.answer(body)))
            };
            stream.write_all(&answer)?;
        }
    }

    fn answer(&self, body: &[u8]) -> &str {
        let scope = self.state().scope;
        if says(body, "ControlGroup") {
            &self.path
        } else if says(body, "ActiveState") {
            match scope {
                Scope::Active => "active",
                Scope::Unknown | Scope::Waiting => "inactive",
            }
        } else if scope == Scope::Unknown {
            "not-found"
        } else {
            "loaded"
        }
    }

    fn order(&self, serial: u32, body: &[u8], descriptors: Vec<OwnedFd>) -> Vec<u8> {
        if self.by_number && (says(body, "PIDFDs") || says(body, "OOMPolicy")) {
            return refused(serial, b"org.freedesktop.DBus.Error.PropertyReadOnly");
        }
        let who: Vec<Who> = if descriptors.is_empty() {
            numbers(body).into_iter().map(Who::Number).collect()
        } else {
            descriptors.into_iter().map(Who::Descriptor).collect()
        };
        let mut state = self.state();
        state.orders.push(who.len());
        state.scope = Scope::Waiting;
        drop(state);
        let own = self.clone();
        std::thread::spawn(move || own.take_turn(&who));
        reply(2, serial, &[], &[])
    }

    /// Moves them. One that is gone fails the scope, and those that have come already stay (systemd src/core/scope.c
    /// `scope_start`, src/core/cgroup.c `unit_attach_pids_to_cgroup`).
    fn take_turn(&self, who: &[Who]) {
        let (pause, hook) = {
            let mut state = self.state();
            (state.pause, state.hook.take())
        };
        std::thread::sleep(pause);
        if let Some(hook) = hook {
            hook();
        }
        fs::create_dir(&self.dir).ok();
        let attach = |who: &Who| {
            let pid = who.pid();
            pid != "-1" && fs::write(self.dir.join("cgroup.procs"), pid).is_ok()
        };
        let came: Vec<bool> = who.iter().map(attach).collect();
        self.state().scope = if came.iter().all(|came| *came) {
            Scope::Active
        } else {
            Scope::Unknown
        };
    }
}

/// Reads so many bytes, and the descriptors that come with them.
fn receive(
    stream: &UnixStream,
    count: usize,
    descriptors: &mut Vec<OwnedFd>,
) -> std::io::Result<Vec<u8>> {
    let mut bytes = vec![0; count];
    let mut at = 0;
    while at < count {
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(64))];
        let mut ancillary = RecvAncillaryBuffer::new(&mut space);
        let mut parts = [IoSliceMut::new(&mut bytes[at..])];
        let received = recvmsg(stream, &mut parts, &mut ancillary, RecvFlags::CMSG_CLOEXEC)?;
        for message in ancillary.drain() {
            if let RecvAncillaryMessage::ScmRights(all) = message {
                descriptors.extend(all);
            }
        }
        if received.bytes == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        at += received.bytes;
    }
    Ok(bytes)
}

/// The numbers of the property `PIDs` (`au`).
fn numbers(body: &[u8]) -> Vec<u32> {
    let name = b"PIDs\0\x02au\0";
    let found = body.windows(name.len()).position(|part| part == name);
    let at = (found.expect("PIDs") + name.len()).next_multiple_of(4);
    let word = |at: usize| u32::from_le_bytes(body[at..at + 4].try_into().expect("four"));
    let count = word(at) as usize / 4;
    (1..=count).map(|number| word(at + 4 * number)).collect()
}

/// A variant.
fn text(text: &str) -> Vec<u8> {
    let mut bytes = vec![1, b's', 0, 0];
    bytes.extend(u32::try_from(text.len()).expect("short").to_le_bytes());
    bytes.extend(text.as_bytes());
    bytes.push(0);
    bytes
}
