//! The commands as they are typed: what they print, and the exit code that scripts rely on.

use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::harness::kawal::command;
use crate::harness::*;

const BUILT_IN: [&str; 19] = [
    "adyen",
    "doku",
    "doku-qris",
    "duitku",
    "durianpay-snap",
    "faspay",
    "github",
    "midtrans",
    "nicepay-snap",
    "pivot",
    "razorpay",
    "snap",
    "snap-asymmetric",
    "standard-webhooks",
    "standard-webhooks-asymmetric",
    "stripe",
    "svix",
    "tripay",
    "xendit",
];

#[test]
fn help_lists_the_commands() {
    let exit = kawal(&["--help"]);
    assert_eq!(exit.code, Some(0), "{exit:?}");
    for word in [
        "serve",
        "check",
        "demo",
        "schemes",
        "sign",
        "send",
        "verify",
        "healthcheck",
        "drain",
    ] {
        let listed = |line: &str| line.split_whitespace().next() == Some(word);
        assert!(exit.stdout.lines().any(listed), "{word}: {}", exit.stdout);
        let own = kawal(&[word, "--help"]);
        assert_eq!(own.code, Some(0), "{word}: {own:?}");
        assert!(!own.stdout.is_empty(), "{word}");
    }
}

#[test]
fn the_version_is_the_packages() {
    let exit = kawal(&["--version"]);
    assert_eq!(exit.code, Some(0), "{exit:?}");
    assert!(exit.stdout.contains(env!("CARGO_PKG_VERSION")), "{exit:?}");
}

#[test]
fn wrong_usage_has_an_exit_code_of_its_own() {
    let wrong: [&[&str]; 6] = [
        &[],
        &["server"],
        &["--nope"],
        &["check", "--nope"],
        &["check", "--config"],
        &["healthcheck", "--url", "http://127.0.0.1:1/readyz", "twice"],
    ];
    for words in wrong {
        let exit = kawal(words);
        assert_eq!(exit.code, Some(64), "{words:?}: {exit:?}");
        assert!(!exit.stderr.is_empty(), "{words:?} says nothing");
    }
}

#[test]
fn the_built_in_schemes_are_listed_and_printed_as_yaml() {
    let exit = kawal(&["schemes"]);
    assert_eq!(exit.code, Some(0), "{exit:?}");
    for name in BUILT_IN {
        let listed = |line: &str| line.split_whitespace().next() == Some(name);
        assert!(exit.stdout.lines().any(listed), "{name}: {}", exit.stdout);
        let printed = kawal(&["schemes", name]);
        assert_eq!(printed.code, Some(0), "{name}: {printed:?}");
        let yaml: serde_yaml::Value = serde_yaml::from_str(&printed.stdout).unwrap();
        let declared = yaml.as_mapping().map_or(0, serde_yaml::Mapping::len);
        assert!(declared > 0, "{name}: {}", printed.stdout);
    }
}

#[test]
fn an_unknown_scheme_is_answered_with_the_known_ones() {
    let exit = kawal(&["schemes", "nope"]);
    assert!(matches!(exit.code, Some(1 | 64)), "{exit:?}");
    assert!(exit.stdout.is_empty(), "{exit:?}");
    assert!(exit.stderr.starts_with("kawal: "), "{exit:?}");
    for name in BUILT_IN {
        assert!(exit.stderr.contains(name), "{exit:?}");
    }
}

#[test]
fn the_health_check_says_yes_or_no() {
    let app = App::start();
    let running = Kawal::start(Config::new(&app));
    let check = |path: &str| {
        let url = format!("http://{}{path}", running.admin_addr());
        kawal(&["healthcheck", "--url", &url])
    };
    assert_eq!(check("/readyz").code, Some(0));
    assert_eq!(check("/livez").code, Some(0));
    let no = check("/elsewhere");
    assert_eq!(no.code, Some(1), "{no:?}");
    assert!(no.stderr.starts_with("kawal: "), "{no:?}");

    let nobody = format!("{}/readyz", Vacant::new().url());
    let no = kawal(&["healthcheck", "--url", &nobody]);
    assert_eq!(no.code, Some(1), "{no:?}");
    assert!(no.stderr.starts_with("kawal: "), "{no:?}");
}

#[test]
fn the_health_check_says_no_during_the_drain() {
    let app = App::answering(Reply::ok().held());
    let mut running = Kawal::start(Config::new(&app));
    let mut busy = Connection::open(running.addr());
    busy.write(&doku("in flight").bytes()).unwrap();
    app.wait_for(1);
    running.signal_term();
    let url = format!("http://{}/readyz", running.admin_addr());
    let end = Instant::now() + PATIENCE;
    while kawal(&["healthcheck", "--url", &url]).code == Some(0) {
        assert!(Instant::now() < end, "still ready");
    }
    assert!(running.runs());
    app.release();
    assert_eq!(running.wait_exit().code(), Some(0));
}

