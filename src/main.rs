//! Words typed, a command run, an exit code.

fn main() -> std::process::ExitCode {
    kawal::cli::run()
}
