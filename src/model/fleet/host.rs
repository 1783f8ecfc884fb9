//! [`Host`]: what is known of one host of a fleet.

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
    /// It answers, but Prometheus has no sample of oomtop from it.
    Unknown,
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
    /// Its address, without the port where no other target has the same address.
    pub name: String,
    /// Label `job` of the target.
    pub job: String,
    /// Label `instance` of the target.
    pub instance: String,
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
            Health::Down(_) | Health::Old(_) | Health::Unknown => 3,
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
