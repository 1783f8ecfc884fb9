//! `oomtop fleet` against servers that answer as Prometheus does, or as it never would, and against the real one.

mod many;
mod tls;

use std::io::Write as _;
use std::process::{Command, Output};
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use crate::common::measured;
use crate::common::patience::until;
use crate::common::prometheus::{Answer, FakePrometheus, hosts, send};
use crate::metrics::stage::{Metrics, Prometheus, asset, has};

fn fleet(url: &str, args: &[&str]) -> (Option<i32>, String, String) {
    let Output {
        status,
        stdout,
        stderr,
    } = Command::new(env!("CARGO_BIN_EXE_oomtop"))
        .args(["fleet", "--prometheus", url])
        .args(args)
        .output()
        .expect("it runs");
    let text = |bytes| String::from_utf8(bytes).expect("text");
    (status.code(), text(stdout), text(stderr))
}

#[test]
fn fifty_hosts_are_ranked_and_each_says_what_is_known() {
    let server = FakePrometheus::start(0, hosts(50));
    let (status, table, errors) = fleet(&server.url(), &["--once"]);
    assert_eq!((status, errors.as_str()), (Some(0), ""), "{table}");
    let lines: Vec<&str> = table.lines().collect();
    assert!(lines[1].starts_with("imminent node-000"), "{table}");
    assert!(
        lines[1].contains("~30s") && lines[1].ends_with("web.service: python3"),
        "{table}"
    );
    assert!(
        lines[2].starts_with("imminent bare") && lines[2].contains("no oomtop: only"),
        "{table}"
    );
    assert!(
        lines[3].starts_with("DOWN     node-002") && lines[3].contains("no answer for 6m"),
        "{table}"
    );
    assert!(
        table.contains("note: left out: 1 value without a number"),
        "{table}"
    );
    assert!(!table.contains('\u{1b}'));
    assert_eq!(lines.len(), 53, "{table}");
}

#[test]
fn five_hundred_hosts_cost_little_time_of_our_own() {
    let server = FakePrometheus::start(0, hosts(500));
    let (status, json, _) = fleet(&server.url(), &["--json"]);
    assert_eq!(status, Some(0));
    let document: Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(document["hosts"].as_array().map(Vec::len), Some(501));
    let worked = document["worked_millis"].as_f64().expect("a number");
    measured(&format!(
        "500 hosts: {worked:.0} ms of own time for a round"
    ));
    assert!(worked < 1000.0, "{worked}");
}

#[test]
fn what_is_no_answer_of_prometheus_is_a_sentence() {
    let plain = |status: &'static str, body: &'static [u8]| -> Answer {
        Arc::new(move |_, stream| send(stream, status, body))
    };
    let long: Answer = Arc::new(|_, stream| {
        stream
            .write_all(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
            .ok();
        let piece = vec![b' '; 1 << 20];
        // 100 MB, or until nobody reads any more.
        let _ = (0..100).try_for_each(|_| stream.write_all(&piece));
    });
    let slow: Answer = Arc::new(|_, _| std::thread::sleep(Duration::from_secs(10)));
    let cases = [
        (
            plain("401 Unauthorized", b""),
            "requires authentication (status 401)",
        ),
        (
            plain("200 OK", b"<html>Login</html>"),
            "begins with \"<html>Login</html>\"",
        ),
        (
            plain("500 Internal Server Error", b"oh"),
            "answers with status 500",
        ),
        (
            plain("404 Not Found", b""),
            "no API of Prometheus (status 404)",
        ),
        (plain("302 Found", b""), "redirects (status 302)"),
        (plain("200 OK", b"{\"status\":\"success\"}"), "no data"),
        (
            plain(
                "400 Bad Request",
                b"{\"status\":\"error\",\"error\":\"parse error: x\"}",
            ),
            "Prometheus refuses the query: parse error: x",
        ),
        (long, "is longer than 32 MiB"),
        (slow, "has not answered within 8 s"),
    ];
    for (answer, sentence) in cases {
        let server = FakePrometheus::start(0, answer);
        let (status, out, errors) = fleet(&server.url(), &["--once"]);
        assert_eq!((status, out.as_str()), (Some(1), ""), "{errors}");
        assert!(
            errors.starts_with("oomtop: ") && errors.contains(sentence),
            "{sentence}: {errors}"
        );
        assert_eq!(errors.lines().count(), 1, "{errors}");
    }
    let (status, _, errors) = fleet("http://127.0.0.1:1", &["--once"]);
    assert_eq!(status, Some(1));
    assert!(
        errors.contains("http://127.0.0.1:1 is not there: nothing listens at this port"),
        "{errors}"
    );
    let (status, _, errors) = fleet("ftp://a", &["--once"]);
    assert_eq!(status, Some(2));
    assert!(errors.contains("takes an address such as"), "{errors}");
}

#[test]
fn passwords_and_tokens_are_sent_as_the_file_says() {
    let asks: Answer = Arc::new(|request, stream| {
        let request = request.to_lowercase();
        if request.contains("authorization: basic dtpwyxnz")
            || request.contains("authorization: bearer t-0k")
        {
            return hosts(1)(&request, stream);
        }
        send(stream, "401 Unauthorized", b"");
    });
    let server = FakePrometheus::start(0, asks);
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("http.yml");
    std::fs::write(dir.path().join("token"), "t-0k\n").expect("written");
    for text in [
        "basic_auth:\n  username: u\n  password: pass\n",
        "authorization:\n  credentials_file: token\n",
    ] {
        std::fs::write(&file, text).expect("written");
        let path = file.to_str().expect("text");
        let args = ["--once", "--http.config.file", path];
        let (status, table, errors) = fleet(&server.url(), &args);
        assert_eq!(status, Some(0), "{errors}");
        assert!(table.contains("node-000"), "{table}");
    }
}

#[test]
fn the_real_prometheus_answers_every_query() {
    if !has("prometheus", "a fleet of the real Prometheus") {
        return;
    }
    let oomtop = Metrics::start();
    let prometheus = Prometheus::start(oomtop.address, &asset("prometheus/oomtop.rules.yml"));
    let url = format!("http://{}", prometheus.address);
    let mut document = Value::Null;
    let is_there = until(|| {
        let (status, json, errors) = fleet(&url, &["--json"]);
        assert_eq!(status, Some(0), "{errors}");
        document = serde_json::from_str(&json).expect("JSON");
        let host = &document["hosts"][0];
        // The first scrape may have failed: oomtop was about to start.
        host["used"].is_f64() && host["victim"].is_string() && host["health"] == "fresh"
    });
    assert!(is_there, "{document}");
    assert_eq!(
        document["notes"],
        serde_json::json!([]),
        "no query is refused"
    );
    assert_eq!(document["hosts"][0]["name"], "127.0.0.1");
    assert_eq!(document["hosts"][0]["health"], "fresh");
    drop(oomtop);
    let is_down = || {
        let (_, table, _) = fleet(&url, &["--once"]);
        table.contains("DOWN     127.0.0.1") && table.contains("no answer for ")
    };
    assert!(until(is_down), "who has ended does not answer");
}
