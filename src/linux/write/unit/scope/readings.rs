//! What a step about one process or several reads: one has an outcome, of several each has its own.

use super::Outcome;
use crate::linux::write::errors::failure;
use crate::model::plan::receipt::{Failure, FailureKind, Home, Reading};
use crate::model::plan::step::ScopeStart;
use crate::model::process::ProcessId;

/// Where one was, or each of several.
pub(super) fn homes<'a>(
    scope: &ScopeStart,
    each: impl Iterator<Item = (ProcessId, &'a Reading)>,
) -> Reading {
    let mut each = each.peekable();
    if let ([_], Some((_, home))) = (scope.targets.as_slice(), each.peek()) {
        return (*home).clone();
    }
    let home = |(process, home): (ProcessId, &Reading)| match home {
        Reading::Home(group, limit) => Some(Home {
            process,
            group: group.clone(),
            limit: *limit,
        }),
        _ => None,
    };
    Reading::Homes(each.filter_map(home).collect())
}

/// One process: its own result. Several: a result for each; an error only if none was moved.
pub(super) fn reading(scope: &ScopeStart, results: Vec<Outcome>) -> Result<Reading, Failure> {
    if let [(_, only)] = results.as_slice() {
        return only.clone().map(|()| Reading::Group(scope.group.clone()));
    }
    if results.iter().any(|(_, came)| came.is_ok()) {
        return Ok(Reading::Came(results));
    }
    let failures = results.into_iter().filter_map(|(_, came)| came.err());
    Err(failures
        .into_iter()
        .next()
        .unwrap_or_else(|| failure(FailureKind::Other, "No process was moved.".to_owned())))
}
