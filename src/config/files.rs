//! Which files a configuration was made of, and whether they are still the same.

use crate::secret::Reference;
use sha2::{Digest as _, Sha256};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;
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
    /// The same files as they are now.
    #[must_use]
    pub fn look_again(&self) -> Self {
        let read = |path: &PathBuf| {
            (
                path.clone(),
                std::fs::read(path).ok().as_deref().map(digest),
            )
        };
        Self {
            configuration: self.configuration.clone(),
            contents: self.contents.keys().map(read).collect(),
        }
    }

    /// Whether what was read here is what was read there: files that only one of them knows tell nothing.
    #[must_use]
    pub fn agree_with(&self, other: &Self) -> bool {
        let mut both = self
            .contents
            .iter()
            .filter_map(|(path, content)| Some((content, other.contents.get(path)?)));
        both.all(|(content, others)| content == others)
    }

    /// Whether the configuration itself is the same, and only files that it names differ.
    #[must_use]
    pub fn has_same_configuration(&self, other: &Self) -> bool {
        let of = |files: &Self| files.contents.get(&self.configuration).copied().flatten();
        of(self) == of(other)
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
    seen: RefCell<Files>,
}

impl Reader {
    /// For this configuration; relative paths start in its folder.
    pub(super) fn new(configuration: &Path) -> Self {
        Self {
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
    pub(super) fn text(&self) -> std::io::Result<String> {
        let path = self.seen.borrow().configuration.clone();
        let bytes = std::fs::read(&path);
        self.saw(path, bytes.as_deref().ok());
        String::from_utf8(bytes?).map_err(|_| std::io::Error::other("it is not UTF-8"))
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
        reference.load(&self.base, |bytes| {
            if let Some(path) = path {
                self.saw(path, Some(&bytes));
            }
            parse(bytes)
        })
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
