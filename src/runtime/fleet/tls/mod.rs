//! TLS to Prometheus: `tls_config` in, a [`TlsConnector`] out.

mod connector;
mod trust;
mod validity;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use rustls::crypto::ring;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion};

use crate::linux::bounded_file;
use crate::model::fleet::credentials::{Pem, Tls, TlsVersion};
use trust::{Pinned, Unchecked};

pub(super) use connector::{CUT, TlsConnector};

/// Most bytes of a file of certificates: the largest of a distribution has a quarter of a megabyte.
const MOST: u64 = 4 << 20;

/// Where distributions keep the certificates that they trust: Debian, Arch, Alpine; Fedora, RHEL and theirs; openSUSE.
const SYSTEM: [&str; 5] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// When a file was last written, and its length; `None` if it is not there.
pub(super) type Stamp = Option<(SystemTime, u64)>;

/// The stamps of all files that `tls_config` names.
pub(super) fn stamps(tls: &Tls) -> Vec<Stamp> {
    let of = |pem: &Pem| match pem {
        Pem::File(path) => {
            let about = std::fs::metadata(path).ok()?;
            Some((about.modified().ok()?, about.len()))
        }
        Pem::Inline { .. } => None,
    };
    let all = [&tls.ca, &tls.cert, &tls.key];
    all.into_iter().flatten().map(of).collect()
}

/// The host of `https://HOST:PORT/PATH`.
pub(super) fn host_of(base: &str) -> &str {
    let rest = base.split_once("://").map_or(base, |(_, rest)| rest);
    let authority = rest.split('/').next().unwrap_or(rest);
    match authority
        .strip_prefix('[')
        .and_then(|v6| v6.split_once(']'))
    {
        Some((host, _)) => host,
        None => authority.split(':').next().unwrap_or(authority),
    }
}

/// How to shake hands.
fn config(tls: &Tls) -> Result<ClientConfig, String> {
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(&versions(tls))
        .map_err(|error| format!("TLS cannot be used here: {error}"))?;
    let builder = if tls.insecure_skip_verify {
        let any = Unchecked::new(&provider);
        builder
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(any))
    } else if let Some(ca) = &tls.ca {
        let trusted = certificates(ca)?;
        let pinned = Pinned::new(trusted, provider).map_err(|why| said(ca, &why))?;
        builder
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(pinned))
    } else {
        builder.with_root_certificates(system()?)
    };
    let (Some(certificate), Some(key)) = (&tls.cert, &tls.key) else {
        return Ok(builder.with_no_client_auth());
    };
    let chain = certificates(certificate)?;
    let pair = builder.with_client_auth_cert(chain, private_key(key)?);
    pair.map_err(|error| {
        format!("{certificate} and {key} do not belong together, or are of a kind that is not known: {error}")
    })
}

/// The versions between the two bounds.
fn versions(tls: &Tls) -> Vec<&'static SupportedProtocolVersion> {
    let known = [(TlsVersion::V12, &TLS12), (TlsVersion::V13, &TLS13)];
    known
        .into_iter()
        .filter(|(version, _)| tls.min_version.is_none_or(|min| *version >= min))
        .filter(|(version, _)| tls.max_version.is_none_or(|max| *version <= max))
        .map(|(_, spoken)| spoken)
        .collect()
}

/// What the system trusts.
fn system() -> Result<RootCertStore, String> {
    let own = std::env::var_os("SSL_CERT_FILE").map(PathBuf::from);
    let known = SYSTEM.iter().map(PathBuf::from);
    let file = own
        .into_iter()
        .chain(known)
        .find(|path| path.is_file())
        .ok_or("no CA certificates are installed here: install ca-certificates, or name some by tls_config, ca_file")?;
    let mut store = RootCertStore::empty();
    // Some of a hundred may be too old for anybody.
    store.add_parsable_certificates(certificates(&Pem::File(file))?);
    Ok(store)
}

/// All certificates of it; at least one.
fn certificates(pem: &Pem) -> Result<Vec<CertificateDer<'static>>, String> {
    let text = contents(pem)?;
    let all: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
    let all = all.map_err(|error| said(pem, &not_pem(&error)))?;
    if all.is_empty() {
        return Err(said(pem, "has no certificate in PEM (BEGIN CERTIFICATE)"));
    }
    Ok(all)
}

