//! What a server has used so far: CPU time and memory of its processes, as the kernel counts them.

use std::fs;

use crate::Fallible;

/// CPU time since the start, in seconds.
#[derive(Clone, Copy, Default)]
pub(crate) struct Cpu {
    pub(crate) user: f64,
    pub(crate) system: f64,
}

/// Memory in bytes.
#[derive(Clone, Copy, Default)]
pub(crate) struct Memory {
    /// Resident now.
    pub(crate) resident: f64,
    /// Resident at most so far.
    pub(crate) most: f64,
}

/// Of a process and its children.
pub(crate) fn cpu(pid: u32) -> Fallible<Cpu> {
    let ticks = rustix::param::clock_ticks_per_second() as f64;
    let mut sum = Cpu::default();
    for member in family(pid)? {
        let stat = stat(member)?;
        sum.user += number(stat.get(11))? / ticks;
        sum.system += number(stat.get(12))? / ticks;
    }
    Ok(sum)
}

/// Of a process and its children. What is of files, mostly the program itself, is the same memory in
/// all of them, and counts once.
pub(crate) fn memory(pid: u32) -> Fallible<Memory> {
    let (mut own, mut shared, mut most) = (0.0, 0.0_f64, 0.0);
    for member in family(pid)? {
        let status = fs::read_to_string(format!("/proc/{member}/status"))?;
        let file = kibibytes(&status, "RssFile:")? + kibibytes(&status, "RssShmem:")?;
        own += kibibytes(&status, "RssAnon:")?;
        most += kibibytes(&status, "VmHWM:")? - file;
        shared = shared.max(file);
    }
    Ok(Memory {
        resident: (own + shared) * 1024.0,
        most: (most + shared) * 1024.0,
    })
}

/// The process and all whose parent it is.
fn family(pid: u32) -> Fallible<Vec<u32>> {
    let mut members = vec![pid];
    for entry in fs::read_dir("/proc")? {
        let name = entry?.file_name();
        let Some(other) = name.to_str().and_then(|name| name.parse::<u32>().ok()) else {
            continue;
        };
        // One that ended meanwhile is nobody's child.
        let parent = stat(other)
            .ok()
            .and_then(|stat| stat.get(1)?.parse::<u32>().ok());
        if parent == Some(pid) {
            members.push(other);
        }
    }
    Ok(members)
}

/// The fields of /proc/PID/stat behind the name, which may hold anything.
fn stat(pid: u32) -> Fallible<Vec<String>> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let (_, fields) = text.rsplit_once(')').ok_or("no name in /proc/PID/stat")?;
    Ok(fields.split_whitespace().map(str::to_owned).collect())
}

fn number(field: Option<&String>) -> Fallible<f64> {
    Ok(field
        .ok_or("a field is missing in /proc/PID/stat")?
        .parse()?)
}

fn kibibytes(status: &str, name: &str) -> Fallible<f64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    let value = line.and_then(|line| line.split_whitespace().next());
    Ok(value
        .ok_or_else(|| format!("no {name} in /proc/PID/status"))?
        .parse()?)
}
