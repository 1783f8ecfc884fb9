//! A server that answers as Prometheus does, or as it never would.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// What it does with a request: the whole answer.
pub(crate) type Answer = Arc<dyn Fn(&str, &mut TcpStream) + Send + Sync>;

/// Ends with this value, and with it every connection that begins.
pub(crate) struct FakePrometheus {
    pub(crate) address: SocketAddr,
    stop: Arc<AtomicBool>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl FakePrometheus {
    /// Listens on this port, 0 for any.
    pub(crate) fn start(port: u16, answer: Answer) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", port)).expect("a port");
        let address = listener.local_addr().expect("bound");
        listener.set_nonblocking(true).expect("set");
        let stop = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            while !told.load(Ordering::SeqCst) {
                match listener.accept() {
                    Ok((stream, _)) => {
                        let answer = Arc::clone(&answer);
                        std::thread::spawn(move || serve(stream, &answer));
                    }
                    Err(_) => std::thread::sleep(Duration::from_millis(2)),
                }
            }
        });
        Self {
            address,
            stop,
            thread: Some(thread),
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for FakePrometheus {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        if let Some(thread) = self.thread.take() {
            thread.join().ok();
        }
    }
}

fn serve(mut stream: TcpStream, answer: &Answer) {
    stream.set_nonblocking(false).ok();
    let mut head = Vec::new();
    let mut byte = [0; 1];
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read(&mut byte) {
            Ok(1) => head.push(byte[0]),
            _ => return,
        }
    }
    answer(&decoded(&String::from_utf8_lossy(&head)), &mut stream);
}

/// The text without its percent codes.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((first, more)) = rest.split_first() {
        let code = more.get(..2).and_then(|two| std::str::from_utf8(two).ok());
        let code = code.and_then(|two| u8::from_str_radix(two, 16).ok());
        match (first, code) {
            (b'%', Some(code)) => {
                bytes.push(code);
                rest = &more[2..];
            }
            (b'+', _) => {
                bytes.push(b' ');
                rest = more;
            }
            (other, _) => {
                bytes.push(*other);
                rest = more;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Sends an answer with this status and body; the connection ends.
pub(crate) fn send(stream: &mut TcpStream, status: &str, body: &[u8]) {
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).ok();
    stream.write_all(body).ok();
}

/// Answers about so many hosts: the first has a domain that is full in half a minute, the third does not answer since 400 s, one
/// value is no number, one has labels that nobody knows, and one host has node_exporter alone.
pub(crate) fn hosts(count: usize) -> Answer {
    Arc::new(move |request, stream| {
        let query = request.split("query=").nth(1).unwrap_or_default();
        let now = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .map_or(0.0, |since| since.as_secs_f64());
        let mut all = Vec::new();
        let mut add = |instance: String, more: &str, value: String| {
            let labels = format!("\"instance\":\"{instance}\",\"job\":\"oomtop\"{more}");
            all.push(format!(
                "{{\"metric\":{{{labels}}},\"value\":[{now},\"{value}\"]}}"
            ));
        };
        let name = |n: usize| format!("node-{n:03}:9469");
        let web = ",\"domain\":\"/system.slice/web.service\",\"unit\":\"web.service\"";
        if request.contains("/query_range") {
            return send(
                stream,
                "200 OK",
                b"{\"status\":\"success\",\"data\":{\"resultType\":\"matrix\",\"result\":[]}}",
            );
        } else if query.starts_with("up{") {
            for n in 0..count {
                add(
                    name(n),
                    ",\"strange\":\"\\u001b[2J\"",
                    if n == 2 { "0" } else { "1" }.to_owned(),
                );
            }
        } else if query.starts_with("time() - max_over_time(") {
            for n in 0..count {
                add(name(n), "", if n == 2 { "400" } else { "1" }.to_owned());
            }
        } else if query.starts_with("{__name__") {
            for n in (0..count).filter(|n| *n != 2) {
                let value = if n == 4 {
                    "NaN".to_owned()
                } else {
                    format!("0.{n:03}")
                };
                add(name(n), ",\"__name__\":\"oomtop_memory_used_ratio\"", value);
                add(
                    name(n),
                    ",\"__name__\":\"oomtop_memory_left_bytes\"",
                    "1e9".to_owned(),
                );
            }
        } else if query.starts_with("oomtop_domain_urgency{") {
            add(name(0), web, "3".to_owned());
        } else if query.starts_with("oomtop_domain_time_left") {
            add(name(0), web, "30".to_owned());
        } else if query.starts_with("oomtop_victim_info") {
            let victim = format!("{web},\"command\":\"python3\",\"victim_unit\":\"web.service\"");
            add(name(0), &victim, "1".to_owned());
            for n in 0..count {
                add(
                    name(n),
                    ",\"domain\":\"host\",\"command\":\"java\"",
                    "1".to_owned(),
                );
            }
        } else if query.starts_with("1 - node") {
            add("bare:9100".to_owned(), "", "0.97".to_owned());
        }
        let body = format!(
            "{{\"status\":\"success\",\"data\":{{\"resultType\":\"vector\",\"result\":[{}]}}}}",
            all.join(",")
        );
        send(stream, "200 OK", body.as_bytes());
    })
}
