//! [`Connected`]: the manager of the system, or of a user (org.freedesktop.systemd1(5)).

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::dbus::{Arguments, Call, Connection, Error, Value};
use super::runs_below;
use crate::linux::as_root::as_root;
use crate::model::killers::oom_policy::Manager;
use crate::model::plan::receipt::{Failure, FailureKind};
use crate::model::shell::quoted;
use crate::model::systemd::{Lasting, UnitName};

/// How long the calls up to a change may take together, and how long each after it: loading all files, a look at them.
pub(crate) const WITHIN: Duration = Duration::from_secs(2);

const NAME: &str = "org.freedesktop.systemd1";
const MANAGER: &str = "org.freedesktop.systemd1.Manager";
const SERVICE: &str = "org.freedesktop.systemd1.Service";
const UNIT: &str = "org.freedesktop.systemd1.Unit";

/// Why systemd did not do it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// It did not answer in time: it may still do it.
    pub(crate) is_late: bool,
    pub(crate) failure: Failure,
}

/// A manager that answers.
#[derive(Debug)]
pub(crate) struct Connected {
    connection: Connection,
    manager: Manager,
}

impl Connected {
    /// Connects to a manager: to its own socket, which works without a bus, else over the bus.
    ///
    /// # Errors
    /// A sentence: no systemd, no bus, a bus that does not answer.
    pub(crate) fn open(base: &Path, manager: Manager) -> Result<Self, Refusal> {
        if !runs_below(base) {
            return Err(Refusal::new(
                FailureKind::Other,
                "systemd does not run here, so it cannot be asked; nothing was written.".to_owned(),
            ));
        }
        let until = Instant::now() + WITHIN;
        let mut why = String::new();
        for (path, is_bus) in places(base, manager) {
            match Connection::open(&path, is_bus, until) {
                Ok(connection) => {
                    return Ok(Self {
                        connection,
                        manager,
                    });
                }
                Err(Error::Slow) => return Err(Refusal::late(manager)),
                Err(error) => why = format!("{}: {}", path.display(), reason(&error)),
            }
        }
        Err(Refusal::new(
            FailureKind::Denied,
            format!(
                "{} cannot be reached over D-Bus ({why}); nothing was written. The file of the group can be written past \
                 systemd.",
                whose(manager)
            ),
        ))
    }

    /// Gives the next calls their time: what was asked for before took its own.
    fn renew(&mut self) {
        self.connection.until(Instant::now() + WITHIN);
    }

    /// Sets a limit of a unit; `u64::MAX` is none.
    ///
    /// # Errors
    /// A sentence.
    pub(crate) fn set_limit(
        &mut self,
        unit: &UnitName,
        lasting: Lasting,
        property: &str,
        value: u64,
    ) -> Result<(), Refusal> {
        let call = Call {
            member: "SetUnitProperties",
            signature: "sba(sv)",
            ..Self::manager_call()
        };
        let mut arguments = Arguments::default();
        arguments.text(&unit.name);
        arguments.u32(u32::from(lasting == Lasting::Runtime));
        arguments.array(8, |list| {
            list.align(8);
            list.text(property);
            list.signature("t");
            list.u64(value);
        });
        let done = self.connection.call(&call, &arguments);
        done.map(drop).map_err(|error| self.refusal(unit, &error))
    }

    /// A limit of a unit; `u64::MAX` is none.
    ///
    /// # Errors
    /// A sentence.
    pub(crate) fn limit(&mut self, unit: &UnitName, property: &str) -> Result<u64, Refusal> {
        let interface = match unit.kind() {
            "slice" => "org.freedesktop.systemd1.Slice",
            "scope" => "org.freedesktop.systemd1.Scope",
            _ => SERVICE,
        };
        match self.property(unit, interface, property)? {
            Value::Number(value) => Ok(value),
            _ => Err(self.refusal(unit, &Error::Garbled)),
        }
    }

    /// True if the unit exists only as long as it runs: it has no file of its own.
    ///
    /// # Errors
    /// A sentence.
    pub(crate) fn is_transient(&mut self, unit: &UnitName) -> Result<bool, Refusal> {
        let value = self.property(unit, UNIT, "Transient")?;
        Ok(value == Value::Number(1))
    }

    /// A setting of a service as systemd has loaded it, as text.
    ///
    /// # Errors
    /// A sentence.
    pub(crate) fn loaded(&mut self, unit: &UnitName, key: &str) -> Result<String, Refusal> {
        self.renew();
        Ok(match self.property(unit, SERVICE, key)? {
            Value::Number(number) => number.to_string(),
            Value::Signed(number) => number.to_string(),
            Value::Text(text) => text,
        })
    }

