//! The file of `--http.config.file`: that of promtool, as far as oomtop can do what it says. It is YAML; of that only what
//! such files need is read: keys, values, and one level of keys below a key.

use std::path::{Path, PathBuf};

use crate::linux::bounded_file;
use crate::model::fleet::credentials::{Credentials, HttpConfig, Secret, Tls};

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
    for (number, line) in text.lines().enumerate() {
        let at = number + 1;
        let is_deeper = line.starts_with(' ');
        let line = without_comment(line).trim();
        if line.is_empty() || line == "---" {
            continue;
        }
        let (key, value) = line
            .split_once(':')
            .ok_or_else(|| format!("line {at}: no key and value"))?;
        let value = unquoted(value.trim())
            .ok_or_else(|| format!("line {at}: such a value is not understood"))?;
        let name = if is_deeper {
            format!("{section}.{key}")
        } else {
            key.clone_into(&mut section);
            key.to_owned()
        };
        take(&mut said, &name, value, beside).map_err(|why| format!("line {at}: {why}"))?;
    }
    finish(said)
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
        "tls_config.ca_file" => said.tls.ca_file = Some(path(value)),
        "tls_config.cert_file" => said.tls.cert_file = Some(path(value)),
        "tls_config.key_file" => said.tls.key_file = Some(path(value)),
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
                "{other}: not known here; known are basic_auth (username, password, password_file), authorization (type, credentials, credentials_file), bearer_token, bearer_token_file and tls_config (ca_file, cert_file, key_file, server_name, insecure_skip_verify)"
            ));
        }
    }
    Ok(())
}

fn finish(said: Said) -> Result<HttpConfig, String> {
    let tls = said.tls.clone();
    if tls.cert_file.is_some() != tls.key_file.is_some() {
        return Err("tls_config: cert_file and key_file go together".to_owned());
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
    use crate::model::fleet::credentials::{Credentials, Secret, Tls};

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
                ca_file: Some("/etc/p/ca.pem".into()),
                cert_file: Some("/c.pem".into()),
                key_file: Some("/etc/p/k.pem".into()),
                server_name: Some("p.example".to_owned()),
                insecure_skip_verify: false,
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
        assert!(
            said("tls_config:\n  min_version: TLS12\n")
                .contains("line 2: tls_config.min_version: not known")
        );
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
