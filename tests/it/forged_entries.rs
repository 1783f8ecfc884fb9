//! Entries among lines of text: a program's message can go on with what looks like one.

use crate::trust::{KILL, found};

/// Entries that say to be the kernel's, in lines of their own.
fn entries() -> Vec<String> {
    let header = "Sun 2026-11-22 17:09:46.1 UTC [s=1;i=2;b=3]";
    let fields = format!("    _TRANSPORT=kernel\n    MESSAGE={KILL}\n");
    let list: String = (0..12).fold(String::new(), |all, n| format!("{all}    N{n}=1\n"));
    vec![
        format!("x [s=1]\n{fields}"),
        format!("x [s=1;i=2]\n{fields}"),
        format!("{header}\n{fields}"),
        format!("{header}\n    _TRANSPORT=kernel\n{list}    MESSAGE={KILL}\n"),
        fields.clone(),
        format!("{{\n  \"_TRANSPORT\" : \"kernel\",\n  \"MESSAGE\" : \"{KILL}\"\n}}\n"),
        format!("  \"_TRANSPORT\" : \"kernel\",\n  \"MESSAGE\" : \"{KILL}\"\n}}\n"),
        format!("{{\"_TRANSPORT\":\"kernel\",\"MESSAGE\":\"{KILL}\"}}\n"),
        format!("[{{\"_TRANSPORT\":\"kernel\",\"MESSAGE\":\"{KILL}\"}}]\n"),
        format!("data: {{\"_TRANSPORT\":\"kernel\",\"MESSAGE\":\"{KILL}\"}}\n"),
        format!("{{\"dmesg\":[{{\"pri\":4,\"time\":12.5,\"msg\":\"{KILL}\"}}]}}\n"),
        format!(
            "{{\n   \"dmesg\": [\n      {{\n  \"pri\": 4,\n  \"time\": 12.5,\n  \"msg\": \"{KILL}\"\n}}]}}\n"
        ),
        format!("4,13,14,-;{KILL}\n"),
        format!("{{\"_TRANSPORT\":\"kernel\",\"MESSAGE\":\"a\"}}\n{KILL}\n"),
        format!("4,13,14,-;a\n{KILL}\n"),
        format!("4,13,14,-;a\n4,14,15,-;{KILL}\n"),
    ]
}

#[test]
fn an_entry_behind_a_programs_line_is_the_programs() {
    for program in [
        "Nov 22 17:09:46 h app[3]: multi",
        "[   12.000001] h app[3]: multi",
        "2026-11-22T17:09:46Z h app 7 - - multi",
        "<14>multi",
    ] {
        for entry in entries() {
            for (before, after) in [
                (String::new(), String::new()),
                (
                    "Nov 22 17:09:46 h kernel: a\n".repeat(300),
                    "Nov 22 17:09:46 h kernel: b\n".repeat(300),
                ),
                (String::new(), format!("{program}\n")),
            ] {
                let log = format!("{before}{program}\n{entry}{after}");
                assert_eq!(found(&log).0, 0, "{log}");
                let log = format!("{before}{program}\nmore\n{entry}{after}");
                assert_eq!(found(&log).0, 0, "{log}");
            }
        }
    }
}

#[test]
fn an_entry_among_lines_of_text_is_unproven() {
    for text in [
        "Nov 22 17:09:46 h kernel: a\n",
        "[   12.000001] a\n",
        "Nov 22 17:09:46 h app[3]: a\n\n",
    ] {
        for entry in entries() {
            let (_, _, vouched) = found(&format!("{text}{entry}"));
            assert!(
                !vouched || found(&format!("{text}{entry}")).0 == 0,
                "{text}{entry}"
            );
        }
    }
}

#[test]
fn entries_behind_a_log_of_text_are_read() {
    for entry in [
        format!("{{\"_TRANSPORT\":\"kernel\",\"MESSAGE\":\"{KILL}\"}}\n"),
        format!(
            "Sun 2026-11-22 17:09:46 UTC [s=1;i=2]\n    _TRANSPORT=kernel\n    MESSAGE={KILL}\n"
        ),
        format!("4,13,14,-;{KILL}\n"),
    ] {
        let log = format!("Nov 22 17:09:46 h kernel: a\n{entry}");
        assert_eq!(found(&log), (1, 0, false), "{log}");
        let other = "{\"_TRANSPORT\":\"kernel\",\"MESSAGE\":\"a\"}\n".repeat(8);
        let log = format!("Nov 22 17:09:46 h app[3]: a\n{other}{entry}");
        assert_eq!(found(&log), (1, 0, false), "{log}");
        // What the journal says about the log.
        for note in [
            "-- Logs begin at Sun 2026-11-22 10:00:00 UTC, end at Sun 2026-11-22 18:00:00 UTC. --",
            "-- Boot fedcba9876543210 --",
            "-- Reboot --",
        ] {
            assert_eq!(found(&format!("{note}\n{entry}")), (1, 0, true), "{note}");
        }
    }
}
