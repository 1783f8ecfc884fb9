//! Who dies next, and who just died.

use ratatui::layout::Rect;

use crate::app::State;
use crate::app::view::domains::columns::{tone, urgency_tone};
use crate::app::view::domains::death::{Death, Reach};
use crate::app::view::domains::watch::Watch;
use crate::model::oom_domain::urgency::Acute;
use crate::model::oom_domain::victim::{DomainState, Scope, Verdict};
use crate::model::process::{Process, ProcessId};
use crate::model::snapshot::Snapshot;
use crate::text::format;
use crate::text::tone::{Line, Tone};
use crate::text::wording;
use crate::text::wording::short_group;
use crate::ui::canvas::Canvas;

pub(super) fn victim(state: &State, area: Rect, canvas: &mut Canvas<'_>) {
    if state.snapshot.seq == 0 {
        return;
    }
    let leading = state.domains.leading();
    let domain = leading
        .and_then(|scope| state.snapshot.domain(scope))
        .or_else(|| state.snapshot.main_domain());
    let mut right = Line::new();
    let kills = state.events.kills();
    if kills > 0 {
        right.push(Tone::Dim, "kills ");
        right.push(Tone::Critical, state.events.tally().words());
        right.push(Tone::Dim, state.events.since_boot(&state.snapshot));
        if let Some((kill, at)) = state.events.last_kill().and_then(|k| Some((k, k.at?))) {
            let ago = state.now.monotonic.since(at);
            right.push(
                Tone::Dim,
                format!(", last {} {} ago", kill.comm, format::duration(ago)),
            );
        }
    }
    let line = |detail| {
        let mut line = Line::of(Tone::Accent, "Next victim ");
        if state.host.hidepid {
            line.push(Tone::Watch, "among those visible: ");
        }
        match domain {
            Some(domain) => describe(state, domain, detail, &mut line),
            None => line.push(Tone::Watch, NOBODY),
        }
        line
    };
    // The table marks the host's victim, so the line names that victim too, even if the group's part must
    // shrink.
    let main = leading.and_then(|_| state.snapshot.main_domain());
    let whole = usize::from(area.width);
    let line = match main {
        Some(main) => {
            let both = |detail| {
                let mut line = line(detail);
                line.spans.extend(also(state, main, detail).spans);
                line
            };
            let mut lines = Detail::ALL.into_iter().map(both);
            lines
                .find(|line| line.width() <= whole)
                .unwrap_or_else(|| both(Detail::Least))
        }
        None => line(Detail::All),
    };
    if line.width() + right.width() + 2 <= usize::from(area.width) {
        canvas.line_right(area, &right);
    }
    canvas.line(area, &line);
}

/// How much the line says about how near a group is to its limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Detail {
    /// Its share and the time left.
    All,
    /// The time left.
    Time,
    /// Nothing.
    None,
    /// Nothing, and names alone: no pids, no more of a group than its last level.
    Names,
    /// Not even who else might die, nor what a kill takes along.
    Least,
}

impl Detail {
    const ALL: [Self; 5] = [Self::All, Self::Time, Self::None, Self::Names, Self::Least];

    fn names_alone(self) -> bool {
        self >= Self::Names
    }

    /// Who dies.
    fn who(self, verdict: &Verdict, snapshot: &Snapshot) -> String {
        if !self.names_alone() {
            return wording::victim(verdict, snapshot);
        }
        let name = |id: ProcessId| match snapshot.process(id) {
            Some(process) => process.comm.to_string(),
            None => id.pid.to_string(),
        };
        let first = name(verdict.victim.id);
        match verdict.or().filter(|_| self < Self::Least) {
            Some(other) => format!("{first} or {}", name(other.id)),
            None => first,
        }
    }

    /// Where.
    fn group(self, path: &str) -> String {
        let name = short_group(path);
        match name.rsplit_once('/') {
            Some((_, last)) if self.names_alone() && !last.is_empty() => format!("…/{last}"),
            _ => name,
        }
    }
}

/// What a kill takes along, behind the name of the group.
fn wording_of(reach: Reach) -> &'static str {
    match reach {
        Reach::One => "",
        Reach::Shared => " (others share its memory)",
        Reach::Group => " (all die)",
        Reach::Unit => " (its unit is stopped)",
        Reach::Namespace => " (its container ends)",
    }
}

const NOBODY: &str = "nobody: there is no process the kernel may kill";

