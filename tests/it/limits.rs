//! Changing the limits of an existing group: keys, requested plans, the outlook before the write, and undo.

use crate::common::scene::{MIB, Scene, host, processes};
use crate::common::styled::{dialog, styled_view};
use crate::common::writes::{changed, failed, go, limit, limit_done as done, one, receipt, writes};
use oomtop::app::msg::Msg;
use oomtop::app::settings::Settings;
use oomtop::model::cgroup::limits::{LimitFile, LimitValue};
use oomtop::model::cgroup::{CgroupPath, CgroupVersion};
use oomtop::model::plan::Plan;
use oomtop::model::plan::receipt::{FailureKind, Reading, StepReceipt};
use oomtop::model::plan::step::CgroupStep;
use oomtop::model::snapshot::Host;
use oomtop::ui::theme::Theme;

pub(crate) const NONE: LimitValue = LimitValue::Unlimited;

fn docker() -> CgroupPath {
    CgroupPath::new(&format!("/docker/{}", "4f5e6d7c8b9a0123".repeat(4)))
}

pub(crate) fn step(file: LimitFile, value: LimitValue) -> CgroupStep {
    limit(&docker(), file, value)
}

pub(crate) fn mib(mib: u64) -> LimitValue {
    LimitValue::Amount(mib * MIB)
}

/// Writes requested since the last call.
pub(crate) fn asked(scene: &mut Scene) -> Vec<Vec<Plan>> {
    writes(&scene.asked())
}

/// The limits of java's container: 3584 MiB of which 3400 are used.
fn opened(width: u16, height: u16, version: CgroupVersion) -> Scene {
    let host = Host {
        cgroups: version,
        ..host()
    };
    let mut scene = Scene::with(width, height, Settings::default(), host);
    scene.keys("Down c").tell(Msg::Groups(Ok(Vec::new())));
    scene.keys("Tab Tab");
    scene.effects.clear();
    scene
}

/// A v2 group that has no swap to use.
pub(crate) fn without_swap(width: u16, height: u16, limit: &str) -> Scene {
    let mut scene = opened(width, height, CgroupVersion::V2);
    scene.types(limit);
    go(&mut scene, LimitFile::Max, LimitFile::SwapMax).types("0");
    scene
}

pub(crate) fn says(scene: &Scene, words: &str) {
    let text = scene.text();
    let text: Vec<_> = text
        .split_whitespace()
        .filter(|word| *word != "│")
        .collect();
    let text = text.join(" ");
    assert!(text.contains(words), "no {words:?} in\n{text}");
}

/// The outcome of the plan just asked for.
fn answer(scene: &mut Scene, steps: Vec<StepReceipt>) {
    scene.answer(vec![receipt(steps)]);
}

#[test]
fn tab_goes_round_the_three_parts() {
    let mut scene = Scene::new(120, 36);
    scene.keys("Down c").tell(Msg::Groups(Ok(Vec::new())));
    for words in [
        "new group /oomtop",
        "find",
        "limits of /docker/",
        "new group /oomtop",
    ] {
        says(&scene, words);
        scene.keys("Tab");
    }
}

#[test]
fn raising_writes_the_limit_and_moves_nobody() {
    let mut scene = opened(120, 36, CgroupVersion::V2);
    says(&scene, "now 3.5 GiB");
    scene.keys("Enter");
    assert_eq!(
        asked(&mut scene),
        [] as [Vec<Plan>; 0],
        "nothing typed, nothing written"
    );
    says(&scene, "type a new limit");
    scene.types("6G").keys("Enter");
    assert_eq!(
        asked(&mut scene),
        [one(vec![step(LimitFile::Max, mib(6144))])]
    );
}

#[test]
fn nonsense_is_not_written() {
    for (typed, words) in [
        ("100", "less than one page"),
        ("lots", "not a size"),
        // The outlook describes the limits in force.
        ("1", "The limit of 3.5 GiB is reached after"),
    ] {
        let mut scene = opened(120, 36, CgroupVersion::V2);
        scene.types(typed).keys("Enter Enter");
        assert_eq!(asked(&mut scene), [] as [Vec<Plan>; 0], "{typed}");
        says(&scene, words);
    }
}

#[test]
fn a_limit_that_kills_at_once_names_the_victim_and_is_asked_for_twice() {
    let mut scene = without_swap(120, 36, "1G");
    says(&scene, "kills as soon as it is written");
    says(&scene, "1892 java (this one) dies");
    says(
        &scene,
        "memory.high 1 GiB first kills nobody, but without swap",
    );
    scene.keys("Enter");
    assert_eq!(
        asked(&mut scene),
        [] as [Vec<Plan>; 0],
        "the first Enter only asks"
    );
    says(
        &scene,
        "This kills 1892 java at once. Press Enter again to write it",
    );
    // Scrolling does not answer the question.
    scene.keys("PgDn PgUp");
    says(&scene, "This kills 1892 java at once.");
    // Any other key cancels the question.
    scene.keys("Left");
    assert!(!scene.text().contains("This kills"));
    scene.keys("Enter");
    assert_eq!(asked(&mut scene), [] as [Vec<Plan>; 0]);
    scene.keys("Enter");
    // The limit that can kill is written last.
    let steps = vec![
        step(LimitFile::SwapMax, LimitValue::Amount(0)),
        step(LimitFile::Max, mib(1024)),
    ];
    assert_eq!(asked(&mut scene), [one(steps)]);
}

