//! [`Connected::start_scope`]: a process comes into a scope of its own (`StartTransientUnit`, org.freedesktop.systemd1(5)).

use std::os::fd::BorrowedFd;
use std::path::Path;
use std::time::{Duration, Instant};

use super::{
    Arguments, Call, Connected, Connection, Error, Refusal, UNIT, Value, WITHIN, reason, whose,
};
use crate::model::killers::oom_policy::Manager;
use crate::model::plan::receipt::FailureKind;
use crate::model::process::Pid;
use crate::model::systemd::UnitName;

/// How often systemd is asked whether the scope is there.
const LOOK: Duration = Duration::from_millis(10);

/// A scope to be started.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NewScope<'a> {
    /// Its name, with `.scope`.
    pub(crate) name: &'a str,
    /// For `systemctl status`.
    pub(crate) description: &'a str,
    /// The slice that it is in.
    pub(crate) slice: &'a str,
    /// Who comes into it.
    pub(crate) pid: Pid,
    /// The same.
    pub(crate) pidfd: BorrowedFd<'a>,
    /// The groups below it are the process's business.
    pub(crate) delegate: bool,
    /// Properties that are limits.
    pub(crate) limits: &'a [(&'static str, u64)],
}

/// How the process is named to systemd.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Named {
    /// By a descriptor (`PIDFDs`): nobody else can be meant.
    ByDescriptor,
    /// By its number (`PIDs`): systemd does not know the other way. Whoever has the number by then is moved.
    ByNumber,
}

impl Connected {
    /// As [`Self::open`], for [`Self::start_scope`].
    ///
    /// # Errors
    /// A sentence.
    pub(crate) fn open_for_scopes(base: &Path, manager: Manager) -> Result<Self, Refusal> {
        Self::open_by(base, manager, Connection::open_for_descriptors, "")
    }

    /// Starts the scope and waits until it is active. Returns its group, and how the process was named.
    ///
    /// # Errors
    /// A sentence; [`Refusal::is_open`] if systemd may still do it.
    pub(crate) fn start_scope(&mut self, scope: &NewScope<'_>) -> Result<(String, Named), Refusal> {
        let named = match self.ask_for_scope(scope, Named::ByDescriptor) {
            Ok(()) => Named::ByDescriptor,
            Err(Error::Refused(name, _)) if is_unknown_property(&name) => {
                let asked = self.ask_for_scope(scope, Named::ByNumber);
                asked.map_err(|error| self.no_scope(&error))?;
                Named::ByNumber
            }
            Err(error) => return Err(self.no_scope(&error)),
        };
        let unit = UnitName {
            name: scope.name.to_owned(),
            manager: self.manager,
        };
        let until = Instant::now() + WITHIN;
        loop {
            match self.property(&unit, UNIT, "ActiveState") {
                Ok(Value::Text(state)) if state == "active" => break,
                Ok(Value::Text(state)) if state == "failed" => {
                    let why = "it has failed: see its log with journalctl".to_owned();
                    return Err(self.no_scope(&Error::Lost(why)));
                }
                // It was there for a moment: its process has ended, or was not moved.
                Err(refusal) if refusal.failure.kind == FailureKind::NoGroup => {
                    let why = "it was gone again at once".to_owned();
                    return Err(self.no_scope(&Error::Lost(why)));
                }
                Ok(_) if Instant::now() < until => std::thread::sleep(LOOK),
                // It was asked: it may still do it.
                Ok(_) | Err(_) => return Err(self.no_scope(&Error::Slow)),
            }
        }
        Ok((self.group(&unit)?, named))
    }

    fn ask_for_scope(&mut self, scope: &NewScope<'_>, named: Named) -> Result<(), Error> {
        self.renew();
        let call = Call {
            member: "StartTransientUnit",
            signature: "ssa(sv)a(sa(sv))",
            ..Self::manager_call()
        };
        let mut arguments = Arguments::default();
        arguments.text(scope.name);
        // A unit of this name is not replaced.
        arguments.text("fail");
        arguments.array(8, |list| properties(list, scope, named));
        arguments.array(8, |_| {});
        let descriptor = [scope.pidfd];
        let descriptors = match named {
            Named::ByDescriptor => &descriptor[..],
            Named::ByNumber => &[],
        };
        self.connection
            .hand_over(&call, &arguments, descriptors)
            .map(drop)
    }

    fn no_scope(&self, error: &Error) -> Refusal {
        Refusal::open(self.manager, error).unwrap_or_else(|| {
            Refusal::new(
                super::kind_of(error),
                format!(
                    "{} has started no scope: {}.",
                    whose(self.manager),
                    reason(error)
                ),
            )
        })
    }
}

fn properties(list: &mut Arguments, scope: &NewScope<'_>, named: Named) {
    let mut property = |name: &str, signature: &str, value: &dyn Fn(&mut Arguments)| {
        list.align(8);
        list.text(name);
        list.signature(signature);
        value(list);
    };
    property("Description", "s", &|list| list.text(scope.description));
    property("Slice", "s", &|list| list.text(scope.slice));
    // A scope that has failed is not kept for somebody to look at.
    property("CollectMode", "s", &|list| list.text("inactive-or-failed"));
    if scope.delegate {
        property("Delegate", "b", &|list| list.u32(1));
    }
    for (name, bytes) in scope.limits {
        property(name, "t", &|list| list.u64(*bytes));
    }
    match named {
        Named::ByDescriptor => property("PIDFDs", "ah", &|list| list.array(4, |list| list.u32(0))),
        Named::ByNumber => property("PIDs", "au", &|list| {
            list.array(4, |list| list.u32(scope.pid));
        }),
    }
}

/// A manager without the property says that it is none that can be set (systemd src/core/dbus-unit.c
/// `bus_unit_set_properties`).
fn is_unknown_property(error: &str) -> bool {
    let names = ["PropertyReadOnly", "UnknownProperty"];
    names.contains(&error.rsplit('.').next().unwrap_or_default())
}
