//! Several processes that are moved together: the choice, the list before, the result of each, one undo.

use std::sync::Arc;

use crate::common::paper_kernel::PaperKernel;
use crate::common::scene::{Scene, host, id, process, processes, snapshot};
use crate::common::writes::{done, failed, receipt, writes};
use oomtop::app::msg::Msg;
use oomtop::app::settings::Settings;
use oomtop::model::cgroup::limits::{LimitFile, LimitValue};
use oomtop::model::cgroup::{CgroupPath, CgroupVersion};
use oomtop::model::plan::execute::run_all;
use oomtop::model::plan::receipt::{FailureKind, Home, Reading};
use oomtop::model::plan::step::{CgroupStep, Step, UnitStep};
use oomtop::model::plan::{Plan, build, inverse};
use oomtop::model::process::score::OomScoreAdj;
use oomtop::model::snapshot::Host;

fn says(scene: &Scene, part: &str) {
    let text = scene.text();
    let flat = text.split_whitespace().filter(|word| *word != "│");
    let flat = flat.collect::<Vec<_>>().join(" ");
    assert!(flat.contains(part), "{part}: {text}");
}

/// The dialog of java, for all in its group.
fn open(host: Host, path: Option<&str>) -> Scene {
    let mut scene = Scene::with(120, 50, Settings::default(), host);
    let mut sample = snapshot(3, processes());
    if let Some(path) = path {
        Arc::make_mut(&mut sample.cgroups)[4].path = CgroupPath::new(path);
    }
    scene.tell(Msg::Sampled(Arc::new(sample)));
    scene.keys("Down c");
    scene.tell(Msg::Groups(Ok(Vec::new())));
    scene.types("2G").keys("F5");
    scene.effects.clear();
    scene
}

fn home(scene: &Scene) -> CgroupPath {
    scene.state.snapshot.cgroups[4].path.clone()
}

#[test]
fn the_whole_group_is_listed_asked_for_twice_moved_and_taken_back_as_one() {
    let mut scene = open(host(), None);
    let home = home(&scene);
    says(&scene, "[same cgroup (2)]");
    says(&scene, "2 processes together use 3.3 GiB");
    says(
        &scene,
        "write 2 pids to /oomtop-java-1892/cgroup.procs, one by one",
    );
    says(&scene, "1893 shop-worker 301M");
    says(&scene, "then 1892 java (one of these) dies");
    scene.keys("Enter");
    assert!(writes(&scene.asked()).is_empty(), "asked first");
    says(&scene, "This takes 2 processes out of");
    scene.keys("Enter");
    let asked = writes(&scene.asked());
    let [plans] = asked.as_slice() else {
        panic!("{asked:?}")
    };
    let to = CgroupPath::new("/oomtop-java-1892");
    let step = |pid: u32| Step::from(CgroupStep::Move(id(pid), to.clone()));
    assert_eq!(plans.len(), 3, "the group, and a plan for each");
    assert_eq!(plans[1].steps, [step(1892)]);
    assert_eq!(plans[2].steps, [step(1893)]);
    // One of the two has ended meanwhile.
    let made = plans[0]
        .steps
        .iter()
        .map(|step| done(step.clone(), Reading::Nothing, Reading::Nothing));
    let was = Reading::Home(home.clone(), None);
    let moved = done(step(1892), was, Reading::Group(to.clone()));
    let gone = failed(
        step(1893),
        Reading::Nothing,
        FailureKind::Gone,
        "Process 1893 has ended.",
    );
    scene.answer(vec![
        receipt(made.collect()),
        receipt(vec![moved]),
        receipt(vec![gone]),
    ]);
    says(&scene, "failed write 1893 to");
    says(&scene, "Process 1893 has ended. (1 other was moved)");
    scene.keys("Esc");
    scene.effects.clear();
    scene.keys("u Enter");
    let asked = writes(&scene.asked());
    let back = Step::from(CgroupStep::Move(id(1892), home));
    assert_eq!(asked[0][0].steps, [back], "{asked:?}");
    assert!(asked[0][1].steps.contains(&CgroupStep::Remove(to).into()));
}

