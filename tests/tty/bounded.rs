//! oomtop's own memory, descriptors and threads stay bounded while processes come and go, the kernel kills, and the
//! logs flood.
//!
//! `OOMTOP_TEST_MINUTES=30` makes long tests of these; otherwise each takes some seconds.

use std::fmt::Write as _;
use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::common::fake_root::FakeRoot;
use crate::common::pty::{Launch, Session};

const REPORT: &str = include_str!("../fixtures/oom/lab/6.12-global.kmsg");

/// Name and pid of the fixture's victim.
const VICTIM: &str = "257 (preferred)";

/// Processes alive in each round; all of them are new.
const ALIVE: u32 = 150;

/// Reports in each round.
const KILLS: u64 = 10;

/// Most private memory in kB: [`oomtop`]'s crate docs state the bounds of its stores. 4 MiB of rows, 4 MiB of reports,
/// what is in use while one is parsed, and the program itself.
const BOUND: u64 = 14 * 1024;

/// And so many kB for each process of the machine: it is in two samples and in what is remembered of the last.
const OF_EACH: u64 = 3;

/// The long tests feed so many kills.
const LONG: u64 = 2000;

/// How long the test shall take; `None` for the short form.
fn asked_for() -> Option<Duration> {
    let minutes = std::env::var("OOMTOP_TEST_MINUTES").ok()?;
    let minutes: f64 = minutes.parse().expect("a number of minutes");
    Some(Duration::from_secs_f64(minutes * 60.0))
}

/// What the program uses now.
#[derive(Debug, Clone, Copy)]
struct Use {
    /// Memory that no other process shares, and that no file backs, kB.
    private: u64,
    descriptors: usize,
    threads: usize,
    /// Processes of the machine, kB for them.
    tables: u64,
}

fn field(text: &str, name: &str) -> u64 {
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    let number = line.expect(name).trim().trim_end_matches(" kB").parse();
    number.expect("a number")
}

/// Memory that a process alone has, in kB, swapped out or not.
pub(crate) fn private(pid: u32) -> u64 {
    let rollup = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).expect("it runs");
    field(&rollup, "Private_Dirty:") + field(&rollup, "Swap:")
}

fn entries(pid: u32, of: &str) -> usize {
    let dir = fs::read_dir(format!("/proc/{pid}/{of}"));
    dir.expect("it runs").count()
}

fn processes() -> u64 {
    let listed = fs::read_dir("/proc").expect("/proc").flatten();
    let is_pid = |entry: &fs::DirEntry| entry.file_name().as_encoded_bytes()[0].is_ascii_digit();
    listed.filter(is_pid).count() as u64
}

impl Use {
    /// The least of several looks: a sample opens files and lets them go.
    fn of(pid: u32) -> Self {
        let least = |of: &str| {
            let looks = (0..10).map(|_| {
                std::thread::sleep(Duration::from_millis(3));
                entries(pid, of)
            });
            looks.min().expect("ten")
        };
        Self {
            private: private(pid),
            descriptors: least("fd"),
            threads: least("task"),
            tables: OF_EACH * processes(),
        }
    }
}

/// What was used in the course of a test.
#[derive(Default)]
struct Curve(Vec<Use>);

impl Curve {
    fn look(&mut self, session: &Session) {
        self.0.push(Use::of(session.pid()));
    }

    /// Reports the curve and holds it against the bounds.
    #[track_caller]
    fn judge(&self, what: &str, took: Duration) {
        let shown: Vec<_> = self.0.iter().step_by(self.0.len().div_ceil(30)).collect();
        let private: Vec<_> = shown.iter().map(|used| used.private).collect();
        let most = |of: fn(&Use) -> usize, from: &[Use]| from.iter().map(of).max();
        let (first, rest) = self.0.split_at(self.0.len() / 3);
        let last = rest.split_at(rest.len() / 2).1;
        let threads = [first, last].map(|part| most(|used| used.threads, part));
        let descriptors = [first, last].map(|part| most(|used| used.descriptors, part));
        crate::common::measured(&format!(
            "{what}, {took:?}: private memory in kB {private:?}; most threads {threads:?} and descriptors {descriptors:?} in the first and the last third"
        ));
        let end = self.0.last().expect("looks").private;
        let peak = self
            .0
            .iter()
            .map(|used| used.private.saturating_sub(used.tables))
            .max();
        assert!(peak <= Some(BOUND), "{what}: {peak:?} kB, {end} at the end");
        assert!(threads[1] <= threads[0], "{what}: {:?}", self.0);
        assert!(descriptors[1] <= descriptors[0], "{what}: {:?}", self.0);
    }
}

