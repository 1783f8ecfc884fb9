//! The file of `--http.config.file`: that of promtool, as far as oomtop can do what it says. It is YAML; of that only what
//! such files need is read: keys, values, blocks of text (`|`), and one level of keys below a key.

use std::path::{Path, PathBuf};

use crate::linux::bounded_file;
use crate::model::fleet::credentials::{Credentials, HttpConfig, Pem, Secret, Tls, TlsVersion};

/// Most bytes of such a file.
const MOST: u64 = 64 * 1024;

/// Reads the file.
///
/// # Errors
/// A sentence with the file, and the line if one is to blame.
pub(super) fn read(path: &Path) -> Result<HttpConfig, String> {
    let text = bounded_file::read_text(path, MOST)?;
    let beside = path.parent().unwrap_or(Path::new(""));
    parse(&text, beside).map_err(|why| format!("{}: {why}", path.display()))
}

/// What the file says so far.
#[derive(Default)]
struct Said {
    user: Option<String>,
    password: Option<Secret>,
    kind: Option<String>,
    token: Option<Secret>,
    tls: Tls,
}

fn parse(text: &str, beside: &Path) -> Result<HttpConfig, String> {
    let mut said = Said::default();
    let mut section = String::new();
    let mut lines = text.lines().enumerate().peekable();
    while let Some((number, whole)) = lines.next() {
        let at = number + 1;
        let indent = indent(whole);
        let line = without_comment(whole).trim();
        if line.is_empty() || line == "---" {
            continue;
        }
        let (key, value) = line
            .split_once(':')
            .ok_or_else(|| format!("line {at}: no key and value"))?;
        let value = match value.trim() {
            style @ ("|" | "|-") => {
                let mut block = String::new();
                while let Some((_, line)) =
                    lines.next_if(|(_, line)| line.trim().is_empty() || self::indent(line) > indent)
                {
                    block.push_str(line.trim());
                    block.push('\n');
                }
                // YAML 1.2, 8.1.1.2: one end of a line stays, or none.
                let text = block.trim_end();
                match style {
                    "|-" => text.to_owned(),
                    _ => format!("{text}\n"),
                }
            }
            plain => unquoted(plain)
                .ok_or_else(|| format!("line {at}: such a value is not understood"))?,
        };
        let name = if indent > 0 {
            format!("{section}.{key}")
        } else {
            key.clone_into(&mut section);
            key.to_owned()
        };
        take(&mut said, &name, value, beside).map_err(|why| format!("line {at}: {why}"))?;
    }
    finish(said)
}

/// Spaces at the begin of a line.
fn indent(line: &str) -> usize {
    line.len() - line.trim_start_matches(' ').len()
}

fn take(said: &mut Said, name: &str, value: String, beside: &Path) -> Result<(), String> {
    // As in Prometheus: beside the file that names it.
    let path = |value: String| beside.join(PathBuf::from(value));
    let file = |value: String| Secret::File(path(value));
    match name {
        "basic_auth" | "authorization" | "tls_config" if value.is_empty() => {}
        "basic_auth.username" => said.user = Some(value),
        "basic_auth.password" => said.password = Some(Secret::Plain(value)),
        "basic_auth.password_file" => said.password = Some(file(value)),
        "authorization.type" => said.kind = Some(value),
        "authorization.credentials" | "bearer_token" => said.token = Some(Secret::Plain(value)),
        "authorization.credentials_file" | "bearer_token_file" => said.token = Some(file(value)),
        "tls_config.ca" => once(&mut said.tls.ca, inline("ca", value))?,
        "tls_config.ca_file" => once(&mut said.tls.ca, Pem::File(path(value)))?,
        "tls_config.cert" => once(&mut said.tls.cert, inline("cert", value))?,
        "tls_config.cert_file" => once(&mut said.tls.cert, Pem::File(path(value)))?,
        "tls_config.key" => once(&mut said.tls.key, inline("key", value))?,
        "tls_config.key_file" => once(&mut said.tls.key, Pem::File(path(value)))?,
        "tls_config.min_version" => said.tls.min_version = version(&value, Bound::Oldest)?,
        "tls_config.max_version" => said.tls.max_version = version(&value, Bound::Newest)?,
        "tls_config.server_name" => said.tls.server_name = Some(value),
        "tls_config.insecure_skip_verify" => {
            said.tls.insecure_skip_verify = match value.as_str() {
                "true" => true,
                "false" => false,
                _ => return Err("insecure_skip_verify takes true or false".to_owned()),
            }
        }
        other => {
            return Err(format!(
                "{other}: not known here; known are basic_auth (username, password, password_file), authorization (type, credentials, credentials_file), bearer_token, bearer_token_file and tls_config (ca, ca_file, cert, cert_file, key, key_file, server_name, insecure_skip_verify, min_version, max_version)"
            ));
        }
    }
    Ok(())
}

