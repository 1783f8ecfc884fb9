//! Why two do not trust each other.

use rustls::{AlertDescription, CertificateError, InvalidMessage};

use crate::model::fleet::credentials::Tls;

/// What is wrong between both, in words that follow the address.
pub(super) fn words(base: &str, tls: &Tls, error: &rustls::Error) -> String {
    match error {
        rustls::Error::InvalidCertificate(why) => of_certificate(base, tls, why),
        rustls::Error::InvalidMessage(InvalidMessage::InvalidContentType) => {
            "does not speak TLS: write http:// in place of https://".to_owned()
        }
        rustls::Error::AlertReceived(alert) => of_alert(tls, *alert),
        rustls::Error::PeerIncompatible(_) => {
            format!(
                "and oomtop have no version of TLS in common: it must speak 1.2 or 1.3 ({error})"
            )
        }
        other => format!("cannot be asked over TLS: {other}"),
    }
}

fn of_certificate(base: &str, tls: &Tls, why: &CertificateError) -> String {
    let wanted = tls
        .server_name
        .as_deref()
        .unwrap_or_else(|| crate::runtime::fleet::tls::host_of(base));
    match why {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "has a certificate that has expired: it must be renewed (or the clock here is wrong)"
                .to_owned()
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "has a certificate that is not valid yet: is the clock here right?".to_owned()
        }
        CertificateError::UnknownIssuer => match &tls.ca {
            Some(ca) => {
                format!("has a certificate that nobody in {ca} has signed: is this the right CA?")
            }
            None => "has a certificate of a CA that is not known here: name it by tls_config, ca_file".to_owned(),
        },
        CertificateError::NotValidForName => {
            format!("has a certificate for another name than {wanted}: tls_config, server_name says which")
        }
        CertificateError::NotValidForNameContext { presented, .. } => {
            let mut names: Vec<_> = presented.iter().take(3).map(|name| of_general(name)).collect();
            if presented.len() > names.len() {
                names.push("others");
            }
            let names = if names.is_empty() {
                "no name".to_owned()
            } else {
                names.join(", ")
            };
            format!("has a certificate for {names}, not for {wanted}: tls_config, server_name says which")
        }
        CertificateError::Revoked => "has a certificate that was revoked".to_owned(),
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
            "has a certificate that is not one of a server".to_owned()
        }
        other if other.to_string().contains("CaUsedAsEndEntity") => {
            "shows a certificate of a CA as its own: ca_file must hold exactly this certificate, or a CA must sign another for the server".to_owned()
        }
        other => format!("has a certificate that is not accepted: {other}"),
    }
}

/// `DnsName("a")` as the crate writes it, without the frame.
fn of_general(name: &str) -> &str {
    let inner = name.split_once('(').map_or(name, |(_, rest)| rest);
    inner.trim_end_matches(')').trim_matches('"')
}

fn of_alert(tls: &Tls, alert: AlertDescription) -> String {
    use AlertDescription as A;
    match (&tls.cert, alert) {
        (None, A::CertificateRequired | A::BadCertificate | A::HandshakeFailure) => {
            "wants a certificate of who asks: tls_config takes cert_file and key_file".to_owned()
        }
        (
            Some(file),
            A::BadCertificate
            | A::UnsupportedCertificate
            | A::CertificateRevoked
            | A::CertificateExpired
            | A::CertificateUnknown
            | A::UnknownCA
            | A::AccessDenied
            | A::CertificateRequired,
        ) => format!("refuses the certificate of {file} ({alert:?})"),
        (_, A::ProtocolVersion) if tls.min_version.is_some() || tls.max_version.is_some() => {
            "speaks no version of TLS between min_version and max_version of tls_config".to_owned()
        }
        (_, A::ProtocolVersion) => "speaks neither TLS 1.2 nor 1.3".to_owned(),
        (_, A::UnrecognisedName) => "has no certificate for this name".to_owned(),
        (_, alert) => format!("ends the TLS handshake ({alert:?})"),
    }
}
