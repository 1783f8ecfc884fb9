//! `oomtop metrics` on the real kernel, read by the real Prometheus.

mod assets;
pub(crate) mod stage;

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

use crate::common::hands::Dice;
use crate::common::hog::Hog;
use crate::common::memcg::Memcg;
use crate::common::patience::until;
use crate::common::{is_root, measured, skipped};
use stage::{Metrics, Prometheus, asset, has, promtool};

#[test]
fn promtool_accepts_the_page_whatever_processes_and_groups_are_called() {
    let test = "what promtool says of the page";
    let group = Memcg::create("x\"y\\z{a=\"b\"} 1");
    let Some(group) = group.filter(|_| has("promtool", test)) else {
        return;
    };
    group.limit(64 << 20);
    let name = b"a\"}\\1\n#\x1b[2J\xff";
    let _hog = Hog::start_bytes(name).in_group(&group).grow(20).adj(900);
    let oomtop = Metrics::start();
    let mut page = String::new();
    let is_there = until(|| {
        page = oomtop.page();
        page.contains("oomtop_victim_info{domain=\"/oomtop-test-")
            && page.contains("command=\"a\\\"}")
    });
    assert!(is_there, "{page}");
    assert!(
        page.contains("x\\\"y\\\\z{a=\\\"b\\\"} 1\",command=\"a\\\"}\\\\1\u{fffd}#\u{fffd}[2J\u{fffd}\",dies=\"one\"} 1"),
        "{page}"
    );
    let (is_content, said) = promtool(&["check", "metrics"], &page);
    assert!(is_content && said.is_empty(), "{said}");
    assert_eq!(oomtop.stop(), Some(0));
}

#[test]
fn promtool_accepts_the_rules() {
    if has("promtool", "what promtool says of the rules") {
        let rules = asset("prometheus/oomtop.rules.yml");
        let rules = rules.to_str().expect("text");
        let (is_content, said) = promtool(&["check", "rules", rules], "");
        assert!(is_content, "{said}");
    }
}

#[test]
fn an_alert_fires_before_a_real_kill() {
    let test = "an alert before a kill";
    let Some(group) = Memcg::create("alert").filter(|_| has("prometheus", test)) else {
        return;
    };
    group.limit(160 << 20);
    let oomtop = Metrics::start();
    let prometheus = Prometheus::start(oomtop.address, &asset("prometheus/oomtop.rules.yml"));
    let seen = || {
        let found = prometheus.ask("/api/v1/query?query=oomtop_domain_limit_bytes");
        found.to_string().contains(group.path())
    };
    assert!(until(seen), "prometheus scrapes");
    let mut hog = Hog::start("alert-hog").in_group(&group);
    let begun = Instant::now();
    hog.leak(400, Duration::from_millis(70));
    let mut fired = None;
    let is_over = until(|| {
        if fired.is_none() && prometheus.fires("OomForecast", group.path()) {
            fired = Some((begun.elapsed(), hog.ended().is_none()));
        }
        hog.ended().is_some()
    });
    let killed = begun.elapsed();
    assert!(is_over && hog.is_killed(), "the kernel kills the hog");
    let (fired, was_alive) = fired.expect("an alert before the kill");
    assert!(was_alive);
    measured(&format!(
        "OomForecast fired {:.1} s before the kill",
        killed.saturating_sub(fired).as_secs_f64()
    ));
    let told = || prometheus.fires("OomKill", "memcg");
    assert!(until(told), "an alert tells of the kill");
    assert_eq!(oomtop.stop(), Some(0));
}

