//! The themes that are compiled in, and what is wrong with files.

use std::path::Path;

use ratatui::style::{Color, Modifier, Style};

use super::{BUILT_IN, Found, parse};
use crate::config::Environment;
use crate::text::tone::Tone;
use crate::ui::theme::colour::{Rgb, lab, lab_distance, light};
use crate::ui::theme::{CONTRAST, Depth, Role, Theme};

fn built_in() -> Vec<(&'static str, Theme)> {
    let parsed = |(name, text): &(&'static str, &str)| {
        let (about, theme) = parse::theme(Path::new(name), text).expect(name);
        assert!(!about.is_empty(), "{name}");
        (*name, theme)
    };
    BUILT_IN.iter().map(parsed).collect()
}

#[test]
fn every_built_in_theme_is_whole() {
    let themes = built_in();
    assert_eq!(themes.len(), BUILT_IN.len());
    let of = |name: &str| themes.iter().find(|(own, _)| *own == name).map(|(_, t)| t);
    // The code has these two without any file.
    assert_eq!(of("oomtop"), Some(&Theme::colours()));
    assert_eq!(of("mono"), Some(&Theme::mono()));
    let dir = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/assets/themes"));
    assert_eq!(
        dir.expect("there").count(),
        BUILT_IN.len(),
        "a file is not compiled in"
    );
}

/// Text and what is behind it.
fn pairs(theme: &Theme) -> Vec<(Role, Rgb, Rgb)> {
    let ground = theme.ground();
    let pair = |role: Role| {
        let look = theme.look(role);
        let text = look.fg.or(ground.fg).and_then(light)?;
        let behind = look.bg.or(ground.bg).and_then(light)?;
        Some((role, text, behind))
    };
    Role::ALL.into_iter().filter_map(pair).collect()
}

#[test]
fn every_tone_can_be_read_at_every_depth() {
    let mut seen = 0;
    for (name, theme) in built_in() {
        for depth in Depth::ALL {
            let shown = theme.at(depth);
            let has_ground = shown.ground().bg.is_some();
            for (role, text, behind) in pairs(&shown) {
                let contrast = text.contrast(behind);
                // The 16 colours look as the user of the terminal wants: white on blue may be any contrast.
                if has_ground {
                    seen += 1;
                    let role_name = role.name();
                    assert!(
                        contrast >= CONTRAST,
                        "{name} {depth:?} {role_name}: {contrast:.2}"
                    );
                }
                if name == "high-contrast" && depth >= Depth::Palette {
                    assert!(contrast >= 7.0, "{depth:?} {}: {contrast:.2}", role.name());
                }
            }
            // The selection of the other pane keeps the colours of the text.
            let elsewhere = shown.look(Role::SelectedElsewhere);
            assert_eq!((elsewhere.fg, elsewhere.bg), (None, None), "{name}");
        }
    }
    // Seven themes have a background of their own, each with most roles at two depths or more.
    assert!(seen > 7 * Role::ALL.len(), "{seen} looks were compared");
}

#[test]
fn without_colours_every_theme_is_mono() {
    for (name, theme) in built_in() {
        assert_eq!(theme.at(Depth::None), Theme::mono(), "{name}");
        assert_eq!(theme.at(Depth::True), theme, "{name}");
    }
}

#[test]
fn bands_differ_by_more_than_a_colour() {
    for (name, theme) in built_in() {
        for depth in Depth::ALL {
            let shown = theme.at(depth);
            let bands = [Tone::Good, Tone::Watch, Tone::Danger, Tone::Critical].map(Role::Text);
            let looks = bands.map(|role| shown.look(role));
            for (at, look) in looks.iter().enumerate() {
                assert!(
                    !looks[..at].contains(look),
                    "{name} {depth:?}: two bands look alike"
                );
            }
        }
    }
}

/// How far the backgrounds of what always stands there may be from the screen's, in CIELAB: a shade of it.
const CALM: f64 = 22.0;

