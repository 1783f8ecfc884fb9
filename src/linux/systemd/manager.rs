//! [`Connected`]: the manager of the system, or that of the own user (org.freedesktop.systemd1(5)).

pub(crate) mod oomd;
pub(crate) mod scope;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Instant;

use super::dbus::{Arguments, Call, Connection, Error, Value};
use super::refusal::{Refusal, Standing, is_unknown, kind_of, reason, systemctl, way_to, whose};
use super::runs_below;
use crate::linux::as_root::as_root;
use crate::linux::patience::Patience;
use crate::model::cgroup::CgroupVersion;
use crate::model::cgroup::limits::{LimitFile, Unit};
use crate::model::killers::oom_policy::Manager;
use crate::model::plan::receipt::FailureKind;
use crate::model::shell::quoted;
use crate::model::systemd::{Lasting, UnitName};

const NAME: &str = "org.freedesktop.systemd1";
const MANAGER: &str = "org.freedesktop.systemd1.Manager";
const SERVICE: &str = "org.freedesktop.systemd1.Service";
const UNIT: &str = "org.freedesktop.systemd1.Unit";

/// A manager that answers.
#[derive(Debug)]
pub(crate) struct Connected {
    connection: Connection,
    manager: Manager,
    patience: Patience,
}

/// Opens a connection at a place (true: a bus), until a moment or the end of patience.
type Opens = fn(&Path, bool, (Instant, &Patience)) -> Result<Connection, Error>;

impl Connected {
    /// Connects to a manager: to its own socket, which works without a bus, else over the bus.
    ///
    /// # Errors
    /// A sentence: no systemd, no bus, a bus that does not answer.
    pub(crate) fn open(
        base: &Path,
        manager: Manager,
        patience: &Patience,
    ) -> Result<Self, Refusal> {
        let past = "; nothing was written. The file of the group can be written past systemd";
        Self::open_by((base, manager), patience, Connection::open, past)
    }

    fn open_by(
        (base, manager): (&Path, Manager),
        patience: &Patience,
        open: Opens,
        then: &str,
    ) -> Result<Self, Refusal> {
        if !runs_below(base) {
            return Err(Refusal::new(
                FailureKind::Other,
                "systemd does not run here, so it cannot be asked; nothing was written.".to_owned(),
            ));
        }
        // Root would be led by whatever that user has put in the place of the socket.
        if let Manager::User(uid) = manager
            && uid != rustix::process::geteuid().as_raw()
        {
            return Err(Refusal::new(
                FailureKind::Denied,
                format!(
                    "The unit is run by the systemd of user {uid}, and oomtop asks only the system's and that of its own \
                     user: start oomtop as that user, or write past systemd."
                ),
            ));
        }
        let until = patience.deadline();
        let mut why = String::new();
        for (path, is_bus) in places(base, manager) {
            match open(&path, is_bus, (until, patience)) {
                Ok(connection) => {
                    return Ok(Self {
                        connection,
                        manager,
                        patience: patience.clone(),
                    });
                }
                Err(Error::Slow) => return Err(Refusal::silent(manager, patience)),
                Err(error) => why = format!("{}: {}", path.display(), reason(&error)),
            }
        }
        let whose = whose(manager);
        let sentence = format!("{whose} cannot be reached over D-Bus ({why}){then}.");
        Err(Refusal::new(
            FailureKind::Denied,
            format!("{sentence}{}", way_to(manager)),
        ))
    }

    /// Gives the next call its time. One that hangs ends the step, so they do not add up.
    fn renew(&mut self) {
        self.connection.until(self.patience.deadline());
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
        let shown = match value {
            u64::MAX => "infinity".to_owned(),
            bytes => bytes.to_string(),
        };
        self.set(unit, lasting, (property, shown), "t", |list| {
            list.u64(value);
        })
    }

