//! The three forms tell the same.

use std::time::Duration;

use super::Told;
use crate::app::lookout::{Named, News};
use crate::model::memory::band::Band;
use crate::model::oom_domain::stuck::Stuck;

fn told(news: News) -> Told {
    Told {
        news,
        unix_micros: 1_500_000,
        host: "h".to_owned(),
    }
}

fn of() -> Named {
    Named {
        domain: "/system.slice/a.service".to_owned(),
        unit: "a.service".to_owned(),
    }
}

#[test]
fn line_json_and_environment_tell_the_same() {
    let filling = told(News::Filling {
        of: of(),
        left: Duration::from_millis(42_600),
        brief: true,
        victim: Some((7, "x\n\u{1b}[2J\"".to_owned())),
        or: Some((8, "y".to_owned())),
    });
    let text = "FULL IN ~40s? a.service (/system.slice/a.service): next victim 7 x\u{fffd}\u{fffd}[2J\" or 8 y";
    assert_eq!(filling.text(), text);
    let json: serde_json::Value = serde_json::from_str(&filling.json()).expect("JSON");
    assert_eq!(json["event"], "forecast");
    assert_eq!(json["seconds_left"], 42.0);
    assert_eq!(
        (&json["or_pid"], &json["or_comm"]),
        (&8.into(), &"y".into())
    );
    assert_eq!(json["comm"], "x\n\u{1b}[2J\"");
    assert!(!filling.json().contains(['\n', '\u{1b}']));
    let all = filling.environment();
    let of = |name: &str| {
        let found = all.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    };
    assert_eq!(of("OOMTOP_TEXT"), Some(text));
    assert_eq!(of("OOMTOP_PID"), Some("7"));
    assert_eq!(of("OOMTOP_TIME"), Some("1.5"));
    assert_eq!(of("OOMTOP_UNIT"), Some("a.service"));
    assert_eq!(of("OOMTOP_BAND"), None);
    assert!(all.iter().all(|(_, value)| !value.contains(['\0', '\n'])));
}

#[test]
fn sentences_say_what_is_going_on() {
    let band = |from| News::Band {
        of: of(),
        from,
        to: Band::Critical,
        percent: 96.04,
    };
    let stuck = News::Stuck {
        of: Named {
            domain: "host".to_owned(),
            ..Named::default()
        },
        how: Stuck::Immune,
    };
    let drift = |processes| News::Drift {
        rule: "db".to_owned(),
        processes,
        limits: Vec::new(),
    };
    let said = [
        band(Some(Band::Normal)),
        band(None),
        stuck,
        drift(1),
        drift(0),
    ]
    .map(|news| {
        let told = told(news);
        (told.is_bad(), told.text())
    });
    assert_eq!(
        said.map(|(bad, text)| format!("{bad} {text}")),
        [
            "true a.service (/system.slice/a.service) from the normal to the CRITICAL band: 96.0% used",
            "true a.service (/system.slice/a.service) is in the CRITICAL band: 96.0% used",
            "true STUCK the host: full, and nobody in it can be killed; nobody is killed",
            "true DRIFT 1 process without the value or the group of rule db",
            "false all is as rule db says again",
        ]
    );
}
