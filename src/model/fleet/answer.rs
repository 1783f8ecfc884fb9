//! Answers of Prometheus' HTTP API as values.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Deserialize;

/// Labels of a series.
pub type Labels<'a> = BTreeMap<Cow<'a, str>, Cow<'a, str>>;

/// A series of an instant query.
#[derive(Debug, Clone, PartialEq)]
pub struct Series<'a> {
    /// Its labels.
    pub labels: Labels<'a>,
    /// Its value; never NaN or infinite.
    pub value: f64,
}

impl Series<'_> {
    /// The value of a label; empty without it, as in Prometheus.
    #[must_use]
    pub fn label(&self, name: &str) -> &str {
        self.labels.get(name).map_or("", |value| value)
    }
}

/// Letters of an answer that is no JSON, in the sentence about it.
const SHOWN: usize = 40;

#[derive(Deserialize)]
struct Reply<'a> {
    status: Cow<'a, str>,
    #[serde(borrow)]
    data: Option<Data<'a>>,
    error: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct Data<'a> {
    #[serde(rename = "resultType")]
    kind: Cow<'a, str>,
    #[serde(borrow)]
    result: Vec<Raw<'a>>,
}

#[derive(Deserialize)]
struct Raw<'a> {
    #[serde(borrow, default)]
    metric: Labels<'a>,
    #[serde(borrow)]
    value: Option<(f64, Cow<'a, str>)>,
    #[serde(borrow, default)]
    values: Vec<(f64, Cow<'a, str>)>,
}

/// The series of an instant query, and how many are left out because their value is no number.
///
/// # Errors
/// A sentence about what the answer is instead.
pub fn vector(body: &[u8]) -> Result<(Vec<Series<'_>>, usize), String> {
    let raw = read(body, "vector")?;
    let count = raw.len();
    let known: Vec<Series<'_>> = raw
        .into_iter()
        .filter_map(|raw| {
            let value = number(&raw.value?.1)?;
            let labels = raw.metric;
            Some(Series { labels, value })
        })
        .collect();
    let strange = count - known.len();
    Ok((known, strange))
}

/// The series of a range query: labels, and values from the oldest on; what is no number is left out.
///
/// # Errors
/// A sentence about what the answer is instead.
pub fn matrix(body: &[u8]) -> Result<Vec<(Labels<'_>, Vec<f64>)>, String> {
    let raw = read(body, "matrix")?;
    let all = raw.into_iter().map(|raw| {
        let values = raw.values.iter().filter_map(|(_, text)| number(text));
        (raw.metric, values.collect())
    });
    Ok(all.collect())
}

fn number(text: &str) -> Option<f64> {
    text.parse().ok().filter(|value: &f64| value.is_finite())
}

fn read<'a>(body: &'a [u8], wanted: &str) -> Result<Vec<Raw<'a>>, String> {
    let reply: Reply<'a> = serde_json::from_slice(body).map_err(|_| {
        let text: String = String::from_utf8_lossy(body).chars().take(SHOWN).collect();
        match text.trim() {
            "" => "the answer is empty: is this the address of a Prometheus?".to_owned(),
            begin if begin.starts_with('{') => {
                "the answer is JSON, but not that of Prometheus, or cut off".to_owned()
            }
            begin => format!(
                "the answer is no JSON, it begins with {begin:?}: is this the address of a Prometheus?"
            ),
        }
    })?;
    if reply.status != "success" {
        let why = reply.error.unwrap_or_default();
        return Err(format!("Prometheus refuses the query: {why}"));
    }
    let data = reply.data.ok_or("the answer of Prometheus has no data")?;
    if data.kind != wanted {
        return Err(format!(
            "Prometheus answers with a {} where a {wanted} was asked for",
            data.kind
        ));
    }
    Ok(data.result)
}

#[cfg(test)]
mod tests {
    use super::{matrix, vector};

    #[test]
    fn series_are_read_and_what_is_no_number_is_counted() {
        let body = br#"{"status":"success","data":{"resultType":"vector","result":[
            {"metric":{"instance":"a\n:1","x":"y"},"value":[1.5,"0.25"]},
            {"metric":{"instance":"b"},"value":[1,"NaN"]},{"metric":{},"value":[1,"+Inf"]},{"metric":{},"value":[1,"x"]}]}}"#;
        let (all, strange) = vector(body).expect("a vector");
        assert_eq!((all.len(), strange), (1, 3));
        assert_eq!(
            (all[0].label("instance"), all[0].label("none")),
            ("a\n:1", "")
        );
        assert!((all[0].value - 0.25).abs() < 1e-9);
        let range = br#"{"status":"success","data":{"resultType":"matrix","result":[{"metric":{},"values":[[1,"1"],[2,"NaN"],[3,"2"]]}]}}"#;
        assert_eq!(matrix(range).expect("a matrix")[0].1, [1.0, 2.0]);
    }

    #[test]
    fn what_is_no_answer_is_a_sentence() {
        let said = |body: &str| vector(body.as_bytes()).expect_err("no vector");
        assert!(said("").contains("empty"));
        assert!(said("<html><body>Login").contains("begins with \"<html><body>Login\""));
        assert!(said("{\"a\":1}").contains("not that of Prometheus"));
        assert!(
            said("{\"status\":\"error\",\"error\":\"bad matcher\"}")
                .contains("refuses the query: bad matcher")
        );
        assert!(said("{\"status\":\"success\"}").contains("no data"));
        assert!(
            said("{\"status\":\"success\",\"data\":{\"resultType\":\"matrix\",\"result\":[]}}")
                .contains("with a matrix")
        );
    }

    proptest::proptest! {
        #[test]
        fn no_answer_is_too_strange(body in "(\\{\"status\":\"success\",\"data\":)?[\\[\\]{}\",:a-z0-9.\\\\]{0,80}") {
            let _ = (vector(body.as_bytes()), matrix(body.as_bytes()));
        }
    }
}
