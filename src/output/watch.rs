//! What `oomtop watch` tells of an event: a line, a line of JSON, and the environment of a hook.

use serde_json::{Map, Value, json};

use super::printable;
use super::safe_json::escaped;
use crate::app::lookout::{By, Death, Named, News, WhatRanOut};
use crate::model::cgroup::limits::LimitFile;
use crate::model::memory::band::Band;
use crate::model::oom_domain::stuck::Stuck;
use crate::text::format::{forecast, long_size, number_of, percent};

/// An event with its time.
#[derive(Debug, Clone, PartialEq)]
pub struct Told {
    /// What happened.
    pub news: News,
    /// Microseconds since 1970.
    pub unix_micros: i64,
    /// The host's name.
    pub host: String,
}

impl Told {
    /// One line without time and host.
    #[must_use]
    pub fn text(&self) -> String {
        printable(&sentence(&self.news))
    }

    /// One line of JSON: `event`, `time` (seconds since 1970), `host`, `text`, and the facts of the event; what is not known
    /// is left out.
    #[must_use]
    pub fn json(&self) -> String {
        let mut all = Map::new();
        all.insert("event".to_owned(), json!(self.event()));
        all.insert("time".to_owned(), json!(self.seconds()));
        all.insert("host".to_owned(), json!(self.host));
        all.insert("text".to_owned(), json!(self.text()));
        for (name, value) in facts(&self.news) {
            all.insert(name.to_owned(), value);
        }
        escaped(&Value::Object(all).to_string()).into_owned()
    }

    /// The variables of a hook: `OOMTOP_EVENT`, `OOMTOP_TEXT`, …, `OOMTOP_JSON`. No value has a control character.
    #[must_use]
    pub fn environment(&self) -> Vec<(String, String)> {
        let mut all = vec![
            ("OOMTOP_EVENT".to_owned(), self.event().to_owned()),
            ("OOMTOP_TIME".to_owned(), self.seconds().to_string()),
            ("OOMTOP_HOST".to_owned(), printable(&self.host)),
            ("OOMTOP_TEXT".to_owned(), self.text()),
            ("OOMTOP_JSON".to_owned(), self.json()),
        ];
        for (name, value) in facts(&self.news) {
            let text = match value {
                Value::String(text) => printable(&text),
                other => other.to_string(),
            };
            all.push((format!("OOMTOP_{}", name.to_ascii_uppercase()), text));
        }
        all
    }

    fn seconds(&self) -> f64 {
        self.unix_micros as f64 / 1e6
    }

    /// The kind of event in a word.
    #[must_use]
    pub fn event(&self) -> &'static str {
        match &self.news {
            News::Killed(_) => "kill",
            News::Explained(_) => "kill_explained",
            News::Filling { .. } => "forecast",
            News::NotFilling { .. } => "forecast_over",
            News::Band { .. } => "band",
            News::Stuck { .. } => "stuck",
            News::Unstuck { .. } => "stuck_over",
            News::Drift { .. } => "drift",
        }
    }

    /// True for what somebody should look at, false for what is over.
    #[must_use]
    pub fn is_bad(&self) -> bool {
        match &self.news {
            News::Killed(_) | News::Filling { .. } | News::Stuck { .. } => true,
            News::Band { from, to, .. } => *to > from.unwrap_or_default(),
            News::Drift {
                processes, limits, ..
            } => *processes > 0 || !limits.is_empty(),
            // The kill itself was told before.
            News::Explained(_) | News::NotFilling { .. } | News::Unstuck { .. } => false,
        }
    }
}

fn sentence(news: &News) -> String {
    match news {
        News::Killed(death) => killed(death),
        News::Explained(death) => {
            let report = killed(death);
            let report = report.strip_prefix("KILL ").unwrap_or(&report);
            format!("of a kill told before, the log says now: {report}")
        }
        News::Filling {
            of,
            left,
            brief,
            victim,
            or,
        } => {
            let or = or.as_ref();
            let or = or.map_or_else(String::new, |(pid, comm)| format!(" or {pid} {comm}"));
            let whom = match victim {
                Some((pid, comm)) => format!("next victim {pid} {comm}{or}"),
                None => "the next victim is not known".to_owned(),
            };
            format!("FULL IN {} {}: {whom}", forecast(*left, *brief), called(of))
        }
        News::NotFilling { of } => format!("{} does not fill any more", called(of)),
        News::Band {
            of,
            from: Some(from),
            to,
            percent: share,
        } => format!(
            "{} from the {} to the {} band: {} used",
            called(of),
            from.name(),
            to.name(),
            percent(*share)
        ),
        News::Band {
            of,
            from: None,
            to,
            percent: share,
        } => format!(
            "{} is in the {} band: {} used",
            called(of),
            to.name(),
            percent(*share)
        ),
        News::Stuck { of, how } => {
            let why = match how {
                Stuck::Throttled => {
                    format!("over {} with nothing to reclaim", LimitFile::High.name())
                }
                Stuck::KillerOff => "full, and its OOM killer is off".to_owned(),
                Stuck::Immune => "full, and nobody in it can be killed".to_owned(),
                Stuck::Thrashing => {
                    "what is taken out of memory is needed again at once".to_owned()
                }
            };
            format!("STUCK {}: {why}; nobody is killed", called(of))
        }
        News::Unstuck { of } => format!("{} is not stuck any more", called(of)),
        News::Drift {
            rule,
            processes,
            limits,
        } => drift(rule, *processes, limits),
    }
}

