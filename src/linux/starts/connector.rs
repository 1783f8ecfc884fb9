//! [`Connector`]: the process connector (Documentation/driver-api/connector.rst, include/uapi/linux/cn_proc.h), a
//! netlink socket on which the kernel tells of forks, execs, and changes of names and users.

use std::os::fd::{BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::netlink::{CONNECTOR, SocketAddrNetlink};
use rustix::net::{
    AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, bind, recvfrom, send,
    socket_with, sockopt,
};

use crate::linux::SysRoot;
use crate::linux::helper::helper;
use crate::linux::scan::sees_this_machine;
use crate::model::kernel::KernelVersion;
use crate::model::process::Pid;
use crate::model::rules::start::Start;

/// Group and value of this connector (`CN_IDX_PROC`, `CN_VAL_PROC`, include/uapi/linux/connector.h).
const PROC: u32 = 1;
/// `PROC_CN_MCAST_LISTEN`.
const LISTEN: u32 = 1;
/// `PROC_EVENT_UID`.
const USER: u32 = 4;
/// The kernel that tells a listener of some events only.
const FILTERS: KernelVersion = KernelVersion { major: 6, minor: 6 };
/// `NLMSG_DONE`.
const DONE: u16 = 3;

/// Lengths of `struct nlmsghdr` and `struct cn_msg`.
const NETLINK_HEAD: usize = 16;
const CONNECTOR_HEAD: usize = 20;
const EVENT_AT: usize = NETLINK_HEAD + CONNECTOR_HEAD;

/// Bytes of the kernel's queue, before it tells of a loss: some thousand events.
const QUEUE: usize = 2 << 20;

/// How long the kernel may take to answer. It answers at once; old kernels do not refuse, they say nothing.
const ANSWER: Duration = Duration::from_secs(2);

/// What a message says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Told {
    Start(Start),
    /// The answer to a request to listen, which may be another program's.
    Answer {
        /// The number of the request.
        to: u32,
        /// 0, or the error.
        error: u32,
    },
    /// Threads, ends, and what rules do not compare.
    Other,
    /// Not from the kernel.
    Foreign,
}

/// The socket.
#[derive(Debug)]
pub(super) struct Connector {
    socket: OwnedFd,
    buffer: Vec<u8>,
    /// The kernel had no room, and tells of no further loss until the queue was empty (net/netlink/af_netlink.c
    /// `netlink_overrun`).
    overrun: bool,
}

impl Connector {
    /// Asks the kernel to tell, and waits until it has agreed.
    ///
    /// # Errors
    /// Why it does not, as the end of a sentence.
    pub(super) fn open(root: &SysRoot) -> Result<Self, String> {
        sees_this_machine(root).map_err(|refusal| refusal.to_string())?;
        let mut connector = Self::bound().map_err(|errno| match errno {
            Errno::PROTONOSUPPORT => {
                "this kernel has none (CONFIG_PROC_EVENTS), or oomtop is in a network namespace of its own"
                    .to_owned()
            }
            Errno::PERM | Errno::ACCESS => "it needs CAP_NET_ADMIN, or root".to_owned(),
            errno => errno.to_string(),
        })?;
        connector.agreed()?;
        Ok(connector)
    }

    /// Asks for changes of users alone, of which tracepoints do not tell. From 6.6 on the kernel then wakes oomtop for nothing
    /// else (drivers/connector/cn_proc.c `cn_filter`), its answer included; before, this would cost what all events cost.
    ///
    /// # Errors
    /// If there is no such connector here.
    pub(super) fn of_users(root: &SysRoot) -> Result<Self, Errno> {
        let is_here = sees_this_machine(root).is_ok();
        let release = rustix::system::uname()
            .release()
            .to_string_lossy()
            .into_owned();
        let filters = KernelVersion::parse(&release).is_some_and(|version| version >= FILTERS);
        if is_here && filters {
            Self::bound_by(&request(own_number(), &[LISTEN, USER]))
        } else {
            Err(Errno::NOSYS)
        }
    }

    fn bound() -> Result<Self, Errno> {
        Self::bound_by(&request(own_number(), &[LISTEN]))
    }

