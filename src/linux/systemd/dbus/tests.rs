//! The client against servers that answer, lie, hang up, or say nothing.

use std::io::{Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::{Arguments, Call, Connection, Error, Value};
use crate::linux::patience::Patience;

const CALL: Call<'static> = Call {
    destination: "org.freedesktop.systemd1",
    path: "/org/freedesktop/systemd1",
    interface: "org.freedesktop.systemd1.Manager",
    member: "Reload",
    signature: "",
};

/// Long enough for a loaded machine, where the test does not wait for it to pass.
const LONG: Duration = Duration::from_mins(1);
/// For those who never answer.
const SHORT: Duration = Duration::from_millis(50);

/// The other end of one connection.
struct Server {
    path: PathBuf,
    thread: JoinHandle<()>,
    _dir: tempfile::TempDir,
}

fn server(serve: impl FnOnce(UnixStream) + Send + 'static) -> Server {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("socket");
    let listener = UnixListener::bind(&path).expect("bound");
    let thread = std::thread::spawn(move || {
        if let Ok((stream, _)) = listener.accept() {
            serve(stream);
        }
    });
    Server {
        path,
        thread,
        _dir: dir,
    }
}

fn until(stream: &mut UnixStream, end: &[u8]) {
    let mut seen = Vec::new();
    let mut byte = [0];
    while !seen.ends_with(end) && stream.read_exact(&mut byte).is_ok() {
        seen.extend(byte);
    }
}

fn handshake(stream: &mut UnixStream) {
    until(stream, b"\r\n");
    stream
        .write_all(b"OK 00112233445566778899aabbccddeeff\r\n")
        .expect("sent");
    until(stream, b"BEGIN\r\n");
}

/// Takes a whole call and gives its serial.
fn call(stream: &mut UnixStream) -> u32 {
    let mut fixed = [0; 16];
    stream.read_exact(&mut fixed).expect("a call");
    let mut rest = vec![0; super::message::rest_of(&fixed).expect("sane")];
    stream.read_exact(&mut rest).expect("all of it");
    u32::from_le_bytes(fixed[8..12].try_into().expect("four bytes"))
}

fn reply(serial: u32, body: &[u8]) -> Vec<u8> {
    let mut bytes = vec![b'l', 2, 1, 1];
    bytes.extend(u32::try_from(body.len()).expect("short").to_le_bytes());
    bytes.extend([9, 0, 0, 0, 8, 0, 0, 0, 5, 1, b'u', 0]);
    bytes.extend(serial.to_le_bytes());
    bytes.extend(body);
    bytes
}

fn open(server: &Server, within: Duration) -> Result<Connection, Error> {
    Connection::open(
        &server.path,
        false,
        (Instant::now() + within, &Patience::default()),
    )
}

#[test]
fn a_property_is_read_and_other_messages_are_passed_over() {
    let server = server(|mut stream| {
        handshake(&mut stream);
        let serial = call(&mut stream);
        // A signal, and the answer to a call that was never made.
        let mut signal = reply(serial, &[]);
        signal[1] = 4;
        stream.write_all(&signal).expect("sent");
        stream.write_all(&reply(serial + 7, &[])).expect("sent");
        let body = [1, b't', 0, 0, 0, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0];
        stream.write_all(&reply(serial, &body)).expect("sent");
    });
    let mut connection = open(&server, LONG).expect("open");
    let value = connection.property(CALL.destination, CALL.path, CALL.interface, "MemoryMax");
    assert_eq!(value, Ok(Value::Number(7)));
    server.thread.join().expect("ended");
}

/// As sd-bus serves: it reads what is there, and looks at what it has read behind BEGIN only when more comes.
fn greedy(stream: &mut UnixStream, takes_descriptors: bool) {
    let mut seen = Vec::new();
    let mut answered = 0;
    loop {
        // On a busy machine it has its turn late.
        std::thread::sleep(Duration::from_millis(20));
        let mut bytes = [0; 4096];
        let count = stream.read(&mut bytes).expect("readable");
        assert_ne!(count, 0, "the client goes on");
        seen.extend(bytes.iter().take(count));
        let text = String::from_utf8_lossy(&seen).into_owned();
        for line in text.split_inclusive("\r\n").skip(answered) {
            answered += 1;
            if line.contains("AUTH") {
                stream.write_all(b"OK 0011\r\n").expect("sent");
            } else if line.starts_with("NEGOTIATE") {
                assert!(takes_descriptors);
                stream.write_all(b"AGREE_UNIX_FD\r\n").expect("sent");
            } else if line == "BEGIN\r\n" {
                let rest = text.split("BEGIN\r\n").nth(1);
                assert_eq!(rest, Some(""), "nobody looks at what came with BEGIN");
                return;
            }
        }
    }
}