fn drift(rule: &str, processes: usize, limits: &[String]) -> String {
    let count = number_of(processes as u64, "process", "processes");
    match (processes, limits) {
        (0, []) => format!("all is as rule {rule} says again"),
        (_, []) => format!("DRIFT {count} without the value or the group of rule {rule}"),
        (0, limits) => format!("DRIFT rule {rule}: {}", limits.join(", ")),
        (_, limits) => format!(
            "DRIFT {count} without the value or the group of rule {rule}; {}",
            limits.join(", ")
        ),
    }
}

fn killed(death: &Death) -> String {
    let whom = match (death.pid, &death.comm, &death.cgroup) {
        (Some(pid), Some(comm), _) => format!("{pid} {comm}"),
        (Some(pid), None, _) => pid.to_string(),
        (None, _, Some(group)) => format!(
            "{} of {group}",
            number_of(death.processes, "process", "processes")
        ),
        (None, ..) => number_of(death.processes, "process", "processes"),
    };
    let who = match death.by {
        By::Kernel(_) => "the kernel",
        By::Program(killer) => killer.name(),
    };
    let anon = death
        .anon
        .map_or_else(String::new, |bytes| format!(", {} anon", long_size(bytes)));
    let why = match (death.by, &death.limit_of, &death.reason) {
        (By::Kernel(WhatRanOut::Host), ..) => ": the host ran out of memory".to_owned(),
        (By::Kernel(WhatRanOut::Memcg), Some(group), _) => format!(": limit of {group}"),
        (By::Kernel(WhatRanOut::Memcg), None, _) => ": limit of a cgroup".to_owned(),
        (By::Kernel(WhatRanOut::Nodes), ..) => ": its memory nodes were full".to_owned(),
        (By::Kernel(WhatRanOut::Request), ..) => ": somebody asked for it (SysRq-f)".to_owned(),
        (By::Kernel(WhatRanOut::Unknown), ..) if death.pid.is_none() => {
            " (its counter rose, no log tells whom)".to_owned()
        }
        (By::Program(_), _, Some(reason)) => format!(": {reason}"),
        (By::Kernel(WhatRanOut::Unknown) | By::Program(_), ..) => String::new(),
    };
    format!("KILL {who} killed {whom}{anon}{why}")
}

fn called(of: &Named) -> String {
    match of.domain.as_str() {
        "host" => "the host".to_owned(),
        path if of.unit.is_empty() => path.to_owned(),
        path => format!("{} ({path})", of.unit),
    }
}

/// What is known of the event, by names that are the same in JSON and in the environment.
fn facts(news: &News) -> Vec<(&'static str, Value)> {
    let mut all: Vec<(&'static str, Value)> = Vec::new();
    let mut place = |of: &Named| {
        let mut named = vec![("domain", json!(of.domain))];
        if !of.unit.is_empty() {
            named.push(("unit", json!(of.unit)));
        }
        all.extend(named);
    };
    match news {
        News::Killed(death) | News::Explained(death) => {
            let some = |name, value: Option<Value>| value.map(|value| (name, value));
            all.extend([
                ("by", json!(death.by.word())),
                ("scope", json!(death.by.scope())),
                ("processes", json!(death.processes)),
            ]);
            let known = [
                some("pid", death.pid.map(|pid| json!(pid))),
                some("comm", death.comm.as_ref().map(|comm| json!(comm))),
                some("cgroup", death.cgroup.as_ref().map(|group| json!(group))),
                some(
                    "limit_of",
                    death.limit_of.as_ref().map(|group| json!(group)),
                ),
                some("anon_bytes", death.anon.map(|anon| json!(anon))),
                some("reason", death.reason.as_ref().map(|reason| json!(reason))),
            ];
            all.extend(known.into_iter().flatten());
        }
        News::Filling {
            of,
            left,
            brief,
            victim,
            or,
        } => {
            place(of);
            all.push(("brief", json!(brief)));
            // As the text has it: no second is promised that is not whole.
            all.push(("seconds_left", json!(left.as_secs_f64().floor())));
            if let Some((pid, comm)) = victim {
                all.extend([("pid", json!(pid)), ("comm", json!(comm))]);
            }
            if let Some((pid, comm)) = or {
                all.extend([("or_pid", json!(pid)), ("or_comm", json!(comm))]);
            }
        }
        News::NotFilling { of } | News::Unstuck { of } => place(of),
        News::Band {
            of,
            from,
            to,
            percent,
        } => {
            place(of);
            all.extend([
                ("band", json!(band(*to))),
                ("used_percent", json!((percent * 10.0).round() / 10.0)),
            ]);
            all.extend(from.map(|from| ("band_before", json!(band(from)))));
        }
        News::Stuck { of, how } => {
            place(of);
            all.push(("how", json!(how)));
        }
        News::Drift {
            rule,
            processes,
            limits,
        } => {
            all.extend([("rule", json!(rule)), ("processes", json!(processes))]);
            if !limits.is_empty() {
                all.push(("limits", json!(limits.join("; "))));
            }
        }
    }
    all
}

fn band(band: Band) -> Value {
    json!(band)
}

#[cfg(test)]
mod tests;
