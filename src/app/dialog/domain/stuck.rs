//! A domain that is stuck: how, since when, who waits, what frees it.

use super::Subject;
use crate::app::dialog::DialogContext;
use crate::app::input::id::ActionId as Id;
use crate::app::view::domains::waiting::{MOST, Waiting};
use crate::model::cgroup::limits::LimitFile;
use crate::model::ledger::prospect::prospect;
use crate::model::oom_domain::stuck::Stuck;
use crate::model::oom_domain::victim::Scope;
use crate::text::format;
use crate::text::tone::{Line, Tone};
use crate::text::wording;

impl Subject<'_> {
    /// Nothing where it is not stuck.
    pub(super) fn stuck(&self, context: &DialogContext<'_>) -> Vec<Line> {
        let Some((kind, since)) = self.watch.stuck() else {
            return Vec::new();
        };
        let lasts = format::duration(self.snapshot.taken.monotonic.since(since));
        let mut lines = vec![
            Line::new(),
            Line::of(Tone::Critical, format!("STUCK for {lasts}")),
            Line::of(Tone::Normal, format!("  {}", why(kind))),
        ];
        lines.extend(self.waits());
        let free = Line::of(Tone::Accent, "  What frees it: ");
        lines.push(free.add(Tone::Normal, self.remedy(kind, context)));
        lines
    }

    /// Who waits, and in which function of the kernel where that may be read.
    fn waits(&self) -> Vec<Line> {
        let waiting = Waiting::new(self.domain.scope, self.snapshot);
        let named = waiting.asleep.iter().take(MOST).map(|id| {
            let who = wording::process(*id, self.snapshot);
            let known = self.snapshot.waiting.iter().find(|known| known.id == *id);
            match known.and_then(|known| known.place.as_ref()) {
                Some(place) => format!("{who} in {place}"),
                None => who,
            }
        });
        let named: Vec<String> = named.collect();
        let mut line = Line::of(Tone::Dim, "  Who waits: ").add(Tone::Normal, waiting.words());
        if !named.is_empty() {
            line.push(Tone::Normal, format!(" ({})", named.join(", ")));
        }
        vec![line]
    }

    fn remedy(&self, kind: Stuck, context: &DialogContext<'_>) -> String {
        let high = LimitFile::High.name();
        let limits = context.keymap.key(Id::Cgroup);
        let signal = context.keymap.key(Id::Signal);
        match kind {
            Stuck::Throttled => {
                let most = self.watch.room.map_or(0, |room| room.usage);
                format!(
                    "raise {high} above {} ({limits}), end a process of it ({signal}), or add swap; with {} set as well \
                     the kernel kills instead.",
                    format::long_size(most),
                    LimitFile::Max.name()
                )
            }
            Stuck::KillerOff => format!(
                "raise the limit ({limits}), end a process of it ({signal}), or write 0 to {} ({limits}).",
                LimitFile::V1OomControl.name()
            ),
            Stuck::Immune => format!(
                "raise the limit ({limits}), or lower the protection of one of them ({}): adj -1000 makes a process \
                 immune, -999 does not.",
                context.keymap.key(Id::Adjust)
            ),
            Stuck::Thrashing => {
                let page_size = context.host.rules.page_size;
                let known = prospect(self.domain, self.snapshot, page_size, None);
                let most = known.map_or_else(String::new, |known| {
                    format!(" (kills free at most {})", format::size(known.by_kill))
                });
                let whose = match self.domain.scope {
                    Scope::Host | Scope::Nodes(_) => "end or limit",
                    Scope::Memcg(_) => "raise the limit, or end",
                };
                format!(
                    "{whose} what does not fit{most}; SysRq-f, systemd-oomd or earlyoom kill before that."
                )
            }
        }
    }
}

/// How it came that nothing goes on.
fn why(kind: Stuck) -> String {
    let high = LimitFile::High.name();
    match kind {
        Stuck::Throttled => format!(
            "It is over {high}, and reclaim finds nothing that stays away: the kernel slows its tasks down without \
             end and kills nobody."
        ),
        Stuck::KillerOff => format!(
            "It is full, and {} has oom_kill_disable 1 and under_oom 1: its tasks wait for memory, and nobody is \
             killed.",
            LimitFile::V1OomControl.name()
        ),
        Stuck::Immune => "It is full, and every process in it is immune: whoever asks for memory tries again and \
             again, and the kernel fills its log."
            .to_owned(),
        Stuck::Thrashing => "What is taken out of memory is needed again at once: its tasks wait for swap and files \
             most of the time, and the kernel kills nobody while some pages still come back."
            .to_owned(),
    }
}
