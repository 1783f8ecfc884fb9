//! [`Fleet`]: many hosts as Prometheus knows them, the one that is nearest to an OOM first. Pure: answers in, rows out.

pub mod answer;
pub mod ask;
pub mod credentials;

use std::collections::BTreeMap;

use answer::{Labels, Series};
use ask::Ask;

/// Most hosts; more are counted.
pub const HOSTS: usize = 5000;

/// Most domains kept of a host, the most urgent ones.
pub const DOMAINS: usize = 16;

/// Numbers older than this, in seconds, are old.
const OLD: f64 = 120.0;

/// How much is known of a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Depth {
    /// oomtop runs there.
    #[default]
    Oomtop,
    /// Only node_exporter or cadvisor: no forecast, no domains, no victim.
    Shallow,
}

/// Whether its numbers are of now.
#[derive(Debug, Clone, Copy, PartialEq, Default, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Health {
    /// They are.
    #[default]
    Fresh,
    /// Prometheus cannot scrape it; so many seconds ago it last could, if that was within a day.
    Down(Option<f64>),
    /// It answers, but its newest sample is so many seconds old.
    Old(f64),
}

/// A domain that is not calm.
#[derive(Debug, Clone, PartialEq, Default, serde::Serialize)]
pub struct Domain {
    /// `host`, or the path of the group.
    pub name: String,
    /// Its unit or container; empty if not known.
    pub unit: String,
    /// 0 to 4, as `oomtop_domain_urgency`.
    pub urgency: u8,
    /// Used share of its limit, 0 to 1 and beyond.
    pub used: Option<f64>,
    /// Seconds until it is full.
    pub time_left: Option<f64>,
    /// Nothing goes on in it.
    pub stuck: bool,
    /// Who dies next in it.
    pub victim: Option<String>,
}

/// A host.
#[derive(Debug, Clone, PartialEq, Default, serde::Serialize)]
pub struct Host {
    /// Its address without the port.
    pub name: String,
    /// How much is known.
    pub depth: Depth,
    /// Whether the numbers are of now.
    pub health: Health,
    /// Used share of the watched limit, 0 to 1.
    pub used: Option<f64>,
    /// Bytes that it can still use before somebody is killed.
    pub left: Option<f64>,
    /// Seconds until nothing is left.
    pub time_left: Option<f64>,
    /// Band of the gauge, 0 to 3.
    pub band: Option<u8>,
    /// Kills of the last hour.
    pub kills: Option<f64>,
    /// Who dies next there.
    pub victim: Option<String>,
    /// Domains that are not calm, the most urgent first.
    pub domains: Vec<Domain>,
    /// Used share in the last half hour, the oldest first.
    pub past: Vec<f64>,
}

impl Host {
    /// The domain to look at first.
    #[must_use]
    pub fn worst(&self) -> Option<&Domain> {
        self.domains.first()
    }

    /// 0 to 4: that of its most urgent domain. A host that does not answer may be in the middle of it: 3. Of a shallow one
    /// the used share decides, by the usual marks.
    #[must_use]
    pub fn urgency(&self) -> u8 {
        let of_domains = self.worst().map_or(0, |domain| domain.urgency);
        let by_share = match (self.depth, self.used) {
            (Depth::Shallow, Some(used)) => {
                let marks = [0.70, 0.85, 0.95];
                u8::try_from(marks.iter().filter(|mark| used >= **mark).count()).unwrap_or(0)
            }
            _ => 0,
        };
        let unseen = match self.health {
            Health::Fresh => 0,
            Health::Down(_) | Health::Old(_) => 3,
        };
        of_domains.max(by_share).max(unseen)
    }

    /// The least time left anywhere on it, in seconds.
    #[must_use]
    pub fn soonest(&self) -> Option<f64> {
        let domains = self.domains.iter().filter_map(|domain| domain.time_left);
        domains.chain(self.time_left).min_by(f64::total_cmp)
    }
}

/// Hosts while answers come in.
#[derive(Debug, Default)]
pub struct Fleet {
    hosts: BTreeMap<String, Host>,
    now: f64,
    /// Hosts that there was no room for.
    pub left_out: usize,
    /// Values that were no numbers.
    pub strange: usize,
}

impl Fleet {
    /// Nobody yet; `now` is the time of the answers in seconds since 1970.
    #[must_use]
    pub fn new(now: f64) -> Self {
        Self {
            now,
            ..Self::default()
        }
    }

