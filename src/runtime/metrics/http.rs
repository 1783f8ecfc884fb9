//! [`Request`]: the little of HTTP/1.1 that a scrape needs. Pure: bytes in, an answer out.

use crate::output::metrics::Format;

/// Most bytes of a request's head.
pub(super) const HEAD: usize = 8 * 1024;

/// Most headers of a request.
const HEADERS: usize = 100;

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Page {
    /// The metrics in this format.
    Metrics(Format),
    /// The page that names the other one.
    Start,
}

/// A request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Request {
    /// What is asked for, or the status that refuses it.
    pub(super) page: Result<Page, u16>,
    /// The head alone is wanted.
    pub(super) is_head: bool,
    /// More requests may follow on the connection.
    pub(super) keep: bool,
}

impl Request {
    fn refused(status: u16) -> Self {
        Self {
            page: Err(status),
            is_head: false,
            keep: false,
        }
    }
}

/// Where the head ends in what has come so far: the length with its empty line.
pub(super) fn end_of_head(bytes: &[u8]) -> Option<usize> {
    memchr::memmem::find(bytes, b"\r\n\r\n").map(|at| at + 4)
}

/// Reads a whole head.
pub(super) fn parse(head: &[u8]) -> Request {
    read(head).unwrap_or_else(Request::refused)
}

fn read(head: &[u8]) -> Result<Request, u16> {
    let text = std::str::from_utf8(head).map_err(|_| 400_u16)?;
    let mut lines = text.trim_end_matches("\r\n").split("\r\n");
    let mut words = lines.next().unwrap_or("").split(' ');
    let (Some(method), Some(target), Some(version), None) =
        (words.next(), words.next(), words.next(), words.next())
    else {
        return Err(400);
    };
    let is_new = match version {
        "HTTP/1.1" => true,
        "HTTP/1.0" => false,
        other if other.starts_with("HTTP/") => return Err(505),
        _ => return Err(400),
    };
    let (mut keep, mut accept, mut hosts, mut has_body) = (is_new, String::new(), 0, false);
    for (count, line) in lines.enumerate() {
        let (name, value) = line.split_once(':').ok_or(400_u16)?;
        let is_token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
        if count >= HEADERS {
            return Err(431);
        }
        if name.is_empty() || !name.bytes().all(is_token) || value.contains(['\r', '\n', '\0']) {
            return Err(400);
        }
        let value = value.trim();
        match name.to_ascii_lowercase().as_str() {
            "connection" => {
                for word in value.split(',').map(str::trim) {
                    if word.eq_ignore_ascii_case("close") {
                        keep = false;
                    } else if word.eq_ignore_ascii_case("keep-alive") && !is_new {
                        keep = true;
                    }
                }
            }
            "accept" => {
                accept.push_str(value);
                accept.push(',');
            }
            "host" => hosts += 1,
            "content-length" => has_body |= value != "0",
            "transfer-encoding" => has_body = true,
            _ => {}
        }
    }
    if hosts > 1 || (is_new && hosts == 0) {
        return Err(400);
    }
    let page = match (method, path(target)) {
        ("GET" | "HEAD", "/metrics") => Ok(Page::Metrics(Format::accepted(&accept))),
        ("GET" | "HEAD", "/") => Ok(Page::Start),
        ("GET" | "HEAD", _) => Err(404),
        _ => Err(405),
    };
    Ok(Request {
        page,
        is_head: method == "HEAD",
        // A body is not read: what follows could not be told from the next request.
        keep: keep && !has_body,
    })
}

/// The path of a target: `/metrics?x` and `http://host/metrics` name `/metrics`.
fn path(target: &str) -> &str {
    let own = target.strip_prefix("http://").map_or(target, |rest| {
        rest.find('/').and_then(|at| rest.get(at..)).unwrap_or("/")
    });
    own.split('?').next().unwrap_or("")
}

/// The words for a status.
pub(super) fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        400 => "Bad Request",
        404 => "Not Found",
        405 => "Method Not Allowed",
        431 => "Request Header Fields Too Large",
        505 => "HTTP Version Not Supported",
        _ => "Error",
    }
}

