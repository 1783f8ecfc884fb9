//! [`Server`]: answers scrapes on a thread of its own.
//!
//! One thread polls all connections, so that none can block another: who sends its request byte by byte, or does not
//! read the answer, only holds its own place, and loses it when somebody else needs it. hyper would bring a dozen crates
//! and an executor for the one page that this serves.

use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream, ToSocketAddrs as _};
use std::os::fd::AsFd as _;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::http::{HEAD, Page, Request, answer, end_of_head, parse, reason};
use crate::linux::helper::helper;
use crate::output::metrics::Format;
use crate::runtime::{RunError, clock};

/// Most connections at the same time; a new one takes the place of the one that has waited longest.
pub(super) const CONNECTIONS: usize = 64;

/// How long a request's head may take, from its first byte.
const HEAD_WITHIN: Duration = Duration::from_secs(5);

/// How long the other side may take to read an answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// How long the other side may take to close.
const END_WITHIN: Duration = Duration::from_secs(1);

/// How long a connection may rest between requests: longer than Prometheus' usual interval.
const REST: Duration = Duration::from_mins(2);

/// How long nothing is accepted where no descriptor is left.
const PAUSE: Duration = Duration::from_millis(200);

/// The page at `/`.
const START: &str = "<!doctype html><title>oomtop</title><p><a href=\"/metrics\">Metrics</a> of oomtop: who dies next when memory runs out.\n";

/// A listening socket.
#[derive(Debug)]
pub(super) struct Server {
    listener: TcpListener,
}

/// What a connection does.
#[derive(Debug)]
enum Phase {
    /// Between two requests, or before the first.
    Rests,
    /// A head has begun.
    Reads,
    /// An answer is being sent, so many bytes of it so far; then the connection is closed or kept.
    Answers {
        bytes: Vec<u8>,
        sent: usize,
        keep: bool,
    },
    /// The answer is sent. What still comes is read and forgotten: it would turn the end of the connection into a reset,
    /// which can overtake the answer.
    Ends,
}

#[derive(Debug)]
struct Connection {
    stream: TcpStream,
    head: Vec<u8>,
    phase: Phase,
    since: Instant,
}

impl Server {
    /// Listens on `HOST:PORT`.
    ///
    /// # Errors
    /// A sentence, if the address makes no sense or cannot be had.
    pub(super) fn bind(address: &str) -> Result<Self, RunError> {
        let fail = |error: io::Error| {
            let hint = match error.kind() {
                ErrorKind::AddrInUse => ": another program listens there",
                ErrorKind::PermissionDenied => ": ports below 1024 need CAP_NET_BIND_SERVICE",
                ErrorKind::AddrNotAvailable => ": no network interface here has this address",
                _ => ": it takes HOST:PORT, such as 127.0.0.1:9469 or [::]:9469",
            };
            RunError::Metrics(format!("cannot listen on {address} ({error}){hint}"))
        };
        let all: Vec<SocketAddr> = address.to_socket_addrs().map_err(fail)?.collect();
        let listener = TcpListener::bind(&*all).map_err(fail)?;
        listener.set_nonblocking(true).map_err(fail)?;
        Ok(Self { listener })
    }

    /// Where it listens: the port that the kernel has chosen for port 0.
    pub(super) fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Answers until the program ends. `page` makes the metrics.
    pub(super) fn serve(
        self,
        page: impl FnMut(Format) -> String + Send + 'static,
    ) -> io::Result<()> {
        helper("metrics", move || self.run(page)).map(drop)
    }

    fn run(self, mut page: impl FnMut(Format) -> String) {
        let mut all: Vec<Connection> = Vec::new();
        let mut deaf_until: Option<Instant> = None;
        loop {
            let now = Instant::now();
            all.retain(|connection| now < connection.deadline());
            deaf_until = deaf_until.filter(|until| now < *until);
            let ready = match wait(&self.listener, &all, deaf_until, now) {
                Ok(ready) => ready,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(_) => {
                    std::thread::sleep(PAUSE);
                    continue;
                }
            };
            let mut is_ready = ready.iter().copied();
            let accepts = is_ready.next().unwrap_or(false);
            all.retain_mut(|connection| {
                !is_ready.next().unwrap_or(false) || connection.go_on(&mut page)
            });
            if accepts && !self.accept(&mut all) {
                deaf_until = Some(Instant::now() + PAUSE);
            }
        }
    }

