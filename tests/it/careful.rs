//! Input that comes twice, comes too early, is too long or makes no sense must cause no unintended write and
//! must not be lost.

use std::sync::Arc;
use std::time::Duration;

use crate::common::measured;
use crate::common::patience::processor_time;
use crate::common::scene::{Scene, id, kill_report, process, processes, snapshot};
use crate::common::writes::{adj, adj_done, done, one, receipt, writes};
use oomtop::app::msg::{Msg, Receipt, WriteId};
use oomtop::model::event_source::EventSource;
use oomtop::model::oom_domain::victim::Scope;
use oomtop::model::plan::receipt::Reading;
use oomtop::model::plan::step::Step;
use oomtop::model::process::score::OomScoreAdj;
use oomtop::model::process::signal::SIGNALS;
use oomtop::model::snapshot::{Detail, KillCounters};
use oomtop::oomlog::OomEvent;

/// The receipt of a write whose dialog has been closed.
fn written(pid: u32, before: i64, after: i64) -> Msg {
    Msg::Done(Receipt::Write {
        id: WriteId(1000 + u64::from(pid)),
        plans: vec![adj_done(pid, before, after)],
    })
}

#[test]
fn a_second_u_before_the_answer_takes_back_nothing() {
    let mut scene = Scene::new(120, 36);
    scene.tell(written(1892, 0, 300));
    scene.tell(written(2456, 0, -200));
    scene.effects.clear();
    scene.keys("u Enter u");
    assert_eq!(scene.asked().len(), 1, "asked once");
    scene.answer(vec![adj_done(2456, -200, 0)]);
    assert_eq!(scene.state.undo.len(), 1, "the older change still stands");
    scene.effects.clear();
    scene.keys("u Enter");
    assert_eq!(writes(&scene.asked()), [one([adj(1892, 0)])]);
}

#[test]
fn writes_to_many_processes_are_not_kept_without_end() {
    let mut scene = Scene::new(120, 36);
    let reading = |value| Reading::Adj(OomScoreAdj::clamped(value));
    let step = |pid| done(adj(pid, 300), reading(0), reading(300));
    let mut write = |id: u64, steps: u32| {
        let plans = vec![receipt((1..=steps).map(step).collect())];
        let id = WriteId(1000 + id);
        scene.tell(Msg::Done(Receipt::Write { id, plans }));
        scene.state.undo.len()
    };
    assert_eq!(write(1, 10_000), 1);
    assert_eq!(write(2, 5000), 2);
    assert_eq!(write(3, 5000), 2, "the oldest goes");
    assert_eq!(write(4, 40_000), 1, "the newest stays");
}

#[test]
fn a_filter_that_makes_no_sense_is_not_accepted_with_enter() {
    let mut scene = Scene::new(120, 36);
    scene.keys("/").types("rss>abc").keys("Enter");
    assert!(scene.state.prompt.is_some());
    assert!(scene.text().contains("a size such as 100M is needed"));
    scene
        .keys("Backspace Backspace Backspace")
        .types("1G")
        .keys("Enter");
    assert!(scene.state.prompt.is_none());
    assert_eq!(scene.state.table.filter.text(), "rss>1G");
}

#[test]
fn a_number_of_two_digits_is_that_signal() {
    let mut scene = Scene::new(120, 36);
    scene.keys("k 1");
    assert!(scene.text().contains("send SIGHUP"), "{}", scene.text());
    scene.keys("5");
    assert!(scene.text().contains("send SIGTERM"), "{}", scene.text());
    scene.keys("9");
    assert!(scene.text().contains("send SIGKILL"), "{}", scene.text());
    // The answer to a closed dialog must not close the open one.
    let target = id(1892);
    let step = Step::Signal {
        target,
        signal: SIGNALS[0],
    };
    let plans = vec![receipt(vec![done(
        step,
        Reading::Nothing,
        Reading::Nothing,
    )])];
    scene.tell(Msg::Done(Receipt::Write {
        id: WriteId(1000),
        plans,
    }));
    assert_eq!(scene.state.dialogs.len(), 1);
}

#[test]
fn space_in_the_events_tags_nobody() {
    let mut scene = Scene::new(120, 36);
    scene.keys("e Space");
    assert!(scene.state.table.tagged.is_empty());
    scene.keys("e Space");
    assert_eq!(scene.state.table.tagged.len(), 1);
}

