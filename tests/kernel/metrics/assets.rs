//! The dashboard and the DaemonSet in `assets`, against the programs that they are for.

use serde_json::Value;

use super::stage::{Metrics, Prometheus, asset, has};
use crate::common::patience::until;
use crate::common::web::get;
use crate::common::{measured, skipped};

/// All texts below a key of this name.
fn texts(value: &Value, key: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            for (name, value) in map {
                match value {
                    Value::String(text) if name == key => found.push(text.clone()),
                    other => texts(other, key, found),
                }
            }
        }
        Value::Array(all) => all.iter().for_each(|value| texts(value, key, found)),
        _ => {}
    }
}

#[test]
fn prometheus_answers_every_query_of_the_dashboard() {
    if !has("prometheus", "the queries of the dashboard") {
        return;
    }
    let text = std::fs::read_to_string(asset("grafana/oomtop.json")).expect("there");
    let dashboard = serde_json::from_str(&text).expect("JSON");
    let mut queries = Vec::new();
    texts(&dashboard, "expr", &mut queries);
    assert!(queries.len() >= 10, "{queries:?}");
    let oomtop = Metrics::start();
    // A family without a value is on no page.
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/output/metrics");
    let files = std::fs::read_dir(folder)
        .expect("there")
        .map_while(Result::ok);
    let families: String = files
        .map(|file| std::fs::read_to_string(file.path()).expect("text"))
        .collect();
    let prometheus = Prometheus::start(oomtop.address, &asset("prometheus/oomtop.rules.yml"));
    let mut names = Vec::new();
    let has_come = until(|| {
        let answer = prometheus.query("count by (__name__) ({job=\"oomtop\"})");
        names.clear();
        texts(&answer, "__name__", &mut names);
        names.iter().any(|name| name == "oomtop_victim_info")
    });
    assert!(has_come, "{names:?}");
    let mut with_data = 0;
    for query in &queries {
        // What Grafana puts in their place.
        let query = query
            .replace("$instance", ".*")
            .replace("$__rate_interval", "1m");
        assert!(
            !query.contains('$'),
            "{query}: a variable that nobody gives"
        );
        let answer = prometheus.query(&query);
        assert_eq!(answer["status"], "success", "{query}: {answer}");
        let series = answer["data"]["result"].as_array().map_or(0, Vec::len);
        with_data += usize::from(series > 0);
        // Names that no page has would be empty for ever.
        for word in query.split(|c: char| !c.is_ascii_alphanumeric() && c != '_') {
            let word = word.trim_end_matches("_total").trim_end_matches("_info");
            if word.starts_with("oomtop_") {
                assert!(families.contains(&format!("\"{word}\"")), "{query}: {word}");
            }
        }
    }
    assert!(
        with_data >= 5,
        "{with_data} of {} have data here",
        queries.len()
    );
}

#[test]
fn the_arguments_of_the_daemonset_serve_its_probe() {
    let text = std::fs::read_to_string(asset("kubernetes/oomtop-daemonset.yml")).expect("there");
    let of = |key: &str| {
        let line = text.lines().find_map(|line| line.trim().strip_prefix(key));
        line.unwrap_or_else(|| panic!("{key}")).trim().to_owned()
    };
    let arguments: Vec<String> = serde_json::from_str(&of("args:")).expect("a list");
    let port = of("containerPort:");
    assert_eq!(of("prometheus.io/port:"), format!("\"{port}\""));
    assert!(
        arguments.contains(&format!("0.0.0.0:{port}")),
        "{arguments:?}"
    );
    assert!(arguments.contains(&of("mountPath:")), "{arguments:?}");
    // As there, but for the port, which may be taken here, and the place of the host's root.
    let arguments = arguments.iter().map(|argument| match argument.as_str() {
        listen if listen.ends_with(&format!(":{port}")) => "127.0.0.1:0",
        "/host" => "/",
        other => other,
    });
    let oomtop = Metrics::start_with(arguments);
    let answer = get(oomtop.address, &of("path:"), "*/*");
    assert_eq!(answer.map(|(status, _)| status), Some(200));
    assert!(oomtop.page().contains("oomtop_memory_used_ratio"));
    assert_eq!(oomtop.stop(), Some(0));
}

#[test]
fn the_services_leave_little_to_whoever_breaks_into_one() {
    for name in ["record", "metrics", "watch", "textfile", "protect"] {
        let file = asset(&format!("oomtop-{name}.service"));
        let done = std::process::Command::new("systemd-analyze")
            .args(["security", "--offline=true", "--no-pager"])
            .arg(&file)
            .output();
        let said = done.map(|done| String::from_utf8_lossy(&done.stdout).into_owned());
        let said = said.unwrap_or_default();
        let Some(figure) = said
            .lines()
            .find_map(|line| line.split(".service: ").nth(1))
        else {
            // Before systemd 250 a file cannot be judged.
            skipped(
                "the sandbox of the services",
                "systemd-analyze does not judge files here",
            );
            return;
        };
        measured(&format!("oomtop-{name}.service: exposure {figure}"));
        let exposure: f64 = figure
            .split(' ')
            .next()
            .and_then(|n| n.parse().ok())
            .expect("a number");
        assert!(exposure < 4.0, "{name}: {figure}");
    }
}
