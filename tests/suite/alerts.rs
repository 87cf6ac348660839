//! The alerts fire when they should and keep quiet when they should, and ask for what is there.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use regex::Regex;
use serde_yaml::Value;

use crate::harness::*;

const RULES: &str = "k8s/observability/alerts.yaml";
const STORIES: [&str; 2] = [
    "tests/observability/alerts.test.yaml",
    "tests/observability/alerts-of-days.test.yaml",
];

#[test]
fn the_rules_are_sound() {
    let Some(promtool) = Promtool::find() else {
        return;
    };
    promtool.accepts(&["check", "rules", RULES]);
}

#[test]
fn alerts_fire_for_what_they_are_there_for_and_for_nothing_else() {
    let Some(promtool) = Promtool::find() else {
        return;
    };
    promtool.accepts(&["test", "rules", STORIES[0], STORIES[1]]);
}

#[test]
fn every_alert_has_a_story_that_fires_it_and_one_that_does_not() {
    let told: Vec<_> = stories().map(|story| text(&story["name"])).collect();
    let named: Vec<_> = alerts().iter().map(|alert| text(&alert["alert"])).collect();
    let sorted = |names: &[String]| names.iter().cloned().collect::<BTreeSet<_>>();
    assert_eq!(sorted(&told), sorted(&named));
    assert_eq!(told.len(), named.len());
    assert!(named.len() >= 15, "the check sees nothing");
    for story in stories() {
        let (name, all) = (text(&story["name"]), jobs(&story));
        let query = text(&first_query(&story)["expr"]);
        let asked = format!(r#"(last_over_time(ALERTS{{alertname="{name}",alertstate="firing"}}["#);
        assert!(query.contains(&asked), "{name}: {query}");
        let fired: BTreeSet<_> = fired(&story)
            .iter()
            .map(|sample| sample["job"].clone())
            .collect();
        assert!(!fired.is_empty(), "{name} never fires");
        assert!(fired.is_subset(&all), "{name}: {fired:?} of {all:?}");
        assert!(fired.len() < all.len(), "{name} is never silent");
    }
}

/// A label that is not there would leave a hole in the sentence.
#[test]
fn every_alert_says_how_bad_it_is_what_it_is_and_what_to_do() {
    let label = Regex::new(r"\$labels\.(\w+)").unwrap();
    for alert in alerts() {
        let name = text(&alert["alert"]);
        let severity = text(&alert["labels"]["severity"]);
        assert!(
            ["critical", "warning", "info"].contains(&severity.as_str()),
            "{name}"
        );
        let (summary, description) = (
            text(&alert["annotations"]["summary"]),
            text(&alert["annotations"]["description"]),
        );
        assert!(summary.len() < 120 && description.len() > 80, "{name}");
        let story = stories().find(|story| story["name"] == alert["alert"]);
        let has: BTreeSet<_> = fired(&story.unwrap())
            .into_iter()
            .flat_map(BTreeMap::into_keys)
            .collect();
        for found in label.captures_iter(&(summary + &description)) {
            assert!(has.contains(&found[1]), "{name} has no {}", &found[1]);
        }
    }
}

#[test]
fn the_rules_ask_for_what_kawal_exports() {
    let mut exported = Exposition::of_every_kind();
    let mut queries = 0;
    for rule in rules() {
        queries += 1;
        let query = Query::read(&text(&rule["expr"]));
        match rule["record"].as_str() {
            Some(name) => {
                exported.answers(&query, name);
                exported = exported.record(name, &query);
            }
            None => exported.answers(&query, &text(&rule["alert"])),
        }
    }
    assert!(queries > 15, "the check sees nothing");
}

/// Of all that a process exports, while nothing comes: the first day is quiet, then somebody
/// should know that a gateway was never heard of.
#[test]
fn a_new_installation_is_silent_for_a_day() {
    let Some(promtool) = Promtool::find() else {
        return;
    };
    let app = App::start();
    for store in [Store::Memory, Store::Redis] {
        let kawal = Kawal::start(Config::new(&app).on(&store));
        if store == Store::Redis {
            kawal.wait_for_metric("kawal_store_up", 1.0);
        }
        let file = kawal.config.folder.path().join("story.yaml");
        fs::write(&file, quiet_days(&kawal.metrics())).unwrap();
        promtool.accepts(&["test", "rules", file.to_str().unwrap()]);
    }
}

/// The series of this page, unchanged for two days, and what they shall bring about.
fn quiet_days(page: &str) -> String {
    let rules = tests_folder().parent().unwrap().join(RULES);
    let lines = page.lines().filter(|line| !line.starts_with('#'));
    let mut series = String::new();
    for (name, value) in lines.filter_map(|line| line.rsplit_once(' ')) {
        // A story begins at the epoch.
        let value = if name == "kawal_start_time_seconds" {
            "0"
        } else {
            value
        };
        series += &format!("      - {{series: '{name}', values: '{value}x300'}}\n");
    }
    let never = ["doku", "doku-qris", "pivot"].map(|gateway| {
        format!("          - {{labels: '{{alertname=\"KawalNeverNotified\",gateway=\"{gateway}\"}}', value: 1}}\n")
    });
    format!(
        "rule_files: ['{}']\nevaluation_interval: 10m\ntests:\n  - interval: 10m\n    input_series:\n{series}\
         \x20   promql_expr_test:\n\
         \x20     - {{expr: 'ALERTS{{alertstate=\"firing\"}}', eval_time: 24h, exp_samples: []}}\n\
         \x20     - expr: 'count by (alertname, gateway) (ALERTS{{alertstate=\"firing\"}})'\n\
         \x20       eval_time: 26h\n        exp_samples:\n{}",
        rules.display(),
        never.concat()
    )
}

fn rules() -> Vec<Value> {
    let file = parsed(RULES);
    let groups = file["groups"].as_sequence().unwrap();
    let rules = groups.iter().map(|group| group["rules"].as_sequence());
    rules.flat_map(|rules| rules.unwrap().clone()).collect()
}

fn alerts() -> Vec<Value> {
    let rules = rules().into_iter();
    rules.filter(|rule| rule.get("alert").is_some()).collect()
}

fn stories() -> impl Iterator<Item = Value> {
    STORIES.into_iter().flat_map(|file| {
        let tests = parsed(file)["tests"].clone();
        tests.as_sequence().unwrap().clone()
    })
}

/// The names of what is told of: the jobs of a story's series.
fn jobs(story: &Value) -> BTreeSet<String> {
    let series = story["input_series"].as_sequence().unwrap();
    series
        .iter()
        .map(|series| Query::read(&text(&series["series"])))
        .flat_map(|query| query.selectors)
        .flat_map(|selector| selector.matchers)
        .filter(|(label, _)| label == "job")
        .map(|(_, job)| job)
        .collect()
}

/// The labels of each alert that has fired in a story.
fn fired(story: &Value) -> Vec<BTreeMap<String, String>> {
    let samples = first_query(story)["exp_samples"].clone();
    let samples = samples.as_sequence().unwrap().iter();
    let labels = samples.map(|sample| format!("fired{}", text(&sample["labels"])));
    labels
        .map(|labels| Query::read(&labels).selectors.remove(0))
        .map(|selector| selector.matchers.into_iter().collect())
        .collect()
}

fn first_query(story: &Value) -> &Value {
    &story["promql_expr_test"][0]
}

fn parsed(file: &str) -> Value {
    let path = tests_folder().parent().unwrap().join(file);
    serde_yaml::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
