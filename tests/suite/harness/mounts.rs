//! ConfigMaps and Secrets as the kubelet mounts them: files are links through `..data`, which is a
//! link itself, so that all of them change at once.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::path::{Path, PathBuf};

use super::template::Keys;

/// One volume in a folder of the host.
pub struct Mount {
    folder: PathBuf,
    mode: u32,
    group: Option<u32>,
}

impl Mount {
    /// A volume with these keys, for this mode and `fsGroup`. Without keys it is empty.
    pub fn new(folder: PathBuf, mode: u32, group: Option<u32>, keys: &Keys) -> Self {
        fs::create_dir_all(&folder).unwrap();
        let mount = Self {
            folder,
            mode,
            group,
        };
        if !keys.is_empty() {
            mount.write(keys);
        }
        mount.own(&mount.folder, 0o755);
        mount
    }

    pub fn path(&self) -> &Path {
        &self.folder
    }

    /// Writes all keys anew, and swaps the link. Source: kubernetes, pkg/volume/util/atomic_writer.go
    pub fn write(&self, keys: &Keys) {
        let stamp = format!("..{}", super::unique("2026_11_21"));
        let version = self.folder.join(&stamp);
        fs::create_dir(&version).unwrap();
        for (key, value) in keys {
            let file = version.join(key);
            fs::write(&file, value).unwrap();
            self.own(&file, self.mode);
        }
        self.own(&version, 0o755);
        let (link, fresh) = (self.folder.join("..data"), self.folder.join("..data_tmp"));
        let before = fs::read_link(&link).ok();
        symlink(&stamp, &fresh).unwrap();
        fs::rename(&fresh, &link).unwrap();
        for key in keys.keys() {
            // It is there since the first time.
            let _ = symlink(Path::new("..data").join(key), self.folder.join(key));
        }
        for entry in fs::read_dir(&self.folder).unwrap() {
            let entry = entry.unwrap();
            let is_gone = !entry.path().exists();
            if is_gone {
                fs::remove_file(entry.path()).unwrap();
            }
        }
        if let Some(before) = before {
            fs::remove_dir_all(self.folder.join(before)).unwrap();
        }
    }

    /// Files stay root's; `fsGroup` may read them. Source: kubernetes, pkg/volume/volume_linux.go
    fn own(&self, path: &Path, mode: u32) {
        let mut mode = mode;
        if self.group.is_some() {
            mode |= match path.is_dir() {
                true => 0o2550,
                false => 0o440,
            };
        }
        chown(path, Some(0), self.group).unwrap();
        fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    }
}