fn appended(path: &Path) -> File {
    let opened = OpenOptions::new().append(true).open(path);
    opened.expect("the log")
}

/// Lines of the kernel that tell of no kill.
fn noise() -> String {
    let mut noise = String::new();
    for seq in 0..2000 {
        let _ = writeln!(
            noise,
            "6,{seq},{seq},-;usb 1-1: reset high-speed USB device"
        );
    }
    noise
}

#[test]
fn memory_stays_bounded_under_churn_kills_and_a_flooding_log() {
    let (rounds, pace) = match asked_for() {
        Some(time) => {
            let rounds = u32::try_from(LONG / KILLS).expect("few");
            (rounds, time / rounds)
        }
        None => (24, Duration::ZERO),
    };
    let root = FakeRoot::new();
    let path = root.path("");
    let args = ["-d", "0.1", "--root", path.to_str().expect("UTF-8")];
    let session = Session::start((120, 36), &args);
    let mut log = appended(&root.path("dev/kmsg"));
    let noise = noise();
    let (mut curve, begun) = (Curve::default(), Instant::now());
    for round in 0..rounds {
        let first = 1000 + round % 500 * ALIVE;
        for pid in first..first + ALIVE {
            let (start, uid) = (u64::from(round) * 1000 + 1, round * ALIVE + pid);
            root.set_process(pid, |p| {
                p.comm(format!("w{pid}")).start(start).uid(uid).rss_mib(1)
            });
        }
        let mark = format!("mark{round}x");
        let marker = 800 + round % 50;
        root.set_process(marker, |p| {
            p.comm(&mark).start(u64::from(round) + 1).rss_mib(500)
        });
        for _ in 0..KILLS {
            log.write_all(REPORT.as_bytes()).expect("written");
        }
        log.write_all(noise.as_bytes()).expect("written");
        session.wait_text(&mark);
        for pid in first..first + ALIVE {
            root.end_process(pid);
        }
        root.end_process(marker);
        curve.look(&session);
        std::thread::sleep((pace * (round + 1)).saturating_sub(begun.elapsed()));
    }
    curve.judge("churn, kills and a flooding kmsg", begun.elapsed());
}

/// A record of the journal as journalctl prints it, of a daemon that kills.
fn record(daemon: &str, micros: usize, message: &str) -> String {
    format!(
        "{{\"MESSAGE\":\"{message}\",\"_TRANSPORT\":\"journal\",\"SYSLOG_IDENTIFIER\":\"{daemon}\",\"_COMM\":\"{daemon}\",\
         \"_UID\":\"0\",\"_SYSTEMD_UNIT\":\"{daemon}.service\",\"__CURSOR\":\"c{micros}\",\
         \"__REALTIME_TIMESTAMP\":\"{micros}\",\"__MONOTONIC_TIMESTAMP\":\"{micros}\",\"_SOURCE_MONOTONIC_TIMESTAMP\":\"{micros}\"}}\n"
    )
}