#[test]
fn the_demo_shows_every_verdict() {
    let exit = kawal(&["demo"]);
    assert_eq!(exit.code, Some(0), "{exit:?}");
    let table = exit.stdout.to_lowercase();
    for gateway in BUILT_IN {
        let rows: Vec<_> = table
            .lines()
            .filter(|line| line.split([' ', '|', '│']).any(|word| word == gateway))
            .collect();
        let shown = |case: &str, verdict: &str| {
            let row = |line: &&&str| line.contains(case) && line.contains(verdict);
            assert!(
                rows.iter().any(|line| row(&line)),
                "{gateway}, {case}, {verdict}:\n{table}"
            );
        };
        shown("genuine", "delivered");
        shown("forged", "401");
        shown("repeated", "stored");
        let timeless = [
            "adyen", "duitku", "faspay", "github", "midtrans", "pivot", "razorpay", "tripay",
            "xendit",
        ];
        if !timeless.contains(&gateway) {
            shown("too late", "401");
            // Its body is not signed, so nothing late passes.
            if gateway != "nicepay-snap" {
                shown("late", "delivered");
            }
        }
    }
    assert!(table.contains("json"), "QRIS arrives as JSON:\n{table}");
    let asked = table.lines().find(|line| line.contains("token request"));
    assert!(
        asked.unwrap().contains("token given, app untouched"),
        "{table}"
    );
}

#[test]
fn what_the_demo_prints_to_try_works_as_printed() {
    let demo = command()
        .args(["demo", "--keep"])
        .stdout(Stdio::piped())
        .spawn();
    let mut demo = Child(demo.unwrap());
    let lines = BufReader::new(demo.0.stdout.take().unwrap()).lines();
    let mut lines = lines.map_while(Result::ok);
    let page = lines.find(|line| line.ends_with("/status")).unwrap();
    let (_, at) = page.split_once("http://").unwrap();
    let (admin, path) = at.split_once('/').unwrap();
    let shown = Request::new("GET", &format!("/{path}")).send(admin.parse().unwrap());
    assert_eq!(shown.status, 200, "{page}");
    let lines = lines.filter(|line| line.contains("curl "));
    let mut tried = 0;
    for line in lines.take(BUILT_IN.len()) {
        // URL, headers and body stand between single quotes, which none of them holds.
        let quoted: Vec<_> = line.split('\'').skip(1).step_by(2).collect();
        let (url, rest) = quoted.split_first().unwrap();
        let (body, headers) = rest.split_last().unwrap();
        let (address, target) = url["http://".len()..].split_once('/').unwrap();
        let mut request = Request::post(&format!("/{target}"), body);
        for header in headers {
            let (name, value) = header.split_once(": ").unwrap();
            request = request.header(name, value);
        }
        let answer = request.send(address.parse().unwrap());
        assert_eq!(answer.status, 200, "{line}: {answer:?}");
        tried += 1;
    }
    assert_eq!(tried, BUILT_IN.len());
    let asked = Command::new("kill")
        .args(["-s", "INT", &demo.0.id().to_string()])
        .status();
    assert!(asked.unwrap().success());
    assert_eq!(demo.0.wait().unwrap().code(), Some(0));
}

/// Ends with the test.
struct Child(std::process::Child);

impl Drop for Child {
    fn drop(&mut self) {
        let _ = self.0.kill();
    }
}

/// Runs the binary with these words, away from any configuration.
pub fn kawal(words: &[&str]) -> Exit {
    let away = config::Folder::new();
    run(command().args(words).current_dir(away.path()))
}

/// Runs to the end, or fails: a command that should have refused may serve instead.
pub fn run(command: &mut Command) -> Exit {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let out = collect(child.stdout.take().unwrap());
    let err = collect(child.stderr.take().unwrap());
    let end = Instant::now() + PATIENCE;
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        if Instant::now() > end {
            child.kill().unwrap();
            child.wait().unwrap();
            panic!("it does not end: {}", out.join().unwrap());
        }
        thread::sleep(Duration::from_millis(2));
    };
    Exit {
        code: status.code(),
        stdout: out.join().unwrap(),
        stderr: err.join().unwrap(),
    }
}

fn collect(mut pipe: impl Read + Send + 'static) -> thread::JoinHandle<String> {
    thread::spawn(move || {
        let mut text = String::new();
        pipe.read_to_string(&mut text).unwrap();
        text
    })
}