    /// Takes the answer to a query other than [`Ask::Past`], in the order of [`Ask::INSTANT`].
    pub fn take(&mut self, ask: Ask, series: &[Series<'_>]) {
        for one in series {
            self.take_one(ask, one);
        }
    }

    fn take_one(&mut self, ask: Ask, one: &Series<'_>) {
        let name = host_of(one.label("instance"));
        if name.is_empty() {
            return;
        }
        let is_new = !self.hosts.contains_key(name);
        let is_shallow = matches!(ask, Ask::NodeUsed | Ask::NodeKills | Ask::ContainerKills);
        // Numbers of a target that has gone are no host.
        if is_new && !matches!(ask, Ask::Up | Ask::Seen) && !is_shallow {
            return;
        }
        if is_new && self.hosts.len() >= HOSTS {
            self.left_out += 1;
            return;
        }
        let now = self.now;
        let host = self.hosts.entry(name.to_owned()).or_insert_with(|| Host {
            name: name.to_owned(),
            depth: if is_shallow {
                Depth::Shallow
            } else {
                Depth::Oomtop
            },
            // Known by `Seen` alone: the target has been taken out of the configuration, or its host is gone.
            health: if ask == Ask::Seen {
                Health::Down(None)
            } else {
                Health::Fresh
            },
            ..Host::default()
        });
        let value = one.value;
        match ask {
            Ask::Up => {
                if value < 0.5 {
                    host.health = Health::Down(None);
                }
            }
            Ask::Seen => {
                let age = (now - value).max(0.0);
                host.health = match host.health {
                    Health::Down(_) => Health::Down(Some(age)),
                    Health::Fresh | Health::Old(_) if age > OLD => Health::Old(age),
                    health => health,
                };
            }
            Ask::Gauge => match one.label("__name__") {
                "oomtop_memory_used_ratio" => host.used = Some(value),
                "oomtop_memory_left_bytes" => host.left = Some(value),
                "oomtop_memory_band" => host.band = Some(small(value, 3)),
                "oomtop_memory_time_left_seconds" => host.time_left = Some(value),
                _ => {}
            },
            Ask::Kills => host.kills = Some(value.round()),
            Ask::Urgency => domain(host, one, |domain| domain.urgency = small(value, 4)),
            Ask::Used => domain(host, one, |domain| domain.used = Some(value)),
            Ask::TimeLeft => domain(host, one, |domain| domain.time_left = Some(value)),
            Ask::Stuck => domain(host, one, |domain| domain.stuck = true),
            Ask::Victims => {
                let victim = victim(one);
                if one.label("domain") == "host" {
                    host.victim.clone_from(&victim);
                }
                if host.domains.iter().any(|d| d.name == one.label("domain")) {
                    domain(host, one, |domain| domain.victim = victim);
                }
            }
            Ask::NodeUsed if host.depth == Depth::Shallow => host.used = Some(value),
            Ask::NodeKills | Ask::ContainerKills if host.depth == Depth::Shallow => {
                let known = host.kills.unwrap_or(0.0);
                host.kills = Some(known.max(value.round()));
            }
            Ask::NodeUsed | Ask::NodeKills | Ask::ContainerKills | Ask::Past => {}
        }
    }

    /// Takes what the gauges were.
    pub fn take_past(&mut self, past: &BTreeMap<String, Vec<f64>>) {
        for (name, values) in past {
            if let Some(host) = self.hosts.get_mut(name) {
                host.past.clone_from(values);
            }
        }
    }

    /// The hosts, the most urgent first.
    #[must_use]
    pub fn ranked(self) -> Vec<Host> {
        let mut hosts: Vec<Host> = self.hosts.into_values().collect();
        for host in &mut hosts {
            host.domains.sort_by(|a, b| {
                let left = |domain: &Domain| domain.time_left.unwrap_or(f64::INFINITY);
                let share = |domain: &Domain| domain.used.unwrap_or(0.0);
                (b.urgency, b.stuck)
                    .cmp(&(a.urgency, a.stuck))
                    .then(left(a).total_cmp(&left(b)))
                    .then(share(b).total_cmp(&share(a)))
                    .then_with(|| a.name.cmp(&b.name))
            });
            host.domains.truncate(DOMAINS);
        }
        hosts.sort_by(|a, b| {
            let left = |host: &Host| host.soonest().unwrap_or(f64::INFINITY);
            let share = |host: &Host| host.used.unwrap_or(0.0);
            b.urgency()
                .cmp(&a.urgency())
                .then(left(a).total_cmp(&left(b)))
                .then(share(b).total_cmp(&share(a)))
                .then_with(|| a.name.cmp(&b.name))
        });
        hosts
    }
}

/// What the gauges were, by host.
#[must_use]
pub fn past_of(ranges: Vec<(Labels<'_>, Vec<f64>)>) -> BTreeMap<String, Vec<f64>> {
    let named = ranges.into_iter().filter_map(|(labels, values)| {
        let name = host_of(labels.get("instance")?);
        (!name.is_empty()).then(|| (name.to_owned(), values))
    });
    named.take(HOSTS).collect()
}

/// The host of `host:port`, `[::1]:9469` or a plain name.
fn host_of(instance: &str) -> &str {
    let Some((host, port)) = instance.rsplit_once(':') else {
        return instance;
    };
    let is_port = !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit());
    match host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
    {
        Some(inner) if is_port => inner,
        // An address of IPv6 without a port.
        None if is_port && !host.contains(':') => host,
        _ => instance,
    }
}

fn small(value: f64, most: u8) -> u8 {
    (0..=most)
        .rev()
        .find(|n| value >= f64::from(*n))
        .unwrap_or(0)
}

/// The domain of a series, made if it is new; the urgency comes first, so what is calm is not kept.
fn domain(host: &mut Host, one: &Series<'_>, set: impl FnOnce(&mut Domain)) {
    let name = one.label("domain");
    if let Some(known) = host.domains.iter_mut().find(|domain| domain.name == name) {
        set(known);
        return;
    }
    let mut new = Domain {
        name: name.to_owned(),
        unit: one.label("unit").to_owned(),
        ..Domain::default()
    };
    set(&mut new);
    host.domains.push(new);
}

/// `java of tomcat.service, or node`.
fn victim(one: &Series<'_>) -> Option<String> {
    let command = Some(one.label("command")).filter(|command| !command.is_empty())?;
    let mut text = command.to_owned();
    let unit = one.label("victim_unit");
    // The domain names its unit already.
    if !unit.is_empty() && unit != one.label("unit") {
        text.push_str(" of ");
        text.push_str(unit);
    }
    if !one.label("or").is_empty() {
        text.push_str(" or ");
        text.push_str(one.label("or"));
    }
    Some(text)
}

#[cfg(test)]
mod tests;
