//! The text of the drop-in: what counts, what stays, and the way from one text to the other.

use super::{DropInWrite, FILE, Found, HEAD, Mark, Setting, diff, merged};
use crate::model::killers::oom_policy::{Manager, OomPolicy};
use crate::model::killers::systemd::syntax::assignments;
use crate::model::process::score::OomScoreAdj;
use crate::model::systemd::{Lasting, UnitName};

fn adj(value: i64) -> Setting {
    Setting::ScoreAdjust(OomScoreAdj::clamped(value))
}

#[test]
fn a_new_file_says_who_wrote_it_and_one_that_is_there_keeps_the_rest() {
    let new = merged(None, adj(-500));
    assert_eq!(new, format!("{HEAD}\n[Service]\nOOMScoreAdjust=-500\n"));
    let both = merged(Some(&new), Setting::Policy(OomPolicy::Continue));
    assert_eq!(both, format!("{new}OOMPolicy=continue\n"));
    let other = merged(
        Some("[Service]\nOOMScoreAdjust=1\nNice=3\n[Unit]\nA=b\n"),
        adj(7),
    );
    assert_eq!(other, "[Service]\nOOMScoreAdjust=7\nNice=3\n[Unit]\nA=b\n");
}

#[test]
fn its_undo_exchanges_the_texts_and_takes_the_directory_that_it_made() {
    let unit = UnitName {
        name: "web.service".to_owned(),
        manager: Manager::System,
    };
    let write = DropInWrite::setting(unit, Lasting::Persistent, &Found::default(), adj(-500));
    assert_eq!(
        write.path(),
        format!("/etc/systemd/system/web.service.d/{FILE}")
    );
    let back = write.back(false);
    assert_eq!((&back.was, &back.text), (&write.text, &None));
    assert!(back.and_directory);
    assert!(!write.back(true).and_directory);
    let marks: Vec<Mark> = write.diff().into_iter().map(|(mark, _)| mark).collect();
    assert_eq!(marks, [Mark::In; 3]);
}

#[test]
fn a_line_that_is_continued_does_not_swallow_the_setting() {
    let text = merged(Some("[Service]\nExecStart=/a \\\n"), adj(7));
    assert_eq!(text, "[Service]\nExecStart=/a \\\n\nOOMScoreAdjust=7\n");
    let inside = "[Service]\nExecStart=/a \\\nOOMScoreAdjust=3\n";
    assert_eq!(
        merged(Some(inside), adj(7)),
        format!("{inside}OOMScoreAdjust=7\n")
    );
}

/// Everything that systemd would read, in order, but for one key of `[Service]`.
fn others(text: &str, key: &str) -> Vec<(String, String, String)> {
    assignments(text)
        .filter(|(section, name, _)| !(*section == "Service" && *name == key))
        .map(|(section, name, value)| (section.to_owned(), name.to_owned(), value.to_owned()))
        .collect()
}

proptest::proptest! {
    #[test]
    fn the_setting_counts_and_everything_else_stays(
        was in "(\\[Service\\]\n|\\[Unit\\]\n|OOMScoreAdjust=[0-9]\n|OOMScoreAdjust = 5\n|Nice=1\n|#x\n|\n){0,12}",
        value in -1000..=1000i64,
    ) {
        let text = merged(Some(&was), adj(value));
        let last = assignments(&text).filter(|(section, key, _)| *section == "Service" && *key == "OOMScoreAdjust").last();
        proptest::prop_assert_eq!(last.map(|(_, _, value)| value.to_string()), Some(value.to_string()));
        proptest::prop_assert_eq!(others(&was, "OOMScoreAdjust"), others(&text, "OOMScoreAdjust"));
        proptest::prop_assert_eq!(&merged(Some(&text), adj(value)), &text, "twice is once");
    }

    #[test]
    fn a_diff_leads_from_one_text_to_the_other(was in "([ab]\n){0,9}", text in "([ab]\n){0,9}") {
        let marked = diff(Some(&was), Some(&text));
        let lines = |without: Mark| -> String {
            let kept = marked.iter().filter(|(mark, _)| *mark != without);
            kept.flat_map(|(_, line)| [line.as_str(), "\n"]).collect()
        };
        proptest::prop_assert_eq!(lines(Mark::In), was);
        proptest::prop_assert_eq!(lines(Mark::Out), text);
    }
}
