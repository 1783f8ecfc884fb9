//! [`Performer`]: the one place where effects happen. Each ends in a message.

pub mod audit;
pub(in crate::runtime) mod desk;
pub(in crate::runtime) mod noted;
mod older;
mod pool;
mod save;
mod writer;

use std::io;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::mpsc::Sender;

use crate::app::msg::{Effect, GroupChoice, Msg, OlderBoots, Receipt};
use crate::linux::SysRoot;
use crate::linux::cgroup::list::list_groups;
use crate::linux::ledger;
use crate::linux::log::child::Leash;
use crate::linux::systemd;
use crate::linux::write::executor::KernelWriter;
use crate::model::ledger::Place;
use crate::model::plan::receipt::FailureKind;
use crate::model::rules::book::RuleBook;
use crate::model::snapshot::{Host, Needs};
use crate::oomlog::OomReport;
use crate::output::saved::{self, Provenance};
use crate::runtime::clock;
use crate::runtime::record::keeper::Keeper;
use crate::runtime::rules::{RuleSource, book};
use crate::runtime::screen::waking::Attention;
use crate::runtime::settings_file::{self, SettingsFile};

use audit::Audit;
use pool::Pool;
use writer::{Work, Writer};

/// How long the ledger may look for files.
const LEDGER_WITHIN: Duration = Duration::from_secs(2);

/// Performs effects.
#[derive(Debug, Clone)]
pub struct Performer {
    root: SysRoot,
    host: Host,
    /// The second guard of `--read-only`: a write that slipped through `update` stops here.
    read_only: bool,
    samples: std::sync::mpsc::Sender<Needs>,
    attention: Attention,
    send: Sender<Msg>,
    writer: Writer,
    pool: Pool,
    in_flight: Arc<InFlight>,
    /// The programs that reads wait for.
    leash: Leash,
    rules: Option<Rules>,
    settings: Option<Arc<dyn SettingsFile>>,
    keeper: Option<Keeper>,
}

/// Where rules are read.
#[derive(Clone)]
struct Rules(Arc<dyn RuleSource + Send + Sync>);

impl std::fmt::Debug for Rules {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Rules").field(&self.0.places()).finish()
    }
}

/// Reads that have been started and have not ended. One more of the same kind would only wait beside it: its
/// answer serves both.
#[derive(Debug, Default)]
struct InFlight {
    groups: AtomicBool,
    older: AtomicBool,
    ledger: AtomicBool,
}

impl Performer {
    /// A performer that writes below `root` and logs that to `audit`. Requests for samples and for attention go to `threads`, answers to all
    /// other effects to `send`. All threads that effects need are started here.
    ///
    /// # Errors
    /// If a thread cannot be started.
    pub(in crate::runtime) fn new(
        root: SysRoot,
        host: Host,
        read_only: bool,
        audit: Option<Audit>,
        (samples, attention): (std::sync::mpsc::Sender<Needs>, Attention),
        send: Sender<Msg>,
    ) -> io::Result<Self> {
        let answers = send.clone();
        let writer = Writer::start(&root, host.cgroups, audit, move |msg| {
            let _ = answers.blocking_send(msg);
        })?;
        Ok(Self {
            root,
            host,
            read_only,
            samples,
            attention,
            send,
            writer,
            pool: Pool::start()?,
            in_flight: Arc::default(),
            leash: Leash::default(),
            rules: None,
            settings: None,
            keeper: None,
        })
    }

    /// Rules are read there.
    pub(in crate::runtime) fn rules_from(&mut self, source: Arc<dyn RuleSource + Send + Sync>) {
        self.rules = Some(Rules(source));
    }

    /// Settings are saved there.
    pub(in crate::runtime) fn settings_to(&mut self, file: Arc<dyn SettingsFile>) {
        self.settings = Some(file);
    }

    /// Has the last minutes.
    pub(in crate::runtime) fn keep_by(&mut self, keeper: Option<Keeper>) {
        self.keeper = keeper;
    }

    /// Waits a moment for the writes that were asked for: a plan must not end half way with the program.
    pub fn finish_writes(&self) {
        self.writer.finish();
    }

    /// Ends the programs that reads wait for: they must not outlive the terminal.
    pub fn end_reads(&self) {
        self.leash.end_all();
    }

