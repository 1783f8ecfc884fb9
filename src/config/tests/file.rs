//! What is wrong with values and files.

use std::fs;
use std::path::Path;

use super::Given;
use crate::app::view::processes::columns::COLUMNS;

#[test]
fn everything_wrong_is_said_at_once_with_its_origin() {
    let given = Given::new()
        .etc("# all\n\nbands = [90, 80, 70]")
        .user("dely = 1\ndelay = 0\nmouse = [[true]]\nfilter = 1979-05-27")
        .variable("OOMTOP_BACKEND", "magic");
    let expected = "\
oomtop: etc.toml:3: bands: takes three ascending percentages between 0 and 100, such as 70,85,95, not 90,80,70
oomtop: user/oomtop/config.toml:1: dely: there is no such setting; did you mean 'delay'?
oomtop: user/oomtop/config.toml:3: mouse: takes no list of lists
oomtop: user/oomtop/config.toml:4: filter: takes no date
oomtop: user/oomtop/config.toml:2: delay: takes seconds from 0.1 to 3600, not '0'
oomtop: OOMTOP_BACKEND: there is no back end 'magic'; the back ends are auto, bpf, bpf-iterator, proc, proc-all
oomtop: --filter: rss>x: a size such as 100M is needed after rss>
oomtop: --sort: there is no column 'size'; did you mean 'time'? the columns are {}
";
    let columns: Vec<_> = COLUMNS.iter().map(|column| column.id).collect();
    let expected = expected.replace("{}", &columns.join(", "));
    let wrong = given.wrong("oomtop --once --sort size --filter rss>x");
    assert_eq!(wrong, expected);
}

#[test]
fn a_file_that_is_no_toml_is_said_with_line_and_text() {
    let wrong = |text| Given::new().user(text).wrong("oomtop --once");
    for (text, line, quoted) in [
        ("delay = 1\n\n  delay = 2", 3, "delay = 2"),
        ("# first\nascii = yes\nmouse = false", 2, "ascii = yes"),
        ("delay 3", 1, "delay 3"),
    ] {
        let wrong = wrong(text);
        let begin = format!("oomtop: user/oomtop/config.toml:{line}: ");
        let end = format!(" in '{quoted}'\n");
        assert!(
            wrong.starts_with(&begin) && wrong.ends_with(&end),
            "{wrong}"
        );
        assert!(wrong.len() > begin.len() + end.len() + 10, "why: {wrong}");
    }
}

#[test]
fn a_file_that_cannot_be_a_configuration_is_refused() {
    let name = "user/oomtop/config.toml";
    let wrong = |make: &dyn Fn(&Path)| {
        let given = Given::new();
        make(&given.path(name));
        given.wrong("oomtop --once")
    };
    let bytes = |bytes: &[u8]| wrong(&|path| fs::write(path, bytes).expect("written"));
    let large = "#".repeat(64 * 1024 + 1);
    assert_eq!(
        bytes(large.as_bytes()),
        format!("oomtop: {name}: is larger than 64 KiB\n")
    );
    assert_eq!(
        bytes(b"# \xff"),
        format!("oomtop: {name}:1: is not UTF-8\n")
    );
    let no_file = format!("oomtop: {name}: is not a regular file\n");
    assert_eq!(wrong(&|path| fs::create_dir(path).expect("made")), no_file);
    let fifo = |path: &Path| {
        rustix::fs::mkfifoat(rustix::fs::CWD, path, rustix::fs::Mode::RUSR).expect("made");
    };
    assert_eq!(wrong(&fifo), no_file);
    let loops = wrong(&|path| std::os::unix::fs::symlink(path, path).expect("made"));
    assert!(
        loops.starts_with(&format!("oomtop: {name}: cannot be read: ")),
        "{loops}"
    );
    // Exactly the largest size allowed.
    let given = Given::new().user(&large[1..]);
    assert!(given.resolve("oomtop --once").is_ok());
}

#[test]
fn a_broken_file_stops_only_what_has_settings() {
    let given = Given::new().user("delay = 0");
    for line in [
        "oomtop",
        "oomtop --json",
        "oomtop --version --verbose",
        "oomtop --print config",
    ] {
        assert!(
            given.wrong(line).contains("config.toml:1: delay: "),
            "{line}"
        );
    }
    for line in ["oomtop --version", "oomtop --help"] {
        assert_eq!(given.resolve(line).expect_err(line).status, 0, "{line}");
    }
    assert!(given.resolve("oomtop explain").is_ok());
}

/// A file without a version is one of version 1.
#[test]
fn a_file_of_each_version_parses_for_ever() {
    let text = include_str!("../../../tests/fixtures/config/v1.toml");
    let given = Given::new().user(text);
    let configuration = given.configuration("oomtop");
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let (key, value) = line.split_once(" = ").expect("a value");
        let setting = crate::config::settings::setting(key).expect(key);
        let shown = (setting.show)(&configuration.values);
        let bare = value.replace(['"', '[', ']'], "").replace(", ", ",");
        assert_eq!(shown, bare, "{key}");
        let origin = configuration.origin(setting).to_string();
        assert!(origin.contains("config.toml:"), "{origin}");
    }
}

#[test]
fn another_file_takes_the_place_of_the_users() {
    let given = Given::new().user("delay = 0");
    let other = given.path("other.toml");
    std::fs::write(&other, "delay = 7").expect("written");
    let line = format!("oomtop --once --config {}", other.display());
    let Ok(crate::config::Mode::Samples(launch)) = given.resolve(&line) else {
        panic!("{line}");
    };
    assert_eq!(launch.settings.delay.as_secs(), 7);
    let given = given.variable("OOMTOP_CONFIG", other.to_str().expect("UTF-8"));
    let Ok(crate::config::Mode::Samples(launch)) = given.resolve("oomtop --once") else {
        panic!("the variable");
    };
    assert_eq!(launch.settings.delay.as_secs(), 7);
    let wrong = given.wrong("oomtop --config nowhere.toml");
    assert_eq!(wrong, "oomtop: nowhere.toml: there is no such file\n");
    // A directory is there: one sentence.
    let line = format!("oomtop --config {}/user", given.dir.path().display());
    assert_eq!(given.wrong(&line), "oomtop: user: is not a regular file\n");
}

#[test]
fn a_theme_that_is_wrong_is_said_with_its_place() {
    let given = Given::new().user("theme = \"gruvbx\"");
    let wrong = given.wrong("oomtop");
    let begin = "oomtop: user/oomtop/config.toml:1: theme: there is no theme 'gruvbx' (did you mean 'gruvbox'?)";
    assert!(wrong.starts_with(begin), "{wrong}");
    assert!(given.resolve("oomtop --theme dark").is_ok());
    std::fs::create_dir_all(given.path("user/oomtop/themes")).expect("made");
    std::fs::write(
        given.path("user/oomtop/themes/mine.toml"),
        "good = { fg = \"gren\" }",
    )
    .expect("written");
    let wrong = given.wrong("oomtop --theme mine");
    assert!(
        wrong.contains("themes/mine.toml:1: good.fg: 'gren' is no colour; did you mean 'green'?"),
        "{wrong}"
    );
    assert!(
        wrong.contains("these keys are missing: normal, dim, "),
        "{wrong}"
    );
}