    fn bound_by(request: &[u8]) -> Result<Self, Errno> {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let kind = SocketType::DGRAM;
        let socket = socket_with(AddressFamily::NETLINK, kind, flags, Some(CONNECTOR))?;
        // Without the right to more it is as long as net.core.rmem_max allows.
        if sockopt::set_socket_recv_buffer_size_force(&socket, QUEUE).is_err() {
            let _ = sockopt::set_socket_recv_buffer_size(&socket, QUEUE);
        }
        bind(&socket, &SocketAddrNetlink::new(0, PROC))?;
        send(&socket, request, SendFlags::empty())?;
        Ok(Self {
            socket,
            buffer: vec![0; 4096],
            overrun: false,
        })
    }

    /// Waits for an answer or an event. Since 6.6 the kernel answers with events alone (drivers/connector/cn_proc.c
    /// `cn_filter`), so a thread is made to be told of. Events are no loss here: all processes are looked at after this.
    fn agreed(&mut self) -> Result<(), String> {
        let until = Instant::now() + ANSWER;
        let thread = helper("starts-probe", || {}).map_err(|error| error.to_string())?;
        let _ = thread.join();
        loop {
            match self.receive() {
                Ok(Some(Told::Start(_) | Told::Other)) => return Ok(()),
                Err(Errno::NOBUFS) => {
                    self.overrun = true;
                    return Ok(());
                }
                Ok(Some(Told::Answer { to, error })) if to == own_number() => {
                    if error == 0 {
                        return Ok(());
                    }
                    let errno = Errno::from_raw_os_error(i32::try_from(error).unwrap_or(0));
                    return Err(format!("the kernel refuses it: {errno}"));
                }
                Ok(Some(Told::Answer { .. } | Told::Foreign)) => {}
                Ok(None) => {
                    let left = until.saturating_duration_since(Instant::now());
                    if left.is_zero() {
                        return Err("the kernel does not answer".to_owned());
                    }
                    let mut fds = [PollFd::new(&self.socket, PollFlags::IN)];
                    let _ = poll(&mut fds, Timespec::try_from(left).ok().as_ref());
                }
                Err(errno) => return Err(errno.to_string()),
            }
        }
    }

    /// Waits until there is something to take; false once `stop` is ready.
    pub(super) fn wait(&self, stop: BorrowedFd<'_>) -> bool {
        let mut fds = [
            PollFd::new(&self.socket, PollFlags::IN),
            PollFd::from_borrowed_fd(stop, PollFlags::IN),
        ];
        let polled = poll(&mut fds, None);
        let [_, stop] = &fds;
        match polled {
            Err(Errno::INTR) => true,
            Ok(_) => stop.revents().is_empty(),
            Err(_) => false,
        }
    }

    /// Takes at most so many events; true if the kernel had no room for others.
    pub(super) fn take(&mut self, most: usize, out: &mut Vec<Start>) -> Result<bool, Errno> {
        let mut lost = false;
        for _ in 0..most {
            match self.receive() {
                Ok(Some(Told::Start(start))) => out.push(start),
                Ok(Some(_)) => {}
                Ok(None) => {
                    lost |= std::mem::take(&mut self.overrun);
                    break;
                }
                Err(Errno::NOBUFS) => {
                    self.overrun = true;
                    lost = true;
                }
                Err(errno) => return Err(errno),
            }
        }
        Ok(lost)
    }

    /// The next message; `None` if there is none now.
    fn receive(&mut self) -> Result<Option<Told>, Errno> {
        let received = recvfrom(&self.socket, self.buffer.as_mut_slice(), RecvFlags::empty());
        let (length, from) = match received {
            Ok((length, _, from)) => (length, from),
            Err(Errno::AGAIN | Errno::INTR) => return Ok(None),
            Err(errno) => return Err(errno),
        };
        // Processes can send to the group too.
        let from = from.and_then(|from| SocketAddrNetlink::try_from(from).ok());
        if from.is_none_or(|from| from.pid() != 0) {
            return Ok(Some(Told::Foreign));
        }
        let message = self.buffer.get(..length).unwrap_or_default();
        Ok(Some(parse(message).unwrap_or(Told::Foreign)))
    }
}

