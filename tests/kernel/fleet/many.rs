//! Fifty targets that show a page of oomtop, oomtop itself and a page of cadvisor, under the real Prometheus.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::fleet;
use crate::common::patience::until;
use crate::common::pty::Launch;
use crate::metrics::stage::{Metrics, Prometheus, has};

/// A target of this process; ends with this value.
struct Target {
    address: SocketAddr,
    stop: Arc<AtomicBool>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Target {
    /// Shows this page, with the time of now in its sample, and how often it was shown.
    fn start(page: &Arc<String>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("bound");
        let stop = Arc::new(AtomicBool::new(false));
        let (page, told) = (Arc::clone(page), Arc::clone(&stop));
        let thread = std::thread::spawn(move || {
            let mut shown = 0;
            for stream in listener.incoming() {
                if told.load(Ordering::SeqCst) {
                    return;
                }
                let mut stream = stream.expect("a connection");
                let mut request = [0; 4096];
                if stream.read(&mut request).is_ok_and(|bytes| bytes == 0) {
                    continue;
                }
                shown += 1;
                let body = page.replace("@NOW@", &now().to_string());
                let body = body.replace("@SHOWN@", &shown.to_string());
                let head = format!(
                    "HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
                    body.len()
                );
                stream.write_all((head + &body).as_bytes()).ok();
            }
        });
        Self {
            address,
            stop,
            thread: Some(thread),
        }
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        std::net::TcpStream::connect(self.address).ok();
        if let Some(thread) = self.thread.take() {
            thread.join().ok();
        }
    }
}

fn now() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |since| since.as_secs())
}

/// The page of a real oomtop, with a place for the time.
fn page_of(oomtop: &Metrics) -> Arc<String> {
    let page = oomtop.page();
    let lines =
        page.lines().map(
            |line| match line.strip_prefix("oomtop_sample_timestamp_seconds ") {
                Some(_) => "oomtop_sample_timestamp_seconds @NOW@\n".to_owned(),
                None => format!("{line}\n"),
            },
        );
    Arc::new(lines.collect())
}

#[test]
fn fifty_targets_one_of_them_gone_and_a_prometheus_that_goes_and_comes_back() {
    if !has("prometheus", "a fleet of 52 targets") {
        return;
    }
    let oomtop = Metrics::start();
    let page = page_of(&oomtop);
    let mut targets: Vec<Target> = (0..50).map(|_| Target::start(&page)).collect();
    let mut addresses: Vec<SocketAddr> = targets.iter().map(|target| target.address).collect();
    addresses.push(oomtop.address);
    // A host with cadvisor alone: a kill in a container between two scrapes.
    let page = "# TYPE container_oom_events_total counter\ncontainer_oom_events_total{id=\"/a\",name=\"web\"} @SHOWN@\n";
    let cadvisor = Target::start(&Arc::new(page.to_owned()));
    let jobs: [(&str, &[SocketAddr]); 2] =
        [("oomtop", &addresses), ("cadvisor", &[cadvisor.address])];
    let mut prometheus = Prometheus::scraping(&jobs, "1s", None);
    let url = format!("http://{}", prometheus.address);
    let mut session = Launch::oomtop()
        .args(["fleet", "--every", "1", "--prometheus", &url])
        .size(100, 30)
        .start();
    session.wait_for("all of them", |screen| {
        screen.has("52 hosts") && !screen.has("UNKNOWN")
    });

    let gone = targets.pop().expect("fifty").address;
    let row = format!("DOWN     {gone}");
    session.wait_for("since when it is gone", |screen| {
        let line = screen.line_with(&row);
        line.is_some_and(|line| line.contains("no answer for "))
    });
    let (status, table, errors) = fleet(&url, &["--once"]);
    assert_eq!((status, errors.as_str()), (Some(0), ""), "{table}");
    assert_eq!(table.lines().count(), 53, "{table}");
    assert_eq!(table.matches("DOWN").count(), 1, "{table}");

    let shallow = table.lines().find(|line| line.contains("no oomtop: only"));
    let shallow = shallow.expect("the host with cadvisor");
    let kills = shallow
        .split_whitespace()
        .nth(5)
        .and_then(|kills| kills.parse::<u32>().ok());
    assert!(kills.is_some_and(|kills| kills > 0), "{shallow}");

    prometheus.crash();
    session.wait_for("why, and how old it all is", |screen| {
        screen.has("nothing listens at this port") && screen.has("as of ") && screen.has(&row)
    });
    // The keyboard lives.
    session.send(b"?");
    session.wait_text("any key: back");
    session.send(b" ");
    session.wait_text(&row);
    prometheus.again();
    session.wait_for("new answers", |screen| {
        screen.has("52 hosts") && screen.has(&row) && !screen.has("as of ")
    });
    let back = || {
        let (_, table, _) = fleet(&url, &["--once"]);
        table.lines().count() == 53 && table.matches("DOWN").count() == 1
    };
    assert!(until(back), "all others answer again");
    session.send(b"q");
    assert_eq!(session.wait_exit().code, 0);
    session.assert_sane();
}
