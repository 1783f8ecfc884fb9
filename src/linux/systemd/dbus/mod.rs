//! A client for D-Bus, for calls to systemd alone: a few types, one call at a time, and one deadline for everything.
//!
//! No thread, no runtime and no descriptor stays: a connection lives as long as its write.

mod message;
mod socket;
mod wire;

use std::os::fd::BorrowedFd;
use std::path::Path;
use std::time::Instant;

use crate::linux::patience::Patience;
pub(super) use message::Call;
use message::{Body, FIXED, Incoming};
use socket::Socket;
pub(super) use wire::{Value, Writer as Arguments};

/// Most bytes of a line of the handshake.
const LINE: usize = 512;

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Error {
    /// Nobody can be spoken to there; the reason as a clause.
    Unreachable(String),
    /// The deadline has passed.
    Slow,
    /// The other end hung up after it was asked: it may have done it. The reason as a clause.
    Lost(String),
    /// What came is no D-Bus.
    Garbled,
    /// The other end refused the call: the name of the error, and what it says.
    Refused(String, String),
}

/// A connection that is through with its handshake.
#[derive(Debug)]
pub(super) struct Connection {
    socket: Socket,
    serial: u32,
}

impl Connection {
    /// Connects to a socket as the present user, until a time and as long as somebody waits. On a bus (`is_bus`) it says
    /// hello; the manager itself wants none. Nothing is said to a listener of anybody but root and the present user.
    pub(super) fn open(
        path: &Path,
        is_bus: bool,
        wait: (Instant, &Patience),
    ) -> Result<Self, Error> {
        Self::begin(path, is_bus, false, wait)
    }

    /// The same for calls that hand descriptors over.
    pub(super) fn open_for_descriptors(
        path: &Path,
        is_bus: bool,
        wait: (Instant, &Patience),
    ) -> Result<Self, Error> {
        Self::begin(path, is_bus, true, wait)
    }

    fn begin(
        path: &Path,
        is_bus: bool,
        hands_over: bool,
        (until, patience): (Instant, &Patience),
    ) -> Result<Self, Error> {
        let mut socket = Socket::connect(path, until, patience.clone())?;
        let peer = socket.listener()?;
        if peer != 0 && peer != rustix::process::geteuid().as_raw() {
            return Err(Error::Unreachable(format!(
                "user {peer} listens there, whom oomtop tells nothing"
            )));
        }
        let uid = rustix::process::geteuid().as_raw().to_string();
        // The digits in hexadecimal: 0 is 30.
        let uid: String = uid.chars().flat_map(|digit| ['3', digit]).collect();
        // All of it at once, as sd-bus does: the end of the handshake must be read before what follows it is there. systemd
        // leaves a message that it has read together with BEGIN until something else comes (systemd
        // src/libsystemd/sd-bus/bus-socket.c `bus_socket_auth_verify_server`), and that may be never.
        let descriptors = if hands_over {
            "NEGOTIATE_UNIX_FD\r\n"
        } else {
            ""
        };
        let shake = format!("\0AUTH EXTERNAL {uid}\r\n{descriptors}BEGIN\r\n");
        socket.send(shake.as_bytes())?;
        let line = answer_line(&mut socket)?;
        if !line.starts_with("OK ") {
            return Err(Error::Unreachable(format!(
                "it does not let this user in ({})",
                line.split(' ').next().unwrap_or_default()
            )));
        }
        if hands_over {
            let line = answer_line(&mut socket)?;
            if line != "AGREE_UNIX_FD" {
                return Err(Error::Unreachable("it takes no descriptors".to_owned()));
            }
        }
        let mut connection = Self { socket, serial: 0 };
        if is_bus {
            let hello = Call {
                destination: "org.freedesktop.DBus",
                path: "/org/freedesktop/DBus",
                interface: "org.freedesktop.DBus",
                member: "Hello",
                signature: "",
            };
            connection.call(&hello, &Arguments::default())?;
        } else if hands_over {
            // Descriptors that come while the other end is still in the handshake end the connection (`bus_socket_read_auth`
            // there): an answer shows that it is through.
            let ping = Call {
                destination: "org.freedesktop.systemd1",
                path: "/org/freedesktop/systemd1",
                interface: "org.freedesktop.DBus.Peer",
                member: "Ping",
                signature: "",
            };
            connection.call(&ping, &Arguments::default())?;
        }
        Ok(connection)
    }

    /// From now on everything must be through by this time.
    pub(super) fn until(&mut self, until: Instant) {
        self.socket.until = until;
    }

    /// Calls a method and waits for its return, whose arguments it gives.
    pub(super) fn call(&mut self, call: &Call<'_>, arguments: &Arguments) -> Result<Body, Error> {
        self.hand_over(call, arguments, &[])
    }

    /// The same with descriptors, which the arguments name by their place (`h`).
    pub(super) fn hand_over(
        &mut self,
        call: &Call<'_>,
        arguments: &Arguments,
        descriptors: &[BorrowedFd<'_>],
    ) -> Result<Body, Error> {
        self.serial += 1;
        let count = u32::try_from(descriptors.len()).unwrap_or(u32::MAX);
        let message = call.message(self.serial, count, &arguments.0);
        // A part of a message is none: it was not asked.
        let rest = self.socket.send_with(&message, descriptors);
        let sent = rest.and_then(|sent| {
            let rest = message.get(sent..).unwrap_or_default();
            self.socket.send(rest)
        });
        sent.map_err(|error| match error {
            Error::Slow => Error::Unreachable("it takes no message".to_owned()),
            error => error,
        })?;
        self.answer().map_err(|error| match error {
            Error::Unreachable(why) => Error::Lost(why),
            error => error,
        })
    }

    /// The answer to the last call.
    fn answer(&mut self) -> Result<Body, Error> {
        loop {
            let mut fixed = [0; FIXED];
            self.socket.receive(&mut fixed)?;
            let mut rest = vec![0; message::rest_of(&fixed).ok_or(Error::Garbled)?];
            self.socket.receive(&mut rest)?;
            match message::read(&fixed, &rest).ok_or(Error::Garbled)? {
                Incoming::Return(to, body) if to == self.serial => return Ok(body),
                Incoming::Error(to, name, said) if to == self.serial => {
                    return Err(Error::Refused(name, said));
                }
                _ => {}
            }
        }
    }

    /// Reads one property of an object.
    pub(super) fn property(
        &mut self,
        destination: &'static str,
        path: &str,
        interface: &str,
        property: &str,
    ) -> Result<Value, Error> {
        let call = Call {
            destination,
            path,
            interface: "org.freedesktop.DBus.Properties",
            member: "Get",
            signature: "ss",
        };
        let mut arguments = Arguments::default();
        arguments.text(interface);
        arguments.text(property);
        let body = self.call(&call, &arguments)?;
        body.reader().variant().ok_or(Error::Garbled)
    }
}

fn answer_line(socket: &mut Socket) -> Result<String, Error> {
    let mut line = Vec::new();
    while line.len() < LINE {
        // What follows the line is of other readers; byte by byte costs nothing in so few.
        let mut byte = [0];
        socket.receive(&mut byte)?;
        line.extend(byte);
        if line.ends_with(b"\r\n") {
            let text = String::from_utf8_lossy(line.trim_ascii_end());
            return Ok(text.chars().filter(|c| !c.is_control()).collect());
        }
    }
    Err(Error::Garbled)
}

#[cfg(test)]
mod tests;