    /// Sets one property of a unit that runs.
    fn set(
        &mut self,
        unit: &UnitName,
        lasting: Lasting,
        (property, shown): (&str, String),
        signature: &str,
        value: impl FnOnce(&mut Arguments),
    ) -> Result<(), Refusal> {
        self.renew();
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
            list.signature(signature);
            value(list);
        });
        let done = self.connection.call(&call, &arguments);
        done.map(drop).map_err(|error| {
            let open = Refusal::open(self.manager, &error, &self.patience);
            open.unwrap_or_else(|| match kind_of(&error) {
                FailureKind::Denied => self.denied(unit, lasting, property, &shown),
                _ => self.refusal(unit, &error),
            })
        })
    }

    /// The user may not set this.
    fn denied(&self, unit: &UnitName, lasting: Lasting, property: &str, value: &str) -> Refusal {
        let runtime = match lasting {
            Lasting::Runtime => "--runtime ",
            Lasting::Persistent => "",
        };
        Refusal::new(
            FailureKind::Denied,
            format!(
                "{} does not let this user change {unit}: {}, or there: {} set-property {runtime}{} {property}={value}",
                whose(self.manager),
                as_root("run oomtop as root"),
                systemctl(self.manager),
                quoted(&unit.name)
            ),
        )
    }

    /// A limit of a unit; `u64::MAX` is none.
    ///
    /// # Errors
    /// A sentence.
    pub(crate) fn limit(&mut self, unit: &UnitName, property: &str) -> Result<u64, Refusal> {
        match self.property(unit, interface_of(unit), property)? {
            Value::Number(value) => Ok(value),
            _ => Err(self.refusal(unit, &Error::Garbled)),
        }
    }

    /// Where the unit's processes are in the hierarchy, from its root; empty if it has none.
    ///
    /// # Errors
    /// A sentence.
    pub(crate) fn group(&mut self, unit: &UnitName) -> Result<String, Refusal> {
        match self.property(unit, interface_of(unit), "ControlGroup")? {
            Value::Text(path) => Ok(path),
            _ => Err(self.refusal(unit, &Error::Garbled)),
        }
    }

    /// What the unit's `MemoryLimit=` makes of `memory.max`: the setting of before systemd 231 counts only as long as none
    /// of the newer ones is set (systemd src/core/cgroup.c `unit_has_unified_memory_config`). `None` if it does not count,
    /// or this systemd knows it no longer.
    ///
    /// # Errors
    /// A sentence.
    pub(crate) fn old_limit(&mut self, unit: &UnitName) -> Result<Option<u64>, Refusal> {
        self.renew();
        let path = object_path(&unit.name);
        let interface = interface_of(unit);
        let old = match self
            .connection
            .property(NAME, &path, interface, "MemoryLimit")
        {
            Ok(Value::Number(old)) if old != u64::MAX => old,
            Ok(_) | Err(Error::Refused(..)) => return Ok(None),
            Err(error) => return Err(self.refusal(unit, &error)),
        };
        for file in LimitFile::of(CgroupVersion::V2) {
            let Some(property) = file.row().systemd else {
                continue;
            };
            let none = match file.row().unit {
                Unit::Protection(_) => 0,
                _ => u64::MAX,
            };
            if self.limit(unit, property)? != none {
                return Ok(None);
            }
        }
        Ok(Some(old))
    }

    /// True if the manager has found the unit's file.
    ///
    /// # Errors
    /// A sentence.
    pub(crate) fn is_loaded(&mut self, unit: &UnitName) -> Result<bool, Refusal> {
        let state = self.property(unit, UNIT, "LoadState")?;
        Ok(state == Value::Text("loaded".to_owned()))
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
        done.map(drop).map_err(|error| {
            let refused = || {
                Refusal::new(
                    kind_of(&error),
                    format!(
                        "{} did not load its files again: {}. {} daemon-reload does it.",
                        whose(self.manager),
                        reason(&error),
                        systemctl(self.manager)
                    ),
                )
            };
            Refusal::open(self.manager, &error, &self.patience).unwrap_or_else(refused)
        })
    }

    fn property(
        &mut self,
        unit: &UnitName,
        interface: &str,
        property: &str,
    ) -> Result<Value, Refusal> {
        self.renew();
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
            return Refusal::silent(self.manager, &self.patience);
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
        let mut refusal = Refusal::new(kind, sentence);
        if is_unknown(error) {
            refusal.standing = Standing::Unknown;
        }
        refusal
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

/// The interface with the settings of a unit.
fn interface_of(unit: &UnitName) -> &'static str {
    match unit.kind() {
        "slice" => "org.freedesktop.systemd1.Slice",
        "scope" => "org.freedesktop.systemd1.Scope",
        _ => SERVICE,
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
