//! Whoever only watches is told so: by `kawal check`, at the start, and by the metrics.

use serde_json::Value;

use crate::cli::run;
use crate::harness::kawal::command;
use crate::harness::*;

fn check(config: &Config) -> Exit {
    run(command()
        .args(["check", "--config"])
        .arg(config.write())
        .current_dir(config.folder.path()))
}

/// The lines that speak of a mode.
fn warned(exit: &Exit) -> Vec<String> {
    let output = exit.stdout.clone() + &exit.stderr;
    let lines = output
        .lines()
        .filter_map(|line| line.strip_prefix("warning: "));
    let lines = lines.filter(|line| line.contains("mode: observe"));
    lines.map(str::to_owned).collect()
}

#[test]
fn the_check_warns_of_each_gateway_that_is_only_watched() {
    let config = Config::to("http://127.0.0.1:3000");
    assert_eq!(warned(&check(&config)), [""; 0]);
    let enforced = config.clone().mode("doku", "enforce");
    assert_eq!(warned(&check(&enforced)), [""; 0]);

    let one = config.clone().mode("doku", "observe");
    let exit = check(&one);
    assert_eq!(exit.code, Some(0), "{exit:?}");
    let lines = warned(&exit);
    assert_eq!(lines.len(), 1, "{exit:?}");
    assert!(lines[0].starts_with("gateways.doku: mode: observe"));

    let lines = warned(&check(&config.observing()));
    assert_eq!(lines.len(), 3, "{lines:?}");
    for (line, name) in lines.iter().zip(["doku", "doku-qris", "pivot"]) {
        let start = format!("gateways.{name}: mode: observe");
        assert!(line.starts_with(&start), "{line}");
    }
}

#[test]
fn the_start_warns_of_each_gateway_that_is_only_watched() {
    let app = App::start();
    for (config, count) in [
        (Config::new(&app), 0),
        (Config::new(&app).mode("pivot", "observe"), 1),
        (Config::new(&app).observing(), 3),
    ] {
        let kawal = Kawal::start(config);
        let warns = |line: &&Value| {
            let said = line["warning"].as_str().unwrap_or_default();
            said.starts_with("gateways.") && said.contains("mode: observe")
        };
        let lines = kawal.log();
        let lines: Vec<_> = lines.iter().filter(warns).collect();
        assert_eq!(lines.len(), count, "{lines:?}");
        for line in lines {
            assert_eq!(line["level"], "warn", "{line}");
        }
    }
}

#[test]
fn every_gateway_has_a_gauge_that_tells_its_mode() {
    let app = App::start();
    let mut kawal = Kawal::start(Config::new(&app).mode("pivot", "observe"));
    let told = |kawal: &Kawal| {
        ["doku", "doku-qris", "pivot"].map(|name| {
            let label = format!("gateway=\"{name}\"");
            kawal.metric_with("kawal_observing", &label)
        })
    };
    assert_eq!(told(&kawal), [0.0, 0.0, 1.0]);
    kawal.switch("doku", "observe");
    assert_eq!(told(&kawal), [1.0, 0.0, 1.0]);
    kawal.switch("pivot", "enforce");
    assert_eq!(told(&kawal), [1.0, 0.0, 0.0]);
}

/// Where it is switched on in a running process, nobody would look at the start.
#[test]
fn a_change_to_watching_is_warned_of() {
    let app = App::start();
    let mut kawal = Kawal::start(Config::new(&app));
    kawal.switch("doku", "observe");
    kawal.wait_for_log(|line| {
        let said = line["warning"].as_str().unwrap_or_default();
        line["level"] == "warn" && said.starts_with("gateways.doku: mode: observe")
    });
}

/// A word that is none changes nothing in a running process.
#[test]
fn a_misspelt_mode_is_refused_and_the_old_one_holds() {
    let mut watch = Watch::new();
    let broken = watch.kawal.config.clone().mode("doku", "enforced");
    watch.kawal.take_over(broken);
    let refused = |line: &Value| line["message"] == "reload refused";
    let line = watch.kawal.wait_for_log(refused);
    let why = line["why"].as_str().unwrap();
    assert!(why.contains("gateways.doku.mode"), "{line}");
    let forged = doku("{}").body("{\"amount\":2}");
    watch.lets_through("forged", &forged, "bad_proof");
    watch.kawal.switch("doku", "enforce");
    assert_eq!(watch.keeps_from_the_app("forged", &forged).status, 401);
}
