//! The dashboard shows all that Kawal exports, asks for nothing else, and fits any Grafana.

use std::collections::BTreeSet;
use std::fs;

use regex::Regex;
use serde_json::{Value, json};

use crate::harness::exposition::{ANY, SCRAPED, family};
use crate::harness::*;

const SOURCE: &str = "${datasource}";

#[test]
fn it_asks_for_what_kawal_exports() {
    let exported = Exposition::of_every_kind();
    let queries = queries();
    assert!(queries.len() > 25, "the check sees nothing");
    for (title, query) in queries {
        exported.answers(&Query::read(&query), &title);
    }
}

#[test]
fn it_shows_all_that_kawal_exports() {
    let shown: BTreeSet<_> = queries()
        .iter()
        .flat_map(|(_, query)| Query::read(query).selectors)
        .map(|selector| family(&selector.metric).to_owned())
        .collect();
    for exported in Exposition::of_every_kind().families() {
        assert!(shown.contains(&exported), "{exported} is nowhere");
    }
}

#[test]
fn its_queries_can_be_read() {
    let Some(promtool) = Promtool::find() else {
        return;
    };
    let rules: Vec<_> = queries()
        .iter()
        .enumerate()
        .map(|(number, (_, query))| json!({"record": format!("query:{number}"), "expr": query}))
        .collect();
    let folder = config::Folder::new();
    let file = folder.path().join("queries.yaml");
    let groups = json!({"groups": [{"name": "dashboard", "rules": rules}]});
    fs::write(&file, groups.to_string()).unwrap();
    promtool.accepts(&["check", "rules", file.to_str().unwrap()]);
}

#[test]
fn it_belongs_to_no_installation() {
    let board = board();
    assert!(board["schemaVersion"].as_u64() >= Some(39));
    for object in panels(&board).iter().chain([&board]) {
        assert_eq!(object.get("id"), None, "{}", object["title"]);
    }
    let sources = under("datasource", &board);
    assert!(sources.len() > 40, "the check sees nothing");
    for source in sources {
        assert_eq!(source, json!({"type": "prometheus", "uid": SOURCE}));
    }
    let first = &board["templating"]["list"][0];
    assert_eq!(
        (&first["type"], &first["name"]),
        (&"datasource".into(), &"datasource".into())
    );
}

#[test]
fn its_variables_are_declared() {
    let board = board();
    let list = board["templating"]["list"].as_array().unwrap();
    for variable in list.iter().filter(|one| one["type"] == "query") {
        assert_eq!(variable["definition"], variable["query"]["query"]);
    }
    let mut declared: BTreeSet<_> = list.iter().map(|one| text(&one["name"])).collect();
    for name in ["datasource", "namespace", "job", "gateway"] {
        assert!(declared.contains(name), "no {name}");
    }
    declared.extend(["__rate_interval", "__range", "__all"].map(str::to_owned));
    let variable = Regex::new(r"\$\{?(\w+)").unwrap();
    for found in variable.captures_iter(&board.to_string()) {
        assert!(
            declared.contains(&found[1]),
            "nobody declares {}",
            &found[1]
        );
    }
}

/// Whoever runs several shops, or several gateways, sees one of them.
#[test]
fn every_query_obeys_the_variables() {
    let exported = Exposition::of_every_kind();
    for (title, query) in raw_queries() {
        for selector in Query::read(&query).selectors {
            let mut needed = vec!["namespace", "job"];
            if exported.has(&selector.metric, "gateway") {
                needed.push("gateway");
            }
            for label in needed {
                let value = (label.to_owned(), format!("${label}"));
                let obeys = selector.matchers.contains(&value);
                assert!(obeys, "{title}: {} of any {label}", selector.metric);
            }
        }
    }
}

