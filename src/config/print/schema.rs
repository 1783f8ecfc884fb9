//! `--print schema`: the configuration file as a JSON Schema (draft 2020-12), so that an editor checks it while it is
//! written.

use serde_json::{Map, Value, json};

use crate::config::settings::{Form, SETTINGS, Setting, Values};

/// The schema as indented JSON.
pub(super) fn print() -> String {
    let properties: Map<String, Value> = SETTINGS
        .iter()
        .map(|setting| (setting.key.to_owned(), property(setting)))
        .collect();
    let schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "oomtop configuration",
        "type": "object",
        "additionalProperties": false,
        "properties": properties,
    });
    format!("{schema:#}\n")
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
    }
}