#[test]
fn who_has_started_since_is_told_and_stays() {
    let mut scene = open(host(), None);
    assert!(!scene.text().contains("Started since"));
    let mut all = processes();
    all.push(process(1894, "late", 5, 0, 4));
    scene.sample(all);
    says(&scene, "Started since this list was made: 1894 late.");
    says(&scene, "It stays where it is;");
    all = processes();
    all.extend([1894, 1895].map(|pid| process(pid, "late", 5, 0, 4)));
    scene.sample(all);
    says(&scene, "1894 late and 1 more. They stay where they are;");
    scene.keys("Enter Enter");
    let plans = writes(&scene.asked()).remove(0);
    let moved: Vec<_> = plans.iter().flat_map(|plan| &plan.steps).collect();
    assert!(
        moved.iter().all(|step| step.processes() != [id(1894)]),
        "{moved:?}"
    );
    // And one that has ended is left out.
    let mut scene = open(host(), None);
    let mut all = processes();
    all.retain(|process| process.id != id(1893));
    scene.sample(all);
    says(&scene, "1 of them ended and will be left out");
}

#[test]
fn the_tagged_ones_and_nobody_else() {
    let mut scene = Scene::new(120, 50);
    scene
        .keys("Space Space c")
        .tell(Msg::Groups(Ok(Vec::new())));
    says(&scene, "Cgroup of 2 tagged processes");
    assert!(!scene.text().contains("this process"));
    scene.types("1G").keys("Enter Enter");
    let plans = writes(&scene.asked()).remove(0);
    assert_eq!(plans.len(), 3, "{plans:?}");
    // Undo of another kind of choice: the pids are those of both rows.
    let pids: Vec<_> = plans[1..]
        .iter()
        .flat_map(|plan| plan.steps[0].processes())
        .collect();
    assert_eq!(pids, [&id(1892), &id(2456)]);
}

#[test]
fn systemd_takes_all_of_them_into_one_scope() {
    let host = Host {
        systemd: true,
        uid: 0,
        ..host()
    };
    let from = "/system.slice/shop.service";
    let mut scene = open(host, Some(from));
    says(
        &scene,
        "with processes 1892, 1893 with MemoryMax=2147483648 (2 GiB)",
    );
    says(&scene, "2 processes leave their unit shop.service.");
    scene.keys("Enter Enter");
    let plans = writes(&scene.asked()).remove(0);
    let [Plan { steps, .. }] = plans.as_slice() else {
        panic!("{plans:?}")
    };
    let [Step::Unit(UnitStep::Scope(scope))] = steps.as_slice() else {
        panic!("{steps:?}")
    };
    assert_eq!(scope.targets, [id(1892), id(1893)]);
    let from = CgroupPath::new(from);
    let each = |pid: u32| Home {
        process: id(pid),
        group: from.clone(),
        limit: None,
    };
    let before = Reading::Homes(vec![each(1892), each(1893)]);
    let gone = failed(
        steps[0].clone(),
        Reading::Nothing,
        FailureKind::Gone,
        "Process 1893 has ended.",
    );
    let gone = gone.outcome.map(|_| ());
    let after = Reading::Came(vec![(id(1892), Ok(())), (id(1893), gone)]);
    scene.answer(vec![receipt(vec![done(steps[0].clone(), before, after)])]);
    says(&scene, "1 of 2 have come");
    says(&scene, "failed 1893: Process 1893 has ended.");
    scene.keys("Enter");
    scene.effects.clear();
    scene.keys("u Enter");
    let back = writes(&scene.asked()).remove(0);
    let only = Step::from(CgroupStep::Move(id(1892), from));
    assert_eq!(
        back,
        [Plan::from_iter([only])],
        "who has not come needs no way back"
    );
}

/// Groups with these processes in `/a`, of which some die before their move.
fn kernel(deaths: Vec<(usize, u32)>) -> PaperKernel {
    let zero = OomScoreAdj::ZERO;
    let all = [1, 2, 3].map(|pid| (id(pid), (zero, CgroupPath::new("/a"))));
    PaperKernel {
        version: CgroupVersion::V2,
        processes: all.into_iter().collect(),
        groups: ["/", "/a"]
            .map(|path| (CgroupPath::new(path), <_>::default()))
            .into_iter()
            .collect(),
        enabled: [CgroupPath::root()].into_iter().collect(),
        frozen: <_>::default(),
        stopped: <_>::default(),
        drop_ins: <_>::default(),
        oomd: <_>::default(),
        rules: <_>::default(),
        until_denied: None,
        deaths: deaths.into_iter().map(|(at, pid)| (at, id(pid))).collect(),
    }
}

