//! [`Ask`]: the queries that a fleet is read by.

/// A query.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Ask {
    /// Whether each target answers.
    Up,
    /// How old the newest sample of each oomtop is by the clock of Prometheus, looking back a day.
    Seen,
    /// The gauge of each host.
    Gauge,
    /// Domains that are not calm.
    Urgency,
    /// How full these are.
    Used,
    /// When domains are full.
    TimeLeft,
    /// Domains in which nothing goes on.
    Stuck,
    /// Who dies next on each host, and in the domains that are not calm.
    Victims,
    /// Kills of the last hour.
    Kills,
    /// Hosts whose node_exporter does not answer and did within a day.
    NodeDown,
    /// Used share of hosts with node_exporter.
    NodeUsed,
    /// Their kills of the last hour.
    NodeKills,
    /// Kills in containers in the last hour, by cadvisor.
    ContainerKills,
    /// The gauge in the last half hour.
    Past,
}

impl Ask {
    /// All that are asked at once, in this order; [`Self::Past`] is asked less often.
    pub const INSTANT: [Self; 13] = [
        Self::Up,
        Self::Seen,
        Self::Gauge,
        Self::Urgency,
        Self::Used,
        Self::TimeLeft,
        Self::Stuck,
        Self::Victims,
        Self::Kills,
        Self::NodeDown,
        Self::NodeUsed,
        Self::NodeKills,
        Self::ContainerKills,
    ];

    /// The expression, with the matchers that choose the targets of oomtop.
    #[must_use]
    pub fn expression(self, of: &str) -> String {
        let urgent = format!("and on (job, instance, domain) (oomtop_domain_urgency{{{of}}} > 0)");
        match self {
            Self::Up => format!("up{{{of}}}"),
            Self::Seen => {
                format!("time() - max_over_time(oomtop_sample_timestamp_seconds{{{of}}}[1d])")
            }
            Self::Gauge => format!(
                "{{__name__=~\"oomtop_memory_(used_ratio|left_bytes|band|time_left_seconds)\",{of}}}"
            ),
            Self::Urgency => format!("oomtop_domain_urgency{{{of}}} > 0"),
            Self::Used => format!(
                "oomtop_domain_used_bytes{{{of}}} / oomtop_domain_limit_bytes{{{of}}} {urgent}"
            ),
            Self::TimeLeft => format!("oomtop_domain_time_left_seconds{{{of}}} {urgent}"),
            Self::Stuck => format!("oomtop_domain_stuck{{{of}}} == 1"),
            Self::Victims => format!(
                "oomtop_victim_info{{domain=\"host\",{of}}} or (oomtop_victim_info{{{of}}} {urgent})"
            ),
            Self::Kills => format!(
                // The kernel's own counter, and what programs killed: the kernel's kills are in both.
                "sum by (job, instance) (increase({{__name__=~\"oomtop_kernel_kills_total|oomtop_kills_total\",by!=\"kernel\",{of}}}[1h]))"
            ),
            Self::NodeDown => {
                "up == 0 and on (job, instance) max_over_time(node_memory_MemTotal_bytes[1d])"
                    .to_owned()
            }
            Self::NodeUsed => {
                "1 - node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes".to_owned()
            }
            Self::NodeKills => "increase(node_vmstat_oom_kill[1h])".to_owned(),
            Self::ContainerKills => {
                "sum by (job, instance) (increase(container_oom_events_total[1h]))".to_owned()
            }
            Self::Past => format!("oomtop_memory_used_ratio{{{of}}}"),
        }
    }
}
