//! A real browser without a window: Chromium, told what to do over WebDriver, which is HTTP and JSON.

use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::config::Folder;
use super::hashes::unbase64;
use super::{PATIENCE, Request};

/// A browser with one page. Dropping it kills it.
pub struct Browser {
    driver: SocketAddr,
    session: String,
    /// Dropped last: the other fields need what runs.
    _process: Process,
}

/// The driver with the browser, which is in its process group, and who ends them when this process
/// ends, however it does.
struct Process {
    driver: Child,
    watchdog: Child,
    folder: Folder,
}

impl Browser {
    pub fn start() -> Self {
        let (process, driver) = Process::start();
        let profile = process.folder.path().join("profile");
        let wanted = json!({"capabilities": {"alwaysMatch": {
            "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"},
            "goog:chromeOptions": {"args": [
                "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                "--disable-quic", "--no-first-run", "--disable-background-networking",
                "--disable-component-update", "--disable-sync", "--no-proxy-server",
                "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
                format!("--user-data-dir={}", profile.display()),
            ]},
        }}});
        let begun = ask(driver, "/session", &wanted);
        Self {
            driver,
            session: begun["sessionId"].as_str().unwrap().to_owned(),
            _process: process,
        }
    }

    /// Opens a page, and waits until it is loaded.
    pub fn open(&self, url: &str) {
        self.command("url", &json!({"url": url}));
    }

    /// What a function with this body returns in the page.
    #[track_caller]
    pub fn run(&self, body: &str) -> Value {
        self.run_with(body, json!([]))
    }

    /// The same; the body finds these under `arguments`.
    #[track_caller]
    pub fn run_with(&self, body: &str, arguments: Value) -> Value {
        let script = json!({"script": body, "args": arguments});
        self.command("execute/sync", &script)
    }

    /// Waits until an expression is true in the page.
    #[track_caller]
    pub fn wait(&self, expression: &str) {
        let body = format!("return Boolean({expression})");
        let end = Instant::now() + PATIENCE;
        while self.run(&body) != true {
            let text = self.text("body");
            assert!(
                Instant::now() < end,
                "not yet: {expression}; it shows {text}"
            );
            thread::sleep(Duration::from_millis(50));
        }
    }

    /// What a reader sees of an element.
    #[track_caller]
    pub fn text(&self, selector: &str) -> String {
        let body = "return document.querySelector(arguments[0]).innerText";
        let text = self.run_with(body, json!([selector]));
        text.as_str().unwrap().to_owned()
    }

    /// What a reader sees of each such element.
    #[track_caller]
    pub fn texts(&self, selector: &str) -> Vec<String> {
        let body = "return [...document.querySelectorAll(arguments[0])].map(e => e.innerText)";
        serde_json::from_value(self.run_with(body, json!([selector]))).unwrap()
    }

    /// A command of the browser's own tools (Chrome DevTools Protocol).
    #[track_caller]
    pub fn tool(&self, command: &str, params: Value) -> Value {
        let command = json!({"cmd": command, "params": params});
        self.command("goog/cdp/execute", &command)
    }

    pub fn resize(&self, width: u32, height: u32) {
        let size =
            json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false});
        self.tool("Emulation.setDeviceMetricsOverride", size);
    }

    /// As on a machine whose user likes `light` or `dark`.
    pub fn prefer(&self, scheme: &str) {
        let feature = json!([{"name": "prefers-color-scheme", "value": scheme}]);
        self.tool("Emulation.setEmulatedMedia", json!({"features": feature}));
    }

    /// The top of the page as PNG.
    pub fn picture(&self, width: u32, height: u32) -> Vec<u8> {
        let clip = json!({"x": 0, "y": 0, "width": width, "height": height, "scale": 1});
        let wanted = json!({"format": "png", "clip": clip});
        let taken = self.tool("Page.captureScreenshot", wanted);
        unbase64(taken["data"].as_str().unwrap())
    }

    /// What the console has said since it was last asked: errors, and whatever the policy forbade.
    pub fn complaints(&self) -> Vec<String> {
        let lines = self.log("browser");
        lines
            .iter()
            .map(|line| line["message"].to_string())
            .collect()
    }

    /// Every address that was asked for since this was last called.
    pub fn visited(&self) -> Vec<String> {
        let lines = self.log("performance");
        let events = lines.iter().map(|line| {
            let text = line["message"].as_str().unwrap();
            serde_json::from_str::<Value>(text).unwrap()["message"].take()
        });
        let of_page = |event: &Value| {
            // The browser's own first page is no part of it.
            let own = event["params"]["documentURL"]
                .to_string()
                .starts_with("\"chrome:");
            event["method"] == "Network.requestWillBeSent" && !own
        };
        let address = |event: Value| event["params"]["request"]["url"].clone();
        let found = events.filter(of_page).map(address).collect();
        serde_json::from_value(found).unwrap()
    }

    fn log(&self, kind: &str) -> Vec<Value> {
        let lines = self.command("se/log", &json!({"type": kind}));
        lines.as_array().unwrap().clone()
    }

    #[track_caller]
    fn command(&self, name: &str, params: &Value) -> Value {
        let path = format!("/session/{}/{name}", self.session);
        ask(self.driver, &path, params)
    }
}

