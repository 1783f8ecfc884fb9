//! The kernel log as a device, as a growing file, and through the journal.
#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on fails"
)]

use std::fs::{self, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::common::patience::{PATIENCE, beside};
use crate::common::skipped;
use oomtop::linux::log::journal::{Boot, JournalReader, Journalctl};
use oomtop::linux::log::kmsg::{KmsgItem, KmsgReader};

/// Long enough for a record to arrive, however busy the machine is.
const SOON: Duration = PATIENCE;
/// How long a test watches that nothing comes.
const NOW: Duration = Duration::from_millis(120);

fn append(path: &Path, bytes: &[u8]) {
    let mut file = OpenOptions::new().append(true).open(path).expect("a file");
    file.write_all(bytes).expect("written");
}

fn record(reader: &mut KmsgReader) -> Vec<u8> {
    match reader.next(SOON).expect("readable") {
        Some(KmsgItem::Record(bytes)) => bytes,
        other => panic!("a record, not {other:?}"),
    }
}

#[test]
fn a_file_is_read_from_its_beginning_and_followed() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("kmsg");
    fs::write(&path, b"6,1,5,-;first\n SUBSYSTEM=x\n6,2,6,-;\xff\x1b[2J\n").expect("written");
    let mut reader = KmsgReader::open(&path).expect("open");
    assert_eq!(record(&mut reader), b"6,1,5,-;first\n SUBSYSTEM=x");
    assert_eq!(record(&mut reader), b"6,2,6,-;\xff\x1b[2J");
    assert_eq!(reader.next(NOW).expect("readable"), None);
    append(&path, b"6,3,7,-;half");
    assert_eq!(reader.next(NOW).expect("readable"), None);
    let writer = {
        let path = path.clone();
        std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(100));
            append(&path, b" done\n6,4,8,-;next\n");
        })
    };
    assert_eq!(record(&mut reader), b"6,3,7,-;half done");
    assert_eq!(record(&mut reader), b"6,4,8,-;next");
    writer.join().expect("ended");
}

#[test]
fn a_file_cut_or_replaced_is_a_gap_and_read_anew() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("kmsg");
    fs::write(&path, b"6,1,5,-;a long first record\n").expect("written");
    let mut reader = KmsgReader::open(&path).expect("open");
    record(&mut reader);
    fs::write(&path, b"6,2,6,-;cut\n").expect("written");
    assert_eq!(reader.next(SOON).expect("readable"), Some(KmsgItem::Lost));
    assert_eq!(record(&mut reader), b"6,2,6,-;cut");
    fs::rename(&path, dir.path().join("old")).expect("renamed");
    fs::write(&path, b"6,3,7,-;a new file, longer than before\n").expect("written");
    assert_eq!(reader.next(SOON).expect("readable"), Some(KmsgItem::Lost));
    assert_eq!(
        record(&mut reader),
        b"6,3,7,-;a new file, longer than before"
    );
}

#[test]
fn a_burst_of_many_records_is_read_in_order() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("kmsg");
    let mut text = String::new();
    for n in 0..5000 {
        use std::fmt::Write as _;
        writeln!(text, "4,{n},{n},-;[ {n} ] task {}", "x".repeat(n % 90)).expect("written");
    }
    fs::write(&path, &text).expect("written");
    let mut reader = KmsgReader::open(&path).expect("open");
    for line in text.lines() {
        assert_eq!(record(&mut reader), line.as_bytes());
    }
}

#[test]
fn what_cannot_be_opened_says_what_helps() {
    let error = KmsgReader::open(Path::new("/nonexistent/kmsg")).expect_err("none");
    assert!(error.to_string().contains("--kmsg"), "{error}");
    let dir = tempfile::tempdir().expect("a directory");
    assert!(KmsgReader::open(dir.path()).is_err());
}