fn private_key(pem: &Pem) -> Result<PrivateKeyDer<'static>, String> {
    let text = contents(pem)?;
    PrivateKeyDer::from_pem_slice(&text).map_err(|error| {
        let is_locked = String::from_utf8_lossy(&text).contains("ENCRYPTED");
        let why = match error {
            pem::Error::NoItemsFound if is_locked => {
                "holds a key that a passphrase locks: oomtop cannot ask for it".to_owned()
            }
            pem::Error::NoItemsFound => "has no private key in PEM (BEGIN PRIVATE KEY)".to_owned(),
            other => not_pem(&other),
        };
        said(pem, &why)
    })
}

fn contents(pem: &Pem) -> Result<Vec<u8>, String> {
    match pem {
        Pem::File(path) => bounded_file::read(path, MOST),
        Pem::Inline { text, .. } => Ok(text.clone().into_bytes()),
    }
}

fn not_pem(error: &pem::Error) -> String {
    format!("is not PEM as it should be: {error}")
}

fn said(pem: &Pem, why: &str) -> String {
    format!("{pem} {why}")
}

/// The name that the certificate must have.
fn name(tls: &Tls, host: &str) -> Result<ServerName<'static>, String> {
    let name = tls.server_name.as_deref().unwrap_or(host);
    let owned = ServerName::try_from(name.to_owned());
    owned.map_err(|_| format!("{name} is no name that a certificate can have"))
}

#[cfg(test)]
mod tests {
    use super::{config, host_of, versions};
    use crate::model::fleet::credentials::{Pem, Tls, TlsVersion};

    #[test]
    fn a_host_is_found_in_every_form_of_address() {
        for (base, host) in [
            ("https://a", "a"),
            ("https://a:1/x", "a"),
            ("https://[::1]:9090", "::1"),
            ("https://10.0.0.1:1", "10.0.0.1"),
        ] {
            assert_eq!(host_of(base), host);
        }
    }

    #[test]
    fn versions_keep_to_both_bounds() {
        let (old, new) = (TlsVersion::V12, TlsVersion::V13);
        for (min_version, max_version, count) in [
            (None, None, 2),
            (Some(old), Some(new), 2),
            (Some(new), None, 1),
            (None, Some(old), 1),
        ] {
            let tls = Tls {
                min_version,
                max_version,
                ..Tls::default()
            };
            assert_eq!(versions(&tls).len(), count, "{tls:?}");
        }
    }

    #[test]
    fn a_file_that_is_no_good_is_a_sentence() {
        let dir = tempfile::tempdir().expect("a directory");
        let write = |name: &str, text: &str| {
            let path = dir.path().join(name);
            std::fs::write(&path, text).expect("written");
            Some(Pem::File(path))
        };
        let ca = |ca| Tls {
            ca,
            ..Tls::default()
        };
        let key = |key| Tls {
            cert: write(
                "cert",
                "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
            ),
            key,
            insecure_skip_verify: true,
            ..Tls::default()
        };
        let cases = [
            (
                ca(Some(Pem::File(dir.path().join("none")))),
                "cannot be read",
            ),
            (ca(write("empty", "")), "has no certificate"),
            (
                ca(Some(Pem::Inline {
                    name: "ca",
                    text: "x".to_owned(),
                })),
                "tls_config, ca has no certificate",
            ),
            (
                ca(write("cut", "-----BEGIN CERTIFICATE-----\nAAAA\n")),
                "is not PEM as it should be",
            ),
            (
                ca(write(
                    "odd",
                    "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
                )),
                "is no certificate that can be trusted",
            ),
            (key(write("nokey", "x")), "has no private key"),
            (
                key(write(
                    "locked",
                    "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n",
                )),
                "a passphrase locks",
            ),
            (
                key(write(
                    "bad",
                    "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
                )),
                "do not belong together",
            ),
        ];
        for (tls, words) in cases {
            let why = config(&tls).expect_err("no good");
            assert!(why.contains(words), "{words}: {why}");
        }
    }
}
