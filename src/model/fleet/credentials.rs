//! [`Credentials`]: who asks a Prometheus.

use std::path::PathBuf;

/// A password or a token.
#[derive(Clone, PartialEq, Eq)]
pub enum Secret {
    /// As the configuration says.
    Plain(String),
    /// What is in this file; it is read for each round, so that it may be renewed.
    File(PathBuf),
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Plain(_) => f.write_str("Plain(…)"),
            Self::File(path) => f.debug_tuple("File").field(path).finish(),
        }
    }
}

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Credentials {
    /// Nobody says so.
    #[default]
    None,
    /// `Authorization: Basic`.
    Basic {
        /// The name.
        user: String,
        /// The password.
        password: Secret,
    },
    /// `Authorization: TYPE CREDENTIALS`.
    Token {
        /// As a rule `Bearer`.
        kind: String,
        /// The token.
        token: Secret,
    },
}