#[test]
fn the_victims_of_a_very_low_limit_are_counted_and_a_group_kill_is_said() {
    let scene = without_swap(120, 36, "200M");
    says(&scene, "In all about 2 processes die");
    let mut scene = without_swap(120, 40, "1G");
    go(&mut scene, LimitFile::SwapMax, LimitFile::OomGroup).types("1");
    says(&scene, "with it (memory.oom.group)");
}

#[test]
fn what_swap_must_take_at_once_is_asked_for_twice_too() {
    let mut scene = opened(120, 36, CgroupVersion::V2);
    scene.types("3G");
    says(&scene, "page cache and swap must make room at once");
    scene.keys("Enter");
    assert_eq!(asked(&mut scene), [] as [Vec<Plan>; 0]);
    scene.keys("Enter");
    assert_eq!(asked(&mut scene).len(), 1);
}

#[test]
fn v1_says_that_a_limit_below_usage_is_refused_and_tells_the_refusal() {
    let mut scene = opened(120, 36, CgroupVersion::V1);
    scene.types("1G");
    go(&mut scene, LimitFile::V1Limit, LimitFile::V1Memsw).types("1G");
    says(&scene, "will be refused (EBUSY)");
    assert!(!scene.text().contains(" dies"), "{}", scene.text());
    scene.keys("Enter");
    let limit = step(LimitFile::V1Limit, mib(1024));
    let both = step(LimitFile::V1Memsw, mib(1024));
    assert_eq!(asked(&mut scene), [one(vec![limit.clone(), both])]);
    let refused = failed(
        limit,
        Reading::Limit(mib(3584)),
        FailureKind::Other,
        "cgroup v1 refuses such a limit",
    );
    answer(&mut scene, vec![refused]);
    says(&scene, "cgroup v1 refuses such a limit");
    scene.keys("Esc u");
    assert_eq!(
        asked(&mut scene),
        [] as [Vec<Plan>; 0],
        "nothing was written, nothing to undo"
    );
}

#[test]
fn undo_writes_what_the_files_said_in_the_other_order() {
    let mut scene = opened(120, 36, CgroupVersion::V1);
    scene.types("6G");
    go(&mut scene, LimitFile::V1Limit, LimitFile::V1Memsw).types("8G");
    scene.keys("Enter");
    let limit = step(LimitFile::V1Limit, mib(6144));
    let both = step(LimitFile::V1Memsw, mib(8192));
    // No limit on both together before: it is lowered to 8 GiB, after the limit.
    assert_eq!(asked(&mut scene), [one(vec![limit.clone(), both.clone()])]);
    let steps = vec![
        done(limit, mib(3500), mib(6144)),
        done(both, NONE, mib(8192)),
    ];
    answer(&mut scene, steps);
    says(&scene, "was 3670016000");
    scene.keys("Enter u Enter");
    let back = vec![
        step(LimitFile::V1Memsw, NONE),
        step(LimitFile::V1Limit, mib(3500)),
    ];
    assert_eq!(asked(&mut scene), [one(back)]);
    scene.keys("u Enter");
    assert_eq!(asked(&mut scene), [] as [Vec<Plan>; 0], "one at a time");
}

#[test]
fn what_was_written_before_a_failure_can_be_taken_back() {
    let mut scene = without_swap(120, 36, "6G");
    scene.keys("Enter");
    let swap = step(LimitFile::SwapMax, LimitValue::Amount(0));
    let refused = failed(
        step(LimitFile::Max, mib(6144)),
        Reading::Limit(mib(3584)),
        FailureKind::Denied,
        "No permission",
    );
    let steps = vec![done(swap, NONE, LimitValue::Amount(0)), refused];
    answer(&mut scene, steps);
    scene.keys("Esc");
    scene.effects.clear();
    scene.keys("u Enter");
    assert_eq!(
        asked(&mut scene),
        [one(vec![step(LimitFile::SwapMax, NONE)])]
    );
}

