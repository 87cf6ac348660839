//! The images that pods are made of: each holds static binaries, or what one of this machine needs.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::podman::Podman;
use super::promtool::in_path;

impl Podman {
    /// Makes the image that is shipped, but for what it is compiled with: the binary is there.
    pub(super) fn build_kawal(&self) {
        let compiled = self.place("kawal");
        let context = format!("build={}", compiled.display());
        let version = format!("VERSION={}", env!("CARGO_PKG_VERSION"));
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("k8s/Containerfile");
        let file = file.to_str().unwrap();
        self.build(
            "kawal",
            &[
                "--build-context",
                &context,
                "--build-arg",
                &version,
                "-f",
                file,
            ],
            &compiled,
        );
    }

    pub(super) fn build_app(&self) {
        let place = self.place("app");
        let lines = "FROM scratch\nCOPY app /app\nUSER 10001:10001\nENTRYPOINT [\"/app\"]\n";
        fs::write(place.join("Containerfile"), lines).unwrap();
        self.build("app", &[], &place);
    }

    /// A folder that holds nothing but this static binary of `target/image`.
    fn place(&self, binary: &str) -> PathBuf {
        let built = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/image");
        let built = built.join(binary);
        let place = self.folder().join(format!("image-{binary}"));
        fs::create_dir_all(&place).unwrap();
        let copied = fs::copy(&built, place.join(binary));
        let file = built.display();
        assert!(copied.is_ok(), "{file} is missing: `make test` builds it");
        place
    }

    fn build(&self, image: &str, how: &[&str], folder: &Path) {
        let (tag, folder) = (self.image(image), folder.to_str().unwrap());
        self.run(&[&["build", "--quiet", "--tag", &tag], how, &[folder]].concat());
    }

    /// Makes an image of the Redis of this machine, which stands for Valkey: of its program, and of the
    /// libraries that this needs.
    pub(super) fn build_store(&self) {
        let program = in_path("redis-server").expect("`make test` installs redis-server");
        let listed = Command::new("ldd").arg(&program).output().unwrap();
        let listed = String::from_utf8(listed.stdout).unwrap();
        let place = self.folder().join("image-store");
        let copy = |from: &str, to: &str| {
            let to = place.join(to.trim_start_matches('/'));
            fs::create_dir_all(to.parent().unwrap()).unwrap();
            fs::copy(from, to).unwrap();
        };
        for library in listed
            .split_whitespace()
            .filter(|word| word.starts_with('/'))
        {
            copy(library, library);
        }
        copy(program.to_str().unwrap(), "/usr/bin/valkey-server");
        let lines = "FROM scratch\nCOPY . /\n";
        fs::write(place.join("Containerfile"), lines).unwrap();
        self.build("store", &[], &place);
    }
}