    /// Takes new connections in; false where no descriptor is left.
    fn accept(&self, all: &mut Vec<Connection>) -> bool {
        // A flood of connections must not keep those that are there from being answered.
        for _ in 0..CONNECTIONS {
            match self.listener.accept() {
                Ok((stream, _)) => {
                    if stream.set_nonblocking(true).is_err() {
                        continue;
                    }
                    let _ = stream.set_nodelay(true);
                    if all.len() >= CONNECTIONS {
                        give_up_one(all);
                    }
                    all.push(Connection {
                        stream,
                        head: Vec::new(),
                        phase: Phase::Rests,
                        since: Instant::now(),
                    });
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return true,
                Err(error) => {
                    let errno = error.raw_os_error();
                    return !matches!(
                        errno,
                        Some(libc::EMFILE | libc::ENFILE | libc::ENOBUFS | libc::ENOMEM)
                    );
                }
            }
        }
        true
    }
}

/// Closes the connection that has waited longest: one that gets no answer, if there is one.
fn give_up_one(all: &mut Vec<Connection>) {
    let rank = |connection: &Connection| {
        let answers = matches!(connection.phase, Phase::Answers { .. });
        (answers, connection.since)
    };
    let oldest = all.iter().enumerate().min_by_key(|(_, c)| rank(c));
    if let Some((at, _)) = oldest {
        all.swap_remove(at);
    }
}

/// Waits for the listener and the connections; which of them are ready, in this order.
fn wait(
    listener: &TcpListener,
    all: &[Connection],
    deaf_until: Option<Instant>,
    now: Instant,
) -> io::Result<Vec<bool>> {
    let hears = if deaf_until.is_some() {
        PollFlags::empty()
    } else {
        PollFlags::IN
    };
    let first = PollFd::from_borrowed_fd(listener.as_fd(), hears);
    let others = all.iter().map(|connection| {
        let wants = match connection.phase {
            Phase::Answers { .. } => PollFlags::OUT,
            Phase::Rests | Phase::Reads | Phase::Ends => PollFlags::IN,
        };
        PollFd::from_borrowed_fd(connection.stream.as_fd(), wants)
    });
    let mut fds: Vec<PollFd<'_>> = std::iter::once(first).chain(others).collect();
    let deadlines = all.iter().map(Connection::deadline).chain(deaf_until);
    let left = deadlines.min().map(|at| at.saturating_duration_since(now));
    let left = left.and_then(|left| Timespec::try_from(left).ok());
    poll(&mut fds, left.as_ref())?;
    Ok(fds.iter().map(|fd| !fd.revents().is_empty()).collect())
}

impl Connection {
    fn deadline(&self) -> Instant {
        let within = match self.phase {
            Phase::Rests => REST,
            Phase::Reads => HEAD_WITHIN,
            Phase::Answers { .. } => ANSWER_WITHIN,
            Phase::Ends => END_WITHIN,
        };
        self.since + within
    }

    fn enter(&mut self, phase: Phase) {
        self.phase = phase;
        self.since = Instant::now();
    }

    /// Reads or writes what can be had without waiting; false if the connection is over.
    fn go_on(&mut self, page: &mut impl FnMut(Format) -> String) -> bool {
        let done = match self.phase {
            Phase::Answers { .. } => self.write(),
            Phase::Rests | Phase::Reads | Phase::Ends => self.read(),
        };
        match done {
            // One request a turn: others are ready too.
            Ok(true) => {
                self.take_head(page);
                true
            }
            Ok(false) => false,
            Err(error) => {
                let again = [ErrorKind::WouldBlock, ErrorKind::Interrupted];
                again.contains(&error.kind())
            }
        }
    }

    fn read(&mut self) -> io::Result<bool> {
        let mut bytes = [0; 2048];
        let count = self.stream.read(&mut bytes)?;
        if matches!(self.phase, Phase::Ends) {
            return Ok(count > 0);
        }
        self.head
            .extend_from_slice(bytes.get(..count).unwrap_or_default());
        if count > 0 && matches!(self.phase, Phase::Rests) {
            self.enter(Phase::Reads);
        }
        Ok(count > 0)
    }

    fn write(&mut self) -> io::Result<bool> {
        let Phase::Answers { bytes, sent, keep } = &mut self.phase else {
            return Ok(true);
        };
        let count = self.stream.write(bytes.get(*sent..).unwrap_or_default())?;
        *sent += count;
        if *sent < bytes.len() {
            return Ok(count > 0);
        }
        if !*keep {
            self.stream.shutdown(std::net::Shutdown::Write)?;
            self.enter(Phase::Ends);
            return Ok(true);
        }
        let phase = if self.head.is_empty() {
            Phase::Rests
        } else {
            Phase::Reads
        };
        self.enter(phase);
        Ok(true)
    }

    /// Answers the request that has come whole, if one has.
    fn take_head(&mut self, page: &mut impl FnMut(Format) -> String) {
        if matches!(self.phase, Phase::Answers { .. } | Phase::Ends) {
            return;
        }
        // Empty lines before a request are no part of it (RFC 9112, 2.2).
        let blank = self.head.iter().take_while(|b| b"\r\n".contains(b)).count();
        self.head.drain(..blank.min(self.head.len()));
        let request = match end_of_head(&self.head) {
            Some(end) if end <= HEAD => {
                let head: Vec<u8> = self.head.drain(..end).collect();
                parse(&head)
            }
            None if self.head.len() <= HEAD => return,
            _ => Request {
                page: Err(431),
                is_head: false,
                keep: false,
            },
        };
        let (status, kind, body) = match request.page {
            Ok(Page::Metrics(format)) => (200, format.content_type(), page(format)),
            Ok(Page::Start) => (200, "text/html; charset=utf-8", START.to_owned()),
            Err(status) => (
                status,
                "text/plain; charset=utf-8",
                format!("{}\n", reason(status)),
            ),
        };
        let bytes = answer(status, kind, body.as_bytes(), request, &clock::http_date());
        self.enter(Phase::Answers {
            bytes,
            sent: 0,
            keep: request.keep,
        });
    }
}
