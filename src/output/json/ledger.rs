//! [`LedgerFacts`]: where the memory of the host or of a domain is, for the document.

use serde::Serialize;

use super::Document;
use crate::model::ledger::prospect::prospect;
use crate::model::ledger::{
    Account, Cache, FreedBy, Kind, Ledger, OpenFile, Outlook, Prospect, Segment, TmpfsMount,
};
use crate::model::oom_domain::victim::Scope;
use crate::model::snapshot::{Host, Snapshot};

/// Where memory is. Sizes are in bytes.
#[derive(Debug, Serialize)]
pub struct LedgerFacts {
    /// All memory in use. Host: `MemTotal` - `MemFree` - what CPUs keep free; cgroup: `memory.current` or
    /// `memory.usage_in_bytes`. Page cache is part of it.
    pub used: u64,
    /// The kinds, the largest first; a kind that is 0 is left out.
    pub entries: Vec<EntryFacts>,
    /// Used memory that no counter names: `used` less the entries, not below 0.
    pub uncounted: u64,
    /// What the entries are more than `used`: counters change between two reads.
    pub excess: u64,
    /// Kinds whose size is not told; their memory is in `uncounted`.
    pub untold: Vec<Kind>,
    /// What kills free at most; null for a cgroup far from its limit (its `memory.stat` is not in the sample).
    pub prospect: Option<ProspectFacts>,
}

/// One kind of memory.
#[derive(Debug, Serialize)]
pub struct EntryFacts {
    /// The kind.
    pub kind: Kind,
    /// Its size in bytes.
    pub bytes: u64,
    /// What gives it back.
    pub freed_by: FreedBy,
}

/// What kills free at most, in bytes.
#[derive(Debug, Serialize)]
pub struct ProspectFacts {
    /// The limit (RAM for the host), what is used of it, what kills and reclaim free at most; processes.
    #[serde(flatten)]
    pub prospect: Prospect,
    /// What neither kills nor reclaim give back, in bytes.
    pub stays: u64,
    /// What that comes down to.
    pub outlook: Outlook,
}

/// The ledger of the host, with what holds its shared memory and its slab.
#[derive(Debug, Serialize)]
pub struct HostLedgerFacts {
    /// The ledger.
    #[serde(flatten)]
    pub ledger: LedgerFacts,
    /// tmpfs mounts of all mount namespaces that can be seen, the fullest first; sizes in bytes.
    pub mounts: Vec<TmpfsMount>,
    /// System V segments of oomtop's IPC namespace, those that nobody uses first.
    pub segments: Vec<Segment>,
    /// memfds and deleted tmpfs files that are open, the largest first.
    pub open: Vec<OpenFile>,
    /// The largest slab caches.
    pub caches: Vec<Cache>,
    /// What could not be read.
    pub gaps: Vec<String>,
}

impl LedgerFacts {
    fn new(ledger: &Ledger, known: Option<Prospect>) -> Self {
        let entry = |entry: &crate::model::ledger::Entry| EntryFacts {
            kind: entry.kind,
            bytes: entry.bytes,
            freed_by: entry.kind.freed_by(),
        };
        Self {
            used: ledger.used,
            entries: ledger.entries.iter().map(entry).collect(),
            uncounted: ledger.uncounted(),
            excess: ledger.excess(),
            untold: ledger.untold.clone(),
            prospect: known.map(|prospect| ProspectFacts {
                prospect,
                stays: prospect.stays(),
                outlook: prospect.outlook(),
            }),
        }
    }
}

impl Document<'_> {
    /// Adds the ledgers of the host and of the domains that have been read.
    pub fn add_ledgers(&mut self, snapshot: &Snapshot, host: &Host, accounts: Vec<Account>) {
        let page_size = host.rules.page_size;
        let known = |scope: Scope, ledger: Option<&Ledger>| {
            prospect(snapshot.domain(scope)?, snapshot, page_size, ledger)
        };
        for account in accounts {
            let Some(group) = &account.group else {
                let known = known(Scope::Host, Some(&account.ledger));
                self.ledger = Some(HostLedgerFacts {
                    ledger: LedgerFacts::new(&account.ledger, known),
                    mounts: account.mounts,
                    segments: account.segments,
                    open: account.open,
                    caches: account.caches,
                    gaps: account.gaps,
                });
                continue;
            };
            let domain = snapshot.domains.iter().find(|domain| {
                let own = domain.scope.memcg().and_then(|key| snapshot.cgroup(key));
                own.is_some_and(|own| own.path == *group)
            });
            let facts = self.domains.iter_mut().find(|d| d.cgroup == Some(group));
            if let (Some(domain), Some(facts)) = (domain, facts) {
                let known = known(domain.scope, None);
                facts.ledger = Some(LedgerFacts::new(&account.ledger, known));
            }
        }
    }
}
