//! Which files a configuration was made of, and whether they are still the same.

use crate::secret::{Reference, unreadable};
use sha2::{Digest as _, Sha256};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

/// The content of files at one time. Contents are compared, never modification times or inodes: Kubernetes
/// swaps a link to another folder. Source:
/// <https://kubernetes.io/docs/concepts/configuration/secret/#using-secrets-as-files-from-a-pod>
#[derive(Clone, PartialEq, Eq)]
pub struct Files {
    configuration: PathBuf,
    contents: BTreeMap<PathBuf, Content>,
}

/// A digest; `None` where the file cannot be read.
type Content = Option<[u8; 32]>;

impl Files {
    /// The same files as they are now. What is no regular file, such as a pipe, can be read once only, and
    /// counts as unchanged.
    #[must_use]
    pub fn look_again(&self) -> Self {
        let read = |(path, before): (&PathBuf, &Content)| {
            let content = match std::fs::metadata(path) {
                Ok(found) if !found.is_file() => *before,
                Ok(_) => read(path).ok().as_deref().map(digest),
                Err(_) => None,
            };
            (path.clone(), content)
        };
        Self {
            configuration: self.configuration.clone(),
            contents: self.contents.iter().map(read).collect(),
        }
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> u32 {
        u32::try_from(self.contents.len()).unwrap_or(u32::MAX)
    }

    /// Whether the configuration itself is the same, and only files that it names differ.
    #[must_use]
    pub fn has_same_configuration(&self, other: &Self) -> bool {
        let of = |files: &Self| files.contents.get(&self.configuration).copied().flatten();
        of(self) == of(other)
    }
}

/// No configuration and no key is larger, in bytes.
const LARGEST: u64 = 16 * 1024 * 1024;

fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?
        .take(LARGEST + 1)
        .read_to_end(&mut bytes)?;
    match u64::try_from(bytes.len()) {
        Ok(length) if length <= LARGEST => Ok(bytes),
        _ => Err(io::Error::other("it is larger than 16 MiB")),
    }
}

/// What secrets hold is not even told as a digest.
impl fmt::Debug for Files {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.contents.keys()).finish()
    }
}

/// Reads files for a configuration, and remembers what it read.
#[derive(Debug)]
pub(super) struct Reader {
    base: PathBuf,
    is_again: bool,
    seen: RefCell<Files>,
}

impl Reader {
    /// For this configuration; relative paths start in its folder. Where it is read again, only regular files
    /// are: to read a pipe could take for ever.
    pub(super) fn new(configuration: &Path, is_again: bool) -> Self {
        Self {
            is_again,
            base: configuration.parent().unwrap_or(Path::new("")).to_owned(),
            seen: RefCell::new(Files {
                configuration: configuration.to_owned(),
                contents: BTreeMap::new(),
            }),
        }
    }

    /// Where relative paths start.
    pub(super) fn base(&self) -> &Path {
        &self.base
    }

    /// The configuration's own text.
    ///
    /// # Errors
    /// A sentence on why it cannot be read.
    pub(super) fn text(&self) -> Result<String, String> {
        let path = self.seen.borrow().configuration.clone();
        let bytes = self.read(&path);
        let bytes = bytes.map_err(|error| unreadable(&path, &error));
        self.saw(path, bytes.as_deref().ok());
        String::from_utf8(bytes?).map_err(|_| "it is not UTF-8".to_owned())
    }

    /// Reads what a reference names.
    ///
    /// # Errors
    /// Those of [`Reference::load`].
    pub(super) fn load<K>(
        &self,
        reference: &Reference,
        parse: impl FnOnce(Vec<u8>) -> Result<K, String>,
    ) -> Result<K, String> {
        let path = match reference {
            Reference::File(path) => Some(self.base.join(path)),
            Reference::Env(_) => None,
        };
        if let Some(path) = &path {
            self.saw(path.clone(), None);
        }
        let parse = |bytes: Vec<u8>| {
            if let Some(path) = path {
                self.saw(path, Some(&bytes));
            }
            parse(bytes)
        };
        reference.load_by(&self.base, |path| self.read(path), parse)
    }

    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        if self.is_again && !std::fs::metadata(path)?.is_file() {
            return Err(io::Error::other("it is no regular file"));
        }
        read(path)
    }

    pub(super) fn into_files(self) -> Files {
        self.seen.into_inner()
    }

    fn saw(&self, path: PathBuf, bytes: Option<&[u8]>) {
        let content = bytes.map(digest);
        self.seen.borrow_mut().contents.insert(path, content);
    }
}

fn digest(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}
