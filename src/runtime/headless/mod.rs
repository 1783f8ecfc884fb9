//! [`Session`]: oomtop without a terminal. Samples, log events, the clock and stop signals in one value that
//! needs no async runtime.
//!
//! The screen uses the same threads: `SamplerThread` and `LogThread` deliver into the dashboard's inbox there
//! and into the session's inbox here.
//!
//! In a one-shot command `?` ends the command at SIGTERM, SIGINT and closed pipes:
//!
//! ```no_run
//! use oomtop::linux::{SysRoot, scan::backend::BackendChoice};
//! use oomtop::model::snapshot::Needs;
//! use oomtop::runtime::headless::{Halt, Session, print};
//!
//! fn count(root: &SysRoot) -> Result<(), Halt> {
//!     let mut session = Session::new(root.clone(), BackendChoice::Auto)?;
//!     let snapshot = session.sample(&Needs::default())?;
//!     print(&format!("{} processes\n", snapshot.processes.len()))
//! }
//! ```
//!
//! A resident command waits for the next event of any kind:
//!
//! ```no_run
//! use std::time::{Duration, Instant};
//! use oomtop::linux::{SysRoot, scan::backend::BackendChoice};
//! use oomtop::model::snapshot::Needs;
//! use oomtop::runtime::headless::{Event, Halt, LogItem, Session};
//!
//! fn watch(root: &SysRoot) -> Result<u8, Halt> {
//!     let mut session = Session::new(root.clone(), BackendChoice::Auto)?;
//!     session.follow_log()?;
//!     loop {
//!         match session.next(Instant::now() + Duration::from_secs(1)) {
//!             Event::Tick(_) => session.ask(&Needs::default())?,
//!             Event::Sample(sample) => println!("{} processes", sample?.processes.len()),
//!             Event::Log(LogItem::Event(event)) => println!("{event:?}"),
//!             Event::Log(LogItem::Source(source)) => println!("{}", source.name),
//!             Event::Log(LogItem::Traced(told)) => println!("{told:?}"),
//!             Event::Stop(signal) => return Ok(128 + signal),
//!         }
//!     }
//! }
//! ```

mod halt;
pub(super) mod log;
pub(super) mod rounds;
pub(super) mod sampling;
mod session;
mod signals;

pub use halt::{Halt, print};
pub use log::LogItem;
pub use sampling::Sample;
pub use session::{Event, HISTORY_MOST, Session};
