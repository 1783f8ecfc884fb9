//! What `oomtop watch` and `oomtop metrics` make of samples.

mod kills;

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use oomtop::app::lookout::{Crier, Lookout, News};
use oomtop::model::cgroup::{Cgroup, CgroupKey};
use oomtop::model::kernel::KernelRules;
use oomtop::model::memory::band::{Band, Thresholds};
use oomtop::model::oom_domain::victim::{Scope, assess};
use oomtop::model::process::Process;
use oomtop::model::rules::book::{RuleBook, Standing};
use oomtop::model::rules::{Rule, Rules};
use oomtop::model::snapshot::{Host, Snapshot};
use oomtop::output::metrics::{DOMAINS, Facts, Format, PROCESSES, page};

use crate::common::scene::{moment, process, snapshot};
use crate::common::shop::{crowd, group};

/// Takes a sample in.
fn sample(lookout: &mut Lookout, second: u64, groups: Vec<Cgroup>, processes: Vec<Process>) {
    lookout.sampled(Arc::new(sample_of(second, groups, processes)));
}

fn sample_of(second: u64, groups: Vec<Cgroup>, processes: Vec<Process>) -> Snapshot {
    let mut sample = snapshot(10, processes);
    sample.domains = assess(
        &sample.processes,
        &groups,
        &sample.memory,
        &KernelRules::default(),
    );
    sample.cgroups = Arc::new(groups);
    (sample.seq, sample.taken) = (second, moment(second));
    sample
}

fn page_of(lookout: &Lookout) -> String {
    let host = Host::default();
    let facts = Facts {
        lookout,
        host: &host,
        rules: None,
        own_cpu_seconds: None,
    };
    page(&facts, Format::Text)
}

/// A group of 500 MiB in which a process has so many MiB.
fn leak(second: u64, used: u64) -> (Vec<Cgroup>, Vec<Process>) {
    let mut web = group("/system.slice/web.service", Some(0), 500, used);
    (web.read_seq, web.limits.swap_max) = (second, Some(0));
    let groups = vec![group("/", None, 0, 0), web];
    (groups, vec![process(812, "java", used, 0, 1)])
}

#[test]
fn each_change_is_told_once_and_its_end_too() {
    let mut lookout = Lookout::new(Thresholds::default(), moment(100));
    let mut crier = Crier::new(Duration::from_mins(1));
    let mut all = Vec::new();
    for second in 100..200 {
        // Three MiB a second for a minute and a half, then the leak is over.
        let used = if second < 180 {
            200 + 3 * (second - 100)
        } else {
            50
        };
        let (groups, processes) = leak(second, used);
        sample(&mut lookout, second, groups, processes);
        let news = crier.look(&lookout);
        all.extend(news.into_iter().map(|news| (second, news)));
    }
    let told: Vec<String> = all
        .iter()
        .map(|(_, news)| match news {
            News::Filling { of, victim, or, .. } => {
                let or = or
                    .as_ref()
                    .map_or_else(String::new, |or| format!(" or {or:?}"));
                format!("fills {} {victim:?}{or}", of.unit)
            }
            News::NotFilling { of } => format!("rests {}", of.unit),
            News::Band {
                of,
                from: Some(from),
                to,
                ..
            } => format!("{} {from:?} {to:?}", of.unit),
            other => format!("{other:?}"),
        })
        .collect();
    let of = |text: &str| told.iter().filter(|line| line.starts_with(text)).count();
    assert_eq!((of("fills"), of("rests")), (1, 1), "{told:#?}");
    assert!(
        told.iter().any(|line| line.contains("(812, \"java\")")),
        "{told:#?}"
    );
    assert_eq!(of("web.service "), 3, "{told:#?}");
    let left = all.iter().find_map(|(_, news)| match news {
        News::Filling { left, .. } => Some(*left),
        _ => None,
    });
    assert!(left.is_some_and(|left| left < Duration::from_mins(1)));
    let last = all.iter().rev().find_map(|(_, news)| match news {
        News::Band { to, .. } => Some(*to),
        _ => None,
    });
    assert_eq!(last, Some(Band::Normal));
}

