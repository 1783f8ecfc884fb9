//! [`Connected::start_scope`]: a process comes into a scope of its own (`StartTransientUnit`, org.freedesktop.systemd1(5)).

use std::os::fd::BorrowedFd;
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::{
    Arguments, Call, Connected, Connection, Error, Patience, Refusal, Standing, UNIT, Value,
    reason, whose,
};
use crate::linux::as_root::as_root;
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
    /// Who comes into it, at least one.
    pub(crate) who: &'a [(Pid, BorrowedFd<'a>)],
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
    pub(crate) fn open_for_scopes(
        base: &Path,
        manager: Manager,
        patience: &Patience,
    ) -> Result<Self, Refusal> {
        let open = Connection::open_for_descriptors;
        Self::open_by((base, manager), patience, open, "")
    }

    /// Starts the scope and waits until it is active. Returns its group, and whether the number of the process was sent, which
    /// may have been a stranger's by then.
    ///
    /// # Errors
    /// A sentence. [`Standing::Open`] if systemd may still do it; [`FailureKind::Unchecked`] if systemd has taken the order: the
    /// process may be in the scope.
    pub(crate) fn start_scope(&mut self, scope: &NewScope<'_>) -> (Result<String, Refusal>, Named) {
        let (asked, named) = self.asked(scope);
        let started = asked
            .map_err(|error| self.no_scope(scope, &error))
            .and_then(|()| self.started(scope));
        (started, named)
    }

    /// Asks for it as this systemd understands it.
    fn asked(&mut self, scope: &NewScope<'_>) -> (Result<(), Error>, Named) {
        use Named::{ByDescriptor, ByNumber};
        let mut named = ByDescriptor;
        let mut asked = Ok(());
        // 254 knows all, 253 no descriptors, and 252 no policy either: it ends nobody for a kill by the kernel.
        for (way, keeps_running) in [(ByDescriptor, true), (ByNumber, true), (ByNumber, false)] {
            let mut ended = scope.who.iter().filter(|(_, pidfd)| has_ended(*pidfd));
            if way == ByNumber
                && let Some((pid, _)) = ended.next()
            {
                let why = format!("process {pid} has ended");
                return (Err(Error::Unreachable(why)), named);
            }
            named = way;
            asked = self.ask_for_scope(scope, way, keeps_running);
            let is_unknown = |error: &Error| matches!(error, Error::Refused(name, _) if is_unknown_property(name));
            if !asked.as_ref().is_err_and(is_unknown) {
                break;
            }
        }
        (asked, named)
    }

    /// Waits until the scope that systemd has accepted is active. Returns its group.
    fn started(&mut self, scope: &NewScope<'_>) -> Result<String, Refusal> {
        let unit = UnitName {
            name: scope.name.to_owned(),
            manager: self.manager,
        };
        let until = self.patience.deadline();
        loop {
            let state = match self.property(&unit, UNIT, "ActiveState") {
                Ok(Value::Text(state)) => state,
                Ok(_) => return Err(self.unchecked(&unit, "what it says of its state is no text")),
                Err(refusal) if refusal.failure.kind == FailureKind::NoGroup => {
                    return Err(self.ended(&unit));
                }
                Err(_) => return Err(self.unchecked(&unit, "it does not tell its state")),
            };
            match state.as_str() {
                "active" => break,
                "failed" => {
                    let why = "the scope has failed: see its log with journalctl";
                    return Err(over(self.unchecked(&unit, why)));
                }
                // Before its job has run it is inactive, too, but loaded. One that has ended is forgotten at once
                // (`CollectMode`), and whoever asks for it is told of an empty unit without a file.
                "inactive" if matches!(self.is_loaded(&unit), Ok(false)) => {
                    return Err(self.ended(&unit));
                }
                _ if Instant::now() < until && !self.patience.is_over() => {
                    std::thread::sleep(LOOK);
                }
                _ => return Err(self.unchecked(&unit, "it does not become active")),
            }
        }
        self.group(&unit)
            .map_err(|_| self.unchecked(&unit, "it does not tell its group"))
    }

    /// systemd has accepted the scope, and more is not known.
    fn unchecked(&self, unit: &UnitName, why: &str) -> Refusal {
        Refusal::new(
            FailureKind::Unchecked,
            format!(
                "{} has started {}, but oomtop could not check it: {why}. Look again in a moment.",
                whose(self.manager),
                unit.name
            ),
        )
    }

    /// It was there for a moment: its process has ended, or was not moved.
    fn ended(&self, unit: &UnitName) -> Refusal {
        over(Refusal::new(
            FailureKind::Unchecked,
            format!(
                "{} has started {}, which has ended again at once: its process has ended, or was moved elsewhere.",
                whose(self.manager),
                unit.name
            ),
        ))
    }

    /// Waits until the manager has forgotten a scope that has failed: until then nobody starts another of that name.
    pub(crate) fn is_forgotten(&mut self, name: &str) -> bool {
        let unit = UnitName {
            name: name.to_owned(),
            manager: self.manager,
        };
        let until = self.patience.deadline();
        while Instant::now() < until && !self.patience.is_over() {
            match self.is_loaded(&unit) {
                Ok(true) => std::thread::sleep(LOOK),
                Ok(false) => return true,
                Err(refusal) => return refusal.failure.kind == FailureKind::NoGroup,
            }
        }
        false
    }

    fn ask_for_scope(
        &mut self,
        scope: &NewScope<'_>,
        named: Named,
        keeps_running: bool,
    ) -> Result<(), Error> {
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
        arguments.array(8, |list| properties(list, scope, named, keeps_running));
        arguments.array(8, |_| {});
        let descriptors: Vec<_> = match named {
            Named::ByDescriptor => scope.who.iter().map(|(_, pidfd)| *pidfd).collect(),
            Named::ByNumber => Vec::new(),
        };
        self.connection
            .hand_over(&call, &arguments, &descriptors)
            .map(drop)
    }

    fn no_scope(&self, scope: &NewScope<'_>, error: &Error) -> Refusal {
        let kind = super::kind_of(error);
        let whose = whose(self.manager);
        let sentence = || match kind {
            FailureKind::Denied => format!(
                "{whose} does not let this user start {} in {} ({}): {}",
                scope.name,
                scope.slice,
                reason(error),
                as_root("run oomtop as root: sudo oomtop")
            ),
            _ => format!("{whose} has started no scope: {}.", reason(error)),
        };
        Refusal::open(self.manager, error, &self.patience)
            .unwrap_or_else(|| Refusal::new(kind, sentence()))
    }
}

