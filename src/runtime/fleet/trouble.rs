//! Why Prometheus has not answered, in sentences that say what to do.

mod handshake;

use std::io::{self, ErrorKind};

use super::tls::CUT;
use crate::model::fleet::credentials::Tls;

/// The sentence about what went wrong with this address.
pub(super) fn sentence(base: &str, tls: &Tls, error: &ureq::Error) -> String {
    let what = match error {
        ureq::Error::HostNotFound => {
            return format!("{base}: no such host is known here: is the name right?");
        }
        ureq::Error::Io(error) => of_io(base, tls, error),
        ureq::Error::Tls(text) if *text == CUT => {
            "closes the connection during the TLS handshake: does it want another version of TLS, or is it a proxy?".to_owned()
        }
        ureq::Error::Tls(text) => (*text).to_owned(),
        ureq::Error::Protocol(_) | ureq::Error::LargeResponseHeader(..) => {
            format!("does not answer as an HTTP server does ({error})")
        }
        other => format!("cannot be asked: {other}"),
    };
    format!("{base} {what}")
}

fn of_io(base: &str, tls: &Tls, error: &io::Error) -> String {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref());
    if let Some(inner) = inner {
        return handshake::words(base, tls, inner);
    }
    match error.kind() {
        ErrorKind::ConnectionRefused => {
            "is not there: nothing listens at this port (connection refused). Does Prometheus run?"
                .to_owned()
        }
        ErrorKind::ConnectionReset
        | ErrorKind::BrokenPipe
        | ErrorKind::ConnectionAborted
        | ErrorKind::UnexpectedEof => {
            "ends the connection without an answer: has it just stopped, or is this not its port?"
                .to_owned()
        }
        ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable | ErrorKind::NetworkDown => {
            "cannot be reached from here: there is no route to its network".to_owned()
        }
        ErrorKind::TimedOut => "does not answer: is a firewall between?".to_owned(),
        ErrorKind::PermissionDenied => {
            "cannot be asked: a rule of this machine forbids the connection".to_owned()
        }
        ErrorKind::AddrNotAvailable => "is no address that this machine can reach".to_owned(),
        _ => format!("cannot be asked: {error}"),
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use rustls::{AlertDescription, CertificateError, Error};

    use super::sentence;
    use crate::model::fleet::credentials::{Pem, Tls};

    fn said(tls: &Tls, error: Error) -> String {
        let error = ureq::Error::Io(io::Error::new(io::ErrorKind::InvalidData, error));
        sentence("https://p:9090", tls, &error)
    }

    #[test]
    fn each_fault_of_tls_says_what_to_do() {
        let (plain, full) = (
            Tls::default(),
            Tls {
                ca: Some(Pem::File("/ca".into())),
                cert: Some(Pem::File("/me".into())),
                server_name: Some("q".to_owned()),
                ..Tls::default()
            },
        );
        let of = |why| Error::InvalidCertificate(why);
        let cases = [
            (&plain, of(CertificateError::Expired), "has expired"),
            (&plain, of(CertificateError::NotValidYet), "clock"),
            (
                &plain,
                of(CertificateError::UnknownIssuer),
                "name it by tls_config, ca_file",
            ),
            (
                &full,
                of(CertificateError::UnknownIssuer),
                "nobody in /ca has signed",
            ),
            (
                &plain,
                of(CertificateError::NotValidForName),
                "another name than p:",
            ),
            (
                &full,
                of(CertificateError::NotValidForName),
                "another name than q:",
            ),
            (
                &plain,
                Error::AlertReceived(AlertDescription::CertificateRequired),
                "takes cert_file and key_file",
            ),
            (
                &full,
                Error::AlertReceived(AlertDescription::UnknownCA),
                "refuses the certificate of /me",
            ),
            (
                &plain,
                Error::AlertReceived(AlertDescription::ProtocolVersion),
                "neither TLS 1.2 nor 1.3",
            ),
        ];
        for (tls, error, words) in cases {
            let text = said(tls, error);
            assert!(
                text.starts_with("https://p:9090 ") && text.contains(words),
                "{text}"
            );
        }
    }

    #[test]
    fn no_number_of_an_error_stands_alone() {
        for (errno, words) in [
            (libc::ECONNREFUSED, "nothing listens at this port"),
            (libc::ECONNRESET, "without an answer"),
            (libc::EHOSTUNREACH, "no route"),
            (libc::ENETUNREACH, "no route"),
            (libc::ETIMEDOUT, "firewall"),
            (libc::EACCES, "forbids"),
        ] {
            let error = ureq::Error::Io(io::Error::from_raw_os_error(errno));
            let text = sentence("http://p", &Tls::default(), &error);
            assert!(text.contains(words) && !text.contains("os error"), "{text}");
        }
    }
}