#[test]
fn drift_is_told_when_it_grows_and_when_it_is_over() {
    let mut crier = Crier::new(Duration::from_mins(1));
    let rule = Rule {
        title: "db".to_owned(),
        ..Rule::default()
    };
    let mut look = |missing| {
        let book = RuleBook {
            rules: Arc::new(Rules::new(vec![rule.clone()])),
            standings: vec![Standing {
                missing,
                adrift: missing,
                ..Standing::default()
            }],
            ..RuleBook::default()
        };
        let news = crier.look_at_rules(&book);
        news.iter()
            .map(|news| match news {
                News::Drift { processes, .. } => *processes,
                other => panic!("{other:?}"),
            })
            .collect::<Vec<usize>>()
    };
    let told = [0, 2, 2, 1, 3, 0, 0].map(&mut look);
    assert_eq!(
        told,
        [vec![], vec![2], vec![], vec![], vec![3], vec![0], vec![]]
    );
}

#[test]
fn a_page_of_thousands_of_groups_is_bounded_and_says_what_is_left_out() {
    let mut lookout = Lookout::new(Thresholds::default(), moment(100));
    for second in 100..104 {
        let (mut groups, mut processes) = crowd(second);
        for group in &mut groups {
            group.read_seq = second;
        }
        processes.extend((0..300).map(|n| process(90_000 + n, &format!("name{n}"), 5, 0, 0)));
        sample(&mut lookout, second, groups, processes);
    }
    let text = page_of(&lookout);
    let of = |name: &str| text.lines().filter(|line| line.starts_with(name)).count();
    assert_eq!(of("oomtop_domain_limit_bytes{"), DOMAINS);
    assert_eq!(of("oomtop_process_memory_bytes{"), PROCESSES);
    assert_eq!(
        of("oomtop_own_cpu_seconds"),
        0,
        "what is not known is not there"
    );
    assert!(
        text.contains("oomtop_left_out{kind=\"domain\"} 1874\n"),
        "{text}"
    );
    assert!(of("oomtop_") < 2500);
    assert!(!text.contains("NaN") && !text.contains("pid=\""));
    // The most urgent ones are on it.
    assert!(text.contains("domain=\"/docker/004d"), "{text}");
}

#[test]
fn the_gauge_is_the_machines_and_never_that_of_oomtops_own_service() {
    let mut lookout = Lookout::new(Thresholds::default(), moment(100));
    let service = |second| {
        let mut own = group("/system.slice/oomtop-metrics.service", Some(0), 128, 100);
        own.read_seq = second;
        own
    };
    for (root, domain) in [(None, "host"), (Some(2000), "/")] {
        let second = 100 + u64::from(root.is_some());
        let mut outermost = group("/", None, root.unwrap_or(0), 900);
        outermost.read_seq = second;
        if root.is_none() {
            outermost.limits.max = None;
        }
        let groups = vec![outermost, service(second)];
        let mut sample = sample_of(second, groups, vec![process(812, "java", 50, 0, 1)]);
        sample.own_limit = Some(Scope::Memcg(CgroupKey(1)));
        lookout.sampled(Arc::new(sample));
        let text = page_of(&lookout);
        let gauge = format!("oomtop_memory_limit_bytes{{domain=\"{domain}\"}} ");
        assert!(text.contains(&gauge), "{text}");
    }
}

