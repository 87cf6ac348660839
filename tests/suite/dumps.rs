//! What the process has in memory stays there: no dump of it is written, and nobody looks into it.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::harness::kawal::command;
use crate::harness::{App, Config, Plain, doku};

/// Memory is full of secrets, and a dump of it lies where others look.
#[test]
fn there_is_no_core_dump() {
    let app = App::start();
    let config = Config::new(&app);
    let mut kawal = Plain::started(config, || {
        let mut shell = Command::new("sh");
        let script = "ulimit -c unlimited && exec \"$0\" \"$@\"";
        shell.args(["-c", script]).arg(command().get_program());
        shell
    });
    assert_eq!(kawal.send(&doku("{}")).status, 200);
    let limits = fs::read_to_string(format!("/proc/{}/limits", kawal.pid())).unwrap();
    let line = limits
        .lines()
        .find(|line| line.starts_with("Max core file size"));
    let words: Vec<_> = line.unwrap().split_whitespace().collect();
    assert_eq!(words[4..6], ["0", "0"], "{limits}");
    kawal.signal("ABRT");
    let status = kawal.wait_exit();
    assert!(
        !std::os::unix::process::ExitStatusExt::core_dumped(&status),
        "{status:?}"
    );
}

/// A pipe that takes dumps asks for no limit; and whoever runs as the same user could look into it.
#[test]
fn the_process_is_not_dumpable() {
    let app = App::start();
    let config = Config::new(&app);
    let folder = config.folder.path().to_owned();
    // Not root: its processes look the same either way.
    let stranger = owner(Path::new("/proc/self")) == 0;
    let binary = folder.join("kawal");
    fs::copy(command().get_program(), &binary).unwrap();
    let as_nobody = |program: &Path| {
        let mut command = Command::new(program);
        if stranger {
            std::os::unix::process::CommandExt::uid(&mut command, NOBODY);
        }
        command
    };
    let kawal = Plain::started(config, || as_nobody(&binary));
    let mut other = as_nobody(Path::new("sleep")).arg("60").spawn().unwrap();
    let seen = |pid: u32| owner(Path::new(&format!("/proc/{pid}/environ")));
    let (its, others) = (seen(kawal.pid()), seen(other.id()));
    let _ = other.kill();
    let _ = other.wait();
    assert_ne!(others, 0, "the check sees nothing");
    assert_eq!(its, 0, "its memory is readable for its user");
    assert_eq!(kawal.send(&doku("{}")).status, 200);
}

const NOBODY: u32 = 65_534;

fn owner(path: &Path) -> u32 {
    std::os::unix::fs::MetadataExt::uid(&fs::metadata(path).unwrap())
}
