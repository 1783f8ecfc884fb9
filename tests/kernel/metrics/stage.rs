//! A running `oomtop metrics`, and programs of Prometheus.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use crate::common::patience::until;
use crate::common::skipped;
use crate::common::web::{free_port, get};

/// Ends with this value.
pub(crate) struct Metrics {
    child: Child,
    pub(crate) address: SocketAddr,
}

impl Metrics {
    /// Starts it on a port of the kernel's choice, with a sample each fifth of a second.
    pub(crate) fn start() -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_oomtop"))
            .args(["metrics", "--listen", "127.0.0.1:0"])
            .env("OOMTOP_DELAY", "0.2")
            .stderr(Stdio::piped())
            .spawn()
            .expect("it runs");
        let errors = BufReader::new(child.stderr.take().expect("piped"));
        let found = errors.lines().map_while(Result::ok).find_map(|line| {
            let rest = line.split("http://").nth(1)?.to_owned();
            rest.strip_suffix("/metrics")?.parse().ok()
        });
        let address = found.expect("it says where");
        Self { child, address }
    }

    /// The page in the text format, once it has a sample.
    pub(crate) fn page(&self) -> String {
        let mut page = String::new();
        let has_come = until(|| {
            page = get(self.address, "/metrics", "*/*").expect("an answer").1;
            page.contains("oomtop_sample_timestamp_seconds ")
        });
        assert!(has_come, "{page}");
        page
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Asks it to end; its exit status.
    pub(crate) fn stop(mut self) -> Option<i32> {
        let pid = Pid::from_child(&self.child);
        kill_process(pid, Signal::TERM).expect("it runs");
        self.child.wait().expect("our child").code()
    }
}

impl Drop for Metrics {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// True if there is such a program; says so loudly if there is none.
pub(crate) fn has(program: &str, test: &str) -> bool {
    let found = std::env::var_os("PATH").is_some_and(|path| {
        std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
    });
    if !found {
        let why = format!("there is no {program} (Debian has it in its package prometheus)");
        skipped(test, &why);
    }
    found
}

/// Standard output and error of `promtool`, and whether it was content.
pub(crate) fn promtool(args: &[&str], input: &str) -> (bool, String) {
    let mut child = Command::new("promtool")
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("promtool runs");
    let mut stdin = child.stdin.take().expect("piped");
    stdin.write_all(input.as_bytes()).expect("it reads");
    drop(stdin);
    let done = child.wait_with_output().expect("it ends");
    let said = [done.stdout, done.stderr].concat();
    (
        done.status.success(),
        String::from_utf8_lossy(&said).into_owned(),
    )
}

/// A Prometheus with a folder of its own; ends with this value.
pub(crate) struct Prometheus {
    child: Child,
    pub(crate) address: SocketAddr,
    _dir: tempfile::TempDir,
}

impl Prometheus {
    /// Scrapes that address each fifth of a second and judges the rules as often.
    pub(crate) fn start(target: SocketAddr, rules: &Path) -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let config = dir.path().join("prometheus.yml");
        let text = format!(
            "global: {{scrape_interval: 200ms, scrape_timeout: 200ms, evaluation_interval: 200ms}}\n\
             rule_files: ['{}']\nscrape_configs:\n- job_name: oomtop\n  static_configs:\n  - targets: ['{target}']\n",
            rules.display()
        );
        std::fs::write(&config, text).expect("written");
        let port = free_port();
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let child = Command::new("prometheus")
            .arg(format!("--config.file={}", config.display()))
            .arg(format!(
                "--storage.tsdb.path={}",
                dir.path().join("data").display()
            ))
            .arg(format!("--web.listen-address={address}"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("prometheus runs");
        let own = Self {
            child,
            address,
            _dir: dir,
        };
        let ready = || get(address, "/-/ready", "*/*").is_some_and(|(status, _)| status == 200);
        assert!(until(ready), "prometheus is not ready");
        own
    }

    /// The JSON at a path of its API.
    pub(crate) fn ask(&self, path: &str) -> serde_json::Value {
        let (_, body) = get(self.address, path, "application/json").expect("an answer");
        // Long answers come in chunks.
        let whole = serde_json::from_str(&body).ok();
        whole.unwrap_or_else(|| serde_json::from_str(&unchunked(&body)).expect("JSON"))
    }

    /// True if an alert of this name fires, with this text in its labels.
    pub(crate) fn fires(&self, alert: &str, labels: &str) -> bool {
        let found = self.ask("/api/v1/alerts");
        let all = found["data"]["alerts"].as_array().cloned();
        all.unwrap_or_default().iter().any(|one| {
            one["state"] == "firing"
                && one["labels"]["alertname"] == alert
                && one["labels"].to_string().contains(labels)
        })
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

fn unchunked(body: &str) -> String {
    let (mut rest, mut whole) = (body, String::new());
    while let Some((size, after)) = rest.split_once("\r\n") {
        let Ok(size) = usize::from_str_radix(size, 16) else {
            break;
        };
        whole.push_str(after.get(..size).unwrap_or_default());
        rest = after.get(size + 2..).unwrap_or_default();
    }
    whole
}

/// A file of the folder `assets`.
pub(crate) fn asset(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("assets")
        .join(name)
}
