//! Which hosts of a fleet are shown, and in which order.

use std::cmp::Ordering;

use crate::model::fleet::Host;
use crate::text::fleet;

/// What the hosts are ordered by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Order {
    /// Nearest to an OOM first.
    #[default]
    Urgency,
    /// By name.
    Name,
    /// Fullest first.
    Used,
    /// Least room first.
    Left,
    /// The first to be full first.
    FullIn,
    /// Most kills first.
    Kills,
}

impl Order {
    /// All, in the order of the columns.
    pub const ALL: [Self; 6] = [
        Self::Urgency,
        Self::Name,
        Self::Used,
        Self::Left,
        Self::FullIn,
        Self::Kills,
    ];

    /// The next one, or the one before.
    #[must_use]
    pub fn beside(self, onward: bool) -> Self {
        let count = Self::ALL.len();
        let at = Self::ALL.iter().position(|order| *order == self);
        let step = if onward { 1 } else { count - 1 };
        Self::ALL[(at.unwrap_or(0) + step) % count]
    }

    /// Heading of its column.
    #[must_use]
    pub fn heading(self) -> &'static str {
        match self {
            Self::Urgency => "STATE",
            Self::Name => "HOST",
            Self::Used => "USED%",
            Self::Left => "LEFT",
            Self::FullIn => "FULL IN",
            Self::Kills => "K/H",
        }
    }
}

/// Places of the hosts that have all words of the filter, in this order. The hosts come by their urgency, and those that
/// another order leaves equal stay so; what is not known is last, both ways round.
#[must_use]
pub fn arranged(hosts: &[Host], filter: &str, order: Order, reversed: bool) -> Vec<usize> {
    let terms: Vec<String> = filter.split_whitespace().map(str::to_lowercase).collect();
    let mut all: Vec<(usize, &Host)> = hosts
        .iter()
        .enumerate()
        .filter(|(_, host)| terms.is_empty() || has(host, &terms))
        .collect();
    if order == Order::Urgency {
        if reversed {
            all.reverse();
        }
    } else {
        all.sort_by(|(_, a), (_, b)| compare(a, b, order, reversed));
    }
    all.into_iter().map(|(at, _)| at).collect()
}

/// True if each word is in what the row or the domains of the host say; of `!word`, if it is not.
fn has(host: &Host, terms: &[String]) -> bool {
    let mut text = format!(
        "{}\n{}\n{}\n{}",
        fleet::state(host).1,
        host.name,
        fleet::remark(host),
        host.victim.as_deref().unwrap_or("")
    );
    for domain in &host.domains {
        let victim = domain.victim.as_deref().unwrap_or("");
        text = format!("{text}\n{}\n{}\n{victim}", domain.name, domain.unit);
    }
    let text = text.to_lowercase();
    terms.iter().all(|term| match term.strip_prefix('!') {
        Some("") => true,
        Some(unwanted) => !text.contains(unwanted),
        None => text.contains(term),
    })
}

fn compare(a: &Host, b: &Host, order: Order, reversed: bool) -> Ordering {
    let most = |value: Option<f64>| value.map(|value| -value);
    let key = |host: &Host| match order {
        Order::Urgency | Order::Name => None,
        Order::Used => most(host.used),
        Order::Left => host.left,
        Order::FullIn => host.soonest(),
        Order::Kills => most(host.kills),
    };
    let turned = |order: Ordering| if reversed { order.reverse() } else { order };
    match (order, key(a), key(b)) {
        (Order::Name, ..) => turned(a.name.cmp(&b.name)),
        (_, Some(a), Some(b)) => turned(a.total_cmp(&b)),
        (_, a, b) => b.is_some().cmp(&a.is_some()),
    }
}

#[cfg(test)]
mod tests {
    use super::{Order, arranged};
    use crate::model::fleet::{Domain, Health, Host};

    fn host(name: &str, used: Option<f64>, kills: Option<f64>) -> Host {
        Host {
            name: name.to_owned(),
            used,
            kills,
            ..Host::default()
        }
    }

    #[test]
    fn the_unknown_is_last_both_ways_round() {
        let hosts = [
            host("b", None, Some(1.0)),
            host("a", Some(0.2), None),
            host("c", Some(0.9), Some(7.0)),
        ];
        let by = |order, reversed| arranged(&hosts, "", order, reversed);
        assert_eq!(by(Order::Urgency, false), [0, 1, 2]);
        assert_eq!(by(Order::Urgency, true), [2, 1, 0]);
        assert_eq!(by(Order::Name, false), [1, 0, 2]);
        assert_eq!(by(Order::Used, false), [2, 1, 0]);
        assert_eq!(by(Order::Used, true), [1, 2, 0]);
        assert_eq!(by(Order::Kills, false), [2, 0, 1]);
        assert_eq!(by(Order::FullIn, true), [0, 1, 2], "nobody grows");
    }

    #[test]
    fn all_words_must_be_somewhere_on_the_host() {
        let web = Domain {
            unit: "Web.service".to_owned(),
            victim: Some("node".to_owned()),
            ..Domain::default()
        };
        let hosts = [
            Host {
                domains: vec![web],
                ..host("db-1", None, None)
            },
            Host {
                health: Health::Down(None),
                ..host("db-2", None, None)
            },
        ];
        let of = |filter| arranged(&hosts, filter, Order::Urgency, false);
        assert_eq!(of("db"), [0, 1]);
        assert_eq!(of("db web NODE"), [0]);
        assert_eq!(of("down"), [1]);
        assert_eq!(of("db !web"), [1]);
        assert_eq!(of("!"), [0, 1]);
        assert!(of("db-3").is_empty());
    }

    #[test]
    fn every_order_has_a_neighbour() {
        for order in Order::ALL {
            assert_eq!(order.beside(true).beside(false), order);
        }
    }
}
