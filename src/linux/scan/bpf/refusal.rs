//! [`Refusal`]: why the task walk cannot be used, and whether that may pass.

use rustix::io::Errno;

use super::btf::BtfError;

/// Why this back end cannot be used here.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refusal {
    /// It does not work for this process, or with this root.
    #[error("{0}")]
    NotHere(&'static str),
    /// The kernel is too old, or its types differ from the known ones.
    #[error(transparent)]
    Types(#[from] BtfError),
    /// The kernel refused an operation.
    #[error("the kernel refused the {what}: {errno}")]
    Refused {
        /// What.
        what: &'static str,
        /// Why.
        errno: Errno,
    },
    /// The verifier did not take a program.
    #[error("the kernel refused the {what}: {errno} ({said})")]
    Rejected {
        /// What.
        what: &'static str,
        /// Why.
        errno: Errno,
        /// The verifier's own words.
        said: String,
    },
    /// The kernel has not finished checking the program.
    #[error("the kernel is still checking the program")]
    TooSlow,
    /// No thread could be started to load it.
    #[error("no thread could be started: {0}")]
    Thread(std::io::Error),
}

impl Refusal {
    pub(super) fn of(what: &'static str) -> impl FnOnce(Errno) -> Self {
        move |errno| Self::Refused { what, errno }
    }

    /// True if the answer may be another one later.
    pub(crate) fn may_pass(&self) -> bool {
        match self {
            Self::NotHere(_) | Self::Types(_) => false,
            Self::TooSlow | Self::Thread(_) => true,
            Self::Refused { errno, .. } | Self::Rejected { errno, .. } => matches!(
                *errno,
                Errno::NOMEM
                    | Errno::AGAIN
                    | Errno::INTR
                    | Errno::BUSY
                    | Errno::MFILE
                    | Errno::NFILE
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Refusal;
    use rustix::io::Errno;

    #[test]
    fn only_what_may_pass_is_tried_again() {
        let refused = |errno| Refusal::Refused {
            what: "task walk",
            errno,
        };
        assert!(refused(Errno::NOMEM).may_pass() && Refusal::TooSlow.may_pass());
        assert!(!refused(Errno::PERM).may_pass() && !refused(Errno::INVAL).may_pass());
        assert!(!Refusal::NotHere("a container").may_pass());
    }
}
