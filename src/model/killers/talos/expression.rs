//! A part of CEL, the language of Talos's expressions: numbers, truth, maps and the functions that Talos adds.
//!
//! Nothing here fails on what is not known: an unknown variable makes unknown only what depends on it.
//! Sources: the CEL specification (google/cel-spec), pkg/machinery/cel of Talos.

use super::value::{Value, at, call, joined, number, numbers, whole};

/// A comparison in an expression.
#[derive(Debug, Clone, PartialEq)]
pub struct Compared {
    /// As it is written, blanks made one.
    pub text: String,
    /// Its left side now; `None` if that is not known.
    pub now: Option<f64>,
    /// Whether it holds; `None` if that is not known.
    pub holds: Option<bool>,
}

/// What an expression comes to.
#[derive(Debug)]
pub(super) struct Evaluated {
    pub(super) value: Value,
    /// Its comparisons, as they are written.
    pub(super) compared: Vec<Compared>,
}

/// Deepest nesting that is followed, and most comparisons that are kept.
const DEEPEST: usize = 24;
const MOST: usize = 64;

/// The value of an expression; `None` if it is written in another way than this knows.
pub(super) fn evaluate(text: &str, variable: &dyn Fn(&str) -> Value) -> Option<Evaluated> {
    let mut reader = Reader {
        text,
        at: 0,
        depth: 0,
        variable,
        compared: Vec::new(),
    };
    let value = reader.choice()?;
    reader.blanks();
    (reader.at == text.len()).then_some(Evaluated {
        value,
        compared: reader.compared,
    })
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
    depth: usize,
    variable: &'t dyn Fn(&str) -> Value,
    compared: Vec<Compared>,
}

impl<'t> Reader<'t> {
    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn blanks(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start().len();
    }

    /// Takes a sign, if it stands here.
    fn takes(&mut self, sign: &str) -> bool {
        self.blanks();
        let is_here = self.rest().starts_with(sign);
        if is_here {
            self.at += sign.len();
        }
        is_here
    }

