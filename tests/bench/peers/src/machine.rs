//! Where and with what was measured.

use std::fs;
use std::process::Command;

use rustix::process::{Resource, getrlimit, setrlimit};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
use serde::{Deserialize, Serialize};

use crate::Fallible;
use crate::words::Words;

/// What a figure means nothing without.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Machine {
    pub(crate) date: String,
    pub(crate) cpu: String,
    pub(crate) kernel: String,
    /// Names and versions.
    pub(crate) programs: Vec<(String, String)>,
}

impl Machine {
    /// All of it in words.
    pub(crate) fn sentence(&self) -> String {
        let programs = self.programs.iter();
        let programs: Vec<_> = programs
            .map(|(name, version)| format!("{name} {version}"))
            .collect();
        format!(
            "{}: two cores of {}, Linux {}; {}",
            self.date,
            self.cpu,
            self.kernel,
            programs.join(", ")
        )
    }

    pub(crate) fn look(words: &Words) -> Fallible<Self> {
        let info = fs::read_to_string("/proc/cpuinfo")?;
        let model = info.lines().find(|line| line.starts_with("model name"));
        let model = model.and_then(|line| line.split(':').nth(1)).unwrap_or("?");
        let kernel = fs::read_to_string("/proc/sys/kernel/osrelease")?;
        let mut programs = Vec::new();
        for binary in &words.binaries {
            let path = binary.path.display().to_string();
            let name = format!("Kawal {}", binary.label);
            programs.push((name.trim().to_owned(), version(&path, "--version")));
        }
        programs.push(("HAProxy".to_owned(), version("haproxy", "-v")));
        programs.push(("nginx".to_owned(), version("nginx", "-v")));
        programs.push(("njs".to_owned(), njs()));
        programs.push(("wrk".to_owned(), version("wrk", "-v")));
        programs.push(("Redis".to_owned(), version("redis-server", "--version")));
        Ok(Self {
            date: jiff::Timestamp::now().strftime("%Y-%m-%d").to_string(),
            cpu: model.trim().to_owned(),
            kernel: kernel.trim().to_owned(),
            programs,
        })
    }
}

/// Everything that is started from here on shares two cores, however many there are.
pub(crate) fn keep_to_two_cores() -> Fallible<()> {
    let allowed = sched_getaffinity(None)?;
    let mut two = CpuSet::new();
    let mut count = 0;
    for core in (0..CpuSet::MAX_CPU)
        .filter(|core| allowed.is_set(*core))
        .take(2)
    {
        two.set(core);
        count += 1;
    }
    if count < 2 {
        return Err("two cores are needed".into());
    }
    Ok(sched_setaffinity(None, &two)?)
}

/// Of files and sockets as many as the system lets us have, for us and for all that is started.
pub(crate) fn open_many() -> Fallible<()> {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    Ok(setrlimit(Resource::Nofile, limit)?)
}

/// The first word with a dot between digits of what a program says of itself.
fn version(program: &str, option: &str) -> String {
    let Ok(output) = Command::new(program).arg(option).output() else {
        return "missing".to_owned();
    };
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    let words = said.split([' ', '/', '\n', '=']);
    let mut numbers = words.map(|word| word.trim_start_matches('v'));
    let is_one =
        |word: &&str| word.contains('.') && word.starts_with(|first: char| first.is_ascii_digit());
    numbers.find(is_one).unwrap_or("?").to_owned()
}

/// The module cannot be asked; its package can.
fn njs() -> String {
    let mut command = Command::new("dpkg-query");
    let output = command.args(["-W", "-f", "${Version}", "libnginx-mod-http-js"]);
    match output.output() {
        Ok(output) if output.status.success() => {
            String::from_utf8_lossy(&output.stdout).into_owned()
        }
        _ => "?".to_owned(),
    }
}
