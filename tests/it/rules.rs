//! Rules on the screen: one made of a process, and the view of all of them.

use std::sync::Arc;

use oomtop::app::msg::{Effect, Msg};
use oomtop::model::plan::receipt::{FailureKind, PlanReceipt, Reading};
use oomtop::model::plan::step::Step;
use oomtop::model::process::score::OomScoreAdj;
use oomtop::model::rules::book::{Found, RuleBook, survey};
use oomtop::model::rules::condition::{Condition, Fact};
use oomtop::model::rules::draft::Wish;
use oomtop::model::rules::own::{OwnFile, RuleEdit, RuleFound, print_of};
use oomtop::model::rules::subject::Subject;
use oomtop::model::rules::{Origin, Rule, RuleId, Rules};
use oomtop::ui::theme::Theme;

use crate::common::scene::{Scene, id, processes, snapshot};
use crate::common::styled::styled_view;
use crate::common::writes::{done, failed, receipt, writes};

const OWN: &str = "/etc/oomtop/rules.d/50-oomtop.toml";
const MYSQLD: u32 = 2456;
const RESIDENT: u32 = 812;

/// The processes of the scene as rules see them, and a resident.
fn subjects() -> Vec<Subject> {
    let sample = snapshot(1, processes());
    let mut subjects: Vec<_> = sample
        .processes
        .iter()
        .filter(|process| !process.kernel_thread)
        .map(|process| Subject {
            id: process.id,
            ppid: process.ppid,
            comm: process.comm,
            uid: Some(process.uid),
            user: sample.user(process.uid).map(Into::into),
            command: process.command.as_deref().map(str::to_owned),
            exe: None,
            cgroup: process
                .cgroup
                .and_then(|key| sample.cgroup(key))
                .map(|group| group.path.clone()),
            adj: process.adj,
            ..Subject::default()
        })
        .collect();
    subjects.push(Subject {
        id: id(RESIDENT),
        ppid: 1,
        comm: "oomtop".into(),
        uid: Some(0),
        command: Some("oomtop protect".to_owned()),
        ..Subject::default()
    });
    subjects
}

fn rule(title: &str, line: usize, fact: Fact, pattern: &str, own: i64) -> Rule {
    Rule {
        title: title.to_owned(),
        origin: Origin {
            file: "/etc/oomtop/rules.toml".to_owned(),
            line,
        },
        conditions: vec![Condition {
            fact,
            any: vec![fact.pattern(pattern).expect("a pattern")],
        }],
        own: OomScoreAdj::new(own),
        ..Rule::default()
    }
}

fn found() -> Found {
    Found {
        rules: Rules::new(vec![
            rule("agents", 3, Fact::Name, "agent-*", 300),
            rule("the shop", 8, Fact::User, "tomcat", 200),
            rule("java", 12, Fact::Name, "java", 100),
            rule("nobody's", 16, Fact::Name, "gone", -100),
        ]),
        places: vec!["/etc/oomtop/rules.toml".to_owned()],
        own: OwnFile {
            path: OWN.to_owned(),
            text: Some("# by hand\n".to_owned()),
            refused: None,
            before: 4,
        },
        ..Found::default()
    }
}

fn book(found: Found, wish: Option<Wish>) -> RuleBook {
    survey(found, subjects(), wish, |_| Vec::new())
}

fn answer(scene: &mut Scene, found: Found) -> &mut Scene {
    let wish = scene.asked().into_iter().find_map(|effect| match effect {
        Effect::ReadRules(wish) => Some(wish),
        _ => None,
    });
    let wish = wish.expect("the rules are asked for");
    scene.tell(Msg::Rules(Arc::new(book(found, wish))))
}

/// The rule dialog for mysqld at -200.
fn dialog(width: u16, height: u16) -> Scene {
    let mut scene = Scene::new(width, height);
    scene.keys("a Up r");
    answer(&mut scene, found());
    scene
}

fn edit(scene: &mut Scene) -> RuleEdit {
    let asked = writes(&scene.asked());
    let [plans] = asked.as_slice() else {
        panic!("{asked:?}")
    };
    match plans[0].steps.as_slice() {
        [Step::Rule(edit)] => edit.clone(),
        other => panic!("{other:?}"),
    }
}

fn reading(is_there: bool, told: usize) -> Reading {
    Reading::Rule(RuleFound {
        is_there,
        told,
        made: 0,
    })
}

fn written(edit: &RuleEdit) -> Vec<PlanReceipt> {
    let step = Step::Rule(edit.clone());
    let told = edit.tell.len();
    vec![receipt(vec![done(
        step,
        reading(!edit.add, 0),
        reading(edit.add, told),
    )])]
}