fn describe(state: &State, domain: &DomainState, detail: Detail, line: &mut Line) {
    let snapshot = &state.snapshot;
    let group = domain.scope.memcg().and_then(|key| snapshot.cgroup(key));
    let death = Death::from_domain(domain, snapshot);
    match death {
        Death::Hangs => line.push(Tone::Critical, "nobody: its tasks hang"),
        Death::Panics => {
            let value = snapshot.vm_settings.panic_on_oom.unwrap_or(0);
            line.push(Tone::Danger, "nobody: the kernel panics");
            line.push(Tone::Dim, format!("  (panic_on_oom {value})"));
        }
        Death::Asker => {
            line.push(Tone::Critical, "whoever asks for memory");
            line.push(Tone::Dim, "  (oom_kill_allocating_task)");
        }
        Death::Kill(verdict, _) => {
            line.push(Tone::Critical, detail.who(&verdict, snapshot));
        }
        Death::Throttles => line.push(Tone::Dim, "nobody: its tasks are slowed down"),
        Death::Dying(id) => line.push(Tone::Watch, wording::dying(id, snapshot)),
        Death::Empty | Death::Nobody if group.is_some() => {
            line.push(Tone::Watch, "nobody can be killed");
        }
        Death::Empty | Death::Nobody => line.push(Tone::Watch, NOBODY),
    }
    if let Some(group) = group {
        // A limit is nearer to its OOM than the host: say which, how near, and who dies.
        line.push(Tone::Dim, "  in ");
        line.push(Tone::Strong, detail.group(group.path.as_str()));
        if let Death::Kill(_, reach) = death
            && detail < Detail::Least
        {
            line.push(Tone::Danger, wording_of(reach));
        }
        if let Some(watch) = state.domains.watch(domain.scope) {
            near(watch, domain.limit, detail, line);
        }
    } else if let Some(verdict) = death.verdict()
        && let Some(process) = snapshot.process(verdict.victim.id)
    {
        own_numbers(state, process, domain.total_pages, line);
    }
}

/// Writes how near a group is to its limit.
fn near(watch: &Watch, limit: u64, detail: Detail, line: &mut Line) {
    if detail >= Detail::None {
        return;
    }
    let Some(room) = watch.room else { return };
    let share = format!(
        "  {} of {}",
        format::percent(room.percent()),
        format::size(limit)
    );
    if detail == Detail::All {
        line.push(tone(watch.own_band), share);
    }
    match watch.signs.time_left {
        Some(left) => line.push(
            urgency_tone(watch.urgency),
            format!(
                ", full in {}",
                format::forecast(left, watch.forecast.is_unsure())
            ),
        ),
        None => match watch.acute() {
            // The line names the next one to die: that another one died must not read as if this one had.
            Some(Acute::Killed) => {
                let ago = watch.signs.since_kill.unwrap_or_default();
                let ago = format::duration(ago);
                let tone = urgency_tone(watch.urgency);
                line.push(tone, format!(", last kill there {ago} ago"));
            }
            Some(acute @ (Acute::Hangs | Acute::Oom)) => {
                line.push(urgency_tone(watch.urgency), format!(", {}", acute.phrase()));
            }
            None => {}
        },
    }
}

/// The host's victim in few words.
fn also(state: &State, domain: &DomainState, detail: Detail) -> Line {
    let mut line = Line::new();
    let what = match domain.scope {
        Scope::Host | Scope::Nodes(_) => "  host: ",
        Scope::Memcg(_) => "  own limit: ",
    };
    let (tone, who) = match Death::from_domain(domain, &state.snapshot) {
        Death::Panics => (Tone::Danger, "panics".to_owned()),
        Death::Asker => (Tone::Normal, "whoever asks".to_owned()),
        Death::Kill(verdict, _) => (Tone::Normal, detail.who(&verdict, &state.snapshot)),
        Death::Hangs | Death::Throttles | Death::Empty | Death::Dying(_) | Death::Nobody => {
            return line;
        }
    };
    line.push(Tone::Dim, what);
    line.push(tone, who);
    line
}

fn own_numbers(state: &State, process: &Process, total: u64, line: &mut Line) {
    let charged = i64::try_from(process.charged_pages()).unwrap_or(i64::MAX);
    line.push(
        Tone::Normal,
        format!("  {}‰", format::permille(charged, total)),
    );
    line.push(Tone::Dim, " of RAM+swap");
    let adj = process
        .adj
        .map_or_else(|| "n/a".to_owned(), |a| a.to_string());
    line.push(Tone::Dim, "  adj ");
    line.push(Tone::Normal, adj);
    if let Some(group) = process.cgroup.and_then(|key| state.snapshot.cgroup(key)) {
        line.push(Tone::Dim, format!("  {}", short_group(group.path.as_str())));
    }
}
