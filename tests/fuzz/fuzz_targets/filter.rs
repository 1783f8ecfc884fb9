//! What a user can type after `/` and into a size field.

#![no_main]

use libfuzzer_sys::fuzz_target;
use oomtop::model::filter::{Filter, FilterContext};
use oomtop::model::kernel::KernelRules;
use oomtop::model::process::{MemoryUse, Process};
use oomtop::model::process::score::OomScoreAdj;
use oomtop::model::size::parse_size;
use oomtop::model::snapshot::Snapshot;

fuzz_target!(|text: &str| {
    if let Ok(bytes) = parse_size(text) {
        assert_eq!(parse_size(&bytes.to_string()), Ok(bytes), "{text:?}");
    }
    let Ok(filter) = Filter::parse(text) else {
        return;
    };
    assert_eq!(filter.is_empty(), text.trim().is_empty());
    let snapshot = Snapshot::default();
    let context = FilterContext {
        snapshot: &snapshot,
        rules: &KernelRules::default(),
        total: 100_000,
    };
    let process = Process {
        comm: "mysqld".into(),
        command: Some("/usr/sbin/mysqld --datadir=/var".into()),
        adj: OomScoreAdj::new(-500),
        memory: Some(MemoryUse::default()),
        ..Process::default()
    };
    let passes = filter.matches(&process, &context);
    // Adding a term that always holds changes nothing; with a term that never holds no row matches.
    let and = |term: &str| {
        Filter::parse(&format!("{text} {term}")).map(|f| f.matches(&process, &context))
    };
    assert_eq!(and("adj=-500"), Ok(passes));
    assert_eq!(and("!mysql"), Ok(false));
});
