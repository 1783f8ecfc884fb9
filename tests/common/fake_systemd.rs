//! [`FakeSystemd`]: a manager that answers on its private socket below a fake root.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

/// How it behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Manners {
    /// Does what it is asked for.
    Answers,
    /// Takes calls and says nothing.
    Silent,
    /// Lets nobody do anything.
    Denies,
}

/// The manager. Its thread ends with the test.
#[derive(Debug, Clone)]
pub(crate) struct FakeSystemd {
    base: PathBuf,
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    manners: Manners,
    limits: BTreeMap<String, u64>,
    score_adjust: i32,
    reloads: usize,
}

impl FakeSystemd {
    /// Listens below `base`. The group of every unit is `group`, relative to the base.
    pub(crate) fn start(base: &Path, group: &str) -> Self {
        std::fs::create_dir_all(base.join("run/systemd/system")).expect("made");
        let socket = UnixListener::bind(base.join("run/systemd/private")).expect("bound");
        let own = Self {
            base: base.to_owned(),
            state: Arc::new(Mutex::new(State {
                manners: Manners::Answers,
                limits: BTreeMap::new(),
                score_adjust: 0,
                reloads: 0,
            })),
        };
        let (server, group) = (own.clone(), base.join(group));
        std::thread::spawn(move || {
            for stream in socket.incoming().flatten() {
                let (server, group) = (server.clone(), group.clone());
                std::thread::spawn(move || server.serve(stream, &group));
            }
        });
        own
    }

    pub(crate) fn behaves(&self, manners: Manners) {
        self.state.lock().expect("whole").manners = manners;
    }

    /// What it would load for `OOMScoreAdjust`, whatever the files say.
    pub(crate) fn loads(&self, score_adjust: i32) {
        self.state.lock().expect("whole").score_adjust = score_adjust;
    }

    pub(crate) fn reloads(&self) -> usize {
        self.state.lock().expect("whole").reloads
    }

    fn serve(&self, mut stream: UnixStream, group: &Path) -> std::io::Result<()> {
        line(&mut stream)?;
        stream.write_all(b"OK 00112233445566778899aabbccddeeff\r\n")?;
        line(&mut stream)?;
        loop {
            let mut fixed = [0; 16];
            stream.read_exact(&mut fixed)?;
            let word = |at: usize| u32::from_le_bytes(fixed[at..at + 4].try_into().expect("four"));
            let (body_len, serial, fields) = (word(4) as usize, word(8), word(12) as usize);
            let mut rest = vec![0; fields.next_multiple_of(8) + body_len];
            stream.read_exact(&mut rest)?;
            let (head, body) = rest.split_at(fields.next_multiple_of(8));
            let says = |bytes: &[u8], what: &str| {
                bytes
                    .windows(what.len())
                    .any(|part| part == what.as_bytes())
            };
            let mut state = self.state.lock().expect("whole");
            if state.manners == Manners::Silent {
                continue;
            }
            if state.manners == Manners::Denies {
                stream.write_all(&denied(serial))?;
                continue;
            }
            let answer = if says(head, "SetUnitProperties") {
                let value = u64::from_le_bytes(body[body.len() - 8..].try_into().expect("eight"));
                self.set(group, value)?;
                state.limits.insert("MemoryMax".to_owned(), value);
                Vec::new()
            } else if says(head, "Reload") {
                state.reloads += 1;
                Vec::new()
            } else if says(body, "Transient") {
                vec![1, b'b', 0, 0, 0, 0, 0, 0]
            } else if says(body, "OOMScoreAdjust") {
                let mut bytes = vec![1, b'i', 0, 0];
                bytes.extend(state.score_adjust.to_le_bytes());
                bytes
            } else {
                let value = state.limits.get("MemoryMax").copied().unwrap_or(u64::MAX);
                let mut bytes = vec![1, b't', 0, 0, 0, 0, 0, 0];
                bytes.extend(value.to_le_bytes());
                bytes
            };
            stream.write_all(&reply(2, serial, &[], &answer))?;
        }
    }

    /// As systemd does: the file of the group, and the file in which it keeps the property.
    fn set(&self, group: &Path, value: u64) -> std::io::Result<()> {
        let text = if value == u64::MAX {
            "max".to_owned()
        } else {
            value.to_string()
        };
        std::fs::write(group.join("memory.max"), format!("{text}\n"))?;
        let kept = self.base.join("run/systemd/system.control/web.service.d");
        std::fs::create_dir_all(&kept)?;
        std::fs::write(
            kept.join("50-MemoryMax.conf"),
            format!("[Service]\nMemoryMax={text}\n"),
        )
    }
}

fn line(stream: &mut UnixStream) -> std::io::Result<()> {
    let mut byte = [0];
    while byte != [b'\n'] {
        stream.read_exact(&mut byte)?;
    }
    Ok(())
}

fn reply(kind: u8, serial: u32, more: &[u8], body: &[u8]) -> Vec<u8> {
    let mut bytes = vec![b'l', kind, 1, 1];
    bytes.extend(u32::try_from(body.len()).expect("short").to_le_bytes());
    bytes.extend([9, 0, 0, 0]);
    bytes.extend(u32::try_from(8 + more.len()).expect("short").to_le_bytes());
    bytes.extend([5, 1, b'u', 0]);
    bytes.extend(serial.to_le_bytes());
    bytes.extend(more);
    bytes.resize(bytes.len().next_multiple_of(8), 0);
    bytes.extend(body);
    bytes
}

fn denied(serial: u32) -> Vec<u8> {
    let name = b"org.freedesktop.DBus.Error.AccessDenied";
    let mut more = vec![4, 1, b's', 0];
    more.extend(u32::try_from(name.len()).expect("short").to_le_bytes());
    more.extend(name);
    more.push(0);
    reply(3, serial, &more, &[])
}
