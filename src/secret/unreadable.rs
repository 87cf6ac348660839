//! Why a file cannot be read, for whoever has nothing but the log and cannot look.

use std::io::{self, ErrorKind};
use std::path::Path;

/// The error, and what there is instead of the file.
#[must_use]
pub fn unreadable(path: &Path, error: &io::Error) -> String {
    let folder = match path.parent() {
        Some(parent) if parent.as_os_str().is_empty() => Path::new("."),
        Some(parent) => parent,
        None => Path::new("/"),
    };
    if error.kind() == ErrorKind::PermissionDenied {
        let user = rustix::process::geteuid().as_raw();
        let group = rustix::process::getegid().as_raw();
        return format!("{error}; it is read by user {user} of group {group}");
    }
    if error.kind() != ErrorKind::NotFound {
        return error.to_string();
    }
    let place = folder.display();
    match names(folder).as_deref() {
        Err(_) if !folder.exists() => format!("{error}; there is no folder {place}"),
        Err(_) => error.to_string(),
        Ok([]) => format!("{error}; the folder {place} is empty"),
        Ok(names) => {
            let shown = names.iter().take(MOST).cloned().collect::<Vec<_>>();
            let more = if names.len() > MOST { ", ..." } else { "" };
            format!("{error}; {place} holds {}{more}", shown.join(", "))
        }
    }
}

/// How many names are told.
const MOST: usize = 5;

/// What is in a folder, but for what Kubernetes keeps there for itself.
fn names(folder: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if !name.starts_with("..") {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}
