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
        Self::start_with(["metrics", "--listen", "127.0.0.1:0"])
    }

    /// The same with these arguments.
    pub(crate) fn start_with<'a>(arguments: impl IntoIterator<Item = &'a str>) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_oomtop"))
            .args(arguments)
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
    dir: tempfile::TempDir,
}

impl Prometheus {
    /// Scrapes that address each fifth of a second and judges the rules as often.
    pub(crate) fn start(target: SocketAddr, rules: &Path) -> Self {
        Self::scraping(&[("oomtop", &[target])], "200ms", Some(rules))
    }

    /// Scrapes the addresses of these jobs that often.
    pub(crate) fn scraping(
        jobs: &[(&str, &[SocketAddr])],
        every: &str,
        rules: Option<&Path>,
    ) -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let rules = rules.map_or(String::new(), |rules| format!("'{}'", rules.display()));
        let job = |(name, targets): &(&str, &[SocketAddr])| {
            let targets: Vec<String> = targets.iter().map(|one| format!("'{one}'")).collect();
            let targets = targets.join(", ");
            format!("- job_name: {name}\n  static_configs:\n  - targets: [{targets}]\n")
        };
        let jobs: String = jobs.iter().map(job).collect();
        let text = format!(
            "global: {{scrape_interval: {every}, scrape_timeout: {every}, evaluation_interval: {every}}}\n\
             rule_files: [{rules}]\nscrape_configs:\n{jobs}"
        );
        std::fs::write(dir.path().join("prometheus.yml"), text).expect("written");
        let address = SocketAddr::from(([127, 0, 0, 1], free_port()));
        let own = Self {
            child: spawn(dir.path(), address),
            address,
            dir,
        };
        own.wait_until_ready();
        own
    }

    /// Ends it as a crash does.
    pub(crate) fn crash(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }

    /// Starts it again, at the same address with what it had on its disk.
    pub(crate) fn again(&mut self) {
        self.child = spawn(self.dir.path(), self.address);
        self.wait_until_ready();
    }

    fn wait_until_ready(&self) {
        let ready =
            || get(self.address, "/-/ready", "*/*").is_some_and(|(status, _)| status == 200);
        assert!(until(ready), "prometheus is not ready");
    }

    /// The JSON at a path of its API.
    pub(crate) fn ask(&self, path: &str) -> serde_json::Value {
        let (_, body) = get(self.address, path, "application/json").expect("an answer");
        // Long answers come in chunks.
        let whole = serde_json::from_str(&body).ok();
        whole.unwrap_or_else(|| serde_json::from_str(&unchunked(&body)).expect("JSON"))
    }

    /// The answer to a query.
    pub(crate) fn query(&self, expression: &str) -> serde_json::Value {
        let coded = expression.bytes().map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' => char::from(byte).to_string(),
            _ => format!("%{byte:02X}"),
        });
        self.ask(&format!(
            "/api/v1/query?query={}",
            coded.collect::<String>()
        ))
    }

    /// True if an alert of this name fires, with this text in its labels.
    pub(crate) fn fires(&self, alert: &str, labels: &str) -> bool {
        let found = self.ask("/api/v1/alerts");
        let all = found["data"]["alerts"].as_array().cloned();
        all.unwrap_or_default().iter().any(|one| {
            let words = one["annotations"].to_string();
            assert!(!words.contains("<error"), "{words}");
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

fn spawn(dir: &Path, address: SocketAddr) -> Child {
    let at = |name: &str| dir.join(name).display().to_string();
    Command::new("prometheus")
        .arg(format!("--config.file={}", at("prometheus.yml")))
        .arg(format!("--storage.tsdb.path={}", at("data")))
        .arg(format!("--web.listen-address={address}"))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("prometheus runs")
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
