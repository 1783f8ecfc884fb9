//! [`Actor`]: who uses oomtop, and from where.

/// The person behind a run, as far as the kernel and the environment tell.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize)]
pub struct Actor {
    /// The user that the writes are made as.
    pub uid: u32,
    /// That user's name, or the number.
    pub user: String,
    /// Who logged in (`/proc/self/loginuid`, set by pam_loginuid(8) and kept by sudo and su); null if nobody did or the
    /// kernel does not audit.
    pub login_uid: Option<u32>,
    /// The audit session of that login (`/proc/self/sessionid`); null as above.
    pub login_session: Option<u32>,
    /// The terminal: `/dev/pts/3`; null without one.
    pub terminal: Option<String>,
    /// The address that an SSH login came from (`SSH_CONNECTION`); null if the environment does not say.
    pub from: Option<String>,
    /// The pid of oomtop.
    pub pid: u32,
    /// Names this run of oomtop: when it began, and its pid. Empty where nothing is logged.
    pub run: String,
}