    /// The letters from here on that `is_part` wants.
    fn run(&mut self, is_part: impl Fn(char) -> bool) -> &'t str {
        let rest = self.rest();
        let end = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
        self.at += end;
        rest.get(..end).unwrap_or_default()
    }

    fn choice(&mut self) -> Option<Value> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return None;
        }
        let condition = self.either()?;
        let value = if self.takes("?") {
            let yes = self.choice()?;
            self.takes(":").then_some(())?;
            let no = self.choice()?;
            match condition {
                Value::Truth(true) => yes,
                Value::Truth(false) => no,
                _ => Value::Unknown,
            }
        } else {
            condition
        };
        self.depth -= 1;
        Some(value)
    }

    fn either(&mut self) -> Option<Value> {
        let mut value = self.both()?;
        while self.takes("||") {
            value = joined(&value, &self.both()?, true);
        }
        Some(value)
    }

    fn both(&mut self) -> Option<Value> {
        let mut value = self.relation()?;
        while self.takes("&&") {
            value = joined(&value, &self.relation()?, false);
        }
        Some(value)
    }

    fn relation(&mut self) -> Option<Value> {
        self.blanks();
        let begin = self.at;
        let left = self.sum()?;
        let signs = ["<=", ">=", "==", "!=", "<", ">"];
        let Some(sign) = signs.into_iter().find(|sign| self.takes(sign)) else {
            return Some(left);
        };
        let right = self.sum()?;
        let holds = match (&left, &right) {
            (Value::Number(left), Value::Number(right)) => Some(match sign {
                "<=" => left <= right,
                ">=" => left >= right,
                "<" => left < right,
                ">" => left > right,
                sign => {
                    (left - right).abs() < f64::EPSILON && sign == "=="
                        || (left - right).abs() >= f64::EPSILON && sign == "!="
                }
            }),
            _ => None,
        };
        let text = self.text.get(begin..self.at).unwrap_or_default();
        if self.compared.len() < MOST {
            self.compared.push(Compared {
                text: super::on_one_line(text),
                now: number(&left),
                holds,
            });
        }
        Some(holds.map_or(Value::Unknown, Value::Truth))
    }

    fn sum(&mut self) -> Option<Value> {
        let mut value = self.product()?;
        loop {
            let sign = if self.takes("+") {
                1.0
            } else if self.takes("-") {
                -1.0
            } else {
                return Some(value);
            };
            value = numbers(&value, &self.product()?, |a, b| a + sign * b);
        }
    }

    fn product(&mut self) -> Option<Value> {
        let mut value = self.unary()?;
        loop {
            let work: fn(f64, f64) -> f64 = if self.takes("*") {
                |a, b| a * b
            } else if self.takes("/") {
                |a, b| a / b
            } else if self.takes("%") {
                |a, b| a % b
            } else {
                return Some(value);
            };
            value = numbers(&value, &self.unary()?, work);
        }
    }

    fn unary(&mut self) -> Option<Value> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return None;
        }
        let value = if self.takes("!") {
            match self.unary()? {
                Value::Truth(truth) => Value::Truth(!truth),
                _ => Value::Unknown,
            }
        } else if self.takes("-") {
            number(&self.unary()?).map_or(Value::Unknown, |n| Value::Number(-n))
        } else {
            self.member()?
        };
        self.depth -= 1;
        Some(value)
    }

    fn member(&mut self) -> Option<Value> {
        let mut value = self.primary()?;
        loop {
            if self.takes(".") {
                let name = self.run(is_name);
                self.takes("(").then_some(())?;
                let arguments = self.arguments()?;
                value = match (name, value, arguments.first()) {
                    ("hasValue", Value::Optional(inner), _) => Value::Truth(inner.is_some()),
                    ("value" | "orValue", Value::Optional(Some(inner)), _) => Value::Number(inner),
                    ("orValue", Value::Optional(None), Some(other)) => other.clone(),
                    _ => Value::Unknown,
                };
            } else if self.takes("[") {
                let key = self.choice()?;
                self.takes("]").then_some(())?;
                value = match (value, number(&key)) {
                    (Value::Map(map), Some(key)) => at(&map, key),
                    _ => Value::Unknown,
                };
            } else {
                return Some(value);
            }
        }
    }

    /// What stands up to the closing bracket.
    fn arguments(&mut self) -> Option<Vec<Value>> {
        let mut all = Vec::new();
        if self.takes(")") {
            return Some(all);
        }
        loop {
            all.push(self.choice()?);
            if self.takes(")") {
                return Some(all);
            }
            self.takes(",").then_some(())?;
        }
    }

    fn primary(&mut self) -> Option<Value> {
        self.blanks();
        match self.rest().chars().next()? {
            '(' => {
                self.at += 1;
                let value = self.choice()?;
                self.takes(")").then_some(value)
            }
            '{' => {
                self.at += 1;
                self.map()
            }
            quote @ ('"' | '\'') => {
                self.at += 1;
                let text = self.run(|c| c != quote).to_owned();
                let closing = self.rest().starts_with(quote);
                self.at += usize::from(closing);
                closing.then_some(Value::Text(text))
            }
            digit if digit.is_ascii_digit() => {
                let digits = self.run(|c| c.is_ascii_digit() || c == '.');
                let value = digits.parse().ok()?;
                // An unsigned number has a letter behind it.
                if self.rest().starts_with(['u', 'U']) {
                    self.at += 1;
                }
                Some(Value::Number(value))
            }
            letter if is_name(letter) => {
                let name = self.run(is_name);
                if self.takes("(") {
                    let arguments = self.arguments()?;
                    return Some(call(name, &arguments));
                }
                Some(match name {
                    "true" => Value::Truth(true),
                    "false" => Value::Truth(false),
                    name => (self.variable)(name),
                })
            }
            _ => None,
        }
    }

    fn map(&mut self) -> Option<Value> {
        let mut map = Vec::new();
        if self.takes("}") {
            return Some(Value::Map(map));
        }
        loop {
            let key = self.choice()?;
            self.takes(":").then_some(())?;
            let value = self.choice()?;
            // A key that is no number of a class is none that is looked up.
            if let Some(key) = number(&key) {
                map.push((whole(key), number(&value)));
            }
            if self.takes("}") {
                return Some(Value::Map(map));
            }
            self.takes(",").then_some(())?;
        }
    }
}