fn says(scene: &Scene, words: &str) {
    // Beside a dialog stand the halves of words.
    let inside = |line: &str| match (line.find('│'), line.rfind('│')) {
        (Some(from), Some(to)) if from < to => line[from..to].replace('│', " "),
        _ => line.to_owned(),
    };
    let text: Vec<String> = scene.text().lines().map(inside).collect();
    let text = text.join(" ");
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(text.contains(words), "{words}\n{}", scene.text());
}

#[test]
fn frames() {
    for (width, height) in [(40, 10), (80, 24), (120, 36)] {
        let scene = dialog(width, height);
        let view = styled_view(&scene.buffer(&Theme::colours()));
        insta::assert_snapshot!(format!("rule_{width}x{height}"), view);
        let mut scene = Scene::new(width, height);
        scene.keys("R");
        answer(&mut scene, found()).keys("Down");
        let view = styled_view(&scene.buffer(&Theme::colours()));
        insta::assert_snapshot!(format!("rules_{width}x{height}"), view);
    }
}

#[test]
fn a_rule_is_shown_with_its_file_before_it_is_written_and_taken_back_exactly() {
    let mut scene = dialog(120, 36);
    for words in [
        "add to /etc/oomtop/rules.d/50-oomtop.toml",
        "# by hand",
        "+ # oomtop: made of 2456 mysqld",
        "+ [[rule]]",
        "+ unit = \"mysql.service\"",
        "+ name = \"mysqld\"",
        "+ adj = -200",
        "Then SIGHUP to oomtop protect (812)",
    ] {
        says(&scene, words);
    }
    scene.keys("Enter");
    let added = edit(&mut scene);
    assert_eq!(added.path, OWN);
    assert_eq!(added.seen, print_of(Some("# by hand\n")));
    assert_eq!(added.tell, [id(RESIDENT)]);
    assert!(added.add);
    scene.answer(written(&added));
    says(
        &scene,
        "rule added to /etc/oomtop/rules.d/50-oomtop.toml; 1 oomtop protect reads it now",
    );
    assert!(
        scene.asked().contains(&Effect::ReadRules(None)),
        "the details must know of it"
    );
    // The adjust dialog is still there; its own write is another one.
    says(&scene, "Adjust 2456 mysqld");
    scene.keys("Esc u");
    says(
        &scene,
        "take out of /etc/oomtop/rules.d/50-oomtop.toml: unit = \"mysql.service\"",
    );
    scene.effects.clear();
    scene.keys("Enter");
    let taken = edit(&mut scene);
    assert_eq!(taken, added.back(0));
    scene.answer(written(&taken));
    says(&scene, "rule taken out of");
    assert!(scene.state.undo.is_empty());
    scene.keys("H");
    says(&scene, "undone");
}

#[test]
fn what_it_matches_and_what_becomes_of_children_is_chosen() {
    let mut scene = dialog(120, 36);
    scene.keys("Down Down Tab");
    says(&scene, "What it starts is sacrificed: 300");
    scene.keys("Enter");
    let edit = edit(&mut scene);
    assert_eq!(
        edit.block,
        "\n# oomtop: made of 2456 mysqld\n[[rule]]\nname = \"mysqld\"\nuser = \"mysql\"\nadj = -200\nchildren = 300\n"
    );
    // Nothing is confirmed twice.
    scene.keys("Enter Down Tab Enter");
    assert_eq!(writes(&scene.asked()).len(), 0);
}

#[test]
fn nothing_is_written_where_oomtop_protect_would_not_take_it() {
    let refused = |change: &dyn Fn(&mut Found)| {
        let mut scene = Scene::new(120, 36);
        scene.keys("a Up r");
        scene.keys("Enter");
        assert_eq!(writes(&scene.effects).len(), 0, "nothing is known yet");
        let mut found = found();
        change(&mut found);
        answer(&mut scene, found);
        scene.keys("Enter");
        assert_eq!(writes(&scene.asked()).len(), 0, "{}", scene.text());
        scene
    };
    let open = |found: &mut Found| {
        found.own.refused = Some("/etc/oomtop: others than root can write this directory".into());
    };
    says(
        &refused(&open),
        "No rule can be written: /etc/oomtop: others than root can write",
    );
    let broken = |found: &mut Found| found.faults = vec!["/etc/oomtop/rules.toml:3: nmae".into()];
    let scene = refused(&broken);
    says(
        &scene,
        "rules.toml:3: nmae: oomtop protect takes no rule until that is mended",
    );
    assert!(scene.state.settings.rules.is_err());
    let there = |found: &mut Found| {
        let mut rules: Vec<_> = found.rules.iter().map(|(_, rule)| rule.clone()).collect();
        let mut same = rule("same", 1, Fact::Unit, "mysql.service", -200);
        let name = rule("", 1, Fact::Name, "mysqld", 0);
        same.conditions.extend(name.conditions);
        rules.push(same);
        found.rules = Rules::new(rules);
    };
    says(&refused(&there), "a rule does that already");
    let mut scene = Scene::new(120, 36);
    scene.keys("a Up r");
    let gone = RuleBook {
        own: found().own,
        target: Some(id(MYSQLD)),
        ..RuleBook::default()
    };
    scene.tell(Msg::Rules(Arc::new(gone)));
    says(&scene, "2456 mysqld has ended");
}

