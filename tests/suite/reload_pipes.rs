//! A pipe in the place of a file: whoever opens it waits until somebody writes, which nobody does.

use std::process::Command;

use crate::harness::broken::Broken;

#[test]
fn a_pipe_in_the_place_of_a_file_keeps_no_later_reload_from_happening() {
    let mut broken = Broken::new();
    for name in ["brn", "config.yaml"] {
        broken.remove(name);
        let made = Command::new("mkfifo").arg(broken.file(name)).status();
        assert!(made.unwrap().success());
        broken.is_told(name, &[name, "cannot be read|no file|pipe"]);
        broken.mend();
    }
    broken.kawal.serves(&broken.app);
}