/// The bytes of an answer.
pub(super) fn answer(
    status: u16,
    content_type: &str,
    body: &[u8],
    request: Request,
    date: &str,
) -> Vec<u8> {
    let more = if status == 405 {
        "Allow: GET, HEAD\r\n"
    } else {
        ""
    };
    let connection = if request.keep { "keep-alive" } else { "close" };
    let head = format!(
        "HTTP/1.1 {status} {}\r\nDate: {date}\r\nContent-Type: {content_type}\r\nContent-Length: {}\r\n\
         X-Content-Type-Options: nosniff\r\n{more}Connection: {connection}\r\n\r\n",
        reason(status),
        body.len()
    );
    let mut bytes = head.into_bytes();
    if !request.is_head {
        bytes.extend_from_slice(body);
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::{Page, Request, answer, end_of_head, parse};
    use crate::output::metrics::Format;

    fn asked(head: &str) -> Request {
        let bytes = head.replace('\n', "\r\n").into_bytes();
        assert_eq!(end_of_head(&bytes), Some(bytes.len()), "{head}");
        parse(&bytes)
    }

    #[test]
    fn a_scrape_is_understood() {
        let request = asked(
            "GET /metrics HTTP/1.1\nHost: a:9469\nUser-Agent: Prometheus/2.42\nAccept: application/openmetrics-text;version=1.0.0,text/plain;q=0.5\n\n",
        );
        assert_eq!(request.page, Ok(Page::Metrics(Format::OpenMetrics)));
        assert!(request.keep && !request.is_head);
        let old = asked("HEAD /metrics?a=b HTTP/1.0\n\n");
        assert_eq!(old.page, Ok(Page::Metrics(Format::Text)));
        assert!(old.is_head && !old.keep);
        assert!(asked("GET / HTTP/1.0\nConnection: Keep-Alive\n\n").keep);
        assert!(!asked("GET / HTTP/1.1\nHost: a\nconnection: close\n\n").keep);
        assert_eq!(
            asked("GET http://a/ HTTP/1.1\nHost: a\n\n").page,
            Ok(Page::Start)
        );
    }

    #[test]
    fn what_is_no_scrape_is_refused() {
        for (head, status) in [
            ("GET /other HTTP/1.1\nHost: a\n\n", 404),
            ("GET //metrics HTTP/1.1\nHost: a\n\n", 404),
            (
                "POST /metrics HTTP/1.1\nHost: a\nContent-Length: 5\n\n",
                405,
            ),
            ("GET /metrics HTTP/1.1\n\n", 400),
            ("GET /metrics HTTP/1.1\nHost: a\nHost: b\n\n", 400),
            ("GET /metrics HTTP/2.0\nHost: a\n\n", 505),
            ("GET /metrics\n\n", 400),
            ("GET  /metrics HTTP/1.1\nHost: a\n\n", 400),
            ("GET /metrics HTTP/1.1\nHost : a\n\n", 400),
            ("GET /metrics HTTP/1.1\n folded\n\n", 400),
            ("\n\n", 400),
        ] {
            assert_eq!(asked(head).page, Err(status), "{head}");
        }
        let post = asked("POST / HTTP/1.1\nHost: a\nContent-Length: 5\n\n");
        assert!(!post.keep, "its body is not read");
    }

    #[test]
    fn an_answer_to_head_has_no_body() {
        let request = asked("HEAD / HTTP/1.1\nHost: a\n\n");
        let bytes = answer(200, "text/html", b"body", request, "now");
        let text = String::from_utf8(bytes).expect("ASCII");
        assert!(text.contains("Content-Length: 4\r\n") && text.ends_with("\r\n\r\n"));
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_are_too_strange(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..300)) {
            let _ = parse(&bytes);
        }

        #[test]
        fn no_text_is_too_strange(text in "(GET|HEAD|P) [/a-z:?]{0,9}( HTTP/[0-9.]{1,3})?(\r\n[ -~]{0,20}(: ?[ -~]{0,20})?){0,4}\r\n\r\n") {
            let _ = parse(text.as_bytes());
        }
    }
}