fn over(refusal: Refusal) -> Refusal {
    Refusal {
        standing: Standing::Over,
        ..refusal
    }
}

fn properties(list: &mut Arguments, scope: &NewScope<'_>, named: Named, keeps_running: bool) {
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
    } else if keeps_running {
        // Since 253 systemd ends all processes of such a scope when the kernel has killed one (`DefaultOOMPolicy=stop`).
        property("OOMPolicy", "s", &|list| list.text("continue"));
    }
    for (name, bytes) in scope.limits {
        property(name, "t", &|list| list.u64(*bytes));
    }
    match named {
        // Their places among the descriptors that are sent.
        Named::ByDescriptor => property("PIDFDs", "ah", &|list| {
            list.array(4, |list| {
                (0..).zip(scope.who).for_each(|(at, _)| list.u32(at));
            });
        }),
        Named::ByNumber => property("PIDs", "au", &|list| {
            list.array(4, |list| {
                scope.who.iter().for_each(|(pid, _)| list.u32(*pid));
            });
        }),
    }
}

/// True of a zombie, too.
fn has_ended(pidfd: BorrowedFd<'_>) -> bool {
    let mut ready = [PollFd::new(&pidfd, PollFlags::IN)];
    let now = Timespec::default();
    matches!(poll(&mut ready, Some(&now)), Ok(1..))
}

/// A manager without the property says that it is none that can be set (systemd src/core/dbus-unit.c
/// `bus_unit_set_properties`).
fn is_unknown_property(error: &str) -> bool {
    let names = ["PropertyReadOnly", "UnknownProperty"];
    names.contains(&error.rsplit('.').next().unwrap_or_default())
}
