//! What decides the next OOM, on the screen: killers, settings, the distance from death, and the effect of a new
//! limit or a new adj.

use std::sync::Arc;

use crate::common::changed::{calm, calm_scene, says, scene_with, words};
use crate::common::scene::{GIB, MIB, Scene, host, moment, process, processes, snapshot};
use crate::common::styled::{cropped, dialog, styled_view};
use crate::common::writes::go;
use oomtop::app::msg::{Effect, GroupChoice, Msg};
use oomtop::app::settings::Settings;
use oomtop::model::cgroup::limits::LimitFile;
use oomtop::model::cgroup::{CgroupKey, CgroupPath, CgroupVersion, GroupStat};
use oomtop::model::killers::earlyoom::{Release, earlyoom};
use oomtop::model::killers::systemd::{OomdConf, systemd_oomd};
use oomtop::model::killers::units::Managed;
use oomtop::model::oom_domain::headroom::Room;
use oomtop::model::oom_domain::victim::Scope;
use oomtop::model::process::Process;
use oomtop::model::snapshot::{Host, Snapshot};
use oomtop::ui::theme::Theme;
use ratatui::layout::Rect;

/// systemd-oomd, which Fedora and Ubuntu run, and earlyoom beside it.
fn killers(snapshot: &mut Snapshot) {
    let group = |path| CgroupPath::new(path);
    let swap = Managed {
        swap: true,
        ..Managed::default()
    };
    let pressure = Managed {
        pressure: true,
        ..Managed::default()
    };
    let watched = [(group("/"), swap), (group("/system.slice"), pressure)];
    let conf = OomdConf::default();
    snapshot.processes.push(daemon(700, "systemd-oomd"));
    snapshot.processes.push(daemon(701, "earlyoom"));
    snapshot.killers = Arc::new(vec![
        systemd_oomd(crate::common::scene::id(700), &conf, &watched),
        earlyoom(
            crate::common::scene::id(701),
            &Release::default(),
            ["-m", "20", "-s", "100"],
        ),
    ]);
}

fn daemon(pid: u32, name: &str) -> Process {
    process(pid, name, 4, -900, 1)
}

#[test]
fn the_panel_with_killers_as_a_picture() {
    for (width, height) in [(80, 24), (120, 36)] {
        let mut scene = scene_with((width, height), killers);
        let header = Rect {
            height: scene.state.panes().table_title.y,
            ..scene.state.panes().screen
        };
        let view = cropped(&scene.buffer(&Theme::colours()), header);
        insta::assert_snapshot!(
            format!("killers_header_{width}x{height}"),
            styled_view(&view)
        );
        scene.keys("S");
        let panel = styled_view(&dialog(&scene.buffer(&Theme::colours())));
        insta::assert_snapshot!(format!("killers_{width}x{height}"), panel);
    }
}

#[test]
fn killers_with_their_conditions_and_who_acts_first() {
    let mut scene = scene_with((200, 50), killers);
    assert!(
        scene.text().contains("earlyoom acts first, in about"),
        "{}",
        scene.text()
    );
    assert!(scene.text().contains("(avail ≤ 20%)"), "{}", scene.text());
    scene.keys("S");
    says(&scene, "earlyoom acts before the kernel");
    says(
        &scene,
        "SIGTERM when available ≤ 20% (4.8 GiB) and free swap ≤ 100% (8 GiB); now 28% and 96%",
    );
    says(&scene, "it would choose the largest oom_score: 2456 mysqld");
    says(&scene, "kills a cgroup when available ≤ 10%");
    says(
        &scene,
        "memory pressure of /system.slice (full avg10) > 60.0% for 30s; now n/a",
    );
    says(&scene, "none has more than 5% of it");
}

#[test]
fn without_killers_the_kernel_acts_and_the_header_is_silent() {
    let mut scene = Scene::new(120, 36);
    assert!(!scene.text().contains("acts first"));
    scene.keys("S");
    says(
        &scene,
        "The kernel: neither systemd-oomd, earlyoom, nohang, oomd, kubelet nor Talos runs",
    );
    says(&scene, "then it kills 2456 mysqld");
    scene.keys("S");
    assert!(!scene.text().contains("What decides"), "S closes it again");
}

