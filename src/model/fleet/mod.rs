//! [`Fleet`]: many hosts as Prometheus knows them, the one that is nearest to an OOM first. Pure: answers in, rows out.

pub mod answer;
pub mod ask;
pub mod credentials;
mod host;

use std::collections::{BTreeMap, HashMap};

use answer::{Labels, Series};
use ask::Ask;

pub use host::{Depth, Domain, Health, Host};

/// Most hosts; more are counted.
pub const HOSTS: usize = 5000;

/// Most domains kept of a host, the most urgent ones.
pub const DOMAINS: usize = 16;

/// Numbers older than this, in seconds, are old.
const OLD: f64 = 120.0;

/// Labels `job` and `instance` of a target: behind one address there may be several.
pub type Target = (String, String);

/// Hosts while answers come in.
#[derive(Debug, Default)]
pub struct Fleet {
    hosts: BTreeMap<Target, Host>,
    /// Targets by their address without the port.
    by_address: HashMap<String, Vec<Target>>,
    /// Hosts that there was no room for.
    pub left_out: usize,
    /// Values that were no numbers.
    pub strange: usize,
}

impl Fleet {
    /// Takes the answer to a query other than [`Ask::Past`], in the order of [`Ask::INSTANT`].
    pub fn take(&mut self, ask: Ask, series: &[Series<'_>]) {
        let is_shallow = match ask {
            Ask::NodeDown | Ask::NodeUsed | Ask::NodeKills | Ask::ContainerKills => true,
            Ask::Up
            | Ask::Seen
            | Ask::Gauge
            | Ask::Urgency
            | Ask::Used
            | Ask::TimeLeft
            | Ask::Stuck
            | Ask::Victims
            | Ask::Kills
            | Ask::Past => false,
        };
        // How many targets of this answer are behind an address.
        let mut behind: HashMap<&str, usize> = HashMap::new();
        if is_shallow {
            for one in series {
                *behind.entry(host_of(one.label("instance"))).or_default() += 1;
            }
        }
        for one in series {
            let target = target_of(one);
            if target.1.is_empty() {
                continue;
            }
            let alone = behind.get(host_of(&target.1)) == Some(&1);
            let target = if is_shallow && alone && !self.hosts.contains_key(&target) {
                self.only_one_at(&target.1).unwrap_or(target)
            } else {
                target
            };
            self.take_one(ask, target, is_shallow, one);
        }
    }

    /// The target with this address, if there is one and no other.
    fn only_one_at(&self, instance: &str) -> Option<Target> {
        match self.by_address.get(host_of(instance))?.as_slice() {
            [only] => Some(only.clone()),
            _ => None,
        }
    }

    fn take_one(&mut self, ask: Ask, target: Target, is_shallow: bool, one: &Series<'_>) {
        let is_new = !self.hosts.contains_key(&target);
        // Numbers of a target that has gone are no host.
        if is_new && !matches!(ask, Ask::Up | Ask::Seen) && !is_shallow {
            return;
        }
        if is_new && self.hosts.len() >= HOSTS {
            self.left_out += 1;
            return;
        }
        if is_new {
            let address = host_of(&target.1).to_owned();
            self.by_address
                .entry(address)
                .or_default()
                .push(target.clone());
        }
        let (job, instance) = target.clone();
        let host = self.hosts.entry(target).or_insert_with(|| Host {
            job,
            instance,
            depth: if is_shallow {
                Depth::Shallow
            } else {
                Depth::Oomtop
            },
            health: match ask {
                // Known by `Seen` alone: the target has been taken out of the configuration, or its host is gone.
                Ask::Seen => Health::Down(None),
                // Until it is known when it took a sample.
                Ask::Up => Health::Unknown,
                _ => Health::Fresh,
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
                let age = value.max(0.0);
                host.health = match host.health {
                    Health::Down(_) => Health::Down(Some(age)),
                    Health::Unknown | Health::Fresh | Health::Old(_) if age > OLD => {
                        Health::Old(age)
                    }
                    Health::Unknown | Health::Fresh | Health::Old(_) => Health::Fresh,
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
            Ask::NodeDown if host.depth == Depth::Shallow => host.health = Health::Down(None),
            Ask::NodeUsed if host.depth == Depth::Shallow => host.used = Some(value),
            Ask::NodeKills | Ask::ContainerKills if host.depth == Depth::Shallow => {
                let known = host.kills.unwrap_or(0.0);
                host.kills = Some(known.max(value.round()));
            }
            Ask::NodeDown | Ask::NodeUsed | Ask::NodeKills | Ask::ContainerKills | Ask::Past => {}
        }
    }

    /// Takes what the gauges were.
    pub fn take_past(&mut self, past: &BTreeMap<Target, Vec<f64>>) {
        for (target, values) in past {
            if let Some(host) = self.hosts.get_mut(target) {
                host.past.clone_from(values);
            }
        }
    }

    /// The hosts, the most urgent first.
    #[must_use]
    pub fn ranked(self) -> Vec<Host> {
        let mut hosts: Vec<Host> = self.hosts.into_values().collect();
        let mut instances: HashMap<String, usize> = HashMap::new();
        for host in &hosts {
            *instances.entry(host.instance.clone()).or_default() += 1;
        }
        for host in &mut hosts {
            let address = host_of(&host.instance);
            host.name = if self.by_address.get(address).is_none_or(|all| all.len() < 2) {
                address.to_owned()
            } else if instances.get(&host.instance) == Some(&1) {
                host.instance.clone()
            } else {
                format!("{}/{}", host.job, host.instance)
            };
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

/// What the gauges were, by target.
#[must_use]
pub fn past_of(ranges: Vec<(Labels<'_>, Vec<f64>)>) -> BTreeMap<Target, Vec<f64>> {
    let named = ranges.into_iter().filter_map(|(labels, values)| {
        let of = |name| labels.get(name).map_or("", |value| value).to_owned();
        let target: Target = (of("job"), of("instance"));
        (!target.1.is_empty()).then_some((target, values))
    });
    named.take(HOSTS).collect()
}

fn target_of(one: &Series<'_>) -> Target {
    let of = |name| one.label(name).to_owned();
    (of("job"), of("instance"))
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
