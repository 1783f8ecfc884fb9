//! What filters let through, and what they say of mistakes.

use super::{Filter, FilterContext};
use crate::model::kernel::KernelRules;
use crate::model::process::score::OomScoreAdj;
use crate::model::process::{MemoryUse, Process, ProcessId};
use crate::model::snapshot::Snapshot;

fn passes(filter: &str) -> bool {
    let snapshot = Snapshot {
        users: std::sync::Arc::new([(7, "mysql".into())].into()),
        ..Snapshot::default()
    };
    let context = FilterContext {
        snapshot: &snapshot,
        rules: &KernelRules::default(),
        total: 100_000,
    };
    let process = Process {
        id: ProcessId {
            pid: 812,
            start_ticks: 1,
        },
        uid: 7,
        comm: "mysqld".into(),
        command: Some("/usr/sbin/mysqld --Datadir=/var".into()),
        adj: OomScoreAdj::new(-500),
        memory: Some(MemoryUse {
            rss: 51_200,
            ..MemoryUse::default()
        }),
        ..Process::default()
    };
    let parsed = Filter::parse(filter).expect(filter);
    parsed.matches(&process, &context)
}

#[test]
fn blanks_around_operators_and_quotes() {
    for (spaced, joined) in [
        ("rss > 100M", "rss>100M"),
        ("rss >100M  adj <  0", "rss>100M adj<0"),
        ("! rss", "! rss"),
        ("!rss >= 1G x", "!rss>=1G x"),
        ("user : mysql", "user:mysql"),
        ("swap", "swap"),
        ("swap on", "swap on"),
    ] {
        let terms = |text: &str| Filter::parse(text).expect(text).terms;
        assert_eq!(terms(spaced), terms(joined), "{spaced}");
    }
    let quoted = Filter::parse("\"foo:bar b\"").expect("text");
    assert_eq!(quoted.terms.len(), 1);
}

#[test]
fn unknown_fields_are_named_with_what_may_be_meant() {
    for (text, says) in [
        ("mem>1", "rss>"),
        ("foo:bar", "no field 'foo'"),
        ("usr:root", "user"),
        ("comm:x", "name:"),
        ("rsss>1M", "rss"),
    ] {
        let error = Filter::parse(text).expect_err(text);
        assert!(error.contains(says), "{text}: {error}");
    }
    for text in [
        "http://x",
        "sshd:",
        "--port=3",
        "/usr/bin",
        "postgres: writer",
        "a:b",
    ] {
        assert!(Filter::parse(text).is_ok(), "{text}");
    }
    assert!(Filter::parse("name:postgres").is_ok());
}

#[test]
fn terms() {
    for yes in [
        "",
        "mysql",
        "DATADIR",
        "pid:812",
        "pid:1,812",
        "user:mysql",
        "user:7",
        "adj<0",
        "adj=-500",
        "rss>100M",
        "rss<=200M",
        "!nginx",
        "mysql adj<0 rss>1M",
        "bad<100",
        "swap=0",
    ] {
        assert!(passes(yes), "{yes}");
    }
    for no in [
        "nginx",
        "pid:8",
        "user:root",
        "adj>0",
        "rss>1G",
        "!mysql",
        "mysql adj>0",
        "growth>0",
        "cgroup:x",
    ] {
        assert!(!passes(no), "{no}");
    }
}

#[test]
fn either_of_two() {
    for yes in [
        "nginx|mysql",
        "mysql|nginx",
        "nginx | mysql",
        "|mysql",
        "|",
        "mysql|",
        "nginx|adj<0",
        "adj>0|rss > 100M",
        "user:root|mysql",
        "user:root|\"mysql\"",
        "name:nginx|mysqld adj<0",
        "!mysql|adj<0",
        "nginx|!httpd",
        "\"no|no\"|mysql",
        // The bar binds tighter than the blank.
        "mysql|nginx user:mysql",
    ] {
        assert!(passes(yes), "{yes}");
    }
    for no in [
        "nginx|httpd",
        "nginx|",
        "\"nginx|mysql\"",
        "user:root|postgres",
        // The user counts on: this is no text of the command line.
        "user:root|Datadir",
        "mysql|nginx user:root",
        "!mysql|adj>0",
        "rss>1G|swap>0 ",
    ] {
        assert!(!passes(no), "{no}");
    }
    for bad in ["pid:1|x", "x|rss>lots", "java|mem>1"] {
        assert!(Filter::parse(bad).is_err(), "{bad}");
    }
    assert!(Filter::parse(" | ").is_ok_and(|filter| filter.is_empty()));
}

#[test]
fn nonsense_is_told() {
    for bad in ["rss>", "rss>lots", "adj<x", "pid:", "pid:x", "score>1.5"] {
        assert!(Filter::parse(bad).is_err(), "{bad}");
    }
}

proptest::proptest! {
    #[test]
    fn never_panics(text in "\\PC{0,40}") {
        if let Ok(filter) = Filter::parse(&text) {
            let snapshot = Snapshot::default();
            let context = FilterContext { snapshot: &snapshot, rules: &KernelRules::default(), total: 0 };
            let _ = filter.matches(&Process::default(), &context);
        }
    }
}

#[test]
fn a_user_takes_the_place_of_another_and_other_terms_stay() {
    let with = |text: &str, user| {
        let filter = Filter::parse(text).expect(text).with_user(user);
        assert_eq!(Filter::parse(filter.text()), Ok(filter.clone()), "{text}");
        filter.text().to_owned()
    };
    assert_eq!(with("", Some("bob")), "user:bob");
    assert_eq!(with("user: bob rss > 1M", Some("eve")), "rss>1M user:eve");
    assert_eq!(with("\"a  b\" user:bob", None), "\"a  b\"");
    assert_eq!(with("!user:root", Some("a  b")), "!user:root user:\"a  b\"");
    assert_eq!(with("user:\"a  b\" !\"x y\"", None), "!\"x y\"");
    let user = |text: &str| Filter::parse(text).expect(text).user().map(str::to_owned);
    assert_eq!(user("x user: \"Bob B\""), Some("bob b".to_owned()));
    assert_eq!(user("!user:bob"), None);
    // Two users are none of the list, and make way for one.
    assert_eq!(user("user:bob|eve"), None);
    assert_eq!(with("x|y user:bob | eve", Some("a|b")), "x|y user:\"a|b\"");
    assert_eq!(with("user:bob|java", Some("eve")), "user:eve");
    assert_eq!(with("java|user:bob", Some("eve")), "java|user:bob user:eve");
}

#[test]
fn a_sign_in_quotes_divides_no_text() {
    assert!(super::any_of("web|db", &["the-db"]));
    assert!(super::any_of(" web | db ", &["the-db"]));
    assert!(!super::any_of("\"web|db\"", &["the-db"]));
    assert!(super::any_of("\"web|db\"", &["a web|db"]));
    assert!(super::any_of("", &["whatever"]) && super::any_of("|", &["whatever"]));
}
