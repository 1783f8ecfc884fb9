//! [`FakeSystemd`]: a manager that answers on its private socket below a fake root. As the real one it writes all limit
//! files of the unit anew, whichever property is set.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

use super::bus::{denied, line, refused, reply, says};

/// How it behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Manners {
    /// Does what it is asked for.
    Answers,
    /// Takes calls and says nothing.
    Silent,
    /// Lets nobody do anything.
    Denies,
    /// Answers questions; what is to be changed is changed, but without an answer.
    DoesAndHangsUp,
    /// Answers questions; asked to change something it hangs up.
    HangsUp,
    /// Answers questions, and to what is to be changed nothing.
    DoesInSilence,
    /// The limit file is gone as soon as a limit was set.
    LosesTheFile,
    /// Does what it is asked for, but loads no files again.
    RefusesToLoad,
    /// Accepts a scope and tells nothing of it.
    HidesItsScopes,
    /// Accepts a scope, which has ended before anybody asks.
    LosesItsScopes,
    /// Takes the order for a scope and says nothing.
    TakesScopesInSilence,
    /// Says that a scope is active, and has moved nobody into it.
    MovesNobody,
    /// 252: knows neither descriptors of processes nor a policy of scopes.
    IsOld,
    /// Writes no file in which it would keep a property.
    KeepsNothing,
}

/// The properties that it has of its unit, with the file of each and the value that stands for none.
const FILES: [(&str, &str, u64); 6] = [
    ("MemoryMin", "memory.min", 0),
    ("MemoryLow", "memory.low", 0),
    ("MemoryHigh", "memory.high", u64::MAX),
    ("MemoryMax", "memory.max", u64::MAX),
    ("MemorySwapMax", "memory.swap.max", u64::MAX),
    ("TasksMax", "pids.max", 100),
];

/// What it tells systemd-oomd of its unit.
const OOMD: [&str; 4] = [
    "ManagedOOMMemoryPressure",
    "ManagedOOMMemoryPressureLimit",
    "ManagedOOMSwap",
    "ManagedOOMPreference",
];

/// The variant of such a property that nobody has set.
fn unset(name: &str) -> Vec<u8> {
    match name {
        "ManagedOOMMemoryPressureLimit" => vec![1, b'u', 0, 0, 0, 0, 0, 0],
        "ManagedOOMPreference" => string("none"),
        _ => string("auto"),
    }
}

fn string(text: &str) -> Vec<u8> {
    let mut bytes = vec![1, b's', 0, 0];
    bytes.extend(u32::try_from(text.len()).expect("short").to_le_bytes());
    bytes.extend(text.as_bytes());
    bytes.push(0);
    bytes
}

/// A limit as its file has it.
fn text(value: u64) -> String {
    if value == u64::MAX {
        "max".to_owned()
    } else {
        value.to_string()
    }
}

/// The manager of web.service. Its threads end with the test.
#[derive(Debug, Clone)]
pub(crate) struct FakeSystemd {
    base: PathBuf,
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    manners: Manners,
    properties: BTreeMap<&'static str, u64>,
    /// What it tells systemd-oomd, as the bytes of a variant.
    oomd: BTreeMap<&'static str, Vec<u8>>,
    /// `MemoryLimit=`, of before systemd 231.
    old_limit: u64,
    /// Where the processes of the unit are.
    group: String,
    transient: bool,
    score_adjust: i32,
    reloads: usize,
    /// What each call for a scope had of PIDFDs, PIDs and OOMPolicy.
    scopes: Vec<String>,
}

