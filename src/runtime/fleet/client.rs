//! [`Client`]: asks Prometheus over HTTP.

use std::time::Duration;

use ureq::Agent;
use ureq::unversioned::resolver::DefaultResolver;
use ureq::unversioned::transport::{Connector as _, TcpConnector};

use super::tls::{self, Stamp, TlsConnector};
use super::trouble;
use crate::linux::bounded_file;
use crate::model::fleet::credentials::{Credentials, HttpConfig, Secret};

/// How long one answer may take.
const WITHIN: Duration = Duration::from_secs(8);

/// Most bytes of an answer.
const MOST: u64 = 32 << 20;

/// Most bytes of a file with a password.
const SECRET: u64 = 64 * 1024;

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Problem {
    /// Nothing else will have one either.
    Whole(String),
    /// This query has none.
    Query(String),
}

/// A Prometheus.
#[derive(Debug)]
pub(super) struct Client {
    agent: Agent,
    base: String,
    http: HttpConfig,
    /// The files of TLS as they were when the agent was made.
    stamps: Vec<Stamp>,
}

impl Client {
    /// Asks below this address: `http://HOST:PORT` or `https://HOST:PORT`, with a path if it has one.
    ///
    /// # Errors
    /// A sentence, if a file of TLS is no good.
    pub(super) fn new(base: &str, http: HttpConfig) -> Result<Self, String> {
        let base = base.trim_end_matches('/').to_owned();
        let stamps = tls::stamps(&http.tls);
        let agent = agent(&base, &http)?;
        Ok(Self {
            agent,
            base,
            http,
            stamps,
        })
    }

    /// Reads the files of TLS again if they have changed: certificates are renewed while somebody looks.
    ///
    /// # Errors
    /// A sentence, if one is no good any more.
    pub(super) fn renew(&mut self) -> Result<(), String> {
        let stamps = tls::stamps(&self.http.tls);
        if stamps != self.stamps {
            self.agent = agent(&self.base, &self.http)?;
            self.stamps = stamps;
        }
        Ok(())
    }

    /// The header that says who asks.
    ///
    /// # Errors
    /// A sentence, if a file cannot be read.
    pub(super) fn authorization(&self) -> Result<Option<String>, Problem> {
        let header = match &self.http.credentials {
            Credentials::None => return Ok(None),
            Credentials::Basic { user, password } => {
                format!("Basic {}", base64(&format!("{user}:{}", read(password)?)))
            }
            Credentials::Token { kind, token } => format!("{kind} {}", read(token)?),
        };
        Ok(Some(header))
    }

    /// The body of an answer to `/api/v1/…`.
    ///
    /// # Errors
    /// A sentence about what came instead.
    pub(super) fn get(
        &self,
        what: &str,
        parameters: &[(&str, &str)],
        authorization: Option<&str>,
    ) -> Result<Vec<u8>, Problem> {
        let mut request = self.agent.get(format!("{}/api/v1/{what}", self.base));
        for (name, value) in parameters {
            request = request.query(name, value);
        }
        if let Some(header) = authorization {
            request = request.header("Authorization", header);
        }
        let mut answer = request.call().map_err(|error| self.no_answer(&error))?;
        let status = answer.status().as_u16();
        let body = answer.body_mut().with_config().limit(MOST).read_to_vec();
        let body = body.map_err(|error| self.no_answer(&error))?;
        let base = &self.base;
        match status {
            200 => Ok(body),
            400 if base.starts_with("http://") && body.ends_with(b"to an HTTPS server.\n") => {
                Err(Problem::Whole(format!(
                    "{base} speaks TLS: write https:// in place of http://"
                )))
            }
            // Errors of the query have the usual form, with a sentence of Prometheus.
            400 | 422 | 503 if body.starts_with(b"{") => Ok(body),
            401 | 403 => Err(Problem::Whole(format!(
                "{base} requires authentication (status {status}): --http.config.file gives name and password, or a token"
            ))),
            404 => Err(Problem::Whole(format!(
                "{base} has no API of Prometheus (status 404): is the path right?"
            ))),
            300..400 => Err(Problem::Whole(format!(
                "{base} redirects (status {status}): give that address instead"
            ))),
            status => Err(Problem::Whole(format!(
                "{base} answers with status {status}"
            ))),
        }
    }

    fn no_answer(&self, error: &ureq::Error) -> Problem {
        let base = &self.base;
        match error {
            ureq::Error::BodyExceedsLimit(_) => Problem::Query(format!(
                "the answer of {base} is longer than {} MiB: let --match choose fewer hosts",
                MOST >> 20
            )),
            ureq::Error::Timeout(_) => Problem::Whole(format!(
                "{base} has not answered within {} s",
                WITHIN.as_secs()
            )),
            other => Problem::Whole(trouble::sentence(base, &self.http.tls, other)),
        }
    }
}

fn agent(base: &str, http: &HttpConfig) -> Result<Agent, String> {
    let config = Agent::config_builder()
        .timeout_global(Some(WITHIN))
        .http_status_as_error(false)
        // A password must not be sent on to another host.
        .max_redirects(0)
        .max_redirects_will_error(false)
        .proxy(None)
        .user_agent(concat!("oomtop/", env!("CARGO_PKG_VERSION")))
        .build();
    let tls = if base.starts_with("https://") {
        TlsConnector::new(&http.tls)?
    } else {
        TlsConnector::none()
    };
    let connector = ().chain(TcpConnector::default()).chain(tls);
    Ok(Agent::with_parts(
        config,
        connector,
        DefaultResolver::default(),
    ))
}

fn read(secret: &Secret) -> Result<String, Problem> {
    let (text, place) = match secret {
        Secret::Plain(text) => (text.trim_end_matches('\n').to_owned(), None),
        Secret::File(path) => {
            let text = bounded_file::read_text(path, SECRET).map_err(Problem::Whole)?;
            (text.trim().to_owned(), Some(path))
        }
    };
    if text.chars().any(char::is_control) {
        let place = place.map_or("a password or token".to_owned(), |path| {
            path.display().to_string()
        });
        return Err(Problem::Whole(format!("{place} holds more than one line")));
    }
    Ok(text)
}

/// Base64 as in RFC 4648.
fn base64(text: &str) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut coded = String::new();
    for three in text.as_bytes().chunks(3) {
        let byte = |at: usize| u32::from(three.get(at).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for at in 0..4 {
            let index = (bits >> (18 - 6 * at)) & 63;
            let letter = LETTERS.get(index as usize).copied().unwrap_or(b'=');
            coded.push(if at <= three.len() {
                letter.into()
            } else {
                '='
            });
        }
    }
    coded
}

#[cfg(test)]
mod tests {
    use super::base64;

    #[test]
    fn base64_is_that_of_the_rfc() {
        let coded = ["", "f", "fo", "foo", "foob", "fooba", "foobar"].map(base64);
        assert_eq!(
            coded,
            [
                "", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy"
            ]
        );
    }
}