/// What tells this program's request from those of others.
fn own_number() -> u32 {
    std::process::id()
}

/// "Tell me": a netlink message with a connector message with one word, or with a second one that says of what. Its sequence
/// number comes back in the answer.
fn request(number: u32, words: &[u32]) -> Vec<u8> {
    let size = u16::try_from(4 * words.len()).unwrap_or(0);
    let mut bytes = Vec::with_capacity(EVENT_AT + usize::from(size));
    let length = u32::try_from(EVENT_AT).unwrap_or(0) + u32::from(size);
    bytes.extend(length.to_ne_bytes());
    bytes.extend(DONE.to_ne_bytes());
    bytes.extend(0_u16.to_ne_bytes());
    for word in [0, 0, PROC, PROC, number, 0] {
        bytes.extend(u32::to_ne_bytes(word));
    }
    bytes.extend(size.to_ne_bytes());
    bytes.extend(0_u16.to_ne_bytes());
    bytes.extend(words.iter().flat_map(|word| word.to_ne_bytes()));
    bytes
}

/// `struct proc_event` in its two envelopes.
fn parse(message: &[u8]) -> Option<Told> {
    let word = |at: usize| {
        let bytes = message.get(at..at.checked_add(4)?)?;
        Some(u32::from_ne_bytes(bytes.try_into().ok()?))
    };
    if (word(NETLINK_HEAD)?, word(NETLINK_HEAD + 4)?) != (PROC, PROC) {
        return None;
    }
    // Behind the kind of event, the CPU and the time.
    let data = |index: usize| word(EVENT_AT + 16 + 4 * index);
    let pid = |index| data(index).and_then(|pid| Pid::try_from(pid).ok());
    // Thread and process.
    let is_process = |index| Some(pid(index)? == pid(index + 1)?);
    Some(match word(EVENT_AT)? {
        0 => Told::Answer {
            to: word(NETLINK_HEAD + 8)?,
            error: data(0)?,
        },
        // PROC_EVENT_FORK: thread and process of the parent, then of the child.
        1 if is_process(2)? => Told::Start(Start::Forked {
            parent: pid(1)?,
            child: pid(2)?,
        }),
        // PROC_EVENT_EXEC, _UID, _COMM.
        2 | 4 | 0x200 if is_process(0)? => Told::Start(Start::Changed(pid(0)?)),
        _ => Told::Other,
    })
}

#[cfg(test)]
mod tests {
    use super::{EVENT_AT, LISTEN, PROC, Told, parse, request};
    use crate::model::rules::start::Start;

    fn event(kind: u32, data: &[u32]) -> Vec<u8> {
        let mut bytes = request(5, &[LISTEN]);
        bytes.truncate(EVENT_AT);
        for word in [kind, 3, 11, 22].iter().chain(data) {
            bytes.extend(word.to_ne_bytes());
        }
        bytes
    }

    #[test]
    fn processes_are_told_from_threads() {
        let forked = Start::Forked {
            parent: 7,
            child: 9,
        };
        let changed = Told::Start(Start::Changed(7));
        for (kind, data, told) in [
            (1, &[8, 7, 9, 9][..], Told::Start(forked)),
            (1, &[8, 7, 10, 9], Told::Other),
            (2, &[7, 7], changed),
            (4, &[7, 7, 0, 0], changed),
            (0x200, &[7, 7, 0, 0, 0, 0], changed),
            (0x200, &[8, 7, 0, 0, 0, 0], Told::Other),
            (0x8000_0000, &[7, 7, 0, 0], Told::Other),
            (0, &[1], Told::Answer { to: 5, error: 1 }),
        ] {
            assert_eq!(parse(&event(kind, data)), Some(told), "{kind} {data:?}");
        }
    }

    #[test]
    fn cut_and_foreign_messages_are_none() {
        let whole = event(1, &[8, 7, 9, 9]);
        for cut in 0..whole.len() {
            let _ = parse(&whole[..cut]);
        }
        assert_eq!(parse(&whole[..EVENT_AT + 3]), None);
        let mut foreign = whole.clone();
        foreign[16..20].copy_from_slice(&(PROC + 8).to_ne_bytes());
        assert_eq!(parse(&foreign), None);
    }
}