#[test]
fn a_refused_write_stays_in_the_dialog_and_the_file_is_read_again() {
    let mut scene = dialog(120, 36);
    scene.keys("Enter");
    let step = Step::Rule(edit(&mut scene));
    let sentence = "50-oomtop.toml has changed since it was shown: nothing was written.";
    let refused = failed(step, reading(false, 0), FailureKind::Other, sentence);
    scene.answer(vec![receipt(vec![refused])]);
    says(&scene, sentence);
    answer(&mut scene, found());
    says(&scene, sentence);
    says(&scene, "+ [[rule]]");
    scene.keys("Esc Esc H");
    says(&scene, "failed");
}

#[test]
fn a_rule_that_loses_says_to_which_and_one_that_catches_others_names_them() {
    let mut scene = Scene::new(120, 36);
    scene.keys("/ p i d : 1 8 9 2 Enter Home a Down r");
    let mut found = found();
    found.own.before = 1;
    answer(&mut scene, found);
    says(
        &scene,
        "The rule java (/etc/oomtop/rules.toml:12) comes later and holds this process all the same.",
    );
    let mut scene = Scene::new(120, 36);
    scene.keys("/ p i d : 7 0 0 Enter Home a Down r");
    let mut found = self::found();
    found.rules = Rules::default();
    found.own.before = 0;
    answer(&mut scene, found);
    says(&scene, "name sshd, user root 1 process");
}

#[test]
fn the_view_tells_whom_each_rule_holds_and_shows_them() {
    let mut scene = Scene::new(120, 36);
    scene.keys("R");
    says(&scene, "reading");
    answer(&mut scene, found());
    says(&scene, "24 300 agents");
    says(&scene, "nobody -100 nobody's");
    says(&scene, "/etc/oomtop/rules.toml:3");
    says(&scene, "matches name agent-*");
    says(&scene, "holds 24 processes now: 4000 agent-00");
    says(&scene, "24 of them do not have that value");
    scene.keys("Down");
    says(
        &scene,
        "loses 1 that it matches too to java (/etc/oomtop/rules.toml:12)",
    );
    says(&scene, "oomtop protect runs: 812");
    scene.keys("End");
    says(&scene, "Any user can start a process that it matches");
    scene.keys("Enter");
    assert_eq!(scene.state.dialogs.len(), 1, "it holds nobody");
    scene.keys("Home Down Enter");
    assert!(scene.state.dialogs.is_empty());
    assert_eq!(scene.state.table.filter.text(), "pid:1893");
    says(&scene, "shop-worker");
    scene.keys("Esc");
    assert!(scene.state.table.filter.is_empty());
}

#[test]
fn the_view_names_what_is_wrong_and_where_there_is_nothing_what_to_do() {
    let mut scene = Scene::new(120, 36);
    scene.keys("R");
    let mut broken = found();
    broken.faults = vec!["/etc/oomtop/rules.d/a.toml:2: nmae: there is no such key".into()];
    answer(&mut scene, broken);
    says(&scene, "takes no rule until it is mended");
    says(&scene, "/etc/oomtop/rules.d/a.toml:2: nmae");
    says(&scene, "agents");
    let mut scene = Scene::new(120, 36);
    scene.keys("R");
    let none = Found {
        rules: Rules::default(),
        ..found()
    };
    answer(&mut scene, none);
    says(&scene, "There are no rules.");
    says(&scene, "a, then r makes a rule of the selected process");
    says(&scene, "oomtop looks in /etc/oomtop/rules.toml");
    scene.keys("Enter");
    assert!(scene.state.dialogs.is_empty());
}

#[test]
fn the_details_know_of_new_rules_at_once() {
    let mut scene = Scene::new(120, 36);
    scene.tell(Msg::Rules(Arc::new(book(found(), None))));
    let rules = scene.state.settings.rules.clone().expect("rules");
    assert_eq!(rules.len(), 4);
    let lost = &book(found(), None).standings[1].lost;
    assert_eq!(lost, &[(RuleId(2), 1)]);
}
