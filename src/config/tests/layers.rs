//! Which layer decides, and what `--print config` says about it.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::Given;
use crate::config::layers::Origin;
use crate::config::settings::{Form, SETTINGS, setting};
use crate::config::{Environment, Mode};
use crate::ui::theme::Theme;

/// For each setting a value other than its default. The test fails until a new setting has a value here.
const OTHER: &[(&str, &str)] = &[
    ("delay", "2.5"),
    ("bands", "60,80.5,90"),
    ("read_only", "true"),
    ("ascii", "true"),
    ("color", "false"),
    ("kernel_threads", "true"),
    ("tree", "true"),
    ("filter", "adj<0"),
    ("sort", "rss"),
    ("columns", "pid,rss,command:40"),
    ("color_depth", "256"),
    ("theme", "nord"),
    ("keys", "vim"),
    ("backend", "proc-all"),
    ("mouse", "false"),
    ("self_protect", "false"),
    ("audit", "/var/log/oomtop.audit"),
    ("record_kills", "/var/log/oomtop"),
];

#[test]
fn every_setting_can_be_given_in_every_layer() {
    for setting in SETTINGS {
        let key = setting.key;
        let (_, text) = OTHER.iter().find(|(k, _)| *k == key).expect(key);
        let flag = match (setting.form, *text) {
            (Form::Switch, "true") => format!("--{}", setting.long()),
            (Form::Switch, _) => format!("--no-{}", setting.long()),
            _ => format!("--{} {text}", setting.long()),
        };
        let line = |path: PathBuf| Origin::File { path, line: 2 };
        let toml = match setting.form {
            Form::Switch => format!("\n{key} = {text}"),
            _ => format!("\n{key} = \"{text}\""),
        };
        let (etc, user) = (Given::new().etc(&toml), Given::new().user(&toml));
        let variable = Given::new().variable(&setting.variable(), text);
        let given = [
            (etc.configuration("oomtop"), line(etc.path("etc.toml"))),
            (
                user.configuration("oomtop"),
                line(user.path("user/oomtop/config.toml")),
            ),
            (
                variable.configuration("oomtop"),
                Origin::Variable(setting.variable()),
            ),
            (
                Given::new().configuration(&format!("oomtop {flag}")),
                Origin::Flag(flag.split(' ').next().expect("a flag").to_owned()),
            ),
        ];
        for (configuration, origin) in given {
            assert_eq!((setting.show)(&configuration.values), *text, "{origin}");
            assert_eq!(*configuration.origin(setting), origin, "{key}");
            for other in SETTINGS.iter().filter(|other| other.key != key) {
                assert_eq!(
                    *configuration.origin(other),
                    Origin::BuiltIn,
                    "{}",
                    other.key
                );
            }
        }
    }
}

#[test]
fn the_topmost_layer_decides() {
    let mut given = Given::new();
    let delay = |given: &Given, line| {
        let configuration = given.configuration(line);
        let origin = configuration
            .origin(setting("delay").expect("a row"))
            .clone();
        (configuration.values.settings.delay.as_secs(), origin)
    };
    assert_eq!(delay(&given, "oomtop"), (1, Origin::BuiltIn));
    given = given.etc("delay = 2");
    assert_eq!(delay(&given, "oomtop").0, 2);
    given = given.user("delay = 3");
    assert_eq!(delay(&given, "oomtop").0, 3);
    given = given.variable("OOMTOP_DELAY", "4");
    assert_eq!(delay(&given, "oomtop").0, 4);
    assert_eq!(
        delay(&given, "oomtop -d 5"),
        (5, Origin::Flag("--delay".to_owned()))
    );
    // An empty variable is as good as none.
    given = given.variable("OOMTOP_DELAY", "");
    assert_eq!(delay(&given, "oomtop").0, 3);
}

#[test]
fn a_switch_can_be_turned_back_by_a_flag() {
    let given = Given::new().etc("read_only = true\nmouse = false");
    let launch = given.screen("oomtop");
    assert!(launch.settings.read_only && !launch.mouse);
    assert!(!launch.self_protect, "read_only writes nothing at all");
    let launch = given.screen("oomtop --no-read-only --mouse");
    assert!(!launch.settings.read_only && launch.mouse && launch.self_protect);
    // The last of two flags wins.
    assert!(given.screen("oomtop --mouse --no-mouse --mouse").mouse);
    assert!(Given::new().screen("oomtop --readonly").settings.read_only);
}

#[test]
fn no_color_is_above_etc_and_below_the_user() {
    let etc = Given::new().etc("color = true").variable("NO_COLOR", "1");
    assert_eq!(etc.screen("oomtop").theme.of("oomtop"), &Theme::mono());
    assert_eq!(
        etc.screen("oomtop --color").theme.of("oomtop"),
        &Theme::colours()
    );
    let user = etc.user("color = true");
    assert_eq!(user.screen("oomtop").theme.of("oomtop"), &Theme::colours());
    let empty = Given::new().variable("NO_COLOR", "");
    assert_eq!(empty.screen("oomtop").theme.of("oomtop"), &Theme::colours());
}

#[test]
fn the_home_directory_has_the_file_where_xdg_names_none() {
    let mut given = Given::new();
    let home = given.path("home");
    given.environment.variables = BTreeMap::from([("HOME".into(), home.clone().into())]);
    let expected = home.join(".config/oomtop/config.toml");
    assert_eq!(given.environment.user_file(), Some(expected.clone()));
    let given = given.variable("XDG_CONFIG_HOME", "relative");
    assert_eq!(given.environment.user_file(), Some(expected));
    let nobody = Environment::default();
    assert_eq!(nobody.user_file(), None);
}

#[test]
fn print_config_says_where_each_value_came_from() {
    let given = Given::new()
        .etc("delay = 5\nread_only = true\n")
        .user("\nbands = [60, 75.5, 90]\ndelay = 2\n")
        .variable("OOMTOP_SORT", "rss")
        .variable("NO_COLOR", "1");
    let print = |line| match given.resolve(line) {
        Ok(Mode::Print(text)) => text.replace(&format!("{}/", given.dir.path().display()), ""),
        other => panic!("{other:?}"),
    };
    let expected = "\
SETTING         VALUE       FROM
delay           2           user/oomtop/config.toml:3
bands           60,75.5,90  user/oomtop/config.toml:2
read_only       true        etc.toml:2
ascii           false       built-in
color           false       NO_COLOR
color_depth     auto        built-in
theme           oomtop      built-in
keys            oomtop      built-in
kernel_threads  false       built-in
tree            false       built-in
filter          adj<0       --filter
sort            rss         OOMTOP_SORT
columns         -           built-in
backend         auto        built-in
mouse           false       --no-mouse
self_protect    true        built-in
audit           -           built-in
record_kills    -           built-in

etc.toml                 read
user/oomtop/config.toml  read
";
    let printed = print("oomtop --print config -F adj<0 --no-mouse");
    assert_eq!(unpadded(&printed), unpadded(expected));
    // The filter holds a sequence that a terminal would obey.
    let printed = print("oomtop --print config -F \u{1b}[2J");
    assert!(!printed.contains('\u{1b}'), "{printed}");
}

/// The words of each line. The blanks after a file's path depend on the width of the directory that was cut out.
fn unpadded(text: &str) -> Vec<Vec<&str>> {
    text.lines()
        .map(|l| l.split_whitespace().collect())
        .collect()
}
