//! The command line: words typed, a command run, an exit code.

mod check;
mod demo;
mod drain;
mod healthcheck;
mod http;
mod notification;
mod sample;
mod schemes;
mod send;
mod serve;
mod sign;
mod verify;

use crate::config::{self, Config};
use crate::ledger::Complaint;
use crate::telemetry;
use clap::{Parser, Subcommand};
use jiff::Timestamp;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// The exit codes of every command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Exit {
    Done = 0,
    /// The answer is no.
    No = 1,
    WrongUsage = 64,
    Internal = 70,
    WrongConfiguration = 78,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

#[derive(Parser)]
#[command(
    version,
    about,
    arg_required_else_help = true,
    disable_help_subcommand = true
)]
struct Words {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the sidecar
    Serve {
        #[command(flatten)]
        source: Source,
        /// How the log is written; RUST_LOG filters it
        #[arg(long = "log", value_enum, value_name = "FORM", default_value = "json")]
        form: LogForm,
    },
    /// Load everything, print the routes and what is worth a second look
    Check {
        #[command(flatten)]
        source: Source,
        /// Print the JSON Schema of the configuration instead, for editors
        #[arg(long)]
        schema: bool,
    },
    /// Show it at work on loopback, with throw-away keys
    Demo {
        /// Leave it running and print curl lines
        #[arg(long)]
        keep: bool,
    },
    /// List the built-in schemes, or print one
    Schemes {
        /// The scheme to print, as YAML
        name: Option<String>,
    },
    /// Sign a notification as the gateway would, and print it
    Sign {
        #[command(flatten)]
        source: Source,
        #[command(flatten)]
        order: sign::Order,
        /// How to print it
        #[arg(long = "as", value_enum, default_value = "http")]
        form: sign::As,
    },
    /// Sign notifications, send them, and print the answers
    Send {
        #[command(flatten)]
        source: Source,
        #[command(flatten)]
        order: sign::Order,
        #[command(flatten)]
        delivery: send::Delivery,
    },
    /// Judge one captured request offline, and say why it is refused
    Verify {
        #[command(flatten)]
        source: Source,
        /// Judge it as of this time, RFC 3339 or seconds since 1970 [default: now]
        #[arg(long, value_name = "TIME", value_parser = sign::time)]
        at: Option<Timestamp>,
        /// Print one JSON object, for machines
        #[arg(long)]
        json: bool,
        /// The raw HTTP/1.1 request, - for stdin
        #[arg(value_name = "REQUEST.http")]
        request: PathBuf,
    },
    /// Ask a running sidecar for its health; for exec probes
    Healthcheck {
        /// What to ask
        #[arg(long, default_value = "http://127.0.0.1:9090/readyz")]
        url: String,
    },
    /// Announce its end to a running sidecar, for preStop hooks
    Drain {
        /// Its process
        #[arg(long, value_name = "PID", default_value_t = 1, value_parser = clap::value_parser!(i32).range(1..))]
        pid: i32,
    },
}

#[derive(clap::Args)]
struct Source {
    /// The configuration [default: $KAWAL_CONFIG, kawal.yaml, /etc/kawal/kawal.yaml]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

/// Runs the command that was typed.
#[must_use]
pub fn run() -> ExitCode {
    let words = match Words::try_parse() {
        Ok(words) => words,
        Err(error) => {
            let _ = error.print();
            let exit = if error.use_stderr() {
                Exit::WrongUsage
            } else {
                Exit::Done
            };
            return exit.into();
        }
    };
    let exit = match words.command {
        Command::Serve { source, form } => serve::run(source, form.into()),
        Command::Check { schema: true, .. } => check::schema(),
        Command::Check { source, .. } => {
            with_config(source, |config, file| check::run(&config, file))
        }
        Command::Demo { keep } => demo::run(keep),
        Command::Schemes { name } => schemes::run(name.as_deref()),
        Command::Sign {
            source,
            order,
            form,
        } => with_config(source, |config, _| sign::run(&config, &order, form)),
        Command::Send {
            source,
            order,
            delivery,
        } => with_config(source, |config, _| send::run(&config, &order, &delivery)),
        Command::Verify {
            source,
            at,
            json,
            request,
        } => with_config(source, |config, _| verify::run(&config, at, json, &request)),
        Command::Healthcheck { url } => healthcheck::run(&url),
        Command::Drain { pid } => drain::run(pid),
    };
    exit.into()
}

/// How the log is written.
#[derive(Clone, Copy, clap::ValueEnum)]
enum LogForm {
    /// One JSON object per line
    Json,
    /// For people at a terminal
    Text,
}

impl From<LogForm> for telemetry::Form {
    fn from(form: LogForm) -> Self {
        match form {
            LogForm::Json => Self::Json,
            LogForm::Text => Self::Text,
        }
    }
}

fn with_config(source: Source, command: impl FnOnce(Config, &Path) -> Exit) -> Exit {
    let file = config::find(source.config);
    match Config::load(&file) {
        Ok(config) => command(config, &file),
        Err(faults) => complain_of_all(&file, &faults),
    }
}

/// What is wrong with a configuration, a line each.
fn complain_of_all(file: &Path, faults: &[config::Fault]) -> Exit {
    for fault in faults {
        complain(&format!("{}: {fault}", file.display()));
    }
    Exit::WrongConfiguration
}

/// What is wrong with the ledger's store, in the form of the configuration's faults.
fn complain_of(file: &Path, complaint: &Complaint) -> Exit {
    let key = complaint.key.unwrap_or("replay.redis");
    complain(&format!("{}: {key}: {complaint}", file.display()));
    Exit::WrongConfiguration
}

/// One line on stderr.
fn complain(sentence: &str) {
    let _ = writeln!(std::io::stderr(), "kawal: {}", one_line(sentence));
}

/// What others say may hold line ends, and words for terminals.
fn one_line(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}

/// Text on stdout, and then this exit; a reader that left early is no fault.
fn say(text: &str, then: Exit) -> Exit {
    let mut out = std::io::stdout();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            complain(&format!("stdout takes nothing: {error}"));
            Exit::No
        }
        Ok(()) | Err(_) => then,
    }
}

/// Columns as wide as their widest cell.
fn table(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or_default();
    let width = |column| {
        rows.iter()
            .filter_map(|row| row.get(column))
            .map(|cell: &String| cell.chars().count())
            .max()
    };
    let widths: Vec<usize> = (0..columns)
        .map(|column| width(column).unwrap_or_default())
        .collect();
    let line = |row: &Vec<String>| {
        let cells = row
            .iter()
            .zip(&widths)
            .map(|(cell, width)| format!("{cell:<width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned() + "\n"
    };
    rows.iter().map(line).collect()
}