#[test]
fn undo_asks_again_where_the_old_limit_would_kill_or_somebody_set_another() {
    // 3400 MiB are in use.
    let kills = "back to 1 GiB can kill at once, 3.3 GiB are in use; Enter does it";
    let other = "it is 3.5 GiB now, not the 2 GiB written by oomtop";
    for (before, after, is_other, words) in [
        (1024, 3584, false, &[kills][..]),
        (4096, 2048, true, &[other]),
        (1024, 2048, true, &[other, kills]),
    ] {
        let mut scene = opened(120, 36, CgroupVersion::V2);
        scene.types("6G").keys("Enter");
        let step = done(step(LimitFile::Max, mib(6144)), mib(before), mib(after));
        answer(&mut scene, vec![step]);
        scene.keys("Enter");
        scene.sample(processes()).sample(processes());
        scene.effects.clear();
        scene.keys("u");
        if is_other {
            // The present value is read by who writes.
            scene.keys("Enter");
            assert_eq!(asked(&mut scene).len(), 1, "{words:?}");
            let now = Reading::Limit(mib(3584));
            let wrote = self::step(LimitFile::Max, mib(after));
            scene.answer(vec![changed(wrote, now)]);
            says(&scene, other);
            scene.effects.clear();
            scene.keys("u");
        }
        assert_eq!(asked(&mut scene).len(), 0, "{words:?}");
        for words in words {
            says(&scene, words);
        }
        scene.keys("Enter");
        assert_eq!(asked(&mut scene).len(), 1);
    }
}

#[test]
fn a_domain_opens_on_its_own_limits_also_without_anybody_to_kill() {
    let mut scene = crate::common::shop::scene(120, 36);
    let shown = |scene: &mut Scene, path: &str| {
        let rows = scene.state.domains.rows().len();
        scene.keys("Home");
        (0..rows).any(|_| {
            scene.keys("c").tell(Msg::Groups(Ok(Vec::new())));
            let found = scene.text().contains(&format!("limits of {path} "));
            if !found {
                scene.keys("Esc Down");
            }
            found
        })
    };
    scene.keys("Right");
    assert!(shown(&mut scene, "/empty"), "{}", scene.text());
    says(&scene, "now 64 MiB");
    // No process to move, so Tab does nothing.
    scene.keys("Tab").types("128M");
    says(&scene, "write 134217728 (128 MiB) to /empty/memory.max");
    scene.keys("Enter Esc");
    assert!(shown(&mut scene, "/system.slice/backup.service"));
    says(&scene, "systemctl set-property backup.service MemoryMax=");
}

#[test]
fn a_nearer_limit_around_it_is_named() {
    let mut scene = crate::common::shop::scene(120, 36);
    // The container in the pod: 700 of 2048 MiB in a pod of 1024 with 980 in use.
    let mut found = false;
    scene.keys("Right Home");
    for _ in 0..scene.state.domains.rows().len() {
        scene.keys("c").tell(Msg::Groups(Ok(Vec::new())));
        found = scene.text().contains("Limits of cri-containerd");
        if found {
            break;
        }
        scene.keys("Esc Down");
    }
    assert!(found, "{}", scene.text());
    scene.types("4G");
    says(&scene, "is nearer than its own 4 GiB");
}

#[test]
fn read_only_opens_nothing() {
    let settings = Settings {
        read_only: true,
        ..Settings::default()
    };
    let mut scene = Scene::with(120, 36, settings, host());
    scene.keys("d Down c");
    assert!(scene.state.dialogs.is_empty());
    says(&scene, "oomtop is read-only");
}

#[test]
fn the_limits_at_every_size() {
    for (width, height) in [(40, 10), (80, 24), (120, 36)] {
        let mut scene = without_swap(width, height, "1G");
        scene.keys("Enter");
        let view = styled_view(&dialog(&scene.buffer(&Theme::colours())));
        insta::assert_snapshot!(format!("limits_{width}x{height}"), view);
    }
}

/// In one plan or in one for each group.
#[test]
fn limits_of_two_groups_in_one_write_go_back_each_to_its_own() {
    let other = CgroupPath::new("/web");
    let file = LimitFile::Max;
    let first = done(step(file, mib(512)), mib(3584), mib(512));
    let second = done(limit(&other, file, mib(64)), NONE, mib(64));
    let back = [limit(&other, file, NONE), step(file, mib(3584))];
    let two = back.iter().cloned().flat_map(|step| one([step])).collect();
    for (receipts, back) in [
        (vec![vec![first.clone(), second.clone()]], one(back.clone())),
        (vec![vec![first], vec![second]], two),
    ] {
        let mut scene = Scene::new(120, 36);
        scene.answer(receipts.into_iter().map(receipt).collect());
        says(&scene, "2 limits written and read back: of 2 groups");
        scene.effects.clear();
        scene.keys("u Enter");
        assert_eq!(asked(&mut scene), [back]);
    }
}

#[test]
fn the_words_on_v1_are_those_of_v1() {
    let host = Host {
        cgroups: CgroupVersion::V1,
        ..host()
    };
    let mut scene = Scene::with(120, 40, Settings::default(), host);
    // mysqld is in a unit of systemd.
    scene.keys("c").tell(Msg::Groups(Ok(Vec::new())));
    scene.types("12G");
    says(&scene, "set-property mysql.service MemoryLimit=");
    scene.keys("Tab Tab");
    says(&scene, "set-property mysql.service MemoryLimit=");
    for word in ["memory.max", "memory.high", "MemoryMax"] {
        assert!(!scene.text().contains(word), "{word}: {}", scene.text());
    }
}
