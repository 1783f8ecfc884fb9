//! A Unix socket on which nothing takes longer than until the deadline.

use std::io::{ErrorKind, IoSlice, Read, Write};
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::net::{
    AddressFamily, SendAncillaryBuffer, SendAncillaryMessage, SendFlags, SocketAddrUnix,
    SocketFlags, SocketType, connect, sendmsg, socket_with,
};

use super::Error;
use crate::linux::patience::{Patience, SLICE};

/// How long to wait before the next try to connect: the queue of the other end was full.
const AGAIN: Duration = Duration::from_millis(20);

#[derive(Debug)]
pub(super) struct Socket {
    stream: UnixStream,
    pub(super) until: Instant,
    patience: Patience,
}

impl Socket {
    /// Connects. A listener that takes no connection any more would block for ever, so this does not wait in the kernel.
    pub(super) fn connect(path: &Path, until: Instant, patience: Patience) -> Result<Self, Error> {
        let unreachable = |errno: Errno| Error::Unreachable(errno.to_string());
        let address = SocketAddrUnix::new(path).map_err(unreachable)?;
        loop {
            let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
            let socket = socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None);
            let socket = socket.map_err(unreachable)?;
            match connect(&socket, &address) {
                Ok(()) => {
                    let stream = UnixStream::from(socket);
                    let waits = stream.set_nonblocking(false);
                    waits.map_err(|error| Error::Unreachable(error.to_string()))?;
                    return Ok(Self {
                        stream,
                        until,
                        patience,
                    });
                }
                Err(Errno::AGAIN | Errno::INTR) => {
                    left(until, &patience)?;
                    std::thread::sleep(AGAIN);
                }
                Err(errno) => return Err(unreachable(errno)),
            }
        }
    }

    /// The user who listens there, as the kernel has it of the time of listen(2) (`SO_PEERCRED`, unix(7)).
    pub(super) fn listener(&self) -> Result<u32, Error> {
        let mut found = libc::ucred {
            pid: 0,
            uid: u32::MAX,
            gid: u32::MAX,
        };
        let mut size = u32::try_from(size_of::<libc::ucred>()).unwrap_or_default();
        let place = (&raw mut found).cast();
        // SAFETY: the socket is open, and `place` has room for `size` bytes, any of which make a `ucred`.
        #[expect(
            unsafe_code,
            reason = "rustix has a pid that is never 0, but 0 stands for one of another PID namespace"
        )]
        let failed = unsafe {
            libc::getsockopt(
                self.stream.as_raw_fd(),
                libc::SOL_SOCKET,
                libc::SO_PEERCRED,
                place,
                &raw mut size,
            )
        };
        if failed != 0 {
            let error = std::io::Error::last_os_error();
            return Err(Error::Unreachable(error.to_string()));
        }
        Ok(found.uid)
    }

    /// How long to wait in the kernel until the next look whether anybody waits.
    fn slice(&self) -> Result<Duration, Error> {
        Ok(left(self.until, &self.patience)?.min(SLICE))
    }

    pub(super) fn send(&mut self, mut bytes: &[u8]) -> Result<(), Error> {
        while !bytes.is_empty() {
            let left = self.slice()?;
            let limited = self.stream.set_write_timeout(Some(left));
            let sent = outcome(limited.and_then(|()| self.stream.write(bytes)))?;
            bytes = bytes.get(sent..).unwrap_or_default();
        }
        Ok(())
    }

    /// Sends the beginning together with descriptors; returns how much that was.
    pub(super) fn send_with(
        &mut self,
        bytes: &[u8],
        descriptors: &[BorrowedFd<'_>],
    ) -> Result<usize, Error> {
        if descriptors.is_empty() {
            return Ok(0);
        }
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(253))]; // SCM_MAX_FD
        let mut ancillary = SendAncillaryBuffer::new(&mut space);
        if !ancillary.push(SendAncillaryMessage::ScmRights(descriptors)) {
            return Err(Error::Unreachable("too many descriptors".to_owned()));
        }
        loop {
            let limited = self.stream.set_write_timeout(Some(self.slice()?));
            limited.map_err(|error| Error::Unreachable(error.to_string()))?;
            let parts = [IoSlice::new(bytes)];
            let flags = SendFlags::NOSIGNAL;
            match outcome(sendmsg(&self.stream, &parts, &mut ancillary, flags).map_err(Into::into))?
            {
                // Not yet.
                0 => {}
                sent => return Ok(sent),
            }
        }
    }

    pub(super) fn receive(&mut self, mut into: &mut [u8]) -> Result<(), Error> {
        while !into.is_empty() {
            let left = self.slice()?;
            let limited = self.stream.set_read_timeout(Some(left));
            let read = outcome(limited.and_then(|()| self.stream.read(into)))?;
            into = into.get_mut(read..).unwrap_or_default();
        }
        Ok(())
    }
}

/// Time to the deadline, never zero: that would mean no deadline to the kernel.
fn left(until: Instant, patience: &Patience) -> Result<Duration, Error> {
    let left = until.saturating_duration_since(Instant::now());
    if left.is_zero() || patience.is_over() {
        return Err(Error::Slow);
    }
    Ok(left)
}

fn outcome(done: std::io::Result<usize>) -> Result<usize, Error> {
    match done {
        Ok(0) => Err(Error::Unreachable("it hung up".to_owned())),
        Ok(count) => Ok(count),
        Err(error) => match error.kind() {
            // A signal, or the end of a slice.
            ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted => Ok(0),
            _ => Err(Error::Unreachable(error.to_string())),
        },
    }
}
