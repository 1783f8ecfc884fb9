//! Whether the trigger of Talos holds now, and which group its ranking puts first.

use super::expression::{Compared, evaluate};
use super::value::Value;
use crate::model::cgroup::{Cgroup, CgroupPath};
use crate::model::memory::{Pressure, Stall};

/// The classes of Kubernetes and Talos, the least important first (`QoSCgroupClass`).
const CLASSES: [&str; 5] = [
    "Besteffort",
    "Burstable",
    "Guaranteed",
    "Podruntime",
    "System",
];

/// How a trigger stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Standing {
    /// Whether it holds; `None` if that hangs on what is not known here.
    pub holds: Option<bool>,
    /// Its comparisons.
    pub compared: Vec<Compared>,
}

/// How the trigger stands with this pressure of the host and of these groups; `None` if it is not understood. Its rates
/// (`d_…`) and the time since it last held are not known here.
#[must_use]
pub fn standing(
    trigger: &str,
    pressure: Option<&Pressure>,
    cgroups: &[Cgroup],
) -> Option<Standing> {
    let variable = |name: &str| {
        class_number(name)
            .or_else(|| of_host(name, pressure?))
            .or_else(|| of_classes(name, cgroups))
            .unwrap_or(Value::Unknown)
    };
    let evaluated = evaluate(trigger, &variable)?;
    Some(Standing {
        holds: match evaluated.value {
            Value::Truth(truth) => Some(truth),
            _ => None,
        },
        compared: evaluated.compared,
    })
}

fn class_number(name: &str) -> Option<Value> {
    let at = CLASSES.iter().position(|class| *class == name)?;
    Some(Value::Number(at as f64))
}

/// `memory_full_avg10` and its like.
fn of_host(name: &str, pressure: &Pressure) -> Option<Value> {
    let (kind, span) = name.strip_prefix("memory_")?.split_once('_')?;
    let Stall {
        avg10,
        avg60,
        avg300,
        total,
    } = match kind {
        "some" => pressure.some,
        "full" => pressure.full,
        _ => return None,
    };
    Some(Value::Number(match span {
        "avg10" => f64::from(avg10),
        "avg60" => f64::from(avg60),
        "avg300" => f64::from(avg300),
        "total" => total as f64,
        _ => return None,
    }))
}

/// `qos_memory_full_avg10` and its like: a sum for each class. A group that is not there counts as 0.
fn of_classes(name: &str, cgroups: &[Cgroup]) -> Option<Value> {
    let read: fn(&Cgroup) -> Option<f64> = match name {
        "qos_memory_full_avg10" => |group| Some(f64::from(group.pressure?.full) / 100.0),
        "qos_memory_some_avg10" => |group| Some(f64::from(group.pressure?.some) / 100.0),
        "qos_memory_full_total" => |group| Some(group.pressure?.full_total as f64),
        "qos_memory_current" => |group| Some(group.usage? as f64),
        _ => return None,
    };
    let mut sums: Vec<(i64, Option<f64>)> = (0..).zip([Some(0.0); CLASSES.len()]).collect();
    for group in cgroups.iter().filter(|group| group.present) {
        let Some((_, sum)) = whole_class(&group.path).and_then(|class| sums.get_mut(class)) else {
            continue;
        };
        *sum = sum.zip(read(group)).map(|(sum, more)| sum + more);
    }
    Some(Value::Map(sums))
}

/// The class whose pressure this group has; guaranteed pods have no group of their class, each counts alone.
fn whole_class(path: &CgroupPath) -> Option<usize> {
    match path.as_str() {
        "/kubepods/besteffort" => Some(0),
        "/kubepods/burstable" => Some(1),
        "/podruntime" => Some(3),
        "/init" | "/system" => Some(4),
        _ => class_of(path).filter(|class| *class == 2),
    }
}

/// The class of a group that may be killed: one below the groups of the classes.
fn class_of(path: &CgroupPath) -> Option<usize> {
    let (parent, name) = path.as_str().rsplit_once('/')?;
    match parent {
        "/kubepods/besteffort" => Some(0),
        "/kubepods/burstable" => Some(1),
        "/kubepods" if !matches!(name, "besteffort" | "burstable") => Some(2),
        "/podruntime" => Some(3),
        "/system" => Some(4),
        _ => None,
    }
}

/// Whom Talos would kill.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Pick<'c> {
    /// This group.
    Group(&'c Cgroup),
    /// Nobody: no group has a value above 0.
    Nobody,
    /// Its ranking hangs on what is not known here, or is not understood.
    Unknown,
}

