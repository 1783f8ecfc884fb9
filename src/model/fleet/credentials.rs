//! [`Credentials`] and [`Tls`]: who asks a Prometheus, and how the two trust each other.

use std::fmt;
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

/// Certificates or a key, in PEM.
#[derive(Clone, PartialEq, Eq)]
pub enum Pem {
    /// In a file, read anew when it has changed.
    File(PathBuf),
    /// In the configuration itself.
    Inline {
        /// The key of `tls_config` that holds it: `ca`, `cert` or `key`.
        name: &'static str,
        /// The text.
        text: String,
    },
}

/// Where it stands; never what it is, for it may be a private key.
impl fmt::Display for Pem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Inline { name, .. } => write!(f, "tls_config, {name}"),
        }
    }
}

/// As for people: nothing prints a key.
impl fmt::Debug for Pem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pem({self})")
    }
}

/// A version of TLS. Older ones than 1.2 are broken, and nothing here speaks them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum TlsVersion {
    /// TLS 1.2 (RFC 5246).
    V12,
    /// TLS 1.3 (RFC 8446).
    V13,
}

/// How an `https://` address is trusted: `tls_config` of Prometheus' files.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tls {
    /// Certificates that may have signed that of the server; `None`: those that the system trusts.
    pub ca: Option<Pem>,
    /// The certificate of who asks; always together with `key`.
    pub cert: Option<Pem>,
    /// Its private key.
    pub key: Option<Pem>,
    /// The name that the server's certificate must have, in place of the host of the address.
    pub server_name: Option<String>,
    /// Any certificate will do.
    pub insecure_skip_verify: bool,
    /// The oldest version that is spoken; `None`: the oldest known here.
    pub min_version: Option<TlsVersion>,
    /// The newest version that is spoken; `None`: the newest known here.
    pub max_version: Option<TlsVersion>,
}

/// What the file of `--http.config.file` says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HttpConfig {
    /// Who asks.
    pub credentials: Credentials,
    /// How an `https://` address is trusted.
    pub tls: Tls,
}