fn together() -> Vec<Plan> {
    let to = CgroupPath::new("/new");
    let limits = [(LimitFile::Max, LimitValue::Amount(1 << 30))]
        .into_iter()
        .collect();
    let targets = [1, 2, 3].map(id);
    let plan = build::create(
        &targets,
        &to,
        &limits,
        CgroupVersion::V2,
        |path| path.as_str() == "/a",
        |_| false,
    );
    build::each_move(plan.expect("a plan"))
}

#[test]
fn a_group_that_nobody_reaches_is_taken_back_and_one_that_is_not_made_takes_nobody() {
    let new = CgroupPath::new("/new");
    let mut paper = kernel(vec![(0, 2)]);
    let all = run_all(&mut paper, &together());
    let failures: Vec<_> = all
        .iter()
        .map(|plan| plan.failure().map(|f| f.kind))
        .collect();
    assert_eq!(failures, [None, None, Some(FailureKind::Gone), None]);
    assert_eq!(paper.processes[&id(3)].1, new);
    let mut undone = paper.clone();
    oomtop::model::plan::execute::undo(
        &mut undone,
        &inverse::of_write(&all),
        &inverse::expectations(&all),
    );
    assert!(!undone.groups.contains_key(&new));
    assert_eq!(undone.processes[&id(1)].1.as_str(), "/a");

    let mut paper = kernel(vec![(0, 1), (0, 2), (0, 3)]);
    let all = run_all(&mut paper, &together());
    assert!(!paper.groups.contains_key(&new), "{all:?}");
    assert!(inverse::of_write(&all).is_empty(), "nothing to undo");

    let mut paper = kernel(Vec::new());
    paper.until_denied = Some(0);
    let all = run_all(&mut paper, &together());
    assert!(!paper.groups.contains_key(&new));
    for plan in &all[1..] {
        let failure = plan.failure().expect("not moved");
        assert!(failure.sentence.contains("was not made"), "{failure}");
    }
}

fn go_to(scene: &mut Scene, pid: u32) {
    scene.keys("Home");
    for _ in 0..60 {
        if scene.state.table.selected() == Some(id(pid)) {
            return;
        }
        scene.keys("Down");
    }
    panic!("{pid} has no row: {}", scene.text());
}

#[test]
fn neither_the_first_process_nor_oomtop_moves_with_the_tagged_ones_or_a_family() {
    let host = Host {
        own_pid: Some(4003),
        ..host()
    };
    let stays = |scene: &Scene| {
        says(
            scene,
            "1 systemd is left out: it is the first process of this machine or container.",
        );
        says(scene, "4003 agent-03 is left out: it is oomtop itself.");
    };
    let moved = |scene: &mut Scene| {
        let plans = writes(&scene.asked()).remove(0);
        let steps = plans.iter().flat_map(|plan| plan.steps.clone());
        let moved: Vec<_> = steps.flat_map(|step| step.processes().to_vec()).collect();
        assert!(moved.len() > 20, "{moved:?}");
        assert!(!moved.contains(&id(1)), "{moved:?}");
        assert!(!moved.contains(&id(4003)), "{moved:?}");
    };
    // Everything below the first process is tagged, with it and with oomtop.
    let mut scene = Scene::with(120, 60, Settings::default(), host.clone());
    go_to(&mut scene, 1);
    scene.keys("Alt-c c").tell(Msg::Groups(Ok(Vec::new())));
    stays(&scene);
    scene.types("1G").keys("Enter Enter");
    moved(&mut scene);
    // The same set as a scope of the selected process.
    let mut scene = Scene::with(120, 60, Settings::default(), host.clone());
    go_to(&mut scene, 1);
    scene.keys("c").tell(Msg::Groups(Ok(Vec::new())));
    scene.types("1G").keys("F5");
    says(&scene, "[with descendants");
    stays(&scene);
    scene.keys("Enter Enter");
    moved(&mut scene);
    // Nobody else is tagged: nothing opens, with the reason.
    let mut scene = Scene::with(120, 60, Settings::default(), host);
    go_to(&mut scene, 4003);
    scene.keys("Space c");
    says(
        &scene,
        "4003 agent-03 is not moved with the tagged processes: it is oomtop itself",
    );
    assert!(writes(&scene.asked()).is_empty());
}
