//! [`Asker`]: a round of queries, again and again, on a thread of its own: Prometheus may take its time.

use std::collections::BTreeMap;
use std::io;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, SyncSender, channel, sync_channel};
use std::time::{Duration, Instant};

use super::client::{Client, Problem};
use crate::app::fleet::Round;
use crate::model::fleet::answer::{matrix, vector};
use crate::model::fleet::ask::Ask;
use crate::model::fleet::{Fleet, past_of};
use crate::runtime::clock;
use crate::text::format::number_of;

/// How often the past is asked for.
const PAST_EVERY: Duration = Duration::from_mins(1);

/// How far back it goes, and the distance of its points, in seconds.
const PAST: (i64, &str) = (1800, "180");

/// Where a round is asked for at once, and where the rounds come.
pub(super) type Line = (SyncSender<()>, Receiver<Result<Round, String>>);

/// Asks and keeps what changes slowly.
#[derive(Debug)]
pub(super) struct Asker {
    client: Client,
    matcher: String,
    past: BTreeMap<String, Vec<f64>>,
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
        let authorization = self.client.authorization().map_err(whole)?;
        let authorization = authorization.as_deref();
        let begun = Instant::now();
        let mut waited = Duration::ZERO;
        let seconds = clock::now().wall.unix_micros.div_euclid(1_000_000);
        let mut fleet = Fleet::new(clock::now().wall.unix_micros as f64 / 1e6);
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
                // Without it no host is known.
                Err(why) if query == Ask::Up => return Err(why),
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
            notes.push(format!("left out: {values} that can be no numbers"));
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
        let (send, answers): (Sender<Result<Round, String>>, _) = channel();
        let work = move || {
            while send.send(self.round()).is_ok() {
                if hurry.recv_timeout(every) == Err(RecvTimeoutError::Disconnected) {
                    return;
                }
            }
        };
        std::thread::Builder::new()
            .name("fleet".to_owned())
            .spawn(work)?;
        Ok((now, answers))
    }
}