#[test]
fn no_series_comes_and_goes_and_the_host_stays_on_the_page() {
    let mut lookout = Lookout::new(Thresholds::default(), moment(100));
    let names = |lookout: &Lookout| -> HashSet<String> {
        let text = page_of(lookout);
        let lines = text.lines();
        let of = lines.filter(|line| line.starts_with("oomtop_domain_limit_bytes{"));
        of.map(|line| line.split('}').next().unwrap_or("").to_owned())
            .collect()
    };
    let mut before = HashSet::new();
    for second in 100..110 {
        let mut groups = vec![group("/", None, 0, 0)];
        for n in 0..200 {
            // All are about as full, and change places each second.
            let used = 300 + (n * 7 + second * 13) % 20;
            let mut one = group(&format!("/g{n}"), Some(0), 500, used);
            one.read_seq = second;
            groups.push(one);
        }
        sample(
            &mut lookout,
            second,
            groups,
            vec![process(812, "java", 50, 0, 1)],
        );
        let now = names(&lookout);
        assert_eq!(now.len(), DOMAINS);
        assert!(now.iter().any(|name| name.contains("\"host\"")));
        let gone = before.difference(&now).count();
        assert_eq!(gone, 0, "at {second}");
        before = now;
    }
}

#[test]
fn the_end_is_told_of_a_group_that_has_gone_and_of_a_rule_that_has_gone() {
    let mut lookout = Lookout::new(Thresholds::default(), moment(100));
    let mut crier = Crier::new(Duration::from_mins(1));
    let mut first = Vec::new();
    for second in 100..150 {
        let (groups, processes) = leak(second, 300 + 4 * (second - 100));
        sample(&mut lookout, second, groups, processes);
        first.extend(crier.look(&lookout));
    }
    assert!(
        first
            .iter()
            .any(|news| matches!(news, News::Filling { .. })),
        "{first:#?}"
    );
    sample(&mut lookout, 150, vec![group("/", None, 0, 0)], Vec::new());
    let last = crier.look(&lookout);
    assert!(
        matches!(last.as_slice(), [News::NotFilling { of }] if of.unit == "web.service"),
        "{last:#?}"
    );
    // Full at first sight is no change.
    let (groups, processes) = leak(151, 490);
    sample(&mut lookout, 151, groups, processes);
    let news = crier.look(&lookout);
    assert!(
        matches!(
            news.as_slice(),
            [News::Band {
                from: None,
                to: Band::Critical,
                ..
            }]
        ),
        "{news:#?}"
    );
    let book = |rules: Vec<Rule>| RuleBook {
        standings: vec![
            Standing {
                missing: 2,
                adrift: 2,
                ..Standing::default()
            };
            rules.len()
        ],
        rules: Arc::new(Rules::new(rules)),
        ..RuleBook::default()
    };
    let rule = Rule {
        title: "db".to_owned(),
        ..Rule::default()
    };
    assert_eq!(crier.look_at_rules(&book(vec![rule])).len(), 1);
    let over = crier.look_at_rules(&book(Vec::new()));
    assert!(
        matches!(over.as_slice(), [News::Drift { processes: 0, .. }]),
        "{over:#?}"
    );
}

#[test]
fn a_domain_has_its_own_band_and_two_of_one_name_are_one() {
    let mut lookout = Lookout::new(Thresholds::default(), moment(100));
    let long = "x".repeat(600);
    let of = |name: &str, parent, max, used| {
        let mut one = group(name, parent, max, used);
        one.read_seq = 100;
        one
    };
    let groups = vec![
        group("/", None, 0, 0),
        of("/full", Some(0), 500, 490),
        of("/full/calm", Some(1), 400, 10),
        of(&format!("/{long}a"), Some(0), 400, 10),
        of(&format!("/{long}b"), Some(0), 300, 20),
    ];
    sample(
        &mut lookout,
        100,
        groups,
        vec![process(812, "java", 10, 0, 2)],
    );
    let text = page_of(&lookout);
    assert!(
        text.contains("oomtop_domain_band{domain=\"/full\"} 3\n"),
        "{text}"
    );
    assert!(
        text.contains("oomtop_domain_band{domain=\"/full/calm\"} 0\n"),
        "{text}"
    );
    assert!(
        text.contains("oomtop_left_out{kind=\"domain\"} 1\n"),
        "{text}"
    );
}
