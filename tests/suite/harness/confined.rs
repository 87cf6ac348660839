//! What the kernel says of a container's process: seen from the host, not asked of anybody inside.

use std::fs;
use std::path::{Path, PathBuf};

use super::container::Container;

impl Container {
    /// A line of its status, without the name. Source: `man 5 proc_pid_status`
    pub fn status(&self, name: &str) -> String {
        let text = fs::read_to_string(self.proc("status")).unwrap();
        let line = text.lines().find_map(|line| line.strip_prefix(name));
        let words = line.unwrap_or_else(|| panic!("no {name} in {text}"));
        words.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// Where something is mounted that it may write to. Source: `man 5 proc_pid_mountinfo`
    pub fn writable_mounts(&self) -> Vec<String> {
        let text = fs::read_to_string(self.proc("mountinfo")).unwrap();
        let mounts = text.lines().map(|line| {
            let words: Vec<_> = line.split(' ').collect();
            (words[4].to_owned(), words[5].to_owned())
        });
        let all: Vec<_> = mounts.collect();
        assert!(all.iter().any(|(place, _)| place == "/"), "{text}");
        let writable = all.into_iter().filter(|(_, how)| how.starts_with("rw"));
        writable.map(|(place, _)| place).collect()
    }

    /// One of its files, as the host reaches it.
    pub fn file(&self, path: &str) -> PathBuf {
        self.proc("root").join(path.trim_start_matches('/'))
    }

    /// A namespace of it, by kind.
    pub fn namespace(&self, kind: &str) -> PathBuf {
        fs::read_link(self.proc("ns").join(kind)).unwrap()
    }

    /// A number of its memory's control group, in either version: (`limit_in_bytes`, `max`).
    pub fn memory(&self, names: (&str, &str)) -> u64 {
        let groups = self.file("/sys/fs/cgroup");
        let first = groups.join(format!("memory/memory.{}", names.0));
        let file = match first.exists() {
            true => first,
            false => groups.join(format!("memory.{}", names.1)),
        };
        let text = fs::read_to_string(&file).unwrap();
        // A number, or lines of a name and a number: then the one of kills.
        let kills = text.lines().find_map(|line| line.strip_prefix("oom_kill "));
        kills.unwrap_or(&text).trim().parse().unwrap()
    }

    /// The most memory that it ever held, in bytes.
    pub fn most_resident(&self) -> u64 {
        let kib = self.status("VmHWM:");
        kib.trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
    }

    fn proc(&self, file: &str) -> PathBuf {
        Path::new("/proc").join(self.pid().to_string()).join(file)
    }
}