#[test]
fn the_device_gives_records_and_then_waits_no_longer_than_asked() {
    let mut reader = match KmsgReader::open(Path::new("/dev/kmsg")) {
        Ok(reader) => reader,
        Err(error) => {
            skipped("the_device_gives_records", &error.to_string());
            return;
        }
    };
    let mut records = 0_u32;
    let begin = Instant::now();
    while begin.elapsed() < Duration::from_secs(20) {
        match reader.next(NOW).expect("readable") {
            Some(KmsgItem::Record(bytes)) => {
                records += 1;
                let head = bytes.split(|b| *b == b';').next().unwrap_or_default();
                let commas = head.split(|b| *b == b',').count() - 1;
                assert!(commas >= 3, "{:?}", String::from_utf8_lossy(&bytes));
                assert_ne!(bytes.last(), Some(&b'\n'));
            }
            Some(KmsgItem::Lost) => {}
            None => break,
        }
    }
    assert!(records > 0, "the ring is never empty");
    let begin = Instant::now();
    if reader.next(NOW).expect("readable").is_none() {
        assert!(begin.elapsed() >= NOW);
        assert!(begin.elapsed() < SOON);
    }
}

fn script(dir: &Path, text: &str) -> std::path::PathBuf {
    beside();
    let path = dir.join("journalctl");
    fs::write(&path, format!("#!/bin/sh\n{text}\n")).expect("written");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("executable");
    path
}

fn followed(program: &Path) -> JournalReader {
    let call = Journalctl::kills().last(2000).follow();
    call.program(program.as_os_str()).start().expect("started")
}

/// All output of a call, and how the call ends.
fn streamed(call: &Journalctl) -> (Vec<u8>, Result<(), String>) {
    let mut journal = call.start().expect("started");
    let mut bytes = Vec::new();
    let read = journal.read_to_end(&mut bytes).map(drop);
    let end = journal.end().map_err(|error| error.to_string());
    (bytes, read.map_err(|error| error.to_string()).and(end))
}

#[test]
fn another_boot_is_a_stream_that_ends_with_the_programs_word() {
    let dir = tempfile::tempdir().expect("a directory");
    let program = script(dir.path(), "echo \"$*\"");
    let call = Journalctl::kills().program(program.as_os_str());
    let named = call.clone().boot(Boot::Named("-1; x".to_owned()));
    let (bytes, end) = streamed(&named);
    let arguments = String::from_utf8_lossy(&bytes).into_owned();
    assert!(
        arguments
            .starts_with("-o json --boot=-1; x -q --no-pager _TRANSPORT=kernel + _SYSTEMD_UNIT="),
        "{arguments}"
    );
    assert!(!arguments.contains("SYSLOG_"), "no proof: {arguments}");
    assert_eq!(end, Ok(()));
    let (bytes, end) = streamed(&call.boot(Boot::Before(3)));
    assert!(String::from_utf8_lossy(&bytes).contains(" --boot=-3 "));
    assert_eq!(end, Ok(()));
    let program = script(dir.path(), "echo a; echo no such boot >&2; exit 1");
    let (bytes, end) = streamed(&Journalctl::kills().program(program.as_os_str()));
    assert_eq!(bytes, b"a\n");
    assert!(end.expect_err("failed").contains("no such boot"));
}

#[test]
fn an_output_without_end_is_cut_and_its_program_ended() {
    let dir = tempfile::tempdir().expect("a directory");
    let program = script(dir.path(), "echo $$ > \"$0.pid\"; exec yes");
    let call = Journalctl::kills().program(program.as_os_str());
    let (bytes, end) = streamed(&call.most(1 << 20));
    assert!(bytes.len() <= 1 << 20, "{}", bytes.len());
    assert!(end.expect_err("cut").contains("no end"));
    let pid = fs::read_to_string(dir.path().join("journalctl.pid")).expect("a pid");
    let process = Path::new("/proc").join(pid.trim());
    assert!(!process.exists(), "killed and reaped");
}