#[test]
fn the_panel_names_the_limit_that_is_nearer_than_the_host() {
    let docker = format!("/docker/{}", "4f5e6d7c8b9a0123".repeat(4));
    let mut near = scene_with((200, 50), |_| {});
    near.keys("S");
    says(
        &near,
        &format!(
            "Who acts first most urgent: {docker}, 7.9 GiB left: the kernel kills 1892 java there The kernel:"
        ),
    );
    let mut near = scene_with((200, 50), killers);
    near.keys("S");
    says(
        &near,
        "kills 1892 java there (the killers below do not see that limit)",
    );
    let mut calm = calm_scene((200, 50), killers);
    calm.keys("S");
    assert!(!words(&calm).contains("most urgent:"), "{}", words(&calm));
}

fn roomy_host(_: &mut Snapshot) {}

fn full_host(snapshot: &mut Snapshot) {
    snapshot.memory.available = Some(GIB / 4);
    snapshot.memory.swap_free = 0;
    Arc::make_mut(&mut snapshot.cgroups)[4].usage = Some(GIB);
}

#[test]
fn the_nearest_domain_comes_first() {
    let docker = format!("/docker/{}", "4f5e6d7c8b9a0123".repeat(4));
    let order = |words: &str, host: &str, group: &str| {
        let at = |what: &str| words.find(what);
        let (host, group) = (at(host), at(group));
        assert!(host.is_some() && group.is_some(), "{words}");
        host < group
    };
    for (change, host_first) in [(roomy_host as fn(&mut Snapshot), false), (full_host, true)] {
        let mut details = scene_with((120, 36), change);
        details.keys("Down Enter");
        let group = format!("{docker} limit");
        let first = order(&words(&details), "the host limit", &group);
        assert_eq!(first, host_first);
        let mut adjust = scene_with((200, 50), change);
        adjust.keys("Down a");
        let group = format!("next victim of {docker}");
        let first = order(&words(&adjust), "next victim of the host", &group);
        assert_eq!(first, host_first);
    }
}

#[test]
fn what_cannot_be_read_is_not_a_default() {
    let mut scene = scene_with((120, 60), |snapshot| snapshot.vm_settings = Arc::default());
    scene.keys("S");
    says(&scene, "panic_on_oom n/a");
    says(&scene, "swap n/a");
    says(&scene, "zswap n/a");
}

#[test]
fn the_distance_from_death_in_every_domain() {
    let mut scene = Scene::new(120, 36);
    scene.keys("Enter");
    says(
        &scene,
        "it is the first to die; 14.4 GiB left; the next is 3.7 GiB behind",
    );
    // java: the first in its container, behind mysqld on the host.
    let mut scene = scene_with((120, 36), |snapshot| {
        let group = &mut Arc::make_mut(&mut snapshot.cgroups)[4];
        group.stat = Some(GroupStat {
            inactive_file: 30 * MIB,
            active_file: 25 * MIB,
            unwritten: 5 * MIB,
            ..GroupStat::default()
        });
    });
    scene.keys("Down Enter");
    says(&scene, "more and it is the first to die; 14.3 GiB left");
    says(&scene, "55 MiB of it page cache to drop");
    let mut scene = scene_with((120, 36), |snapshot| {
        snapshot.memory.available = Some(GIB / 4);
        snapshot.memory.swap_free = 0;
    });
    scene.keys("Down Enter");
    says(&scene, "only 256 MiB left: 2456 mysqld dies before");
}

/// The groups that the newest request for a sample asks for.
fn groups_asked_for(scene: &Scene) -> Vec<CgroupKey> {
    let newest = scene.effects.iter().rev().find_map(|effect| match effect {
        Effect::Sample(needs) => Some(needs.groups.clone()),
        _ => None,
    });
    newest.unwrap_or_else(|| unreachable!("nothing was asked for"))
}

#[test]
fn the_groups_whose_room_is_told_are_asked_for_whole() {
    let docker = CgroupKey(4);
    let asks = |keys: &str| {
        // A calm scene: otherwise the header itself would ask for the group.
        let mut scene = calm_scene((120, 36), |_| {});
        scene.keys(keys);
        let mut later = snapshot(60, processes());
        calm(&mut later);
        scene.tell(Msg::Sampled(Arc::new(later)));
        scene.tell(Msg::Tick(moment(120)));
        groups_asked_for(&scene).contains(&docker)
    };
    assert!(!asks(""), "nobody tells its room");
    assert!(asks("Down Enter") && asks("Down c"));
    assert!(!asks("Enter"), "mysqld is in no limited group");
    // The group it would be moved to.
    let mut scene = calm_scene((120, 36), |_| {});
    scene.keys("c Tab").tell(Msg::Groups(Ok(vec![GroupChoice {
        path: snapshot(1, processes()).cgroups[4].path.clone(),
        limit: None,
        usage: None,
        writable: true,
        has_memory: false,
    }])));
    let mut later = snapshot(60, processes());
    calm(&mut later);
    scene.tell(Msg::Sampled(Arc::new(later)));
    scene.tell(Msg::Tick(moment(120)));
    assert!(groups_asked_for(&scene).contains(&docker));
}