impl FakeSystemd {
    /// Listens below `base`. The directory of the unit's group is `group`, relative to the base.
    pub(crate) fn start(base: &Path, group: &str) -> Self {
        std::fs::create_dir_all(base.join("run/systemd/system")).expect("made");
        let socket = UnixListener::bind(base.join("run/systemd/private")).expect("bound");
        let own = Self {
            base: base.to_owned(),
            state: Arc::new(Mutex::new(State {
                manners: Manners::Answers,
                properties: FILES.iter().map(|(name, _, none)| (*name, *none)).collect(),
                oomd: OOMD.iter().map(|name| (*name, unset(name))).collect(),
                old_limit: u64::MAX,
                group: "/system.slice/web.service".to_owned(),
                transient: false,
                score_adjust: 0,
                reloads: 0,
                scopes: Vec::new(),
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

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("whole")
    }

    pub(crate) fn behaves(&self, manners: Manners) {
        self.state().manners = manners;
    }

    /// What it would load for `OOMScoreAdjust`, whatever the files say.
    pub(crate) fn loads(&self, score_adjust: i32) {
        self.state().score_adjust = score_adjust;
    }

    /// Where the processes of the unit are; empty: it is stopped.
    pub(crate) fn runs_in(&self, group: &str) {
        group.clone_into(&mut self.state().group);
    }

    pub(crate) fn has_old_limit(&self, bytes: u64) {
        self.state().old_limit = bytes;
    }

    pub(crate) fn is_transient(&self) {
        self.state().transient = true;
    }

    pub(crate) fn property(&self, name: &str) -> u64 {
        self.state().properties[name]
    }

    pub(crate) fn reloads(&self) -> usize {
        self.state().reloads
    }

    pub(crate) fn scopes(&self) -> Vec<String> {
        self.state().scopes.clone()
    }

    fn serve(&self, mut stream: UnixStream, group: &Path) -> std::io::Result<()> {
        line(&mut stream)?;
        stream.write_all(b"OK 00112233445566778899aabbccddeeff\r\n")?;
        while says(&line(&mut stream)?, "NEGOTIATE_UNIX_FD") {
            stream.write_all(b"AGREE_UNIX_FD\r\n")?;
        }
        loop {
            let mut fixed = [0; 16];
            stream.read_exact(&mut fixed)?;
            let word = |at: usize| u32::from_le_bytes(fixed[at..at + 4].try_into().expect("four"));
            let (body_len, serial, fields) = (word(4) as usize, word(8), word(12) as usize);
            let mut rest = vec![0; fields.next_multiple_of(8) + body_len];
            stream.read_exact(&mut rest)?;
            let (head, body) = rest.split_at(fields.next_multiple_of(8));
            let mut state = self.state();
            if says(head, "Ping") {
                stream.write_all(&reply(2, serial, &[], &[]))?;
                continue;
            }
            if says(head, "StartTransientUnit") {
                let answer = state.scope(serial, body);
                if state.manners != Manners::TakesScopesInSilence {
                    stream.write_all(&answer)?;
                }
                continue;
            }
            if says(head, "scope") && state.manners == Manners::HidesItsScopes {
                continue;
            }
            let (sets, loads) = (says(head, "SetUnitProperties"), says(head, "Reload"));
            match state.manners {
                Manners::Silent => continue,
                Manners::Denies => {
                    stream.write_all(&denied(serial))?;
                    continue;
                }
                Manners::RefusesToLoad if loads => {
                    stream.write_all(&denied(serial))?;
                    continue;
                }
                Manners::HangsUp if sets || loads => return Ok(()),
                _ => {}
            }
            let answer = if sets {
                self.set(group, body, &mut state)?;
                Vec::new()
            } else if loads {
                state.reloads += 1;
                Vec::new()
            } else {
                state.property(body)
            };
            match state.manners {
                Manners::DoesAndHangsUp if sets || loads => return Ok(()),
                Manners::DoesInSilence if sets || loads => continue,
                Manners::LosesTheFile if sets => {
                    std::fs::remove_file(group.join("memory.max"))?;
                }
                _ => {}
            }
            stream.write_all(&reply(2, serial, &[], &answer))?;
        }
    }

    /// What it tells systemd-oomd, without the signature.
    pub(crate) fn oomd(&self, name: &str) -> Vec<u8> {
        self.state().oomd[name][4..].to_vec()
    }

    /// As systemd does: all files of the group, and the file in which it keeps the property.
    fn set(&self, group: &Path, body: &[u8], state: &mut State) -> std::io::Result<()> {
        let mut told = OOMD.into_iter();
        if let Some(name) = told.find(|name| says(body, &format!("{name}\0"))) {
            return self.set_oomd(name, (group, body), state);
        }
        let value = u64::from_le_bytes(body[body.len() - 8..].try_into().expect("eight"));
        let mut names = FILES.iter().map(|(name, ..)| *name);
        let name = names.find(|name| says(body, name)).expect("a property");
        state.properties.insert(name, value);
        Self::write_files(group, state)?;
        self.keep(name, &text(value), body, state)
    }

    /// All limit files of the group, from what it knows.
    fn write_files(group: &Path, state: &State) -> std::io::Result<()> {
        let has_new = FILES[..5]
            .iter()
            .any(|(name, _, none)| state.properties[name] != *none);
        for (name, file, _) in FILES {
            let mut value = state.properties[name];
            if name == "MemoryMax" && !has_new {
                value = state.old_limit;
            }
            if group.join(file).exists() {
                std::fs::write(group.join(file), format!("{}\n", text(value)))?;
            }
        }
        if group.join("memory.oom.group").exists() {
            std::fs::write(group.join("memory.oom.group"), "0\n")?;
        }
        Ok(())
    }

    /// As a systemd for whose group something else waits to be written: it writes that with whatever it is told next (systemd
    /// src/core/cgroup.c `unit_realize_cgroup_now`).
    fn set_oomd(
        &self,
        name: &'static str,
        (group, body): (&Path, &[u8]),
        state: &mut State,
    ) -> std::io::Result<()> {
        Self::write_files(group, state)?;
        let at = body
            .windows(name.len())
            .position(|part| part == name.as_bytes());
        // The signature stands behind the name and its end.
        let variant = at.expect("its name") + name.len() + 1;
        let value = &body[(variant + 3).next_multiple_of(4)..];
        let mut bytes = vec![1, body[variant + 1], 0, 0];
        bytes.extend(value);
        let shown = match body[variant + 1] {
            b's' => String::from_utf8(value[4..value.len() - 1].to_vec()).expect("text"),
            _ => u32::from_le_bytes(value[..4].try_into().expect("four")).to_string(),
        };
        state.oomd.insert(name, bytes);
        self.keep(name, &shown, body, state)
    }

    fn keep(&self, name: &str, text: &str, body: &[u8], state: &State) -> std::io::Result<()> {
        if state.manners == Manners::KeepsNothing {
            return Ok(());
        }
        // The name of the unit, and `runtime`.
        let length = u32::from_le_bytes(body[..4].try_into().expect("four")) as usize;
        let runtime = body[(4 + length + 1).next_multiple_of(4)] == 1;
        let place = match (state.transient, runtime) {
            (true, _) => "run/systemd/transient",
            (false, true) => "run/systemd/system.control",
            (false, false) => "etc/systemd/system.control",
        };
        let kept = self.base.join(place).join("web.service.d");
        std::fs::create_dir_all(&kept)?;
        let text = format!("[Service]\n{name}={text}\n");
        std::fs::write(kept.join(format!("50-{name}.conf")), text)
    }
}

impl State {
    /// The answer to a call for a scope.
    fn scope(&mut self, serial: u32, body: &[u8]) -> Vec<u8> {
        let has = ["PIDFDs", "PIDs", "OOMPolicy"].into_iter();
        let has: Vec<_> = has.filter(|name| says(body, name)).collect();
        let is_unknown = has.contains(&"PIDFDs") || has.contains(&"OOMPolicy");
        self.scopes.push(has.join(" "));
        if self.manners == Manners::IsOld && is_unknown {
            refused(serial, b"org.freedesktop.DBus.Error.PropertyReadOnly")
        } else {
            reply(2, serial, &[], &[])
        }
    }

    /// The variant of the property that is asked for.
    fn property(&self, body: &[u8]) -> Vec<u8> {
        let number = |value: u64| {
            let mut bytes = vec![1, b't', 0, 0, 0, 0, 0, 0];
            bytes.extend(value.to_le_bytes());
            bytes
        };
        let mut told = self.oomd.iter();
        if let Some((_, value)) = told.find(|(name, _)| says(body, &format!("{name}\0"))) {
            value.clone()
        } else if says(body, "ControlGroup") {
            string(&self.group)
        } else if says(body, "ActiveState") && self.manners == Manners::MovesNobody {
            string("active")
        } else if says(body, "ActiveState") {
            string("inactive")
        } else if says(body, "LoadState") && self.manners == Manners::LosesItsScopes {
            string("not-found")
        } else if says(body, "LoadState") {
            string("loaded")
        } else if says(body, "Transient") {
            vec![1, b'b', 0, 0, u8::from(self.transient), 0, 0, 0]
        } else if says(body, "OOMScoreAdjust") {
            let mut bytes = vec![1, b'i', 0, 0];
            bytes.extend(self.score_adjust.to_le_bytes());
            bytes
        } else if says(body, "MemoryLimit") {
            number(self.old_limit)
        } else {
            let mut known = self.properties.iter();
            let value = known.find(|(name, _)| says(body, name));
            number(*value.expect("a property").1)
        }
    }
}
