//! The announced victim: nobody where badness does not matter, two processes where it is too close to call.

use std::sync::Arc;

use crate::common::changed::{calm_scene, says, scene_with, set, words};
use oomtop::app::view::processes::marks::Marks;
use oomtop::model::memory::band::Thresholds;
use oomtop::model::snapshot::Snapshot;
use oomtop::model::vm_settings::OomAction;
use oomtop::output::json::document;

#[test]
fn a_kernel_that_panics_is_said_to_panic() {
    let mut scene = calm_scene((120, 40), set(|s| s.panic_on_oom = Some(1)));
    let text = scene.text();
    assert!(text.contains("nobody: the kernel panics"), "{text}");
    assert!(!text.contains("\n! "), "{text}");
    // A cgroup's limit still kills.
    assert!(text.contains("*  1892"), "{text}");
    scene.keys("S");
    says(
        &scene,
        "a global OOM panics the kernel instead of killing and the machine stays down",
    );
    scene.keys("Esc Enter");
    says(&scene, "nobody dies: the kernel panics");
    // Where a limit is nearer than the host's memory.
    let near = scene_with((120, 40), set(|s| s.panic_on_oom = Some(1)));
    let text = near.text();
    assert!(text.contains("Next victim 1892 java"), "{text}");
    assert!(text.contains("host: panics"), "{text}");
    let all = scene_with((120, 40), set(|s| s.panic_on_oom = Some(2)));
    assert!(
        all.text().contains("nobody: the kernel panics"),
        "{}",
        all.text()
    );
    assert!(!all.text().contains("\n* "), "{}", all.text());
}

#[test]
fn a_kernel_that_kills_whoever_asks_is_said_to() {
    let mut scene = calm_scene((120, 40), set(|s| s.kill_allocating_task = Some(1)));
    let text = scene.text();
    assert!(
        text.contains("Next victim whoever asks for memory"),
        "{text}"
    );
    assert!(!text.contains("\n! ") && text.contains("*  1892"), "{text}");
    scene.keys("S");
    says(&scene, "on the host whoever asks for memory dies");
    scene.keys("Esc a");
    says(
        &scene,
        "next victim of the host whoever asks for memory, unless it is immune",
    );
}

#[test]
fn the_domains_name_no_victim_where_badness_does_not_matter() {
    let domains = |change: &dyn Fn(&mut Snapshot)| {
        let mut scene = calm_scene((200, 50), change);
        scene.keys("d");
        let row = |name: &str| {
            let text = scene.text();
            let mut rows = text.lines().skip_while(|line| !line.contains("DOMAIN"));
            rows.find(|line| line.starts_with(name))
                .unwrap_or_default()
                .to_owned()
        };
        let rows = (row("host web-03"), row("docker"));
        scene.keys("Home Enter");
        (rows, words(&scene))
    };
    let ((host, docker), _) = domains(&|_| {});
    assert!(
        host.contains("one") && host.contains("2456 mysqld"),
        "{host}"
    );
    assert!(docker.contains("1892 java"), "{docker}");

    let ((host, docker), details) = domains(&set(|s| s.panic_on_oom = Some(1)));
    assert!(
        host.contains("panics") && host.contains("the kernel panics"),
        "{host}"
    );
    assert!(!host.contains("mysqld"), "{host}");
    assert!(
        docker.contains("1892 java"),
        "a limit still kills: {docker}"
    );
    assert!(
        details.contains("Nobody: the kernel panics (panic_on_oom 1)"),
        "{details}"
    );
    assert!(!details.contains("badness"), "{details}");

    let ((_, docker), _) = domains(&set(|s| s.panic_on_oom = Some(2)));
    assert!(
        docker.contains("the kernel panics") && !docker.contains("java"),
        "{docker}"
    );

    let ((host, _), details) = domains(&set(|s| s.kill_allocating_task = Some(1)));
    assert!(
        host.contains("asker") && host.contains("whoever asks"),
        "{host}"
    );
    assert!(!host.contains("mysqld"), "{host}");
    assert!(
        details.contains("Whoever asks for memory at that moment"),
        "{details}"
    );
}

#[test]
fn the_document_names_no_victim_where_badness_does_not_matter() {
    let victims = |change: &dyn Fn(&mut Snapshot)| {
        let scene = calm_scene((80, 24), change);
        let state = &scene.state;
        let thresholds = Thresholds::default();
        let marks = Marks::new(&state.snapshot);
        let all = document(
            &state.snapshot,
            &state.host,
            &marks,
            &state.events,
            &thresholds,
        );
        let facts = |scope: usize| {
            let domain = &all.domains[scope];
            (domain.action, domain.next_victim.map(|id| id.pid))
        };
        [facts(0), facts(1)]
    };
    let (mysqld, java) = (Some(2456), Some(1892));
    let plain = [(OomAction::KillWorst, mysqld), (OomAction::KillWorst, java)];
    assert_eq!(victims(&|_| {}), plain);
    let panics = [(OomAction::Panic, None), (OomAction::KillWorst, java)];
    assert_eq!(victims(&set(|s| s.panic_on_oom = Some(1))), panics);
    let asker = [(OomAction::KillAsker, None), (OomAction::KillWorst, java)];
    assert_eq!(victims(&set(|s| s.kill_allocating_task = Some(1))), asker);
}

#[test]
fn a_group_whose_killer_is_off_hangs_before_it_panics() {
    let mut scene = scene_with((200, 50), |snapshot| {
        set(|s| s.panic_on_oom = Some(2))(snapshot);
        Arc::make_mut(&mut snapshot.cgroups)[4].limits.kill_disabled = true;
    });
    scene.keys("d");
    assert!(
        scene.text().contains("nobody: tasks hang"),
        "{}",
        scene.text()
    );
}

#[test]
fn two_that_are_too_close_to_call_are_both_named_everywhere() {
    let close = |snapshot: &mut Snapshot| {
        for domain in &mut snapshot.domains {
            if let Some(verdict) = &mut domain.verdict {
                verdict.close = true;
            }
        }
    };
    let host = "2456 mysqld or 1892 java";
    let docker = "1892 java or 1893 shop-worker";
    let calm = calm_scene((200, 50), close);
    assert!(
        calm.text().contains(&format!("Next victim {host}")),
        "{}",
        calm.text()
    );
    let mut near = scene_with((240, 50), close);
    assert!(
        near.text().contains(&format!("Next victim {docker}")),
        "{}",
        near.text()
    );
    assert!(
        near.text().contains(&format!("host: {host}")),
        "{}",
        near.text()
    );
    near.keys("d");
    let rows = near.text();
    assert!(
        rows.matches(host).count() > 1 && rows.matches(docker).count() > 1,
        "{rows}"
    );
    near.keys("Home Enter");
    says(&near, &format!("{host} badness"));
    near.keys("Esc d S");
    says(&near, &format!("then it kills {host}"));
    // A runner-up that is too close to call does not rank behind the victim.
    let mut details = calm_scene((120, 36), close);
    details.keys("Down Enter");
    says(&details, "next victim, or 2456 mysqld");
    let mut adjust = calm_scene((120, 36), close);
    adjust.keys("Down a");
    says(&adjust, &format!("next victim of the host {host}"));
}
