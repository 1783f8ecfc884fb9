//! [`Rounds`]: a session that takes a sample each period, for commands that stay.

use std::time::{Duration, Instant};

use super::{Event, LogItem, Session};
use crate::app::lookout::{Death, Lookout};
use crate::linux::SysRoot;
use crate::linux::wake::GAP;
use crate::model::snapshot::Needs;
use crate::runtime::screen::waking::{WakeItem, WakerThread};
use crate::runtime::{RunError, clock};

/// A sample may cost this part of a processor.
const SHARE: u32 = 10;

/// A sample that costs much delays the next one by no more than this.
const SLOWEST: Duration = Duration::from_secs(5);

/// Asks for samples when they are due: a monitor must not add to the load of a machine in trouble.
#[derive(Debug)]
pub(in crate::runtime) struct Rounds {
    session: Session,
    delay: Duration,
    /// When the next sample is due; `None` while one is taken.
    due: Option<Instant>,
    /// No sample before, whatever the kernel tells.
    earliest: Instant,
    /// Tells when tasks wait for memory, as long as it is there.
    waker: Option<WakerThread>,
}

impl Rounds {
    /// The first sample is due at once.
    pub(in crate::runtime) fn new(session: Session, delay: Duration) -> Self {
        Self {
            session,
            delay,
            due: Some(Instant::now()),
            earliest: Instant::now(),
            waker: None,
        }
    }

    /// Takes a sample too when the kernel tells that tasks wait for memory, as the dashboard does.
    ///
    /// # Errors
    /// If there is no thread for it.
    pub(in crate::runtime) fn woken_by(mut self, root: &SysRoot) -> Result<Self, RunError> {
        let alarm = self.session.alarm();
        let waker = WakerThread::spawn(root.clone(), move |item| {
            if matches!(item, WakeItem::Woken(_)) {
                alarm();
            }
            true
        });
        self.waker = Some(waker.map_err(RunError::Thread)?);
        Ok(self)
    }

    /// The next event, at `until` at the latest. `needs` says what a sample that is due must read.
    ///
    /// # Errors
    /// If the sampler has ended.
    pub(in crate::runtime) fn next(
        &mut self,
        until: Instant,
        needs: impl FnOnce() -> Needs,
    ) -> Result<Event, RunError> {
        if self.due.is_some_and(|due| due <= Instant::now()) {
            self.due = None;
            self.session.ask(&needs())?;
        }
        let event = self
            .session
            .next(self.due.map_or(until, |due| due.min(until)));
        // A sampler that has panicked answers no more, and the pages would stay as they are.
        if matches!(event, Event::Tick(_)) && self.due.is_none() {
            self.session.check_sampler()?;
        }
        if let Event::Sample(sample) = &event {
            let cost = sample.as_ref().map_or(0, |snapshot| snapshot.spent_micros);
            let cost = Duration::from_micros(cost).saturating_mul(SHARE);
            let (now, rest) = (Instant::now(), cost.min(SLOWEST));
            self.due = Some(now + self.delay.max(rest));
            self.earliest = now + GAP.max(rest);
        }
        if self.session.was_woken() {
            self.due = self.due.map(|due| due.min(self.earliest));
        }
        Ok(event)
    }
}

/// What an event has changed.
#[derive(Debug, Default)]
pub(in crate::runtime) struct Change {
    /// There is a new sample.
    pub(in crate::runtime) sampled: bool,
    /// Deaths that are news.
    pub(in crate::runtime) deaths: Vec<Death>,
    /// Why there is no sample.
    pub(in crate::runtime) failure: Option<String>,
}

/// Takes an event into the lookout.
pub(in crate::runtime) fn enter(lookout: &mut Lookout, event: Event) -> Change {
    let of = |deaths| Change {
        deaths,
        ..Change::default()
    };
    match event {
        Event::Sample(Ok(snapshot)) => Change {
            sampled: true,
            ..of(lookout.sampled(snapshot))
        },
        Event::Sample(Err(error)) => {
            lookout.not_sampled(error.to_string());
            Change {
                failure: Some(error.to_string()),
                ..Change::default()
            }
        }
        Event::Log(LogItem::Event(event)) => of(lookout.told(event, clock::now())),
        Event::Log(LogItem::Traced(traced)) => of(lookout.traced(traced, clock::now())),
        Event::Log(LogItem::Source(source)) => {
            lookout.source(source, clock::now());
            Change::default()
        }
        Event::Tick(_) | Event::Stop(_) => Change::default(),
    }
}

/// A failure that lasts, said from time to time.
#[derive(Debug, Default)]
pub(in crate::runtime) struct Reminder(Option<Instant>);

/// How often it is said.
const REMIND: Duration = Duration::from_mins(10);

impl Reminder {
    /// True if it is to be said now.
    pub(in crate::runtime) fn is_due(&mut self) -> bool {
        let is_due = self.0.is_none_or(|at| at.elapsed() >= REMIND);
        if is_due {
            self.0 = Some(Instant::now());
        }
        is_due
    }

    /// It is over: the next one is said at once.
    pub(in crate::runtime) fn is_over(&mut self) {
        self.0 = None;
    }
}
