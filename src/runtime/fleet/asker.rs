//! [`Asker`]: a round of queries, again and again, on a thread of its own: Prometheus may take its time.

use std::collections::BTreeMap;
use std::io;
use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::client::{Client, Problem};
use crate::app::fleet::Round;
use crate::model::fleet::answer::{matrix, vector};
use crate::model::fleet::ask::Ask;
use crate::model::fleet::{Fleet, Target, past_of};
use crate::runtime::clock;
use crate::text::format::number_of;

/// How often the past is asked for.
const PAST_EVERY: Duration = Duration::from_mins(1);

/// How far back it goes, and the distance of its points, in seconds.
const PAST: (i64, &str) = (1800, "180");

/// What came of a round, and when it was begun.
pub(super) type Outcome = (Instant, Result<Round, String>);

/// The newest answer and the newest failure after it: nobody may look for hours.
#[derive(Debug, Default)]
pub(super) struct Letterbox(Mutex<Held>);

#[derive(Debug, Default)]
struct Held {
    answer: Option<(Instant, Round)>,
    failure: Option<(Instant, String)>,
}

impl Letterbox {
    /// Takes what came of a round in the place of the one before.
    fn put(&self, (begun, outcome): Outcome) {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match outcome {
            Ok(round) => {
                *held = Held {
                    answer: Some((begun, round)),
                    failure: None,
                }
            }
            Err(why) => held.failure = Some((begun, why)),
        }
    }

    /// What has come since the last call, the oldest first; at most two.
    pub(super) fn take(&self) -> impl Iterator<Item = Outcome> {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Held { answer, failure } = std::mem::take(&mut *held);
        let answer = answer.map(|(begun, round)| (begun, Ok(round)));
        let failure = failure.map(|(begun, why)| (begun, Err(why)));
        answer.into_iter().chain(failure)
    }
}

/// Where a round is asked for at once, and where the rounds come.
pub(super) type Line = (SyncSender<()>, Arc<Letterbox>);

/// Asks and keeps what changes slowly.
#[derive(Debug)]
pub(super) struct Asker {
    client: Client,
    matcher: String,
    past: BTreeMap<Target, Vec<f64>>,
    past_at: Option<Instant>,
}

impl Asker {
    /// Asks for the targets that these matchers choose.
    pub(super) fn new(client: Client, matcher: String) -> Self {
        Self {
            client,
            matcher,
            past: BTreeMap::new(),
            past_at: None,
        }
    }

    /// One round.
    ///
    /// # Errors
    /// A sentence, if there is no Prometheus that answers.
    pub(super) fn round(&mut self) -> Result<Round, String> {
        let whole = |problem| match problem {
            Problem::Whole(why) | Problem::Query(why) => why,
        };
        self.client.renew()?;
        let authorization = self.client.authorization().map_err(whole)?;
        let authorization = authorization.as_deref();
        let begun = Instant::now();
        let mut waited = Duration::ZERO;
        let seconds = clock::now().wall.unix_micros.div_euclid(1_000_000);
        let mut fleet = Fleet::default();
        let mut notes = Vec::new();
        let mut ask = |what: &str, parameters: &[(&str, &str)]| {
            let begun = Instant::now();
            let body = self.client.get(what, parameters, authorization);
            waited += begun.elapsed();
            match body {
                Ok(body) => Ok(Ok(body)),
                Err(Problem::Query(why)) => Ok(Err(why)),
                Err(Problem::Whole(why)) => Err(why),
            }
        };
        for query in Ask::INSTANT {
            let expression = query.expression(&self.matcher);
            let body = ask("query", &[("query", &expression)])?;
            let taken = body.and_then(|body| {
                let (series, strange) = vector(&body)?;
                fleet.take(query, &series);
                fleet.strange += strange;
                Ok(())
            });
            match taken {
                Ok(()) => {}
                // Without these no host is known, or one in trouble looks calm: the round before stays.
                Err(why) if matches!(query, Ask::Up | Ask::Seen | Ask::Urgency) => return Err(why),
                Err(why) => notes.push(why),
            }
        }
        if self.past_at.is_none_or(|at| at.elapsed() >= PAST_EVERY) {
            let (end, start) = (seconds.to_string(), (seconds - PAST.0).to_string());
            let expression = Ask::Past.expression(&self.matcher);
            let parameters = [
                ("query", &*expression),
                ("start", &start),
                ("end", &end),
                ("step", PAST.1),
            ];
            let body = ask("query_range", &parameters)?;
            match body.and_then(|body| matrix(&body).map(past_of)) {
                Ok(past) => (self.past, self.past_at) = (past, Some(Instant::now())),
                Err(why) => notes.push(why),
            }
        }
        fleet.take_past(&self.past);
        if fleet.strange > 0 {
            let values = number_of(fleet.strange as u64, "value", "values");
            notes.push(format!("left out: {values} without a number"));
        }
        notes.dedup();
        let left_out = fleet.left_out;
        let hosts = fleet.ranked();
        let worked = begun.elapsed().saturating_sub(waited);
        Ok(Round {
            hosts,
            left_out,
            notes,
            waited_millis: u64::try_from(waited.as_millis()).unwrap_or(u64::MAX),
            worked_millis: worked.as_secs_f64() * 1e3,
        })
    }

    /// Asks each `every`, and at once when told so. Returns where to tell it, and where the answers come.
    pub(super) fn run(mut self, every: Duration) -> io::Result<Line> {
        let (now, hurry) = sync_channel::<()>(1);
        let letterbox = Arc::new(Letterbox::default());
        let own = Arc::clone(&letterbox);
        let work = move || {
            loop {
                own.put((Instant::now(), self.round()));
                if hurry.recv_timeout(every) == Err(RecvTimeoutError::Disconnected) {
                    return;
                }
            }
        };
        std::thread::Builder::new()
            .name("fleet".to_owned())
            .spawn(work)?;
        Ok((now, letterbox))
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::Letterbox;
    use crate::app::fleet::Round;

    #[test]
    fn only_the_newest_answer_waits_with_the_time_of_its_round() {
        let (letterbox, begun) = (Letterbox::default(), Instant::now());
        let at = |seconds| begun + Duration::from_secs(seconds);
        for seconds in 0..1000 {
            letterbox.put((at(seconds), Ok(Round::default())));
        }
        letterbox.put((at(1000), Err("gone".to_owned())));
        letterbox.put((at(1001), Err("still gone".to_owned())));
        let all: Vec<_> = letterbox.take().collect();
        assert_eq!(
            all,
            [
                (at(999), Ok(Round::default())),
                (at(1001), Err("still gone".to_owned()))
            ]
        );
        assert_eq!(letterbox.take().count(), 0);
        letterbox.put((at(1002), Err("gone".to_owned())));
        letterbox.put((at(1003), Ok(Round::default())));
        assert_eq!(letterbox.take().count(), 1, "the failure is over");
    }
}
