//! [`Value`]: what a part of an expression comes to, and what can be done with it.

use crate::model::killers::kubelet::span;

/// A value; numbers of all kinds are one kind, a duration is its seconds.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    Unknown,
    Truth(bool),
    Number(f64),
    /// A number that may be absent.
    Optional(Option<f64>),
    Text(String),
    /// Numbers by number; of a number that is not known the place stands empty.
    Map(Vec<(i64, Option<f64>)>),
}

pub(super) fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => Some(*number),
        _ => None,
    }
}

pub(super) fn numbers(left: &Value, right: &Value, work: impl Fn(f64, f64) -> f64) -> Value {
    let both = number(left).zip(number(right));
    both.map_or(Value::Unknown, |(a, b)| Value::Number(work(a, b)))
}

/// `||` where `deciding` is true, `&&` where it is false: the deciding truth on one side is enough.
pub(super) fn joined(left: &Value, right: &Value, deciding: bool) -> Value {
    match (left, right) {
        (Value::Truth(truth), _) | (_, Value::Truth(truth)) if *truth == deciding => {
            Value::Truth(deciding)
        }
        (Value::Truth(_), Value::Truth(other)) if *other == deciding => Value::Truth(deciding),
        (Value::Truth(_), Value::Truth(_)) => Value::Truth(!deciding),
        _ => Value::Unknown,
    }
}

pub(super) fn at(map: &[(i64, Option<f64>)], key: f64) -> Value {
    let found = map.iter().find(|(own, _)| *own == whole(key));
    found
        .and_then(|(_, value)| *value)
        .map_or(Value::Unknown, Value::Number)
}

pub(super) fn whole(number: f64) -> i64 {
    #[expect(clippy::cast_possible_truncation, reason = "`as` saturates")]
    let whole = number as i64;
    whole
}

pub(super) fn call(name: &str, arguments: &[Value]) -> Value {
    match (name, arguments) {
        ("double" | "int" | "uint", [Value::Number(number)]) => Value::Number(*number),
        ("duration", [Value::Text(text)]) => {
            let seconds = span(text).map(|span| span.as_secs_f64());
            seconds.map_or(Value::Unknown, Value::Number)
        }
        ("multiply_qos_vectors", [Value::Map(left), Value::Map(right)]) => {
            let weight = |key: i64| right.iter().find(|(own, _)| *own == key);
            let part = |(key, value): &(i64, Option<f64>)| match weight(*key) {
                None => Some(0.0),
                Some((_, Some(weight))) if *weight == 0.0 => Some(0.0),
                Some((_, weight)) => Some((*value)? * (*weight)?),
            };
            let all: Option<f64> = left.iter().map(part).sum();
            all.map_or(Value::Unknown, Value::Number)
        }
        _ => Value::Unknown,
    }
}