    /// Lets the manager load all unit files again (`systemctl daemon-reload`).
    ///
    /// # Errors
    /// A sentence.
    pub(crate) fn reload(&mut self) -> Result<(), Refusal> {
        self.renew();
        let call = Call {
            member: "Reload",
            ..Self::manager_call()
        };
        let done = self.connection.call(&call, &Arguments::default());
        done.map(drop).map_err(|error| match error {
            Error::Slow => Refusal::late(self.manager),
            error => Refusal::new(
                kind_of(&error),
                format!(
                    "{} did not load its files again: {}. {} daemon-reload does it.",
                    whose(self.manager),
                    reason(&error),
                    systemctl(self.manager)
                ),
            ),
        })
    }

    fn property(
        &mut self,
        unit: &UnitName,
        interface: &str,
        property: &str,
    ) -> Result<Value, Refusal> {
        let path = object_path(&unit.name);
        let value = self.connection.property(NAME, &path, interface, property);
        value.map_err(|error| self.refusal(unit, &error))
    }

    fn manager_call() -> Call<'static> {
        Call {
            destination: NAME,
            path: "/org/freedesktop/systemd1",
            interface: MANAGER,
            member: "",
            signature: "",
        }
    }

    fn refusal(&self, unit: &UnitName, error: &Error) -> Refusal {
        if *error == Error::Slow {
            return Refusal::late(self.manager);
        }
        let kind = kind_of(error);
        let sentence = match (kind, error) {
            (FailureKind::Denied, _) => format!(
                "{} does not let this user change {unit}: {}, or there: {} set-property {} …",
                whose(self.manager),
                as_root("run oomtop as root"),
                systemctl(self.manager),
                quoted(&unit.name)
            ),
            (FailureKind::NoGroup, _) => {
                format!("{} knows no {unit} (any more).", whose(self.manager))
            }
            _ => format!(
                "{} did not change {unit}: {}.",
                whose(self.manager),
                reason(error)
            ),
        };
        Refusal::new(kind, sentence)
    }
}

impl Refusal {
    fn new(kind: FailureKind, sentence: String) -> Self {
        Self {
            is_late: false,
            failure: Failure { kind, sentence },
        }
    }

    fn late(manager: Manager) -> Self {
        let sentence = format!(
            "{} has not answered within {} s: it may still do it. Look again in a moment.",
            whose(manager),
            WITHIN.as_secs()
        );
        Self {
            is_late: true,
            ..Self::new(FailureKind::Other, sentence)
        }
    }
}

/// The sockets to try, and whether a bus answers there. The manager's own is for root and its user; systemctl(1) tries
/// it first, too.
fn places(base: &Path, manager: Manager) -> [(PathBuf, bool); 2] {
    match manager {
        Manager::System => [
            (base.join("run/systemd/private"), false),
            (base.join("run/dbus/system_bus_socket"), true),
        ],
        Manager::User(uid) => {
            let run = base.join(format!("run/user/{uid}"));
            [
                (run.join("systemd/private"), false),
                (run.join("bus"), true),
            ]
        }
    }
}

/// The path of a unit's object on the bus (sd-bus `bus_path_encode`).
fn object_path(unit: &str) -> String {
    let mut path = "/org/freedesktop/systemd1/unit/".to_owned();
    for (at, byte) in unit.bytes().enumerate() {
        if byte.is_ascii_alphabetic() || (at > 0 && byte.is_ascii_digit()) {
            path.push(char::from(byte));
        } else {
            // Writing to a string does not fail.
            let _ = write!(path, "_{byte:02x}");
        }
    }
    path
}

fn kind_of(error: &Error) -> FailureKind {
    let Error::Refused(name, _) = error else {
        return FailureKind::Other;
    };
    match name.rsplit('.').next().unwrap_or_default() {
        "AccessDenied" | "InteractiveAuthorizationRequired" | "AuthFailed" => FailureKind::Denied,
        "NoSuchUnit" | "UnknownObject" => FailureKind::NoGroup,
        _ => FailureKind::Other,
    }
}

/// Longest text of another program in a sentence.
const LONGEST: usize = 200;

fn reason(error: &Error) -> String {
    match error {
        Error::Unreachable(why) => why.clone(),
        Error::Slow => "no answer in time".to_owned(),
        Error::Garbled => "what came back is no D-Bus".to_owned(),
        Error::Refused(name, said) => {
            let text = if said.is_empty() { name } else { said };
            let text = text.trim_end_matches('.').chars().take(LONGEST);
            text.map(|c| if c.is_control() { '\u{fffd}' } else { c })
                .collect()
        }
    }
}

fn whose(manager: Manager) -> String {
    match manager {
        Manager::System => "systemd".to_owned(),
        Manager::User(uid) => format!("systemd of user {uid}"),
    }
}

fn systemctl(manager: Manager) -> &'static str {
    match manager {
        Manager::System => "sudo systemctl",
        Manager::User(_) => "systemctl --user",
    }
}

#[cfg(test)]
mod tests {
    use super::object_path;

    #[test]
    fn the_object_of_a_unit() {
        assert_eq!(
            object_path("web@1-a.service"),
            "/org/freedesktop/systemd1/unit/web_401_2da_2eservice"
        );
        assert_eq!(
            object_path("1.scope"),
            "/org/freedesktop/systemd1/unit/_31_2escope"
        );
    }
}