#[test]
fn every_panel_says_what_it_shows() {
    let board = board();
    let mut titles = BTreeSet::new();
    let shown = panels(&board);
    assert!(shown.len() > 20, "the check sees nothing");
    for panel in shown {
        let title = text(&panel["title"]);
        assert!(!title.is_empty() && titles.insert(title.clone()), "{title}");
        if panel["type"] == "row" {
            continue;
        }
        assert!(text(&panel["description"]).len() > 15, "{title}: why?");
        let unit = &panel["fieldConfig"]["defaults"]["unit"];
        assert!(!text(unit).is_empty(), "{title} has no unit");
    }
}

#[test]
fn every_legend_names_a_label_that_is_there() {
    let label = Regex::new(r"\{\{(\w+)\}\}").unwrap();
    let exported = Exposition::of_every_kind();
    for panel in panels(&board()) {
        for target in targets(&panel) {
            let query = Query::read(&text(&target["expr"]));
            for found in label.captures_iter(&text(&target["legendFormat"])) {
                let name = &found[1];
                let metric = &query.selectors[0].metric;
                let kept = match query.labels.is_empty() {
                    true => SCRAPED.contains(&name) || exported.has(metric, name),
                    false => query.labels.contains(name),
                };
                assert!(kept, "{}: no {name}", panel["title"]);
            }
        }
    }
}

#[test]
fn no_panel_lies_on_another() {
    let board = board();
    let mut taken = BTreeSet::new();
    for panel in panels(&board) {
        let place = |key: &str| panel["gridPos"][key].as_u64().unwrap();
        let (x, y, w, h) = (place("x"), place("y"), place("w"), place("h"));
        assert!(w > 0 && h > 0 && x + w <= 24, "{}", panel["title"]);
        for cell in (y..y + h).flat_map(|row| (x..x + w).map(move |column| (row, column))) {
            assert!(taken.insert(cell), "{} at {cell:?}", panel["title"]);
        }
    }
    let rows = taken.last().unwrap().0 + 1;
    assert_eq!(taken.len() as u64, rows * 24, "there are holes");
}

fn board() -> Value {
    let file = tests_folder().with_file_name("k8s/observability/dashboard.json");
    serde_json::from_slice(&fs::read(file).unwrap()).unwrap()
}

fn panels(board: &Value) -> Vec<Value> {
    board["panels"].as_array().unwrap().clone()
}

fn targets(panel: &Value) -> Vec<Value> {
    panel["targets"].as_array().cloned().unwrap_or_default()
}

/// Every query as it is written, with the title of its panel.
fn raw_queries() -> Vec<(String, String)> {
    let all = panels(&board());
    let of = |panel: &Value| -> Vec<_> {
        let targets = targets(panel).into_iter();
        let queries = targets.map(|target| text(&target["expr"]));
        queries
            .map(|query| (text(&panel["title"]), query))
            .collect()
    };
    all.iter().flat_map(of).collect()
}

/// Every query as Prometheus gets it, those that fill the variables too.
fn queries() -> Vec<(String, String)> {
    let values = Regex::new(r"^label_values\((.*), (\w+)\)$").unwrap();
    let mut all = raw_queries();
    for variable in board()["templating"]["list"].as_array().unwrap() {
        if let Some(found) = values.captures(&text(&variable["query"]["query"])) {
            let query = format!("count by ({}) ({})", &found[2], &found[1]);
            all.push((text(&variable["name"]), query));
        }
    }
    let variable = Regex::new(r"\$(namespace|job|gateway)").unwrap();
    all.into_iter()
        .map(|(title, query)| {
            let query = query.replace("$__rate_interval", "5m");
            let query = query.replace("$__range", "1d");
            (title, variable.replace_all(&query, ANY).into_owned())
        })
        .collect()
}

/// Everything that stands under this key, at any depth.
fn under(key: &str, value: &Value) -> Vec<Value> {
    match value {
        Value::Object(map) => map
            .iter()
            .flat_map(|(name, inner)| match name == key {
                true => vec![inner.clone()],
                false => under(key, inner),
            })
            .collect(),
        Value::Array(list) => list.iter().flat_map(|inner| under(key, inner)).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
