//! [`Credentials`] and [`Tls`]: who asks a Prometheus, and how the two trust each other.

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

/// How an `https://` address is trusted: `tls_config` of Prometheus' files.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tls {
    /// Certificates that may have signed that of the server, in PEM; `None`: those that the system trusts.
    pub ca_file: Option<PathBuf>,
    /// The certificate of who asks, in PEM; always together with `key_file`.
    pub cert_file: Option<PathBuf>,
    /// Its private key, in PEM.
    pub key_file: Option<PathBuf>,
    /// The name that the server's certificate must have, in place of the host of the address.
    pub server_name: Option<String>,
    /// Any certificate will do.
    pub insecure_skip_verify: bool,
}

/// What the file of `--http.config.file` says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HttpConfig {
    /// Who asks.
    pub credentials: Credentials,
    /// How an `https://` address is trusted.
    pub tls: Tls,
}
