//! `--print schema`: the configuration file as a JSON Schema (draft 2020-12), so that an editor checks it while it is
//! written.

use serde_json::{Map, Value, json};

use crate::app::input::id::ActionId;
use crate::config::bind::{NOTHING, TABLE};
use crate::config::settings::{Form, SETTINGS, Setting, Values};

/// The schema as indented JSON.
pub(super) fn print() -> String {
    let settings = SETTINGS
        .iter()
        .map(|setting| (setting.key.to_owned(), property(setting)));
    let own = std::iter::once((TABLE.to_owned(), keys()));
    let properties: Map<String, Value> = settings.chain(own).collect();
    let schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "oomtop configuration",
        "type": "object",
        "additionalProperties": false,
        "properties": properties,
    });
    format!("{schema:#}\n")
}

/// The table of the user's own keys.
fn keys() -> Value {
    let names: Vec<_> = ActionId::ALL.iter().map(|id| id.name()).collect();
    let one: Vec<_> = names.iter().copied().chain([NOTHING]).collect();
    json!({
        "type": "object",
        "description": "Keys of your own, on top of the preset: a key and the action it runs, or a list of actions that exist in different places",
        "additionalProperties": {
            "anyOf": [
                { "enum": one },
                { "type": "array", "items": { "enum": names }, "uniqueItems": true },
            ],
        },
    })
}

fn property(setting: &Setting) -> Value {
    let default = (setting.show)(&Values::default());
    let mut about = match setting.form {
        Form::Switch => json!({ "type": "boolean", "default": default == "true" }),
        Form::Choice(_, words) => {
            let words: Vec<_> = words().into_iter().map(|(word, _)| word).collect();
            json!({ "enum": words, "default": default })
        }
        Form::Value(_) => value(&default),
    };
    about["description"] = Value::from(setting.doc);
    about
}

/// What the text of a default tells of the values: a number, numbers in a list, or text.
fn value(default: &str) -> Value {
    let number = |text: &str| text.parse::<f64>().ok();
    let numbers: Option<Vec<_>> = default.split(',').map(number).collect();
    match numbers.as_deref() {
        Some([one]) => json!({ "type": "number", "default": one }),
        Some(list) => json!({
            "type": "array",
            "items": { "type": "number" },
            "minItems": list.len(),
            "maxItems": list.len(),
            "default": list,
        }),
        None if default.is_empty() => json!({ "type": "string" }),
        None => json!({ "type": "string", "default": default }),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::print;
    use crate::config::settings::SETTINGS;

    #[test]
    fn the_schema_is_json_and_names_every_setting() {
        let schema: Value = serde_json::from_str(&print()).expect("JSON");
        for setting in SETTINGS {
            let about = &schema["properties"][setting.key];
            assert_eq!(about["description"], setting.doc);
        }
        let kind = |key: &str| schema["properties"][key]["type"].clone();
        assert_eq!(kind("delay"), "number");
        assert_eq!(kind("bands"), "array");
        assert_eq!(kind("mouse"), "boolean");
        assert_eq!(kind("filter"), "string");
        let actions = &schema["properties"]["bind"]["additionalProperties"]["anyOf"][0]["enum"];
        let actions = actions.as_array().expect("names");
        for name in ["signal", "domains", "none"] {
            assert!(actions.iter().any(|one| one == name), "{name}");
        }
    }
}