#[test]
fn the_journal_gives_lines_and_its_last_words() {
    let dir = tempfile::tempdir().expect("a directory");
    let program = script(
        dir.path(),
        "echo \"{\\\"args\\\":\\\"$*\\\"}\"; echo; printf '\\377two\\n'; \
         echo 'No journal files were opened due to insufficient permissions.' >&2; exit 1",
    );
    let mut reader = followed(&program);
    let first = reader.next(SOON).expect("readable").expect("a line");
    let text = String::from_utf8_lossy(&first).into_owned();
    assert!(text.contains("-o json -f -n 2000 --boot "), "{text}");
    assert_eq!(
        reader.next(SOON).expect("readable").as_deref(),
        Some(&b"\xfftwo"[..])
    );
    let error = reader.next(SOON).expect_err("ended").to_string();
    assert!(error.contains("insufficient permissions"), "{error}");
    // Root is in no need of a group.
    let helps = if rustix::process::geteuid().is_root() {
        "not with all rights here"
    } else {
        "systemd-journal"
    };
    assert!(error.contains(helps), "{error}");
}

#[test]
fn a_journal_that_complains_at_length_is_still_heard() {
    let dir = tempfile::tempdir().expect("a directory");
    // More stderr than a pipe holds: unless somebody reads it, the program would block for ever.
    let program = script(
        dir.path(),
        "head -c 300000 /dev/zero | tr '\\0' 'x' >&2; echo line; exec sleep 100",
    );
    let mut reader = followed(&program);
    let line = reader.next(SOON).expect("readable");
    assert_eq!(line.as_deref(), Some(&b"line"[..]));
}

#[test]
fn a_silent_journal_keeps_nobody_waiting_and_a_missing_one_says_so() {
    let dir = tempfile::tempdir().expect("a directory");
    let program = script(dir.path(), "exec sleep 100");
    let mut reader = followed(&program);
    assert_eq!(reader.next(NOW).expect("readable"), None);
    let begin = Instant::now();
    drop(reader);
    assert!(begin.elapsed() < SOON, "it ends with its reader");
    let none = dir.path().join("none");
    let call = Journalctl::kills().program(none.as_os_str());
    assert!(call.start().is_err());
}

/// This process's resident memory in bytes.
fn resident() -> u64 {
    let statm = fs::read_to_string("/proc/self/statm").expect("statm");
    let pages = statm
        .split(' ')
        .nth(1)
        .and_then(|pages| pages.parse::<u64>().ok());
    pages.expect("a number") * rustix::param::page_size() as u64
}

#[test]
fn a_flood_without_an_end_of_line_costs_no_memory_and_ends() {
    crate::common::patience::alone();
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("journalctl");
    fs::write(&path, "#!/bin/sh\nexec head -c 1000000000 /dev/zero\n").expect("written");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("executable");
    let call = Journalctl::killers().program(path.as_os_str());
    let before = resident();
    // The probe: the question for one line.
    let _ = call.anchored();
    let probed = resident().saturating_sub(before);
    assert!(probed < 16 << 20, "{probed} bytes");
    let mut reader = call.follow().start().expect("started");
    let mut most = 0;
    while let Ok(line) = reader.next(SOON) {
        let line = line.expect("it does not wait");
        most = most.max(line.len());
    }
    assert!(most < 2 << 20, "a line of {most} bytes");
    let followed = resident().saturating_sub(before);
    assert!(followed < 16 << 20, "{followed} bytes");
}

#[test]
fn a_program_that_does_not_end_in_time_is_ended() {
    let dir = tempfile::tempdir().expect("a directory");
    let program = script(dir.path(), "echo a; exec sleep 1000");
    let call = Journalctl::kills().program(program.as_os_str());
    let begin = Instant::now();
    let (_, end) = streamed(&call.clone().within(Duration::from_millis(300)));
    assert!(end.expect_err("late").contains("not ended"));
    let (_, end) = streamed(&call.silence(Duration::from_millis(300)));
    assert!(end.expect_err("silent").contains("silent"));
    assert!(begin.elapsed() < SOON);
}