#[test]
fn strange_bytes_and_slow_clients_keep_nobody_from_a_scrape() {
    let oomtop = Metrics::start();
    oomtop.page();
    // More than there is room for; each has sent half a line.
    let slow: Vec<TcpStream> = (0..150)
        .filter_map(|_| {
            let mut stream = TcpStream::connect(oomtop.address).ok()?;
            stream.write_all(b"GET /met").ok();
            Some(stream)
        })
        .collect();
    assert!(slow.len() >= 100, "{}", slow.len());
    let mut dice = Dice(12);
    for round in 0..90 {
        let mut stream = TcpStream::connect(oomtop.address).expect("it listens");
        let length = dice.roll(12_000);
        let mut bytes: Vec<u8> = (0..length)
            .map(|_| u8::try_from(dice.roll(256)).expect("a byte"))
            .collect();
        if round % 2 == 0 {
            bytes.splice(0..0, *b"GET /metrics HTTP/1.1\r\nHost: a\r\n");
            bytes.extend(*b"\r\n\r\n");
        }
        // It may be done with us before we are.
        stream.write_all(&bytes).ok();
        if round % 3 == 0 {
            stream.shutdown(Shutdown::Write).ok();
            let mut answer = [0; 64];
            stream
                .set_read_timeout(Some(Duration::from_millis(20)))
                .ok();
            let _ = stream.read(&mut answer);
        }
    }
    let page = oomtop.page();
    assert!(page.contains("oomtop_build_info{"), "{page}");
    drop(slow);
    // Several requests on one connection, of which one has come in two pieces.
    let mut stream = TcpStream::connect(oomtop.address).expect("it listens");
    let head = "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n";
    stream
        .write_all(format!("{head}{head}").as_bytes())
        .expect("sent");
    stream.write_all(&head.as_bytes()[..9]).expect("sent");
    std::thread::sleep(Duration::from_millis(20));
    stream.write_all(&head.as_bytes()[9..]).expect("sent");
    stream.shutdown(Shutdown::Write).expect("closed");
    let mut all = String::new();
    stream.read_to_string(&mut all).expect("three answers");
    assert_eq!(all.matches("HTTP/1.1 200 OK\r\n").count(), 3, "{all}");
    assert_eq!(oomtop.stop(), Some(0));
}

#[test]
fn two_thousand_groups_are_a_page_of_bounded_length_within_a_tenth_of_a_second() {
    let test = "a page of 2 000 groups";
    if !is_root() {
        return skipped(test, "only root may make memory cgroups");
    }
    let Some(around) = Memcg::create("many") else {
        return;
    };
    let groups: Vec<Memcg> = (0..2000).map(|n| around.child(&format!("g{n}"))).collect();
    for group in &groups {
        group.limit(1 << 30);
    }
    let oomtop = Metrics::start();
    let is_all = || {
        oomtop.page().lines().any(|line| {
            let count = line.strip_prefix("oomtop_domains ");
            count.is_some_and(|count| count.parse::<usize>().is_ok_and(|count| count >= 2000))
        })
    };
    assert!(until(is_all), "all groups are domains");
    // The first look at the own cost comes a moment later.
    let has_cost = || oomtop.page().contains("\noomtop_own_memory_bytes ");
    assert!(until(has_cost), "its own cost is known");
    let mut times: Vec<Duration> = (0..3)
        .map(|_| {
            // After the next sample: a page is made once for each.
            std::thread::sleep(Duration::from_millis(250));
            let begun = Instant::now();
            oomtop.page();
            begun.elapsed()
        })
        .collect();
    times.sort();
    let page = oomtop.page();
    let of = |name: &str| -> f64 {
        let line = page.lines().find_map(|line| line.strip_prefix(name));
        line.expect("a number").trim().parse().expect("a number")
    };
    let series = page.lines().filter(|line| !line.starts_with('#')).count();
    assert!(series < 2500, "{series}");
    assert!((of("oomtop_series ") - series as f64).abs() < 0.5);
    assert!(of("oomtop_left_out{kind=\"domain\"} ") >= 1800.0);
    let resident = of("oomtop_own_memory_bytes ");
    let status = std::fs::read_to_string(format!("/proc/{}/status", oomtop.pid()));
    assert!(status.is_ok());
    measured(&format!(
        "2 000 groups: a scrape takes {:?} (median of {}), {series} series, {} bytes, oomtop {:.1} MiB, a sample {:.1} ms",
        times[times.len() / 2],
        times.len(),
        page.len(),
        resident / f64::from(1 << 20),
        of("oomtop_sample_duration_seconds ") * 1e3
    ));
    assert!(resident < f64::from(64 << 20), "{resident}");
}

#[test]
fn a_textfile_is_whole_and_goes_with_oomtop() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("oomtop.prom");
    let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_oomtop"))
        .args(["metrics", "--every", "1", "--textfile"])
        .arg(&path)
        .spawn()
        .expect("it runs");
    assert!(until(|| path.exists()), "the file comes");
    let text = std::fs::read_to_string(&path).expect("text");
    assert!(
        text.ends_with('\n') && text.contains("oomtop_build_info{"),
        "{text}"
    );
    if has("promtool", "what promtool says of the file") {
        let (is_content, said) = promtool(&["check", "metrics"], &text);
        assert!(is_content && said.is_empty(), "{said}");
    }
    rustix::process::kill_process(
        rustix::process::Pid::from_child(&child),
        rustix::process::Signal::TERM,
    )
    .expect("it runs");
    assert_eq!(child.wait().expect("our child").code(), Some(0));
    assert_eq!(std::fs::read_dir(dir.path()).expect("listed").count(), 0);
}
