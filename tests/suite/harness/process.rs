//! What a process takes of the machine.

use std::fs;

use super::Kawal;

impl Kawal {
    /// KiB of memory in use.
    pub fn resident_kib(&self) -> usize {
        self.status("VmRSS:")
    }

    /// KiB of it that hold no file's content: the code that was run so far does not count.
    pub fn anonymous_kib(&self) -> usize {
        self.status("RssAnon:")
    }

    pub fn threads(&self) -> usize {
        self.status("Threads:")
    }

    /// Open files and sockets.
    pub fn descriptors(&self) -> usize {
        let folder = format!("/proc/{}/fd", self.pid());
        fs::read_dir(folder).unwrap().count()
    }

    /// The number in a line of its status. Source: `man 5 proc_pid_status`
    fn status(&self, name: &str) -> usize {
        let file = format!("/proc/{}/status", self.pid());
        let text = fs::read_to_string(file).unwrap();
        let line = text.lines().find_map(|line| line.strip_prefix(name));
        let number = line.unwrap().split_whitespace().next().unwrap();
        number.parse().unwrap()
    }
}
