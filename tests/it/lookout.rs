//! What `oomtop watch` and `oomtop metrics` make of samples.

use std::sync::Arc;
use std::time::Duration;

use oomtop::app::lookout::{Crier, Lookout, News};
use oomtop::model::cgroup::Cgroup;
use oomtop::model::kernel::KernelRules;
use oomtop::model::memory::band::{Band, Thresholds};
use oomtop::model::oom_domain::victim::assess;
use oomtop::model::process::Process;
use oomtop::model::rules::book::{RuleBook, Standing};
use oomtop::model::rules::{Rule, Rules};
use oomtop::model::snapshot::Host;
use oomtop::output::metrics::{DOMAINS, Facts, Format, PROCESSES, page};

use crate::common::scene::{moment, process, snapshot};
use crate::common::shop::{crowd, group};

/// Takes a sample in.
fn sample(lookout: &mut Lookout, second: u64, groups: Vec<Cgroup>, processes: Vec<Process>) {
    let mut sample = snapshot(10, processes);
    sample.domains = assess(
        &sample.processes,
        &groups,
        &sample.memory,
        &KernelRules::default(),
    );
    sample.cgroups = Arc::new(groups);
    (sample.seq, sample.taken) = (second, moment(second));
    lookout.sampled(Arc::new(sample));
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
            News::Filling { of, victim, .. } => format!("fills {} {victim:?}", of.unit),
            News::NotFilling { of } => format!("rests {}", of.unit),
            News::Band { of, from, to, .. } => format!("{} {from:?} {to:?}", of.unit),
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
    let host = Host::default();
    let facts = Facts {
        lookout: &lookout,
        host: &host,
        rules: None,
        own_cpu_seconds: None,
    };
    let text = page(&facts, Format::Text);
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
