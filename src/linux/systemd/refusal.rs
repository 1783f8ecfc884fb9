//! [`Refusal`]: why systemd did not do what it was asked for, in sentences.

use super::dbus::Error;
use crate::linux::host::own_user;
use crate::linux::patience::Patience;
use crate::model::killers::oom_policy::Manager;
use crate::model::plan::receipt::{Failure, FailureKind};

/// Why systemd did not do it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) standing: Standing,
    pub(crate) failure: Failure,
}

/// What a refusal leaves behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Nothing was done.
    Refused,
    /// It was asked and has not answered: it may have done it, or do it later.
    Open,
    /// It has not answered before anything was to be changed. Whoever asks again at once waits as long again.
    Silent,
    /// The property that was asked for is none of the unit's.
    Unknown,
    /// A scope was started and has ended: nothing will come of it any more.
    Over,
}

impl Refusal {
    pub(super) fn new(kind: FailureKind, sentence: String) -> Self {
        Self {
            standing: Standing::Refused,
            failure: Failure { kind, sentence },
        }
    }

    /// No answer before anything was to be changed.
    pub(super) fn silent(manager: Manager, patience: &Patience) -> Self {
        let sentence = format!(
            "{} {}; nothing was written.",
            whose(manager),
            patience.unanswered()
        );
        Self {
            standing: Standing::Silent,
            ..Self::new(FailureKind::Other, sentence)
        }
    }

    /// No answer to a call that changes something; `None` if there was one, or the call was never sent.
    pub(super) fn open(manager: Manager, error: &Error, patience: &Patience) -> Option<Self> {
        let whose = whose(manager);
        let sentence = match error {
            Error::Slow => format!(
                "{whose} {}: it may still do it. Look again in a moment.",
                patience.unanswered()
            ),
            Error::Lost(_) | Error::Garbled => format!(
                "{whose} was asked, but gave no answer ({}): it may have done it. Look again in a moment.",
                reason(error)
            ),
            Error::Unreachable(_) | Error::Refused(..) => return None,
        };
        Some(Self {
            standing: Standing::Open,
            ..Self::new(FailureKind::Unchecked, sentence)
        })
    }
}

pub(super) fn is_unknown(error: &Error) -> bool {
    let Error::Refused(name, _) = error else {
        return false;
    };
    name.ends_with(".UnknownProperty")
}

pub(super) fn kind_of(error: &Error) -> FailureKind {
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

pub(super) fn reason(error: &Error) -> String {
    match error {
        Error::Unreachable(why) | Error::Lost(why) => why.clone(),
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

pub(super) fn whose(manager: Manager) -> String {
    match manager {
        Manager::System => "systemd".to_owned(),
        Manager::User(uid) => format!("systemd of user {uid}"),
    }
}

/// How the user of oomtop tells a manager what it did not take from oomtop.
pub(super) fn systemctl(manager: Manager) -> String {
    own_user().reach_with_right("systemctl", manager)
}

/// How somebody comes to a manager that cannot be reached; begins with a blank, and is empty for root.
pub(super) fn way_to(manager: Manager) -> String {
    match manager {
        Manager::User(uid) => {
            let start = own_user().as_root(&format!("systemctl start user@{uid}"));
            format!(" It runs while its user is logged in, or root starts it: {start}.")
        }
        Manager::System if own_user().is_root() => String::new(),
        Manager::System => " Its own socket is for root: sudo oomtop.".to_owned(),
    }
}