    /// Starts an effect, which sends its message when done. Call this in a tokio runtime.
    pub fn perform(&self, effect: Effect) {
        match effect {
            Effect::Sample(needs) => {
                // The sampler's thread ends only with the loop: if it is gone, nobody needs the sample.
                let _ = self.samples.send(needs);
            }
            Effect::ListGroups => {
                self.once(|reads| &reads.groups, |own| Msg::Groups(own.groups()));
            }
            Effect::Survey(group) => self.aside(move |own| {
                let kernel = KernelWriter::new(own.root.clone(), own.host.cgroups);
                let survey = kernel.survey(&group);
                Msg::Surveyed(group, survey.map_err(|failure| failure.sentence))
            }),
            Effect::ReadOomd(unit) => self.aside(move |own| {
                let found = systemd::oomd_of(&own.root.base, &unit);
                Msg::Oomd(unit, found.map_err(|failure| failure.sentence))
            }),
            Effect::ReadDropIn(unit, lasting) => self.aside(move |own| {
                let found = systemd::own_drop_in(&own.root.base, &unit, lasting);
                Msg::DropIn(unit, lasting, found.map_err(|failure| failure.sentence))
            }),
            Effect::ReadRules(wish) => self.aside(move |own| {
                let book = own
                    .rules
                    .as_ref()
                    .map(|rules| book(&*rules.0, &own.root, wish));
                let none = || RuleBook {
                    target: wish.map(|wish| wish.target),
                    ..RuleBook::default()
                };
                Msg::Rules(Arc::new(book.unwrap_or_else(none)))
            }),
            Effect::DraftSettings(id, changes) => self.aside(move |own| {
                let draft = settings_file::draft(own.settings.as_ref(), &changes);
                Msg::SettingsDraft(id, draft)
            }),
            Effect::WriteSettings(id, draft) => self.aside(move |own| {
                let written = settings_file::write(own.settings.as_ref(), own.read_only, &draft);
                Msg::SettingsWritten(id, written)
            }),
            Effect::SaveRecording => {
                if !self.keeper.as_ref().is_some_and(Keeper::save) {
                    let late = Err("the recording is behind; press it again".to_owned());
                    let _ = self.send.try_send(Msg::Recorded(late));
                }
            }
            Effect::Attend(groups) => self.attention.turn_to(groups),
            Effect::Hold(targets) => self.writer.hold(targets),
            Effect::HoldGroups(groups) => self.writer.hold_groups(groups),
            Effect::Withdraw(id) => self.writer.withdraw(id),
            Effect::Write { id, plans, undo } => self.write(Work { id, plans, undo }),
            Effect::ReadOlderBoots => {
                self.once(|reads| &reads.older, |own| Msg::Older(own.older()));
            }
            Effect::ReadLedger(place) => {
                self.once(|reads| &reads.ledger, move |own| own.ledger(&place));
            }
            Effect::Save { report, remembered } => self.aside(move |own| {
                let stem = saved::file_stem(&report);
                let provenance = own.provenance(&report);
                let text = saved::text(&report, &remembered, &provenance);
                let json = saved::json(&report, &remembered, &provenance);
                Msg::Done(Receipt::Saved(save::save(&stem, &text, &json)))
            }),
        }
    }

    fn provenance(&self, report: &OomReport) -> Provenance {
        let now = clock::now();
        // A report of another boot has no time of this one, but the journal's stamp.
        let stamp = report.stamp.as_deref().and_then(|stamp| stamp.parse().ok());
        let at = report.at.map(|at| now.wall_of(at).unix_micros);
        Provenance {
            oomtop: env!("CARGO_PKG_VERSION"),
            host: self.host.name.clone(),
            running_kernel: self.host.release.clone(),
            saved_at: clock::date(now.wall.unix_micros),
            happened_at: stamp.or(at).map(clock::date),
        }
    }

    /// Works on another thread and sends what came of it. Writes can block (a frozen cgroup, a hung
    /// filesystem): never on the loop's thread.
    fn aside(&self, work: impl FnOnce(&Self) -> Msg + Send + 'static) {
        let own = self.clone();
        self.pool.run(move || {
            let msg = work(&own);
            let _ = own.send.blocking_send(msg);
        });
    }

    /// Like [`Self::aside`], unless such a read is in flight.
    fn once(
        &self,
        flag: impl Fn(&InFlight) -> &AtomicBool + Send + 'static,
        work: impl FnOnce(&Self) -> Msg + Send + 'static,
    ) {
        if flag(&self.in_flight).swap(true, Ordering::SeqCst) {
            return;
        }
        self.aside(move |own| {
            let msg = work(own);
            flag(&own.in_flight).store(false, Ordering::SeqCst);
            msg
        });
    }

    fn older(&self) -> Result<OlderBoots, String> {
        if self.root != SysRoot::default() {
            return Err(
                "oomtop reads only this machine's journal, not that of another root".to_owned(),
            );
        }
        older::read(&self.leash)
    }

    /// The counters go out at once: the files may take long, or be on a mount that does not answer.
    fn ledger(&self, place: &Place) -> Msg {
        let answer = |account| Msg::Ledger(Arc::new(account));
        match ledger::quick(&self.root, place) {
            Ok(account) => {
                let _ = self.send.blocking_send(answer(Ok(account.clone())));
                let until = Instant::now() + LEDGER_WITHIN;
                let whole = ledger::with_files(&self.root, place, account, until);
                answer(Ok(whole))
            }
            Err(reason) => answer(Err(reason)),
        }
    }

    fn groups(&self) -> Result<Vec<GroupChoice>, String> {
        let list = list_groups(&self.root).map_err(|error| error.to_string())?;
        let choice = |(group, writable): (crate::model::cgroup::Cgroup, bool)| GroupChoice {
            path: group.path,
            limit: group.limits.max,
            usage: group.usage,
            writable,
            has_memory: group.usage.is_some(),
        };
        let groups = list.groups.into_iter().zip(list.writable);
        Ok(groups.map(choice).collect())
    }

    fn write(&self, work: Work) {
        if self.read_only {
            self.refuse(&work, "oomtop is read-only: nothing was written");
        } else if let Err(work) = self.writer.write(work) {
            self.refuse(
                &work,
                "Nothing was written: the thread that writes has ended. Start oomtop again.",
            );
        }
    }

    /// Answers for a write that is not carried out.
    fn refuse(&self, work: &Work, sentence: &str) {
        let refused = |plan| writer::refused(plan, FailureKind::Denied, sentence);
        let plans = work.plans.iter().map(refused).collect();
        let msg = Msg::Done(Receipt::Write { id: work.id, plans });
        self.aside(move |_| msg);
    }
}