/// A journalctl that writes the file `flood` again and again, and the file `last` once that is there.
fn flooding_journalctl(dir: &Path) {
    let mut flood = String::new();
    for nth in 0..1500 {
        flood += &record(
            "earlyoom",
            9_000_000,
            &format!("mem avail: {nth} of 7832 MiB (12.30%)"),
        );
    }
    let group = "Killed /flood.slice/a.service due to memory pressure for /flood.slice being 63.37% > 5.00%";
    flood += &record("systemd-oomd", 9_000_001, group);
    flood += &"x".repeat(1 << 20);
    flood.push('\n');
    flood += "{\"MESSAGE\":[1,2,3],\"_TRANSPORT\":\n";
    fs::write(dir.join("flood"), flood).expect("written");
    fs::write(dir.join("newest"), record("earlyoom", 8_000_000, "started")).expect("written");
    let program = dir.join("journalctl");
    let script = format!(
        "#!/bin/sh\ncd '{}'\ncase \" $* \" in *' -f '*) ;; *) exec cat newest;; esac\ncat newest\n\
         while :; do cat flood; sleep 0.3; if [ -e last ]; then cat last; fi; done\n",
        dir.display()
    );
    fs::write(&program, script).expect("written");
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).expect("executable");
}

/// Processes that begin and end.
fn churn(count: usize) {
    let started = (0..count).map(|_| {
        let mut command = Command::new("/bin/true");
        command.stdin(Stdio::null()).spawn().expect("a process")
    });
    for mut child in started.collect::<Vec<_>>() {
        child.wait().expect("it ends");
    }
}

#[test]
fn memory_descriptors_and_threads_stay_bounded_under_a_flooding_journal() {
    const NAME: &str = "memory_descriptors_and_threads_stay_bounded";
    if !crate::common::is_root() {
        return crate::common::skipped(NAME, "only root may put a log in the place of /dev/kmsg");
    }
    let dir = tempfile::tempdir().expect("a directory");
    flooding_journalctl(dir.path());
    let kmsg = dir.path().join("kmsg");
    fs::write(&kmsg, "6,1,1,-;Linux version 6.12\n").expect("written");
    let path = std::env::var("PATH").unwrap_or_default();
    // In a mount namespace of its own the program has its usual files, and yet a kernel log that the test writes.
    let session = Launch::program("/bin/sh")
        .args([
            "-c",
            "unshare -m true && exec unshare -m sh -c 'mount --bind \"$KMSG\" /dev/kmsg && exec \"$OOMTOP\" -d 0.2'",
        ])
        .env("KMSG", kmsg.to_str().expect("UTF-8"))
        .env("OOMTOP", env!("CARGO_BIN_EXE_oomtop"))
        .env("PATH", &format!("{}:{path}", dir.path().display()))
        .start();
    let begun = Instant::now();
    let started = crate::common::patience::until(|| {
        session
            .look(|screen| screen.has("COMMAND") || screen.has("unshare") || screen.has("mount:"))
    });
    assert!(started, "{}", session.screen_text());
    if !session.look(|screen| screen.has("COMMAND")) {
        return crate::common::skipped(NAME, &session.screen_text());
    }
    let (rounds, kills, pace) = match asked_for() {
        Some(time) => (400, LONG / 400, time / 400),
        None => (15, 20, Duration::ZERO),
    };
    let mut log = appended(&kmsg);
    let noise = noise();
    let mut curve = Curve::default();
    for round in 0..rounds {
        churn(20);
        for _ in 0..kills {
            log.write_all(REPORT.as_bytes()).expect("written");
        }
        log.write_all(noise.as_bytes()).expect("written");
        churn(20);
        // Each of them is a row: the pane fills.
        let mark = format!("mark{round}x");
        let killed = REPORT.replace(VICTIM, &format!("257 ({mark})"));
        log.write_all(killed.as_bytes()).expect("written");
        session.wait_text(&mark);
        curve.look(&session);
        std::thread::sleep((pace * (round + 1)).saturating_sub(begun.elapsed()));
    }
    let group =
        "Killed /last.slice/b.service due to memory pressure for /last.slice being 63.37% > 5.00%";
    fs::write(
        dir.path().join("new"),
        record("systemd-oomd", 9_000_002, group),
    )
    .expect("written");
    fs::rename(dir.path().join("new"), dir.path().join("last")).expect("renamed");
    session.wait_text("/last.slice/b.service");
    curve.look(&session);
    curve.judge("churn, kills and a flooding journal", begun.elapsed());
}