fn inline(name: &'static str, text: String) -> Pem {
    Pem::Inline { name, text }
}

/// As Prometheus refuses it: one of the two would be without effect.
fn once(place: &mut Option<Pem>, pem: Pem) -> Result<(), String> {
    match place.replace(pem) {
        Some(Pem::Inline { name, .. }) => Err(twice(name)),
        Some(Pem::File(_)) => match place {
            Some(Pem::Inline { name, .. }) => Err(twice(name)),
            _ => Err("tls_config: this file is named already".to_owned()),
        },
        None => Ok(()),
    }
}

fn twice(name: &str) -> String {
    format!("tls_config: takes one of {name} and {name}_file")
}

/// Which end of a range of versions.
#[derive(Clone, Copy)]
enum Bound {
    Oldest,
    Newest,
}

/// A version as Prometheus writes it. What is older than 1.2 bounds nothing from below, and leaves nothing from above.
fn version(value: &str, bound: Bound) -> Result<Option<TlsVersion>, String> {
    match (value, bound) {
        ("TLS12", _) => Ok(Some(TlsVersion::V12)),
        ("TLS13", _) => Ok(Some(TlsVersion::V13)),
        ("TLS10" | "TLS11", Bound::Oldest) => Ok(None),
        ("TLS10" | "TLS11", Bound::Newest) => Err(format!(
            "max_version: oomtop speaks TLS12 and TLS13, and {value} is older"
        )),
        _ => Err(format!(
            "{value} is no version of TLS: TLS10, TLS11, TLS12, TLS13"
        )),
    }
}

fn finish(said: Said) -> Result<HttpConfig, String> {
    let tls = said.tls.clone();
    if tls.cert.is_some() != tls.key.is_some() {
        return Err("tls_config: a certificate (cert or cert_file) and its key (key or key_file) go together".to_owned());
    }
    if let (Some(min), Some(max)) = (tls.min_version, tls.max_version)
        && min > max
    {
        return Err("tls_config: min_version is newer than max_version".to_owned());
    }
    let credentials = who(said)?;
    Ok(HttpConfig { credentials, tls })
}

fn who(said: Said) -> Result<Credentials, String> {
    match said {
        Said {
            user: Some(user),
            password: Some(password),
            token: None,
            ..
        } => Ok(Credentials::Basic { user, password }),
        Said {
            user: None,
            password: None,
            kind,
            token: Some(token),
            ..
        } => Ok(Credentials::Token {
            kind: kind.unwrap_or_else(|| "Bearer".to_owned()),
            token,
        }),
        Said {
            user: None,
            password: None,
            kind: None,
            token: None,
            ..
        } => Ok(Credentials::None),
        _ => {
            Err("takes a name and a password, or a token, and not both or a half of one".to_owned())
        }
    }
}

/// The line up to a `#` that begins a comment.
fn without_comment(line: &str) -> &str {
    let mut quote = None;
    let mut before = ' ';
    for (at, c) in line.char_indices() {
        match (quote, c) {
            (None, '\'' | '"') => quote = Some(c),
            (Some(open), c) if c == open => quote = None,
            (None, '#') if before == ' ' => return line.get(..at).unwrap_or(line),
            _ => {}
        }
        before = c;
    }
    line
}