#[test]
fn what_always_stands_there_is_calmer_than_what_is_urgent() {
    for (name, theme) in built_in() {
        for depth in Depth::ALL {
            let shown = theme.at(depth);
            for role in [Role::Heading, Role::Sorted, Role::Key, Role::Label] {
                let (look, text) = (shown.look(role), role.name());
                assert!(
                    !look.add_modifier.contains(Modifier::REVERSED),
                    "{name} {depth:?} {text}"
                );
                let (behind, ground) = (look.bg.and_then(light), shown.ground().bg.and_then(light));
                let distance = match (behind, ground) {
                    (Some(behind), Some(ground)) => behind.distance(ground),
                    (Some(_), None) => f64::INFINITY,
                    (None, _) => 0.0,
                };
                // Of 16 colours the nearest grey may be far.
                let is_grey = behind.is_some_and(|Rgb(r, g, b)| r == g && g == b);
                let is_calm = distance <= CALM || (is_grey && depth == Depth::Sixteen);
                assert!(is_calm, "{name} {depth:?} {text}: {distance:.1}");
            }
        }
    }
}

#[test]
fn the_selection_does_not_hide_who_dies_first() {
    for (name, theme) in built_in() {
        for depth in Depth::ALL {
            let shown = theme.at(depth);
            for focused in [true, false] {
                let selected = shown.selected(focused);
                let calm = [Tone::Normal, Tone::Strong, Tone::Dim].map(|tone| selected.style(tone));
                for tone in [Tone::Danger, Tone::Critical] {
                    let (own, look) = (shown.style(tone), selected.style(tone));
                    let about = format!("{name} {depth:?} {focused} {}: {look:?}", tone.name());
                    assert!(!calm.contains(&look), "{about}");
                    // Its colour is there, as that of the letters or behind them.
                    assert!(
                        own.fg.is_none() || [look.fg, look.bg].contains(&own.fg),
                        "{about}"
                    );
                    let known = look.fg.and_then(light).zip(look.bg.and_then(light));
                    let least = if name == "high-contrast" && depth >= Depth::Palette {
                        7.0
                    } else {
                        CONTRAST
                    };
                    if let Some((text, behind)) = known.filter(|_| focused) {
                        assert!(text.contrast(behind) >= least, "{about}");
                    }
                }
                assert_ne!(
                    selected.style(Tone::Danger),
                    selected.style(Tone::Critical),
                    "{name} {depth:?}"
                );
            }
        }
    }
}

/// Linear light as somebody sees it who lacks a cone (Machado, Oliveira and Fernandes 2009, severity 1).
const BLIND: [(&str, [[f64; 3]; 3]); 3] = [
    (
        "protanopia",
        [
            [0.152_286, 1.052_583, -0.204_868],
            [0.114_503, 0.786_281, 0.099_216],
            [-0.003_882, -0.048_116, 1.051_998],
        ],
    ),
    (
        "deuteranopia",
        [
            [0.367_322, 0.860_646, -0.227_968],
            [0.280_085, 0.672_501, 0.047_413],
            [-0.011_82, 0.042_94, 0.968_881],
        ],
    ),
    (
        "tritanopia",
        [
            [1.255_528, -0.076_749, -0.178_779],
            [-0.078_411, 0.930_809, 0.147_602],
            [0.004_733, 0.691_367, 0.303_9],
        ],
    ),
];

