//! [`Holders`]: the rule that holds the process of the details. Only the process and those above it are read: an orphan's
//! family is known to `oomtop protect` alone.

use std::sync::Arc;

use crate::linux::SysRoot;
use crate::linux::subjects::SubjectReader;
use crate::model::process::ProcessId;
use crate::model::rules::Rules;
use crate::model::rules::census::Census;
use crate::model::rules::held::{HeldBy, held_by};

/// Most processes above one another that are read.
const DEEPEST: usize = 64;

/// Reads by the rules that were asked for last.
#[derive(Debug, Default)]
pub(crate) struct Holders {
    reader: Option<(Arc<Rules>, SubjectReader)>,
}

impl Holders {
    /// The rule; `None` if none holds the process, or if it has ended.
    pub(crate) fn find(
        &mut self,
        root: &SysRoot,
        id: ProcessId,
        rules: &Arc<Rules>,
    ) -> Option<HeldBy> {
        if rules.is_empty() {
            return None;
        }
        let is_same = |(known, _): &(Arc<Rules>, SubjectReader)| Arc::ptr_eq(known, rules);
        if !self.reader.as_ref().is_some_and(is_same) {
            let reader = SubjectReader::open(root, rules).ok()?;
            self.reader = Some((Arc::clone(rules), reader));
        }
        let (_, reader) = self.reader.as_mut()?;
        let mut chain = Vec::new();
        let mut next = id.pid;
        while chain.len() < DEEPEST && next != 0 {
            let Some(subject) = reader.read(next) else {
                break;
            };
            next = subject.ppid;
            chain.push(subject);
        }
        let is_it = chain.first().is_some_and(|subject| subject.id == id);
        let mut census = Census::new((**rules).clone());
        census.replace(chain);
        held_by(&census, id.pid).filter(|_| is_it)
    }
}