#[track_caller]
fn ask(driver: SocketAddr, path: &str, params: &Value) -> Value {
    let request = Request::post(path, params.to_string())
        // The driver talks to nobody who came by another name.
        .replace("Host", driver.to_string())
        .header("Content-Type", "application/json");
    let answer = request.send(driver);
    assert_eq!(answer.status, 200, "{path} {params}: {}", answer.text());
    answer.json()["value"].take()
}

impl Process {
    fn start() -> (Self, SocketAddr) {
        let end = Instant::now() + PATIENCE;
        loop {
            let mut process = Self::spawn();
            match process.address() {
                Ok(address) => return (process, address),
                // It takes a free port for IPv6 first; for IPv4 somebody else may have it.
                Err(log) if log.contains("port not available") && Instant::now() < end => {}
                Err(log) => panic!("chromedriver did not start: {log}"),
            }
        }
    }

    fn spawn() -> Self {
        let folder = Folder::new();
        let home = folder.path();
        let log = File::create(home.join("log")).unwrap();
        let driver = Command::new("chromedriver")
            .arg("--port=0")
            .envs(["HOME", "TMPDIR", "XDG_CONFIG_HOME", "XDG_CACHE_HOME"].map(|name| (name, home)))
            .stdin(Stdio::null())
            .stderr(log.try_clone().unwrap())
            .stdout(log)
            .process_group(0)
            .spawn()
            .expect("chromedriver, which `tests/tools/install-missing.sh browser` installs");
        let watchdog = Command::new("sh")
            .args(["-c", r#"read -r _; kill -s KILL -- "-$0"; rm -rf "$1""#])
            .arg(driver.id().to_string())
            .arg(home)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Self {
            driver,
            watchdog,
            folder,
        }
    }

    /// Where it says that it listens, or what it said instead.
    fn address(&mut self) -> Result<SocketAddr, String> {
        let log = self.folder.path().join("log");
        let end = Instant::now() + PATIENCE;
        loop {
            let ended = self.driver.try_wait().unwrap().is_some();
            let printed = fs::read_to_string(&log).unwrap();
            let port = printed.split_once("successfully on port ");
            let port = port.and_then(|(_, rest)| rest.split_once('.'));
            if let Some((port, _)) = port {
                return Ok((Ipv4Addr::LOCALHOST, port.parse().unwrap()).into());
            }
            if ended || Instant::now() > end {
                return Err(printed);
            }
            thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It wakes when its input ends, as it does when this process is killed.
        drop(self.watchdog.stdin.take());
        let _ = self.watchdog.wait();
        let _ = self.driver.wait();
    }
}