#[test]
fn the_bands_of_colour_blind_are_told_apart_without_a_cone() {
    let (_, theme) = built_in()
        .into_iter()
        .find(|(name, _)| *name == "colour-blind")
        .expect("a theme");
    for depth in [Depth::True, Depth::Palette] {
        let shown = theme.at(depth);
        let bands = [Tone::Good, Tone::Watch, Tone::Danger, Tone::Critical].map(Role::Text);
        let lights = bands.map(|role| shown.look(role).fg.and_then(light).expect("a colour"));
        for (cone, matrix) in &BLIND {
            let seen = lights.map(|light| {
                let linear = light.linear();
                let row = |row: [f64; 3]| {
                    let sum: f64 = row.iter().zip(linear).map(|(m, l)| m * l).sum();
                    sum.clamp(0.0, 1.0)
                };
                lab(matrix.map(row))
            });
            for (at, one) in seen.iter().enumerate() {
                for other in &seen[..at] {
                    let distance = lab_distance(*one, *other);
                    assert!(distance >= 25.0, "{cone} {depth:?} {at}: {distance:.1}");
                }
            }
        }
    }
}

#[test]
fn everything_wrong_with_a_file_is_said_at_once() {
    let text = "about = 3\nnormal = {}\ndimm = {}\naccent = { fg = \"rde\", bold = 1 }\ngood = { fg = \"#12345\", bg = 256, blod = true }\nwatch = \"red\"\n";
    let wrong = parse::theme(Path::new("t.toml"), text).expect_err("wrong");
    let expected = [
        "t.toml:1: about: takes a text",
        "t.toml:3: dimm: there is no such key; did you mean 'dim'?",
        "t.toml:4: accent.fg: 'rde' is no colour; did you mean 'red'?",
        "t.toml:4: accent.bold: takes true or false",
        "t.toml:5: good.fg: '#12345' is no colour: six hexadecimal digits follow the #",
        "t.toml:5: good.bg: takes a number of the palette from 0 to 255, not 256",
        "t.toml:5: good.blod: there is no such key; did you mean 'bold'?",
        "t.toml:6: watch: takes a look such as { fg = \"red\", bold = true }",
        "t.toml: these keys are missing: dim, strong, danger, critical, selected, selected_elsewhere, heading, sorted, key, label, mark (an empty {} keeps the terminal's own look)",
    ];
    assert_eq!(wrong, expected);
    let wrong = parse::theme(Path::new("t.toml"), "normal = {\n").expect_err("wrong");
    assert!(wrong[0].starts_with("t.toml:"), "{wrong:?}");
}

#[test]
fn a_file_of_the_user_is_a_theme_and_hides_one_of_the_same_name() {
    let dir = tempfile::tempdir().expect("a directory");
    let themes = dir.path().join("oomtop/themes");
    std::fs::create_dir_all(&themes).expect("made");
    let write = |name: &str, text: &str| {
        std::fs::write(themes.join(name), text).expect("written");
    };
    let (_, dark) = BUILT_IN[1];
    write("mine.toml", dark);
    write(
        "nord.toml",
        &dark.replace("about = \"", "about = \"my own, "),
    );
    write("broken.toml", "normal = 1");
    write("notes.txt", "no theme");
    let variables = [("XDG_CONFIG_HOME".into(), dir.path().into())];
    let found = Found::new(&Environment {
        variables: variables.into(),
        ..Environment::default()
    });
    let names: Vec<_> = found.names().collect();
    assert_eq!(names.len(), BUILT_IN.len() + 1, "{names:?}");
    let nord = found.themes.iter().find(|theme| theme.name == "nord");
    assert!(nord.expect("there").about.starts_with("my own"));
    assert!(found.check("mine").is_ok());
    assert!(matches!(found.check("broken"), Err(super::Wrong::File(_))));
    let Err(super::Wrong::Name(why)) = found.check("gruvbx") else {
        panic!("no such theme");
    };
    assert!(
        why.starts_with("there is no theme 'gruvbx' (did you mean 'gruvbox'?)"),
        "{why}"
    );
    let shown = found.at(Depth::True);
    assert_eq!(shown.of("mine"), shown.of("dark"));
    assert_eq!(
        shown.of("nobody's").look(Role::Text(Tone::Good)),
        Style::new().fg(Color::Green)
    );
}
