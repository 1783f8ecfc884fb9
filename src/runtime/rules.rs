//! [`RuleSource`]: where rules come from, and the look whom they hold.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::linux::SysRoot;
use crate::linux::helper::helper;
use crate::linux::subjects::SubjectReader;
use crate::linux::write::executor::KernelWriter;
use crate::model::cgroup::CgroupVersion;
use crate::model::cgroup::limits::LimitValue;
use crate::model::plan::execute::Executor as _;
use crate::model::plan::step::{CgroupStep, LimitWrite};
use crate::model::rules::Rules;
use crate::model::rules::book::{Found, RuleBook, survey};
use crate::model::rules::draft::Wish;
use crate::model::rules::kept::limit_drift;
use crate::model::rules::rule_group::RuleGroup;

/// Where rules come from: read at the start, and again when asked to.
pub trait RuleSource {
    /// All rules.
    ///
    /// # Errors
    /// A sentence for everything that is wrong.
    fn read(&self) -> Result<Rules, Vec<String>>;

    /// The rules that are right, what is wrong with the others, and the file that oomtop writes.
    fn survey(&self) -> Found;

    /// Where rules are looked for.
    fn places(&self) -> Vec<String>;
}

/// Reads the rules and looks at all processes: whom they hold, and what the rule that is wished for would do.
pub(in crate::runtime) fn book(
    source: &dyn RuleSource,
    root: &SysRoot,
    wish: Option<Wish>,
) -> RuleBook {
    let mut found = source.survey();
    if *root != SysRoot::default() {
        let why = "oomtop shows the processes of another root, and the rules are those of this one";
        found.own.refused = Some(why.to_owned());
    }
    let read = SubjectReader::open(root, &found.rules).and_then(|mut reader| {
        reader.want_all();
        Ok((reader.cgroups(), reader.all()?))
    });
    let version = read
        .as_ref()
        .map_or(CgroupVersion::None, |(version, _)| *version);
    let mut kernel = KernelWriter::new(root.clone(), version);
    let page_size = rustix::param::page_size() as u64;
    let limits = |group: &RuleGroup| {
        limit_drift(group, version, page_size, |file| {
            let value = LimitValue::Unlimited;
            let step = CgroupStep::Limit(group.group.clone(), LimitWrite { file, value });
            kernel.look(&step.into()).ok()?.limit()
        })
    };
    match read {
        Ok((_, subjects)) => survey(found, subjects, wish, limits),
        Err(error) => RuleBook {
            unread: Some(error.to_string()),
            ..survey(found, Vec::new(), wish, limits)
        },
    }
}

/// How often processes are matched against rules without a request: at most 1 % of a CPU.
const EVERY: (Duration, Duration) = (Duration::from_secs(10), Duration::from_mins(1));

/// The part of the time that may pass with looking.
const SHARE: u32 = 100;

/// Looks whom the rules hold, again and again, on a thread of its own: reading facts of all processes takes long. `deliver`
/// takes each answer; false when nobody listens any more.
pub(in crate::runtime) fn follow(
    source: Arc<dyn RuleSource + Send + Sync>,
    root: SysRoot,
    mut deliver: impl FnMut(RuleBook) -> bool + Send + 'static,
) -> io::Result<()> {
    let work = move || {
        loop {
            let begun = Instant::now();
            let found = book(&*source, &root, None);
            let rest = begun
                .elapsed()
                .saturating_mul(SHARE)
                .clamp(EVERY.0, EVERY.1);
            if !deliver(found) {
                return;
            }
            std::thread::sleep(rest);
        }
    };
    helper("rules", work).map(drop)
}
