//! [`page`]: what `oomtop metrics` shows to Prometheus.
//!
//! Names follow Prometheus' conventions: base units (`_bytes`, `_seconds`, `_ratio`), `_total` for what only rises, `_info`
//! for facts. What is not known has no sample; 0 is always a number that was read. No label holds a pid, because every
//! process would leave a series of its own behind.
//!
//! A page has at most [`DOMAINS`] domains, [`PROCESSES`] processes and [`RULES`] rules: `oomtop_left_out` counts the others.

mod domains;
mod exposition;
mod host;
mod own;
mod processes;

use crate::app::lookout::Lookout;
use crate::model::rules::book::RuleBook;
use crate::model::snapshot::Host;

use exposition::{Kind, Page};

pub use exposition::Format;

/// Most domains on a page: the host, and the most urgent ones.
pub const DOMAINS: usize = crate::app::lookout::PLACES;

/// Most processes on a page, by badness; those of one name and unit are one.
pub const PROCESSES: usize = 20;

/// Most rules of `oomtop protect` on a page.
pub const RULES: usize = 64;

/// What a page is made of.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    /// The newest sample and what is remembered.
    pub lookout: &'a Lookout,
    /// The machine.
    pub host: &'a Host,
    /// Whom the rules of `oomtop protect` hold; `None` if that is not known yet.
    pub rules: Option<&'a RuleBook>,
    /// Processor time that oomtop has used, in seconds.
    pub own_cpu_seconds: Option<f64>,
}

/// All metrics.
#[must_use]
pub fn page(facts: &Facts<'_>, format: Format) -> String {
    let mut page = Page::new(format);
    host::write(&mut page, facts);
    let domains = domains::write(&mut page, facts);
    let processes = processes::write(&mut page, facts);
    let rules = own::rules(&mut page, facts);
    own::write(&mut page, facts);
    let mut family = page.family(
        "oomtop_left_out",
        Kind::Gauge,
        "Domains, processes and rules that this page has no room for.",
    );
    family.sample(&[("kind", "domain")], Some(domains));
    family.sample(&[("kind", "process")], Some(processes));
    family.sample(&[("kind", "rule")], Some(rules));
    let series = page.series() + 1;
    page.family(
        "oomtop_series",
        Kind::Gauge,
        "Series on this page, this one included.",
    )
    .sample(&[], Some(series));
    page.finish()
}
