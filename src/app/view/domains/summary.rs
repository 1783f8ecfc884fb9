//! The most urgent domains, always on the main screen: how full each is, how it grows, when it is full, and who dies.

use unicode_width::UnicodeWidthStr;

use super::Domains;
use super::columns::{tone, urgency_tone};
use super::death::Death;
use super::filling::{called, fate};
use super::watch::Watch;
use crate::app::view::gauge::trend::Rate;
use crate::model::memory::band::Band;
use crate::model::oom_domain::urgency::{Acute, Urgency};
use crate::model::oom_domain::victim::{DomainState, Scope};
use crate::model::snapshot::Snapshot;
use crate::text::apart::{Apart, Keeps};
use crate::text::format;
use crate::text::meter::bar;
use crate::text::tone::{Line, Tone};

/// Domains that are remembered as the most urgent: more than any screen shows.
const MOST: usize = 32;

/// Cells of a state, so that the lines of an alarm and of a calm domain line up.
const STATE: usize = 12;

/// How wide the parts of a line are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Widths {
    /// What each domain is called, in at most `name` cells.
    names: Vec<(Scope, String)>,
    /// The name, padded or cut to it.
    name: usize,
    /// The bar inside its frame.
    bar: u16,
    /// The whole line.
    all: usize,
}

impl Widths {
    /// Widths of lines of so many cells that name these domains.
    pub fn new(scopes: &[Scope], snapshot: &Snapshot, width: u16) -> Self {
        let called = all_called(scopes, snapshot);
        let name = longest(&called).min(usize::from(width / 5).clamp(8, 40));
        Self {
            names: told_apart(called, name),
            name,
            bar: (width / 8).clamp(6, 24),
            all: usize::from(width),
        }
    }

    /// The same for a card: the bar has what the name leaves over.
    pub fn of_cards(scopes: &[Scope], snapshot: &Snapshot, width: u16) -> Self {
        /// Frame, share and limit.
        const BESIDE: u16 = 17;
        let called = all_called(scopes, snapshot);
        let name = longest(&called).min(usize::from(width) * 2 / 5);
        let taken = u16::try_from(name).unwrap_or(width).saturating_add(BESIDE);
        Self {
            names: told_apart(called, name),
            name,
            bar: width.saturating_sub(taken).clamp(6, 30),
            all: usize::from(width),
        }
    }
}

/// What each domain is called: its short name, or its whole path where another one has the same.
fn all_called(scopes: &[Scope], snapshot: &Snapshot) -> Vec<(Scope, String)> {
    let names = scopes
        .iter()
        .map(|scope| (*scope, called(*scope, snapshot, 0)));
    let short: Vec<_> = names.collect();
    let is_one = |name: &String| short.iter().filter(|(_, other)| other == name).count() == 1;
    let whole = |scope: Scope| {
        let group = snapshot.cgroup(scope.memcg()?)?;
        Some(group.path.to_string())
    };
    let told = short.iter().map(|(scope, name)| {
        let longer = whole(*scope).filter(|_| !is_one(name));
        (*scope, longer.unwrap_or_else(|| name.clone()))
    });
    told.collect()
}

/// Cells of the longest name.
fn longest(called: &[(Scope, String)]) -> usize {
    let names = called.iter().map(|(_, name)| name.as_str().width());
    names.max().unwrap_or(0)
}

/// The names in so many cells: the end, which tells one group from another, where that is enough.
fn told_apart(called: Vec<(Scope, String)>, cells: usize) -> Vec<(Scope, String)> {
    let names = called.iter().map(|(_, name)| name.clone());
    let apart = Apart::new(names, Keeps::Last, cells, false);
    let cut = |(scope, name): (Scope, String)| (scope, apart.cut(&name, cells, false));
    called.into_iter().map(cut).collect()
}

impl Domains {
    /// The cgroups that kill, the most urgent first; without `main`, which the gauge shows. Of those alike, a domain that
    /// is full only after the one around it comes last, and one without a victim not at all.
    pub(in crate::app) fn nearest(&self, snapshot: &Snapshot) -> Vec<Scope> {
        let main = snapshot.main_domain().map(|domain| domain.scope);
        let mut found: Vec<_> = snapshot
            .domains
            .iter()
            .filter(|domain| domain.scope.memcg().is_some() && Some(domain.scope) != main)
            .filter(|domain| !domain.throttles_only)
            .filter_map(|domain| {
                let watch = self.watch(domain.scope)?;
                let waits = watch
                    .tightest
                    .is_some_and(|(scope, _)| scope != domain.scope);
                let key = (std::cmp::Reverse(watch.urgency), waits, watch.place());
                (watch.has_victims && watch.room.is_some()).then_some((key, domain.scope))
            })
            .collect();
        found.sort();
        found
            .into_iter()
            .map(|(_, scope)| scope)
            .take(MOST)
            .collect()
    }