/// A plain or a quoted value; `None` for what YAML has besides.
fn unquoted(value: &str) -> Option<String> {
    for quote in ['"', '\''] {
        if let Some(rest) = value.strip_prefix(quote) {
            let inner = rest.strip_suffix(quote)?;
            let is_plain = !inner.contains(quote) && (quote == '\'' || !inner.contains('\\'));
            return is_plain.then(|| inner.to_owned());
        }
    }
    let is_plain = !value.starts_with(['{', '[', '|', '>', '&', '*', '!', '%', '@', '`']);
    is_plain.then(|| value.to_owned())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::parse;
    use crate::model::fleet::credentials::{Credentials, Pem, Secret, Tls, TlsVersion};

    fn read(text: &str) -> Result<Credentials, String> {
        parse(text, Path::new("/etc/p")).map(|config| config.credentials)
    }

    #[test]
    fn tls_is_read_with_files_beside_the_one_that_names_them() {
        let text = "bearer_token: t\ntls_config:\n  ca_file: ca.pem\n  cert_file: /c.pem\n  key_file: k.pem\n  server_name: p.example\n  insecure_skip_verify: false\n";
        let config = parse(text, Path::new("/etc/p")).expect("right");
        assert_eq!(
            config.tls,
            Tls {
                ca: Some(Pem::File("/etc/p/ca.pem".into())),
                cert: Some(Pem::File("/c.pem".into())),
                key: Some(Pem::File("/etc/p/k.pem".into())),
                server_name: Some("p.example".to_owned()),
                ..Tls::default()
            }
        );
        assert_eq!(
            config.credentials,
            Credentials::Token {
                kind: "Bearer".to_owned(),
                token: Secret::Plain("t".to_owned())
            }
        );
    }

    #[test]
    fn a_block_of_text_ends_with_the_next_key() {
        let text = "tls_config:\n  ca: |\n    -----BEGIN CERTIFICATE-----\n    AA # A\n\n    -----END CERTIFICATE-----\n  min_version: TLS13\nbearer_token: t\n";
        let config = parse(text, Path::new("/etc/p")).expect("right");
        let ca = "-----BEGIN CERTIFICATE-----\nAA # A\n\n-----END CERTIFICATE-----\n";
        let ca = Pem::Inline {
            name: "ca",
            text: ca.to_owned(),
        };
        assert_eq!(config.tls.ca, Some(ca));
        assert_eq!(config.tls.min_version, Some(TlsVersion::V13));
        assert!(matches!(config.credentials, Credentials::Token { .. }));
        assert!(
            !format!("{:?}", config.tls).contains("AA"),
            "a key is not printed"
        );
    }

    #[test]
    fn names_passwords_and_tokens_are_read() {
        assert_eq!(
            read("# who\nbasic_auth:\n  username: a\n  password: 'b # c'  # secret\n"),
            Ok(Credentials::Basic {
                user: "a".to_owned(),
                password: Secret::Plain("b # c".to_owned())
            })
        );
        assert_eq!(
            read("authorization:\n  credentials_file: t\n"),
            Ok(Credentials::Token {
                kind: "Bearer".to_owned(),
                token: Secret::File("/etc/p/t".into())
            })
        );
        assert_eq!(
            read("bearer_token_file: /t\n"),
            Ok(Credentials::Token {
                kind: "Bearer".to_owned(),
                token: Secret::File("/t".into())
            })
        );
        assert_eq!(read("---\n"), Ok(Credentials::None));
    }

    #[test]
    fn what_oomtop_cannot_do_is_a_sentence() {
        let said = |text| read(text).expect_err("wrong");
        assert!(said("tls_config:\n  cert_file: x\n").contains("go together"));
        assert!(said("tls_config:\n  insecure_skip_verify: no\n").contains("line 2: insecure"));
        for (text, why) in [
            ("min_version: TLS9", "line 2: TLS9 is no version"),
            ("max_version: TLS11", "line 2: max_version: oomtop speaks"),
            (
                "ca: x\n  ca_file: y",
                "line 3: tls_config: takes one of ca and ca_file",
            ),
            (
                "key_file: y\n  key: x",
                "line 3: tls_config: takes one of key and key_file",
            ),
            ("cert: |\n    x", "go together"),
            ("min_version: TLS13\n  max_version: TLS12", "is newer than"),
            ("oauth: x", "line 2: tls_config.oauth: not known"),
        ] {
            let text = format!("tls_config:\n  {text}\n");
            let sentence = read(&text).expect_err("wrong");
            assert!(sentence.contains(why), "{text}: {sentence}");
        }
        assert!(said("oauth2:\n").contains("line 1: oauth2: not known here"));
        assert!(said("basic_auth: {username: a}\n").contains("line 1: such a value"));
        assert!(said("basic_auth:\n  username: a\n").contains("half"));
        assert!(said("x\n").contains("line 1: no key"));
    }

    proptest::proptest! {
        #[test]
        fn no_file_is_too_strange(text in "((basic_auth|authorization|x)?[ :'\"#\\\\a-z\n\u{e9}]{0,12}){0,6}") {
            let _ = read(&text);
        }
    }
}