#[test]
fn nothing_comes_together_with_the_end_of_the_handshake() {
    for hands_over in [false, true] {
        let server = server(move |mut stream| {
            greedy(&mut stream, hands_over);
            for _ in 0..=usize::from(hands_over) {
                let serial = call(&mut stream);
                stream.write_all(&reply(serial, &[])).expect("sent");
            }
        });
        let wait = Instant::now() + LONG;
        let wait = (wait, &Patience::default());
        let open = if hands_over {
            Connection::open_for_descriptors
        } else {
            Connection::open
        };
        let mut connection = open(&server.path, false, wait).expect("open");
        let answer = connection.call(&CALL, &Arguments::default());
        assert!(answer.is_ok(), "{answer:?}");
        server.thread.join().expect("nothing came too early");
    }
}

#[test]
fn who_never_answers_is_slow_in_the_handshake_and_in_a_call() {
    let silent = server(|mut stream| until(&mut stream, b"never"));
    assert_eq!(open(&silent, SHORT).err(), Some(Error::Slow));
    let half = server(|mut stream| {
        handshake(&mut stream);
        // A byte at a time, and never all.
        while stream.write_all(b"l").is_ok() {}
    });
    let mut connection = open(&half, Duration::from_secs(2)).expect("open");
    let answer = connection.call(&CALL, &Arguments::default());
    assert!(
        matches!(answer, Err(Error::Garbled | Error::Slow)),
        "{answer:?}"
    );
    drop(connection);
    half.thread.join().expect("ended");
}

#[test]
fn who_refuses_hangs_up_or_talks_nonsense_is_an_error_at_once() {
    let rejects = server(|mut stream| {
        until(&mut stream, b"\r\n");
        let _ = stream.write_all(b"REJECTED EXTERNAL\r\n");
    });
    let answer = open(&rejects, LONG);
    assert!(
        matches!(&answer, Err(Error::Unreachable(why)) if why.contains("REJECTED")),
        "{answer:?}"
    );
    let hangs_up = server(drop);
    assert!(matches!(open(&hangs_up, LONG), Err(Error::Unreachable(_))));
    let babbles = server(|mut stream| {
        until(&mut stream, b"\r\n");
        let _ = stream.write_all(&[b'x'; 4096]);
    });
    assert_eq!(open(&babbles, LONG).err(), Some(Error::Garbled));
    let garbles = server(|mut stream| {
        handshake(&mut stream);
        let serial = call(&mut stream);
        let mut bytes = reply(serial, &[]);
        bytes[12..16].copy_from_slice(&u32::MAX.to_le_bytes());
        let _ = stream.write_all(&bytes);
    });
    let mut connection = open(&garbles, LONG).expect("open");
    let answer = connection.call(&CALL, &Arguments::default());
    assert_eq!(answer, Err(Error::Garbled));
    // It was asked before it hung up: it may have done it.
    let leaves = server(|mut stream| {
        handshake(&mut stream);
        call(&mut stream);
    });
    let mut connection = open(&leaves, LONG).expect("open");
    let answer = connection.call(&CALL, &Arguments::default());
    assert!(matches!(answer, Err(Error::Lost(_))), "{answer:?}");
    let nobody = Connection::open(
        std::path::Path::new("/nonexistent/socket"),
        false,
        (Instant::now() + LONG, &Patience::default()),
    );
    assert!(matches!(nobody, Err(Error::Unreachable(_))));
}

/// Root connects where a user may have put a socket.
#[test]
fn nothing_is_said_to_a_listener_of_another_user() {
    if !rustix::process::geteuid().is_root() {
        let because =
            "SKIPPED: whom oomtop speaks to, because only root can listen as another user";
        writeln!(std::io::stderr(), "{because}").ok();
        return;
    }
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("socket");
    let listener = UnixListener::bind(&path).expect("bound");
    let (tell, listens) = std::sync::mpsc::channel();
    let thread = std::thread::spawn(move || {
        // The credentials are those of the thread that has listened last.
        let nobody = rustix::process::Uid::from_raw(65534);
        rustix::thread::set_thread_res_uid(nobody, nobody, nobody).expect("another user");
        rustix::net::listen(&listener, 8).expect("listens");
        tell.send(()).expect("awaited");
        let (mut stream, _) = listener.accept().expect("somebody comes");
        let mut said = Vec::new();
        stream.read_to_end(&mut said).expect("read");
        said
    });
    listens.recv().expect("it listens");
    let refused = Connection::open(&path, false, (Instant::now() + LONG, &Patience::default()));
    assert!(
        matches!(&refused, Err(Error::Unreachable(why)) if why.contains("user 65534")),
        "{refused:?}"
    );
    assert_eq!(thread.join().expect("ended"), b"");
}