#[test]
fn a_line_that_comes_late_takes_the_place_of_the_counted_kill() {
    let mut scene = Scene::new(120, 36);
    let with_kills = |second, host| {
        let mut sample = snapshot(second, processes());
        sample.kills = KillCounters { host: Some(host) };
        Msg::Sampled(Arc::new(sample))
    };
    scene.tell(Msg::Source(EventSource {
        name: "the journal".to_owned(),
        missing: "it lags".to_owned(),
        caught_up: true,
        ..EventSource::default()
    }));
    let (rows, kills) = (scene.state.events.len(), scene.state.events.kills());
    scene.tell(with_kills(3, 2));
    assert_eq!(scene.state.events.len(), rows, "the line may still come");
    for second in 4..8 {
        scene.tell(with_kills(second, 2));
    }
    assert_eq!(scene.state.events.kills(), kills + 1);
    let late = kill_report(9, 3, 1892, "java", None);
    scene.tell(Msg::Oom(OomEvent::Report(Arc::new(late))));
    scene.tell(with_kills(8, 2));
    assert_eq!(scene.state.events.len(), rows + 1, "one row, the log's");
    assert_eq!(scene.state.events.kills(), kills + 1, "counted once");
    // A withdrawn silent kill must not hide a later one.
    for second in 9..14 {
        scene.tell(with_kills(second, 3));
    }
    assert_eq!(scene.state.events.kills(), kills + 2);
}

#[test]
fn kills_that_scrolled_out_of_the_log_still_count() {
    let mut scene = Scene::new(120, 36);
    let before = scene.state.events.kills();
    for n in 0..2500 {
        let report = kill_report(100 + n, 2, 1892, "java", None);
        scene.tell(Msg::Oom(OomEvent::Report(Arc::new(report))));
    }
    assert_eq!(scene.state.events.kills(), before + 2500);
}

#[test]
fn a_limit_whose_usage_is_unknown_is_not_an_empty_gauge() {
    let mut sample = snapshot(2, processes());
    let group = sample.domains.iter().find(|d| d.scope != Scope::Host);
    let scope = group.expect("a limited group").scope;
    sample.own_limit = Some(scope);
    assert_eq!(sample.main_domain().map(|d| d.scope), Some(scope));
    for domain in sample.domains.iter_mut().filter(|d| d.scope == scope) {
        domain.usage = None;
    }
    assert_eq!(sample.main_domain().map(|d| d.scope), Some(Scope::Host));
}

#[test]
fn a_long_command_line_leaves_the_badness_on_the_screen() {
    let mut scene = Scene::new(80, 24);
    let mut others = processes();
    for p in others.iter_mut().filter(|p| p.id.pid == 2456) {
        p.command = Some(Arc::from("mysqld --option=value ".repeat(500)));
    }
    scene.sample(others);
    scene.keys("Enter");
    assert!(
        scene.text().contains("Badness on the host"),
        "{}",
        scene.text()
    );
    for _ in 0..40 {
        scene.keys("PgDn");
    }
    assert!(scene.text().contains("--option=value"), "{}", scene.text());
}

#[test]
fn a_line_without_blanks_and_a_thousand_targets_are_drawn_in_time() {
    let mut scene = Scene::new(120, 36);
    let crowd = (0..10_000).map(|n| process(10_000 + n, "worker", 1, 0, 1));
    let mut sample = snapshot(2, processes().into_iter().chain(crowd).collect());
    sample.detail = Some(Detail {
        id: id(2456),
        cgroup_lines: vec!["/a".repeat(1_000_000)],
        ..Detail::default()
    });
    scene.tell(Msg::Sampled(Arc::new(sample)));
    let begin = processor_time();
    scene.keys("Enter");
    scene.text();
    scene.keys("Esc End Up Up a Tab Tab");
    scene.text();
    // Without optimisation. A walk for each target took minutes.
    let took = processor_time().saturating_sub(begin);
    measured(&format!(
        "a long line and ten thousand targets are drawn in {took:?}"
    ));
    assert!(took < Duration::from_secs(20), "{took:?}");
}
