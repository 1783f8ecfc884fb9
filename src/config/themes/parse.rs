//! The text of a theme's file.

use std::path::Path;

use ratatui::style::{Color, Modifier, Style};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::config::file::{line, not_toml};
use crate::text::suggest::nearest;
use crate::ui::theme::{Role, Theme};

/// The names of the first 16 colours.
const NAMES: [(&str, Color); 16] = [
    ("black", Color::Black),
    ("red", Color::Red),
    ("green", Color::Green),
    ("yellow", Color::Yellow),
    ("blue", Color::Blue),
    ("magenta", Color::Magenta),
    ("cyan", Color::Cyan),
    ("gray", Color::Gray),
    ("bright-black", Color::DarkGray),
    ("bright-red", Color::LightRed),
    ("bright-green", Color::LightGreen),
    ("bright-yellow", Color::LightYellow),
    ("bright-blue", Color::LightBlue),
    ("bright-magenta", Color::LightMagenta),
    ("bright-cyan", Color::LightCyan),
    ("white", Color::White),
];

/// The keys of a look that turn something on or off.
const MODIFIERS: [(&str, Modifier); 4] = [
    ("bold", Modifier::BOLD),
    ("dim", Modifier::DIM),
    ("underline", Modifier::UNDERLINED),
    ("reverse", Modifier::REVERSED),
];

/// What the theme is like in a few words, and the theme.
///
/// # Errors
/// A sentence with file and line for everything that is wrong: unknown keys, missing ones, bad colours.
pub(super) fn theme(path: &Path, text: &str) -> Result<(String, Theme), Vec<String>> {
    let table = DeTable::parse(text).map_err(|error| vec![not_toml(path, text, &error)])?;
    let mut reader = Reader {
        path,
        text,
        errors: Vec::new(),
    };
    let mut about = String::new();
    let mut looks: [Option<Style>; Role::ALL.len()] = Default::default();
    let mut entries: Vec<_> = table.get_ref().iter().collect();
    entries.sort_by_key(|(key, _)| key.span().start);
    for (key, value) in entries {
        let name: &str = key.get_ref();
        let role = Role::ALL.into_iter().find(|role| role.name() == name);
        match (role, value.get_ref()) {
            (Some(role), _) => looks[role.index()] = Some(reader.look(name, value)),
            (None, DeValue::String(words)) if name == "about" => {
                words.as_ref().clone_into(&mut about);
            }
            (None, _) if name == "about" => reader.wrong(value, "about", "takes a text"),
            (None, _) => {
                let keys = Role::ALL.map(Role::name);
                reader.unknown(key, name, &keys);
            }
        }
    }
    let missing = Role::ALL
        .into_iter()
        .filter(|role| looks[role.index()].is_none());
    let missing: Vec<_> = missing.map(Role::name).collect();
    if !missing.is_empty() {
        let path = path.display();
        let missing = missing.join(", ");
        let sentence = format!(
            "{path}: these keys are missing: {missing} (an empty {{}} keeps the terminal's own look)"
        );
        reader.errors.push(sentence);
    }
    if reader.errors.is_empty() {
        let look = |role: Role| looks[role.index()].unwrap_or_default();
        Ok((about, Theme::new(look)))
    } else {
        Err(reader.errors)
    }
}

struct Reader<'t> {
    path: &'t Path,
    text: &'t str,
    errors: Vec<String>,
}

impl Reader<'_> {
    fn wrong<T>(&mut self, at: &Spanned<T>, key: &str, why: &str) {
        let line = line(self.text.as_bytes(), at.span().start);
        let path = self.path.display();
        self.errors.push(format!("{path}:{line}: {key}: {why}"));
    }

    fn unknown<T>(&mut self, at: &Spanned<T>, key: &str, known: &[&str]) {
        let own = key.rsplit('.').next().unwrap_or(key);
        let why = match nearest(own, known) {
            Some(meant) => format!("there is no such key; did you mean '{meant}'?"),
            None => format!("there is no such key; the keys are {}", known.join(", ")),
        };
        self.wrong(at, key, &why);
    }

    fn look(&mut self, role: &str, value: &Spanned<DeValue<'_>>) -> Style {
        let mut look = Style::new();
        let DeValue::Table(table) = value.get_ref() else {
            self.wrong(
                value,
                role,
                "takes a look such as { fg = \"red\", bold = true }",
            );
            return look;
        };
        let mut entries: Vec<_> = table.iter().collect();
        entries.sort_by_key(|(key, _)| key.span().start);
        for (key, value) in entries {
            let name: &str = key.get_ref();
            let full = format!("{role}.{name}");
            let modifier = MODIFIERS.into_iter().find(|(own, _)| *own == name);
            match (name, modifier, value.get_ref()) {
                ("fg" | "bg", _, given) => match color(given) {
                    Ok(color) if name == "fg" => look.fg = Some(color),
                    Ok(color) => look.bg = Some(color),
                    Err(why) => self.wrong(value, &full, &why),
                },
                (_, Some((_, modifier)), DeValue::Boolean(true)) => {
                    look = look.add_modifier(modifier);
                }
                (_, Some((_, modifier)), DeValue::Boolean(false)) => {
                    look = look.remove_modifier(modifier);
                }
                (_, Some(_), _) => self.wrong(value, &full, "takes true or false"),
                (_, None, _) => {
                    let known = ["fg", "bg", "bold", "dim", "underline", "reverse"];
                    self.unknown(key, &full, &known);
                }
            }
        }
        look
    }
}

/// A name, a number of the palette, or `#rrggbb`.
fn color(value: &DeValue<'_>) -> Result<Color, String> {
    match value {
        DeValue::String(text) => named(text),
        DeValue::Integer(number) => number
            .to_string()
            .parse()
            .map(Color::Indexed)
            .map_err(|_| format!("takes a number of the palette from 0 to 255, not {number}")),
        _ => Err("takes a colour: a name, a number from 0 to 255, or \"#rrggbb\"".to_owned()),
    }
}

fn named(text: &str) -> Result<Color, String> {
    if let Some(digits) = text.strip_prefix('#') {
        let is_hex = digits.len() == 6 && digits.bytes().all(|b| b.is_ascii_hexdigit());
        let number = u32::from_str_radix(digits, 16).ok().filter(|_| is_hex);
        return number.map_or_else(
            || {
                Err(format!(
                    "'{text}' is no colour: six hexadecimal digits follow the #"
                ))
            },
            |number| {
                let [_, r, g, b] = number.to_be_bytes();
                Ok(Color::Rgb(r, g, b))
            },
        );
    }
    if text == "default" {
        return Ok(Color::Reset);
    }
    if let Some((_, color)) = NAMES.iter().find(|(name, _)| *name == text) {
        return Ok(*color);
    }
    let names: Vec<_> = NAMES.iter().map(|(name, _)| *name).collect();
    Err(match nearest(text, &names) {
        Some(meant) => format!("'{text}' is no colour; did you mean '{meant}'?"),
        None => format!(
            "'{text}' is no colour; the colours are #rrggbb, 0 to 255, default, {}",
            names.join(", ")
        ),
    })
}