#[test]
fn the_details_and_the_domain_state_the_same_room() {
    let with_cache = |snapshot: &mut Snapshot| {
        let group = &mut Arc::make_mut(&mut snapshot.cgroups)[4];
        group.stat = Some(GroupStat {
            inactive_file: 50 * MIB,
            ..GroupStat::default()
        });
        let domain = snapshot.domain(Scope::Memcg(CgroupKey(4))).expect("it");
        let room = Room::from_domain(domain, snapshot).expect("its usage");
        assert_eq!(room.left(), 234 * MIB + snapshot.memory.swap_free);
    };
    let mut details = scene_with((120, 36), with_cache);
    details.keys("Down Enter");
    let mut domain = scene_with((120, 36), with_cache);
    domain.keys("d Down Enter");
    for scene in [details, domain] {
        says(&scene, "7.9 GiB left, 50 MiB of it page cache to drop");
    }
}

#[test]
fn a_new_groups_limit_and_its_victim() {
    let mut scene = Scene::new(120, 36);
    scene
        .keys("c")
        .tell(Msg::Groups(Ok(Vec::new())))
        .types("1G");
    go(&mut scene, LimitFile::Max, LimitFile::SwapMax).types("0");
    says(
        &scene,
        "The limit of 1 GiB is reached after 1 GiB more, at the present growth in ~30s",
    );
    says(&scene, "then 2456 mysqld (this one) dies");
    go(&mut scene, LimitFile::SwapMax, LimitFile::OomGroup).types("1");
    says(
        &scene,
        "and all of /oomtop-mysqld-2456 with it (memory.oom.group)",
    );
}

#[test]
fn an_existing_groups_limit_ranks_its_members_and_the_moved_one() {
    let docker = format!("/docker/{}", "4f5e6d7c8b9a0123".repeat(4));
    let groups = |path: &str| {
        Msg::Groups(Ok(vec![GroupChoice {
            path: CgroupPath::new(path),
            limit: Some(3584 * MIB),
            usage: Some(3_400 * MIB),
            writable: true,
            has_memory: false,
        }]))
    };
    let mut scene = Scene::new(120, 36);
    // postgres, adj -500: in there java stays the victim.
    scene
        .keys("End Up Up Up")
        .keys("/")
        .types("postgres")
        .keys("Enter Home c Tab");
    scene.tell(groups(&docker));
    says(&scene, "is reached after");
    says(&scene, "(swap it may use included)");
    says(&scene, "then 1892 java dies, grown until then");
    // One without a limit.
    let mut scene = Scene::new(120, 36);
    scene.keys("c Tab").tell(Msg::Groups(Ok(vec![GroupChoice {
        path: CgroupPath::new("/system.slice"),
        limit: None,
        usage: None,
        writable: true,
        has_memory: false,
    }])));
    says(&scene, "No limit applies there");
}

#[test]
fn v1_with_the_killer_off_hangs() {
    let host = Host {
        cgroups: CgroupVersion::V1,
        ..host()
    };
    let mut scene = Scene::with(120, 36, Settings::default(), host);
    scene
        .keys("c")
        .tell(Msg::Groups(Ok(Vec::new())))
        .types("1G");
    go(&mut scene, LimitFile::V1Limit, LimitFile::V1OomControl).types("1");
    says(
        &scene,
        "nobody is killed: its tasks hang (oom_kill_disable)",
    );
}

#[test]
fn the_adjust_dialog_previews_every_target_and_domain() {
    let mut scene = Scene::new(120, 40);
    scene.keys("Space Space Home a Up");
    says(&scene, "2456 mysqld badness 310‰");
    says(&scene, "1892 java badness");
    says(&scene, "next victim of the host");
    let mut scene = Scene::new(120, 40);
    scene.keys("Down a Up");
    let words = words(&scene);
    assert!(words.contains("rank there 1 → "), "{words}");
}