fn is_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

#[cfg(test)]
mod tests {
    use super::{Value, evaluate};

    fn value(text: &str) -> Option<Value> {
        let variable = |name: &str| match name {
            "three" => Value::Number(3.0),
            "some" => Value::Optional(Some(7.0)),
            "none" => Value::Optional(None),
            "vector" => Value::Map(vec![(0, Some(2.0)), (1, None), (4, Some(5.0))]),
            "A" => Value::Number(0.0),
            "B" => Value::Number(1.0),
            "E" => Value::Number(4.0),
            _ => Value::Unknown,
        };
        evaluate(text, &variable).map(|evaluated| evaluated.value)
    }

    #[test]
    fn numbers_truth_and_what_is_not_known() {
        use Value::{Number, Truth, Unknown};
        for (text, wanted) in [
            ("1.5 + 2 * 3 - 4 / 2", Number(5.5)),
            ("-(1 + 2) * 7 % 4", Number(-1.0)),
            ("three >= 3.0", Truth(true)),
            ("three != 3 || !(three < 1)", Truth(true)),
            ("three > 3 && unheard_of > 1", Truth(false)),
            ("unheard_of > 1 && three > 3", Truth(false)),
            ("unheard_of > 1 || three == 3", Truth(true)),
            ("unheard_of > 1 && three == 3", Unknown),
            ("three > 1 && three > 2 && three > 3", Truth(false)),
            ("three > 4 || three > 2", Truth(true)),
            ("three > 1 ? 8u : 9u", Number(8.0)),
            ("unheard_of ? 8 : 9", Unknown),
            ("duration(\"1m500ms\") > duration('1m')", Truth(true)),
            ("some.hasValue() && !none.hasValue()", Truth(true)),
            ("double(some.orValue(0u)) + none.orValue(2u)", Number(9.0)),
            ("{A: 1.0, B: 0.5}[B] * 4.0", Number(2.0)),
            ("{A: 1.0}[E]", Unknown),
            (
                "multiply_qos_vectors(vector, {A: 10.0, E: 2.0})",
                Number(30.0),
            ),
            ("multiply_qos_vectors(vector, {B: 10.0})", Unknown),
            ("path.startsWith(\"/x\")", Unknown),
            ("false", Truth(false)),
        ] {
            assert_eq!(value(text), Some(wanted), "{text}");
        }
        for odd in ["", "1 +", "(1", "a b", "{A: 1", "\"x", "1 ? 2", "[1, 2]"] {
            assert_eq!(value(odd), None, "{odd}");
        }
    }

    #[test]
    fn each_comparison_says_what_it_compares() {
        let variable = |name: &str| match name {
            "x" => Value::Number(4.0),
            _ => Value::Unknown,
        };
        let all = evaluate("x  >\n 5.0 && y > 1", &variable).map(|e| e.compared);
        let all = all.unwrap_or_default();
        assert_eq!(all.len(), 2);
        assert_eq!(
            (all[0].text.as_str(), all[0].now, all[0].holds),
            ("x > 5.0", Some(4.0), Some(false))
        );
        assert_eq!((all[1].now, all[1].holds), (None, None));
    }

    proptest::proptest! {
        #[test]
        fn no_text_panics_or_overflows(text in "(\\(|\\)|\\{|\\}|\\[|\\]|!|-|\\?|:|&&|\\|\\||<|x|[0-9.]{0,9}|\"|\\.|u| |\\PC)*", deep in 0..2000_usize) {
            let _ = value(&text);
            let _ = value(&"(".repeat(deep));
            let _ = value(&"!".repeat(deep));
            let _ = value(&"1 ? 1 : ".repeat(deep));
        }
    }
}