/// The group that the ranking puts first; with `by_class` of the least important class that has any above 0.
#[must_use]
pub fn pick<'c>(ranking: &str, by_class: bool, cgroups: &'c [Cgroup]) -> Pick<'c> {
    let mut best: Option<(usize, f64, &Cgroup)> = None;
    let mut unknown: Option<usize> = None;
    for group in cgroups.iter().filter(|group| group.present) {
        let Some(class) = class_of(&group.path) else {
            continue;
        };
        let value = match value_of(ranking, class, group) {
            Some(value) if value > 0.0 => value,
            Some(_) => continue,
            None => {
                unknown = Some(unknown.map_or(class, |least| least.min(class)));
                continue;
            }
        };
        let is_first = best.is_none_or(|(least, most, _)| {
            if by_class && class != least {
                class < least
            } else {
                value > most
            }
        });
        if is_first {
            best = Some((class, value, group));
        }
    }
    match (best, unknown) {
        // What is not known is of a class that comes later.
        (Some((class, _, group)), Some(other)) if by_class && class < other => Pick::Group(group),
        (_, Some(_)) => Pick::Unknown,
        (Some((.., group)), None) => Pick::Group(group),
        (None, None) => Pick::Nobody,
    }
}

fn value_of(ranking: &str, class: usize, group: &Cgroup) -> Option<f64> {
    let known = |bytes: Option<u64>| match bytes {
        Some(bytes) => Value::Optional(Some(bytes as f64)),
        None => Value::Unknown,
    };
    let variable = |name: &str| match name {
        "class" => Value::Number(class as f64),
        "memory_current" => known(group.usage),
        "memory_max" => Value::Optional(group.limits.max.map(|bytes| bytes as f64)),
        name => class_number(name).unwrap_or(Value::Unknown),
    };
    match evaluate(ranking, &variable)?.value {
        Value::Number(value) => Some(value),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::{RANKING, default_trigger};
    use super::{Pick, pick, standing};
    use crate::model::cgroup::{Cgroup, GroupPressure};
    use crate::model::memory::{Pressure, Stall};
    use crate::model::on_paper::group;

    fn stalled(path: &str, full: u32) -> Cgroup {
        let mut group = group(path, None, None, 0);
        group.pressure = Some(GroupPressure {
            some: full,
            full,
            full_total: 0,
        });
        group
    }

    fn host(avg10: f32) -> Pressure {
        let full = Stall {
            avg10,
            ..Stall::default()
        };
        Pressure {
            full,
            ..Pressure::default()
        }
    }

    #[test]
    fn the_trigger_of_each_release_against_the_pressure_of_now() {
        let groups = [
            stalled("/init", 100),
            stalled("/system", 250),
            stalled("/podruntime", 100),
            stalled("/kubepods/besteffort", 9000),
        ];
        let holds = |release, avg10| {
            let standing = standing(&default_trigger(release), Some(&host(avg10)), &groups);
            standing.expect("it is understood").holds
        };
        // 1.12: below 12 it cannot hold; above that it hangs on what is not known.
        assert_eq!(holds((1, 12), 11.0), Some(false));
        assert_eq!(holds((1, 12), 13.0), None);
        // 1.13 and 1.14: System and Podruntime wait 4.5 %, not more than 5.
        assert_eq!(holds((1, 13), 74.0), Some(false));
        assert_eq!(holds((1, 13), 76.0), None);
        assert_eq!(holds((1, 14), 99.0), Some(false));
        let told = standing(&default_trigger((1, 14)), Some(&host(0.0)), &groups);
        let compared = told.expect("it is understood").compared;
        assert_eq!(compared[1].now, Some(4.5));
        // A group that was not read makes it unknown; one that is not there is 0.
        let mut unread = groups;
        unread[1].pressure = None;
        let told = standing(&default_trigger((1, 14)), Some(&host(0.0)), &unread);
        assert_eq!(told.expect("it is understood").holds, None);
        let told = standing(&default_trigger((1, 14)), Some(&host(0.0)), &[]);
        assert_eq!(told.expect("it is understood").holds, Some(false));
        // Without PSI nothing is known.
        let told = standing(&default_trigger((1, 12)), None, &[]);
        assert_eq!(told.expect("it is understood").holds, None);
        assert_eq!(standing("memory_full_avg10 >", None, &[]), None);
    }

    #[test]
    fn the_ranking_takes_the_largest_without_a_limit() {
        let groups = [
            group("/kubepods/besteffort/poda", None, None, 100),
            group("/kubepods/burstable/podb", None, None, 400),
            group("/kubepods/burstable/podc", None, Some(900), 800),
            group("/kubepods/podd", None, None, 2000),
            group("/system/apid", None, None, 3000),
            group("/kubepods/besteffort/poda/deeper", None, None, 5000),
        ];
        let name = |by_class| match pick(RANKING, by_class, &groups) {
            Pick::Group(group) => group.path.as_str(),
            other => panic!("{other:?}"),
        };
        // 400 · 0.5 against 100 · 1.0.
        assert_eq!(name(false), "/kubepods/burstable/podb");
        assert_eq!(name(true), "/kubepods/besteffort/poda");
        assert_eq!(pick(RANKING, true, &groups[2..5]), Pick::Nobody);
        assert_eq!(pick("0.0", false, &groups), Pick::Nobody);
        assert_eq!(pick("double(memory_peak)", false, &groups), Pick::Unknown);
        let mut unread = groups.clone();
        unread[1].usage = None;
        assert_eq!(pick(RANKING, false, &unread), Pick::Unknown);
        assert!(matches!(pick(RANKING, true, &unread), Pick::Group(_)));
    }
}
