//! A folder of configuration and secrets as a kubelet mounts it: each name leads through `..data`, which leads to
//! the folder of one generation, and a change is another generation and one swap of that link.
//! Source: <https://pkg.go.dev/k8s.io/kubernetes/pkg/volume/util#AtomicWriter>

use std::cell::Cell;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::Config;
use super::config::Folder;

/// A mounted folder.
pub struct Volume {
    root: PathBuf,
    generation: Cell<u32>,
    /// Goes away with its last owner.
    _folder: Arc<Folder>,
}

impl Volume {
    /// Makes a volume of the folder of this configuration, with all that lies in it so far.
    pub fn of(config: &Config) -> Self {
        config.write();
        Self::at(config, config.folder.path().to_owned())
    }

    /// A volume beside this configuration, with these files.
    pub fn beside(config: &Config, name: &str, files: &[(&str, &str)]) -> Self {
        let root = config.folder.path().join(name);
        fs::create_dir(&root).unwrap();
        for (name, content) in files {
            fs::write(root.join(name), content).unwrap();
        }
        Self::at(config, root)
    }

    fn at(config: &Config, root: PathBuf) -> Self {
        let volume = Self {
            root,
            generation: Cell::new(1),
            _folder: Arc::clone(&config.folder),
        };
        let first = volume.generation_folder();
        let names = volume.names();
        fs::create_dir(&first).unwrap();
        for name in &names {
            fs::rename(volume.path(name), first.join(name)).unwrap();
        }
        symlink(first.file_name().unwrap(), volume.path("..data")).unwrap();
        for name in &names {
            symlink(Path::new("..data").join(name), volume.path(name)).unwrap();
        }
        volume
    }

    /// The next generation: the same but for these files. The one before is gone.
    pub fn swap(&self, changed: &[(&str, &str)]) {
        let before = self.generation_folder();
        self.generation.set(self.generation.get() + 1);
        let next = self.generation_folder();
        fs::create_dir(&next).unwrap();
        for name in self.names() {
            fs::copy(before.join(&name), next.join(&name)).unwrap();
        }
        for (name, content) in changed {
            fs::write(next.join(name), content).unwrap();
        }
        let beside = self.path("..data_tmp");
        symlink(next.file_name().unwrap(), &beside).unwrap();
        fs::rename(beside, self.path("..data")).unwrap();
        fs::remove_dir_all(before).unwrap();
    }

    /// Where a process finds this file.
    pub fn path(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    fn generation_folder(&self) -> PathBuf {
        let number = self.generation.get();
        self.path(&format!("..2026_01_31_02_00_00.{number:09}"))
    }

    /// What a process sees in the volume.
    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.root).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.filter(|name| !name.starts_with("..")).collect()
    }
}