    /// One line about a domain.
    pub fn summary(&self, scope: Scope, widths: &Widths, snapshot: &Snapshot) -> Option<Line> {
        let (domain, watch) = (snapshot.domain(scope)?, self.watch(scope)?);
        let (state_tone, state) = state(watch);
        let mut line = Line::of(state_tone, format!("{state:<STATE$} "));
        line.spans.extend(measured(domain, watch, widths).spans);
        line.push(growth_tone(watch), format!(" {:>8}", growth(watch)));
        if let Some(when) = when(watch) {
            line.push(urgency_tone(watch.urgency), format!("  {when}"));
        }
        let dies = |level| {
            let mut dies = Line::of(Tone::Dim, "  dies: ");
            dies.push(
                fate_tone(watch),
                fate(Death::from_domain(domain, snapshot), snapshot, level),
            );
            dies
        };
        let whole = dies(0);
        let is_whole = line.width() + whole.width() <= widths.all;
        // On a narrow line without the pid.
        line.spans
            .extend(if is_whole { whole } else { dies(u8::MAX) }.spans);
        Some(line)
    }

    /// Two lines about a domain, for a narrow pane.
    pub fn card(&self, scope: Scope, widths: &Widths, snapshot: &Snapshot) -> Option<[Line; 2]> {
        let (domain, watch) = (snapshot.domain(scope)?, self.watch(scope)?);
        let (state_tone, state) = state(watch);
        let first = measured(domain, watch, widths);
        let mut second = Line::of(state_tone, format!("  {state}"));
        second.push(growth_tone(watch), format!("  {}", growth(watch)));
        if let Some(when) = when(watch) {
            second.push(urgency_tone(watch.urgency), format!("  {when}"));
        }
        second.push(Tone::Dim, "  dies: ");
        second.push(
            fate_tone(watch),
            fate(Death::from_domain(domain, snapshot), snapshot, 0),
        );
        Some([first, second])
    }
}

/// Name, bar and share.
fn measured(domain: &DomainState, watch: &Watch, widths: &Widths) -> Line {
    let (name, cells) = (widths.name, widths.bar);
    let mut called = widths
        .names
        .iter()
        .filter(|(scope, _)| *scope == domain.scope);
    let called = called.next().map_or("", |(_, name)| name.as_str());
    let mut line = Line::of(Tone::Strong, fitted(called, name));
    let Some(room) = watch.room else {
        line.push(Tone::Dim, " n/a");
        return line;
    };
    let percent = room.percent();
    line.push(Tone::Dim, " [");
    let filled = bar(percent, cells);
    let full = filled.trim_end_matches('·');
    line.push(tone(watch.own_band), full);
    line.push(Tone::Dim, &filled[full.len()..]);
    line.push(Tone::Dim, "]");
    line.push(tone(watch.own_band), format!(" {percent:>3.0}%"));
    line.push(
        Tone::Normal,
        format!(" of {:<5}", format::size(domain.limit)),
    );
    line
}

/// The text padded to so many cells, or its end, which tells one group from another.
fn fitted(text: &str, cells: usize) -> String {
    let mut rest = text;
    if rest.width() <= cells {
        return format!("{rest}{}", " ".repeat(cells - rest.width()));
    }
    while !rest.is_empty() && rest.width() + 1 > cells {
        let mut letters = rest.chars();
        letters.next();
        rest = letters.as_str();
    }
    format!(
        "…{rest}{}",
        " ".repeat(cells.saturating_sub(rest.width() + 1))
    )
}

/// The state as in the domains view.
fn state(watch: &Watch) -> (Tone, String) {
    if watch.stuck().is_some() {
        return (Tone::Critical, "STUCK".to_owned());
    }
    match watch.acute() {
        Some(Acute::Killed) if watch.own_band > Band::Normal => {}
        Some(Acute::Killed) => {
            let ago = format::duration(watch.signs.since_kill.unwrap_or_default());
            return (urgency_tone(watch.urgency), format!("KILLED {ago}"));
        }
        Some(acute) => return (urgency_tone(watch.urgency), acute.word().to_owned()),
        None => {}
    }
    (tone(watch.own_band), watch.own_band.name().to_owned())
}

fn growth(watch: &Watch) -> String {
    match watch.forecast.rate() {
        Rate::Unknown => "…".to_owned(),
        Rate::Unsteady => "unsteady".to_owned(),
        Rate::Frozen => "frozen".to_owned(),
        Rate::Steady(rate) if rate.abs() < 1024.0 => "still".to_owned(),
        Rate::Steady(rate) => format::rate(rate),
        Rate::Lately(rate, _) => format!("{}?", format::rate(rate)),
    }
}

fn growth_tone(watch: &Watch) -> Tone {
    match watch.forecast.rate() {
        Rate::Lately(..) => Tone::Watch,
        Rate::Steady(rate) if rate >= 1024.0 => Tone::Watch,
        Rate::Steady(_) | Rate::Unknown | Rate::Unsteady | Rate::Frozen => Tone::Dim,
    }
}

/// When it is full.
fn when(watch: &Watch) -> Option<String> {
    let left = watch.signs.time_left?;
    let left = format::forecast(left, watch.forecast.is_unsure());
    Some(format!("full in {left}"))
}

fn fate_tone(watch: &Watch) -> Tone {
    if watch.urgency >= Urgency::Close {
        Tone::Critical
    } else {
        Tone::Normal
    }
}

#[cfg(test)]
mod tests {
    use super::fitted;

    #[test]
    fn names_are_padded_or_lose_their_beginning() {
        assert_eq!(fitted("shop", 6), "shop  ");
        assert_eq!(fitted("shops/orders", 7), "…orders");
        assert_eq!(fitted("日本語", 4), "…語 ");
        assert_eq!(fitted("x", 0), "…");
        assert_eq!(fitted("", 0), "");
    }
}
