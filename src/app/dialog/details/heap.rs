//! How far the runtime of a process lets its heap grow, against the limit of the nearest OOM domain around it.

use crate::app::dialog::DialogContext;
use crate::model::heap::Runtime;
use crate::model::oom_domain::enclosing::is_member;
use crate::model::oom_domain::victim::{DomainState, Scope};
use crate::model::process::Process;
use crate::model::snapshot::Detail;
use crate::text::format::long_size;
use crate::text::tone::{Line, Tone};
use crate::text::wording;

/// Share of a limit, in percent, above which too little is left for what is not in the heap: threads, code, buffers.
const TIGHT: u64 = 85;

pub(super) fn lines(
    process: &Process,
    detail: Option<&Detail>,
    context: &DialogContext<'_>,
) -> Vec<Line> {
    let Some(bound) = detail.and_then(|detail| detail.heap.as_ref()) else {
        return Vec::new();
    };
    let Some(domain) = lowest(process, context) else {
        return Vec::new();
    };
    let most = bound.bytes(domain.limit);
    let name = wording::domain(domain.scope, context.cells.snapshot);
    let mut line = Line::of(Tone::Dim, "  ").add(
        Tone::Normal,
        format!(
            "{} {} ({})",
            what(bound.runtime),
            long_size(most),
            bound.source
        ),
    );
    let limit = long_size(domain.limit);
    let left = domain.limit.saturating_sub(most);
    line = if most >= domain.limit {
        let text = format!(", but the limit of {name} is {limit}: the kernel kills first");
        line.add(Tone::Critical, text)
    } else if most > domain.limit / 100 * TIGHT {
        let text = format!(
            "; the limit of {name} is {limit}, which leaves {} for the rest of the process",
            long_size(left)
        );
        line.add(Tone::Watch, text)
    } else {
        line.add(Tone::Dim, format!("; the limit of {name} is {limit}"))
    };
    match bound.runtime {
        Runtime::Go => line = line.add(Tone::Dim, "; if it is a Go program"),
        Runtime::Dotnet => line = line.add(Tone::Dim, "; if it is a .NET program"),
        Runtime::Java | Runtime::Node | Runtime::Postgres => {}
    }
    if bound.may_differ {
        let text =
            "; its environment or a file of options, which cannot be read, may say otherwise";
        line = line.add(Tone::Watch, text);
    }
    vec![Line::of(Tone::Accent, "What its runtime allows"), line]
}

/// The domain around it with the lowest limit.
fn lowest<'c>(process: &Process, context: &DialogContext<'c>) -> Option<&'c DomainState> {
    let snapshot = context.cells.snapshot;
    let around = snapshot.domains.iter().filter(|domain| {
        !domain.throttles_only
            && !matches!(domain.scope, Scope::Nodes(_))
            && is_member(process, domain.scope, snapshot)
    });
    around.min_by_key(|domain| domain.limit)
}

/// Subject and verb, before the size.
fn what(runtime: Runtime) -> &'static str {
    match runtime {
        Runtime::Java => "the Java heap may grow to",
        Runtime::Node => "the old generation of Node may grow to",
        Runtime::Go => "Go's collector aims to stay below",
        Runtime::Dotnet => "the .NET heap may grow to",
        Runtime::Postgres => "its shared buffers are",
    }
}
