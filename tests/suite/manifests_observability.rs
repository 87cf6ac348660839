//! What Prometheus' operator and Grafana are given is what stands in the files beside it.

use std::fs;

use crate::harness::*;

const FOLDER: &str = "k8s/observability";

#[test]
fn the_rules_of_the_operator_are_the_rules() {
    let (rule, rules) = (text("prometheusrule.yaml"), text("alerts.yaml"));
    let (_, spec) = rule.split_once("\nspec:\n").unwrap();
    let (_, groups) = rules.split_once("\ngroups:\n").unwrap();
    // Its comments, too: whoever reads one of the two need not know of the other.
    let mut expected = String::from("  groups:\n");
    for line in groups.lines() {
        let indent = if line.is_empty() { "" } else { "  " };
        expected += &format!("{indent}{line}\n");
    }
    assert!(
        spec == expected,
        "the two differ; prometheusrule.yaml begins with a command that makes it of alerts.yaml"
    );
}

#[test]
fn every_guarded_pod_is_scraped_where_its_metrics_are() {
    for rendered in Kubectl::render_all() {
        let monitors = rendered.of_kind("PodMonitor");
        let expected = usize::from(rendered.name.ends_with("shared"));
        assert_eq!(monitors.len(), expected, "{}", rendered.name);
        for monitor in monitors {
            let spec = &monitor["spec"];
            assert_eq!(spec["podMetricsEndpoints"][0]["path"], "/metrics");
            for one in rendered.guarded() {
                let wanted = spec["selector"]["matchLabels"].as_object().unwrap();
                let labels = &one.template["metadata"]["labels"];
                assert!(wanted.iter().all(|(name, value)| labels[name] == *value));
                assert!(labels[spec["jobLabel"].as_str().unwrap()].is_string());
                let port = &spec["podMetricsEndpoints"][0]["port"];
                assert_eq!(*port, one.kawal()["ports"][0]["name"], "{}", one.name);
            }
        }
    }
}

#[test]
fn grafana_finds_the_dashboard_as_it_stands() {
    let all = Kubectl::render_all().iter();
    for rendered in all.filter(|one| one.name.ends_with("shared")) {
        let map = rendered.only("ConfigMap", "kawal-dashboard");
        assert_eq!(map["metadata"]["labels"]["grafana_dashboard"], "1");
        let shown = rendered.file("kawal-dashboard", "dashboard.json");
        assert_eq!(shown, text("dashboard.json"));
        // Beyond that `kubectl apply` refuses it: it keeps a copy in an annotation.
        assert!(shown.len() < 200_000);
    }
}

fn text(file: &str) -> String {
    let folder = tests_folder().parent().unwrap().join(FOLDER);
    fs::read_to_string(folder.join(file)).unwrap()
}
